//! A group of appends that become durable together: judged in order, encoded into one frame.

use crate::flaw::{Flaw, flaw};
use crate::format::{CommandRecord, EventView};
use crate::format::{FRAME_HEADER, RECORD_HEAD, packed_bound, put_event, v1_command_before};
use crate::index::Tail;
use crate::key;
use crate::read::{self, with_event};
use crate::shared::Shared;
use crate::stretch::{Index, Stretch, read as read_tail};
use bytes::Bytes;
use fait_core::event::{Meta, NewEvent, Position, StoredEvent, Time};
use fait_core::store::{
    Append, AppendCondition, AppendError, Appended, CommandKey, StoreError, validate,
};
use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLockWriteGuard};
use uuid::Uuid;

/// Appends that were accepted and are not yet durable.
pub(crate) struct Group<'a> {
    shared: &'a Shared,
    active: &'a Arc<Stretch>,
    frame: Vec<u8>,
    /// Where the frame will stand.
    at: u64,
    /// The last position that was given.
    head: Position,
    last_time: Time,
}

/// At most so many bytes does an append take in a frame.
pub(crate) fn bound(append: &Append) -> usize {
    append.events.iter().map(packed_bound).sum()
}

impl<'a> Group<'a> {
    /// An empty group that will stand at an offset of the newest stretch.
    pub(crate) fn new(
        shared: &'a Shared,
        active: &'a Arc<Stretch>,
        at: u64,
        last_time: Time,
        mut frame: Vec<u8>,
    ) -> Group<'a> {
        frame.clear();
        frame.resize(FRAME_HEADER, 0);
        Group {
            shared,
            active,
            frame,
            at,
            head: shared.head(),
            last_time,
        }
    }

    /// The frame with room for its header, the last position and the latest time.
    pub(crate) fn finish(self) -> (Vec<u8>, Position, Time) {
        (self.frame, self.head, self.last_time)
    }

    /// Judges an append against all that was accepted before it, and takes it in.
    pub(crate) fn judge(&mut self, append: &Append) -> Result<Appended, AppendError> {
        validate(append, self.head)?;
        if let Some(first) = self.repeated(append.command)? {
            return Ok(first);
        }
        if let Some(first) = self.duplicate(&append.events)? {
            return Ok(first);
        }
        self.conditions(&append.conditions)?;
        Ok(self.accept(append))
    }

    fn accept(&mut self, append: &Append) -> Appended {
        let recorded_at = append.recorded_at.max(self.last_time);
        let count = append.events.len() as u32;
        let receipt = Appended {
            first: self.head + 1,
            last: self.head + Position::from(count),
            recorded_at,
            repeated: false,
            durability: self.shared.options.durability,
        };
        let mut key = append.command.map(|key| (key, count));
        let mut tail = grow(self.active);
        for (event, position) in append.events.iter().zip(receipt.first..) {
            let key = key.take();
            let at = put_event(&mut self.frame, event, position, recorded_at, key);
            if let Some(tail) = &mut tail {
                let tags = event.tags.iter().map(|t| t.as_str());
                let command = key.map(|(key, _)| key.id);
                tail.add(
                    (self.at + at as u64) as u32,
                    event.id,
                    &event.ty,
                    tags,
                    command,
                );
            }
        }
        (self.head, self.last_time) = (receipt.last, recorded_at);
        receipt
    }

    fn repeated(&self, key: Option<CommandKey>) -> Result<Option<Appended>, AppendError> {
        let Some(key) = key else { return Ok(None) };
        match command(self.shared, key.id, self.head, &|s, o| self.pending(s, o))? {
            None => Ok(None),
            Some(known) if known.key == key => Ok(Some(Appended {
                repeated: true,
                ..known.receipt
            })),
            Some(_) => Err(AppendError::CommandReused { id: key.id }),
        }
    }

    fn duplicate(&self, events: &[NewEvent]) -> Result<Option<Appended>, AppendError> {
        if events.len() > 1 {
            let mut ids = HashSet::with_capacity(events.len());
            if let Some(twice) = events.iter().find(|e| !ids.insert(e.id)) {
                let message = format!("event id {} stands twice in one append", twice.id);
                return Err(AppendError::Invalid(message));
            }
        }
        for event in events {
            if let Some(at) = self.position(event.id)? {
                return self.same_batch(events, event.id, at).map(Some);
            }
        }
        Ok(None)
    }

    /// The receipt of a batch of which one event is there, if all of it is.
    fn same_batch(
        &self,
        events: &[NewEvent],
        id: Uuid,
        at: Position,
    ) -> Result<Appended, AppendError> {
        let first = self.position(events[0].id)?.unwrap_or(at);
        let mut recorded_at = None;
        for (event, position) in events.iter().zip(first..) {
            match self.stored(position)? {
                Some(old) if is_same(&old, event) => {
                    recorded_at.get_or_insert(old.meta.recorded_at);
                }
                _ => return Err(AppendError::DuplicateEvent { id, position: at }),
            }
        }
        Ok(Appended {
            first,
            last: first + events.len() as u64 - 1,
            recorded_at: recorded_at.unwrap_or_default(),
            repeated: true,
            durability: self.shared.options.durability,
        })
    }

    fn position(&self, id: Uuid) -> Result<Option<Position>, StoreError> {
        read::event_by_id(self.shared, id, self.head, &|s, o| self.pending(s, o))
    }

    fn stored(&self, position: Position) -> Result<Option<StoredEvent>, StoreError> {
        if position > self.head {
            return Ok(None);
        }
        let Some(stretch) = self.shared.stretch_of(position) else {
            return Ok(None);
        };
        let ordinal = (position - stretch.segment.first) as u32;
        let pending = |s: &Stretch, o| self.pending(s, o);
        with_event(self.shared, &stretch, ordinal, &pending, |view, bytes| {
            view.stored(bytes)
        })
    }

    /// The record of an event of this group, which is nowhere else yet.
    fn pending(&self, stretch: &Stretch, ordinal: u32) -> Option<Bytes> {
        let position = stretch.position(ordinal);
        if position <= self.shared.head() || position > self.head {
            return None;
        }
        let Index::Growing(tail) = &stretch.index else {
            return None;
        };
        let (offset, next) = {
            let tail = read_tail(tail);
            (tail.offset(ordinal)?, tail.offset(ordinal + 1))
        };
        let from = (u64::from(offset)).checked_sub(self.at)? as usize;
        let to = next.map_or(self.frame.len(), |next| {
            (u64::from(next) - self.at) as usize
        });
        self.frame.get(from..to).map(Bytes::copy_from_slice)
    }

    fn conditions(&self, conditions: &[AppendCondition]) -> Result<(), AppendError> {
        let pending = |s: &Stretch, o| self.pending(s, o);
        for (condition, c) in conditions.iter().enumerate() {
            let query = &c.fail_if_events_match;
            let found = read::first(self.shared, query, c.after, &pending)?;
            let blind = |at: &Position| flaw(Flaw::GroupMates) && *at > self.shared.head();
            if let Some(position) = found.filter(|at| !blind(at)) {
                return Err(AppendError::Conflict {
                    condition,
                    position,
                });
            }
        }
        Ok(())
    }
}

/// The tail of the newest stretch, to be added to. Only the writer does so.
fn grow(active: &Stretch) -> Option<RwLockWriteGuard<'_, Tail>> {
    match &active.index {
        Index::Growing(tail) => Some(tail.write().unwrap_or_else(PoisonError::into_inner)),
        Index::Part { .. } => None,
    }
}

/// The key and the receipt of a command, up to a head.
pub(crate) fn command(
    shared: &Shared,
    id: Uuid,
    head: Position,
    pending: &dyn Fn(&Stretch, u32) -> Option<Bytes>,
) -> Result<Option<CommandRecord>, StoreError> {
    let key = key::of_command(id);
    for stretch in shared.stretches().iter().rev() {
        if !stretch.may_have_command(id) {
            continue;
        }
        for ordinal in stretch.of_key(key, head)? {
            let look = |view: &EventView<'_>, _: &Bytes| {
                let first = view.position;
                view.key().map(|key| key.receipt(first))
            };
            let found = with_event(shared, stretch, ordinal, pending, look)?;
            let found = match found {
                None => old_command(shared, stretch, ordinal, pending)?,
                found => found,
            };
            if let Some(mut found) = found.filter(|found| found.key.id == id) {
                found.receipt.durability = shared.options.durability;
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

/// The command that version 1 of the format put before an event.
fn old_command(
    shared: &Shared,
    stretch: &Stretch,
    ordinal: u32,
    pending: &dyn Fn(&Stretch, u32) -> Option<Bytes>,
) -> Result<Option<CommandRecord>, StoreError> {
    let old = with_event(shared, stretch, ordinal, pending, |view, _| view.is_v1())?;
    if !old {
        return Ok(None);
    }
    let from = u64::from(read::one_span(stretch, ordinal)?.from);
    let mut before = vec![0; (RECORD_HEAD + 56).min(from as usize)];
    let start = from - before.len() as u64;
    let read = stretch.segment.disk().read_at(&mut before, start);
    read.map_err(|e| stretch.segment.unreadable(&e))?;
    Ok(v1_command_before(&before))
}

/// Whether an event that is there is what is to be appended.
fn is_same(old: &StoredEvent, new: &NewEvent) -> bool {
    let StoredEvent {
        ty,
        version,
        tags,
        data,
        meta,
    } = old;
    let Meta {
        position: _,
        id,
        recorded_at: _,
        origin,
    } = meta;
    (id, ty, version, tags, data, origin)
        == (
            &new.id,
            &new.ty,
            &new.version,
            &new.tags,
            &new.data,
            &new.origin,
        )
}
