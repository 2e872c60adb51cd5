//! Carries out what processes issued: by this system's own decisions, or by telling another.

use super::decide::{Answer, Envelope, Execution, SendError, fingerprint};
use super::flaw::{Flaw, flaw};
use super::index::OpenCommand;
use super::view::panic_text;
use super::{Core, count_appended};
use fait_core::event::{Origin, Time};
use fait_core::process::{Outcome, Target};
use fait_core::store::{Append, AppendError, BoxFuture, StoreError};
use futures_util::FutureExt;
use serde_json::Value;
use std::any::Any;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// Own decisions under way at the same time.
const DECISIONS_AT_ONCE: usize = 32;

/// Messages to one outside system under way at the same time. Each system has places of its own,
/// so that one that does not answer keeps nobody else waiting.
const TELLS_AT_ONCE: usize = 8;

/// How long an outside system may take to accept a message; then it is told again.
pub const TELL_WITHIN: Duration = Duration::from_secs(30);

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
    /// How often each was tried, and when next.
    tries: Mutex<HashMap<Uuid, (u32, Time)>>,
    settled: Mutex<HashSet<Uuid>>,
    decisions: AtomicUsize,
    tells: Mutex<HashMap<String, usize>>,
}

fn lock<T>(m: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Dispatch {
    pub(crate) fn is_idle(&self) -> bool {
        self.decisions.load(Ordering::Acquire) == 0
    }

    fn begin(&self, id: Uuid, to: &Target, now: Time) -> bool {
        let waits = lock(&self.tries)
            .get(&id)
            .is_some_and(|(_, next)| *next > now);
        if waits || lock(&self.settled).contains(&id) || !self.has_place(to) {
            return false;
        }
        let begun = lock(&self.busy).insert(id);
        if begun {
            match to {
                Target::System(name) => *lock(&self.tells).entry(name.clone()).or_insert(0) += 1,
                _ => {
                    self.decisions.fetch_add(1, Ordering::AcqRel);
                }
            }
        }
        begun
    }

    fn has_place(&self, to: &Target) -> bool {
        match to {
            Target::System(name) => lock(&self.tells)
                .get(name)
                .is_none_or(|n| *n < TELLS_AT_ONCE),
            _ => self.decisions.load(Ordering::Acquire) < DECISIONS_AT_ONCE,
        }
    }

    fn finish(&self, id: Uuid, to: &Target, settled: bool) {
        if settled {
            // The index hears of it later; until then it must not be begun again.
            lock(&self.settled).insert(id);
            lock(&self.tries).remove(&id);
        }
        lock(&self.busy).remove(&id);
        match to {
            Target::System(name) => {
                lock(&self.tells)
                    .entry(name.clone())
                    .and_modify(|n| *n = n.saturating_sub(1));
            }
            _ => {
                self.decisions.fetch_sub(1, Ordering::AcqRel);
            }
        }
    }

    /// Forgets what the index has seen settled or taken back.
    fn tidy(&self, open: &[OpenCommand]) {
        let open: HashSet<Uuid> = open.iter().map(|o| o.open.issued.id).collect();
        lock(&self.settled).retain(|id| open.contains(id));
        lock(&self.tries).retain(|id, _| open.contains(id));
    }

    /// Counts a try that failed.
    fn failed(&self, id: Uuid) -> u32 {
        let mut tries = lock(&self.tries);
        let (n, _) = tries.entry(id).or_insert((0, Time(0)));
        *n += 1;
        *n
    }

    fn not_before(&self, id: Uuid, next: Time) {
        if let Some((_, at)) = lock(&self.tries).get_mut(&id) {
            *at = next;
        }
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
                biased;
                () = self.stop.cancelled() => return,
                _ = pulse.changed() => {}
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        }
    }

    fn begin_open(self: &Arc<Self>) -> Result<(), StoreError> {
        let mut open = self.db.open_for("here", None, DECISIONS_AT_ONCE * 2)?;
        let systems: BTreeSet<&str> = self
            .commands
            .values()
            .filter_map(|c| c.page.to.as_deref())
            .collect();
        for system in systems {
            // Some of the oldest may be waiting for their next try.
            open.extend(self.db.open_for("system", Some(system), 256)?);
        }
        self.dispatch.tidy(&open);
        for command in open {
            let (id, to) = (command.open.issued.id, command.open.issued.to.clone());
            if self.dispatch.begin(id, &to, self.clock.now()) {
                let core = self.clone();
                self.tasks.spawn(async move {
                    let work = AssertUnwindSafe(core.carry_out(command)).catch_unwind();
                    let settled = work.await.unwrap_or_else(|panic| {
                        tracing::error!(command = %id, why = panic_text(&*panic), "tried again");
                        false
                    });
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
                if !matches!(command.open.issued.to, Target::System(_)) {
                    tokio::select! {
                        biased;
                        () = self.stop.cancelled() => {}
                        () = tokio::time::sleep(Duration::from_millis(200)) => {}
                    }
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
        let begun = catch_unwind(AssertUnwindSafe(|| begin(&issued.body)));
        let begun = begun.map_err(|panic| panic_text(&*panic));
        let deciding = match begun.and_then(|b| b.map_err(|e| e.to_string())) {
            Ok(deciding) => deciding,
            Err(error) => return self.settle(&answer, Outcome::Failed { error }).await,
        };
        let apart = flaw(Flaw::ReceiptApart);
        let env = Envelope {
            id: Some(issued.id).filter(|_| !apart),
            actor: Some(format!("process:{}", command.process)),
            correlation: Some(answer.correlation),
            causation: Some(answer.cause),
            ..Envelope::default()
        };
        let execution = Execution {
            deciding,
            name: &issued.name,
            fingerprint: fingerprint(&issued.name, &issued.body),
            env,
            answer: Some(answer.clone()).filter(|_| !apart),
        };
        let executed = AssertUnwindSafe(self.execute(execution))
            .catch_unwind()
            .await;
        let defect = |panic: Box<dyn Any + Send>| Err(SendError::Defect(panic_text(&*panic)));
        match executed.unwrap_or_else(defect) {
            Ok(_) if apart => self.settle(&answer, Outcome::Accepted).await,
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
        let again = flaw(Flaw::NewIdEachTime);
        let message = Told {
            id: if again { self.clock.id() } else { issued.id },
            name: issued.name.clone(),
            body: issued.body.clone(),
            correlation: answer.correlation,
            cause: answer.cause,
        };
        let telling = AssertUnwindSafe(adapter(self.clone(), message)).catch_unwind();
        let told = tokio::select! {
            biased;
            () = self.stop.cancelled() => return Err(SendError::NotAsked("stopping".into())),
            told = tokio::time::timeout(TELL_WITHIN, telling) => told,
        };
        let error = match told {
            Ok(Ok(Ok(()))) => return self.settle(&answer, Outcome::Accepted).await,
            Ok(Ok(Err(error))) => error,
            Ok(Err(panic)) => panic_text(&*panic),
            Err(_) => format!("no answer within {} seconds", TELL_WITHIN.as_secs()),
        };
        let n = self.dispatch.failed(issued.id);
        if n >= MAX_TELLS {
            let error = format!("{system} could not be told, {n} times: {error}");
            return self.settle(&answer, Outcome::Failed { error }).await;
        }
        // Full jitter, doubling from half a second to a minute.
        let cap = Duration::from_millis(500).saturating_mul(1 << n.min(7));
        let cap = u64::try_from(cap.min(Duration::from_secs(60)).as_millis()).unwrap_or(60_000);
        let wait = u64::try_from(self.clock.id().as_u128() % u128::from(cap)).unwrap_or(cap);
        let next = self.clock.now() + Duration::from_millis(wait);
        self.dispatch.not_before(issued.id, next);
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
