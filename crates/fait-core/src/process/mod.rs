//! A process manager: business logic around events. A state machine that returns data, keeps
//! track of failures, and cannot send while history is replayed, because nothing that replays
//! has a `react` to call.

mod fact;
mod instance;
mod outbox;

pub use fact::{
    Claimed, Deadline, Fact, InputRef, Issued, Outcome, Parked, Resumed, Settled, Step, Target,
    command_tag, instance_tag, is_own_tag, process_tag, types,
};
pub use instance::{Instance, Open, Status};
pub use outbox::{Ask, Issue, Outbox};

use crate::command::{CommandSet, InputError};
use crate::event::{DecodeError, Draft, EntityId, EventDef, EventSet, StoredEvent, Time};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// What a process is told.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Input<P: Process> {
    /// Something happened.
    Event(P::Events),
    /// A deadline that it set was reached.
    Timer(P::Timer),
    /// A command that it sent was refused by its decision.
    Refused {
        /// What was sent.
        command: P::Sends,
        /// Why not.
        reason: String,
    },
    /// A command that it sent could not be carried out, after all tries.
    Failed {
        /// What was sent.
        command: P::Sends,
        /// What went wrong.
        error: String,
    },
}

/// A state machine around events.
///
/// `react` is pure and runs once per input. What it returns is recorded in one append: the input
/// taken, the new state, the commands issued, the deadlines set. The state is read back from what
/// was recorded and never computed again, so a change of code cannot make a running instance go
/// another way in its past.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a process",
    label = "implement `Process` for it: a key, some events, timers, and what it sends"
)]
pub trait Process:
    Default + Serialize + DeserializeOwned + Clone + fmt::Debug + PartialEq + Send + Sync + 'static
{
    /// The name in records, in kebab case. Never changes by accident.
    const NAME: &'static str;
    /// The name in plain words, as on the board.
    const TITLE: &'static str = Self::NAME;
    /// The version of the state; raise it with a change of shape, and write `upcast`.
    const VERSION: u32 = 1;
    /// What one instance is about.
    type Key: EntityId;
    /// What it hears.
    type Events: EventSet;
    /// The deadlines that it sets.
    type Timer: Serialize
        + DeserializeOwned
        + Clone
        + fmt::Debug
        + PartialEq
        + Send
        + Sync
        + 'static;
    /// The commands that it sends or asks for.
    type Sends: CommandSet;
    /// The events that it raises itself, such as `CookingTimedOut`; else `Never`.
    type Raises: EventSet;
    /// Which instances an event belongs to. By default the one id of the key's kind that it is
    /// tagged with; none ignores the event.
    ///
    /// # Errors
    /// The event has two ids of the kind: say here which one is meant.
    fn correlate(event: &Self::Events) -> Result<Vec<Self::Key>, String> {
        only(event.ids())
    }
    /// Brings the recorded state of an older version to today's.
    ///
    /// # Errors
    /// A sentence; the instance is then parked.
    fn upcast(_from: u32, state: Value) -> Result<Value, String> {
        Ok(state)
    }
    /// One step.
    fn react(self, key: &Self::Key, input: Input<Self>, out: &mut Outbox<Self>) -> Self;
}

fn only<K: EntityId>(mut ids: Vec<K>) -> Result<Vec<K>, String> {
    ids.dedup();
    match ids.len() {
        0 | 1 => Ok(ids),
        n => Err(format!(
            "it is tagged with {n} ids of kind `{}`; say in `correlate` which one is meant",
            K::KIND
        )),
    }
}

/// A stateless reaction: whenever this happens, do that. It forgets; what must remember whether an
/// answer came is a process.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a policy",
    label = "implement `Policy` for it: some events and what is done then"
)]
pub trait Policy: Send + Sync + 'static {
    /// The name in records, in kebab case.
    const NAME: &'static str;
    /// The name in plain words, as on the board.
    const TITLE: &'static str = Self::NAME;
    /// What it hears.
    type Events: EventSet;
    /// What it does.
    type Sends: CommandSet;
    /// What is done when this happens.
    fn whenever(event: Self::Events) -> Vec<Self::Sends>;
}

/// An input with its type erased.
#[derive(Clone, Copy, Debug)]
pub enum AnyInput<'a> {
    /// Something happened.
    Event(&'a StoredEvent),
    /// A deadline was reached, by its name.
    Timer(&'a str),
    /// A command was refused or failed.
    Settled(&'a Issued, &'a Outcome),
}

/// What a step came to, with types erased.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reaction {
    /// The new state.
    pub state: Value,
    /// Whether it differs from the one before.
    pub changed: bool,
    /// Commands to issue.
    pub issued: Vec<Issue>,
    /// Names of commands to take back.
    pub withdrawn: Vec<String>,
    /// Deadlines to set: name and time.
    pub set: Vec<(String, Time)>,
    /// Names of deadlines to cancel.
    pub cancelled: Vec<String>,
    /// Events to raise.
    pub raised: Vec<Draft>,
    /// Whether the instance has ended.
    pub ended: bool,
    /// Whether it ends once everything it issued is settled.
    pub until_settled: bool,
    /// Why a person must look.
    pub parked: Option<String>,
}

impl Reaction {
    /// Whether nothing at all came of the input.
    pub fn is_nothing(&self) -> bool {
        let Reaction {
            issued,
            withdrawn,
            set,
            cancelled,
            raised,
            ended,
            parked,
            ..
        } = self;
        !self.changed
            && issued.is_empty()
            && withdrawn.is_empty()
            && set.is_empty()
            && cancelled.is_empty()
            && raised.is_empty()
            && !ended
            && parked.is_none()
    }
}

/// Which instances an event belongs to.
pub type Route = Arc<dyn Fn(&StoredEvent) -> Result<Vec<String>, DecodeError> + Send + Sync>;

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
    /// Whether it is a policy: an instance per event, which ends when its commands are settled.
    pub policy: bool,
    /// The kind of thing that an instance is about; `event` for a policy.
    pub key_kind: String,
    /// What it hears.
    pub types: Vec<String>,
    /// What it sends or asks for.
    pub sends: Vec<String>,
    /// What it raises itself.
    pub raises: Vec<EventDef>,
    /// Which instances an event belongs to.
    pub route: Route,
    /// One step.
    pub react: React,
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
        ProcessDef {
            name: P::NAME.into(),
            title: P::TITLE.into(),
            version: P::VERSION,
            policy: false,
            key_kind: P::Key::KIND.into(),
            types: owned(P::Events::TYPES),
            sends: owned(P::Sends::NAMES),
            raises: P::Raises::defs(),
            route: Arc::new(|event| {
                let Some(e) = P::Events::decode(event)? else {
                    return Ok(vec![]);
                };
                let keys = P::correlate(&e).map_err(|m| event.unreadable(m))?;
                Ok(keys.iter().map(ToString::to_string).collect())
            }),
            react: Arc::new(react_one::<P>),
        }
    }

    /// The definition of a Rust policy.
    pub fn of_policy<P: Policy>() -> Self {
        ProcessDef {
            name: P::NAME.into(),
            title: P::TITLE.into(),
            version: 1,
            policy: true,
            key_kind: "event".into(),
            types: owned(P::Events::TYPES),
            sends: owned(P::Sends::NAMES),
            raises: vec![],
            route: Arc::new(|event| Ok(vec![event.meta.id.to_string()])),
            react: Arc::new(|_, _, input, _| policy_one::<P>(input)),
        }
    }
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
            let timer = serde_json::from_str(name)
                .map_err(|e| format!("deadline {name} is not known any more: {e}"))?;
            return Ok(Some(Input::Timer(timer)));
        }
        AnyInput::Settled(issued, outcome) => (issued, outcome),
    };
    let command = || match P::Sends::decode(&issued.name, &issued.body) {
        Ok(Some(command)) => Ok(command),
        Ok(None) => Err(format!("it does not send `{}` any more", issued.name)),
        Err(e) => Err(format!(
            "its command `{}` cannot be read any more: {e}",
            issued.name
        )),
    };
    Ok(match outcome {
        Outcome::Accepted => None,
        Outcome::Refused { reason, .. } => Some(Input::Refused {
            command: command()?,
            reason: reason.clone(),
        }),
        Outcome::Failed { error } => Some(Input::Failed {
            command: command()?,
            error: error.clone(),
        }),
    })
}

fn policy_one<P: Policy>(input: AnyInput<'_>) -> Result<Reaction, String> {
    let parked = |why: String| {
        Ok(Reaction {
            parked: Some(why),
            ..Reaction::default()
        })
    };
    match input {
        AnyInput::Timer(name) => Err(format!("a policy has no deadline, yet {name} was reached")),
        AnyInput::Settled(_, Outcome::Accepted) => Ok(Reaction::default()),
        AnyInput::Settled(issued, Outcome::Refused { reason, .. }) => {
            parked(format!("`{}` was refused: {reason}", issued.name))
        }
        AnyInput::Settled(issued, Outcome::Failed { error }) => {
            parked(format!("`{}` failed: {error}", issued.name))
        }
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
