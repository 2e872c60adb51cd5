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

#[cfg(test)]
mod tests {
    use super::*;
    use fait_core::decision::{Model, Scope};
    use fait_core::event::{Never, Tag};

    #[derive(Clone)]
    struct Key(usize);

    impl Scope for Key {
        fn tags(&self) -> Vec<Tag> {
            vec![Tag::new("n", self.0)]
        }
    }

    #[derive(Default)]
    struct Nothing;

    impl Model for Nothing {
        type Key = Key;
        type Events = Never;
        fn evolve(&mut self, event: Never) {
            match event {}
        }
    }

    fn id(n: usize) -> BoundaryId {
        BoundaryId::of::<Nothing>(&Key(n))
    }

    fn folded(to: Position) -> Folded {
        Folded {
            to,
            whole: true,
            ..Folded::default()
        }
    }

    #[test]
    fn those_not_used_for_longest_go_first() {
        let models = Models::new(3);
        for n in 0..3 {
            models.put(id(n), Box::new(n), folded(1), 1);
        }
        let (first, _) = models.take(&id(0)).unwrap();
        models.put(id(0), first, folded(2), 1);
        models.put(id(3), Box::new(3), folded(1), 1);
        assert_eq!(models.len(), 3);
        assert!(models.take(&id(1)).is_none());
        assert_eq!(models.take(&id(0)).unwrap().1.to, 2);
    }

    #[test]
    fn what_they_hold_has_a_limit_and_is_counted_right() {
        let models = Models::new(1000);
        for n in 0..100 {
            models.put(id(n), Box::new(n), folded(1), MAX_MODEL_BYTES * 2);
        }
        assert_eq!(models.len(), 8);
        for n in 0..100 {
            let _ = models.take(&id(n));
        }
        let kept = models.kept();
        assert_eq!((kept.bytes, kept.order.len(), kept.models.len()), (0, 0, 0));
    }

    #[test]
    fn what_is_half_folded_or_forgotten_or_older_is_not_kept() {
        let models = Models::new(10);
        let half = Folded {
            whole: false,
            ..folded(1)
        };
        models.put(id(1), Box::new(1), half, 1);
        assert_eq!(models.len(), 0);
        models.put(id(1), Box::new("newer"), folded(9), 1);
        models.put(id(1), Box::new("older"), folded(5), 1);
        assert_eq!(models.take(&id(1)).unwrap().1.to, 9);
        models.forget();
        models.put(id(1), Box::new(1), folded(10), 1);
        assert_eq!(models.len(), 0);
    }
}
