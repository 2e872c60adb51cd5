//! A process manager: business logic around events. A state machine that returns data, keeps
//! track of failures, and cannot send while history is replayed, because nothing that replays
//! has a `react` to call.

mod fact;
mod operated;
mod instance;
mod outbox;
mod routes;
mod def;

pub use def::{
    Adopt, Alias, Aliased, Migrate, ProcessDef, React, ReadCommand, ReadEvent, ReadState,
    ReadTimer, Reads, Route,
};
pub(crate) use fact::json_bytes;
pub use fact::{
    Awaited, Claimed, Class, Deadline, Fact, InputRef, Issued, Outcome, Parked, Resumed, Settled,
    Step, Target, Tried, Withdrawn, command_tag, instance_tag, is_own_tag, process_tag, types,
};
pub use instance::{Instance, MAX_HELD, Open, Status};
pub use operated::{Action, Began, Operated};
pub use outbox::{Ask, Issue, Outbox, Sent};
pub use routes::{Keys, May, Routed, Routes, Rule, Unmatched, Way};

use crate::command::CommandSet;
use crate::event::{Draft, EntityId, EventSet, StoredEvent, Time};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::fmt;
use std::time::Duration;

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
    /// A command that it sent was carried out. What happened comes as events of its own.
    Done {
        /// What was sent.
        command: P::Sends,
    },
    /// A command that it sent was not carried out before its time was over.
    Expired {
        /// What was sent.
        command: P::Sends,
    },
    /// An operator said that a command is not to be carried out.
    Skipped {
        /// What was sent.
        command: P::Sends,
        /// Why, in the operator's words.
        reason: String,
    },
    /// A task that it asked for was done, refused, or not done in time: what was asked, with the
    /// fields that it gave. Its other fields were the person's.
    Asked {
        /// The task's name.
        task: String,
        /// What became of it.
        outcome: Outcome,
    },
    /// An operator cancelled this instance. What was open is withdrawn already; this is the time
    /// to clear up. The instance ends with this step.
    Cancelled {
        /// Who.
        by: String,
        /// Why, in the operator's words.
        reason: String,
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
    /// The version of the rules. An instance goes on with the latest, unless the definition that
    /// it began with is still wired beside it; see `AppBuilder::also`.
    const DEFINITION: u32 = 1;
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
    /// What each event may do, when it is not the same for all: begin an instance, go on with one,
    /// end one. By default every event of [`correlate`](Self::correlate) may begin an instance.
    fn routes(_routes: &mut Routes<Self>) {}
    /// The state of an instance that would have been there if the process had; for a process that
    /// is added to a system with `Begin::Adopt`. What it would have done is not done. None: it
    /// would not have begun, or would have ended.
    fn adopt(_key: &Self::Key, _past: &[Self::Events]) -> Option<Self> {
        None
    }
    /// The state of an instance of an older definition for this one, when an operator migrates it.
    ///
    /// # Errors
    /// A sentence: why it cannot go on with this definition.
    fn migrate(self, _from: u32) -> Result<Self, String> {
        Ok(self)
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
    /// A command was settled.
    Settled(&'a Issued, &'a Outcome),
    /// An operator cancelled the instance: who and why.
    Cancelled(&'a str, &'a str),
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
    /// Deadlines to set once a command is accepted: name, the command's name, how long after.
    pub awaiting: Vec<(String, String, Duration)>,
    /// Names of deadlines to cancel.
    pub cancelled: Vec<String>,
    /// Events to raise.
    pub raised: Vec<Draft>,
    /// Whether the instance has ended.
    pub ended: bool,
    /// Whether it ends once everything it issued is settled.
    pub until_settled: bool,
    /// Why a person must look.
    pub parked: Option<(Class, String)>,
}

impl Reaction {
    /// Whether nothing at all came of the input.
    pub fn is_nothing(&self) -> bool {
        let Reaction {
            issued,
            withdrawn,
            set,
            awaiting,
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
            && awaiting.is_empty()
            && cancelled.is_empty()
            && raised.is_empty()
            && !ended
            && parked.is_none()
    }
}
