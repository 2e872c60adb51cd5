//! At the limits: many open commands, long words, and what operators decided once and for all.

use crate::post::*;
use crate::routing::{TOO_HEAVY, heard, hears, open_with, sent, status, steps, weighed};
use fait::Clock;
use fait::app::{Act, App, Limits, Uncertain};
use fait::event::{Meta, Origin, Time, minutes};
use fait::process::{Awaited, Claimed, Fact, InputRef, Instance, Issued, Status, Step, Target};
use fait::reexport::serde_json::json;
use fait::store::Memory;
use std::sync::Arc;

#[tokio::test]
async fn what_a_person_completed_hears_nothing_of_before_when_the_views_are_lost() {
    let store = Arc::<Memory>::default();
    let app = open_with(store.clone(), Clock::machine());
    hears(&app, sent("a")).await;
    hears(&app, weighed("a", TOO_HEAVY)).await;
    hears(&app, weighed("a", 1)).await;
    let done = app.operate("journey", "a", &Act::Complete, "op:max", "lost");
    done.await.unwrap();
    app.settle().await;
    let before = steps(&store).await;
    app.stop().await;
    let app = open_with(store.clone(), Clock::machine());
    app.settle().await;
    assert_eq!(heard(&app, "a").await, ["sent"]);
    assert_eq!(steps(&store).await, before, "nothing more is recorded");
    assert_eq!(status(&app).await.instances.ended, 1);
}

fn on(office: &Fake) -> App {
    let app = App::in_memory().clock(Clock::by_hand());
    posting(app, office).build().unwrap()
}

fn office(says: Says) -> Fake {
    Fake::new(Uncertain::Retry, Limits::default()).always(says)
}

#[tokio::test]
async fn what_came_too_late_is_sent_once_more_with_as_much_time() {
    let office = office(Says::LaterBy(minutes(60)));
    let app = on(&office);
    write(&app, "strict").await;
    app.settle().await;
    let command = app.open_of("posting", "strict").unwrap()[0].open.issued.id;
    app.advance(minutes(10)).await;
    assert_eq!(app.parked().unwrap().len(), 1);
    *office.0.otherwise.lock().unwrap() = Says::Yes;
    let body = json!({"letter": "strict", "page": 2});
    let amend = Act::Amend { command, body };
    let amended = app.operate("posting", "strict", &amend, "op:max", "again");
    amended.await.unwrap();
    app.advance(minutes(1)).await;
    assert_eq!(state(&app, "strict").await, Posting::Sent(1));
}

/// Eighty commands are open, and a fact has room for 64 tags.
#[tokio::test]
async fn an_instance_with_many_open_commands_can_be_cancelled() {
    let office = office(Says::LaterBy(minutes(60)));
    let app = on(&office);
    for n in 0..2 {
        let letter = LetterId("many".into());
        let id = fait::reexport::uuid::Uuid::from_u128(n);
        app.receive(LetterWritten { letter }, id, None)
            .await
            .unwrap();
        app.settle().await;
    }
    let open = app.open_of("posting", "many").unwrap();
    assert_eq!(open.len(), 80);
    let cancel = app.operate("posting", "many", &Act::Cancel, "op:max", "too much");
    cancel.await.unwrap();
    app.settle().await;
    let instance = app.instance("posting", "many").await.unwrap().unwrap();
    assert_eq!(instance.status, Status::Ended);
    assert!(instance.open.is_empty());
    for task in open {
        let asked = app.is_asked(task.open.issued.id).await;
        assert!(asked.is_err(), "{} is taken back", task.open.issued.id);
    }
    *office.0.otherwise.lock().unwrap() = Says::Yes;
    let told = office.calls().len();
    app.advance(minutes(120)).await;
    assert_eq!(office.calls().len(), told, "nothing more is told");
}

#[tokio::test]
async fn a_reason_longer_than_an_event_is_cut() {
    let app = on(&office(Says::Yes));
    write(&app, "long").await;
    app.settle().await;
    let parked = app.parked().unwrap();
    assert_eq!(parked.len(), 1);
    let Status::Parked { reason, .. } = &parked[0].status else {
        panic!("not parked")
    };
    assert!(reason.starts_with("so so ") && reason.len() < 10_000);
}

/// Facts that an instance in memory hears once more must not change it.
#[test]
fn a_claim_that_is_heard_again_starts_no_clock_anew() {
    let id = fait::reexport::uuid::Uuid::from_u128(7);
    let mut step = Step::of("posting", "a", InputRef::Operator);
    step.issued = vec![Issued {
        id,
        name: "Stamp".into(),
        body: json!({}),
        to: Target::Role("Clerk".into()),
        due: None,
        tries: 1,
        expires: false,
    }];
    let clock = Awaited {
        name: "null".into(),
        command: id,
        after_ms: 1000,
    };
    step.awaiting = vec![clock.clone()];
    let claim = Fact::Claimed(Claimed {
        process: "posting".into(),
        key: "a".into(),
        command: id,
        by: "ann".into(),
        until: Time(9000),
        back: false,
    });
    let mut again = Step::of("posting", "a", InputRef::Operator);
    again.awaiting = vec![clock];
    let mut instance = Instance::new("posting", "a");
    let mut hear = |position, fact: &Fact| {
        let meta = Meta {
            position,
            id,
            recorded_at: Time(position),
            origin: Origin::default(),
        };
        instance.absorb(fact, &meta, &[]);
        instance.deadlines.len()
    };
    hear(1, &Fact::Stepped(step));
    assert_eq!(hear(2, &claim), 1);
    assert_eq!(hear(3, &Fact::Stepped(again)), 0, "set anew, it waits");
    assert_eq!(hear(2, &claim), 0, "heard before");
    assert_eq!(hear(4, &claim), 1);
}
