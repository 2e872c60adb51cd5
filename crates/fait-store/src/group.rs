//! A group of appends that become durable together: judged in order, encoded into one frame.

use crate::flaw::{Flaw, flaw};
use crate::format::{CommandRecord, FRAME_HEADER, RECORD_HEAD, put_command, put_event};
use crate::index::{Index, Place};
use crate::read;
use crate::shared::{Published, Shared};
use bytes::Bytes;
use fait_core::event::{Meta, NewEvent, Position, StoredEvent};
use fait_core::store::{
    Append, AppendCondition, AppendError, Appended, CommandKey, Durability, StoreError, validate,
};
use std::collections::HashSet;

/// Appends that were accepted and are not yet durable.
pub(crate) struct Group {
    frame: Vec<u8>,
    index: Index,
    durability: Durability,
}

impl Group {
    /// An empty group behind what is published.
    pub(crate) fn behind(published: &Index, mut frame: Vec<u8>, durability: Durability) -> Group {
        frame.clear();
        frame.resize(FRAME_HEADER, 0);
        Group {
            frame,
            index: Index::behind(published.head(), published.last_time()),
            durability,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.frame.len() == FRAME_HEADER
    }

    /// Length of the frame so far.
    pub(crate) fn bytes(&self) -> usize {
        self.frame.len()
    }

    /// The frame, with room for its header, and the index of its events.
    pub(crate) fn finish(self) -> (Vec<u8>, Index) {
        (self.frame, self.index)
    }

    /// Judges an append against what is published and this group so far, and takes it in.
    pub(crate) fn judge(
        &mut self,
        shared: &Shared,
        append: &Append,
    ) -> Result<Appended, AppendError> {
        let published = shared.read()?;
        validate(append, self.index.head())?;
        if let Some(first) = self.repeated(&published, append.command)? {
            return Ok(first);
        }
        if let Some(first) = self.duplicate(shared, &published, &append.events)? {
            return Ok(first);
        }
        self.conditions(&published, &append.conditions)?;
        drop(published);
        Ok(self.accept(append))
    }

    fn accept(&mut self, append: &Append) -> Appended {
        let head = self.index.head();
        let recorded_at = append.recorded_at.max(self.index.last_time());
        let receipt = Appended {
            first: head + 1,
            last: head + append.events.len() as u64,
            recorded_at,
            repeated: false,
            durability: self.durability,
        };
        if let Some(key) = append.command {
            let command = CommandRecord { key, receipt };
            put_command(&mut self.frame, &command);
            self.index.add_command(command);
        }
        for (event, position) in append.events.iter().zip(receipt.first..) {
            let (at, length) = put_event(&mut self.frame, event, position, recorded_at);
            let place = Place {
                segment: 0,
                offset: at as u32,
                length,
            };
            self.index.add_new(place, event, recorded_at);
        }
        receipt
    }

    fn repeated(
        &self,
        published: &Published,
        key: Option<CommandKey>,
    ) -> Result<Option<Appended>, AppendError> {
        let Some(key) = key else { return Ok(None) };
        let known = self
            .index
            .command(key.id)
            .or_else(|| published.index.command(key.id));
        match known {
            None => Ok(None),
            Some(known) if known.key == key => Ok(Some(Appended {
                repeated: true,
                durability: self.durability,
                ..known.receipt
            })),
            Some(_) => Err(AppendError::CommandReused { id: key.id }),
        }
    }

    fn duplicate(
        &self,
        shared: &Shared,
        published: &Published,
        events: &[NewEvent],
    ) -> Result<Option<Appended>, AppendError> {
        let mut ids = HashSet::with_capacity(events.len());
        if let Some(twice) = events.iter().find(|e| !ids.insert(e.id)) {
            let message = format!("event id {} stands twice in one append", twice.id);
            return Err(AppendError::Invalid(message));
        }
        let known = |id| self.index.event(id).or_else(|| published.index.event(id));
        let found = events.iter().find_map(|e| Some((e.id, known(e.id)?)));
        let Some((id, at)) = found else {
            return Ok(None);
        };
        let first = known(events[0].id).unwrap_or(at);
        let mut recorded_at = None;
        for (event, position) in events.iter().zip(first..) {
            match self.stored(shared, published, position)? {
                Some(old) if is_same(&old, event) => {
                    recorded_at.get_or_insert(old.meta.recorded_at);
                }
                _ => return Err(AppendError::DuplicateEvent { id, position: at }),
            }
        }
        Ok(Some(Appended {
            first,
            last: first + events.len() as u64 - 1,
            recorded_at: recorded_at.unwrap_or_default(),
            repeated: true,
            durability: self.durability,
        }))
    }

    /// An event of this group, or one that is published.
    fn stored(
        &self,
        shared: &Shared,
        published: &Published,
        position: Position,
    ) -> Result<Option<StoredEvent>, StoreError> {
        if let Some(place) = self.index.place(position) {
            let at = place.offset as usize;
            let record = at..at + RECORD_HEAD + place.length as usize;
            let buffer = Bytes::copy_from_slice(&self.frame[record]);
            return Ok(read::event_at(&buffer, 0, place, position));
        }
        let Some(place) = published.index.place(position) else {
            return Ok(None);
        };
        let wanted = [read::Wanted { position, place }];
        Ok(read::read_wanted(&shared.path, &published.segments, &wanted)?.pop())
    }

    fn conditions(
        &self,
        published: &Published,
        conditions: &[AppendCondition],
    ) -> Result<(), AppendError> {
        for (condition, c) in conditions.iter().enumerate() {
            let query = &c.fail_if_events_match;
            let found = published.index.first(query, c.after);
            let mates = || self.index.first(query, c.after);
            let mates = || mates().filter(|_| !flaw(Flaw::GroupMates));
            if let Some(position) = found.or_else(mates) {
                return Err(AppendError::Conflict {
                    condition,
                    position,
                });
            }
        }
        Ok(())
    }
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
