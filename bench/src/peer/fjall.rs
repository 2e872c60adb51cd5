//! fjall, an LSM tree: events by position, and one empty entry for each tag and position.

use super::group::{Engine, Group};
use super::{Append, Condition, Each, Fault, Mode, Outcome, Peer, record};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use std::collections::HashMap;
use std::path::Path;

#[derive(Clone)]
struct Tables {
    db: Database,
    events: Keyspace,
    tags: Keyspace,
}

struct Writer {
    tables: Tables,
    head: u64,
    persist: PersistMode,
}

struct Fjall {
    group: Group<Writer>,
    tables: Tables,
}

pub(crate) fn open(folder: &Path, mode: Mode) -> Result<Box<dyn Peer>, Fault> {
    let db = Database::builder(folder).cache_size(256 << 20).open()?;
    let tables = Tables {
        events: db.keyspace("events", KeyspaceCreateOptions::default)?,
        tags: db.keyspace("tags", KeyspaceCreateOptions::default)?,
        db,
    };
    let head = match tables.events.last_key_value() {
        Some(last) => position(&last.key()?),
        None => 0,
    };
    let persist = match mode {
        Mode::Load => PersistMode::Buffer,
        Mode::Measure => PersistMode::SyncData,
    };
    let writer = Writer {
        tables: tables.clone(),
        head,
        persist,
    };
    let group = Group::start(writer, head)?;
    Ok(Box::new(Fjall { group, tables }))
}

/// The position at the end of a key.
fn position(key: &[u8]) -> u64 {
    key.last_chunk()
        .map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

fn tag_key(tag: &str, position: u64) -> Vec<u8> {
    let mut key = Vec::with_capacity(tag.len() + 9);
    key.extend_from_slice(tag.as_bytes());
    key.push(0);
    key.extend_from_slice(&position.to_be_bytes());
    key
}

impl Tables {
    /// The positions behind another that carry all tags, in order, as long as they are wanted.
    fn positions(
        &self,
        tags: &[String],
        after: u64,
        mut wanted: impl FnMut(u64) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        let Some((first, others)) = tags.split_first() else {
            return Ok(());
        };
        let range = tag_key(first, after + 1)..=tag_key(first, u64::MAX);
        for entry in self.tags.range(range) {
            let at = position(&entry.key()?);
            let mut all = true;
            for other in others {
                all = all && self.tags.contains_key(tag_key(other, at))?;
            }
            if all && !wanted(at)? {
                break;
            }
        }
        Ok(())
    }
}

/// What earlier appends of the same group have under each tag: the tables do not show it yet.
type Pending = HashMap<String, Vec<u64>>;

impl Engine for Writer {
    fn commit(&mut self, appends: Vec<Append>) -> Result<Vec<Outcome>, Fault> {
        let mut batch = self.tables.db.batch().durability(Some(self.persist));
        let mut pending = Pending::new();
        let mut head = self.head;
        let mut outcomes = Vec::with_capacity(appends.len());
        for append in appends {
            if let Some(condition) = &append.condition
                && self.breaks(condition, &pending, head)?
            {
                outcomes.push(Outcome::Conflict);
                continue;
            }
            for event in append.events {
                head += 1;
                let bytes = record::write(&event);
                batch.insert(&self.tables.events, head.to_be_bytes(), bytes);
                for tag in event.tags {
                    batch.insert(&self.tables.tags, tag_key(&tag, head), []);
                    pending.entry(tag).or_default().push(head);
                }
            }
            outcomes.push(Outcome::At(head));
        }
        if head > self.head {
            batch.commit()?;
            self.head = head;
        }
        Ok(outcomes)
    }
}

impl Writer {
    fn breaks(&self, condition: &Condition, pending: &Pending, head: u64) -> Result<bool, Fault> {
        let Condition { tags, after } = condition;
        let Some((first, others)) = tags.split_first() else {
            return Ok(head > *after);
        };
        let under = |tag: &String, at: &u64| pending.get(tag).is_some_and(|p| p.contains(at));
        let mut new = pending.get(first).into_iter().flatten();
        if new.any(|at| at > after && others.iter().all(|other| under(other, at))) {
            return Ok(true);
        }
        let mut found = false;
        self.tables.positions(tags, *after, |_| {
            found = true;
            Ok(false)
        })?;
        Ok(found)
    }
}

impl Peer for Fjall {
    fn append_alone(&self, append: Append) -> Result<Outcome, Fault> {
        self.group.alone(append)
    }

    fn append(&self, append: Append) -> Result<Outcome, Fault> {
        self.group.together(append)
    }

    fn scan(&self, each: &mut dyn FnMut(u64, &[u8])) -> Result<(), Fault> {
        for entry in self.tables.events.iter() {
            let (key, value) = entry.into_inner()?;
            let at = position(&key);
            each(at, record::read(at, &value)?.data);
        }
        Ok(())
    }

    fn read(&self, tags: &[String], after: u64, each: Each<'_>) -> Result<u64, Fault> {
        // The head is asked for first: whatever matches behind it moves it, so nothing is missed.
        let mut head = self.group.bell().head();
        if tags.is_empty() {
            for entry in self.tables.events.range((after + 1).to_be_bytes()..) {
                let (key, value) = entry.into_inner()?;
                head = head.max(position(&key));
                each(record::read(position(&key), &value)?);
            }
            return Ok(head);
        }
        self.tables.positions(tags, after, |at| {
            if let Some(value) = self.tables.events.get(at.to_be_bytes())? {
                head = head.max(at);
                each(record::read(at, &value)?);
            }
            Ok(true)
        })?;
        Ok(head)
    }

    fn wait(&self, after: u64) -> Result<u64, Fault> {
        Ok(self.group.bell().wait(after))
    }

    fn head(&self) -> Result<u64, Fault> {
        Ok(self.group.bell().head())
    }

    fn close(self: Box<Self>) -> Result<(), Fault> {
        self.tables.db.persist(PersistMode::SyncAll)?;
        Ok(())
    }
}
