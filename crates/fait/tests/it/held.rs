//! What is held for an instance that has not begun is neither lost nor heard twice, whatever comes
//! between.

use crate::routing::*;
use fait::app::{App, Begin};
use fait::event::{Event, NewEvent, Origin, Tag, Time, minutes};
use fait::process::Status;
use fait::reexport::uuid::Uuid;
use fait::store::{Append, Memory, Store};
use std::sync::Arc;

const T0: Time = Time(1_767_225_600_000);

async fn append<E: Event>(store: &Memory, tag: &str, data: &str, recorded_at: Time) {
    let event = NewEvent {
        id: Uuid::now_v7(),
        ty: E::TYPE.into(),
        version: 1,
        tags: vec![Tag::raw(tag)],
        data: data.as_bytes().to_vec().into(),
        origin: Origin::default(),
    };
    let append = Append {
        events: vec![event],
        conditions: vec![],
        command: None,
        recorded_at,
    };
    store.append(append).await.unwrap();
}

async fn is_parked(app: &App, key: &str) -> bool {
    let instance = app.instance("journey", key).await.unwrap().unwrap();
    matches!(instance.status, Status::Parked { .. })
}

#[tokio::test]
async fn an_event_is_heard_that_overtook_both_the_id_it_goes_by_and_the_beginning() {
    let app = open(Arc::default());
    hears(&app, scanned("L1", "Lyon")).await;
    hears(&app, printed("L1", "a")).await;
    hears(&app, sent("a")).await;
    assert_eq!(heard(&app, "a").await, ["sent", "scanned in Lyon"]);
}

/// The beginning came in time; the program was away until long after.
#[tokio::test]
async fn what_came_in_time_is_heard_also_when_the_program_was_away() {
    let store = Arc::<Memory>::default();
    append::<ParcelWeighed>(&store, "parcel:a", r#"{"parcel":"a","grams":1}"#, T0).await;
    let soon = T0 + minutes(5);
    append::<ParcelSent>(&store, "parcel:a", r#"{"parcel":"a"}"#, soon).await;
    append::<ParcelWeighed>(&store, "parcel:b", r#"{"parcel":"b","grams":1}"#, soon).await;
    let late = T0 + minutes(20);
    append::<ParcelSent>(&store, "parcel:b", r#"{"parcel":"b"}"#, late).await;
    let app = wired(App::on(store.clone()), fait::Clock::by_hand());
    let app = app.begins("journey", Begin::FromStart).build().unwrap();
    app.settle().await;
    assert_eq!(heard(&app, "a").await, ["sent", "weighs 1"]);
    assert_eq!(heard(&app, "b").await, ["sent"], "it began too late");
    assert_eq!(status(&app).await.held, 0);
    assert_eq!(status(&app).await.ignored.events, 1);
}

#[tokio::test]
async fn a_held_event_that_parked_its_instance_is_taken_again_when_a_person_says_so() {
    let store = Arc::<Memory>::default();
    let app = open_with(store.clone(), fait::Clock::machine());
    hears(&app, weighed("a", TOO_HEAVY)).await;
    hears(&app, sent("a")).await;
    assert!(is_parked(&app, "a").await);
    app.resume("journey", "a", true, "op:max", "mended")
        .await
        .unwrap();
    app.settle().await;
    assert!(is_parked(&app, "a").await, "it stumbles again");
    app.resume("journey", "a", false, "op:max", "a joke")
        .await
        .unwrap();
    hears(&app, weighed("a", 2)).await;
    assert_eq!(heard(&app, "a").await, ["sent", "weighs 2"]);
    app.stop().await;
    // With the views lost, what was skipped stays skipped.
    let app = open_with(store, fait::Clock::machine());
    app.settle().await;
    assert_eq!(heard(&app, "a").await, ["sent", "weighs 2"]);
    assert!(!is_parked(&app, "a").await);
}

#[tokio::test]
async fn what_waited_for_an_id_waits_on_while_its_instance_is_parked() {
    let app = open(Arc::default());
    hears(&app, sent("a")).await;
    hears(&app, weighed("a", TOO_HEAVY)).await;
    hears(&app, scanned("L1", "Lyon")).await;
    hears(&app, printed("L1", "a")).await;
    assert!(is_parked(&app, "a").await);
    app.resume("journey", "a", false, "op:max", "a joke")
        .await
        .unwrap();
    app.settle().await;
    assert_eq!(heard(&app, "a").await, ["sent", "scanned in Lyon"]);
}

#[tokio::test]
async fn what_is_held_is_held_over_a_restart_by_its_id_and_by_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let wired = wired(App::in_folder(folder.path()), fait::Clock::machine());
        wired.build().unwrap()
    };
    let app = open();
    hears(&app, scanned("L1", "Lyon")).await;
    hears(&app, printed("L1", "a")).await;
    hears(&app, scanned("L2", "Metz")).await;
    assert_eq!(status(&app).await.held, 2);
    app.stop().await;
    drop(app);
    let app = open();
    app.settle().await;
    assert_eq!(status(&app).await.held, 2);
    hears(&app, sent("a")).await;
    hears(&app, sent("b")).await;
    hears(&app, printed("L2", "b")).await;
    assert_eq!(heard(&app, "a").await, ["sent", "scanned in Lyon"]);
    assert_eq!(heard(&app, "b").await, ["sent", "scanned in Metz"]);
    assert_eq!(status(&app).await.held, 0);
}
