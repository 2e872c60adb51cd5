//! Telling other systems: tried until it is known what came of it, for a time; and when that
//! cannot be known, as the system's adapter says.

use super::system::{Adapter, MIN_TELLS, SystemStatus, TellError, Told, Uncertain};
use super::waiting::{Ended, Tries};
use super::{answer, fact_of};
use crate::runtime::Core;
use crate::runtime::compose::shortened;
use crate::runtime::decide::SendError;
use crate::runtime::flaw::{Flaw, flaw};
use crate::runtime::index::{OpenCommand, expires};
use fait_core::event::panic_text;
use fait_core::event::{Position, Time};
use fait_core::process::{
    Class, Fact, InputRef, Instance, Outcome, Parked, Status, Tried, command_tag, instance_tag,
    types,
};
use fait_core::query::{Query, QueryItem};
use fait_core::store::{AppendCondition, AppendError, StoreError};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument;

/// A system answers at once when it does so within this; tests wait for those that do.
const AT_ONCE: Duration = Duration::from_secs(1);

/// The longest that a system may ask to be left alone.
const LONGEST_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Whether a system may be told.
enum May {
    /// It may; the try is recorded there when it has to be.
    Tell(Option<Position>),
    /// Nobody knows what came of an earlier try: the instance waits for a person.
    NotAgain(Box<Instance>),
    /// It is settled or taken back.
    Gone,
    /// Its instance is parked; that was recorded there.
    Parked(Position),
}

impl Core {
    /// Tells a system once.
    pub(super) async fn tell(
        self: &Arc<Self>,
        system: &str,
        command: OpenCommand,
        tries: Tries,
    ) -> Ended {
        let Some(adapter) = self.systems.get(system) else {
            let error = format!("this program does not reach `{system}`");
            return self.settle_told(command, Outcome::Failed { error }).await;
        };
        let may = self.may_tell(adapter, &command, &tries).await;
        let tries = match may {
            Ok(May::Tell(recorded)) => Tries {
                n: tries.n + 1,
                first: Some(tries.first.unwrap_or_else(|| self.first_try(&command))),
                recorded,
            },
            Ok(May::Gone) => {
                self.give_back(system);
                return Ended::Settled(self.far_enough().await);
            }
            Ok(May::Parked(at)) => {
                self.give_back(system);
                return Ended::Parked(at);
            }
            Ok(May::NotAgain(instance)) => {
                self.give_back(system);
                let why = "it was being told when the program ended".to_string();
                return self.park_uncertain(system, command, *instance, why).await;
            }
            Err(e) => {
                self.give_back(system);
                return self.undecided(command, e.into()).await;
            }
        };
        let Some(told) = self.call(system, adapter, &command, tries.n).await else {
            self.give_back(system);
            return Ended::Again(self.clock.now(), tries, Box::new(command));
        };
        self.after_telling(system, adapter, command, tries, told)
            .await
    }

    /// When a command was tried first, as far as is known: one that was issued before this run
    /// may have been tried ever since.
    fn first_try(&self, command: &OpenCommand) -> Time {
        let since = command.open.since;
        if since < self.dispatch.began() {
            since
        } else {
            self.clock.now()
        }
    }

    /// It was not told after all.
    pub(super) fn give_back(&self, system: &str) {
        self.paced(system, |pace| pace.gave_back());
    }

    fn paced(&self, system: &str, what: impl FnOnce(&mut super::pace::Pace)) {
        let mut waiting = self.dispatch.waiting();
        let target = fait_core::process::Target::System(system.to_owned());
        let row = waiting.known_row(&target);
        if let Some(row) = row.and_then(|row| waiting.get(row)) {
            what(&mut row.pace);
        }
    }

    /// Looks whether a command is still open, and records the try when it must not be made twice.
    async fn may_tell(
        &self,
        adapter: &Adapter,
        command: &OpenCommand,
        tries: &Tries,
    ) -> Result<May, StoreError> {
        let id = command.open.issued.id;
        loop {
            let instance = self.instance(&command.process, &command.key).await?;
            if let Status::Parked { .. } = instance.status {
                return Ok(May::Parked(instance.moved));
            }
            let Some(open) = instance.open.get(&id) else {
                return Ok(May::Gone);
            };
            if adapter.on_uncertain == Uncertain::Retry {
                return Ok(May::Tell(None));
            }
            if open.tried > 0 && tries.recorded.is_none() {
                return Ok(May::NotAgain(Box::new(instance)));
            }
            let tried = Fact::Tried(Tried {
                process: command.process.clone(),
                key: command.key.clone(),
                command: id,
                attempt: open.tried + 1,
            });
            let of_command = [
                types::SETTLED,
                types::STEPPED,
                types::OPERATED,
                types::WITHDRAWN,
                types::TRIED,
            ];
            let parks = vec![instance_tag(&command.process, &command.key)];
            let unchanged = AppendCondition {
                fail_if_events_match: Query::default()
                    .or(QueryItem::of(&of_command, vec![command_tag(id)]))
                    .or(QueryItem::of(&[types::PARKED], parks)),
                after: tries.recorded.unwrap_or(0).max(instance.moved),
            };
            let event = fact_of(self, command, &tried);
            match self.record(event, vec![unchanged]).await {
                Ok(position) => return Ok(May::Tell(Some(position))),
                Err(AppendError::Conflict { .. }) => {}
                Err(AppendError::Store(e)) => return Err(e),
                Err(other) => return Err(StoreError::new(other)),
            }
        }
    }

    /// Calls the adapter; none when the system stops and it is told again another time.
    async fn call(
        self: &Arc<Self>,
        system: &str,
        adapter: &Adapter,
        command: &OpenCommand,
        attempt: u32,
    ) -> Option<Result<(), TellError>> {
        let issued = &command.open.issued;
        let again = flaw(Flaw::NewIdEachTime);
        let message = Told {
            id: if again { self.clock.id() } else { issued.id },
            name: issued.name.clone(),
            body: issued.body.clone(),
            attempt,
            correlation: command.correlation,
            cause: command.open.cause,
            traceparent: command.open.traceparent.clone(),
        };
        let flow = command.correlation;
        let span = crate::runtime::spanned::tell(system, &command.open, attempt, flow);
        let telling = (adapter.tell)(self.clone(), message).instrument(span);
        let telling = AssertUnwindSafe(telling).catch_unwind();
        let telling = tokio::time::timeout(adapter.limits.within, telling);
        let stopped = async {
            match adapter.on_uncertain {
                Uncertain::Retry => self.stop.cancelled().await,
                // Its answer is waited for: nobody would know it otherwise.
                Uncertain::Park => std::future::pending().await,
            }
        };
        tokio::pin!(telling, stopped);
        let mut long = false;
        let told = loop {
            tokio::select! {
                biased;
                told = &mut telling => break told,
                () = &mut stopped => return None,
                () = tokio::time::sleep(AT_ONCE), if !long => {
                    long = true;
                    self.takes_long(command);
                }
            }
        };
        let told = match told {
            Ok(Ok(told)) => told,
            Ok(Err(panic)) => Err(TellError::unknown(panic_text(&*panic))),
            Err(_) => {
                let within = adapter.limits.within;
                let error = format!("no answer within {}", words(within));
                Err(TellError::unknown(error))
            }
        };
        let labels = [
            ("system", system.to_owned()),
            ("result", result(&told).to_owned()),
        ];
        metrics::counter!("fait_told_total", &labels).increment(1);
        Some(told)
    }

    fn takes_long(&self, command: &OpenCommand) {
        let mut waiting = self.dispatch.waiting();
        let row = waiting.known_row(&command.open.issued.to);
        if let Some(row) = row.and_then(|row| waiting.get(row))
            && let Some(takes_long) = row.under_way.get_mut(&command.open.issued.id)
        {
            *takes_long = true;
        }
    }

    async fn after_telling(
        &self,
        system: &str,
        adapter: &Adapter,
        command: OpenCommand,
        tries: Tries,
        told: Result<(), TellError>,
    ) -> Ended {
        let (error, after, known) = match told {
            Ok(()) => {
                self.paced(system, |pace| pace.answered());
                return self.settle_told(command, Outcome::Accepted).await;
            }
            Err(TellError::Never { error }) => {
                // It answered: nothing is wrong with it.
                self.paced(system, |pace| pace.answered());
                let error = format!("{system} will not do it: {error}");
                return self.settle_told(command, Outcome::Failed { error }).await;
            }
            Err(TellError::Refused { code, reason }) => {
                self.paced(system, |pace| pace.answered());
                let outcome = Outcome::Refused { code, reason };
                return self.settle_told(command, outcome).await;
            }
            Err(TellError::Later { error, after }) => (error, after, true),
            Err(TellError::Unknown { error }) => (error, None, false),
        };
        let now = self.clock.now();
        let chance = self.clock.id().as_u128();
        let mut wait = Duration::ZERO;
        self.paced(system, |pace| {
            pace.failed(&error, now, chance);
            wait = pace.wait(tries.n, chance);
        });
        tracing::warn!(
            system,
            command = command.open.issued.name,
            error,
            "not told"
        );
        if !known && adapter.on_uncertain == Uncertain::Park {
            return match self.instance(&command.process, &command.key).await {
                Ok(instance) => self.park_uncertain(system, command, instance, error).await,
                // It is found tried and unanswered, and parked then.
                Err(e) => self.undecided(command, e.into()).await,
            };
        }
        let tried_for = now.since(tries.first.unwrap_or(now));
        if tries.n >= MIN_TELLS && tried_for >= adapter.limits.for_up_to {
            let (n, time) = (tries.n, words(tried_for));
            let error = format!("{system} could not be told, {n} times in {time}: {error}");
            return self.settle_told(command, Outcome::Failed { error }).await;
        }
        let next = now + after.map_or(wait, |after| after.min(LONGEST_AFTER));
        // Once its time is over it is not told any more.
        let over = expires(&command.open).filter(|over| *over > now);
        let next = over.map_or(next, |over| over.min(next));
        Ended::Again(next, tries, Box::new(command))
    }

    async fn settle_told(&self, command: OpenCommand, outcome: Outcome) -> Ended {
        match self.settle(&answer(&command), outcome).await {
            Ok(position) => Ended::Settled(position),
            // Told to a system that acts once, it is told again; else it is found tried.
            Err(e) => self.undecided(command, e).await,
        }
    }

    /// Lets a person look what became of it.
    async fn park_uncertain(
        &self,
        system: &str,
        command: OpenCommand,
        mut instance: Instance,
        why: String,
    ) -> Ended {
        let (id, name) = (command.open.issued.id, command.open.issued.name.clone());
        let why = shortened(why);
        loop {
            let Some(open) = instance.open.get(&id) else {
                return Ended::Settled(self.far_enough().await);
            };
            if let Status::Parked { .. } = instance.status {
                // Found tried and unanswered once it goes on.
                return Ended::Parked(instance.moved);
            }
            let parked = Fact::Parked(Parked {
                process: command.process.clone(),
                key: command.key.clone(),
                input: InputRef::Command {
                    id,
                    name: name.clone(),
                },
                class: Class::Uncertain,
                reason: format!(
                    "nobody knows whether {system} did `{name}`: {why}. Look there: if it did, \
                     settle the command by hand; if not, press retry and it is told again"
                ),
                attempts: open.tried.max(1),
                seen: 0,
            });
            let moves = vec![instance_tag(&command.process, &command.key)];
            let unmoved = AppendCondition {
                fail_if_events_match: Query::default().or(QueryItem::of(types::MOVES, moves)),
                after: instance.moved,
            };
            let event = fact_of(self, &command, &parked);
            match self.record(event, vec![unmoved]).await {
                Ok(position) => return Ended::Parked(position),
                Err(AppendError::Conflict { .. }) => {}
                Err(e) => {
                    let e = SendError::Defect(e.to_string());
                    return self.undecided(command, e).await;
                }
            }
            instance = match self.instance(&command.process, &command.key).await {
                Ok(instance) => instance,
                Err(e) => return self.undecided(command, e.into()).await,
            };
        }
    }

    /// How each system stands.
    pub(crate) fn system_statuses(&self) -> Result<Vec<SystemStatus>, StoreError> {
        let mut all = vec![];
        let waiting = self.dispatch.waiting();
        for (name, row) in waiting.rows() {
            let Some(name) = name else { continue };
            all.push(SystemStatus {
                name: name.to_owned(),
                under_way: row.under_way.len(),
                waiting: 0,
                down_since: row.pace.down_since(),
                failures: row.pace.failures,
                last_error: row.pace.last_error.clone(),
                next_try: row.next_try(),
            });
        }
        drop(waiting);
        for status in &mut all {
            let open = self.db.count_told(&status.name)?;
            status.waiting = open.saturating_sub(status.under_way as u64);
        }
        Ok(all)
    }
}

fn result(told: &Result<(), TellError>) -> &'static str {
    match told {
        Ok(()) => "told",
        Err(TellError::Later { .. }) => "later",
        Err(TellError::Never { .. }) => "never",
        Err(TellError::Refused { .. }) => "refused",
        Err(TellError::Unknown { .. }) => "unknown",
    }
}

/// A time as a person says it.
fn words(time: Duration) -> String {
    match time.as_millis() {
        ms @ 0..1000 => format!("{ms} ms"),
        ms @ 1000..120_000 => format!("{} seconds", ms / 1000),
        ms => format!("{} minutes", ms / 60_000),
    }
}
