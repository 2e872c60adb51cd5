//! The way between two systems: what is on it, and until when it carries nothing.

use super::bus::Lane;
use crate::clock::Clock;
use crate::sim::place::Place;
use fait_core::event::Time;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The longest that chance takes the way down for.
const DOWN_SECONDS: u64 = 20;

/// The longest that chance keeps something on the way, on the simulated machine.
const LATE_MILLIS: u64 = 40;

/// The way between two systems.
#[derive(Debug, Default)]
pub(super) struct Ways {
    /// It carries nothing before that.
    down_until: Mutex<Time>,
    /// What is on it and waited for by nobody.
    flying: AtomicUsize,
    /// What each of the two publishes.
    pub(super) lanes: [Lane; 2],
}

impl Ways {
    /// From now on it carries nothing, for a time.
    pub(super) fn cut(&self, clock: &Clock, time: Duration) {
        let mut until = self
            .down_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *until = (*until).max(clock.now() + time);
    }

    /// It never carries anything.
    pub(super) fn none() -> Ways {
        Ways {
            down_until: Mutex::new(Time(u64::MAX)),
            ..Ways::default()
        }
    }

    pub(super) fn is_down(&self, clock: &Clock) -> bool {
        let until = self
            .down_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        clock.now() < *until
    }

    /// Something is on the way, until what is given back is dropped.
    pub(super) fn flies(self: &Arc<Ways>) -> Flight {
        self.flying.fetch_add(1, Ordering::Relaxed);
        Flight(self.clone())
    }

    pub(super) fn flying(&self) -> usize {
        self.flying.load(Ordering::Relaxed)
    }

    /// Takes the way down, or keeps back what is to go over it, if chance says so.
    pub(super) async fn hindered(&self, from: &Place) -> bool {
        let faults = from.plan().faults;
        if from.happens(faults.down) {
            let time = Duration::from_secs(1 + from.below(DOWN_SECONDS));
            self.cut(from.clock(), time);
        }
        if self.is_down(from.clock()) {
            return true;
        }
        if from.happens(faults.reorder) {
            // What comes behind it may overtake it.
            tokio::time::sleep(late(from)).await;
        }
        false
    }
}

/// How late something comes, by chance.
pub(super) fn late(from: &Place) -> Duration {
    Duration::from_millis(from.below(LATE_MILLIS))
}

/// Something that is on the way.
pub(super) struct Flight(Arc<Ways>);

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.flying.fetch_sub(1, Ordering::Relaxed);
    }
}
