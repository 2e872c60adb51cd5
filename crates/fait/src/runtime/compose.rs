//! What a step records: composed from what the process said, before anything is appended.

use super::Core;
use super::step::{MAX_ISSUED, Runner, Taken};
use fait_core::decision::CommandDef;
use fait_core::event::panic_text;
use fait_core::event::{NewEvent, Origin, StoredEvent, Tag, Time};
use fait_core::process::{
    AnyInput, Awaited, Class, Deadline, Fact, InputRef, Instance, Issue, Issued, Parked,
    ProcessDef, Reaction, Settled, Status, Step, Target,
};
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use uuid::Uuid;

/// Why an instance cannot go on.
pub(super) type Trouble = (Class, String);

/// What is to be appended for one input: the fact, and with it what the process raises.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) fact: Fact,
    /// The fact as an event, and those that the process raises.
    pub(super) events: Vec<NewEvent>,
}

impl Core {
    /// What is to be appended for an input; none when it was taken before or nothing comes of it.
    pub(super) fn prepare(
        &self,
        runner: &Runner,
        instance: &Instance,
        taken: Taken<'_>,
    ) -> Option<Prepared> {
        let input = match taken {
            Taken::Event(e, heard) => {
                let position = e.meta.position;
                // What an operator cancelled or ended does not hear what came before that.
                let cancelled = instance.cancelled.is_some_and(|at| position < at);
                if instance.has_taken(position, heard.held) || cancelled {
                    return None;
                }
                event_ref(e)
            }
            Taken::Deadline(due) => match instance.deadlines.get(&due.name) {
                Some((d, _)) if d.due == due.due => InputRef::Deadline(d.clone()),
                _ => return None,
            },
        };
        let again = instance.status == Status::Ended && taken.heard().again;
        match &instance.status {
            Status::Parked { .. } => return None,
            Status::Ended if !again => return self.late(runner, instance, taken, input),
            Status::Running if !instance.has_begun() && !taken.heard().start => return None,
            Status::Running | Status::Ended => {}
        }
        let span = match taken {
            Taken::Event(e, _) => {
                let before = e.meta.origin.traceparent.as_deref();
                super::spanned::process(instance, "event", before)
            }
            Taken::Deadline(_) => {
                super::spanned::process(instance, "deadline", instance.traceparent.as_deref())
            }
        };
        match span.in_scope(|| self.react(runner, instance, taken)) {
            Ok(None) => None,
            Ok(Some(reaction)) => Some(self.compose(runner, instance, taken, input, reaction)),
            Err(trouble) => Some(self.parked(instance, taken, input, trouble)),
        }
    }

    fn react(
        &self,
        runner: &Runner,
        instance: &Instance,
        taken: Taken<'_>,
    ) -> Result<Option<Reaction>, Trouble> {
        let def = runner.def_for(instance);
        let defect = |why: String| (Class::Defect, why);
        let (event, heard) = match taken {
            Taken::Deadline(due) => {
                let input = AnyInput::Timer(&due.name);
                return react_to(def, instance, input, self.clock.now()).map(Some);
            }
            Taken::Event(event, heard) => (event, heard),
        };
        let now = event.meta.recorded_at;
        let fact = Fact::read(event).map_err(|e| defect(e.to_string()))?;
        let mut reaction = match fact {
            Some(Fact::Settled(s)) => {
                let known = instance.unheard.get(&event.meta.position);
                let issued = known.cloned().unwrap_or_else(|| as_issued(&s));
                if !def.hears_of(&s.name) {
                    return match s.outcome.trouble(&s.name) {
                        Some(why) => Err((Class::Unhandled, why)),
                        None => Ok(None),
                    };
                }
                let input = AnyInput::Settled(&issued, &s.outcome);
                react_to(def, instance, input, now)?
            }
            Some(Fact::Operated(o)) => {
                let by = event.meta.origin.actor.as_deref().unwrap_or("somebody");
                let input = AnyInput::Cancelled(by, &o.reason);
                let cleared = react_to(def, instance, input, now);
                let mut reaction = cleared.unwrap_or_else(|(_, why)| {
                    // It ends whatever its own code thinks of that.
                    tracing::error!(process = def.name, key = instance.key, why, "cancelled");
                    Reaction {
                        state: instance
                            .state
                            .clone()
                            .map_or(Value::Null, |(_, state)| state),
                        ..Reaction::default()
                    }
                });
                (reaction.ended, reaction.parked) = (true, None);
                reaction
            }
            _ => react_to(def, instance, AnyInput::Event(event), now)?,
        };
        reaction.ended |= heard.ends;
        // A held input may come behind others, so that it must be known that it was taken.
        Ok((heard.held || !reaction.is_nothing()).then_some(reaction))
    }

    fn late(
        &self,
        runner: &Runner,
        instance: &Instance,
        taken: Taken<'_>,
        input: InputRef,
    ) -> Option<Prepared> {
        let Taken::Event(event, heard) = taken else {
            return None;
        };
        match Fact::read(event) {
            // Nobody is there to hear it, and it must not disappear.
            Ok(Some(Fact::Settled(s))) => {
                let trouble = s.outcome.trouble(&s.name)?;
                return Some(self.parked(instance, taken, input, (Class::Unhandled, trouble)));
            }
            Ok(Some(_)) => return None,
            Ok(None) | Err(_) => {}
        }
        let def = runner.def_for(instance);
        tracing::info!(
            process = def.name,
            key = instance.key,
            event = event.ty,
            "late"
        );
        let (version, state) = instance.state.clone().unwrap_or((def.version, Value::Null));
        let step = Step {
            version,
            state,
            ended: true,
            late: true,
            held: heard.held,
            ..step_of(instance, def, input)
        };
        Some(self.fact(Fact::Stepped(step), instance, taken))
    }

    pub(super) fn parked(
        &self,
        instance: &Instance,
        taken: Taken<'_>,
        input: InputRef,
        (class, reason): Trouble,
    ) -> Prepared {
        tracing::error!(
            process = instance.process,
            key = instance.key,
            class = class.name(),
            reason,
            "parked"
        );
        let seen = match taken {
            Taken::Event(_, heard) if heard.held => 0,
            Taken::Event(e, _) => e.meta.position - 1,
            Taken::Deadline(_) => self
                .processes
                .get(&instance.process)
                .map_or(0, |runner| runner.feed.at()),
        };
        let parked = Parked {
            process: instance.process.clone(),
            key: instance.key.clone(),
            input,
            class,
            reason: shortened(reason),
            attempts: 1,
            seen,
        };
        self.fact(Fact::Parked(parked), instance, taken)
    }

    fn compose(
        &self,
        runner: &Runner,
        instance: &Instance,
        taken: Taken<'_>,
        input: InputRef,
        r: Reaction,
    ) -> Prepared {
        if let Some(trouble) = r.parked.clone() {
            return self.parked(instance, taken, input, trouble);
        }
        let now = match taken {
            Taken::Event(e, _) => e.meta.recorded_at,
            Taken::Deadline(_) => self.clock.now(),
        };
        let def = runner.def_for(instance);
        let issued: Result<Vec<Issued>, String> = r
            .issued
            .iter()
            .enumerate()
            .map(|(n, issue)| self.issue(def, instance, &input, (n, issue), now))
            .collect();
        let issued = issued.map(|all| if r.ended { keep_automatic(all) } else { all });
        let awaited = issued.and_then(|issued| {
            let awaiting = awaiting(instance, &issued, &r)?;
            Ok((issued, awaiting))
        });
        let (issued, awaiting) = match awaited {
            Ok(both) => both,
            Err(why) => return self.parked(instance, taken, input, (Class::Defect, why)),
        };
        let withdrawn = instance
            .open
            .values()
            .filter(|o| r.ended || r.withdrawn.contains(&o.issued.name))
            .map(|o| o.issued.id)
            .collect();
        let step = Step {
            state: r.state,
            issued,
            withdrawn,
            awaiting,
            set: deadlines(instance, &r.set),
            cancelled: r.cancelled,
            again: instance.status == Status::Ended,
            held: taken.heard().held,
            ended: r.ended,
            until_settled: r.until_settled,
            seen: match taken {
                Taken::Event(..) => 0,
                Taken::Deadline(_) => runner.feed.at(),
            },
            ..step_of(instance, def, input)
        };
        let mut prepared = self.fact(Fact::Stepped(step), instance, taken);
        let fact = &prepared.events[0];
        let mut origin = fact.origin.clone();
        origin.causation = Some(fact.id);
        for draft in r.raised {
            prepared
                .events
                .push(draft.with(self.clock.id(), origin.clone()));
        }
        prepared
    }

    fn issue(
        &self,
        process: &ProcessDef,
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
            give_key(def, &process.key_kind, &instance.key, &mut body);
        }
        Ok(Issued {
            id: command_id(&instance.process, &instance.key, input, ordinal),
            name: name.clone(),
            body,
            to,
            due: issue.within.map(|d| now + d),
            tries: instance.tries.get(name).copied().unwrap_or(0) + 1,
            expires: issue.expires && issue.within.is_some(),
        })
    }

    /// A fact as an event, with the cause and flow of its input.
    fn fact(&self, fact: Fact, instance: &Instance, taken: Taken<'_>) -> Prepared {
        let (causation, correlation, traceparent) = match taken {
            Taken::Event(e, _) => (
                Some(e.meta.id),
                e.meta.origin.correlation,
                e.meta.origin.traceparent.clone(),
            ),
            Taken::Deadline(d) => {
                let set_by = instance.deadlines.get(&d.name).map(|(_, step)| *step);
                (set_by, instance.correlation, instance.traceparent.clone())
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
        let about = about(instance, self.process(&instance.process), taken);
        let drafts = std::iter::once(fact.draft(&about)).chain(fact.rest(&about));
        let events = drafts.map(|draft| draft.with(self.clock.id(), origin.clone()));
        Prepared {
            events: events.collect(),
            fact,
        }
    }
}

/// The tags of what an instance is about: its key, or for a policy what its event was about.
fn about(instance: &Instance, def: Option<&ProcessDef>, taken: Taken<'_>) -> Vec<Tag> {
    if instance.exists() {
        return instance.about.clone();
    }
    match (def, taken) {
        (Some(def), _) if !def.policy => vec![Tag::new(&def.key_kind, &instance.key)],
        (_, Taken::Event(e, _)) => e.tags.iter().take(16).cloned().collect(),
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
        InputRef::Command { id, .. } => id.to_string(),
        InputRef::Operator => "operator".into(),
    };
    let text = format!("fait command {process} {key} {input} {ordinal}");
    Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes())
}

/// Longest words of trouble that are recorded, in bytes; of longer ones the beginning. An event
/// has a limit, and what cannot be recorded would be tried for ever.
const MAX_WORDS: usize = 4000;

/// Words that fit.
pub(crate) fn shortened(mut words: String) -> String {
    if words.len() > MAX_WORDS {
        words.truncate(words.floor_char_boundary(MAX_WORDS));
        words.push('…');
    }
    words
}

/// An event as the input of a step.
pub(super) fn event_ref(event: &StoredEvent) -> InputRef {
    InputRef::Event {
        id: event.meta.id,
        position: event.meta.position,
        ty: event.ty.clone(),
    }
}

/// A step of which nothing comes.
fn step_of(instance: &Instance, def: &ProcessDef, input: InputRef) -> Step {
    Step {
        version: def.version,
        definition: def.definition,
        ..Step::of(&instance.process, &instance.key, input)
    }
}

/// Runs the application's code once; what it panics with is a defect.
fn react_to(
    def: &ProcessDef,
    instance: &Instance,
    input: AnyInput<'_>,
    now: Time,
) -> Result<Reaction, Trouble> {
    let begun = instance.status != Status::Ended;
    let state = instance.state.as_ref().filter(|_| begun);
    let state = state.map(|(version, value)| (*version, value));
    let react = || (def.react)(&instance.key, state, input, now);
    let reaction = catch_unwind(AssertUnwindSafe(react))
        .unwrap_or_else(|panic| Err(panic_text(&*panic)))
        .map_err(|why| (Class::Defect, why))?;
    if reaction.issued.len() > MAX_ISSUED {
        let n = reaction.issued.len();
        let why = format!("one step issues {n} commands; at most {MAX_ISSUED} fit");
        return Err((Class::Limit, why));
    }
    Ok(reaction)
}

/// The commands whose acceptance starts a clock.
fn awaiting(
    instance: &Instance,
    issued: &[Issued],
    reaction: &Reaction,
) -> Result<Vec<Awaited>, String> {
    if reaction.ended {
        return Ok(vec![]);
    }
    let open = || {
        let open = instance.open.values().map(|o| &o.issued);
        open.filter(|o| !reaction.withdrawn.contains(&o.name))
    };
    let one = |(timer, name, after): &(String, String, Duration)| {
        let mut all = issued.iter().rev().chain(open());
        let Some(command) = all.find(|c| c.name == *name) else {
            return Err(format!(
                "deadline {timer} waits until `{name}` is accepted, which is not open"
            ));
        };
        Ok(Awaited {
            name: timer.clone(),
            command: command.id,
            after_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
        })
    };
    reaction.awaiting.iter().map(one).collect()
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
        expires: false,
    }
}
