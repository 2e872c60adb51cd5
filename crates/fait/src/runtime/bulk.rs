//! Actions on many instances that are under way, one for each process at most.

use fait_core::event::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Failures that are kept with their reason, the first ones.
pub const MAX_FAILURES: usize = 20;

/// How an action on many instances stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BulkState {
    /// It goes on.
    Running,
    /// Everything that fitted was looked at.
    Done,
    /// Somebody ended it, or the system stops. What was done stays done.
    Aborted,
    /// The instances cannot be found any more.
    Broken,
}

/// An instance with which it could not be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failed {
    /// The instance.
    pub key: String,
    /// Why.
    pub why: String,
}

/// How far an action on many instances has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Names this run.
    pub id: Uuid,
    /// The process.
    pub process: String,
    /// What is done.
    pub action: String,
    /// Who said so.
    pub by: String,
    /// Why.
    pub reason: String,
    /// At most so many in a second.
    pub rate: u32,
    /// How it stands.
    pub state: BulkState,
    /// Instances that fitted when it began.
    pub found: u64,
    /// With how many it was done.
    pub done: u64,
    /// How many had gone on meanwhile, or had it done to them before.
    pub passed_over: u64,
    /// With how many it could not be done.
    pub failed: u64,
    /// The first of these, at most [`MAX_FAILURES`].
    pub failures: Vec<Failed>,
    /// When it began.
    pub began: Time,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Time>,
}

impl Progress {
    /// How many of those that fitted are left.
    pub fn left(&self) -> u64 {
        let past = self.done + self.passed_over + self.failed;
        self.found.saturating_sub(past)
    }
}

/// One run.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) abort: CancellationToken,
    progress: Mutex<Progress>,
}

impl Job {
    pub(crate) fn progress(&self) -> MutexGuard<'_, Progress> {
        lock(&self.progress)
    }
}

/// The last run of each process, also when it has ended. Forgotten when the system stops.
#[derive(Debug, Default)]
pub(crate) struct Bulks(Mutex<BTreeMap<String, Arc<Job>>>);

impl Bulks {
    /// Begins a run; the one that goes on already, if there is one, is in its way.
    pub(crate) fn begin(&self, progress: Progress) -> Result<Arc<Job>, Box<Progress>> {
        let mut all = lock(&self.0);
        if let Some(job) = all.get(&progress.process) {
            let before = job.progress().clone();
            if before.state == BulkState::Running {
                return Err(Box::new(before));
            }
        }
        let process = progress.process.clone();
        let job = Arc::new(Job {
            abort: CancellationToken::new(),
            progress: Mutex::new(progress),
        });
        all.insert(process, job.clone());
        Ok(job)
    }

    pub(crate) fn of(&self, process: &str) -> Option<Arc<Job>> {
        lock(&self.0).get(process).cloned()
    }
}

fn lock<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}
