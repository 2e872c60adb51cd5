//! What is not done in time is not done any more, and the process hears of it.

use crate::post::*;
use fait::Clock;
use fait::app::{App, Limits, Uncertain};
use fait::event::{NewEvent, Origin, minutes};
use fait::process::types;
use fait::query::Query;
use fait::reexport::uuid::Uuid;
use fait::store::{Append, Memory, Range, Store};
use std::sync::Arc;

fn on(store: &Arc<Memory>, office: &Fake) -> App {
    let app = App::on(store.clone()).clock(Clock::by_hand());
    posting(app, office).build().unwrap()
}

fn retrying() -> Fake {
    Fake::new(Uncertain::Retry, Limits::default())
}

async fn settled(app: &App) -> usize {
    let query = Query::types(&[types::SETTLED]);
    let facts = app.events(&query, Range::after(0, 1000)).await;
    facts.unwrap().events.len()
}

#[tokio::test]
async fn a_system_that_is_not_there_in_time_is_not_told_any_more() {
    let office = retrying().always(Says::LaterBy(minutes(60)));
    let app = on(&Arc::default(), &office);
    write(&app, "urgent").await;
    write(&app, "other").await;
    app.advance(minutes(9)).await;
    assert_eq!(state(&app, "urgent").await, Posting::Sent(0));
    app.advance(minutes(1)).await;
    assert_eq!(state(&app, "urgent").await, Posting::Expired);
    app.advance(minutes(60)).await;
    let calls = office.calls();
    let told = calls.iter().filter(|c| c.body["letter"] == "urgent");
    assert_eq!((told.count(), calls.len()), (1, 3));
}

#[tokio::test]
async fn an_asked_task_leaves_the_inbox_when_its_time_is_over() {
    let app = on(&Arc::default(), &retrying());
    write(&app, "asked-1").await;
    write(&app, "asked-2").await;
    app.advance(minutes(9)).await;
    let inbox = app.inbox("Clerk", 10).unwrap();
    assert_eq!(inbox.len(), 2);
    let done = inbox.iter().find(|t| t.key == "asked-2").unwrap();
    let stamp = Stamp {
        letter: LetterId("asked-2".into()),
    };
    app.send(stamp.clone())
        .answering(done.open.issued.id)
        .await
        .unwrap();
    app.advance(minutes(1)).await;
    assert_eq!(state(&app, "asked-1").await, Posting::Expired);
    assert_eq!(state(&app, "asked-2").await, Posting::Stamped);
    assert!(app.inbox("Clerk", 10).unwrap().is_empty());
    let late = inbox.iter().find(|t| t.key == "asked-1").unwrap();
    let late = app.send(stamp).answering(late.open.issued.id).await;
    assert!(late.is_err());
    assert_eq!(settled(&app).await, 2, "each once");
    assert!(app.parked().unwrap().is_empty());
}

#[tokio::test]
async fn time_goes_on_over_a_restart() {
    let store = Arc::<Memory>::default();
    let office = retrying().always(Says::LaterBy(minutes(60)));
    let app = on(&store, &office);
    write(&app, "asked").await;
    write(&app, "urgent").await;
    app.advance(minutes(8)).await;
    // The clock goes on from what was recorded last.
    write(&app, "other").await;
    app.settle().await;
    app.stop().await;
    let app = on(&store, &office);
    app.advance(minutes(1)).await;
    assert_eq!(app.inbox("Clerk", 10).unwrap().len(), 1);
    app.advance(minutes(1)).await;
    assert!(app.inbox("Clerk", 10).unwrap().is_empty());
    for letter in ["asked", "urgent"] {
        assert_eq!(state(&app, letter).await, Posting::Expired);
    }
}

#[tokio::test]
async fn r12_what_waited_too_long_is_not_begun_any_more() {
    let store = Arc::<Memory>::default();
    let office = retrying().always(Says::LaterBy(minutes(5)));
    let app = on(&store, &office);
    write(&app, "urgent").await;
    app.settle().await;
    app.stop().await;
    let begun = office.calls().len();
    // Time goes on: something is recorded later.
    let last = store.read(&Query::all(), Range::newest(1)).await.unwrap();
    let later = last.events[0].meta.recorded_at + minutes(20);
    let event = NewEvent {
        id: Uuid::nil(),
        ty: "Noise".into(),
        version: 1,
        tags: vec![],
        data: "null".into(),
        origin: Origin::default(),
    };
    let append = Append {
        events: vec![event],
        conditions: vec![],
        command: None,
        recorded_at: later,
    };
    store.append(append).await.unwrap();
    let app = on(&store, &office);
    app.settle().await;
    assert_eq!(state(&app, "urgent").await, Posting::Expired);
    let calls = office.calls();
    let told = calls.iter().filter(|c| c.body["letter"] == "urgent");
    assert_eq!(told.count(), begun);
}

#[tokio::test]
async fn what_is_under_way_is_not_cut_off() {
    let office = retrying().always(Says::Waits);
    let app = on(&Arc::default(), &office);
    write(&app, "urgent").await;
    app.advance(minutes(20)).await;
    assert_eq!(state(&app, "urgent").await, Posting::Sent(0));
    office.0.gate.notify_waiters();
    while state(&app, "urgent").await == Posting::Sent(0) {
        tokio::task::yield_now().await;
    }
    assert_eq!(state(&app, "urgent").await, Posting::Sent(1));
    assert_eq!((settled(&app).await, office.calls().len()), (1, 1));
}

#[tokio::test]
async fn done_in_time_is_done() {
    let app = on(&Arc::default(), &retrying());
    write(&app, "stamp").await;
    write(&app, "urgent").await;
    app.settle().await;
    app.advance(minutes(60)).await;
    assert_eq!(state(&app, "stamp").await, Posting::Stamped);
    assert_eq!(state(&app, "urgent").await, Posting::Sent(1));
    assert_eq!(settled(&app).await, 2);
}
