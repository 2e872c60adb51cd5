//! What a step records: composed from what the process said, before anything is appended.

use super::Core;
use super::step::{MAX_ISSUED, Runner, Taken};
use super::view::panic_text;
use fait_core::decision::CommandDef;
use fait_core::event::{NewEvent, Origin, Tag, Time};
use fait_core::process::{
    AnyInput, Deadline, Fact, InputRef, Instance, Issue, Issued, Outcome, Parked, ProcessDef,
    Reaction, Settled, Status, Step, Target,
};
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use uuid::Uuid;

impl Core {
    /// What is to be appended for an input; none when it was taken before or nothing comes of it.
    pub(super) fn prepare(
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
            seen: 0,
        };
        Some(vec![self.fact(&Fact::Stepped(step), instance, taken)])
    }

    pub(super) fn parked(
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
        let seen = match taken {
            Taken::Event(e) => e.meta.position - 1,
            Taken::Deadline(_) => self
                .processes
                .get(&instance.process)
                .map_or(0, |runner| runner.feed.at()),
        };
        let parked = Parked {
            process: instance.process.clone(),
            key: instance.key.clone(),
            input,
            reason,
            seen,
        };
        vec![self.fact(&Fact::Parked(parked), instance, taken)]
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
            seen: match taken {
                Taken::Event(_) => 0,
                Taken::Deadline(_) => runner.feed.at(),
            },
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
