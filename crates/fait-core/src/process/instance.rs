//! One instance of a process, read back from its facts. No `react` here: reading back cannot send.

use super::fact::{
    Awaited, Class, Deadline, Fact, InputRef, Issued, Outcome, Parked, Settled, Step, is_own_tag,
};
use super::operated::{Action, Operated};
use crate::event::{Meta, Position, Tag, Time};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

/// How an instance stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It waits for input.
    #[default]
    Running,
    /// It waits for an operator.
    Parked {
        /// Why.
        reason: String,
        /// Since when.
        since: Time,
        /// The input that it stumbled over.
        input: InputRef,
        /// What kind of trouble it is.
        #[serde(default)]
        class: Class,
        /// How often it was tried.
        #[serde(default)]
        attempts: u32,
    },
    /// It has ended.
    Ended,
}

/// An issued command that is not settled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Open {
    /// The command.
    #[serde(flatten)]
    pub issued: Issued,
    /// When it was issued.
    pub since: Time,
    /// The position of the step that issued it.
    pub position: Position,
    /// Its place among what that step issued.
    #[serde(default)]
    pub ordinal: u32,
    /// The event id of that step: the cause of what comes of it.
    pub cause: Uuid,
    /// The W3C trace context of that step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Who has it, and until when.
    #[serde(default)]
    pub claim: Option<(String, Time)>,
    /// How often another system was told that may not be told twice; 0 for others.
    #[serde(default)]
    pub tried: u32,
}

/// An instance of a process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// The process.
    pub process: String,
    /// What it is about.
    pub key: String,
    /// Its recorded state with the version of its shape; none before the first step.
    pub state: Option<(u32, Value)>,
    /// How it stands.
    pub status: Status,
    /// What it issued and is not settled.
    pub open: BTreeMap<Uuid, Open>,
    /// What was settled and is not taken as input yet, by the position of that.
    #[serde(default)]
    pub unheard: BTreeMap<Position, Issued>,
    /// The deadlines that are set, with the event id of the step that set them.
    pub deadlines: BTreeMap<String, (Deadline, Uuid)>,
    /// The deadlines that begin when a command is accepted.
    #[serde(default)]
    pub awaiting: Vec<Awaited>,
    /// How often each command was issued.
    pub tries: BTreeMap<String, u32>,
    /// How often each deadline was set.
    pub generations: BTreeMap<String, u32>,
    /// The last event that was taken in as input.
    pub last_input: Position,
    /// The last fact that moved it.
    pub moved: Position,
    /// The last time that somebody took a task of it, or handed one back.
    #[serde(default)]
    pub claimed: Position,
    /// The flow it belongs to.
    pub correlation: Uuid,
    /// The W3C trace context of its last step that had one: what a deadline goes on with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The first step.
    pub started_at: Time,
    /// The last step.
    pub updated_at: Time,
    /// How many inputs came after its end.
    pub late: u32,
    /// Whether it ends when nothing is open any more.
    pub until_settled: bool,
    /// The tags of what it is about.
    pub about: Vec<Tag>,
    /// Whether it has ended, also while it is parked because of what came of its last step.
    #[serde(default)]
    pub ended: bool,
    /// The definition of its last step; 0 before the first.
    #[serde(default)]
    pub definition: u32,
    /// How often it began anew after it had ended.
    #[serde(default)]
    pub again: u32,
    /// Positions of inputs that had been held until it began. At most [`MAX_HELD`].
    #[serde(default)]
    pub held: Vec<Position>,
    /// The input of its first step.
    #[serde(default)]
    pub began: Position,
    /// Where it was last let go on; what waited before that comes first.
    #[serde(default)]
    pub resumed: Position,
    /// Where an operator cancelled or ended it; inputs before that are not taken any more.
    #[serde(default)]
    pub cancelled: Option<Position>,
}

/// Most inputs that are held for one instance until it begins.
pub const MAX_HELD: usize = 1000;

impl Instance {
    /// An instance that has not begun.
    pub fn new(process: &str, key: &str) -> Self {
        Instance {
            process: process.into(),
            key: key.into(),
            ..Instance::default()
        }
    }

    /// Whether it has begun.
    pub fn exists(&self) -> bool {
        self.moved > 0
    }

    /// Whether it has taken a step.
    pub fn has_begun(&self) -> bool {
        self.state.is_some()
    }

    /// Whether an event was taken as input.
    pub fn has_taken(&self, position: Position, held: bool) -> bool {
        match held {
            true => self.held.contains(&position),
            false => position <= self.last_input,
        }
    }

    /// Takes one fact in, in the order of positions. A fact taken before changes nothing.
    pub fn absorb(&mut self, fact: &Fact, meta: &Meta, tags: &[Tag]) {
        match fact {
            Fact::Claimed(_) if meta.position <= self.moved.max(self.claimed) => return,
            Fact::Claimed(c) => {
                self.claimed = meta.position;
                if let Some(open) = self.open.get_mut(&c.command) {
                    open.claim = (!c.back).then(|| (c.by.clone(), c.until));
                    self.accepted(c.command, meta);
                }
                return;
            }
            Fact::Tried(t) => {
                if let Some(open) = self.open.get_mut(&t.command) {
                    open.tried = open.tried.max(t.attempt);
                }
                return;
            }
            // Said already by the fact before it.
            Fact::Withdrawn(_) => return,
            _ => {}
        }
        if meta.position <= self.moved {
            return;
        }
        if !self.exists() {
            self.correlation = meta.origin.correlation;
            self.started_at = meta.recorded_at;
            self.about = tags.iter().filter(|t| !is_own_tag(t)).cloned().collect();
        }
        self.moved = meta.position;
        self.updated_at = meta.recorded_at;
        match fact {
            Fact::Stepped(step) => self.stepped(step, meta),
            Fact::Settled(settled) => self.settled(settled, meta),
            Fact::Parked(parked) => self.parked(parked, meta),
            Fact::Resumed(resumed) => self.resumed(resumed.retry, meta),
            Fact::Operated(operated) => self.operated(operated, meta),
            Fact::Claimed(_) | Fact::Tried(_) | Fact::Withdrawn(_) => {}
        }
    }

    /// A deadline that waited for this begins.
    fn accepted(&mut self, command: Uuid, meta: &Meta) {
        let waiting = std::mem::take(&mut self.awaiting);
        for awaited in waiting {
            if awaited.command != command {
                self.awaiting.push(awaited);
                continue;
            }
            let generation = self.generations.entry(awaited.name.clone()).or_insert(0);
            *generation += 1;
            let deadline = Deadline {
                name: awaited.name.clone(),
                generation: *generation,
                due: meta.recorded_at + Duration::from_millis(awaited.after_ms),
            };
            self.deadlines.insert(awaited.name, (deadline, meta.id));
        }
    }

    fn resumed(&mut self, retry: bool, meta: &Meta) {
        let Status::Parked { input, .. } = std::mem::take(&mut self.status) else {
            return;
        };
        if !retry {
            self.took(&input);
            // Of those that were held, the last one taken does not tell which were.
            if let InputRef::Event { position, .. } = input
                && position < self.last_input
            {
                self.held.push(position);
            }
        }
        // Skipped, it is still not known what became of it: it is not told again.
        if let InputRef::Command { id, .. } = &input
            && let Some(open) = self.open.get_mut(id)
            && retry
        {
            open.tried = 0;
        }
        self.resumed = meta.position;
        if self.ended {
            // What was issued with the last step is still carried out.
            self.status = Status::Ended;
        } else if self.until_settled && self.open.is_empty() && !retry {
            self.end();
        }
    }

    fn took(&mut self, input: &InputRef) {
        match input {
            InputRef::Event { position, .. } => self.last_input = self.last_input.max(*position),
            InputRef::Deadline(d) => {
                if self.deadlines.get(&d.name).is_some_and(|(set, _)| set == d) {
                    self.deadlines.remove(&d.name);
                }
            }
            InputRef::Operator | InputRef::Command { .. } => {}
        }
        self.unheard = self.unheard.split_off(&(self.last_input + 1));
    }

    fn stepped(&mut self, step: &Step, meta: &Meta) {
        match &step.input {
            InputRef::Event { position, .. } if step.held => self.held.push(*position),
            input => self.took(input),
        }
        self.last_input = self.last_input.max(step.seen);
        if step.late {
            self.late += 1;
            return;
        }
        if step.again {
            self.again += 1;
            self.ended = false;
            self.cancelled = None;
            self.until_settled = false;
            self.status = Status::Running;
        }
        if !self.has_begun() || step.again {
            self.began = match step.input {
                InputRef::Event { position, .. } => position,
                _ => step.seen,
            };
        }
        self.traceparent = meta.origin.traceparent.clone().or(self.traceparent.take());
        self.state = Some((step.version, step.state.clone()));
        self.definition = step.definition;
        for id in &step.withdrawn {
            self.withdraw(*id);
        }
        for name in &step.cancelled {
            self.deadlines.remove(name);
            self.awaiting.retain(|a| a.name != *name);
        }
        self.set(&step.set, meta);
        for awaited in &step.awaiting {
            self.deadlines.remove(&awaited.name);
            self.awaiting.retain(|a| a.name != awaited.name);
            self.awaiting.push(awaited.clone());
        }
        if step.ended {
            self.end();
        }
        self.issue(&step.issued, meta);
        self.until_settled |= step.until_settled;
    }

    fn withdraw(&mut self, command: Uuid) {
        self.open.remove(&command);
        self.awaiting.retain(|a| a.command != command);
    }

    fn set(&mut self, deadlines: &[Deadline], meta: &Meta) {
        for deadline in deadlines {
            self.awaiting.retain(|a| a.name != deadline.name);
            self.generations
                .insert(deadline.name.clone(), deadline.generation);
            self.deadlines
                .insert(deadline.name.clone(), (deadline.clone(), meta.id));
        }
    }

    /// What is issued with the last step is still carried out.
    fn issue(&mut self, issued: &[Issued], meta: &Meta) {
        for (ordinal, issued) in (0..).zip(issued) {
            self.tries.insert(issued.name.clone(), issued.tries);
            let open = Open {
                issued: issued.clone(),
                since: meta.recorded_at,
                position: meta.position,
                ordinal,
                cause: meta.id,
                traceparent: meta.origin.traceparent.clone(),
                claim: None,
                tried: 0,
            };
            self.open.insert(issued.id, open);
        }
    }

    fn operated(&mut self, operated: &Operated, meta: &Meta) {
        for id in &operated.withdrawn {
            self.withdraw(*id);
        }
        self.set(&operated.set, meta);
        match operated.action {
            Action::Cancel => {
                self.cancelled = Some(meta.position);
                self.open.clear();
                self.deadlines.clear();
                self.awaiting.clear();
                self.status = match self.ended {
                    true => Status::Ended,
                    false => Status::Running,
                };
            }
            Action::Complete | Action::Compensate => {
                self.cancelled = Some(meta.position);
                self.end();
            }
            Action::Migrate => {
                self.state = operated.state.clone().or_else(|| self.state.take());
                self.definition = operated.definition.unwrap_or(self.definition);
            }
            Action::Amend | Action::Postpone | Action::Fire => {}
        }
        self.issue(&operated.issued, meta);
    }

    fn settled(&mut self, settled: &Settled, meta: &Meta) {
        if let Some(open) = self.open.remove(&settled.command) {
            self.unheard.insert(meta.position, open.issued);
        }
        match settled.outcome {
            Outcome::Accepted => self.accepted(settled.command, meta),
            _ => self.awaiting.retain(|a| a.command != settled.command),
        }
        // What an operator skipped keeps nothing waiting.
        let well = matches!(settled.outcome, Outcome::Accepted | Outcome::Skipped { .. });
        if well && self.until_settled && self.open.is_empty() && self.status == Status::Running {
            self.end();
        }
    }

    fn parked(&mut self, parked: &Parked, meta: &Meta) {
        self.last_input = self.last_input.max(parked.seen);
        self.status = Status::Parked {
            reason: parked.reason.clone(),
            since: meta.recorded_at,
            input: parked.input.clone(),
            class: parked.class,
            attempts: parked.attempts,
        };
    }

    fn end(&mut self) {
        self.ended = true;
        self.status = Status::Ended;
        self.open.clear();
        self.deadlines.clear();
        self.awaiting.clear();
    }
}
