//! Instances of a process in memory, in partitions by their key. They are never the truth: a step
//! is appended only if the log has nothing newer of its instance.

use fait_core::event::{Meta, Position, Tag};
use fait_core::process::{Fact, Instance, Status};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Virtual partitions of a process. Inputs of one partition are taken by one task; different
/// partitions by several.
pub const PARTITIONS: usize = 64;

/// Most instances that one partition keeps in memory; those used last.
const MAX_KNOWN: usize = 64;

/// An instance whose state is longer than this, as JSON, is read from the log each time.
const MAX_STATE_BYTES: usize = 16 << 10;

/// An instance, with how far its inputs were offered to it.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) instance: Instance,
    /// Every input up to here was offered, also those of which nothing came.
    pub(super) offered: Position,
    used: u64,
    /// At least as many bytes as its state has as JSON.
    bytes: usize,
}

impl Known {
    pub(super) fn new(instance: Instance) -> Known {
        Known {
            offered: instance.last_input,
            bytes: state_bytes(&instance),
            instance,
            used: 0,
        }
    }

    /// It took a step here, of so many bytes: its state is a part of them.
    pub(super) fn stepped(&mut self, bytes: usize) {
        self.bytes = bytes;
    }

    pub(super) fn absorb(&mut self, fact: &Fact, meta: &Meta, tags: &[Tag]) {
        self.instance.absorb(fact, meta, tags);
        if let Fact::Parked(_) | Fact::Resumed(_) = fact {
            // What is offered while it waits is not taken, and comes again.
            self.offered = self.instance.last_input;
        }
    }
}

fn state_bytes(instance: &Instance) -> usize {
    let state = instance.state.as_ref();
    state.map_or(0, |(_, state)| state.to_string().len())
}

/// The partition of a key.
pub(super) fn partition(key: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    (hasher.finish() % PARTITIONS as u64) as usize
}

#[derive(Debug, Default)]
struct Lane {
    known: HashMap<String, Known>,
    uses: u64,
}

/// The partitions of a process.
#[derive(Debug)]
pub(super) struct Lanes(Vec<Mutex<Lane>>);

impl Default for Lanes {
    fn default() -> Self {
        Lanes((0..PARTITIONS).map(|_| Mutex::default()).collect())
    }
}

impl Lanes {
    fn lane(&self, key: &str) -> MutexGuard<'_, Lane> {
        let lane = &self.0[partition(key)];
        lane.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an instance out; whoever has it in hand puts it back.
    pub(super) fn take(&self, key: &str) -> Option<Known> {
        self.lane(key).known.remove(key)
    }

    /// Puts an instance back, as the newest. The one that was not used for longest makes room.
    pub(super) fn put(&self, mut known: Known) {
        let large = known.bytes > MAX_STATE_BYTES;
        if large || known.instance.status == Status::Ended {
            return;
        }
        let mut lane = self.lane(&known.instance.key);
        if lane.known.len() >= MAX_KNOWN {
            let oldest = lane.known.iter().min_by_key(|(_, k)| k.used);
            if let Some(key) = oldest.map(|(key, _)| key.clone()) {
                lane.known.remove(&key);
            }
        }
        lane.uses += 1;
        known.used = lane.uses;
        lane.known.insert(known.instance.key.clone(), known);
    }

    /// Lets an instance that is in memory hear of a fact.
    pub(super) fn absorb(&self, fact: &Fact, meta: &Meta, tags: &[Tag]) {
        let (_, key) = fact.instance();
        if let Some(known) = self.lane(key).known.get_mut(key) {
            known.absorb(fact, meta, tags);
            if let Fact::Stepped(_) = fact {
                // Another program's step.
                known.bytes = state_bytes(&known.instance);
            }
        }
    }

    /// Forgets all.
    pub(super) fn forget(&self) {
        for lane in &self.0 {
            let mut lane = lane.lock().unwrap_or_else(PoisonError::into_inner);
            lane.known.clear();
        }
    }
}
