//! Batches and named checkpoints.

use super::*;
use fait::app::{Batch, Feed, FeedError, Happened, Start};
use fait::event::StoredEvent;
use fait::store::Range;
use std::path::Path;

fn positions(batch: &Batch<'_, StoredEvent>) -> Vec<u64> {
    batch.events().iter().map(|e| e.meta.position).collect()
}

/// Takes everything in that is there.
async fn drain(feed: &mut Feed<StoredEvent>) -> Vec<u64> {
    let mut taken = vec![];
    while let Some(batch) = feed.next_now().await.unwrap() {
        taken.extend(positions(&batch));
        batch.done().await.unwrap();
    }
    taken
}

#[tokio::test]
async fn it_catches_up_and_goes_live_without_a_gap() {
    let (app, store) = open();
    fill(&*store, 1000).await;
    let mut feed = app.feed(everything()).at_most(64).open().await.unwrap();
    let writer = tokio::spawn(async move {
        for n in 0..500 {
            append(&*store, vec![sent(n), sent(n)]).await;
            tokio::task::yield_now().await;
        }
    });
    let mut taken = vec![];
    while taken.len() < 2000 {
        let batch = feed.next().await.unwrap().unwrap();
        assert!(batch.events().len() <= 64);
        taken.extend(positions(&batch));
        batch.done().await.unwrap();
    }
    writer.await.unwrap();
    assert_eq!(taken, (1..=2000).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_batch_has_limits() {
    let (app, store) = open();
    let large = |n: usize| raw("Sent", 1, &json!({ "amount": 1, "note": "x".repeat(n) }));
    let sizes = [400, 400, 400, 3000, 100, 100, 100, 100];
    append(&*store, sizes.map(large).to_vec()).await;
    let feed = app.feed(everything()).at_most(3).at_most_bytes(1000);
    let mut feed = feed.open().await.unwrap();
    let mut batches = vec![];
    while let Some(batch) = feed.next_now().await.unwrap() {
        batches.push(positions(&batch));
        batch.done().await.unwrap();
    }
    // What is too large for any batch comes alone.
    assert_eq!(
        batches,
        [vec![1, 2], vec![3], vec![4], vec![5, 6, 7], vec![8]]
    );
    for feed in [
        app.feed(everything()).at_most(0),
        app.feed(everything()).at_most_bytes(0),
    ] {
        assert!(matches!(feed.open().await, Err(FeedError::Use(_))));
    }
}

#[tokio::test]
async fn what_is_not_acknowledged_comes_again() {
    let folder = tempfile::tempdir().unwrap();
    let begin = || wired(App::in_folder(folder.path()));
    let app = begin();
    let mut feed = app.feed(everything()).named("ledger").open().await.unwrap();
    assert!(feed.next_now().await.unwrap().is_none());
    drop(feed);
    app.stop().await;
    drop(app);
    fill(&fait_store::Disk::open(folder.path()).unwrap(), 10).await;
    let app = begin();
    let mut feed = app
        .feed(everything())
        .named("ledger")
        .at_most(4)
        .open()
        .await
        .unwrap();
    let batch = feed.next().await.unwrap().unwrap();
    assert_eq!(positions(&batch), [1, 2, 3, 4]);
    drop(batch);
    let batch = feed.next().await.unwrap().unwrap();
    assert_eq!((positions(&batch), batch.upto()), (vec![1, 2, 3, 4], 4));
    batch.done().await.unwrap();
    let batch = feed.next().await.unwrap().unwrap();
    assert_eq!(positions(&batch), [5, 6, 7, 8]);
    drop(batch);
    drop(feed);
    app.stop().await;
    drop(app);
    let app = begin();
    let mut feed = app.feed(everything()).named("ledger").open().await.unwrap();
    assert_eq!(drain(&mut feed).await, [5, 6, 7, 8, 9, 10]);
    app.stop().await;
    assert!(
        feed.next().await.unwrap().is_none(),
        "the system has stopped"
    );
}

#[tokio::test]
async fn a_new_feed_begins_where_it_is_told_to_and_a_known_one_goes_on() {
    let (app, store) = open();
    fill(&*store, 5).await;
    let begin = |name: &str, start| {
        let feed = app.feed(everything()).named(name);
        match start {
            Some(start) => feed.begin(start).open(),
            None => feed.open(),
        }
    };
    for (name, start, taken) in [
        ("all", None, vec![1, 2, 3, 4, 5]),
        ("beginning", Some(Start::Beginning), vec![1, 2, 3, 4, 5]),
        ("now", Some(Start::Now), vec![]),
        ("after", Some(Start::After(3)), vec![4, 5]),
    ] {
        let mut feed = begin(name, start).await.unwrap();
        assert_eq!(drain(&mut feed).await, taken, "{name}");
        drop(feed);
        let mut again = begin(name, Some(Start::Beginning)).await.unwrap();
        assert!(drain(&mut again).await.is_empty(), "{name} goes on");
    }
    let e = begin("beyond", Some(Start::After(6)))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        e.starts_with("feed `beyond` stands at 6, and the log ends at 5"),
        "{e}"
    );
    assert!(
        app.feeds()
            .await
            .unwrap()
            .iter()
            .all(|f| f.name != "beyond")
    );
    for name in ["", "$own", "a\nb", &"x".repeat(256)] {
        let e = begin(name, None).await.unwrap_err();
        assert!(matches!(e, FeedError::Use(_)), "{e}");
    }
}

#[tokio::test]
async fn a_name_has_one_reader() {
    let (app, store) = open();
    fill(&*store, 3).await;
    let one = app.feed(everything()).named("ledger").open().await.unwrap();
    let other = app
        .feed(everything())
        .named("ledger")
        .open()
        .await
        .unwrap_err();
    assert!(
        matches!(&other, FeedError::Taken { name } if name == "ledger"),
        "{other}"
    );
    let e = app.reset_feed("ledger", 0).await.unwrap_err();
    assert!(matches!(e, FeedError::Taken { .. }), "{e}");
    drop(one);
    app.feed(everything()).named("ledger").open().await.unwrap();
}

/// Two systems on one file: the later reader has the feed, and the earlier moves nothing any more.
#[tokio::test]
async fn a_reader_that_another_follows_moves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Memory::default());
    let on = |file: &Path| wired(App::on(store.clone()).views_in(file));
    let file = folder.path().join("views.db");
    let (one, two) = (on(&file), on(&file));
    fill(&*store, 6).await;
    let feed = |app: &App| app.feed(everything()).named("ledger").at_most(2).open();
    let mut first = feed(&one).await.unwrap();
    first.next().await.unwrap().unwrap().done().await.unwrap();
    let batch = first.next().await.unwrap().unwrap();
    let mut second = feed(&two).await.unwrap();
    let e = batch.done().await.unwrap_err();
    assert!(
        matches!(&e, FeedError::Fenced { name } if name == "ledger"),
        "{e}"
    );
    assert_eq!(drain(&mut second).await, [3, 4, 5, 6]);
}

#[tokio::test]
async fn facts_come_when_they_are_asked_for() {
    let (app, store) = open();
    let fact = || raw("$Noted", 1, &json!({}));
    append(&*store, vec![sent(1), fact(), sent(2), fact()]).await;
    let taken = async |feed: fait::app::FeedBuilder<StoredEvent>| {
        drain(&mut feed.open().await.unwrap()).await
    };
    assert_eq!(taken(app.feed(everything())).await, [1, 3]);
    assert_eq!(
        taken(app.feed(everything()).with_facts()).await,
        [1, 2, 3, 4]
    );
    assert_eq!(taken(app.feed(Query::types(&["$Noted"]))).await, [2, 4]);
    let tagged = Query::tags(vec![Tag::raw("till:1")]);
    assert_eq!(taken(app.feed(tagged)).await, [1, 3]);
}

#[tokio::test]
async fn what_is_not_wanted_is_no_lag() {
    let (app, store) = open();
    append(&*store, vec![sent(1)]).await;
    let wanted = || app.feed(Query::types(&["Received"])).named("income").open();
    let mut feed = wanted().await.unwrap();
    let lag = async || app.feeds().await.unwrap()[0].lag_events;
    assert_eq!(lag().await, 1);
    assert!(feed.next_now().await.unwrap().is_none());
    assert_eq!((lag().await, feed.position()), (0, 1));
    fill(&*store, 2500).await;
    // Nothing of it is wanted; the reader waits and has passed it nevertheless.
    let waiting = tokio::spawn(async move { feed.next().await.map(drop) });
    while lag().await > 0 {
        tokio::task::yield_now().await;
    }
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    let status = &app.feeds().await.unwrap()[0];
    assert!(
        !status.reading && status.position >= 1500,
        "kept: {status:?}"
    );
}

#[tokio::test]
async fn what_cannot_be_read_comes_alone_and_is_not_passed_over_without_a_word() {
    let (app, store) = open();
    let odd = raw("Received", 2, &json!({ "amount": 3, "currency": "odd" }));
    let torn = raw("Sent", 1, &json!({ "amount": "much" }));
    append(&*store, vec![sent(1), torn, sent(2), odd, sent(3)]).await;
    let feed = || app.feed_of::<Cash>().named("cash").open();
    let mut reader = feed().await.unwrap();
    let amounts = |batch: &Batch<'_, Happened<Cash>>| -> Vec<u32> {
        let amount = |h: &Happened<Cash>| match &h.event {
            Cash::Received(e) => e.amount,
            Cash::Sent(e) => e.amount,
        };
        batch.events().iter().map(amount).collect()
    };
    let batch = reader.next_now().await.unwrap().unwrap();
    assert_eq!(amounts(&batch), [1]);
    batch.done().await.unwrap();
    let batch = reader.next_now().await.unwrap().unwrap();
    let unreadable = batch.unreadable().unwrap();
    assert_eq!(unreadable.event.data, r#"{"amount":"much"}"#);
    let error = unreadable.error.to_string();
    assert!(
        error.starts_with("event Sent version 1 at position 2 cannot be read: "),
        "{error}"
    );
    assert!(batch.events().is_empty());
    let e = batch.done().await.unwrap_err();
    assert!(e.to_string().contains("set the event aside"), "{e}");
    let status = &app.feeds().await.unwrap()[0];
    assert_eq!((status.position, status.waits.as_ref()), (1, Some(&error)));
    // A reader that begins anew stands before it again.
    drop(reader);
    let mut reader = feed().await.unwrap();
    let mut batch = reader.next_now().await.unwrap().unwrap();
    batch.set_aside("a typing error of 2026").await.unwrap();
    batch.done().await.unwrap();
    let mut batch = reader.next_now().await.unwrap().unwrap();
    assert_eq!(amounts(&batch), [2]);
    let e = batch.set_aside("for no reason").await.unwrap_err();
    assert!(matches!(e, FeedError::Use(_)), "{e}");
    batch.done().await.unwrap();
    let mut batch = reader.next_now().await.unwrap().unwrap();
    let why = &batch.unreadable().unwrap().error.message;
    assert!(why.contains("nobody thought of this currency"), "{why}");
    batch.set_aside("a test").await.unwrap();
    batch.done().await.unwrap();
    let status = &app.feeds().await.unwrap()[0];
    let aside: Vec<_> = status
        .newest_set_aside
        .iter()
        .map(|a| (a.position, &*a.reason))
        .collect();
    assert_eq!(aside, [(4, "a test"), (2, "a typing error of 2026")]);
    assert_eq!((status.set_aside, status.waits.as_ref()), (2, None));
}

#[tokio::test]
async fn what_was_set_aside_is_taken_up_by_a_program_that_can_read_it() {
    let (app, store) = open();
    let torn = raw("Sent", 1, &json!({ "amount": "much" }));
    append(&*store, vec![sent(1), torn, sent(2)]).await;
    let mut typed = app.feed_of::<Sent>().named("cash").open().await.unwrap();
    while let Some(mut batch) = typed.next_now().await.unwrap() {
        if batch.unreadable().is_some() {
            batch.set_aside("not yet").await.unwrap();
        }
        batch.done().await.unwrap();
    }
    drop(typed);
    assert_eq!(app.feeds().await.unwrap()[0].set_aside, 1);
    app.reset_feed("cash", 1).await.unwrap();
    // As a later program would, this one reads all of them.
    let mut stored = app.feed(everything()).named("cash").open().await.unwrap();
    assert_eq!(drain(&mut stored).await, [2, 3]);
    assert_eq!(app.feeds().await.unwrap()[0].set_aside, 0);
}

#[tokio::test]
async fn a_checkpoint_of_another_history_is_not_gone_on_from() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("views.db");
    let store = Arc::new(Memory::default());
    fill(&*store, 9).await;
    let app = wired(App::on(store.clone()).views_in(&file));
    let mut feed = app.feed(everything()).named("ledger").open().await.unwrap();
    drain(&mut feed).await;
    drop(feed);
    app.stop().await;
    // The log is lost and begun anew, and the views with it; what was fed is not.
    let other = Arc::new(Memory::with_id(Uuid::from_u128(2)));
    fill(&*other, 20).await;
    let app = wired(App::on(other).views_in(&file));
    let feed = || app.feed(everything()).named("ledger").open();
    let e = feed().await.unwrap_err();
    assert!(matches!(e, FeedError::OtherHistory(_)), "{e}");
    let e = e.to_string();
    assert!(
        e.contains("stands at 9 in history") && e.contains("feed reset ledger --to"),
        "{e}"
    );
    let status = &app.feeds().await.unwrap()[0];
    assert!(
        status.waits.as_ref().unwrap().contains("another history"),
        "{status:?}"
    );
    let e = app.reset_feed("ledger", 21).await.unwrap_err();
    assert!(matches!(e, FeedError::Use(_)), "{e}");
    let e = app.reset_feed("leger", 2).await.unwrap_err().to_string();
    assert!(e.contains("did you mean `ledger`?"), "{e}");
    app.reset_feed("ledger", 18).await.unwrap();
    assert_eq!(drain(&mut feed().await.unwrap()).await, [19, 20]);
}

/// A log that was cut, as one is that was copied back while the program stood still.
#[tokio::test]
async fn a_checkpoint_ahead_of_the_log_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (log, old) = (folder.path().join("log"), folder.path().join("old"));
    let write = async |n| {
        let disk = fait_store::Disk::open(&log).unwrap();
        fill(&disk, n).await;
        disk.close().await;
    };
    write(5).await;
    copy(&log, &old);
    write(5).await;
    let app = wired(App::in_folder(&log));
    let mut feed = app.feed(everything()).named("ledger").open().await.unwrap();
    assert_eq!(drain(&mut feed).await.len(), 10);
    drop(feed);
    app.stop().await;
    drop(app);
    std::fs::copy(log.join("views.db"), old.join("views.db")).unwrap();
    let app = wired(App::in_folder(&old));
    assert_eq!(
        app.events(&everything(), Range::newest(1))
            .await
            .unwrap()
            .head,
        5
    );
    let e = app
        .feed(everything())
        .named("ledger")
        .open()
        .await
        .unwrap_err()
        .to_string();
    assert!(
        e.contains("`ledger` stands at 10, and the log ends at 5"),
        "{e}"
    );
    let status = &app.feeds().await.unwrap()[0];
    assert_eq!((status.position, status.waits.is_some()), (10, true));
    app.stop().await;
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_file() {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
}
