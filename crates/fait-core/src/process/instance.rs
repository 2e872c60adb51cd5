//! One instance of a process, read back from its facts. No `react` here: reading back cannot send.

use super::fact::{Deadline, Fact, InputRef, Issued, Outcome, Parked, Settled, Step, is_own_tag};
use crate::event::{Meta, Position, Tag, Time};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
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
    /// The event id of that step: the cause of what comes of it.
    pub cause: Uuid,
    /// Who has it, and until when.
    #[serde(default)]
    pub claim: Option<(String, Time)>,
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
    /// The deadlines that are set, with the event id of the step that set them.
    pub deadlines: BTreeMap<String, (Deadline, Uuid)>,
    /// How often each command was issued.
    pub tries: BTreeMap<String, u32>,
    /// How often each deadline was set.
    pub generations: BTreeMap<String, u32>,
    /// The last event that was taken in as input.
    pub last_input: Position,
    /// The last fact that moved it.
    pub moved: Position,
    /// The flow it belongs to.
    pub correlation: Uuid,
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
}

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

    /// Takes one fact in, in the order of positions. A fact taken before changes nothing.
    pub fn absorb(&mut self, fact: &Fact, meta: &Meta, tags: &[Tag]) {
        if let Fact::Claimed(c) = fact {
            if let Some(open) = self.open.get_mut(&c.command) {
                open.claim = Some((c.by.clone(), c.until));
            }
            return;
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
            Fact::Settled(settled) => self.settled(settled),
            Fact::Parked(parked) => self.parked(parked, meta),
            Fact::Resumed(resumed) => self.resumed(resumed.retry),
            Fact::Claimed(_) => {}
        }
    }

    fn resumed(&mut self, retry: bool) {
        let Status::Parked { input, .. } = std::mem::take(&mut self.status) else {
            return;
        };
        if !retry {
            self.took(&input);
        }
        let settled = self.until_settled && self.open.is_empty() && !retry;
        if self.ended || settled {
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
            InputRef::Operator => {}
        }
    }

    fn stepped(&mut self, step: &Step, meta: &Meta) {
        self.took(&step.input);
        self.last_input = self.last_input.max(step.seen);
        if step.late {
            self.late += 1;
            return;
        }
        self.state = Some((step.version, step.state.clone()));
        for id in &step.withdrawn {
            self.open.remove(id);
        }
        for name in &step.cancelled {
            self.deadlines.remove(name);
        }
        for deadline in &step.set {
            self.generations
                .insert(deadline.name.clone(), deadline.generation);
            self.deadlines
                .insert(deadline.name.clone(), (deadline.clone(), meta.id));
        }
        if step.ended {
            self.end();
        }
        // What is issued with the last step is still carried out.
        for issued in &step.issued {
            self.tries.insert(issued.name.clone(), issued.tries);
            let open = Open {
                issued: issued.clone(),
                since: meta.recorded_at,
                position: meta.position,
                cause: meta.id,
                claim: None,
            };
            self.open.insert(issued.id, open);
        }
        self.until_settled |= step.until_settled;
    }

    fn settled(&mut self, settled: &Settled) {
        self.open.remove(&settled.command);
        let done = settled.outcome == Outcome::Accepted && self.until_settled;
        if done && self.open.is_empty() && self.status == Status::Running {
            self.end();
        }
    }

    fn parked(&mut self, parked: &Parked, meta: &Meta) {
        self.last_input = self.last_input.max(parked.seen);
        self.status = Status::Parked {
            reason: parked.reason.clone(),
            since: meta.recorded_at,
            input: parked.input.clone(),
        };
    }

    fn end(&mut self) {
        self.ended = true;
        self.status = Status::Ended;
        self.open.clear();
        self.deadlines.clear();
    }
}
