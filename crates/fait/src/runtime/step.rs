//! Steps of processes: one append for the input taken, the new state, what is issued and set.

use super::index::Due;
use super::view::panic_text;
use super::{Core, Feed};
use fait_core::decision::CommandDef;
use fait_core::event::{NewEvent, Origin, Position, StoredEvent, Tag, Time};
use fait_core::process::{
    AnyInput, Deadline, Fact, InputRef, Instance, Issue, Issued, Outcome, Parked, ProcessDef,
    Reaction, Settled, Status, Step, Target, instance_tag, process_tag, types,
};
use fait_core::query::{Query, QueryItem};
use fait_core::store::{Append, AppendCondition, AppendError, Range, StoreError};
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Most commands that one step may issue.
pub const MAX_ISSUED: usize = 40;

/// Inputs read at once.
const PAGE: usize = 500;

/// A process or policy with how far it has come.
#[derive(Debug)]
pub(crate) struct Runner {
    pub(crate) def: ProcessDef,
    pub(crate) feed: Feed,
}

/// One input of one instance.
#[derive(Clone, Copy, Debug)]
enum Taken<'a> {
    Event(&'a StoredEvent),
    Deadline(&'a Due),
}

impl Runner {
    pub(crate) fn new(def: ProcessDef) -> Self {
        Runner {
            def,
            feed: Feed::default(),
        }
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
                    Ok(_) => self.drain(&runner).await,
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

    /// Steps on every input up to the head.
    async fn drain(&self, runner: &Runner) -> Result<(), StoreError> {
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
            if !full || self.stop.is_cancelled() {
                return Ok(());
            }
        }
    }

    async fn take(&self, runner: &Runner, event: &StoredEvent) -> Result<(), StoreError> {
        let own = |fact: &Fact| (fact.instance().0 == runner.def.name).then(|| fact.clone());
        match Fact::read(event).map(|f| f.as_ref().and_then(own)) {
            Ok(Some(Fact::Settled(s))) => self
                .step(runner, &s.key, Taken::Event(event))
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
        let routed = catch_unwind(AssertUnwindSafe(|| (def.route)(event)))
            .unwrap_or_else(|p| Err(event.unreadable(panic_text(&*p))));
        match routed {
            Ok(keys) => {
                for key in keys {
                    self.step(runner, &key, Taken::Event(event)).await?;
                }
            }
            Err(why) => {
                // Which instance is meant is not known; those that its tags name wait for a person.
                for tag in event.tags.iter().filter(|t| t.kind() == def.key_kind) {
                    let instance = self.instance(&def.name, tag.value()).await?;
                    if instance.status == Status::Running
                        && instance.last_input < event.meta.position
                    {
                        self.park(runner, &instance, Taken::Event(event), why.to_string())
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
        if let Status::Running = instance.status {
            for due in instance
                .deadlines
                .values()
                .filter(|(d, _)| d.due <= self.clock.now())
            {
                tracing::debug!(
                    key,
                    name = due.0.name,
                    "a deadline passed while it was parked"
                );
            }
        }
        let mut after = instance.last_input;
        loop {
            let slice = self.store.read(&query, Range::after(after, PAGE)).await?;
            for event in slice.events.iter().take_while(|e| e.meta.position < until) {
                let mine = match Fact::read(event) {
                    Ok(Some(Fact::Settled(s))) => s.process == runner.def.name && s.key == key,
                    Ok(Some(_)) | Err(_) => false,
                    Ok(None) => {
                        (runner.def.route)(event).is_ok_and(|keys| keys.iter().any(|k| k == key))
                    }
                };
                if mine {
                    self.step(runner, key, Taken::Event(event)).await?;
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
            self.drain(runner).await?;
            let due = self.db.due(&runner.def.name, self.clock.now(), 256)?;
            if due.is_empty() || self.stop.is_cancelled() {
                return Ok(());
            }
            for d in &due {
                while !self.step(runner, &d.key, Taken::Deadline(d)).await? {
                    self.drain(runner).await?;
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
                    self.park(runner, &instance, taken, other.to_string())
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
        self.store
            .append(Append {
                events,
                conditions,
                command: None,
                recorded_at,
            })
            .await?;
        super::count_appended(n);
        Ok(())
    }

    /// What is to be appended for an input; none when it was taken before or nothing comes of it.
    fn prepare(
        &self,
        runner: &Runner,
        instance: &Instance,
        taken: Taken<'_>,
    ) -> Option<Vec<NewEvent>> {
        let input = match taken {
            Taken::Event(e) if e.meta.position <= instance.last_input => return None,
            Taken::Event(e) => InputRef::Event {
                id: e.meta.id,
                position: e.meta.position,
                ty: e.ty.clone(),
            },
            Taken::Deadline(due) => match instance.deadlines.get(&due.name) {
                Some((d, _)) if d.due == due.due => InputRef::Deadline(d.clone()),
                _ => return None,
            },
        };
        match &instance.status {
            Status::Parked { .. } => None,
            Status::Ended => self.late(runner, instance, taken, input),
            Status::Running => match self.react(runner, instance, taken) {
                Ok(None) => None,
                Ok(Some(reaction)) => Some(self.compose(runner, instance, taken, input, reaction)),
                Err(why) => Some(self.parked(instance, taken, input, why)),
            },
        }
    }

    fn react(
        &self,
        runner: &Runner,
        instance: &Instance,
        taken: Taken<'_>,
    ) -> Result<Option<Reaction>, String> {
        let settled;
        let (input, now) = match taken {
            Taken::Deadline(due) => (AnyInput::Timer(&due.name), self.clock.now()),
            Taken::Event(e) => match Fact::read(e).map_err(|e| e.to_string())? {
                Some(Fact::Settled(s)) => {
                    settled = (as_issued(&s), s.outcome);
                    (
                        AnyInput::Settled(&settled.0, &settled.1),
                        e.meta.recorded_at,
                    )
                }
                _ => (AnyInput::Event(e), e.meta.recorded_at),
            },
        };
        if let AnyInput::Settled(_, Outcome::Accepted) = input {
            return Ok(None);
        }
        let state = instance
            .state
            .as_ref()
            .map(|(version, value)| (*version, value));
        let react = || (runner.def.react)(&instance.key, state, input, now);
        let reaction = catch_unwind(AssertUnwindSafe(react))
            .unwrap_or_else(|panic| Err(panic_text(&*panic)))?;
        if reaction.issued.len() > MAX_ISSUED {
            let n = reaction.issued.len();
            return Err(format!(
                "one step issues {n} commands; at most {MAX_ISSUED} fit"
            ));
        }
        // A reached deadline is taken even when nothing comes of it, or it would come again.
        let nothing = reaction.is_nothing() && matches!(taken, Taken::Event(_));
        Ok((!nothing).then_some(reaction))
    }

    fn late(
        &self,
        runner: &Runner,
        instance: &Instance,
        taken: Taken<'_>,
        input: InputRef,
    ) -> Option<Vec<NewEvent>> {
        let Taken::Event(event) = taken else {
            return None;
        };
        if let Ok(Some(Fact::Settled(s))) = Fact::read(event) {
            // Nobody is there to hear it, and it must not disappear.
            return refusal_of(&s).map(|why| self.parked(instance, taken, input, why));
        }
        tracing::info!(
            process = runner.def.name,
            key = instance.key,
            event = event.ty,
            "late"
        );
        let (version, state) = instance
            .state
            .clone()
            .unwrap_or((runner.def.version, Value::Null));
        let step = Step {
            process: instance.process.clone(),
            key: instance.key.clone(),
            version,
            input,
            state,
            issued: vec![],
            withdrawn: vec![],
            set: vec![],
            cancelled: vec![],
            ended: true,
            until_settled: false,
            late: true,
        };
        Some(vec![self.fact(&Fact::Stepped(step), instance, taken)])
    }

    fn parked(
        &self,
        instance: &Instance,
        taken: Taken<'_>,
        input: InputRef,
        reason: String,
    ) -> Vec<NewEvent> {
        tracing::error!(
            process = instance.process,
            key = instance.key,
            reason,
            "parked"
        );
        let parked = Parked {
            process: instance.process.clone(),
            key: instance.key.clone(),
            input,
            reason,
        };
        vec![self.fact(&Fact::Parked(parked), instance, taken)]
    }

    async fn park(
        &self,
        runner: &Runner,
        instance: &Instance,
        taken: Taken<'_>,
        reason: String,
    ) -> Result<(), StoreError> {
        let input = match taken {
            Taken::Event(e) => InputRef::Event {
                id: e.meta.id,
                position: e.meta.position,
                ty: e.ty.clone(),
            },
            Taken::Deadline(due) => match instance.deadlines.get(&due.name) {
                Some((d, _)) => InputRef::Deadline(d.clone()),
                None => return Ok(()),
            },
        };
        let events = self.parked(instance, taken, input, reason);
        match self.append_step(events, vec![unmoved(instance)]).await {
            Ok(()) | Err(AppendError::Conflict { .. }) => Ok(()),
            Err(e) => {
                let name = &runner.def.name;
                Err(StoreError::new(format_args!(
                    "process {name} cannot be parked: {e}"
                )))
            }
        }
    }

    fn compose(
        &self,
        runner: &Runner,
        instance: &Instance,
        taken: Taken<'_>,
        input: InputRef,
        r: Reaction,
    ) -> Vec<NewEvent> {
        if let Some(reason) = r.parked.clone() {
            return self.parked(instance, taken, input, reason);
        }
        let now = match taken {
            Taken::Event(e) => e.meta.recorded_at,
            Taken::Deadline(_) => self.clock.now(),
        };
        let issued: Result<Vec<Issued>, String> = r
            .issued
            .iter()
            .enumerate()
            .map(|(n, issue)| self.issue(runner, instance, &input, (n, issue), now))
            .collect();
        let issued = match issued {
            Ok(issued) => issued,
            Err(why) => return self.parked(instance, taken, input, why),
        };
        let withdrawn = instance
            .open
            .values()
            .filter(|o| r.ended || r.withdrawn.contains(&o.issued.name))
            .map(|o| o.issued.id)
            .collect();
        let step = Step {
            process: instance.process.clone(),
            key: instance.key.clone(),
            version: runner.def.version,
            input,
            state: r.state,
            issued: if r.ended {
                keep_automatic(issued)
            } else {
                issued
            },
            withdrawn,
            set: deadlines(instance, &r.set),
            cancelled: r.cancelled,
            ended: r.ended,
            until_settled: r.until_settled,
            late: false,
        };
        let mut events = vec![self.fact(&Fact::Stepped(step), instance, taken)];
        let mut origin = events[0].origin.clone();
        origin.causation = Some(events[0].id);
        for draft in r.raised {
            events.push(draft.with(self.clock.id(), origin.clone()));
        }
        events
    }

    fn issue(
        &self,
        runner: &Runner,
        instance: &Instance,
        input: &InputRef,
        (ordinal, issue): (usize, &Issue),
        now: Time,
    ) -> Result<Issued, String> {
        let name = &issue.name;
        let Some(def) = self.commands.get(name) else {
            return Err(format!(
                "it sends `{name}`, which this program does not know"
            ));
        };
        let to = match (&issue.role, &def.page.to) {
            (Some(role), _) if !def.page.by.contains(role) => {
                return Err(format!("`{}` is not something {role} can do", def.title));
            }
            (Some(role), _) => Target::Role(role.clone()),
            (None, Some(system)) => Target::System(system.clone()),
            (None, None) => Target::Here,
        };
        let mut body = issue.body.clone();
        if matches!(to, Target::Role(_)) {
            give_key(def, &runner.def.key_kind, &instance.key, &mut body);
        }
        Ok(Issued {
            id: command_id(&instance.process, &instance.key, input, ordinal),
            name: name.clone(),
            body,
            to,
            due: issue.within.map(|d| now + d),
            tries: instance.tries.get(name).copied().unwrap_or(0) + 1,
        })
    }

    /// A fact as an event, with the cause and flow of its input.
    fn fact(&self, fact: &Fact, instance: &Instance, taken: Taken<'_>) -> NewEvent {
        let (causation, correlation, traceparent) = match taken {
            Taken::Event(e) => (
                Some(e.meta.id),
                e.meta.origin.correlation,
                e.meta.origin.traceparent.clone(),
            ),
            Taken::Deadline(d) => {
                let set_by = instance.deadlines.get(&d.name).map(|(_, step)| *step);
                (set_by, instance.correlation, None)
            }
        };
        let correlation = if instance.exists() {
            instance.correlation
        } else {
            correlation
        };
        let origin = Origin {
            actor: Some(format!("process:{}", instance.process)),
            correlation,
            causation,
            traceparent,
            ..Origin::default()
        };
        fact.draft(&about(instance, self.process(&instance.process), taken))
            .with(self.clock.id(), origin)
    }
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

/// The tags of what an instance is about: its key, or for a policy what its event was about.
fn about(instance: &Instance, def: Option<&ProcessDef>, taken: Taken<'_>) -> Vec<Tag> {
    if instance.exists() {
        return instance.about.clone();
    }
    match (def, taken) {
        (Some(def), _) if !def.policy => vec![Tag::new(&def.key_kind, &instance.key)],
        (_, Taken::Event(e)) => e.tags.iter().take(16).cloned().collect(),
        _ => vec![],
    }
}

/// What is asked of people makes no sense once an instance has ended; what is done at once does.
fn keep_automatic(issued: Vec<Issued>) -> Vec<Issued> {
    issued
        .into_iter()
        .filter(|c| !matches!(c.to, Target::Role(_)))
        .collect()
}

fn deadlines(instance: &Instance, set: &[(String, Time)]) -> Vec<Deadline> {
    set.iter()
        .map(|(name, due)| Deadline {
            name: name.clone(),
            generation: instance.generations.get(name).copied().unwrap_or(0) + 1,
            due: *due,
        })
        .collect()
}

/// The instance's key goes into every field of an asked task that names a thing of its kind.
fn give_key(def: &CommandDef, kind: &str, key: &str, body: &mut Value) {
    for field in def.fields.iter().filter(|f| f.kind() == Some(kind)) {
        if body.get(&field.name).is_none() {
            let number = field.schema["type"] == "integer";
            body[&field.name] = match key.parse::<u64>() {
                Ok(n) if number => json!(n),
                _ => json!(key),
            };
        }
    }
}

/// The same id however often the step is tried.
fn command_id(process: &str, key: &str, input: &InputRef, ordinal: usize) -> Uuid {
    let input = match input {
        InputRef::Event { id, .. } => id.to_string(),
        InputRef::Deadline(d) => format!("{}#{}", d.name, d.generation),
        InputRef::Operator => "operator".into(),
    };
    let text = format!("fait command {process} {key} {input} {ordinal}");
    Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes())
}

fn refusal_of(s: &Settled) -> Option<String> {
    match &s.outcome {
        Outcome::Accepted => None,
        Outcome::Refused { reason, .. } => Some(format!("`{}` was refused: {reason}", s.name)),
        Outcome::Failed { error } => Some(format!("`{}` failed: {error}", s.name)),
    }
}

/// A settled command as the process issued it.
fn as_issued(s: &Settled) -> Issued {
    Issued {
        id: s.command,
        name: s.name.clone(),
        body: s.body.clone(),
        to: Target::Here,
        due: None,
        tries: 0,
    }
}
