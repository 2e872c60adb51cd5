//! Folding without the types of a projection: events are read and sorted into parts, on any
//! thread, and each part is taken into its rows in order.

use super::Projection;
use crate::event::{DecodeError, EntityId, EventSet, Position, StoredEvent, panic_text};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::Any;
use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The code of one projection.
pub trait Code: Send + Sync {
    /// Reads events and sorts what they change into so many parts, by key. The same key always
    /// goes to the same part, in the order of the events.
    fn sort(&self, events: &[StoredEvent], parts: usize) -> Sorted;
    /// The rows of a part, of which none is in memory yet.
    fn rows(&self) -> Box<dyn Rows>;
    /// The part that a key goes to; none when it is no key of this view.
    fn part_of(&self, key: &str, parts: usize) -> Option<usize>;
    /// Itself, for a runtime that knows of code that does not fold rows by key.
    fn as_any(&self) -> Option<&dyn Any> {
        None
    }
}

/// Events that were read, by part.
pub struct Sorted {
    /// What each part takes.
    pub parts: Vec<Part>,
    /// Events that cannot be read, and whose rows are not known.
    pub unread: Vec<Unread>,
}

/// An event that cannot be read and may be about any row.
#[derive(Clone, Debug, PartialEq)]
pub struct Unread {
    /// Where it stands.
    pub position: Position,
    /// Why.
    pub why: DecodeError,
}

/// What one part takes from some events. Only the code that made it can take it.
pub struct Part {
    changes: Box<dyn Any + Send>,
    len: usize,
}

impl Part {
    /// How many changes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is nothing to take.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part").field("len", &self.len).finish()
    }
}

/// A row that could not take an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Hurt {
    /// What the row is about.
    pub key: String,
    /// The event.
    pub position: Position,
    /// Why.
    pub why: DecodeError,
    /// Whether the row was lost in the middle of it, with what it had taken since it was told or
    /// given, so that it must be made again up to that event.
    pub torn: bool,
}

/// What is told of a changed row: its key, the row as JSON or that it is gone, or why it cannot be
/// written, and the event that last changed it.
pub type Tell<'a> = dyn FnMut(&str, Result<Option<&str>, String>, Position) + 'a;

/// The rows of a part that are in memory.
pub trait Rows: Send + Sync {
    /// The keys that a part is about and whose rows are not in memory.
    fn missing(&self, part: &Part) -> Vec<String>;
    /// Gives a stored row, or says that there is none.
    ///
    /// # Errors
    /// The row cannot be read; a sentence says why.
    fn give(&mut self, key: &str, row: Option<(&str, Position)>) -> Result<(), String>;
    /// From now on events about this key are passed over.
    fn park(&mut self, key: &str);
    /// Takes them again. The row is forgotten, since it may have changed where it is stored.
    fn unpark(&mut self, key: &str);
    /// Takes a part into the rows, all of which must be in memory. The key of a row that cannot
    /// an event is parked, and among [`hurt`](Rows::hurt). Code that panics may leave a row half
    /// changed: such a row is forgotten, unless `careful` keeps a copy of it before each event.
    fn take(&mut self, part: Part, events: &[StoredEvent], careful: bool);
    /// The rows that were hurt since this was asked last.
    fn hurt(&mut self) -> Vec<Hurt>;
    /// Tells of each row that was changed since this was asked last, in no order.
    fn changed(&mut self, tell: &mut Tell<'_>);
    /// How many rows were changed since they were told.
    fn dirty(&self) -> usize;
    /// How many rows are in memory, those that are known not to be there included.
    fn len(&self) -> usize;
    /// Whether none is.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Forgets the rows; those that were changed must be told before. What is parked stays parked.
    fn forget(&mut self);
}

/// What folds events into rows by key; the rest of this module is the same for all of it.
pub(super) trait Fold: Send + Sync + 'static {
    type Key: Clone + Eq + Hash + fmt::Display + Send + Sync + 'static;
    type Event: Send + 'static;
    type Row: Serialize + DeserializeOwned + Clone + Send + Sync + 'static;
    /// The key that a text stands for.
    fn key(&self, text: &str) -> Result<Self::Key, String>;
    /// Reads an event; none when it is not heard.
    fn read(&self, event: &StoredEvent) -> Result<Option<Self::Event>, DecodeError>;
    /// The keys of the rows that an event touches.
    fn keys(
        &self,
        stored: &StoredEvent,
        event: &Self::Event,
    ) -> Result<Vec<Self::Key>, DecodeError>;
    /// The same for one that cannot be read; none when that is not known.
    fn tagged(&self, stored: &StoredEvent) -> Option<Vec<Self::Key>>;
    fn fold(
        &self,
        row: &mut Option<Self::Row>,
        key: &Self::Key,
        event: Self::Event,
        stored: &StoredEvent,
    );
}

/// The folding of a Rust projection.
pub(super) struct Typed<P>(PhantomData<fn() -> P>);

impl<P> Default for Typed<P> {
    fn default() -> Self {
        Typed(PhantomData)
    }
}

impl<P: Projection> Fold for Typed<P> {
    type Key = P::Key;
    type Event = P::Events;
    type Row = P::Row;

    fn key(&self, text: &str) -> Result<P::Key, String> {
        P::Key::parse(text).map_err(|e| e.to_string())
    }
    fn read(&self, event: &StoredEvent) -> Result<Option<P::Events>, DecodeError> {
        P::Events::decode(event)
    }
    fn keys(&self, stored: &StoredEvent, event: &P::Events) -> Result<Vec<P::Key>, DecodeError> {
        match P::KEYS {
            None => Ok(crate::event::ids_in(&stored.tags)),
            Some(keys) => guarded(stored, || Ok(keys(event))),
        }
    }
    fn tagged(&self, stored: &StoredEvent) -> Option<Vec<P::Key>> {
        let by_tags = P::KEYS.is_none();
        by_tags.then(|| crate::event::ids_in(&stored.tags))
    }
    fn fold(&self, row: &mut Option<P::Row>, key: &P::Key, event: P::Events, stored: &StoredEvent) {
        P::project(row, key, event, &stored.meta);
    }
}

/// One thing to do with one row; the number is the event's place in the slice.
struct Change<F: Fold> {
    key: F::Key,
    place: usize,
    event: Result<F::Event, DecodeError>,
}

type Changes<F> = Vec<Change<F>>;

fn part_of(key: &impl Hash, parts: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    // Far below the limit of any of these types.
    (hasher.finish() % parts.max(1) as u64) as usize
}

/// Code that folds.
pub(super) struct Folding<F>(pub(super) Arc<F>);

impl<F: Fold> Folding<F> {
    fn read(&self, event: &StoredEvent) -> Result<Option<F::Event>, DecodeError> {
        guarded(event, || self.0.read(event))
    }

    fn keys(&self, stored: &StoredEvent, event: &F::Event) -> Result<Vec<F::Key>, DecodeError> {
        let mut keys = self.0.keys(stored, event)?;
        if keys.len() > 1 {
            // Each row takes an event once, however often it is named.
            let mut seen = HashSet::new();
            keys.retain(|k| seen.insert(k.clone()));
        }
        Ok(keys)
    }

    fn sort_one(
        &self,
        stored: &StoredEvent,
        place: usize,
        parts: &mut [Changes<F>],
    ) -> Result<(), DecodeError> {
        let count = parts.len();
        let mut put = |key: F::Key, event| {
            let part = part_of(&key, count);
            parts[part].push(Change { key, place, event });
        };
        let read = self.read(stored).and_then(|event| match event {
            None => Ok(None),
            Some(event) => Ok(Some((self.keys(stored, &event)?, event))),
        });
        match read {
            Ok(None) => Ok(()),
            Ok(Some((mut keys, event))) => {
                let last = keys.pop();
                for key in keys {
                    // An event need not be `Clone`, so each further row has a reading of its own.
                    let again = self
                        .read(stored)
                        .and_then(|e| e.ok_or_else(|| stored.unreadable("it is read only once")));
                    put(key, again);
                }
                if let Some(key) = last {
                    put(key, Ok(event));
                }
                Ok(())
            }
            Err(why) => match self.0.tagged(stored) {
                Some(keys) => {
                    for key in keys {
                        put(key, Err(why.clone()));
                    }
                    Ok(())
                }
                None => Err(why),
            },
        }
    }
}

impl<F: Fold> Code for Folding<F> {
    fn sort(&self, events: &[StoredEvent], parts: usize) -> Sorted {
        let expected = events.len() / parts.max(1);
        let mut sorted: Vec<Changes<F>> = (0..parts.max(1))
            .map(|_| Vec::with_capacity(expected + expected / 8))
            .collect();
        let mut unread = vec![];
        for (place, event) in events.iter().enumerate() {
            if let Err(why) = self.sort_one(event, place, &mut sorted) {
                let position = event.meta.position;
                unread.push(Unread { position, why });
            }
        }
        let part = |changes: Changes<F>| Part {
            len: changes.len(),
            changes: Box::new(changes),
        };
        Sorted {
            parts: sorted.into_iter().map(part).collect(),
            unread,
        }
    }

    fn rows(&self) -> Box<dyn Rows> {
        Box::new(Folded::<F> {
            code: self.0.clone(),
            rows: HashMap::new(),
            parked: HashSet::new(),
            hurt: vec![],
            dirty: 0,
        })
    }

    fn part_of(&self, key: &str, parts: usize) -> Option<usize> {
        Some(part_of(&self.0.key(key).ok()?, parts))
    }
}

struct Slot<R> {
    row: Option<R>,
    position: Position,
    dirty: bool,
}

struct Folded<F: Fold> {
    code: Arc<F>,
    rows: HashMap<F::Key, Slot<F::Row>>,
    parked: HashSet<F::Key>,
    hurt: Vec<Hurt>,
    dirty: usize,
}

fn changes<F: Fold>(part: &Part) -> &[Change<F>] {
    let changes = part.changes.downcast_ref::<Changes<F>>();
    changes.map_or(&[], Vec::as_slice)
}

impl<F: Fold> Folded<F> {
    fn take_one(&mut self, change: Change<F>, stored: &StoredEvent, careful: bool) {
        let Change { key, event, .. } = change;
        let Some(slot) = self.rows.get_mut(&key) else {
            return;
        };
        if self.parked.contains(&key) {
            return;
        }
        let position = stored.meta.position;
        let event = match event {
            Ok(event) => event,
            Err(why) => return self.hurts(key, position, why, false),
        };
        let before = careful.then(|| slot.row.clone());
        let done = guarded(stored, || {
            self.code.fold(&mut slot.row, &key, event, stored);
            Ok(())
        });
        match (done, before) {
            (Ok(()), _) => {
                self.dirty += usize::from(!slot.dirty);
                slot.dirty = true;
                slot.position = position;
            }
            (Err(why), Some(before)) => {
                slot.row = before;
                self.hurts(key, position, why, false);
            }
            (Err(why), None) => {
                self.dirty -= usize::from(slot.dirty);
                self.rows.remove(&key);
                self.hurts(key, position, why, true);
            }
        }
    }

    fn hurts(&mut self, key: F::Key, position: Position, why: DecodeError, torn: bool) {
        self.hurt.push(Hurt {
            key: key.to_string(),
            position,
            why,
            torn,
        });
        self.parked.insert(key);
    }
}

impl<F: Fold> Rows for Folded<F> {
    fn missing(&self, part: &Part) -> Vec<String> {
        let mut seen = HashSet::new();
        changes::<F>(part)
            .iter()
            .map(|c| &c.key)
            .filter(|k| !self.rows.contains_key(*k) && !self.parked.contains(*k))
            .filter(|k| seen.insert(*k))
            .map(ToString::to_string)
            .collect()
    }

    fn give(&mut self, key: &str, row: Option<(&str, Position)>) -> Result<(), String> {
        let key = self.code.key(key)?;
        let position = row.map_or(0, |r| r.1);
        let row = match row {
            Some((text, _)) => Some(calm(|| {
                serde_json::from_str(text).map_err(|e| e.to_string())
            })?),
            None => None,
        };
        let slot = Slot {
            row,
            position,
            dirty: false,
        };
        if let Some(old) = self.rows.insert(key, slot) {
            self.dirty -= usize::from(old.dirty);
        }
        Ok(())
    }

    fn park(&mut self, key: &str) {
        self.parked.extend(self.code.key(key));
    }

    fn unpark(&mut self, key: &str) {
        if let Ok(key) = self.code.key(key) {
            self.parked.remove(&key);
            if let Some(old) = self.rows.remove(&key) {
                self.dirty -= usize::from(old.dirty);
            }
        }
    }

    fn take(&mut self, mut part: Part, events: &[StoredEvent], careful: bool) {
        let Some(changes) = part.changes.downcast_mut::<Changes<F>>() else {
            return;
        };
        for change in std::mem::take(changes) {
            let stored = &events[change.place];
            self.take_one(change, stored, careful);
        }
    }

    fn hurt(&mut self) -> Vec<Hurt> {
        std::mem::take(&mut self.hurt)
    }

    fn changed(&mut self, tell: &mut Tell<'_>) {
        let mut text = vec![];
        for (key, slot) in self.rows.iter_mut().filter(|(_, s)| s.dirty) {
            slot.dirty = false;
            let key = key.to_string();
            let Some(row) = &slot.row else {
                tell(&key, Ok(None), slot.position);
                continue;
            };
            text.clear();
            let write = || serde_json::to_writer(&mut text, row).map_err(|e| e.to_string());
            let written = calm(write)
                .and_then(|()| std::str::from_utf8(&text).map_err(|e| e.to_string()))
                .map(Some);
            tell(&key, written, slot.position);
        }
        self.dirty = 0;
    }

    fn dirty(&self) -> usize {
        self.dirty
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn forget(&mut self) {
        self.rows = HashMap::new();
        self.dirty = 0;
    }
}

/// A panic in the application's code is an error of that event, not the end of the view.
fn guarded<T>(
    event: &StoredEvent,
    work: impl FnOnce() -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(event.unreadable(panic_text(&*panic))))
}

/// The same for code that is given no event.
fn calm<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(panic_text(&*panic)))
}
