//! The same action on many instances: first how many and which, then at a rate that the system
//! bears, with progress and a way to end it.

use super::{Act, App, Filter, MigrateError, OperateError, Picked};
use crate::runtime::bulk::{BulkState, Failed, Job, MAX_FAILURES, Progress};
use fait_core::store::StoreError;
use futures_util::StreamExt;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How many instances are treated in a second when nobody says.
pub const DEFAULT_RATE: u32 = 50;

/// Most instances in a second that may be asked for.
pub const MAX_RATE: u32 = 10_000;

/// Instances that a preview shows.
pub const MAX_SAMPLE: usize = 20;

/// Instances that are found at once.
const PAGE: usize = 500;

/// Instances that are treated at the same time, so that one wait for the disk serves some.
const AT_ONCE: usize = 16;

/// How much time of a slow moment is made up for.
const MADE_UP: Duration = Duration::from_millis(100);

/// An action on many instances.
#[derive(Clone, Debug, PartialEq)]
pub struct Bulk {
    /// On which.
    pub filter: Filter,
    /// [`Act::Retry`], [`Act::Skip`], [`Act::Cancel`], [`Act::Complete`], [`Act::Fire`]
    /// or [`Act::Migrate`].
    pub act: Act,
    /// Who says so.
    pub by: String,
    /// Why.
    pub reason: String,
    /// At most so many in a second, from 1 to [`MAX_RATE`].
    pub rate: u32,
}

/// What an action on many instances would be about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preview {
    /// How many fit now.
    pub count: u64,
    /// The first of them, at most [`MAX_SAMPLE`].
    pub sample: Vec<Picked>,
}

/// Why an action on many instances was not begun.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BulkError {
    /// What one operator may do to one instance is wrong in the same way.
    #[error(transparent)]
    Operate(#[from] OperateError),
    /// It makes sense for one instance only.
    #[error(
        "`{action}` is done to one instance at a time; for many there are retry, skip, \
        cancel, complete, fire and migrate"
    )]
    OneByOne {
        /// The action.
        action: &'static str,
    },
    /// The rate is out of bounds.
    #[error("the rate is a number from 1 to {MAX_RATE} instances in a second")]
    Rate,
    /// Another one goes on.
    #[error("{action} of `{process}` by {by} goes on, {left} are left; wait for it or abort it")]
    Running {
        /// The process.
        process: String,
        /// What is done.
        action: String,
        /// Who began it.
        by: String,
        /// How many are left.
        left: u64,
    },
}

impl From<StoreError> for BulkError {
    fn from(e: StoreError) -> Self {
        BulkError::Operate(e.into())
    }
}

impl App {
    /// How many instances an action would be about, and the first of them. Nothing is done.
    ///
    /// # Errors
    /// There is no such process, the action is for one instance only, or the index cannot be
    /// read.
    pub fn bulk_preview(&self, filter: &Filter, act: &Act) -> Result<Preview, BulkError> {
        let filter = self.fitted(filter, act)?;
        Ok(Preview {
            count: self.count_picked(&filter)?,
            sample: self.pick(&filter, None, MAX_SAMPLE)?,
        })
    }

    /// Begins an action on all instances that fit, and returns at once. It lives as long as the
    /// system runs; begun again, it passes over what it has been done to.
    ///
    /// # Errors
    /// See [`BulkError`]; nothing was begun.
    pub fn bulk_run(&self, bulk: Bulk) -> Result<Progress, BulkError> {
        let filter = self.fitted(&bulk.filter, &bulk.act)?;
        if !(1..=MAX_RATE).contains(&bulk.rate) {
            return Err(BulkError::Rate);
        }
        super::operate::said(&bulk.by, &bulk.reason)?;
        let core = &self.core;
        let progress = Progress {
            id: core.clock.id(),
            process: filter.process.clone(),
            action: bulk.act.name().into(),
            by: bulk.by.trim().into(),
            reason: bulk.reason.trim().into(),
            rate: bulk.rate,
            state: BulkState::Running,
            found: self.count_picked(&filter)?,
            done: 0,
            passed_over: 0,
            failed: 0,
            failures: vec![],
            began: core.clock.now(),
            ended: None,
        };
        let job = core.bulks.begin(progress.clone());
        let job = job.map_err(|other| {
            let left = other.left();
            let Progress {
                process,
                action,
                by,
                ..
            } = *other;
            BulkError::Running {
                process,
                action,
                by,
                left,
            }
        })?;
        let (app, bulk) = (self.clone(), Bulk { filter, ..bulk });
        core.tasks.spawn(async move {
            let state = app.treat(&bulk, &job).await;
            let mut progress = job.progress();
            progress.state = state;
            progress.ended = Some(app.core.clock.now());
            tracing::info!(
                process = progress.process,
                action = progress.action,
                by = progress.by,
                done = progress.done,
                failed = progress.failed,
                "done to many"
            );
        });
        Ok(progress)
    }

    /// How far the last action on many instances of a process has come; none when there was none
    /// since the system started.
    pub fn bulk_progress(&self, process: &str) -> Option<Progress> {
        let job = self.core.bulks.of(process)?;
        let progress = job.progress().clone();
        Some(progress)
    }

    /// Ends the action on many instances of a process; what was done stays done. Says whether one
    /// was going on.
    pub fn bulk_abort(&self, process: &str) -> bool {
        let Some(job) = self.core.bulks.of(process) else {
            return false;
        };
        job.abort.cancel();
        job.progress().state == BulkState::Running
    }

    /// The filter of an action: only what it can be done to, as far as the index knows.
    fn fitted(&self, filter: &Filter, act: &Act) -> Result<Filter, BulkError> {
        self.known(&filter.process)?;
        let parked = match act {
            Act::Retry | Act::Skip => true,
            Act::Cancel | Act::Complete | Act::Fire { .. } | Act::Migrate => false,
            other => {
                return Err(BulkError::OneByOne {
                    action: other.name(),
                });
            }
        };
        let mut filter = filter.clone();
        if parked {
            filter.status = Some(super::Standing::Parked);
        }
        if *act == Act::Migrate {
            let latest = self.definition(&filter.process);
            filter.older_than_definition = filter.older_than_definition.or(latest);
        }
        Ok(filter)
    }

    async fn treat(&self, bulk: &Bulk, job: &Arc<Job>) -> BulkState {
        let gap = Duration::from_secs(1) / bulk.rate;
        let mut last: Option<String> = None;
        loop {
            let page = match self.pick(&bulk.filter, last.as_deref(), PAGE) {
                Ok(page) => page,
                Err(e) => {
                    tracing::error!(error = %e, "the instances cannot be found");
                    return BulkState::Broken;
                }
            };
            let Some(end) = page.last() else {
                return BulkState::Done;
            };
            last = Some(end.key.clone());
            let stopped = || job.abort.is_cancelled() || self.core.stop.is_cancelled();
            let begin = (page.into_iter(), Instant::now());
            let paced = stream::unfold(begin, |(mut page, next)| async move {
                let picked = page.next()?;
                tokio::select! {
                    biased;
                    () = job.abort.cancelled() => return None,
                    () = self.core.stop.cancelled() => return None,
                    () = tokio::time::sleep_until(next) => {}
                }
                // What was missed while the disk was slow is not made up for in a burst.
                let late = Instant::now().checked_sub(MADE_UP);
                let from = late.map_or(next, |late| late.max(next));
                Some((picked, (page, from + gap)))
            });
            paced
                .for_each_concurrent(AT_ONCE, |picked| self.treat_one(bulk, job, picked))
                .await;
            if stopped() {
                return BulkState::Aborted;
            }
        }
    }

    async fn treat_one(&self, bulk: &Bulk, job: &Job, picked: Picked) {
        let (process, key) = (&bulk.filter.process, &picked.key);
        let done = self
            .operate(process, key, &bulk.act, &bulk.by, &bulk.reason)
            .await;
        let mut progress = job.progress();
        match done {
            Ok(done) if done.repeated => progress.passed_over += 1,
            Ok(_) => progress.done += 1,
            Err(
                OperateError::NotParked { .. }
                | OperateError::Ended { .. }
                | OperateError::NoDeadline { .. }
                | OperateError::Migrate(MigrateError::Conflict(_)),
            ) => progress.passed_over += 1,
            Err(e) => {
                progress.failed += 1;
                if progress.failures.len() < MAX_FAILURES {
                    progress.failures.push(Failed {
                        key: picked.key,
                        why: e.to_string(),
                    });
                }
            }
        }
    }
}
