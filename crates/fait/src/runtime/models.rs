//! Models that decisions were made on, kept in memory for the next decision on the same thing,
//! so that only what happened since is read. They are never the truth: the condition of the
//! append judges, whatever a decision was made on.

use fait_core::decision::BoundaryId;
use fait_core::event::Position;
use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most models that are kept in memory, unless [`AppBuilder`](crate::app::AppBuilder) says
/// otherwise.
pub const MAX_MODELS: usize = 10_000;

/// Most bytes that models in memory are taken to hold together. One is taken to hold no more than
/// the events that were folded into it, and an eighth of this at most, so that a model of a long
/// history, which is worth most, is kept too: what they really hold can be more.
pub const MAX_MODEL_BYTES: usize = 64 << 20;

/// How far a model has been folded, and out of what.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Folded {
    /// Everything up to here is in it.
    pub(crate) to: Position,
    /// Bytes of the events in it.
    pub(crate) bytes: usize,
    /// Events taken in since it was last kept on disk.
    pub(crate) since: u32,
    /// How often everything had been forgotten when it was begun.
    pub(crate) epoch: u64,
    /// Whether it has come to an end of what there was, and not been left half way.
    pub(crate) whole: bool,
}

/// The models, those used last at the end.
#[derive(Debug)]
pub(crate) struct Models {
    limit: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    models: HashMap<BoundaryId, Entry>,
    /// By when they were put back: the smallest is the oldest.
    order: BTreeMap<u64, BoundaryId>,
    next: u64,
    bytes: usize,
    epoch: u64,
}

#[derive(Debug)]
struct Entry {
    model: Box<dyn Any + Send>,
    folded: Folded,
    holds: usize,
    place: u64,
}

impl Models {
    pub(crate) fn new(limit: usize) -> Models {
        Models {
            limit,
            kept: Mutex::default(),
        }
    }

    /// How often everything was forgotten.
    pub(crate) fn epoch(&self) -> u64 {
        self.kept().epoch
    }

    /// Takes a model out: nobody else can have it meanwhile.
    pub(crate) fn take(&self, id: &BoundaryId) -> Option<(Box<dyn Any + Send>, Folded)> {
        let entry = self.kept().remove(id);
        match entry.is_some() {
            true => metrics::counter!("fait_model_cache_hits_total").increment(1),
            false => metrics::counter!("fait_model_cache_misses_total").increment(1),
        }
        entry.map(|e| (e.model, e.folded))
    }

    /// Puts a model in its place; the oldest go when there are too many. One that was begun before
    /// everything was forgotten is dropped.
    pub(crate) fn put(
        &self,
        id: BoundaryId,
        model: Box<dyn Any + Send>,
        folded: Folded,
        holds: usize,
    ) {
        let mut gone = vec![];
        let mut kept = self.kept();
        if folded.epoch != kept.epoch || !folded.whole || self.limit == 0 {
            return;
        }
        if kept
            .models
            .get(&id)
            .is_some_and(|e| e.folded.to > folded.to)
        {
            return;
        }
        gone.extend(kept.remove(&id));
        let (place, holds) = (kept.next, holds.min(MAX_MODEL_BYTES / 8));
        kept.next += 1;
        kept.bytes += holds;
        kept.order.insert(place, id.clone());
        let entry = Entry {
            model,
            folded,
            holds,
            place,
        };
        kept.models.insert(id, entry);
        while kept.models.len() > self.limit || kept.bytes > MAX_MODEL_BYTES {
            let Some(oldest) = kept.order.first_key_value().map(|(_, id)| id.clone()) else {
                break;
            };
            gone.extend(kept.remove(&oldest));
        }
        metrics::gauge!("fait_model_cache_models").set(kept.models.len() as f64);
        // What is dropped is the application's, and may be large: not under the lock.
        drop(kept);
        drop(gone);
    }

    /// Forgets all, also those that are in use: they will not come back.
    pub(crate) fn forget(&self) {
        let mut kept = self.kept();
        let forgotten = Kept {
            epoch: kept.epoch + 1,
            ..Kept::default()
        };
        let gone = std::mem::replace(&mut *kept, forgotten);
        drop(kept);
        drop(gone);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.kept().models.len()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn remove(&mut self, id: &BoundaryId) -> Option<Entry> {
        let entry = self.models.remove(id)?;
        self.order.remove(&entry.place);
        self.bytes -= entry.holds;
        Some(entry)
    }
}
