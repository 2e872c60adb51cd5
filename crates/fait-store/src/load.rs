//! Loading events as they once were: with their times, keys of commands, and what was erased.
//! Conditions are not judged, they were judged then.

use crate::commit::command;
use crate::format::{FRAME_HEADER, Key, Left, packed_bound, put_event, put_left};
use crate::read::{event_by_id, none_pending};
use crate::stretch::Index;
use crate::writer::Writer;
use fait_core::event::{NewEvent, Position, Time};
use fait_core::store::{ERASED, StoreError};
use std::collections::HashSet;
use std::sync::PoisonError;
use uuid::Uuid;

/// An event to be loaded.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    /// Of an erased one there are only the id, and the type if it was kept.
    pub(crate) event: NewEvent,
    pub(crate) erased: bool,
    /// 0 for an erased event whose time was not kept.
    pub(crate) recorded_at: Time,
    /// Set in the first event of an append with a command key.
    pub(crate) key: Option<Key>,
}

/// Events cannot be loaded; none of them was.
#[derive(Debug)]
pub(crate) enum LoadError {
    /// The n-th has the id of another event.
    Twice(usize, Uuid),
    /// The n-th has the command key of another append.
    KeyTwice(usize, Uuid),
    Store(StoreError),
}

impl From<StoreError> for LoadError {
    fn from(e: StoreError) -> LoadError {
        LoadError::Store(e)
    }
}

impl Loaded {
    fn put(&self, frame: &mut Vec<u8>, position: Position) -> usize {
        let (event, recorded_at) = (&self.event, self.recorded_at);
        if !self.erased {
            let key = self.key.map(|key| (key.key, key.events));
            return put_event(frame, event, position, recorded_at, key);
        }
        let left = Left {
            position,
            id: event.id,
            ty: &event.ty,
            recorded_at,
            key: self.key,
        };
        put_left(frame, &left)
    }
}

impl Writer {
    /// Puts events behind the last one, as one frame.
    pub(crate) fn load(&mut self, events: &[Loaded]) -> Result<(), LoadError> {
        self.are_new(events)?;
        let bytes = FRAME_HEADER + 8 + events.iter().map(|e| packed_bound(&e.event)).sum::<usize>();
        self.make_room(bytes as u64)?;
        let Index::Growing(tail) = &self.active.index else {
            return Err(self.shared.stopped().into());
        };
        let (head, at) = (self.shared.head(), self.log.end());
        let mut frame = vec![0; FRAME_HEADER];
        let mut last_time = self.last_time;
        {
            let mut tail = tail.write().unwrap_or_else(PoisonError::into_inner);
            for (event, position) in events.iter().zip(head + 1..) {
                let offset = (at + event.put(&mut frame, position) as u64) as u32;
                let command = event.key.map(|key| key.key.id);
                let tags = event.event.tags.iter().map(|tag| tag.as_str());
                let ty = if event.erased {
                    ERASED
                } else {
                    &event.event.ty
                };
                tail.add(offset, event.event.id, ty, tags, command);
                last_time = last_time.max(event.recorded_at);
            }
        }
        self.write(frame, head + events.len() as Position, last_time)?;
        Ok(())
    }

    fn are_new(&self, events: &[Loaded]) -> Result<(), LoadError> {
        let (shared, head) = (&self.shared, self.shared.head());
        let (mut ids, mut keys) = (HashSet::with_capacity(events.len()), HashSet::new());
        for (n, event) in events.iter().enumerate() {
            let id = event.event.id;
            if !ids.insert(id) || event_by_id(shared, id, head, &none_pending)?.is_some() {
                return Err(LoadError::Twice(n, id));
            }
            let Some(key) = event.key else {
                continue;
            };
            let id = key.key.id;
            if !keys.insert(id) || command(shared, id, head, &none_pending)?.is_some() {
                return Err(LoadError::KeyTwice(n, id));
            }
        }
        Ok(())
    }
}
