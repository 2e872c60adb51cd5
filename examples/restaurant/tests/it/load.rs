//! R11 and R13: two hundred orders at once.

use crate::house::all;
use fait::Clock;
use fait::app::App;
use fait::event::StoredEvent;
use fait::process::Fact;
use restaurant::card::Terminal;
use restaurant::orders::COOK;
use restaurant::staff::{Staff, work};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// Runs so many orders, placed at once, until no process is running.
async fn run(staff: Staff, orders: u32, pace: f64) -> (App, Vec<StoredEvent>) {
    let terminal = Terminal::new(staff == Staff::Flaky);
    let app = restaurant::in_memory(Clock::paced(pace), terminal).unwrap();
    restaurant::play::place(&app, orders, Duration::ZERO).await;
    work(&app, staff);
    loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let processes = app.processes().await.unwrap();
        let running: u64 = processes
            .iter()
            .map(|p| p.instances.running + p.instances.parked)
            .sum();
        let ended: u64 = processes.iter().map(|p| p.instances.ended).sum();
        if running == 0 && ended >= u64::from(orders) {
            break;
        }
        assert!(
            app.parked().unwrap().is_empty(),
            "{:?}",
            app.parked().unwrap()
        );
    }
    app.settle().await;
    let events = all(&app).await;
    (app, events)
}

fn per_order(events: &[StoredEvent], ty: &str) -> HashMap<String, Vec<u64>> {
    let mut out: HashMap<String, Vec<u64>> = HashMap::new();
    for e in events.iter().filter(|e| e.ty == ty) {
        let order = e.json().unwrap()["order"].as_str().unwrap().to_string();
        out.entry(order).or_default().push(e.meta.position);
    }
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r11_no_false_time_outs_under_load_with_reliable_staff() {
    let (app, events) = run(Staff::Reliable, 200, 1000.0).await;
    let placed = per_order(&events, "OrderPlaced");
    let cooked = per_order(&events, "OrderCooked");
    let paid = per_order(&events, "OrderPaid");
    assert_eq!((placed.len(), cooked.len(), paid.len()), (200, 200, 200));
    assert!(
        paid.values().all(|p| p.len() == 1),
        "an order was paid twice"
    );
    assert!(
        per_order(&events, "OrderCookedTwice").is_empty(),
        "an order was cooked twice"
    );
    for (order, at) in &cooked {
        let pays_first = events.iter().any(|e| {
            e.ty == "OrderPlaced"
                && e.json().unwrap()["order"] == *order
                && e.json().unwrap()["pays_first"] == true
        });
        assert!(
            pays_first || at[0] < paid[order][0],
            "cooked after it was paid"
        );
    }
    // The kitchen was asked again while it was busy, and each time the older ask was taken back.
    let mut open: HashMap<String, i32> = HashMap::new();
    for e in &events {
        if let Some(Fact::Stepped(step)) = Fact::read(e).unwrap()
            && step.process == "serve-then-bill"
        {
            let asks = step.issued.iter().filter(|i| i.name == "CookFood").count();
            let n = open.entry(step.key.clone()).or_default();
            if asks > 0 {
                *n = *n - i32::try_from(step.withdrawn.len()).unwrap() + 1;
                assert_eq!(*n, 1, "two open asks to cook one order");
            }
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r11_all_end_and_are_paid_once_with_flaky_staff() {
    let (app, events) = run(Staff::Flaky, 200, 2000.0).await;
    let paid = per_order(&events, "OrderPaid");
    assert_eq!(paid.len(), 200);
    assert!(
        paid.values().all(|p| p.len() == 1),
        "an order was paid twice"
    );
    assert!(
        !per_order(&events, "OrderCookedTwice").is_empty(),
        "nobody doubled: no test"
    );
    assert!(
        !per_order(&events, "CookingTimedOut").is_empty(),
        "nobody dropped: no test"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r13_work_goes_to_whoever_is_free() {
    let (app, events) = run(Staff::Reliable, 24, 300.0).await;
    let mut cooked: BTreeMap<String, u32> = BTreeMap::new();
    for e in events.iter().filter(|e| e.ty == "OrderCooked") {
        *cooked
            .entry(e.json().unwrap()["cooked_by"].as_str().unwrap().into())
            .or_default() += 1;
    }
    // Twice and three times as slow, so about half and a third of the work; not each the same.
    let (tom, harry, rich) = (cooked["Tom"], cooked["Harry"], cooked["Rich"]);
    assert_eq!(tom + harry + rich, 24);
    assert!(tom > harry && harry >= rich, "{cooked:?}");
    // Nobody holds two tasks at a time: a claim comes only after the last answer of that cook.
    let mut busy: HashMap<String, u64> = HashMap::new();
    for e in &events {
        match Fact::read(e).unwrap() {
            Some(Fact::Claimed(c)) if c.by.starts_with("cook:") => {
                let held = busy.insert(c.by.clone(), e.meta.position);
                assert_eq!(held, None, "{} took a second task", c.by);
            }
            Some(Fact::Settled(s)) if s.name == "CookFood" => {
                busy.remove(e.meta.origin.actor.as_deref().unwrap());
            }
            _ => {}
        }
    }
    assert!(app.inbox(COOK, 10).unwrap().is_empty());
    app.stop().await;
}
