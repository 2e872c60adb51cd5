//! Asked tasks: who is asked what, taking one upon oneself, handing it back, refusing it.

use super::{App, MAX_REASON_BYTES, OpenCommand, SendError};
use crate::runtime::decide::{Answer, DECLINED};
use fait_core::event::{Origin, Position, StoredEvent, Time};
use fait_core::process::{Claimed, Fact, Outcome, Target, command_tag, types};
use fait_core::query::{Query, QueryItem};
use fait_core::store::{Append, AppendCondition, AppendError, Range, StoreError};
use std::time::Duration;
use uuid::Uuid;

/// A task that somebody is asked to do.
pub type Asked = OpenCommand;

/// Why a task cannot be claimed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// Somebody else has it.
    #[error("{by} has it until {until}")]
    Taken {
        /// Who.
        by: String,
        /// Until when.
        until: Time,
    },
    /// Who refuses a task must say why.
    #[error("say why, in 1 to {MAX_REASON_BYTES} bytes: whoever asked hears it")]
    NoReason,
    /// It is done, taken back, or was never asked.
    #[error(transparent)]
    Send(#[from] SendError),
}

impl App {
    /// The tasks that a role is asked to do, oldest first, at most so many.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn inbox(&self, role: &str, limit: usize) -> Result<Vec<Asked>, StoreError> {
        self.core.db.open_for("role", Some(role), limit)
    }

    /// The open commands and tasks of one instance.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn open_of(&self, process: &str, key: &str) -> Result<Vec<Asked>, StoreError> {
        self.core.db.open_of(process, key)
    }

    /// Everything open that is asked of people or told to systems, oldest first.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn waiting(&self, limit: usize) -> Result<Vec<Asked>, StoreError> {
        let mut all = self.core.db.open_for("role", None, limit)?;
        all.extend(self.core.db.open_for("system", None, limit)?);
        Ok(all)
    }

    /// An asked task that is still open, as far as the index knows.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn asked(&self, id: Uuid) -> Result<Option<Asked>, StoreError> {
        self.core.db.open_one(id)
    }

    /// Whether an asked task is open, from the log itself.
    ///
    /// # Errors
    /// [`SendError::NotAsked`] says what became of it.
    pub async fn is_asked(&self, id: Uuid) -> Result<(), SendError> {
        self.core.open_command(id).await.map(|_| ())
    }

    /// Takes an asked task upon somebody for a time. Afterwards it is anybody's again.
    ///
    /// # Errors
    /// Somebody else has it, or it is not open any more.
    pub async fn claim(&self, task: Uuid, by: &str, time: Duration) -> Result<Time, ClaimError> {
        let until = self.core.clock.now() + time;
        self.claimed(task, by, Some(until)).await?;
        Ok(until)
    }

    /// Hands a task back before the time is up: it is anybody's again. Who does not have it, for
    /// example any more, changes nothing.
    ///
    /// # Errors
    /// Somebody else has it, or it is not open any more.
    pub async fn hand_back(&self, task: Uuid, by: &str) -> Result<(), ClaimError> {
        self.claimed(task, by, None).await
    }

    /// Refuses an asked task, for whoever was asked: the process hears that it was refused with
    /// the code [`DECLINED`], and the reason. Declined again by the same, it changes nothing.
    ///
    /// # Errors
    /// There is no reason, somebody else has it, or it is not open any more.
    pub async fn decline(&self, task: Uuid, by: &str, reason: &str) -> Result<(), ClaimError> {
        let reason = reason.trim();
        if reason.is_empty() || reason.len() > MAX_REASON_BYTES {
            return Err(ClaimError::NoReason);
        }
        let outcome = Outcome::Refused {
            code: DECLINED.into(),
            reason: reason.into(),
        };
        let core = &self.core;
        loop {
            let answer = match core.open_command(task).await {
                Ok(answer) => answer,
                Err(SendError::NotAsked(_)) if self.was_declined(task, by, &outcome).await? => {
                    return Ok(());
                }
                Err(e) => return Err(e.into()),
            };
            if !matches!(answer.issued.to, Target::Role(_)) {
                let why = format!("`{}` is not asked of people", answer.issued.name);
                return Err(SendError::NotAsked(why).into());
            }
            let (has, after) = self.claim_of(task, answer.position).await?;
            if let Some(claim) = has.filter(|c| c.by != by) {
                return Err(ClaimError::Taken {
                    by: claim.by,
                    until: claim.until,
                });
            }
            let event = answer.settle(outcome.clone());
            let origin = Origin {
                command: Some(task),
                ..origin(&answer, by)
            };
            let append = Append {
                events: vec![event.with(core.clock.id(), origin)],
                conditions: vec![claims_since(task, after), answer.still_open()],
                command: None,
                recorded_at: core.clock.now(),
            };
            match core.store.append(append).await {
                Ok(_) => {
                    crate::runtime::count_appended(1);
                    return Ok(());
                }
                Err(AppendError::Conflict { .. }) => {}
                Err(AppendError::Store(e)) => return Err(SendError::Store(e).into()),
                Err(e) => return Err(SendError::Defect(e.to_string()).into()),
            }
        }
    }

    async fn was_declined(
        &self,
        task: Uuid,
        by: &str,
        outcome: &Outcome,
    ) -> Result<bool, ClaimError> {
        let events = self.core.issuing(task).await.map_err(SendError::from)?;
        let last = events.last();
        let same = |e: &StoredEvent| match Fact::read(e) {
            Ok(Some(Fact::Settled(s))) => s.outcome == *outcome,
            _ => false,
        };
        Ok(last.is_some_and(|e| e.meta.origin.actor.as_deref() == Some(by) && same(e)))
    }

    /// Who has a task now, and up to where that was looked at.
    async fn claim_of(
        &self,
        task: Uuid,
        since: Position,
    ) -> Result<(Option<Claimed>, Position), ClaimError> {
        let query = claims(task);
        let newest = self.core.store.read(&query, Range::newest(1)).await;
        let Some(event) = newest.map_err(SendError::from)?.events.pop() else {
            return Ok((None, since));
        };
        let claim = match Fact::read(&event) {
            Ok(Some(Fact::Claimed(c))) => Some(c),
            _ => None,
        };
        let now = self.core.clock.now();
        let claim = claim.filter(|c| c.until > now && !c.back);
        Ok((claim, event.meta.position))
    }

    /// Records who has a task until when; without a time, that it is handed back.
    async fn claimed(&self, task: Uuid, by: &str, until: Option<Time>) -> Result<(), ClaimError> {
        let core = &self.core;
        loop {
            let answer = core.open_command(task).await?;
            let (has, after) = self.claim_of(task, answer.position).await?;
            match has {
                Some(claim) if claim.by != by => {
                    return Err(ClaimError::Taken {
                        by: claim.by,
                        until: claim.until,
                    });
                }
                None if until.is_none() => return Ok(()),
                _ => {}
            }
            let now = core.clock.now();
            let claimed = Fact::Claimed(Claimed {
                process: answer.process.clone(),
                key: answer.key.clone(),
                command: task,
                by: by.into(),
                until: until.unwrap_or(now),
                back: until.is_none(),
            });
            let event = claimed.draft(&answer.about);
            let append = Append {
                events: vec![event.with(core.clock.id(), origin(&answer, by))],
                conditions: vec![claims_since(task, after), answer.still_open()],
                command: None,
                recorded_at: now,
            };
            match core.store.append(append).await {
                Ok(_) => return Ok(()),
                Err(AppendError::Conflict { .. }) => {}
                Err(AppendError::Store(e)) => return Err(SendError::Store(e).into()),
                Err(e) => return Err(SendError::Defect(e.to_string()).into()),
            }
        }
    }
}

fn origin(answer: &Answer, by: &str) -> Origin {
    Origin {
        actor: Some(by.into()),
        correlation: answer.correlation,
        causation: Some(answer.cause),
        traceparent: answer.traceparent.clone(),
        ..Origin::default()
    }
}

fn claims(task: Uuid) -> Query {
    Query::default().or(QueryItem::of(&[types::CLAIMED], vec![command_tag(task)]))
}

/// Nobody took it or handed it back since.
fn claims_since(task: Uuid, after: Position) -> AppendCondition {
    AppendCondition {
        fail_if_events_match: claims(task),
        after,
    }
}
