//! Steps of processes: one append for the input taken, the new state, what is issued and set.

use super::compose::{Trouble, event_ref};
use super::index::Due;
use super::view::panic_text;
use super::{Core, Feed};
use fait_core::event::{DecodeError, NewEvent, Position, StoredEvent, Tag};
use fait_core::process::{
    Class, Fact, InputRef, Instance, May, ProcessDef, Routed, Status, Way, instance_tag,
    process_tag, types,
};
use fait_core::query::{Query, QueryItem};
use fait_core::store::{Append, AppendCondition, AppendError, Range, StoreError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// Most commands that one step may issue.
pub const MAX_ISSUED: usize = 40;

/// Inputs read at once.
const PAGE: usize = 500;

/// A process or policy with how far it has come.
#[derive(Debug)]
pub(crate) struct Runner {
    pub(crate) def: ProcessDef,
    /// Older definitions, for the instances that began with them.
    pub(crate) also: Vec<ProcessDef>,
    pub(crate) feed: Feed,
}

/// One input of one instance.
#[derive(Clone, Copy, Debug)]
pub(super) enum Taken<'a> {
    Event(&'a StoredEvent, Heard),
    Deadline(&'a Due),
}

impl Taken<'_> {
    pub(super) fn heard(&self) -> Heard {
        match self {
            Taken::Event(_, heard) => *heard,
            Taken::Deadline(_) => Heard::default(),
        }
    }
}

/// What an event may do with the instance that hears it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// Begin it.
    pub(super) start: bool,
    /// End it.
    pub(super) ends: bool,
    /// Begin it anew.
    pub(super) again: bool,
    /// It comes late, because it had been held.
    pub(super) held: bool,
}

impl Runner {
    pub(crate) fn new(def: ProcessDef) -> Self {
        Runner {
            def,
            also: vec![],
            feed: Feed::default(),
        }
    }

    /// The definition that an instance goes on with.
    pub(super) fn def_for(&self, instance: &Instance) -> &ProcessDef {
        let own = |def: &&ProcessDef| def.definition == instance.definition;
        self.also.iter().find(own).unwrap_or(&self.def)
    }

    fn feed_name(&self) -> String {
        format!("process:{}", self.def.name)
    }

    fn query(&self) -> Query {
        let own = [types::SETTLED, types::RESUMED];
        let tag = process_tag(&self.def.name);
        Query::types(&self.def.types).or(QueryItem::of(&own, vec![tag]))
    }
}

impl Core {
    pub(crate) fn open_runner(&self, runner: &Runner) -> Result<(), StoreError> {
        runner.feed.set(self.db.feed(&runner.feed_name())?);
        Ok(())
    }

    /// Steps the instances of one process until the system stops.
    pub(crate) async fn run_process(self: Arc<Self>, runner: Arc<Runner>) {
        let mut pulse = self.pulse.listen();
        loop {
            let result = tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                result = self.store.wait(runner.feed.at()) => match result {
                    Ok(head) => self.drain_and_reach(&runner, head).await,
                    Err(e) => Err(e),
                },
                result = self.next_deadline(&runner, &mut pulse) => match result {
                    Ok(()) => self.reach_deadlines(&runner).await,
                    Err(e) => Err(e),
                },
            };
            if let Err(e) = result {
                tracing::error!(process = runner.def.name, error = %e, "the process waits");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    }

    /// Waits until some deadline has come.
    async fn next_deadline(
        &self,
        runner: &Runner,
        pulse: &mut tokio::sync::watch::Receiver<u64>,
    ) -> Result<(), StoreError> {
        loop {
            pulse.mark_unchanged();
            match self.db.next_due(Some(&runner.def.name))? {
                Some(due) => tokio::select! {
                    () = self.clock.sleep_until(due) => return Ok(()),
                    _ = pulse.changed() => {}
                },
                // The sender lives in `self`.
                None => {
                    let _ = pulse.changed().await;
                }
            }
        }
    }

    /// Steps on inputs, and on the deadlines that have come meanwhile: under steady load there is
    /// always another input, and deadlines must not wait for a pause.
    async fn drain_and_reach(&self, runner: &Runner, head: Position) -> Result<(), StoreError> {
        self.drain(runner, head).await?;
        let due = self.db.next_due(Some(&runner.def.name))?;
        if due.is_some_and(|due| due <= self.clock.now()) {
            self.reach_deadlines(runner).await?;
        }
        Ok(())
    }

    /// Steps on every input up to a position, and on those that are read along with it.
    async fn drain(&self, runner: &Runner, until: Position) -> Result<(), StoreError> {
        let query = runner.query();
        loop {
            let at = runner.feed.at();
            let slice = self.store.read(&query, Range::after(at, PAGE)).await?;
            for event in &slice.events {
                self.take(runner, event).await?;
                runner.feed.set(event.meta.position);
            }
            let full = slice.events.len() == PAGE;
            if !full {
                runner.feed.set(slice.head);
            }
            let name = runner.feed_name();
            self.db
                .write(|tx| super::db::set_feed(tx, &name, runner.feed.at()))?;
            self.pulse.beat();
            if !full || runner.feed.at() >= until || self.stop.is_cancelled() {
                return Ok(());
            }
        }
    }

    async fn take(&self, runner: &Runner, event: &StoredEvent) -> Result<(), StoreError> {
        let own = |fact: &Fact| (fact.instance().0 == runner.def.name).then(|| fact.clone());
        match Fact::read(event).map(|f| f.as_ref().and_then(own)) {
            Ok(Some(Fact::Settled(s))) => self
                .step(runner, &s.key, Taken::Event(event, Heard::default()))
                .await
                .map(drop),
            Ok(Some(Fact::Resumed(r))) => self.resume(runner, &r.key, event.meta.position).await,
            Ok(Some(_)) => Ok(()),
            Ok(None) => self.take_domain(runner, event).await,
            Err(e) => {
                tracing::error!(error = %e, "a process fact cannot be read");
                Ok(())
            }
        }
    }

    async fn take_domain(&self, runner: &Runner, event: &StoredEvent) -> Result<(), StoreError> {
        let def = &runner.def;
        match route(runner, event) {
            Ok(keys) => {
                for (key, heard) in keys {
                    self.step(runner, &key, Taken::Event(event, heard)).await?;
                }
            }
            Err(why) => {
                // Which instance is meant is not known; those that its tags name wait for a person.
                let named = || event.tags.iter().filter(|t| t.kind() == def.key_kind);
                if named().next().is_none() {
                    metrics::counter!("fait_unroutable_total", "process" => def.name.clone())
                        .increment(1);
                    tracing::error!(process = def.name, error = %why, "nobody can be parked for it");
                }
                for tag in named() {
                    let instance = self.instance(&def.name, tag.value()).await?;
                    if instance.status == Status::Running
                        && instance.last_input < event.meta.position
                    {
                        let taken = Taken::Event(event, Heard::default());
                        self.park(&instance, taken, (Class::Defect, why.to_string()))
                            .await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// After an operator let an instance go on: the inputs that waited, in order.
    async fn resume(&self, runner: &Runner, key: &str, until: Position) -> Result<(), StoreError> {
        let query = runner.query();
        let instance = self.instance(&runner.def.name, key).await?;
        let mut after = instance.last_input;
        loop {
            let slice = self.store.read(&query, Range::after(after, PAGE)).await?;
            for event in slice.events.iter().take_while(|e| e.meta.position < until) {
                let mine = match Fact::read(event) {
                    Ok(Some(Fact::Settled(s))) => {
                        (s.process == runner.def.name && s.key == key).then_some(Heard::default())
                    }
                    Ok(Some(_)) | Err(_) => None,
                    Ok(None) => match route(runner, event) {
                        Ok(keys) => keys.iter().find(|(k, _)| k == key).map(|(_, h)| *h),
                        Err(why) if names(event, runner, key) => {
                            // It still cannot be read: the instance waits again, not over a gap.
                            let instance = self.instance(&runner.def.name, key).await?;
                            let taken = Taken::Event(event, Heard::default());
                            if event.meta.position > instance.last_input {
                                let trouble = (Class::Defect, why.to_string());
                                return self.park(&instance, taken, trouble).await;
                            }
                            None
                        }
                        Err(_) => None,
                    },
                };
                if let Some(heard) = mine {
                    self.step(runner, key, Taken::Event(event, heard)).await?;
                }
            }
            match slice.events.last() {
                Some(last) if slice.events.len() == PAGE && last.meta.position < until => {
                    after = last.meta.position;
                }
                _ => return Ok(()),
            }
        }
    }

    /// Steps on the deadlines that have come, each after everything that was recorded before it:
    /// an answer that is in the log already beats the deadline that waited for it.
    async fn reach_deadlines(&self, runner: &Runner) -> Result<(), StoreError> {
        loop {
            self.drain(runner, self.store.head().await?).await?;
            let due = self.db.due(&runner.def.name, self.clock.now(), 256)?;
            if due.is_empty() || self.stop.is_cancelled() {
                return Ok(());
            }
            for d in &due {
                while !self.step(runner, &d.key, Taken::Deadline(d)).await? {
                    self.drain(runner, self.store.head().await?).await?;
                }
            }
            // The index must see these steps before it is asked again.
            let head = self.store.head().await?;
            self.wait_for_index(head).await;
        }
    }

    async fn wait_for_index(&self, position: Position) {
        let mut pulse = self.pulse.listen();
        while self.index.at() < position && !self.stop.is_cancelled() {
            // The sender lives in `self`; the time-out covers a beat between look and wait.
            let _ = tokio::time::timeout(Duration::from_millis(50), pulse.changed()).await;
        }
    }

    /// One step of one instance. Says no only to a deadline that something else came before.
    async fn step(&self, runner: &Runner, key: &str, taken: Taken<'_>) -> Result<bool, StoreError> {
        loop {
            let instance = self.instance(&runner.def.name, key).await?;
            let seen = runner.feed.at();
            if matches!(taken, Taken::Deadline(_)) && instance.moved > seen {
                let head = self.store.head().await?;
                if head > seen {
                    return Ok(false);
                }
            }
            let Some(batch) = self.prepare(runner, &instance, taken) else {
                return Ok(true);
            };
            let mut conditions = vec![unmoved(&instance)];
            if let Taken::Deadline(_) = taken {
                let about = vec![Tag::new(&runner.def.key_kind, key)];
                let heard = QueryItem::of(&runner.def.types, about);
                let fail_if_events_match = Query::default().or(heard);
                conditions.push(AppendCondition {
                    fail_if_events_match,
                    after: seen,
                });
            }
            match self.append_step(batch, conditions).await {
                Err(AppendError::Conflict { .. }) if matches!(taken, Taken::Deadline(_)) => {
                    return Ok(false);
                }
                Err(AppendError::Conflict { .. }) => {}
                Ok(()) => return Ok(true),
                Err(AppendError::Store(e)) => return Err(e),
                Err(other) => {
                    // The step breaks a limit of the store: a person must look.
                    self.park(&instance, taken, (Class::Limit, other.to_string()))
                        .await?;
                    return Ok(true);
                }
            }
        }
    }

    async fn append_step(
        &self,
        events: Vec<NewEvent>,
        conditions: Vec<AppendCondition>,
    ) -> Result<(), AppendError> {
        let n = events.len();
        let recorded_at = self.clock.now();
        let stepped = events.first().cloned();
        let done = self
            .store
            .append(Append {
                events,
                conditions,
                command: None,
                recorded_at,
            })
            .await?;
        super::count_appended(n);
        if let Some(stepped) = stepped {
            self.hand_over(&stepped, done.first, recorded_at);
        }
        Ok(())
    }

    async fn park(
        &self,
        instance: &Instance,
        taken: Taken<'_>,
        trouble: Trouble,
    ) -> Result<(), StoreError> {
        let input = match taken {
            Taken::Event(e, _) => event_ref(e),
            Taken::Deadline(due) => match instance.deadlines.get(&due.name) {
                Some((d, _)) => InputRef::Deadline(d.clone()),
                None => return Ok(()),
            },
        };
        let events = self.parked(instance, taken, input, trouble);
        match self.append_step(events, vec![unmoved(instance)]).await {
            Ok(()) | Err(AppendError::Conflict { .. }) => Ok(()),
            Err(AppendError::Invalid(why)) => {
                // One instance must not hold up all others.
                let name = &instance.process;
                tracing::error!(
                    process = name,
                    key = instance.key,
                    why,
                    "it cannot be parked"
                );
                Ok(())
            }
            Err(e) => {
                let name = &instance.process;
                Err(StoreError::new(format_args!(
                    "process {name} cannot be parked: {e}"
                )))
            }
        }
    }
}

/// Which instances an event belongs to; a panic of the application's code is an error of it.
fn route(runner: &Runner, event: &StoredEvent) -> Result<Vec<(String, Heard)>, DecodeError> {
    let routed = catch_unwind(AssertUnwindSafe(|| (runner.def.route)(event)))
        .unwrap_or_else(|p| Err(event.unreadable(panic_text(&*p))))?;
    let heard = |r: Routed| match r.way {
        Way::Key(key) => Some((
            key,
            Heard {
                start: r.may == May::Start,
                ends: r.ends,
                again: r.again,
                held: false,
            },
        )),
        Way::Alias(..) => None,
    };
    Ok(routed.into_iter().filter_map(heard).collect())
}

/// Whether an event's tags name an instance.
fn names(event: &StoredEvent, runner: &Runner, key: &str) -> bool {
    event
        .tags
        .iter()
        .any(|t| t.kind() == runner.def.key_kind && t.value() == key)
}

/// No other step came meanwhile.
fn unmoved(instance: &Instance) -> AppendCondition {
    let tag = instance_tag(&instance.process, &instance.key);
    let fail_if_events_match = Query::default().or(QueryItem::of(types::MOVES, vec![tag]));
    AppendCondition {
        fail_if_events_match,
        after: instance.moved,
    }
}
