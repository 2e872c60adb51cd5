//! From an event to the instances that hear it: by key, by another id, or later, when the
//! instance has begun.

use super::Core;
use super::db::{i64_of, time_of, u64_of};
use super::step::{Heard, Runner};
use super::works::Input;
use fait_core::event::{DecodeError, Position, StoredEvent, Tag, Time};
use fait_core::process::{MAX_HELD, May, Routed, Unmatched, Way};
use fait_core::query::{Query, QueryItem};
use fait_core::store::{Range, StoreError};
use rusqlite::{Transaction, params};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most events that one process holds for instances that have not begun; more are ignored, and
/// counted.
pub const MAX_HELD_EVENTS: usize = 100_000;

/// So many of the events that found no instance are named.
const SAMPLES: usize = 10;

/// One instance that hears an event.
#[derive(Clone, Debug)]
pub(super) struct Hearing {
    pub(super) key: String,
    pub(super) heard: Heard,
}

/// What an event comes to.
#[derive(Clone, Debug)]
pub(super) enum Routing {
    /// These hear it.
    To(Vec<Hearing>),
    /// It cannot be read; those of its tags that name instances, and why.
    Unreadable(Vec<String>, DecodeError),
}

/// Events that found no instance and were ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignored {
    /// How many, since the program was started.
    pub events: u64,
    /// The positions of the newest ones.
    pub newest: VecDeque<Position>,
}

/// An event that waits for its instance to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) position: Position,
    pub(super) until: Time,
}

/// What a process holds and ignores.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// By what they wait for.
    held: BTreeMap<String, Vec<Held>>,
    count: usize,
    changed: bool,
    ignored: Ignored,
}

/// What an event for a key waits for.
fn for_key(key: &str) -> String {
    format!("key/{key}")
}

/// What an event for another id waits for.
fn for_alias(name: &str, value: &str) -> String {
    format!("alias/{name}/{value}")
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ignore(&self, process: &str, position: Position) {
        metrics::counter!("fait_unmatched_total", "process" => process.to_string()).increment(1);
        let ignored = &mut self.lock().ignored;
        ignored.events += 1;
        ignored.newest.push_front(position);
        ignored.newest.truncate(SAMPLES);
    }

    pub(crate) fn ignored(&self) -> Ignored {
        self.lock().ignored.clone()
    }

    /// How many events are held.
    pub(crate) fn len(&self) -> usize {
        self.lock().count
    }

    /// Holds an event; says no when there is no room.
    pub(super) fn hold(&self, waits: String, held: Held) -> bool {
        let mut inner = self.lock();
        let full = inner.count >= MAX_HELD_EVENTS;
        let all = inner.held.entry(waits).or_default();
        let full = full || all.len() >= MAX_HELD;
        if all.iter().any(|h| h.position == held.position) {
            return true;
        }
        if !full {
            all.push(held);
            (inner.count, inner.changed) = (inner.count + 1, true);
        }
        !full
    }

    /// Lets go of what waits for something that came at a time; what waited until before that is
    /// ignored.
    fn release(&self, process: &str, waits: &str, at: Time) -> Vec<Held> {
        let all = {
            let mut inner = self.lock();
            let Some(all) = inner.held.remove(waits) else {
                return vec![];
            };
            (inner.count, inner.changed) = (inner.count - all.len(), true);
            all
        };
        let (mut released, over): (Vec<Held>, Vec<Held>) =
            all.into_iter().partition(|h| h.until >= at);
        for held in over {
            self.ignore(process, held.position);
        }
        released.sort_by_key(|h| h.position);
        released
    }

    /// Whether events wait for an instance to begin.
    pub(super) fn holds(&self, key: &str) -> bool {
        let inner = self.lock();
        inner.count > 0 && inner.held.contains_key(&for_key(key))
    }

    /// Lets go of the events that waited for an instance which has begun at a time.
    pub(super) fn release_key(&self, process: &str, key: &str, at: Time) -> Vec<Held> {
        if self.lock().count == 0 {
            return vec![];
        }
        self.release(process, &for_key(key), at)
    }

    /// What waited until before a time is ignored.
    fn expire(&self, process: &str, now: Time) {
        let mut gone = vec![];
        {
            let mut inner = self.lock();
            inner.held.retain(|_, all| {
                gone.extend(all.iter().filter(|h| h.until < now).map(|h| h.position));
                all.retain(|h| h.until >= now);
                !all.is_empty()
            });
            if gone.is_empty() {
                return;
            }
            (inner.count, inner.changed) = (inner.count - gone.len(), true);
        }
        for position in gone {
            self.ignore(process, position);
        }
    }

    /// Whether something changed since it was last kept.
    pub(super) fn has_changed(&self) -> bool {
        self.lock().changed
    }

    /// Keeps what is held, in the transaction of the checkpoint.
    pub(super) fn keep(&self, tx: &Transaction<'_>, process: &str) -> rusqlite::Result<()> {
        let mut inner = self.lock();
        if !std::mem::take(&mut inner.changed) {
            return Ok(());
        }
        tx.execute("DELETE FROM fait_held WHERE process = ?1", [process])?;
        let sql = "INSERT OR REPLACE INTO fait_held VALUES (?1, ?2, ?3, ?4)";
        let mut insert = tx.prepare_cached(sql)?;
        for (waits, all) in &inner.held {
            for held in all {
                let (position, until) = (i64_of(held.position), i64_of(held.until.0));
                insert.execute(params![process, waits, position, until])?;
            }
        }
        Ok(())
    }
}

impl Core {
    /// What was held when that was last kept, by what it waits for.
    pub(super) fn held_before(&self, runner: &Runner) -> Result<Vec<(String, Held)>, StoreError> {
        self.db.read(|c| {
            let sql = "SELECT waits, position, until FROM fait_held WHERE process = ?1";
            let mut all = c.prepare_cached(sql)?;
            let rows = all.query_map([&runner.def.name], |r| {
                let held = Held {
                    position: u64_of(r.get(1)?),
                    until: time_of(r.get(2)?),
                };
                Ok((r.get(0)?, held))
            })?;
            rows.collect()
        })
    }

    /// The key of the instance for which something waits, once it is known.
    pub(super) async fn key_waited_for(
        &self,
        runner: &Runner,
        waits: &str,
    ) -> Result<Option<String>, StoreError> {
        if let Some(key) = waits.strip_prefix("key/") {
            return Ok(Some(key.into()));
        }
        let alias = waits.strip_prefix("alias/");
        let Some((name, value)) = alias.and_then(|a| a.split_once('/')) else {
            return Ok(None);
        };
        self.alias(runner, name, value, runner.feed.at() + 1).await
    }

    /// Which instances hear an event. One that waits for another id to be known is held.
    pub(super) async fn route(
        &self,
        runner: &Runner,
        event: &StoredEvent,
    ) -> Result<Routing, StoreError> {
        let routed = match runner.routed(event) {
            Ok(routed) => routed,
            Err(why) => return Ok(unreadable(runner, event, why)),
        };
        let mut to = vec![];
        for one in routed {
            let heard = Heard::by(&one);
            let key = match &one.way {
                Way::Key(key) => key.clone(),
                Way::Alias(name, value) => {
                    match self.alias(runner, name, value, event.meta.position).await? {
                        Some(key) => key,
                        None => {
                            let waits = for_alias(name, value);
                            self.unmatched(runner, event, waits, heard.unmatched);
                            continue;
                        }
                    }
                }
            };
            to.push(Hearing { key, heard });
        }
        Ok(Routing::To(to))
    }

    /// The key that another id stands for, by what was recorded before a position.
    async fn alias(
        &self,
        runner: &Runner,
        name: &str,
        value: &str,
        before: Position,
    ) -> Result<Option<String>, StoreError> {
        for alias in runner.aliases().filter(|a| a.name == name) {
            let tag = vec![Tag::new(&alias.kind, value)];
            let query = Query::default().or(QueryItem::of(&[&alias.ty], tag));
            let range = Range {
                before: Some(before),
                ..Range::newest(1)
            };
            let found = self.store.read(&query, range).await?.events;
            let Some(event) = found.first() else { continue };
            let pairs = catch_unwind(AssertUnwindSafe(|| (alias.pairs)(event)));
            if let Ok(Ok(pairs)) = pairs
                && let Some((_, key)) = pairs.into_iter().find(|(v, _)| v == value)
            {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    /// Positions of what was held until an id is known, now that this event says so.
    pub(super) fn released_by(&self, runner: &Runner, event: &StoredEvent) -> Vec<(String, Held)> {
        if runner.waiting.len() == 0 {
            return vec![];
        }
        let mut released = vec![];
        for alias in runner.aliases().filter(|a| a.ty == event.ty) {
            let pairs = catch_unwind(AssertUnwindSafe(|| (alias.pairs)(event)));
            let Ok(Ok(pairs)) = pairs else { continue };
            for (value, key) in pairs {
                let waits = for_alias(&alias.name, &value);
                let (process, at) = (&runner.def.name, event.meta.recorded_at);
                let held = runner.waiting.release(process, &waits, at);
                released.extend(held.into_iter().map(|h| (key.clone(), h)));
            }
        }
        released
    }

    /// What an event that was held for an instance is to it: by its key, or else by another id.
    pub(super) fn released_to(
        &self,
        runner: &Runner,
        key: &str,
        event: StoredEvent,
    ) -> Option<Input> {
        let event = Arc::new(event);
        let routed = match runner.routed(&event) {
            Ok(routed) => routed,
            Err(why) => return Some(Input::Bad(event, why.to_string())),
        };
        let mine = |r: &&Routed| matches!(&r.way, Way::Key(k) if k == key);
        let by_id = |r: &&Routed| matches!(r.way, Way::Alias(..));
        let rule = routed.iter().find(mine);
        let rule = rule.or_else(|| routed.iter().find(by_id))?;
        let heard = Heard {
            held: true,
            ..Heard::by(rule)
        };
        Some(Input::Event(event, heard))
    }

    /// An event for an instance that has not begun is held or ignored.
    pub(super) fn unmatched_key(
        &self,
        runner: &Runner,
        event: &StoredEvent,
        (key, rule): (&str, Unmatched),
    ) {
        self.unmatched(runner, event, for_key(key), rule);
    }

    fn unmatched(&self, runner: &Runner, event: &StoredEvent, waits: String, rule: Unmatched) {
        let position = event.meta.position;
        if let Unmatched::Hold(time) = rule {
            let until = event.meta.recorded_at + time;
            // Also when that is long over: what it waits for may have come in time, further on in
            // the log.
            if runner.waiting.hold(waits, Held { position, until }) {
                return;
            }
        }
        runner.waiting.ignore(&runner.def.name, position);
    }

    /// Ignores what was held for long enough, when everything up to a time has been heard.
    pub(super) fn expire_held(&self, runner: &Runner, heard_until: Time) {
        if runner.waiting.len() > 0 {
            runner.waiting.expire(&runner.def.name, heard_until);
        }
    }
}

/// Which instance is meant is not known; those that its tags name wait for a person.
fn unreadable(runner: &Runner, event: &StoredEvent, why: DecodeError) -> Routing {
    let def = &runner.def;
    let named = event.tags.iter().filter(|t| t.kind() == def.key_kind);
    let keys: Vec<String> = named.map(|t| t.value().to_string()).collect();
    if keys.is_empty() {
        metrics::counter!("fait_unroutable_total", "process" => def.name.clone()).increment(1);
        tracing::error!(process = def.name, error = %why, "nobody can be parked for it");
    }
    Routing::Unreadable(keys, why)
}

impl Heard {
    /// What a route allows.
    pub(super) fn by(routed: &Routed) -> Heard {
        Heard {
            start: routed.may == May::Start,
            ends: routed.ends,
            again: routed.again,
            held: false,
            unmatched: routed.unmatched,
        }
    }
}
