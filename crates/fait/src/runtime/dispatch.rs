//! Carries out what processes issued: by this system's own decisions, or by telling another.

use super::decide::{Answer, Envelope, Execution, SendError, fingerprint};
use super::index::OpenCommand;
use super::{Core, count_appended};
use fait_core::event::Origin;
use fait_core::process::{Outcome, Target};
use fait_core::store::{Append, AppendError, BoxFuture, StoreError};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// Own decisions under way at the same time.
const DECISIONS_AT_ONCE: usize = 32;

/// Messages to outside systems under way at the same time. They have places of their own, so
/// that a system that does not answer keeps nobody else waiting.
const TELLS_AT_ONCE: usize = 16;

/// Tries to tell another system before the process hears that it failed.
pub const MAX_TELLS: u32 = 12;

/// How an outside system is told.
pub(crate) type Tell =
    Arc<dyn Fn(Arc<Core>, Told) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// A message to an outside system.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Idempotency key.
    pub id: Uuid,
    /// The command's name.
    pub name: String,
    /// Its JSON.
    pub body: Value,
    /// The flow it belongs to.
    pub correlation: Uuid,
    /// The step that issued it: the cause of what comes back.
    pub cause: Uuid,
}

/// What is under way.
#[derive(Debug, Default)]
pub(crate) struct Dispatch {
    busy: Mutex<HashSet<Uuid>>,
    tries: Mutex<HashMap<Uuid, u32>>,
    settled: Mutex<HashSet<Uuid>>,
    decisions: AtomicUsize,
    tells: AtomicUsize,
}

fn lock<T>(m: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Dispatch {
    pub(crate) fn is_idle(&self) -> bool {
        self.decisions.load(Ordering::Acquire) == 0
    }

    fn places(&self, to: &Target) -> (&AtomicUsize, usize) {
        match to {
            Target::System(_) => (&self.tells, TELLS_AT_ONCE),
            Target::Here | Target::Role(_) => (&self.decisions, DECISIONS_AT_ONCE),
        }
    }

    fn begin(&self, id: Uuid, to: &Target) -> bool {
        let (running, at_once) = self.places(to);
        let begun = running.load(Ordering::Acquire) < at_once
            && !lock(&self.settled).contains(&id)
            && lock(&self.busy).insert(id);
        if begun {
            running.fetch_add(1, Ordering::AcqRel);
        }
        begun
    }

    fn finish(&self, id: Uuid, to: &Target, settled: bool) {
        if settled {
            // The index hears of it later; until then it must not be begun again.
            lock(&self.settled).insert(id);
            lock(&self.tries).remove(&id);
        }
        lock(&self.busy).remove(&id);
        self.places(to).0.fetch_sub(1, Ordering::AcqRel);
    }

    /// Forgets what the index has seen settled.
    fn tidy(&self, open: &[OpenCommand]) {
        let open: HashSet<Uuid> = open.iter().map(|o| o.open.issued.id).collect();
        lock(&self.settled).retain(|id| open.contains(id));
    }

    fn try_number(&self, id: Uuid) -> u32 {
        let mut tries = lock(&self.tries);
        let n = tries.entry(id).or_insert(0);
        *n += 1;
        *n
    }
}

impl Core {
    /// Carries out open commands until the system stops.
    pub(crate) async fn run_dispatch(self: Arc<Self>) {
        let mut pulse = self.pulse.listen();
        loop {
            pulse.mark_unchanged();
            if let Err(e) = self.begin_open() {
                tracing::error!(error = %e, "issued commands wait");
            }
            tokio::select! {
                () = self.stop.cancelled() => return,
                _ = pulse.changed() => {}
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        }
    }

    fn begin_open(self: &Arc<Self>) -> Result<(), StoreError> {
        let mut open = self.db.open_for("here", None, DECISIONS_AT_ONCE * 2)?;
        open.extend(self.db.open_for("system", None, TELLS_AT_ONCE * 4)?);
        self.dispatch.tidy(&open);
        for command in open {
            let (id, to) = (command.open.issued.id, command.open.issued.to.clone());
            if self.dispatch.begin(id, &to) {
                let core = self.clone();
                self.tasks.spawn(async move {
                    let settled = core.carry_out(command).await;
                    core.dispatch.finish(id, &to, settled);
                    core.pulse.beat();
                });
            }
        }
        Ok(())
    }

    /// Carries one command out; says whether it is settled, or taken back meanwhile.
    async fn carry_out(self: &Arc<Self>, command: OpenCommand) -> bool {
        let name = command.open.issued.name.clone();
        let result = match &command.open.issued.to {
            Target::System(system) => self.tell(system, &command).await,
            _ => self.decide_issued(&command).await,
        };
        match result {
            Ok(()) => true,
            Err(SendError::NotAsked(why)) => {
                tracing::debug!(command = name, why, "not carried out");
                true
            }
            Err(e) => {
                tracing::warn!(command = name, error = %e, "tried again later");
                tokio::select! {
                    () = self.stop.cancelled() => {}
                    () = tokio::time::sleep(Duration::from_millis(200)) => {}
                }
                false
            }
        }
    }

    async fn decide_issued(&self, command: &OpenCommand) -> Result<(), SendError> {
        let issued = &command.open.issued;
        let answer = self.open_command(issued.id).await?;
        let def = self.commands.get(&issued.name);
        let Some(begin) = def.and_then(|d| d.begin.as_ref()) else {
            let error = format!("this program has no decision for `{}`", issued.name);
            return self.settle(&answer, Outcome::Failed { error }).await;
        };
        let deciding = match begin(&issued.body) {
            Ok(deciding) => deciding,
            Err(e) => {
                return self
                    .settle(
                        &answer,
                        Outcome::Failed {
                            error: e.to_string(),
                        },
                    )
                    .await;
            }
        };
        let env = Envelope {
            id: Some(issued.id),
            actor: Some(format!("process:{}", command.process)),
            ..Envelope::default()
        };
        let execution = Execution {
            deciding,
            name: &issued.name,
            fingerprint: fingerprint(&issued.name, &issued.body),
            env,
            answer: Some(answer.clone()),
        };
        match self.execute(execution).await {
            Ok(_) => Ok(()),
            Err(SendError::Refused(r)) => {
                let outcome = Outcome::Refused {
                    code: r.code,
                    reason: r.message,
                };
                self.settle(&answer, outcome).await
            }
            Err(
                e @ (SendError::Decode(_)
                | SendError::Defect(_)
                | SendError::Limit(_)
                | SendError::Reused(_)),
            ) => {
                self.settle(
                    &answer,
                    Outcome::Failed {
                        error: e.to_string(),
                    },
                )
                .await
            }
            Err(e) => Err(e),
        }
    }

    async fn tell(self: &Arc<Self>, system: &str, command: &OpenCommand) -> Result<(), SendError> {
        let issued = &command.open.issued;
        let answer = self.open_command(issued.id).await?;
        let Some(adapter) = self.systems.get(system) else {
            let error = format!("this program does not reach `{system}`");
            return self.settle(&answer, Outcome::Failed { error }).await;
        };
        let message = Told {
            id: issued.id,
            name: issued.name.clone(),
            body: issued.body.clone(),
            correlation: answer.correlation,
            cause: answer.cause,
        };
        let error = match adapter(self.clone(), message).await {
            Ok(()) => return self.settle(&answer, Outcome::Accepted).await,
            Err(error) => error,
        };
        let n = self.dispatch.try_number(issued.id);
        if n >= MAX_TELLS {
            let error = format!("{system} could not be told, {n} times: {error}");
            return self.settle(&answer, Outcome::Failed { error }).await;
        }
        // Full jitter, doubling from half a second to a minute.
        let cap = Duration::from_millis(500).saturating_mul(1 << n.min(7));
        let cap = u64::try_from(cap.min(Duration::from_secs(60)).as_millis()).unwrap_or(60_000);
        let wait = u64::try_from(self.clock.id().as_u128() % u128::from(cap)).unwrap_or(cap);
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep(Duration::from_millis(wait)) => {}
        }
        Err(SendError::Defect(format!(
            "{system} could not be told: {error}"
        )))
    }

    /// Records what became of an issued command that raised no event.
    async fn settle(&self, answer: &Answer, outcome: Outcome) -> Result<(), SendError> {
        let origin = Origin {
            actor: Some(format!("process:{}", answer.process)),
            command: Some(answer.issued.id),
            correlation: answer.correlation,
            causation: Some(answer.cause),
            ..Origin::default()
        };
        let event = answer.settle(outcome).with(self.clock.id(), origin);
        let append = Append {
            events: vec![event],
            conditions: vec![answer.still_open()],
            command: None,
            recorded_at: self.clock.now(),
        };
        match self.store.append(append).await {
            Ok(_) => {
                count_appended(1);
                Ok(())
            }
            // Somebody settled it or took it back meanwhile, which is as good.
            Err(AppendError::Conflict { .. }) => Ok(()),
            Err(AppendError::Store(e)) => Err(SendError::Store(e)),
            Err(other) => Err(SendError::Defect(other.to_string())),
        }
    }
}
