//! The outbox: what a step wants done, as data.

use super::{Class, Input, Outcome, Process, Reaction};
use crate::command::{Command, CommandSet, InputError};
use crate::event::{Draft, EncodeError, EventSet, Time};
use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt;
use std::time::Duration;

/// A command that a step issues, before it has an id.
#[derive(Clone, Debug, PartialEq)]
pub struct Issue {
    /// The command's name.
    pub name: String,
    /// Its JSON; for an ask, what is given already.
    pub body: Value,
    /// The role that is asked; none: it is done at once, here or by the system that it is told to.
    pub role: Option<String>,
    /// How long there is time, from the input's recorded time.
    pub within: Option<Duration>,
    /// Whether it is not to be done any more after that.
    pub expires: bool,
}

impl Issue {
    /// A command to be done at once.
    ///
    /// # Errors
    /// The command's own `Serialize` refuses.
    pub fn send<C: CommandSet>(command: &C) -> Result<Issue, InputError> {
        let (name, body) = command.encode()?;
        Ok(Issue {
            name: name.into(),
            body,
            role: None,
            within: None,
            expires: false,
        })
    }
}

/// What a step of a process wants done. Filled by `react`, recorded by the runtime.
pub struct Outbox<P: Process> {
    /// The recorded time of the input: the only clock of a process.
    pub now: Time,
    reaction: Reaction,
    defect: Option<String>,
    process: std::marker::PhantomData<fn() -> P>,
}

impl<P: Process> fmt::Debug for Outbox<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox")
            .field("reaction", &self.reaction)
            .finish_non_exhaustive()
    }
}

impl<P: Process> Outbox<P> {
    /// An empty outbox; applications get theirs from the runtime.
    pub fn new(now: Time) -> Self {
        let process = std::marker::PhantomData;
        Outbox {
            now,
            reaction: Reaction::default(),
            defect: None,
            process,
        }
    }

    /// Sends a command: it is recorded with this step and carried out once.
    pub fn send(&mut self, command: impl Into<P::Sends>) -> Sent<'_> {
        let issue = match Issue::send(&command.into()) {
            Ok(issue) => {
                self.reaction.issued.push(issue);
                self.reaction.issued.last_mut()
            }
            Err(e) => {
                self.defect = Some(e.to_string());
                None
            }
        };
        Sent { issue }
    }

    /// Asks a role to do a task about this instance's key. An earlier ask of the instance for the
    /// same task that is still open is withdrawn first.
    pub fn ask<C: Command>(&mut self, role: &str) -> Ask<'_>
    where
        P::Sends: From<C>,
    {
        self.reaction.withdrawn.push(C::NAME.into());
        self.reaction.issued.push(Issue {
            name: C::NAME.into(),
            body: Value::Object(Map::new()),
            role: Some(role.into()),
            within: None,
            expires: false,
        });
        let index = self.reaction.issued.len() - 1;
        Ask {
            issue: &mut self.reaction.issued[index],
            defect: &mut self.defect,
        }
    }

    /// Takes back what this instance sent or asked for under a command's name and is not settled.
    pub fn withdraw<C: Command>(&mut self)
    where
        P::Sends: From<C>,
    {
        self.reaction.withdrawn.push(C::NAME.into());
    }

    /// Raises an event of the process's own, in the same append as the step.
    pub fn raise(&mut self, event: impl Into<P::Raises>) {
        let drafted: Result<Draft, EncodeError> = event.into().encode();
        match drafted {
            Ok(draft) => self.reaction.raised.push(draft),
            Err(e) => self.defect = Some(e.to_string()),
        }
    }

    /// Sets a deadline, so long after the input's recorded time. Setting it again supersedes it.
    pub fn wake_after(&mut self, after: Duration, timer: P::Timer) {
        let at = self.now + after;
        self.wake_at(at, timer);
    }

    /// Sets a deadline at a time. Setting it again supersedes it.
    pub fn wake_at(&mut self, at: Time, timer: P::Timer) {
        let Some(name) = self.timer(&timer) else {
            return;
        };
        self.forget(&name);
        self.reaction.set.push((name, at));
    }

    /// Sets a deadline whose clock starts when a command of this name, sent or asked for in this
    /// step or still open, is accepted, or when somebody takes the asked task on. While it waits
    /// in a queue, no time passes. It does not come when the command is withdrawn or refused.
    pub fn wake_after_accepted<C: Command>(&mut self, after: Duration, timer: P::Timer)
    where
        P::Sends: From<C>,
    {
        let Some(name) = self.timer(&timer) else {
            return;
        };
        self.forget(&name);
        self.reaction.awaiting.push((name, C::NAME.into(), after));
    }

    fn forget(&mut self, name: &str) {
        self.reaction.cancelled.retain(|n| n != name);
        self.reaction.set.retain(|(n, _)| n != name);
        self.reaction.awaiting.retain(|(n, ..)| n != name);
    }

    /// Cancels a deadline, if it is set.
    pub fn cancel(&mut self, timer: P::Timer) {
        let Some(name) = self.timer(&timer) else {
            return;
        };
        self.forget(&name);
        self.reaction.cancelled.push(name);
    }

    /// Ends the instance: what is open is withdrawn, deadlines are cancelled. It does not begin
    /// again: later input about the same key is counted as late. What happens to a thing again and
    /// again needs a key for each time, such as a loan rather than a book.
    pub fn end(&mut self) {
        self.reaction.ended = true;
    }

    /// Gives up and shows it to an operator, with the reason. This instance waits; others go on.
    pub fn park(&mut self, reason: impl Into<String>) {
        self.reaction.parked = Some((Class::Asked, reason.into()));
    }

    /// The last arm of a process: late events, stale deadlines and what went well are ignored; a
    /// command that was refused, failed or was not done in time, of which nobody thought, parks
    /// the instance.
    pub fn unhandled(&mut self, state: P, input: Input<P>) -> P {
        let (name, outcome) = match input {
            Input::Event(_)
            | Input::Timer(_)
            | Input::Done { .. }
            | Input::Skipped { .. }
            | Input::Cancelled { .. } => return state,
            Input::Refused { command, reason } => {
                let code = String::new();
                (name_of(&command), Outcome::Refused { code, reason })
            }
            Input::Failed { command, error } => (name_of(&command), Outcome::Failed { error }),
            Input::Expired { command } => (name_of(&command), Outcome::Expired),
            Input::Asked { task, outcome } => (task, outcome),
        };
        if let Some(why) = outcome.trouble(&name) {
            self.reaction.parked = Some((Class::Unhandled, why));
        }
        state
    }

    fn timer(&mut self, timer: &P::Timer) -> Option<String> {
        match serde_json::to_string(timer) {
            Ok(name) => Some(name),
            Err(e) => {
                self.defect = Some(format!("a deadline's name cannot be written: {e}"));
                None
            }
        }
    }

    /// What the step came to.
    ///
    /// # Errors
    /// Something could not be written as JSON.
    pub fn into_reaction(mut self, state: Value) -> Result<Reaction, String> {
        if let Some(defect) = self.defect {
            return Err(defect);
        }
        // An ask withdraws an earlier one of the same name; twice in a step would do so twice.
        self.reaction.withdrawn.dedup();
        self.reaction.state = state;
        Ok(self.reaction)
    }
}

fn name_of<C: CommandSet>(command: &C) -> String {
    command
        .encode()
        .map_or("a command", |(name, _)| name)
        .into()
}

/// A command that was sent, to say more about it.
#[derive(Debug)]
pub struct Sent<'a> {
    issue: Option<&'a mut Issue>,
}

impl Sent<'_> {
    /// How long there is time, from the input's recorded time. Afterwards it is not begun any
    /// more, and the process hears [`Input::Expired`].
    pub fn within(self, time: Duration) {
        if let Some(issue) = self.issue {
            issue.within = Some(time);
            issue.expires = true;
        }
    }
}

/// An ask being worded.
#[derive(Debug)]
pub struct Ask<'a> {
    issue: &'a mut Issue,
    defect: &'a mut Option<String>,
}

impl Ask<'_> {
    /// How long there is time. It is shown to the person. What happens then is up to a deadline,
    /// or to [`or_expire`](Self::or_expire).
    #[expect(
        clippy::return_self_not_must_use,
        reason = "the ask is recorded either way"
    )]
    pub fn within(self, time: Duration) -> Self {
        self.issue.within = Some(time);
        self
    }

    /// When the time is over, the task is taken out of the inbox and the process hears of it.
    #[expect(
        clippy::return_self_not_must_use,
        reason = "the ask is recorded either way"
    )]
    pub fn or_expire(self) -> Self {
        self.issue.expires = true;
        self
    }

    /// Gives a field of the task, so that the person need not type it.
    #[expect(
        clippy::return_self_not_must_use,
        reason = "the ask is recorded either way"
    )]
    pub fn with(self, field: &str, value: impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(value) => self.issue.body[field] = value,
            Err(e) => *self.defect = Some(format!("field `{field}` of an ask: {e}")),
        }
        self
    }
}
