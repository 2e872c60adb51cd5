//! The checkpoint in a PostgreSQL database of the reader's own, on a real server.

use super::server::{Server, connect};
use super::*;
use ::postgres::{Client, Error};
use fait::app::{Batch, Feed, FeedError};
use fait::checkpoint::{ADVANCE, BEGIN, Checkpoint, CheckpointError, READ, Step, TABLE};
use fait::event::StoredEvent;

/// Makes the reader's tables.
pub(super) fn prepare(db: &mut Client) {
    db.batch_execute(TABLE).unwrap();
    let own = "CREATE TABLE IF NOT EXISTS taken (n BIGSERIAL, position BIGINT NOT NULL)";
    db.batch_execute(own).unwrap();
}

pub(super) fn taken(db: &mut Client) -> Vec<i64> {
    let all = db
        .query("SELECT position FROM taken ORDER BY n", &[])
        .unwrap();
    all.iter().map(|row| row.get(0)).collect()
}

/// The feed from where the database says, without anything that blocks within the runtime.
pub(super) async fn reader(
    app: &App,
    store: &str,
    position: i64,
) -> Result<Feed<StoredEvent>, FeedError> {
    let checkpoint = Checkpoint::new("books", store, position);
    app.feed(everything())
        .checkpoint(checkpoint)
        .at_most(8)
        .open()
        .await
}

pub(super) fn stands(db: &mut Client, store: Uuid) -> (String, i64) {
    let begin = [
        &"books" as &(dyn ::postgres::types::ToSql + Sync),
        &store.to_string(),
        &0_i64,
    ];
    db.execute(BEGIN, &begin).unwrap();
    let row = db.query_one(READ, &[&"books"]).unwrap();
    (row.get(0), row.get(1))
}

/// Takes a batch in, in one transaction with the move of the checkpoint; says how many rows the
/// move has changed.
pub(super) fn take(db: &mut Client, events: &[StoredEvent], step: &Step) -> Result<u64, Error> {
    let mut tx = db.transaction()?;
    for event in events {
        let position = i64::try_from(event.meta.position).unwrap();
        tx.execute("INSERT INTO taken (position) VALUES ($1)", &[&position])?;
    }
    let rows = tx.execute(
        ADVANCE,
        &[&step.position, &step.feed, &step.store, &step.after],
    )?;
    match step.check(rows) {
        Ok(()) => tx.commit()?,
        Err(_) => tx.rollback()?,
    }
    Ok(rows)
}

async fn next(feed: &mut Feed<StoredEvent>) -> Batch<'_, StoredEvent> {
    feed.next().await.unwrap().unwrap()
}

/// The client blocks, so the runtime is entered where the feed is asked only.
#[test]
fn a_batch_and_its_checkpoint_are_one_transaction_there_too() {
    let server = Server::start();
    let mut db = connect(server.socket());
    prepare(&mut db);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (one, store) = runtime.block_on(async { open() });
    let two = runtime.block_on(async { wired(App::on(store.clone())) });
    runtime.block_on(fill(&*store, 20));
    let (id, at) = stands(&mut db, one.store_id());
    let mut first = runtime.block_on(reader(&one, &id, at)).unwrap();
    let mut second = runtime.block_on(reader(&two, &id, at)).unwrap();
    let mut late = runtime.block_on(next(&mut first));
    let mut batch = runtime.block_on(next(&mut second));
    let step = batch.step().unwrap();
    assert_eq!(take(&mut db, batch.events(), &step).unwrap(), 1);
    runtime.block_on(batch.done()).unwrap();
    // The other reader comes too late: nothing of its transaction stays.
    let step = late.step().unwrap();
    let rows = take(&mut db, late.events(), &step).unwrap();
    let e = step.check(rows).unwrap_err();
    assert!(matches!(e, CheckpointError::Stale { after: 0, .. }), "{e}");
    drop(late);
    drop(first);
    assert_eq!(taken(&mut db), (1..=8).collect::<Vec<_>>());
    while let Some(mut batch) = runtime.block_on(second.next_now()).unwrap() {
        let step = batch.step().unwrap();
        assert_eq!(take(&mut db, batch.events(), &step).unwrap(), 1);
        runtime.block_on(batch.done()).unwrap();
    }
    assert_eq!(taken(&mut db), (1..=20).collect::<Vec<_>>());
    assert_eq!(stands(&mut db, one.store_id()), (id, 20));
}

/// Both move the checkpoint at the same time: the database lets one wait, and it finds it moved.
#[test]
fn of_two_transactions_at_once_one_is_stale() {
    let server = Server::start();
    let mut db = connect(server.socket());
    prepare(&mut db);
    let store = Uuid::from_u128(1);
    let (id, _) = stands(&mut db, store);
    let step = |position| Step {
        position,
        feed: "books".into(),
        store: id.clone(),
        after: 0,
    };
    let (one, two) = (step(8), step(5));
    let mut other = connect(server.socket());
    let mut tx = db.transaction().unwrap();
    let rows = tx.execute(ADVANCE, &[&one.position, &one.feed, &one.store, &one.after]);
    assert_eq!(rows.unwrap(), 1);
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| take(&mut other, &[], &two).unwrap());
        // It waits for our row, or comes when we are done; it is stale in both cases.
        tx.commit().unwrap();
        assert_eq!(waits.join().unwrap(), 0);
    });
    assert_eq!(stands(&mut db, store), (id, 8));
}
