//! Commands under a key that are being carried out in this program.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// Those that run now, each with the actor that asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Running(Arc<Mutex<HashMap<Uuid, String>>>);

/// One that runs, until this is dropped.
#[derive(Debug)]
pub(crate) struct Run {
    id: Uuid,
    all: Running,
}

impl Running {
    /// Begins one; none when it runs already.
    pub(crate) fn begin(&self, id: Uuid, actor: &str) -> Option<Run> {
        match self.all().entry(id) {
            Entry::Occupied(_) => return None,
            Entry::Vacant(free) => free.insert(actor.into()),
        };
        Some(Run {
            id,
            all: self.clone(),
        })
    }

    /// Who asked for one that runs.
    pub(crate) fn actor_of(&self, id: Uuid) -> Option<String> {
        self.all().get(&id).cloned()
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, String>> {
        // Nothing in here is left by half when a thread panics.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.all.all().remove(&self.id);
    }
}
