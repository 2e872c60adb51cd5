//! Named feeds: who reads which, and the checkpoints that are kept of them. Unlike everything else
//! in the database of the views they cannot be made again from the log, so nothing forgets them.

use super::db::{Db, i64_of, u64_of};
use fait_core::event::Position;
use fait_core::store::StoreError;
use rusqlite::{OptionalExtension, Row, params};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// A checkpoint that is kept here.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    pub(crate) name: String,
    /// The history that it belongs to.
    pub(crate) store: String,
    pub(crate) position: Position,
    /// Counts those who have begun to read; the last one may move it.
    pub(crate) reader: i64,
}

/// An event that a reader has set aside.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Aside {
    pub(crate) position: Position,
    pub(crate) error: String,
    pub(crate) reason: String,
}

impl Db {
    pub(crate) fn named_feed(&self, name: &str) -> Result<Option<Kept>, StoreError> {
        self.read(|c| {
            let sql = "SELECT name, store, position, reader FROM fait_named_feeds WHERE name = ?1";
            c.query_row(sql, [name], kept).optional()
        })
    }

    pub(crate) fn named_feeds(&self) -> Result<Vec<Kept>, StoreError> {
        self.read(|c| {
            let sql = "SELECT name, store, position, reader FROM fait_named_feeds ORDER BY name";
            c.prepare(sql)?.query_map([], kept)?.collect()
        })
    }

    /// Begins to read: who read before cannot move the checkpoint any more.
    pub(crate) fn take_feed(
        &self,
        name: &str,
        store: Uuid,
        begin: Position,
    ) -> Result<Kept, StoreError> {
        self.write(|tx| {
            tx.execute(
                "INSERT INTO fait_named_feeds VALUES (?1, ?2, ?3, 0) ON CONFLICT (name) DO NOTHING",
                params![name, store.to_string(), i64_of(begin)],
            )?;
            let sql = "UPDATE fait_named_feeds SET reader = reader + 1 WHERE name = ?1
                RETURNING name, store, position, reader";
            tx.query_row(sql, [name], kept)
        })
    }

    /// Moves a checkpoint, if it still is this reader's to move; and forgets what was set aside on
    /// the way, `but` one: the others could be read now.
    pub(crate) fn move_feed(
        &self,
        from: &Kept,
        to: Position,
        but: Position,
    ) -> Result<bool, StoreError> {
        self.write(|tx| {
            let sql = "UPDATE fait_named_feeds SET position = ?1
                WHERE name = ?2 AND reader = ?3 AND position = ?4";
            let (name, at) = (&from.name, i64_of(from.position));
            let moved =
                tx.prepare_cached(sql)?
                    .execute(params![i64_of(to), name, from.reader, at])?;
            if moved == 1 {
                take_up(tx, name, (from.position, to), but)?;
            }
            Ok(moved == 1)
        })
    }

    /// Forgets what was set aside between two positions, but one.
    pub(crate) fn take_up(
        &self,
        name: &str,
        between: (Position, Position),
        but: Position,
    ) -> Result<(), StoreError> {
        self.write(|tx| take_up(tx, name, between, but))
    }

    /// Puts a checkpoint somewhere; whoever reads cannot move it any more. Says whether there is
    /// such a feed.
    pub(crate) fn reset_feed(
        &self,
        name: &str,
        store: Uuid,
        to: Position,
    ) -> Result<bool, StoreError> {
        self.write(|tx| {
            let sql = "UPDATE fait_named_feeds SET position = ?1, store = ?2, reader = reader + 1
                WHERE name = ?3";
            let moved = tx.execute(sql, params![i64_of(to), store.to_string(), name])?;
            Ok(moved == 1)
        })
    }

    pub(crate) fn set_aside(&self, name: &str, aside: &Aside) -> Result<(), StoreError> {
        self.write(|tx| {
            let Aside {
                position,
                error,
                reason,
            } = aside;
            let sql = "INSERT OR REPLACE INTO fait_set_aside VALUES (?1, ?2, ?3, ?4)";
            tx.execute(sql, params![name, i64_of(*position), error, reason])
                .map(drop)
        })
    }

    /// How many events a feed has set aside, and the newest of them.
    pub(crate) fn aside(&self, name: &str, most: u32) -> Result<(u64, Vec<Aside>), StoreError> {
        self.read(|c| {
            let sql = "SELECT count(*) FROM fait_set_aside WHERE feed = ?1";
            let count = c.query_row(sql, [name], |r| r.get(0))?;
            let sql = "SELECT position, error, reason FROM fait_set_aside WHERE feed = ?1
                ORDER BY position DESC LIMIT ?2";
            let mut newest = c.prepare(sql)?;
            let newest = newest.query_map(params![name, most], |r| {
                Ok(Aside {
                    position: u64_of(r.get(0)?),
                    error: r.get(1)?,
                    reason: r.get(2)?,
                })
            })?;
            Ok((u64_of(count), newest.collect::<rusqlite::Result<_>>()?))
        })
    }
}

fn kept(row: &Row<'_>) -> rusqlite::Result<Kept> {
    Ok(Kept {
        name: row.get(0)?,
        store: row.get(1)?,
        position: u64_of(row.get(2)?),
        reader: row.get(3)?,
    })
}

fn take_up(
    tx: &rusqlite::Transaction<'_>,
    name: &str,
    (after, to): (Position, Position),
    but: Position,
) -> rusqlite::Result<()> {
    let sql = "DELETE FROM fait_set_aside
        WHERE feed = ?1 AND position > ?2 AND position <= ?3 AND position <> ?4";
    tx.prepare_cached(sql)?
        .execute(params![name, i64_of(after), i64_of(to), i64_of(but)])
        .map(drop)
}

/// Who reads a named feed now.
#[derive(Debug)]
pub(crate) struct Reading {
    /// Everything up to here is acknowledged, or was not wanted.
    at: AtomicU64,
    /// Whether the checkpoint is in the reader's own database.
    pub(crate) elsewhere: bool,
    /// Why the reader cannot go on by itself.
    waits: Mutex<Option<String>>,
}

impl Reading {
    pub(crate) fn at(&self) -> Position {
        self.at.load(Ordering::Acquire)
    }

    pub(crate) fn set(&self, at: Position) {
        self.at.store(at, Ordering::Release);
    }

    pub(crate) fn waits(&self) -> Option<String> {
        locked(&self.waits).clone()
    }

    pub(crate) fn set_waits(&self, why: Option<String>) {
        *locked(&self.waits) = why;
    }
}

/// The readers of named feeds, one for each name.
#[derive(Debug, Default)]
pub(crate) struct Readers(Mutex<BTreeMap<String, Arc<Reading>>>);

impl Readers {
    /// Begins to read; none when somebody does already.
    pub(crate) fn begin(self: &Arc<Self>, name: &str, elsewhere: bool) -> Option<Lease> {
        let mut all = locked(&self.0);
        if all.contains_key(name) {
            return None;
        }
        let reading = Arc::new(Reading {
            at: AtomicU64::new(0),
            elsewhere,
            waits: Mutex::default(),
        });
        all.insert(name.into(), reading.clone());
        Some(Lease {
            readers: self.clone(),
            name: name.into(),
            reading,
        })
    }

    pub(crate) fn all(&self) -> BTreeMap<String, Arc<Reading>> {
        locked(&self.0).clone()
    }
}

/// The right to read a named feed, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    readers: Arc<Readers>,
    pub(crate) name: String,
    pub(crate) reading: Arc<Reading>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        locked(&self.readers.0).remove(&self.name);
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
