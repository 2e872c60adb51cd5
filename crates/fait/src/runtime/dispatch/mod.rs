//! Carries out what processes issued: by this system's own decisions, or by telling another.
//!
//! What is issued waits in memory ([`waiting`]), handed over by the runner right after the step,
//! and again by the index, which knows also of what was issued before a restart. Truth is the log
//! alone: whatever is carried out is appended only while the command is open.

pub(crate) mod system;
mod pace;
mod waiting;
mod own;
mod tell;
mod expire;

use super::Core;
use super::compose::shortened;
use super::decide::{Answer, SendError};
use super::index::{OpenCommand, expires};
use fait_core::event::panic_text;
use fait_core::event::{NewEvent, Origin, Position, Time};
use fait_core::process::{Fact, Instance, Outcome, Status, Target};
use fait_core::store::{Append, AppendCondition, AppendError, StoreError};
use futures_util::FutureExt;
use std::collections::{BTreeMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use system::{Adapter, Limits};
use tokio::sync::Notify;
use waiting::{Begun, Ended, Waiting, name_of};

pub use waiting::MAX_WAITING;

/// Own decisions under way at the same time.
const DECISIONS_AT_ONCE: usize = 64;

/// What waits and is under way.
#[derive(Debug)]
pub(crate) struct Dispatch {
    waiting: Mutex<Waiting>,
    wake: Notify,
    expiry: Mutex<expire::Expiry>,
    wake_expiry: Notify,
    /// When this run began.
    began: AtomicU64,
}

impl Dispatch {
    pub(crate) fn new(systems: &BTreeMap<String, Adapter>, now: Time) -> Dispatch {
        let mut waiting = Waiting::default();
        let here = Limits {
            at_once: DECISIONS_AT_ONCE,
            down_after: 0,
            ..Limits::default()
        };
        waiting.row(None, here, now);
        for (name, adapter) in systems {
            waiting.row(Some(name), adapter.limits, now);
        }
        Dispatch {
            waiting: Mutex::new(waiting),
            wake: Notify::new(),
            expiry: Mutex::default(),
            wake_expiry: Notify::new(),
            began: AtomicU64::new(now.0),
        }
    }

    /// This run begins: what was issued before may have been tried before.
    pub(crate) fn begins(&self, now: Time) {
        self.began.store(now.0, Ordering::Release);
    }

    fn began(&self) -> Time {
        Time(self.began.load(Ordering::Acquire))
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes commands over that a step has just issued, in the order in which it issued them.
    /// At most [`MAX_WAITING`] wait for one target; what does not fit comes back by the index.
    pub(crate) fn issued(&self, commands: Vec<OpenCommand>) {
        let mut wake = false;
        let mut waiting = self.waiting();
        for command in commands {
            wake |= self.offer(&mut waiting, command);
        }
        drop(waiting);
        if wake {
            self.wake.notify_one();
        }
    }

    fn offer(&self, waiting: &mut Waiting, command: OpenCommand) -> bool {
        let Some(name) = name_of(&command.open.issued.to) else {
            return false;
        };
        let row = waiting.row(name, Limits::default(), self.began());
        waiting.offer(row, command)
    }

    /// How some instances stand, as the index knows it now; it has come to a position.
    pub(crate) fn indexed<'a>(&self, instances: impl Iterator<Item = &'a Instance>, to: Position) {
        let mut waiting = self.waiting();
        let mut over: Option<Time> = None;
        for instance in instances {
            let (process, key) = (&instance.process, &instance.key);
            if waiting.is_old(process, key, instance.moved) {
                continue;
            }
            let parked = matches!(instance.status, Status::Parked { .. });
            // Nothing of a parked instance moves.
            let open = || instance.open.values().filter(|_| !parked);
            let ids: HashSet<_> = open().map(|o| o.issued.id).collect();
            waiting.indexed(process, key, &ids, to);
            for open in open() {
                let due = expires(open);
                over = over.into_iter().chain(due).min();
                if name_of(&open.issued.to).is_some() {
                    self.offer(&mut waiting, OpenCommand::of(instance, open));
                }
            }
        }
        waiting.indexed_to(to);
        drop(waiting);
        if let Some(over) = over {
            self.expires_at(over);
        }
        self.wake.notify_one();
    }

    /// Whether everything that can be done now is done. Other systems are waited for while they
    /// answer at once.
    pub(crate) fn is_idle(&self, now: Time) -> bool {
        let over = self.expiry().is_busy(now);
        let waiting = self.waiting();
        let busy = waiting.rows().any(|(_, row)| {
            row.could_begin(now) || row.under_way.values().any(|takes_long| !takes_long)
        });
        !over && !busy
    }

    /// When something is tried again, or the time of something is over.
    pub(crate) fn next_time(&self) -> Option<Time> {
        let next = self.waiting().next();
        next.into_iter().chain(self.expiry().next).min()
    }
}

impl Core {
    /// Carries out open commands until the system stops.
    pub(crate) async fn run_dispatch(self: Arc<Self>) {
        let mut systems = self.db.told_systems();
        loop {
            match &systems {
                Ok(names) => {
                    let began = self.dispatch.began();
                    let mut waiting = self.dispatch.waiting();
                    for name in names {
                        waiting.row(Some(name), Limits::default(), began);
                    }
                    break;
                }
                Err(e) => tracing::error!(error = %e, "issued commands wait"),
            }
            if self.pause_or_stop().await {
                return;
            }
            systems = self.db.told_systems();
        }
        loop {
            if let Err(e) = self.look_for_more() {
                tracing::error!(error = %e, "some issued commands wait");
                if self.pause_or_stop().await {
                    return;
                }
            }
            let now = self.clock.now();
            let (begun, next) = {
                let mut waiting = self.dispatch.waiting();
                (waiting.take(now), waiting.next())
            };
            for begun in begun {
                self.tasks.spawn(self.clone().carry_out(begun));
            }
            let next = async {
                match next {
                    Some(at) => self.clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                () = self.dispatch.wake.notified() => {}
                () = next => {}
            }
        }
    }

    /// Waits a little; says whether the system stops.
    async fn pause_or_stop(&self) -> bool {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => true,
            () = tokio::time::sleep(Duration::from_millis(500)) => false,
        }
    }

    /// Asks the database for what did not fit into memory. Nothing when all of it did.
    fn look_for_more(&self) -> Result<(), StoreError> {
        let wants = self.dispatch.waiting().wants_more();
        for (system, row, limit) in wants {
            let kind = if system.is_some() { "system" } else { "here" };
            let mut found = self.db.open_for(kind, system.as_deref(), limit)?;
            let all = found.len() < limit;
            if !all && let Some(last) = found.last().map(|c| c.open.position) {
                // Of one step all or nothing, so that they stay in order.
                found.retain(|c| c.open.position < last);
            }
            self.dispatch.waiting().found(row, found, all);
        }
        Ok(())
    }

    /// Carries one command out.
    async fn carry_out(self: Arc<Self>, begun: Begun) {
        let command = begun.command.clone();
        let id = command.open.issued.id;
        let work = AssertUnwindSafe(self.end_of(begun)).catch_unwind().await;
        let ended = match work {
            Ok(ended) => ended,
            Err(panic) => {
                tracing::error!(command = %id, why = panic_text(&*panic), "tried again");
                let at = self.clock.now() + Duration::from_secs(1);
                Ended::Again(at, waiting::Tries::default(), Box::new(command.clone()))
            }
        };
        let mut waiting = self.dispatch.waiting();
        if let Some(row) = waiting.known_row(&command.open.issued.to) {
            waiting.finish(row, (&command.process, &command.key), id, ended);
        }
        drop(waiting);
        self.dispatch.wake.notify_one();
    }

    async fn end_of(self: &Arc<Self>, begun: Begun) -> Ended {
        let Begun { command, tries } = begun;
        let over = expires(&command.open).is_some_and(|due| due <= self.clock.now());
        let result = match command.open.issued.to.clone() {
            Target::System(name) if over => {
                self.give_back(&name);
                self.settle(&answer(&command), Outcome::Expired).await
            }
            _ if over => self.settle(&answer(&command), Outcome::Expired).await,
            Target::System(name) => return self.tell(&name, command, tries).await,
            _ => self.decide_issued(&command).await,
        };
        match result {
            Ok(position) => Ended::Settled(position),
            Err(e) => self.undecided(command, e).await,
        }
    }

    /// What a command comes to that was not settled.
    async fn undecided(&self, command: OpenCommand, error: SendError) -> Ended {
        let name = &command.open.issued.name;
        if let SendError::NotAsked(why) = error {
            tracing::debug!(command = name, why, "not carried out");
            return Ended::Settled(self.far_enough().await);
        }
        tracing::warn!(command = name, error = %error, "tried again later");
        tokio::select! {
            biased;
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
        }
        let now = self.clock.now();
        Ended::Again(now, waiting::Tries::default(), Box::new(command))
    }

    /// A position behind all that has been recorded.
    async fn far_enough(&self) -> Position {
        self.store.head().await.unwrap_or(Position::MAX)
    }

    /// Records what became of an issued command that raised no event; says where.
    async fn settle(&self, answer: &Answer, outcome: Outcome) -> Result<Position, SendError> {
        let outcome = match outcome {
            Outcome::Failed { error } => Outcome::Failed {
                error: shortened(error),
            },
            Outcome::Refused { code, reason } => Outcome::Refused {
                code: shortened(code),
                reason: shortened(reason),
            },
            other => other,
        };
        let event = answer
            .settle(outcome)
            .with(self.clock.id(), origin_of(answer));
        match self.record(event, vec![answer.still_open()]).await {
            // Somebody settled it or took it back meanwhile, which is as good.
            Err(AppendError::Conflict { .. }) => Ok(self.far_enough().await),
            Err(AppendError::Store(e)) => Err(SendError::Store(e)),
            Err(other) => Err(SendError::Defect(other.to_string())),
            Ok(position) => Ok(position),
        }
    }

    async fn record(
        &self,
        event: NewEvent,
        conditions: Vec<AppendCondition>,
    ) -> Result<Position, AppendError> {
        let append = Append {
            events: vec![event],
            conditions,
            command: None,
            recorded_at: self.clock.now(),
        };
        let done = self.store.append(append).await?;
        super::count_appended(1);
        Ok(done.last)
    }
}

fn origin_of(answer: &Answer) -> Origin {
    Origin {
        actor: Some(format!("process:{}", answer.process)),
        command: Some(answer.issued.id),
        correlation: answer.correlation,
        causation: Some(answer.cause),
        traceparent: answer.traceparent.clone(),
        ..Origin::default()
    }
}

/// What is needed to answer an open command, without reading the log: the condition of the append
/// says whether it is still open.
fn answer(command: &OpenCommand) -> Answer {
    Answer {
        process: command.process.clone(),
        key: command.key.clone(),
        about: command.about.clone(),
        issued: command.open.issued.clone(),
        position: command.open.position,
        cause: command.open.cause,
        correlation: command.correlation,
        traceparent: command.open.traceparent.clone(),
    }
}

/// A fact about an open command.
fn fact_of(core: &Core, command: &OpenCommand, fact: &Fact) -> NewEvent {
    let origin = origin_of(&answer(command));
    fact.draft(&command.about).with(core.clock.id(), origin)
}
