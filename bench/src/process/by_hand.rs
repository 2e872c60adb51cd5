//! The same relay as a careful person would write it by hand on SQLite: events, states, an inbox
//! and an outbox in tables; one loop that takes whatever is there in one transaction for all
//! steps and one for all commands. As durable as ours.

use super::Ran;
use super::relay::processor;
use crate::peer::Fault;
use rusqlite::{Connection, params};
use std::path::Path;
use std::time::Instant;

const SCHEMA: &str = "
CREATE TABLE events (position INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, type TEXT NOT NULL,
  relay INTEGER NOT NULL, data TEXT NOT NULL);
CREATE INDEX events_relay ON events (relay, position);
CREATE TABLE states (relay INTEGER PRIMARY KEY, state TEXT NOT NULL);
CREATE TABLE inbox (event TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE outbox (id TEXT PRIMARY KEY, relay INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE feed (position INTEGER NOT NULL);
INSERT INTO feed VALUES (0);";

/// Most that one transaction takes.
const AT_ONCE: usize = 500;

pub(super) fn run(folder: &Path, relays: usize, rounds: usize) -> Result<Ran, Fault> {
    std::fs::create_dir_all(folder)?;
    let mut db = Connection::open(folder.join("by-hand.db"))?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.execute_batch(SCHEMA)?;
    let (begun, busy) = (Instant::now(), processor());
    let tx = db.transaction()?;
    for relay in 0..relays as u64 {
        handed(&tx, relay, 1)?;
    }
    tx.commit()?;
    let mut steps = 0;
    loop {
        let stepped = step(&mut db, rounds as u64)?;
        steps += stepped;
        if !carry_out(&mut db)? && stepped == 0 {
            break;
        }
    }
    Ok(Ran {
        steps,
        seconds: begun.elapsed().as_secs_f64(),
        processor: (processor() - busy).as_secs_f64(),
    })
}

fn handed(db: &Connection, relay: u64, times: u64) -> rusqlite::Result<()> {
    let data = serde_json::json!({"relay": relay, "times": times}).to_string();
    db.prepare_cached(
        "INSERT INTO events (id, type, relay, data) VALUES (?1, 'BatonHanded', ?2, ?3)",
    )?
    .execute(params![uuid::Uuid::now_v7().to_string(), relay, data])
    .map(drop)
}

/// Takes the events that are there: state, inbox and outbox in one transaction.
fn step(db: &mut Connection, rounds: u64) -> Result<usize, Fault> {
    let tx = db.transaction()?;
    let events: Vec<(u64, String, u64, String)> = {
        let sql = "SELECT position, id, relay, data FROM events
            WHERE position > (SELECT position FROM feed) ORDER BY position LIMIT ?1";
        let mut read = tx.prepare_cached(sql)?;
        let rows = read.query_map([AT_ONCE as u64], |r| {
            Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?))
        })?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    let Some(last) = events.last().map(|e| e.0) else {
        return Ok(0);
    };
    for (_, id, relay, data) in &events {
        let new = tx
            .prepare_cached("INSERT OR IGNORE INTO inbox VALUES (?1)")?
            .execute([id])?;
        if new == 0 {
            continue;
        }
        let event: serde_json::Value = serde_json::from_str(data)?;
        let times = event["times"].as_u64().unwrap_or_default();
        let state = serde_json::json!({"times": times}).to_string();
        tx.prepare_cached("INSERT OR REPLACE INTO states VALUES (?1, ?2)")?
            .execute(params![relay, state])?;
        if times <= rounds {
            let body = serde_json::json!({"relay": relay, "times": times + 1}).to_string();
            tx.prepare_cached("INSERT INTO outbox VALUES (?1, ?2, ?3)")?
                .execute(params![uuid::Uuid::now_v7().to_string(), relay, body])?;
        }
    }
    tx.prepare_cached("UPDATE feed SET position = ?1")?
        .execute([last])?;
    tx.commit()?;
    Ok(events.len())
}

/// Carries out the commands that are there: what happened, and that they are done, in one.
fn carry_out(db: &mut Connection) -> Result<bool, Fault> {
    let tx = db.transaction()?;
    let commands: Vec<(String, u64, String)> = {
        let mut read = tx.prepare_cached("SELECT id, relay, body FROM outbox LIMIT ?1")?;
        let rows = read.query_map([AT_ONCE as u64], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    for (id, relay, body) in &commands {
        let body: serde_json::Value = serde_json::from_str(body)?;
        let times = body["times"].as_u64().unwrap_or_default();
        // The decision: it looks at what happened before.
        let last: String = tx
            .prepare_cached(
                "SELECT data FROM events WHERE relay = ?1 ORDER BY position DESC LIMIT 1",
            )?
            .query_row([relay], |r| r.get(0))?;
        let last: serde_json::Value = serde_json::from_str(&last)?;
        if last["times"].as_u64().unwrap_or_default() + 1 == times {
            handed(&tx, *relay, times)?;
        }
        tx.prepare_cached("DELETE FROM outbox WHERE id = ?1")?
            .execute([id])?;
    }
    tx.commit()?;
    Ok(!commands.is_empty())
}
