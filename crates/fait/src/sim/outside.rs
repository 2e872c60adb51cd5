//! Other systems, as the simulated one sees them: they outlive its crashes, and act once for an id.

use super::place::Place;
use crate::app::{App, Limits, System, TellError, Told, Uncertain};
use fait_core::store::BoxFuture;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Another system with its ledger. It takes in every message and does nothing by itself: what it
/// sends back is part of the scenario. Cheap to clone; all clones have the same ledger.
#[derive(Clone, Default)]
pub struct Outside(Arc<Mutex<Ledger>>);

#[derive(Default)]
struct Ledger {
    acted: Vec<Told>,
    calls: u64,
    answered: usize,
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outside")
            .field("calls", &self.calls())
            .finish_non_exhaustive()
    }
}

impl Outside {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it acted upon, in order: once for an id.
    pub fn acted(&self) -> Vec<Told> {
        self.ledger().acted.clone()
    }

    /// How often it was told anything.
    pub fn calls(&self) -> u64 {
        self.ledger().calls
    }

    /// What it has not answered yet; counts as answered from now on.
    pub(super) fn take_unanswered(&self) -> Vec<Told> {
        let mut ledger = self.ledger();
        let new = ledger.acted.get(ledger.answered..).unwrap_or_default();
        let new = new.to_vec();
        ledger.answered = ledger.acted.len();
        new
    }

    fn take_in(&self, message: Told) {
        let mut ledger = self.ledger();
        ledger.calls += 1;
        if ledger.acted.iter().all(|known| known.id != message.id) {
            ledger.acted.push(message);
        }
    }
}

impl System for Outside {
    fn tell(&self, message: Told, _: App) -> BoxFuture<'_, Result<(), TellError>> {
        Box::pin(async move {
            self.take_in(message);
            Ok(())
        })
    }

    fn on_uncertain(&self) -> Uncertain {
        Uncertain::Retry
    }
}

/// A way to another system that may fail, and where the simulated system may stop.
#[derive(Debug)]
pub struct Way<S> {
    place: Place,
    system: S,
}

impl Place {
    /// The way to another system from here: telling it is an operation at which the simulated
    /// system can stop, and the way can fail before the message arrives, or after.
    pub fn way<S: System>(&self, system: S) -> Way<S> {
        Way {
            place: self.clone(),
            system,
        }
    }
}

impl<S: System> System for Way<S> {
    fn tell(&self, message: Told, app: App) -> BoxFuture<'_, Result<(), TellError>> {
        Box::pin(async move {
            let what = format!("tell {} {}", message.name, message.body);
            let one_in = self.place.plan().faults.system;
            let failed = || TellError::unknown("the simulated way to it failed");
            let work = self.system.tell(message, app);
            self.place.operation(what, one_in, failed, work).await
        })
    }

    fn on_uncertain(&self) -> Uncertain {
        self.system.on_uncertain()
    }

    fn limits(&self) -> Limits {
        self.system.limits()
    }
}
