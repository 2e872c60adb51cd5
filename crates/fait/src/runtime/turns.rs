//! Decisions that would be in each other's way take turns, first come, first served. This saves
//! work and nothing else: what is recorded is judged by the condition of the append.

use fait_core::decision::Deciding;
use fait_core::query::Query;
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Mutex as Queue, OwnedMutexGuard};

/// Who decides on what, and who waits for it. There is an entry only while somebody does.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    queues: Mutex<HashMap<u64, Arc<Queue<()>>>>,
    seed: RandomState,
}

/// A turn; the next one's comes when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    place: Place,
    held: Option<OwnedMutexGuard<()>>,
}

/// A place in a queue. Dropped while it waits, it is given up.
#[derive(Debug)]
struct Place {
    turns: Arc<Turns>,
    key: u64,
    queue: Option<Arc<Queue<()>>>,
}

impl Turns {
    /// Waits for the turn of a decision. None is needed when nothing that it may record could be
    /// in the way of another that guards the same: those go on side by side.
    pub(crate) async fn take(
        self: &Arc<Self>,
        deciding: &dyn Deciding,
        guard: &Query,
    ) -> Option<Turn> {
        let may_meet = guard.items.iter().any(|i| deciding.may_raise(&i.types));
        if !may_meet {
            return None;
        }
        self.wait(self.key(guard)).await
    }

    async fn wait(self: &Arc<Self>, key: u64) -> Option<Turn> {
        let place = self.place(key);
        let queue = place.queue.clone()?;
        let held = match queue.clone().try_lock_owned() {
            Ok(held) => held,
            Err(_) => {
                metrics::counter!("fait_decisions_queued_total").increment(1);
                queue.lock_owned().await
            }
        };
        Some(Turn {
            place,
            held: Some(held),
        })
    }

    /// The same for queries that select the same, in whatever order they say it. Two that do not
    /// and have the same key take turns for nothing, which does no harm.
    fn key(&self, guard: &Query) -> u64 {
        let items = guard.items.iter().map(|item| {
            let types = self.sum(item.types.iter());
            let tags = self.sum(item.tags.iter().map(|t| t.as_str()));
            self.seed.hash_one((types, tags))
        });
        self.sum(items)
    }

    fn sum(&self, parts: impl Iterator<Item = impl Hash>) -> u64 {
        parts.fold(0, |sum, part| sum.wrapping_add(self.seed.hash_one(part)))
    }

    fn place(self: &Arc<Self>, key: u64) -> Place {
        let queue = self.queues().entry(key).or_default().clone();
        Place {
            turns: self.clone(),
            key,
            queue: Some(queue),
        }
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<u64, Arc<Queue<()>>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Before the place is given up, so that nobody is left who holds the queue.
        self.held = None;
        self.place.leave();
    }
}

impl Place {
    fn leave(&mut self) {
        if self.queue.take().is_none() {
            return;
        }
        let mut queues = self.turns.queues();
        // Places are taken under this lock, so one holder means that nobody waits.
        if queues
            .get(&self.key)
            .is_some_and(|q| Arc::strong_count(q) == 1)
        {
            queues.remove(&self.key);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fait_core::event::Tag;
    use fait_core::query::QueryItem;
    use futures_util::FutureExt;

    fn item(types: &[&str], tags: &[&str]) -> QueryItem {
        QueryItem::of(types, tags.iter().map(|t| Tag::raw(*t)).collect())
    }

    #[test]
    fn the_order_of_words_makes_no_other_queue() {
        let turns = Turns::default();
        let (one, two) = (item(&["A", "B"], &["x:1", "y:2"]), item(&["C"], &[]));
        let same = item(&["B", "A"], &["y:2", "x:1"]);
        let key =
            |a: &QueryItem, b: &QueryItem| turns.key(&Query::default().or(a.clone()).or(b.clone()));
        assert_eq!(key(&one, &two), key(&two, &same));
        assert_ne!(
            key(&one, &two),
            key(&two, &item(&["A", "B"], &["x:1", "y:3"]))
        );
        assert_ne!(
            key(&one, &two),
            key(&two, &item(&["A", "x:1"], &["B", "y:2"]))
        );
    }

    #[test]
    fn only_what_may_be_recorded_needs_a_turn() {
        use fait_core::decision::raises;
        let guard = item(&["A", "B"], &["x:1"]).types;
        assert!(raises(&["B"], &guard));
        assert!(!raises(&["C"], &guard));
        assert!(raises(&["C"], &[]), "any type is guarded");
        assert!(!raises::<&str>(&[], &[]));
    }

    #[test]
    fn turns_come_in_order_and_a_queue_without_anybody_is_gone() {
        let turns = Arc::new(Turns::default());
        let first = turns.wait(1).now_or_never();
        let mut waiting: Vec<_> = (0..4).map(|_| Box::pin(turns.wait(1))).collect();
        for place in &mut waiting {
            assert!(place.as_mut().now_or_never().is_none());
        }
        assert!(turns.wait(2).now_or_never().is_some(), "another queue");
        // The second in the row goes away before its turn.
        drop(waiting.remove(1));
        drop(first);
        for n in (0..3).rev() {
            for later in waiting.iter_mut().skip(1) {
                assert!(later.as_mut().now_or_never().is_none());
            }
            let turn = waiting[0].as_mut().now_or_never();
            assert!(turn.is_some());
            drop(waiting.remove(0));
            assert_eq!((turns.queues().len(), waiting.len()), (1, n));
            drop(turn);
        }
        assert!(turns.queues().is_empty());
    }

    #[test]
    fn those_who_go_away_leave_nothing() {
        let turns = Arc::new(Turns::default());
        let first = turns.wait(1).now_or_never();
        let mut second = Box::pin(turns.wait(1));
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        // It has its turn and does not know it yet.
        drop(second);
        assert!(turns.queues().is_empty());
    }
}
