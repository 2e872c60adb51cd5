//! Telling other systems: what each answer leads to, how long and how often it is tried, and what
//! happens when nobody knows whether they acted.

use crate::post::*;
use fait::app::{App, Limits, Uncertain};
use fait::event::minutes;
use fait::process::{Class, Fact, InputRef, Outcome, Status, types};
use fait::query::Query;
use fait::store::{Memory, Range};
use fait::{Clock, app};
use std::sync::Arc;
use std::time::Duration;

fn on(office: &Fake) -> App {
    let app = App::in_memory().clock(Clock::by_hand());
    posting(app, office).build().unwrap()
}

fn retrying() -> Fake {
    Fake::new(Uncertain::Retry, Limits::default())
}

fn status(app: &App) -> app::SystemStatus {
    let mut all = app.systems().unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

async fn count(app: &App, ty: &str) -> usize {
    let facts = app
        .events(&Query::types(&[ty]), Range::after(0, 1000))
        .await;
    facts.unwrap().events.len()
}

#[tokio::test]
async fn what_is_told_is_done() {
    let office = retrying();
    let app = on(&office);
    write(&app, "a").await;
    app.settle().await;
    assert_eq!(state(&app, "a").await, Posting::Sent(1));
    assert_eq!(office.calls().len(), 1);
    assert_eq!(count(&app, types::TRIED).await, 0, "it may be told twice");
}

#[tokio::test]
async fn later_is_told_again_with_the_same_id() {
    let office = retrying().says(&[Says::Later, Says::Later, Says::Later]);
    let app = on(&office);
    write(&app, "a").await;
    app.settle().await;
    let waits = status(&app);
    assert_eq!((waits.waiting, waits.under_way, waits.failures), (1, 0, 1));
    assert_eq!(waits.last_error.unwrap().1, "the post office is closed");
    app.advance(minutes(1)).await;
    let calls = office.calls();
    assert_eq!(calls.len(), 4);
    assert!(calls.iter().all(|c| c.id == calls[0].id));
    assert_eq!(calls.iter().map(|c| c.attempt).max(), Some(4));
    assert_eq!(state(&app, "a").await, Posting::Sent(1));
    assert_eq!(status(&app).failures, 0);
}

#[tokio::test]
async fn what_a_system_refuses_the_process_hears_as_refused() {
    let office = retrying().says(&[Says::Refused]);
    let app = on(&office);
    write(&app, "a").await;
    app.settle().await;
    assert_eq!(office.calls().len(), 1);
    assert_eq!(status(&app).failures, 0, "it answered");
    let settled = Query::types(&[types::SETTLED]);
    let settled = app.events(&settled, Range::after(0, 10)).await.unwrap();
    let Some(Fact::Settled(settled)) = Fact::read(&settled.events[0]).unwrap() else {
        panic!("it is settled")
    };
    let refused = Outcome::Refused {
        code: "Unfranked".into(),
        reason: "it has no stamp".into(),
    };
    assert_eq!(settled.outcome, refused);
    let instance = app.instance("posting", "a").await.unwrap().unwrap();
    let Status::Parked { class, reason, .. } = instance.status else {
        panic!("nobody thought of that")
    };
    assert_eq!(class, Class::Unhandled);
    assert_eq!(reason, "`Post` was refused: it has no stamp");
}

#[tokio::test]
async fn never_is_heard_at_once() {
    let office = retrying().says(&[Says::Never]);
    let app = on(&office);
    write(&app, "a").await;
    app.settle().await;
    let why = "Post will not do it: no such address";
    assert_eq!(state(&app, "a").await, Posting::Failed(why.into()));
    app.advance(minutes(60)).await;
    assert_eq!(office.calls().len(), 1);
    assert_eq!(status(&app).failures, 0, "it answered");
}

#[tokio::test]
async fn a_system_says_when_it_wants_to_be_asked_again() {
    let office = retrying().says(&[Says::LaterBy(minutes(10))]);
    let app = on(&office);
    write(&app, "a").await;
    app.advance(minutes(9)).await;
    assert_eq!(office.calls().len(), 1);
    app.advance(minutes(1)).await;
    assert_eq!(office.calls().len(), 2);
    assert_eq!(state(&app, "a").await, Posting::Sent(1));
}

#[tokio::test]
async fn after_a_quarter_of_an_hour_the_process_hears_that_it_failed() {
    let office = retrying().always(Says::Later);
    let app = on(&office);
    write(&app, "a").await;
    app.advance(minutes(14)).await;
    assert_eq!(state(&app, "a").await, Posting::Sent(0));
    assert!(status(&app).down_since.is_some());
    app.advance(minutes(3)).await;
    let Posting::Failed(why) = state(&app, "a").await else {
        panic!("it is still tried");
    };
    let n = office.calls().len();
    assert!(n >= 15, "{n} tries");
    let said =
        format!("Post could not be told, {n} times in 15 minutes: the post office is closed");
    assert_eq!(why, said);
    app.advance(minutes(60)).await;
    assert_eq!(office.calls().len(), n);
}

#[tokio::test]
async fn the_time_for_tries_goes_on_over_a_restart() {
    let store = Arc::new(Memory::default());
    for minute in [0, 10] {
        let office = retrying().always(Says::Later);
        let builder = App::on(store.clone()).clock(Clock::by_hand());
        let app = posting(builder, &office).build().unwrap();
        if minute == 0 {
            write(&app, "a").await;
            app.advance(minutes(10)).await;
            // Something is recorded, so that the clock goes on from here.
            write(&app, "b").await;
            app.settle().await;
        } else {
            app.advance(minutes(7)).await;
            assert!(matches!(state(&app, "a").await, Posting::Failed(_)));
            assert_eq!(state(&app, "b").await, Posting::Sent(0));
        }
        app.stop().await;
    }
}

#[tokio::test]
async fn a_system_that_is_down_is_tried_now_and_then_and_its_commands_wait() {
    let limits = Limits {
        at_once: 1,
        ..Limits::default()
    };
    let office = Fake::new(Uncertain::Retry, limits).always(Says::Later);
    let app = on(&office);
    for n in 0..50 {
        write(&app, &format!("l{n}")).await;
    }
    app.settle().await;
    let down = status(&app);
    assert_eq!((office.calls().len(), down.failures), (5, 5));
    assert_eq!(down.waiting, 50);
    assert!(down.down_since.is_some() && down.next_try.is_some());
    app.advance(minutes(10)).await;
    let n = office.calls().len();
    assert!((15..40).contains(&n), "{n} probes in ten minutes");
    assert_eq!(status(&app).waiting, 50, "they wait");
    let office = office.always(Says::Yes);
    app.advance(minutes(2)).await;
    assert_eq!(status(&app).waiting, 0);
    assert_eq!(status(&app).down_since, None);
    for n in 0..50 {
        assert_eq!(state(&app, &format!("l{n}")).await, Posting::Sent(1));
    }
    assert_eq!(office.calls().len(), n + 50);
}

#[tokio::test]
async fn no_more_is_told_at_once_than_the_system_can_take() {
    let limits = Limits {
        at_once: 2,
        ..Limits::default()
    };
    let office = Fake::new(Uncertain::Retry, limits).always(Says::Waits);
    let app = on(&office);
    for n in 0..6 {
        write(&app, &format!("l{n}")).await;
    }
    app.settle().await;
    let busy = status(&app);
    assert_eq!((busy.under_way, busy.waiting), (2, 4));
    let office = office.always(Says::Yes);
    office.0.gate.notify_waiters();
    app.settle().await;
    assert_eq!(status(&app).waiting, 0);
    assert_eq!(office.0.at_once.lock().unwrap().1, 2);
}

#[tokio::test]
async fn one_instance_is_told_in_order_and_keeps_no_other_waiting() {
    let office = retrying().says(&[Says::LaterBy(minutes(1))]);
    let app = on(&office);
    write(&app, "two").await;
    app.settle().await;
    write(&app, "other").await;
    app.settle().await;
    assert_eq!(state(&app, "other").await, Posting::Sent(1));
    assert_eq!(state(&app, "two").await, Posting::Sent(0));
    app.advance(minutes(1)).await;
    assert_eq!(state(&app, "two").await, Posting::Sent(2));
    let calls = office.calls();
    let pages = calls.iter().filter(|c| c.body["letter"] == "two");
    let pages: Vec<_> = pages.map(|c| c.body["page"].as_u64().unwrap()).collect();
    assert_eq!(pages, [1, 1, 2]);
}

fn quick() -> Limits {
    Limits {
        within: Duration::from_millis(30),
        ..Limits::default()
    }
}

#[tokio::test]
async fn who_acts_once_is_told_again_when_nobody_knows() {
    let office = Fake::new(Uncertain::Retry, quick());
    let office = office.says(&[Says::Unknown, Says::Panic, Says::Waits]);
    let app = on(&office);
    write(&app, "a").await;
    app.advance(minutes(1)).await;
    let calls = office.calls();
    assert_eq!(calls.len(), 4);
    assert!(calls.iter().all(|c| c.id == calls[0].id));
    assert_eq!(state(&app, "a").await, Posting::Sent(1));
}

#[tokio::test]
async fn who_would_act_twice_waits_for_a_person_when_nobody_knows() {
    for (says, why) in [
        (Says::Unknown, "the door fell shut"),
        (Says::Panic, "the clerk panics"),
        (Says::Waits, "no answer within 30 ms"),
    ] {
        let office = Fake::new(Uncertain::Park, quick()).says(&[says]);
        let app = on(&office);
        write(&app, "two").await;
        app.settle().await;
        app.advance(minutes(60)).await;
        let instance = app.instance("posting", "two").await.unwrap().unwrap();
        let Status::Parked {
            reason,
            input,
            class,
            attempts,
            ..
        } = instance.status
        else {
            panic!("{why}: not parked");
        };
        assert!(
            reason.contains(why) && reason.contains("press retry"),
            "{reason}"
        );
        assert_eq!((class, attempts), (Class::Uncertain, 1));
        let calls = office.calls();
        assert_eq!(calls.len(), 1, "neither it nor what comes behind it");
        assert!(matches!(input, InputRef::Command { id, .. } if id == calls[0].id));
        assert_eq!(count(&app, types::TRIED).await, 1);
        app.resume("posting", "two", true, "op", "it did not")
            .await
            .unwrap();
        app.settle().await;
        assert_eq!(state(&app, "two").await, Posting::Sent(2));
        assert_eq!(office.calls().len(), 3);
        assert_eq!(office.calls()[1].id, calls[0].id);
    }
}

#[tokio::test]
async fn who_would_act_twice_is_told_again_when_it_says_that_it_did_not() {
    let office = Fake::new(Uncertain::Park, quick()).says(&[Says::Later, Says::Later]);
    let app = on(&office);
    write(&app, "a").await;
    app.advance(minutes(1)).await;
    assert_eq!(state(&app, "a").await, Posting::Sent(1));
    assert_eq!(office.calls().len(), 3);
    assert_eq!(
        count(&app, types::TRIED).await,
        3,
        "each is recorded before"
    );
}

#[tokio::test]
async fn skipped_it_is_not_told_again() {
    let office = Fake::new(Uncertain::Park, quick()).says(&[Says::Unknown]);
    let app = on(&office);
    write(&app, "a").await;
    app.settle().await;
    app.resume("posting", "a", false, "op", "who knows")
        .await
        .unwrap();
    app.settle().await;
    assert_eq!(office.calls().len(), 1);
    assert!(
        app.parked().unwrap().is_empty(),
        "the process has heard that"
    );
    let again = app.resume("posting", "a", false, "op", "who knows").await;
    again.unwrap();
}

/// Runs a program until it tells, and ends it as a power failure would.
fn crash_while_it_tells(store: &Arc<Memory>, on_uncertain: Uncertain) -> Fake {
    let office = Fake::new(on_uncertain, Limits::default()).always(Says::Waits);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let builder = App::on(store.clone()).clock(Clock::by_hand());
        let app = posting(builder, &office).build().unwrap();
        write(&app, "a").await;
        office.0.called.notified().await;
    });
    runtime.shutdown_background();
    office
}

#[test]
fn a_crash_while_it_tells_parks_who_would_act_twice() {
    let store = Arc::new(Memory::default());
    let before = crash_while_it_tells(&store, Uncertain::Park);
    assert_eq!(before.calls().len(), 1);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let office = Fake::new(Uncertain::Park, Limits::default());
        let builder = App::on(store.clone()).clock(Clock::by_hand());
        let app = posting(builder, &office).build().unwrap();
        app.settle().await;
        let parked = app.parked().unwrap();
        assert_eq!(parked.len(), 1);
        let Status::Parked { reason, .. } = &parked[0].status else {
            panic!("not parked");
        };
        assert!(reason.contains("when the program ended"), "{reason}");
        assert!(office.calls().is_empty());
        app.resume("posting", "a", true, "op", "it did not")
            .await
            .unwrap();
        app.settle().await;
        assert_eq!(state(&app, "a").await, Posting::Sent(1));
        assert_eq!(office.calls()[0].id, before.calls()[0].id);
    });
}

#[test]
fn after_a_crash_while_it_tells_who_acts_once_is_told_again() {
    let store = Arc::new(Memory::default());
    let before = crash_while_it_tells(&store, Uncertain::Retry);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let office = retrying();
        let builder = App::on(store.clone()).clock(Clock::by_hand());
        let app = posting(builder, &office).build().unwrap();
        app.settle().await;
        assert_eq!(state(&app, "a").await, Posting::Sent(1));
        assert_eq!(office.calls().len(), 1);
        assert_eq!(office.calls()[0].id, before.calls()[0].id);
    });
}
