//! What waits behind the input at which an instance was parked: positions, kept with how far its
//! process came. The events themselves stay where they are, in the log.

use super::Core;
use super::db::{i64_of, u64_of};
use super::step::Runner;
use fait_core::event::Position;
use fait_core::process::Instance;
use fait_core::store::StoreError;
use rusqlite::{Transaction, params};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One input that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waits {
    pub(super) position: Position,
    /// Whether it had been held until the instance began, and so may come before others.
    pub(super) held: bool,
}

/// What of a backlog is to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// Behind this position; those that were held are wanted wherever they stand.
    pub(super) offered: Position,
    /// Where the part before ended.
    pub(super) cursor: Position,
    /// Before this position.
    pub(super) until: Position,
    /// At most so many.
    pub(super) limit: usize,
}

/// What changed since it was last kept.
#[derive(Debug, Default)]
pub(crate) struct Backlog(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// By key and position: whether it was held, and whether it is taken meanwhile.
    new: BTreeMap<(String, Position), (bool, bool)>,
    /// Everything of these keys before these positions is taken.
    taken: Vec<(String, Position)>,
}

impl Backlog {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An input waits.
    pub(super) fn add(&self, key: &str, position: Position, held: bool) {
        let place = (key.to_string(), position);
        self.lock().new.insert(place, (held, false));
    }

    /// What waits of an instance before a position is taken, or will be offered again.
    pub(super) fn taken(&self, key: &str, until: Position) {
        let mut inner = self.lock();
        let of_key = (key.to_string(), 0)..(key.to_string(), until);
        for (_, taken) in inner.new.range_mut(of_key).map(|(_, entry)| entry) {
            *taken = true;
        }
        inner.taken.push((key.into(), until));
    }

    pub(super) fn has_changed(&self) -> bool {
        let inner = self.lock();
        !inner.new.is_empty() || !inner.taken.is_empty()
    }

    /// Keeps what changed, in the transaction of the checkpoint.
    pub(super) fn keep(&self, tx: &Transaction<'_>, process: &str) -> rusqlite::Result<()> {
        let mut inner = self.lock();
        let sql = "DELETE FROM fait_backlog WHERE process = ?1 AND key = ?2 AND position < ?3";
        for (key, until) in inner.taken.drain(..) {
            let until = i64_of(until);
            tx.prepare_cached(sql)?
                .execute(params![process, key, until])?;
        }
        let sql = "INSERT OR REPLACE INTO fait_backlog VALUES (?1, ?2, ?3, ?4)";
        for ((key, position), (held, taken)) in std::mem::take(&mut inner.new) {
            if !taken {
                let position = i64_of(position);
                tx.prepare_cached(sql)?
                    .execute(params![process, key, position, held])?;
            }
        }
        Ok(())
    }

    fn unkept(&self, key: &str) -> Vec<Waits> {
        let of_key = (key.to_string(), 0)..=(key.to_string(), Position::MAX);
        let inner = self.lock();
        let all = inner.new.range(of_key);
        all.map(|((_, position), (held, _))| Waits {
            position: *position,
            held: *held,
        })
        .collect()
    }
}

impl Core {
    /// A part of what waits of an instance, in order.
    pub(super) fn backlog_part(
        &self,
        runner: &Runner,
        key: &str,
        part: Part,
    ) -> Result<Vec<Waits>, StoreError> {
        let mut all: Vec<Waits> = self.db.read(|c| {
            let sql = "SELECT position, held FROM fait_backlog WHERE process = ?1 AND key = ?2
                AND position > ?3 AND position < ?4 AND (held OR position > ?5)
                ORDER BY position LIMIT ?6";
            let found = params![
                runner.def.name,
                key,
                i64_of(part.cursor),
                i64_of(part.until),
                i64_of(part.offered),
                i64_of(part.limit as u64)
            ];
            let mut rows = c.prepare_cached(sql)?;
            let rows = rows.query_map(found, |r| {
                Ok(Waits {
                    position: u64_of(r.get(0)?),
                    held: r.get(1)?,
                })
            })?;
            rows.collect()
        })?;
        let wanted = |w: &Waits| {
            let within = w.position > part.cursor && w.position < part.until;
            within && (w.held || w.position > part.offered)
        };
        all.extend(runner.backlog.unkept(key).into_iter().filter(wanted));
        all.sort_by_key(|w| w.position);
        all.dedup_by_key(|w| w.position);
        all.truncate(part.limit);
        Ok(all)
    }

    /// How many inputs wait behind the one that parked an instance.
    pub(crate) fn backlog_len(
        &self,
        instance: &Instance,
        behind: Option<Position>,
    ) -> Result<u64, StoreError> {
        let (process, key) = (&instance.process, &instance.key);
        let Some(runner) = self.processes.get(process) else {
            return Ok(0);
        };
        let mut all: Vec<Waits> = self.db.read(|c| {
            let sql = "SELECT position, held FROM fait_backlog WHERE process = ?1 AND key = ?2";
            let mut rows = c.prepare_cached(sql)?;
            let rows = rows.query_map([process, key], |r| {
                Ok(Waits {
                    position: u64_of(r.get(0)?),
                    held: r.get(1)?,
                })
            })?;
            rows.collect()
        })?;
        all.extend(runner.backlog.unkept(key));
        let later = |w: &Waits| w.held || behind.is_none_or(|behind| w.position > behind);
        all.retain(|w| later(w) && Some(w.position) != behind);
        all.retain(|w| !instance.has_taken(w.position, w.held));
        all.sort_unstable_by_key(|w| w.position);
        all.dedup_by_key(|w| w.position);
        Ok(all.len() as u64)
    }
}
