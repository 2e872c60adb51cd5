//! A store in memory, for tests and for trying things. Nothing survives the program.

use super::{
    Append, AppendCondition, AppendError, Appended, BoxFuture, CommandKey, Durability, ERASED,
    Erase, Erased, Keep, Range, Slice, Store, StoreError, validate, validate_erasure,
};
use crate::event::{Meta, NewEvent, Origin, Position, StoredEvent, Time};
use crate::query::Query;
use event_listener::Event as Wake;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// A store in memory. Durable is what it cannot be; everything else of the contract holds.
#[derive(Debug)]
pub struct Memory {
    id: Uuid,
    log: Mutex<Log>,
    grown: Wake,
}

#[derive(Debug, Default)]
struct Log {
    events: Vec<StoredEvent>,
    by_id: HashMap<Uuid, Position>,
    commands: HashMap<Uuid, (CommandKey, Appended)>,
    last_time: Time,
}

impl Default for Memory {
    fn default() -> Self {
        Memory::with_id(Uuid::from_u128(1))
    }
}

impl Memory {
    /// A store with an identity of its own.
    pub fn with_id(id: Uuid) -> Self {
        Memory {
            id,
            log: Mutex::default(),
            grown: Wake::new(),
        }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        // A panic while the lock is held leaves the log whole: changes are made at the very end.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append_now(&self, append: Append) -> Result<Appended, AppendError> {
        let mut log = self.log();
        let head = log.head();
        validate(&append, head)?;
        if let Some(first) = log.repeated(append.command)? {
            return Ok(first);
        }
        if let Some(first) = log.duplicate(&append.events)? {
            return Ok(first);
        }
        log.judge(&append.conditions)?;
        let recorded_at = append.recorded_at.max(log.last_time);
        let done = Appended {
            first: head + 1,
            last: head + append.events.len() as u64,
            recorded_at,
            repeated: false,
            durability: Durability::Memory,
        };
        log.last_time = recorded_at;
        for (event, position) in append.events.into_iter().zip(done.first..) {
            log.by_id.insert(event.id, position);
            log.events.push(stored(event, position, recorded_at));
        }
        if let Some(key) = append.command {
            log.commands.insert(key.id, (key, done));
        }
        drop(log);
        self.grown.notify(usize::MAX);
        Ok(done)
    }
}

fn stored(e: NewEvent, position: Position, recorded_at: Time) -> StoredEvent {
    let NewEvent {
        id,
        ty,
        version,
        tags,
        data,
        origin,
    } = e;
    StoredEvent {
        ty,
        version,
        tags,
        data,
        meta: Meta {
            position,
            id,
            recorded_at,
            origin,
        },
    }
}

/// What is left of an event.
fn erased(event: &StoredEvent, keep: Keep) -> StoredEvent {
    let left = match keep.types {
        true => serde_json::json!({ "type": event.ty }),
        false => serde_json::json!({}),
    };
    StoredEvent {
        ty: ERASED.into(),
        version: 1,
        tags: vec![],
        data: left.to_string().into(),
        meta: Meta {
            position: event.meta.position,
            id: event.meta.id,
            recorded_at: if keep.times {
                event.meta.recorded_at
            } else {
                Time(0)
            },
            origin: Origin::default(),
        },
    }
}

impl Log {
    fn head(&self) -> Position {
        self.events.len() as Position
    }

    fn repeated(&self, key: Option<CommandKey>) -> Result<Option<Appended>, AppendError> {
        let Some(key) = key else { return Ok(None) };
        match self.commands.get(&key.id) {
            None => Ok(None),
            Some((first, done)) if *first == key => Ok(Some(Appended {
                repeated: true,
                ..*done
            })),
            Some(_) => Err(AppendError::CommandReused { id: key.id }),
        }
    }

    fn erase(&mut self, erase: &Erase, before: Position) -> u64 {
        let mut count = 0;
        for event in self.events.iter_mut().take(before as usize - 1) {
            if event.tags.contains(&erase.tag) {
                *event = erased(event, erase.keep);
                count += 1;
            }
        }
        count
    }

    fn duplicate(&self, events: &[NewEvent]) -> Result<Option<Appended>, AppendError> {
        let mut given = HashSet::with_capacity(events.len());
        for event in events {
            if !given.insert(event.id) {
                let id = event.id;
                let message = format!("event id {id} stands twice in one append");
                return Err(AppendError::Invalid(message));
            }
        }
        let Some((known, &position)) = events.iter().find_map(|e| self.by_id.get_key_value(&e.id))
        else {
            return Ok(None);
        };
        let first = self.by_id.get(&events[0].id).copied().unwrap_or(position);
        let old = self
            .events
            .iter()
            .skip(first as usize - 1)
            .take(events.len());
        let same = old.len() == events.len()
            && old
                .zip(events)
                .all(|(a, b)| *a == stored(b.clone(), a.meta.position, a.meta.recorded_at));
        if !same {
            return Err(AppendError::DuplicateEvent {
                id: *known,
                position,
            });
        }
        Ok(Some(Appended {
            first,
            last: first + events.len() as u64 - 1,
            recorded_at: self.events[first as usize - 1].meta.recorded_at,
            repeated: true,
            durability: Durability::Memory,
        }))
    }

    fn judge(&self, conditions: &[AppendCondition]) -> Result<(), AppendError> {
        for (i, c) in conditions.iter().enumerate() {
            let newer = &self.events[c.after as usize..];
            if let Some(e) = newer.iter().find(|e| c.fail_if_events_match.selects(e)) {
                let position = e.meta.position;
                return Err(AppendError::Conflict {
                    condition: i,
                    position,
                });
            }
        }
        Ok(())
    }

    fn slice(&self, query: &Query, range: Range) -> Slice {
        let head = self.head();
        let end = range.before.map_or(head, |b| head.min(b.saturating_sub(1))) as usize;
        let start = (range.after as usize).min(end);
        let limit = range.limit.max(1);
        let matching = self.events[start..end].iter().filter(|e| query.selects(e));
        let events = if range.backwards {
            matching.rev().take(limit).cloned().collect()
        } else {
            matching.take(limit).cloned().collect()
        };
        Slice { events, head }
    }
}

impl Store for Memory {
    fn id(&self) -> Uuid {
        self.id
    }
    fn append(&self, append: Append) -> BoxFuture<'_, Result<Appended, AppendError>> {
        Box::pin(async move { self.append_now(append) })
    }
    fn read<'a>(
        &'a self,
        query: &'a Query,
        range: Range,
    ) -> BoxFuture<'a, Result<Slice, StoreError>> {
        Box::pin(async move { Ok(self.log().slice(query, range)) })
    }
    fn command(
        &self,
        id: Uuid,
    ) -> BoxFuture<'_, Result<Option<(CommandKey, Appended)>, StoreError>> {
        Box::pin(async move { Ok(self.log().commands.get(&id).copied()) })
    }
    fn event(&self, id: Uuid) -> BoxFuture<'_, Result<Option<Position>, StoreError>> {
        Box::pin(async move { Ok(self.log().by_id.get(&id).copied()) })
    }
    fn head(&self) -> BoxFuture<'_, Result<Position, StoreError>> {
        Box::pin(async move { Ok(self.log().head()) })
    }
    fn erase(&self, erase: Erase) -> BoxFuture<'_, Result<Erased, AppendError>> {
        Box::pin(async move {
            validate_erasure(&erase)?;
            let tombstone = self.append_now(erase.tombstone.clone())?;
            let events = self.log().erase(&erase, tombstone.first);
            Ok(Erased { tombstone, events })
        })
    }
    fn wait(&self, after: Position) -> BoxFuture<'_, Result<Position, StoreError>> {
        Box::pin(async move {
            loop {
                let grown = self.grown.listen();
                let head = self.log().head();
                if head > after {
                    return Ok(head);
                }
                grown.await;
            }
        })
    }
}
