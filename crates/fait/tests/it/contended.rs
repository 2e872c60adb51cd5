//! Many decisions on one thing: they take turns, and go on from the model of the last one.

use crate::counted::Counted;
use crate::till::{
    BROKEN, CURSED, Count, CountTwice, Look, NoteLook, Till, count, look, look_into_two, wired,
};
use fait::app::{App, CommandError, Envelope, MAX_MODEL_BYTES};
use fait::decision::{BoundaryId, Each};
use fait::event::{NewEvent, Origin, Tag};
use fait::reexport::serde_json::json;
use fait::reexport::uuid::Uuid;
use fait::store::{Append, CommandKey, Erase, Keep};
use futures_util::FutureExt;
use proptest::prelude::*;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::Duration;

fn on(store: &Counted) -> App {
    wired(App::on(store.clone())).build().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_decide_forty_times_each_on_one_thing_without_a_conflict() {
    let store = Counted::new();
    let app = on(&store);
    let deciders = (0..16).map(|_| {
        let app = app.clone();
        tokio::spawn(async move {
            for _ in 0..40 {
                app.send(count("a", 1)).await.unwrap();
            }
        })
    });
    for decider in deciders.collect::<Vec<_>>() {
        decider.await.unwrap();
    }
    assert_eq!((store.appends(), store.conflicts()), (640, 0));
    let read = store.events_read();
    // Each event is taken in once by the decisions, and once or twice by what follows the log.
    assert!(read <= 3 * 640 + 100, "{read}");
    assert!(look(&app, "a").await.contains("cents: 640"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn boundaries_that_overlap_still_conflict_and_are_decided_again() {
    let store = Counted::new();
    let app = on(&store);
    let clerks = (0..20).map(|n| {
        let app = app.clone();
        tokio::spawn(async move {
            let twice = CountTwice {
                till: format!("t{}", n % 4).as_str().into(),
                clerk: "bob".into(),
                cents: 1,
            };
            app.send(twice).await.is_ok()
        })
    });
    let mut done = 0;
    for clerk in clerks.collect::<Vec<_>>() {
        done += u32::from(clerk.await.unwrap());
    }
    assert_eq!(done, 2, "one clerk counts twice at most, in whatever till");
    app.stop().await;
}

#[tokio::test]
async fn a_panic_in_a_decision_gives_the_turn_to_the_next() {
    let app = on(&Counted::new());
    app.send(count("a", 5)).await.unwrap();
    let cursed = AssertUnwindSafe(app.send(count("a", CURSED)).into_future());
    assert!(cursed.catch_unwind().await.is_err());
    app.send(count("a", 1)).await.unwrap();
    assert!(look(&app, "a").await.contains("cents: 6"));
    app.stop().await;
}

#[tokio::test]
async fn a_model_that_panicked_while_folding_is_not_used_again() {
    let app = on(&Counted::new());
    app.send(count("a", 5)).await.unwrap();
    app.send(count("a", BROKEN)).await.unwrap();
    for _ in 0..2 {
        let broken = AssertUnwindSafe(app.send(count("a", 1)).into_future());
        let panic = broken.catch_unwind().await.unwrap_err();
        let text = panic.downcast_ref::<&str>().copied().unwrap_or_default();
        assert_eq!(text, "this coin is broken");
    }
    assert_eq!(app.models_kept(), 0);
    app.send(count("b", 1)).await.unwrap();
    app.stop().await;
}

#[tokio::test]
async fn a_send_that_is_dropped_gives_its_turn_to_the_next() {
    let store = Counted::new();
    let app = on(&store);
    app.send(count("a", 1)).await.unwrap();
    store.close_gate();
    let sends: Vec<_> = (0..3)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move { app.send(count("a", 1)).await })
        })
        .collect();
    while store.appends() < 2 {
        tokio::task::yield_now().await;
    }
    // The first holds the turn in its append, the second waits: both go away.
    for send in &sends[..2] {
        send.abort();
    }
    store.let_pass(100);
    let [_, _, third] = <[_; 3]>::try_from(sends).unwrap();
    let third = tokio::time::timeout(Duration::from_secs(5), third).await;
    third.unwrap().unwrap().unwrap();
    assert!(look(&app, "a").await.contains("cents: 2"));
    app.stop().await;
}

#[tokio::test]
async fn a_second_system_on_the_store_makes_a_model_stale_and_both_go_on() {
    let store = Counted::new();
    let (one, two) = (on(&store), on(&store));
    for _ in 0..20 {
        one.send(count("a", 1)).await.unwrap();
        two.send(count("a", 1)).await.unwrap();
    }
    assert!(look(&one, "a").await.contains("cents: 40"));
    assert_eq!(look(&one, "a").await, look(&two, "a").await);
    store.close_gate();
    let before = store.appends();
    let sends: Vec<_> = [&one, &two]
        .map(|app| {
            let app = app.clone();
            tokio::spawn(async move { app.send(count("a", -40)).await })
        })
        .into();
    while store.appends() < before + 2 {
        tokio::task::yield_now().await;
    }
    store.let_pass(100);
    let mut done = 0;
    for send in sends {
        match send.await.unwrap() {
            Ok(_) => done += 1,
            Err(e) => assert!(matches!(e, CommandError::Refused(_)), "{e}"),
        }
    }
    assert_eq!((done, store.conflicts()), (1, 1));
    for app in [one, two] {
        app.stop().await;
    }
}

#[tokio::test]
async fn decisions_that_cannot_meet_do_not_wait_for_each_other() {
    let store = Counted::new();
    let app = on(&store);
    app.send(count("a", 1)).await.unwrap();
    store.close_gate();
    let before = store.appends();
    let note = NoteLook {
        till: "a".into(),
        clerk: "ann".into(),
    };
    let (one, two) = (app.send(note.clone()), app.send(note));
    let both = async { tokio::join!(one.into_future(), two.into_future()) };
    let seen = async {
        while store.appends() < before + 2 {
            tokio::task::yield_now().await;
        }
        store.let_pass(100);
    };
    let ((one, two), ()) = tokio::join!(both, seen);
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(store.conflicts(), 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_command_that_waits_for_its_first_time_gets_the_same_receipt() {
    let app = on(&Counted::new());
    let id = Uuid::from_u128(7);
    let sends: Vec<_> = (0..8)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move { app.send(count("a", 1)).id(id).await.unwrap() })
        })
        .collect();
    let mut receipts = vec![];
    for send in sends {
        receipts.push(send.await.unwrap());
    }
    let first = receipts.iter().filter(|r| !r.repeated).count();
    assert_eq!(first, 1);
    assert!(receipts.iter().all(|r| r.events == receipts[0].events));
    app.stop().await;
}

#[tokio::test]
async fn different_commands_on_one_thing_share_its_model() {
    let store = Counted::new();
    let app = wired(App::on(store.clone())).build().unwrap();
    for _ in 0..5 {
        app.send(count("a", 1)).await.unwrap();
    }
    app.settle().await;
    let before = look(&app, "a").await;
    store.events_read();
    assert_eq!(look(&app, "a").await, before);
    assert_eq!((store.events_read(), app.models_kept()), (0, 1));
    app.stop().await;
}

#[tokio::test]
async fn models_in_memory_are_few() {
    let app = wired(App::in_memory()).models_in_memory(10);
    let app = app.build().unwrap();
    for n in 0..50 {
        app.send(count(&format!("t{n}"), n)).await.unwrap();
        assert!(app.models_kept() <= 10);
    }
    assert_eq!(app.models_kept(), 10);
    assert!(look(&app, "t3").await.contains("cents: 3"));
    app.stop().await;
    let none = wired(App::in_memory()).models_in_memory(0).build().unwrap();
    none.send(count("a", 1)).await.unwrap();
    none.send(count("a", 1)).await.unwrap();
    assert_eq!(none.models_kept(), 0);
    assert!(look(&none, "a").await.contains("cents: 2"));
    none.stop().await;
    assert_eq!(MAX_MODEL_BYTES, 64 << 20, "as the documents say");
}

#[test]
fn boundaries_that_only_look_alike_are_kept_apart() {
    type Two = (Each<Till>, Each<Till>);
    let [a, b, c] = ["a", "b", "c"].map(|t| t.into());
    let id = |one: &[_], two: &[_]| BoundaryId::of::<Two>(&(one.to_vec(), two.to_vec()));
    let left = id(&[&a, &b].map(Clone::clone), std::slice::from_ref(&c));
    let right = id(std::slice::from_ref(&a), &[&b, &c].map(Clone::clone));
    assert_ne!(left, right);
    type Pair = (Till, Till);
    let pair = BoundaryId::of::<Pair>(&(a.clone(), b.clone()));
    assert_ne!(pair, BoundaryId::of::<Pair>(&(b.clone(), a.clone())));
    assert_eq!(pair, BoundaryId::of::<Pair>(&(a.clone(), b.clone())));
    assert_ne!(
        BoundaryId::of::<Till>(&"a6:till:b".into()),
        BoundaryId::of::<Each<Till>>(&vec![a, b])
    );
}

fn anything() -> impl Strategy<Value = Vec<(u8, u8, i8)>> {
    prop::collection::vec((0..6u8, 0..3u8, any::<i8>()), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Two systems on one store, one of which keeps models, and a third that keeps none.
    #[test]
    fn a_kept_model_is_the_same_as_one_folded_anew(steps in anything()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = Counted::new();
            let (one, two) = (on(&store), on(&store));
            let anew = wired(App::on(store.clone())).models_in_memory(0).build().unwrap();
            for (what, till, cents) in steps {
                let till = format!("t{till}");
                let count = count(&till, i64::from(cents));
                match what {
                    0..=2 => drop(one.send(count).await),
                    3 => drop(two.send(count).await),
                    4 => one.forget_models().unwrap(),
                    _ => {
                        let (a, b) = (look(&one, &till).await, look(&two, &till).await);
                        assert_eq!(a, b);
                    }
                }
                anew.forget_models().unwrap();
                assert_eq!(look(&one, &till).await, look(&anew, &till).await);
                let kept = look_into_two(&one, &till, "t0").await;
                assert_eq!(kept, look_into_two(&anew, &till, "t0").await);
            }
            for app in [one, two, anew] {
                app.stop().await;
            }
        });
    }
}

/// Whether a text stands in any file of a folder.
fn on_disk(folder: &Path, text: &str) -> bool {
    let files = std::fs::read_dir(folder).unwrap();
    files
        .map(|f| std::fs::read(f.unwrap().path()).unwrap())
        .any(|bytes| {
            let mut windows = bytes.windows(text.len());
            windows.any(|w| w == text.as_bytes())
        })
}

#[tokio::test]
async fn erasing_forgets_what_was_folded_from_what_is_erased() {
    let folder = tempfile::tempdir().unwrap();
    let views = folder.path().join("views.db");
    let store = Counted::new();
    let app = wired(App::on(store.clone()))
        .views_in(&views)
        .build()
        .unwrap();
    for _ in 0..30 {
        app.send(count("a", 4242)).await.unwrap();
    }
    app.settle().await;
    // They are written behind the answer.
    while !on_disk(folder.path(), "\"cents\":") {
        tokio::task::yield_now().await;
    }
    let tag = Tag::raw("till:a");
    let tombstone = NewEvent {
        id: Uuid::from_u128(99),
        ty: "TillErased".into(),
        version: 1,
        tags: vec![tag.clone()],
        data: b"{}".to_vec().into(),
        origin: Origin::default(),
    };
    let key = Uuid::from_u128(98);
    let erase = Erase {
        tag,
        keep: Keep::default(),
        tombstone: Append {
            events: vec![tombstone],
            conditions: vec![],
            command: Some(CommandKey {
                id: key,
                fingerprint: key,
            }),
            recorded_at: app.clock().now(),
        },
    };
    let erased = app.erase(erase.clone()).await.unwrap();
    assert_eq!((erased.events, app.models_kept()), (30, 0));
    assert!(!on_disk(folder.path(), "\"cents\":"), "written over");
    assert!(look(&app, "a").await.contains("cents: 0"));
    assert_eq!(app.erase(erase).await.unwrap().events, 0);
    app.stop().await;
    let rows = rusqlite::Connection::open(&views).unwrap();
    let left = rows.query_row("SELECT count(*) FROM fait_snapshots", [], |r| r.get(0));
    assert_eq!(left, Ok(0));
}

#[tokio::test]
async fn a_command_by_name_takes_its_turn_too() {
    let app = on(&Counted::new());
    let body = json!({"till": "a", "clerk": "ann", "cents": 3});
    app.send_json("Count", body, Envelope::default())
        .await
        .unwrap();
    let look = app.preview(&Look { till: "a".into() }).await;
    assert!(look.unwrap_err().to_string().contains("cents: 3"));
    let offered = json!({"till": "a", "clerk": "ann", "cents": 1});
    app.offer("Count", &offered, "ann").await.unwrap();
    let more: Count = count("a", 1);
    app.preview(&more).await.unwrap();
    app.stop().await;
}
