//! The checkpoint in an SQLite database of the reader's own.

use super::*;
use fait::app::{Batch, Feed, FeedError};
use fait::checkpoint::{Checkpoint, CheckpointError, Step};
use fait::event::StoredEvent;
use rusqlite::{Connection, params};
use std::path::Path;

/// The reader's own database, with the positions that it has taken in.
pub(crate) fn books(file: &Path) -> Connection {
    let db = Connection::open(file).unwrap();
    db.execute(
        "CREATE TABLE IF NOT EXISTS taken (position INTEGER NOT NULL)",
        [],
    )
    .unwrap();
    db
}

pub(crate) fn taken(db: &Connection) -> Vec<i64> {
    let mut all = db
        .prepare("SELECT position FROM taken ORDER BY rowid")
        .unwrap();
    let all = all.query_map([], |r| r.get(0)).unwrap();
    all.collect::<rusqlite::Result<_>>().unwrap()
}

pub(crate) async fn reader(app: &App, db: &Connection) -> Result<Feed<StoredEvent>, FeedError> {
    let checkpoint = Checkpoint::open(db, "books", app.store_id(), 0).unwrap();
    app.feed(everything())
        .checkpoint(checkpoint)
        .at_most(8)
        .open()
        .await
}

/// Takes a batch in, in one transaction with the move of the checkpoint.
pub(crate) fn take(
    db: &mut Connection,
    batch: &mut Batch<'_, StoredEvent>,
) -> Result<(), CheckpointError> {
    let step = batch.step().unwrap();
    let tx = db.transaction()?;
    for event in batch.events() {
        let position = i64::try_from(event.meta.position).unwrap();
        tx.execute("INSERT INTO taken VALUES (?1)", [position])?;
    }
    step.advance(&tx)?;
    Ok(tx.commit()?)
}

#[tokio::test]
async fn a_batch_and_its_checkpoint_are_one_transaction() {
    let folder = tempfile::tempdir().unwrap();
    let mut db = books(&folder.path().join("books.db"));
    let (app, store) = open();
    fill(&*store, 20).await;
    let mut feed = reader(&app, &db).await.unwrap();
    let mut batch = feed.next().await.unwrap().unwrap();
    take(&mut db, &mut batch).unwrap();
    batch.done().await.unwrap();
    // Rolled back, and so nothing happened.
    let mut batch = feed.next().await.unwrap().unwrap();
    let step = batch.step().unwrap();
    assert_eq!((step.after, step.position), (8, 16));
    let tx = db.transaction().unwrap();
    tx.execute("INSERT INTO taken VALUES (99)", []).unwrap();
    step.advance(&tx).unwrap();
    tx.rollback().unwrap();
    drop(batch);
    // Committed, and the program ends before it says so.
    let mut batch = feed.next().await.unwrap().unwrap();
    take(&mut db, &mut batch).unwrap();
    drop(batch);
    drop(feed);
    let mut feed = reader(&app, &db).await.unwrap();
    while let Some(mut batch) = feed.next_now().await.unwrap() {
        take(&mut db, &mut batch).unwrap();
        batch.done().await.unwrap();
    }
    assert_eq!(taken(&db), (1..=20).collect::<Vec<_>>());
    let status = &app.feeds().await.unwrap()[0];
    assert_eq!((&*status.name, status.lag_events), ("books", 0));
    assert!(status.reading && status.elsewhere);
    drop(feed);
    assert!(
        app.feeds().await.unwrap().is_empty(),
        "nothing of it is kept here"
    );
}

/// Two systems on one log, which do not know of each other.
#[tokio::test]
async fn a_stale_reader_takes_nothing_in() {
    let folder = tempfile::tempdir().unwrap();
    let mut db = books(&folder.path().join("books.db"));
    let (one, store) = open();
    let two = wired(App::on(store.clone()));
    fill(&*store, 20).await;
    let mut first = reader(&one, &db).await.unwrap();
    let mut second = reader(&two, &db).await.unwrap();
    let mut late = first.next().await.unwrap().unwrap();
    let mut batch = second.next().await.unwrap().unwrap();
    take(&mut db, &mut batch).unwrap();
    batch.done().await.unwrap();
    let e = take(&mut db, &mut late).unwrap_err();
    assert!(
        matches!(&e, CheckpointError::Stale { feed, after: 0 } if feed == "books"),
        "{e}"
    );
    assert!(
        e.to_string().contains("roll back, read the checkpoint"),
        "{e}"
    );
    drop(late);
    assert_eq!(taken(&db), (1..=8).collect::<Vec<_>>());
    drop(first);
    let mut again = reader(&one, &db).await.unwrap();
    let batch = again.next().await.unwrap().unwrap();
    assert_eq!(batch.events()[0].meta.position, 9);
}

#[tokio::test]
async fn a_batch_that_was_not_moved_is_not_acknowledged() {
    let db = Connection::open_in_memory().unwrap();
    let (app, store) = open();
    fill(&*store, 2).await;
    let mut feed = reader(&app, &db).await.unwrap();
    let batch = feed.next().await.unwrap().unwrap();
    let e = batch.done().await.unwrap_err();
    assert!(
        matches!(e, FeedError::Use(_)) && e.to_string().contains("batch.step()"),
        "{e}"
    );
    drop(feed);
    let mut feed = app.feed(everything()).named("kept").open().await.unwrap();
    let mut batch = feed.next().await.unwrap().unwrap();
    let e = batch.step().unwrap_err();
    assert!(e.to_string().contains(".checkpoint("), "{e}");
    batch.done().await.unwrap();
    let checkpoint = Checkpoint::open(&db, "books", app.store_id(), 0).unwrap();
    let e = app
        .feed(everything())
        .named("other")
        .checkpoint(checkpoint)
        .open()
        .await;
    assert!(matches!(e, Err(FeedError::Use(_))));
}

#[tokio::test]
async fn a_checkpoint_of_another_history_or_beyond_the_log_is_refused() {
    let db = Connection::open_in_memory().unwrap();
    let (app, store) = open();
    fill(&*store, 5).await;
    let open = async |store: Uuid, position: i64| {
        let checkpoint = Checkpoint::new("books", &store.to_string(), position);
        let opened = app.feed(everything()).checkpoint(checkpoint).open().await;
        opened.map(drop).map_err(|e| e.to_string())
    };
    assert_eq!(open(app.store_id(), 5).await, Ok(()));
    let e = open(app.store_id(), 6).await.unwrap_err();
    assert!(
        e.contains("`books` stands at 6, and the log ends at 5"),
        "{e}"
    );
    assert!(e.contains("its row in `fait_checkpoints`"), "{e}");
    let e = open(Uuid::from_u128(7), 2).await.unwrap_err();
    assert!(
        e.contains("stands at 2 in history 00000000-0000-0000-0000-000000000007"),
        "{e}"
    );
    // What is noted first counts: a feed does not begin a second time, or in another history.
    let first = Checkpoint::open(&db, "books", Uuid::from_u128(7), 3).unwrap();
    let again = Checkpoint::open(&db, "books", app.store_id(), 0).unwrap();
    assert_eq!((first.position, &first), (3, &again));
}

#[tokio::test]
async fn a_row_that_is_gone_is_not_made_again_by_a_step() {
    let mut db = Connection::open_in_memory().unwrap();
    let (app, store) = open();
    fill(&*store, 5).await;
    let mut feed = reader(&app, &db).await.unwrap();
    let mut batch = feed.next().await.unwrap().unwrap();
    let step: Step = batch.step().unwrap();
    let tx = db.transaction().unwrap();
    tx.execute(
        "DELETE FROM fait_checkpoints WHERE feed = ?1",
        params!["books"],
    )
    .unwrap();
    let e = step.advance(&tx).unwrap_err();
    assert!(matches!(e, CheckpointError::Stale { .. }), "{e}");
}

#[tokio::test]
async fn what_cannot_be_read_is_set_aside_in_step_with_the_checkpoint() {
    let mut db = Connection::open_in_memory().unwrap();
    let (app, store) = open();
    let torn = raw("Sent", 1, &json!({ "amount": "much" }));
    append(&*store, vec![torn, sent(2)]).await;
    let checkpoint = Checkpoint::open(&db, "books", app.store_id(), 0).unwrap();
    let feed = app.feed_of::<Sent>().checkpoint(checkpoint);
    let mut feed = feed.open().await.unwrap();
    let mut batch = feed.next().await.unwrap().unwrap();
    let e = batch.step().unwrap_err();
    assert!(matches!(e, FeedError::Unreadable(_)), "{e}");
    batch.set_aside("a test").await.unwrap();
    let step = batch.step().unwrap();
    let tx = db.transaction().unwrap();
    step.advance(&tx).unwrap();
    tx.commit().unwrap();
    batch.done().await.unwrap();
    let mut batch = feed.next().await.unwrap().unwrap();
    assert_eq!(batch.take_events()[0].event, Sent { amount: 2 });
    assert_eq!(batch.step().unwrap().after, 1);
    drop(batch);
    assert_eq!(app.feeds().await.unwrap()[0].set_aside, 1);
}
