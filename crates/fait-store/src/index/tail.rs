//! The index of the newest events, in memory. It may know of events that are not durable yet;
//! who reads stops at the head.

use super::list::{List, between};
use crate::format::Bounds;
use crate::key::{self, BuildAsIs, Key};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use uuid::Uuid;

/// Set in a slot that is an ordinal itself; otherwise the slot is the number of a list. A segment
/// is too short to have so many events.
const ONE: u32 = 1 << 31;

/// The index of the events from an ordinal on.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    from: u32,
    offsets: Vec<u32>,
    slots: HashMap<Key, u32, BuildAsIs>,
    lists: Vec<Vec<u32>>,
    pub(crate) ids: Bounds,
    pub(crate) commands: Bounds,
}

impl Tail {
    pub(crate) fn new(from: u32) -> Tail {
        Tail {
            from,
            ..Tail::default()
        }
    }

    /// The next ordinal.
    pub(crate) fn next(&self) -> u32 {
        self.from + self.offsets.len() as u32
    }

    /// Adds the next event.
    pub(crate) fn add<'a>(
        &mut self,
        offset: u32,
        id: Uuid,
        ty: &str,
        tags: impl Iterator<Item = &'a str>,
        command: Option<Uuid>,
    ) {
        let ordinal = self.next();
        self.offsets.push(offset);
        self.ids.add(id);
        self.post(key::of_event(id), ordinal);
        if !ty.is_empty() {
            self.post(key::of_type(ty), ordinal);
        }
        for tag in tags {
            self.post(key::of_tag(tag), ordinal);
        }
        if let Some(id) = command {
            self.commands.add(id);
            self.post(key::of_command(id), ordinal);
        }
    }

    /// Adds an ordinal to a key's list; a name given twice counts once.
    fn post(&mut self, key: Key, ordinal: u32) {
        match self.slots.entry(key) {
            Entry::Vacant(vacant) => drop(vacant.insert(ordinal | ONE)),
            Entry::Occupied(mut slot) if slot.get() & ONE != 0 => {
                let first = slot.get() & !ONE;
                if first != ordinal {
                    slot.insert(self.lists.len() as u32);
                    self.lists.push(vec![first, ordinal]);
                }
            }
            Entry::Occupied(slot) => {
                let list = &mut self.lists[*slot.get() as usize];
                if list.last() != Some(&ordinal) {
                    list.push(ordinal);
                }
            }
        }
    }

    /// The offset of a record.
    pub(crate) fn offset(&self, ordinal: u32) -> Option<u32> {
        let n = ordinal.checked_sub(self.from)?;
        self.offsets.get(n as usize).copied()
    }

    /// The ordinals of a key from `low` to `high`.
    pub(crate) fn list(&self, key: Key, low: u32, high: u32) -> Option<List> {
        let slot = *self.slots.get(&key)?;
        if slot & ONE != 0 {
            let ordinal = slot & !ONE;
            return (low <= ordinal && ordinal <= high).then(|| List::whole(vec![ordinal]));
        }
        let list = between(&self.lists[slot as usize], low, high);
        (!list.is_empty()).then(|| List::whole(list.to_vec()))
    }
}
