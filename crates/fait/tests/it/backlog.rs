//! What waits behind a parked instance: all of it, in order, however much, and over restarts.

use fait::app::App;
use fait::event::{Never, Tag};
use fait::process::{Input, Outbox, Process, Status, types};
use fait::query::{Query, QueryItem};
use fait::store::{Memory, Range, Store};
use fait::{Clock, data, entity_ids, event};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use uuid::Uuid;

entity_ids! { MeterId(text) => "meter" }

#[event]
struct MeterRead {
    #[tag]
    meter: MeterId,
    number: u32,
}

/// Every reading, in the order in which it was heard.
#[data]
#[derive(Default)]
struct Readings {
    numbers: Vec<u32>,
}

/// The number at which each test's process stumbles; one test at a time uses a meter's name.
static STUMBLES_AT: AtomicU32 = AtomicU32::new(0);
static AND_AT: AtomicU32 = AtomicU32::new(0);

impl Process for Readings {
    const NAME: &'static str = "readings";
    type Key = MeterId;
    type Events = MeterRead;
    type Timer = ();
    type Sends = Never;
    type Raises = Never;
    fn react(mut self, _: &MeterId, input: Input<Self>, _: &mut Outbox<Self>) -> Self {
        let Input::Event(read) = input else {
            return self;
        };
        let bad = [&STUMBLES_AT, &AND_AT].map(|at| at.load(Ordering::SeqCst));
        let stumbles = read.meter.0 == "bad" && bad.contains(&read.number);
        assert!(!stumbles, "it cannot read number {}", read.number);
        self.numbers.push(read.number);
        self
    }
}

fn open(store: Arc<Memory>) -> App {
    App::on(store)
        .clock(Clock::machine())
        .receives::<MeterRead>("Meters")
        .process::<Readings>()
        .build()
        .unwrap()
}

async fn reads(app: &App, meter: &str, numbers: std::ops::RangeInclusive<u32>) {
    for number in numbers {
        let meter = meter.into();
        let read = MeterRead { meter, number };
        app.receive(read, Uuid::now_v7(), None).await.unwrap();
    }
    app.settle().await;
}

async fn numbers(app: &App, meter: &str) -> Vec<u64> {
    let instance = app.instance("readings", meter).await.unwrap().unwrap();
    let (_, state) = instance.state.unwrap();
    let numbers = state["numbers"].as_array().unwrap().clone();
    numbers.iter().map(|n| n.as_u64().unwrap()).collect()
}

async fn stuck(app: &App) -> (String, u64) {
    let stuck = app.stuck(None, 10).unwrap();
    assert_eq!(stuck.len(), 1);
    let Status::Parked { reason, .. } = &stuck[0].instance.status else {
        panic!("not parked")
    };
    (reason.clone(), stuck[0].backlog)
}

/// 1,300 inputs are more than are read at once, and it stumbles again in the middle of them; the
/// views are lost once while it waits and once while it goes on.
#[tokio::test]
async fn a_long_backlog_is_taken_whole_in_order_and_over_restarts() {
    STUMBLES_AT.store(10, Ordering::SeqCst);
    AND_AT.store(700, Ordering::SeqCst);
    let store: Arc<Memory> = Arc::default();
    let app = open(store.clone());
    reads(&app, "bad", 1..=900).await;
    reads(&app, "good", 1..=30).await;
    let (reason, waits) = stuck(&app).await;
    assert!(reason.contains("number 10"), "{reason}");
    assert_eq!(waits, 890);
    app.stop().await;
    let app = open(store.clone());
    app.settle().await;
    reads(&app, "bad", 901..=1300).await;
    assert_eq!(stuck(&app).await.1, 1290, "found again without views");
    STUMBLES_AT.store(0, Ordering::SeqCst);
    let retry = async |app: &App| {
        let done = app
            .resume("readings", "bad", true, "op:max", "mended")
            .await;
        done.unwrap();
        app.settle().await;
    };
    retry(&app).await;
    let (reason, waits) = stuck(&app).await;
    assert!(reason.contains("number 700"), "{reason}");
    assert_eq!(waits, 600);
    assert_eq!(numbers(&app, "bad").await.len(), 699);
    AND_AT.store(0, Ordering::SeqCst);
    // It is let go on, and the program ends before anybody could have heard of it.
    let resumed = app
        .resume("readings", "bad", true, "op:max", "mended")
        .await;
    resumed.unwrap();
    app.stop().await;
    let app = open(store.clone());
    reads(&app, "bad", 1301..=1310).await;
    let all: Vec<u64> = (1..=1310).collect();
    assert_eq!(numbers(&app, "bad").await, all);
    assert_eq!(numbers(&app, "good").await.len(), 30);
    assert!(app.stuck(None, 10).unwrap().is_empty());
    let steps = QueryItem::of(
        &[types::STEPPED],
        vec![Tag::new("instance", "readings/bad")],
    );
    let steps = Query::default().or(steps);
    let slice = store.read(&steps, Range::after(0, 5000)).await.unwrap();
    assert_eq!(slice.events.len(), 1310, "each input was taken once");
}
