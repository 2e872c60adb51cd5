//! A process or a policy as data, with its types erased.

use super::{
    AnyInput, Class, Input, Issue, Outbox, Outcome, Policy, Process, Reaction, Routed, Routes,
    Target,
};
use crate::command::{CommandSet, InputError};
use crate::event::{DecodeError, EntityId, EventDef, EventSet, StoredEvent, Time};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// Which instances an event belongs to.
pub type Route = Arc<dyn Fn(&StoredEvent) -> Result<Vec<Routed>, DecodeError> + Send + Sync>;

/// The key that an event gives to another id, by the alias's name and that id's value.
pub type Aliased =
    Arc<dyn Fn(&StoredEvent) -> Result<Vec<(String, String)>, DecodeError> + Send + Sync>;

/// The state of an instance from what happened before the process was there: key, events.
pub type Adopt = Arc<dyn Fn(&str, &[StoredEvent]) -> Result<Option<Value>, String> + Send + Sync>;

/// The state for this definition: version of the recorded state, the definition it is of.
pub type Migrate = Arc<dyn Fn((u32, &Value), u32) -> Result<Value, String> + Send + Sync>;

/// A recorded state as this program has it: version of the state, the state.
pub type ReadState = Arc<dyn Fn(u32, &Value) -> Result<Value, String> + Send + Sync>;

/// Whether a deadline's name can be read: the timer as JSON.
pub type ReadTimer = Arc<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

/// Whether the outcome of a command can be heard: its name, its JSON.
pub type ReadCommand = Arc<dyn Fn(&str, &Value) -> Result<(), String> + Send + Sync>;

/// Whether an event can be read. One that is not heard can.
pub type ReadEvent = Arc<dyn Fn(&StoredEvent) -> Result<(), DecodeError> + Send + Sync>;

/// What a program can read of what was recorded, without taking a step.
#[derive(Clone)]
pub struct Reads {
    /// The state of an instance.
    pub state: ReadState,
    /// The deadlines that it set.
    pub timer: ReadTimer,
    /// The commands that it issued.
    pub command: ReadCommand,
    /// The events that it hears.
    pub event: ReadEvent,
}

/// One step: key, recorded state with its version, input, the input's recorded time.
pub type React = Arc<
    dyn Fn(&str, Option<(u32, &Value)>, AnyInput<'_>, Time) -> Result<Reaction, String>
        + Send
        + Sync,
>;

/// A process or a policy as data: what the registry holds.
#[derive(Clone)]
pub struct ProcessDef {
    /// The name in records.
    pub name: String,
    /// The name in plain words.
    pub title: String,
    /// The version of the state.
    pub version: u32,
    /// The version of the rules.
    pub definition: u32,
    /// Whether it is a policy: an instance per event, which ends when its commands are settled.
    pub policy: bool,
    /// The kind of thing that an instance is about; `event` for a policy.
    pub key_kind: String,
    /// What it hears.
    pub types: Vec<String>,
    /// The definitions of what it hears.
    pub heard_defs: Vec<EventDef>,
    /// What it sends or asks for.
    pub sends: Vec<String>,
    /// What it raises itself.
    pub raises: Vec<EventDef>,
    /// Which instances an event belongs to.
    pub route: Route,
    /// Which keys other ids stand for, each with the event type that says so.
    pub aliases: Vec<Alias>,
    /// The commands whose outcome it hears; none: of all. What becomes of others, and is not what
    /// was wanted, parks the instance.
    pub hears: Option<Vec<String>>,
    /// What is wrong with its routes.
    pub problems: Vec<String>,
    /// One step.
    pub react: React,
    /// The state that an instance would have had; see [`Process::adopt`].
    pub adopt: Adopt,
    /// The state for this definition; see [`Process::migrate`].
    pub migrate: Migrate,
    /// What it can read of what was recorded.
    pub reads: Reads,
}

/// An id that stands for the key of an instance, because an event says so.
#[derive(Clone)]
pub struct Alias {
    /// Its name.
    pub name: String,
    /// The event type that says so.
    pub ty: String,
    /// The tag kind of the other id; the event carries it.
    pub kind: String,
    /// Value of the other id, and the key, for each pair that an event gives.
    pub pairs: Aliased,
}

impl fmt::Debug for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alias")
            .field("name", &self.name)
            .field("ty", &self.ty)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reads").finish_non_exhaustive()
    }
}

impl fmt::Debug for ProcessDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessDef")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|s| s.to_string()).collect()
}

impl ProcessDef {
    /// The definition of a Rust process.
    pub fn of<P: Process>() -> Self {
        let mut routes = Routes::<P>::new();
        P::routes(&mut routes);
        let routes = routes.finish();
        ProcessDef {
            name: P::NAME.into(),
            title: P::TITLE.into(),
            version: P::VERSION,
            definition: P::DEFINITION,
            policy: false,
            key_kind: P::Key::KIND.into(),
            types: owned(P::Events::TYPES),
            heard_defs: P::Events::defs(),
            sends: owned(P::Sends::NAMES),
            raises: P::Raises::defs(),
            route: routes.route,
            aliases: routes.aliases,
            hears: routes.hears,
            problems: routes.problems,
            react: Arc::new(react_one::<P>),
            adopt: Arc::new(adopt_one::<P>),
            migrate: Arc::new(|(version, state), from| {
                let state: P = read_state(version, state)?;
                let state = state.migrate(from)?;
                serde_json::to_value(state).map_err(|e| e.to_string())
            }),
            reads: Reads {
                state: Arc::new(|version, state| {
                    let state: P = read_state(version, state)?;
                    serde_json::to_value(state).map_err(|e| e.to_string())
                }),
                timer: Arc::new(|name| read_timer::<P>(name).map(drop)),
                command: Arc::new(|name, body| read_command::<P::Sends>(name, body).map(drop)),
                event: Arc::new(|event| P::Events::decode(event).map(drop)),
            },
        }
    }

    /// The definition of a Rust policy.
    pub fn of_policy<P: Policy>() -> Self {
        ProcessDef {
            name: P::NAME.into(),
            title: P::TITLE.into(),
            version: 1,
            definition: 1,
            policy: true,
            key_kind: "event".into(),
            types: owned(P::Events::TYPES),
            heard_defs: P::Events::defs(),
            sends: owned(P::Sends::NAMES),
            raises: vec![],
            route: Arc::new(|event| Ok(vec![Routed::to(event.meta.id)])),
            aliases: vec![],
            hears: None,
            problems: vec![],
            react: Arc::new(|_, _, input, _| policy_one::<P>(input)),
            adopt: Arc::new(|_, _| Ok(None)),
            migrate: Arc::new(|(_, state), _| Ok(state.clone())),
            reads: Reads {
                state: Arc::new(|_, state| Ok(state.clone())),
                timer: Arc::new(|_| Err("a policy has no deadline".into())),
                command: Arc::new(|name, body| read_command::<P::Sends>(name, body).map(drop)),
                event: Arc::new(|event| P::Events::decode(event).map(drop)),
            },
        }
    }

    /// Whether it hears what becomes of a command.
    pub fn hears_of(&self, command: &str) -> bool {
        self.hears
            .as_ref()
            .is_none_or(|heard| heard.iter().any(|h| h == command))
    }
}

fn adopt_one<P: Process>(key: &str, past: &[StoredEvent]) -> Result<Option<Value>, String> {
    let key = P::Key::parse(key).map_err(|e| e.to_string())?;
    let past: Result<Vec<Option<P::Events>>, DecodeError> =
        past.iter().map(P::Events::decode).collect();
    let past: Vec<P::Events> = past
        .map_err(|e| e.to_string())?
        .into_iter()
        .flatten()
        .collect();
    P::adopt(&key, &past)
        .map(|state| serde_json::to_value(state).map_err(|e| e.to_string()))
        .transpose()
}

fn react_one<P: Process>(
    key: &str,
    state: Option<(u32, &Value)>,
    input: AnyInput<'_>,
    now: Time,
) -> Result<Reaction, String> {
    let key = P::Key::parse(key).map_err(|e| e.to_string())?;
    let before: P = match state {
        None => P::default(),
        Some((version, value)) => read_state(version, value)?,
    };
    let Some(input) = read_input::<P>(input)? else {
        let state = serde_json::to_value(before).map_err(|e| e.to_string())?;
        return Ok(Reaction {
            state,
            ..Reaction::default()
        });
    };
    let mut out = Outbox::new(now);
    let after = before.clone().react(&key, input, &mut out);
    let changed = after != before;
    let state = serde_json::to_value(after).map_err(|e| e.to_string())?;
    Ok(Reaction {
        changed,
        ..out.into_reaction(state)?
    })
}

fn read_state<P: Process>(version: u32, value: &Value) -> Result<P, String> {
    if version > P::VERSION {
        return Err(format!(
            "its state has version {version}, newer than this program's"
        ));
    }
    let value = if version < P::VERSION {
        P::upcast(version, value.clone())?
    } else {
        value.clone()
    };
    serde_json::from_value(value).map_err(|e| format!("its state cannot be read: {e}"))
}

fn read_input<P: Process>(input: AnyInput<'_>) -> Result<Option<Input<P>>, String> {
    let (issued, outcome) = match input {
        AnyInput::Event(e) => {
            return P::Events::decode(e)
                .map(|e| e.map(Input::Event))
                .map_err(|e| e.to_string());
        }
        AnyInput::Timer(name) => {
            return read_timer::<P>(name).map(|timer| Some(Input::Timer(timer)));
        }
        AnyInput::Cancelled(by, reason) => {
            return Ok(Some(Input::Cancelled {
                by: by.into(),
                reason: reason.into(),
            }));
        }
        AnyInput::Settled(issued, outcome) => (issued, outcome),
    };
    if let Target::Role(_) = issued.to {
        return Ok(Some(Input::Asked {
            task: issued.name.clone(),
            outcome: outcome.clone(),
        }));
    }
    let command = match read_command::<P::Sends>(&issued.name, &issued.body) {
        Ok(command) => command,
        // Nobody needs to hear that what is forgotten went well.
        Err(_) if *outcome == Outcome::Accepted => return Ok(None),
        Err(why) => return Err(why),
    };
    Ok(Some(match outcome.clone() {
        Outcome::Accepted => Input::Done { command },
        Outcome::Refused { reason, .. } => Input::Refused { command, reason },
        Outcome::Failed { error } => Input::Failed { command, error },
        Outcome::Expired => Input::Expired { command },
        Outcome::Skipped { reason } => Input::Skipped { command, reason },
    }))
}

fn read_timer<P: Process>(name: &str) -> Result<P::Timer, String> {
    serde_json::from_str(name).map_err(|e| format!("deadline {name} is not known any more: {e}"))
}

fn read_command<C: CommandSet>(name: &str, body: &Value) -> Result<C, String> {
    match C::decode(name, body) {
        Ok(Some(command)) => Ok(command),
        Ok(None) => Err(format!("it does not send `{name}` any more")),
        Err(e) => Err(format!("its command `{name}` cannot be read any more: {e}")),
    }
}

fn policy_one<P: Policy>(input: AnyInput<'_>) -> Result<Reaction, String> {
    match input {
        AnyInput::Timer(name) => Err(format!("a policy has no deadline, yet {name} was reached")),
        AnyInput::Cancelled(..) => Ok(Reaction::default()),
        AnyInput::Settled(issued, outcome) => Ok(Reaction {
            parked: outcome
                .trouble(&issued.name)
                .map(|why| (Class::Unhandled, why)),
            ..Reaction::default()
        }),
        AnyInput::Event(event) => {
            let Some(e) = P::Events::decode(event).map_err(|e| e.to_string())? else {
                return Ok(Reaction::default());
            };
            let issued: Result<Vec<Issue>, InputError> =
                P::whenever(e).iter().map(Issue::send).collect();
            let issued = issued.map_err(|e| e.to_string())?;
            Ok(Reaction {
                until_settled: !issued.is_empty(),
                issued,
                ..Reaction::default()
            })
        }
    }
}
