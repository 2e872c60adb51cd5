//! The loop that one writes by hand: read some events, decode each, read its row, write its row,
//! note how far it came, commit. As durable as a view of ours.

use super::orders::{Line, Total};
use crate::peer::Fault;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::path::Path;
use std::time::Instant;
use umadb_core::db::UmaDb;
use umadb_dcb::{DcbEvent, DcbEventStoreSync};

/// Events in one transaction.
const AT_ONCE: u32 = 500;

/// Events in one append while loading.
const LOAD: usize = 10_000;

const ROWS: &str = "
DROP TABLE IF EXISTS totals; DROP TABLE IF EXISTS feed;
CREATE TABLE totals (key TEXT PRIMARY KEY, lines INTEGER NOT NULL, portions INTEGER NOT NULL,
  cents INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE feed (position INTEGER NOT NULL); INSERT INTO feed VALUES (0);";

/// What a fold came to.
pub(super) struct Folded {
    pub(super) seconds: f64,
    pub(super) rows: Vec<(String, Total)>,
}

fn connect(folder: &Path) -> Result<Connection, Fault> {
    std::fs::create_dir_all(folder)?;
    let db = Connection::open(folder.join("by-hand.db"))?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(db)
}

/// Puts the events into a table.
pub(super) fn load_sqlite(folder: &Path, events: usize, keys: usize) -> Result<(), Fault> {
    let mut db = connect(folder)?;
    db.execute_batch("CREATE TABLE events (position INTEGER PRIMARY KEY, data BLOB NOT NULL)")?;
    let tx = db.transaction()?;
    for n in 0..events {
        let data = serde_json::to_vec(&Line::nth(n, keys))?;
        tx.prepare_cached("INSERT INTO events (data) VALUES (?1)")?
            .execute([data])?;
    }
    Ok(tx.commit()?)
}

/// Puts the events into UmaDB.
pub(super) fn load_umadb(folder: &Path, events: usize, keys: usize) -> Result<(), Fault> {
    std::fs::create_dir_all(folder)?;
    let db = UmaDb::new(folder)?;
    let all: Vec<usize> = (0..events).collect();
    for some in all.chunks(LOAD) {
        let event = |n: &usize| {
            let line = Line::nth(*n, keys);
            let data = serde_json::to_vec(&line)?;
            Ok(DcbEvent::default()
                .event_type("LineAdded".to_string())
                .tags(vec![format!("order:{}", line.order)])
                .data(data)
                .uuid(uuid::Uuid::from_u128(*n as u128 + 1)))
        };
        let events: Result<Vec<DcbEvent>, serde_json::Error> = some.iter().map(event).collect();
        for outcome in db.append_batch(vec![(events?, None, None)])? {
            outcome?;
        }
    }
    Ok(())
}

fn take(tx: &Transaction<'_>, data: &[u8]) -> Result<(), Fault> {
    let line: Line = serde_json::from_slice(data)?;
    let key = line.order.to_string();
    let sql = "SELECT lines, portions, cents FROM totals WHERE key = ?1";
    let row = |r: &rusqlite::Row<'_>| {
        Ok(Total {
            lines: r.get(0)?,
            portions: r.get(1)?,
            cents: r.get(2)?,
        })
    };
    let total: Option<Total> = tx.prepare_cached(sql)?.query_row([&key], row).optional()?;
    let mut total = total.unwrap_or_default();
    total.add(&line);
    let sql = "INSERT INTO totals VALUES (?1, ?2, ?3, ?4) ON CONFLICT (key) DO UPDATE SET
        lines = ?2, portions = ?3, cents = ?4";
    tx.prepare_cached(sql)?
        .execute(params![key, total.lines, total.portions, total.cents])?;
    Ok(())
}

fn moved(tx: Transaction<'_>, to: u64) -> Result<(), Fault> {
    tx.prepare_cached("UPDATE feed SET position = ?1")?
        .execute([to])?;
    Ok(tx.commit()?)
}

fn rows(db: &Connection) -> Result<Vec<(String, Total)>, Fault> {
    let sql = "SELECT key, lines, portions, cents FROM totals ORDER BY key";
    let mut select = db.prepare(sql)?;
    let rows = select.query_map([], |r| {
        let total = Total {
            lines: r.get(1)?,
            portions: r.get(2)?,
            cents: r.get(3)?,
        };
        Ok((r.get(0)?, total))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Folds the events of the table.
pub(super) fn fold_sqlite(folder: &Path) -> Result<Folded, Fault> {
    let mut db = connect(folder)?;
    let reader = connect(folder)?;
    db.execute_batch(ROWS)?;
    let begun = Instant::now();
    let mut at = 0;
    loop {
        let sql = "SELECT position, data FROM events WHERE position > ?1 ORDER BY position
            LIMIT ?2";
        let mut select = reader.prepare_cached(sql)?;
        let mut events = select.query(params![at, AT_ONCE])?;
        let (tx, before) = (db.transaction()?, at);
        while let Some(event) = events.next()? {
            at = event.get(0)?;
            take(&tx, event.get_ref(1)?.as_blob()?)?;
        }
        moved(tx, at)?;
        if at == before {
            break;
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let rows = rows(&db)?;
    Ok(Folded { seconds, rows })
}

/// Folds the events of UmaDB.
pub(super) fn fold_umadb(folder: &Path) -> Result<Folded, Fault> {
    let mut db = connect(folder)?;
    db.execute_batch(ROWS)?;
    let events = UmaDb::new(folder)?;
    let begun = Instant::now();
    let mut from = 1;
    loop {
        let mut slice = events.read(None, Some(from), false, Some(AT_ONCE))?;
        let some = slice.next_batch()?;
        let Some(last) = some.last() else { break };
        let tx = db.transaction()?;
        for event in &some {
            take(&tx, &event.event.data)?;
        }
        moved(tx, last.position)?;
        from = last.position + 1;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let rows = rows(&db)?;
    Ok(Folded { seconds, rows })
}
