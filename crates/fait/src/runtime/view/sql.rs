//! Projections that write SQL themselves: the tables, and what runs in the open transaction.

use super::fill::Parked;
use crate::runtime::db::{i64_of, quoted, u64_of};
use crate::sql::{Sql, SqlDef, SqlError};
use fait_core::event::{Position, StoredEvent};
use fait_core::projection::ProjectionDef;
use rusqlite::{Connection, ErrorCode, Transaction, params};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The key of events that are about nothing of the key's kind.
const WHOLE: &str = "";

/// What a generation calls its tables: by their own names, the names in the file.
pub(super) fn tables(sql: &SqlDef, number: u64) -> Vec<(String, String)> {
    let named = |(name, _): &(&str, &str)| (name.to_string(), format!("{name}__{number}"));
    sql.tables.iter().map(named).collect()
}

/// Makes the tables of a generation.
pub(super) fn create(tx: &Transaction<'_>, sql: &SqlDef, number: u64) -> rusqlite::Result<()> {
    for ((_, columns), (_, table)) in sql.tables.iter().zip(tables(sql, number)) {
        tx.execute_batch(&format!(
            "DROP TABLE IF EXISTS {0}; CREATE TABLE {0} ({columns})",
            quoted(&table)
        ))?;
    }
    Ok(())
}

/// Makes the tables' own names show a generation.
pub(super) fn show(tx: &Transaction<'_>, sql: &SqlDef, number: u64) -> rusqlite::Result<()> {
    for (name, table) in tables(sql, number) {
        tx.execute_batch(&format!(
            "DROP VIEW IF EXISTS {0}; CREATE VIEW {0} AS SELECT * FROM {1}",
            quoted(&name),
            quoted(&table)
        ))?;
    }
    Ok(())
}

/// Runs the projection over events, each on its own: what cannot be taken in parks its keys, and
/// keys that share an event with those.
pub(super) struct Runner<'a> {
    pub(super) def: &'a ProjectionDef,
    pub(super) sql: &'a SqlDef,
    pub(super) number: u64,
    /// Keys that wait.
    pub(super) blocked: BTreeMap<String, Parked>,
}

impl Runner<'_> {
    /// What an event is about.
    pub(super) fn keys(&self, event: &StoredEvent) -> Vec<String> {
        let mine = event.tags.iter().filter(|t| t.kind() == self.def.key_kind);
        let mut keys: Vec<String> = mine.map(|t| t.value().to_string()).collect();
        keys.sort();
        keys.dedup();
        if keys.is_empty() {
            keys.push(WHOLE.into());
        }
        keys
    }

    /// Takes one event.
    pub(super) fn take(
        &mut self,
        tx: &Transaction<'_>,
        event: &StoredEvent,
    ) -> rusqlite::Result<()> {
        let keys = self.keys(event);
        let waits = |key: &&String| self.blocked.contains_key(*key);
        let why = match keys.iter().find(waits) {
            Some(key) if keys.len() == 1 => {
                tracing::trace!(key, "passed over");
                return Ok(());
            }
            Some(key) => format!("it shares this event with `{key}`, which waits"),
            None => match self.run(tx, event)? {
                Ok(()) => return Ok(()),
                Err(why) => {
                    tracing::error!(view = self.def.name, error = %why, "keys are parked");
                    why
                }
            },
        };
        for key in keys {
            let position = event.meta.position;
            let reason = why.clone();
            self.blocked.entry(key.clone()).or_insert(Parked {
                key,
                position,
                reason,
            });
        }
        Ok(())
    }

    fn run(
        &self,
        tx: &Transaction<'_>,
        event: &StoredEvent,
    ) -> rusqlite::Result<Result<(), String>> {
        tx.execute_batch("SAVEPOINT fait_event")?;
        let sql = Sql::new(tx, tables(self.sql, self.number));
        let done = catch_unwind(AssertUnwindSafe(|| (self.sql.project)(&sql, event)));
        let done =
            done.unwrap_or_else(|panic| Err(SqlError::from(fait_core::event::panic_text(&*panic))));
        match done {
            Ok(()) => tx.execute_batch("RELEASE fait_event").map(Ok),
            Err(e) => {
                // When the disk is full, no event is at fault.
                if let Some(trouble) = trouble(&e) {
                    return Err(trouble);
                }
                tx.execute_batch("ROLLBACK TO fait_event; RELEASE fait_event")?;
                Ok(Err(event.unreadable(e).to_string()))
            }
        }
    }
}

/// The error when it is the database's, and not that of what was asked of it.
fn trouble(e: &SqlError) -> Option<rusqlite::Error> {
    let rusqlite::Error::SqliteFailure(code, message) = e.database()? else {
        return None;
    };
    let trouble = matches!(
        code.code,
        ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::OutOfMemory
            | ErrorCode::DatabaseCorrupt
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
    );
    trouble.then(|| rusqlite::Error::SqliteFailure(*code, message.clone()))
}

/// The keys of a generation that wait.
pub(super) fn blocked(
    c: &Connection,
    view: &str,
    number: u64,
) -> rusqlite::Result<BTreeMap<String, Parked>> {
    let sql = "SELECT key, position, reason FROM fait_parked_keys WHERE view = ?1 AND gen = ?2";
    c.prepare_cached(sql)?
        .query_map(params![view, i64_of(number)], |r| {
            let key: String = r.get(0)?;
            let parked = Parked {
                key: key.clone(),
                position: u64_of(r.get(1)?),
                reason: r.get(2)?,
            };
            Ok((key, parked))
        })?
        .collect()
}

/// Tries again what waits: the events that were passed over, in order, from the first one on.
pub(super) struct Again {
    since: BTreeMap<String, Position>,
}

impl Again {
    pub(super) fn of(blocked: &BTreeMap<String, Parked>) -> Again {
        let since = blocked.values().map(|p| (p.key.clone(), p.position));
        Again {
            since: since.collect(),
        }
    }

    /// The first event to look at.
    pub(super) fn first(&self) -> Option<Position> {
        self.since.values().min().copied()
    }

    /// Whether an event was passed over.
    pub(super) fn missed(&self, runner: &Runner<'_>, event: &StoredEvent) -> bool {
        let at = event.meta.position;
        let keys = runner.keys(event);
        keys.iter()
            .any(|k| self.since.get(k).is_some_and(|since| *since <= at))
    }
}
