//! What happened, counted for a board: each event type, and each arrow, from what the log says of
//! causes. Counting goes on from where it was, so that a long history is counted once.

use crate::App;
use fait_core::decision::{RecordedCommand, recorded};
use fait_core::event::{Position, RESERVED_PREFIX, StoredEvent, Time};
use fait_core::process::{Fact, InputRef, Step, Target};
use fait_core::query::Query;
use fait_core::store::{Range, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Events that [`Tally::count`] reads at once.
const PAGE: usize = 1000;

/// Recorded times that are remembered, of the newest events: with them deadlines are measured.
const TIMES: usize = 10_000;

/// What happened, up to a position of a log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Happened {
    /// Everything up to here was counted.
    pub up_to: Position,
    /// The end of the log when it was last looked at; what lies between is not counted yet.
    pub head: Position,
    /// Until when it is counted: the time of the running system, or of the last event of a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<Time>,
    /// The events of the application, by stored name.
    pub events: BTreeMap<String, Times>,
    /// Commands that raised an event, by name.
    pub commands: BTreeMap<String, Times>,
    /// Steps of processes and policies, by name.
    pub processes: BTreeMap<String, Times>,
    /// The arrows.
    pub arrows: Vec<(Arrow, Times)>,
    /// Deadlines as they were set the last time. Time-outs of a process are among them when they
    /// were as long twice: otherwise they may have been set for a time of the day.
    pub deadlines: Vec<Waited>,
}

/// How often, and when last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// How often.
    pub count: u64,
    /// When last, as it was recorded.
    pub last: Time,
}

/// One arrow between things that happened. Names are those of the code then.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "arrow")]
pub enum Arrow {
    /// A command raised an event.
    Raised {
        /// The command.
        command: String,
        /// The event.
        event: String,
    },
    /// A process or policy took a step on an event.
    Heard {
        /// The process.
        process: String,
        /// The event.
        event: String,
    },
    /// A process or policy did, asked for or told something.
    Sent {
        /// The process.
        process: String,
        /// The event on which it did; none after a deadline, or after what became of a command.
        on: Option<String>,
        /// The command.
        command: String,
        /// Who was asked, where a person was.
        role: Option<String>,
        /// Who was told, where another system was.
        system: Option<String>,
    },
    /// A process raised an event of its own.
    Voiced {
        /// The process.
        process: String,
        /// The event.
        event: String,
    },
}

/// A deadline that a process set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waited {
    /// The process.
    pub process: String,
    /// For an asked task: the command. None for a time-out of the process itself.
    pub command: Option<String>,
    /// For an asked task: who was asked.
    pub role: Option<String>,
    /// The name of the time-out, as JSON; empty for an asked task.
    pub timer: String,
    /// How long, in milliseconds.
    pub after_ms: u64,
}

/// Counts a log, event by event in its order. It holds one entry for each type and arrow, and the
/// times of the newest events.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    up_to: Position,
    head: Position,
    events: BTreeMap<String, Times>,
    commands: BTreeMap<String, Times>,
    processes: BTreeMap<String, Times>,
    arrows: BTreeMap<Arrow, Times>,
    deadlines: BTreeMap<Deadline, Length>,
    /// When the newest events were recorded.
    recorded: BTreeMap<Position, Time>,
    /// The last step: what it raised stands behind it and names it as its cause.
    step: Option<(Uuid, String)>,
    group: Group,
}

/// Process, command and role for an asked task, name of a time-out.
type Deadline = (String, Option<(String, Option<String>)>, String);

/// How long a deadline is.
#[derive(Clone, Copy, Debug)]
struct Length {
    ms: u64,
    /// Whether it is known to be a length. A time-out may be set for a time of the day as well:
    /// then it is not as long twice.
    sure: bool,
}

/// The events of one command, which stand together.
#[derive(Clone, Debug, Default)]
struct Group {
    command: Option<Uuid>,
    name: Option<String>,
    types: Vec<String>,
    last: Option<Time>,
}

impl Times {
    /// One more.
    fn once(at: Time) -> Times {
        Times { count: 1, last: at }
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Times) -> Times {
        Times {
            count: self.count + other.count,
            last: self.last.max(other.last),
        }
    }
}

impl Happened {
    /// Whether all of the log was counted.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.up_to >= self.head
    }

    /// How often an event happened that has or had these stored names.
    pub fn event<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Option<Times> {
        let names: BTreeSet<&str> = names.into_iter().collect();
        let found = names.iter().filter_map(|name| self.events.get(*name));
        found.copied().reduce(Times::and)
    }

    /// How often arrows happened.
    pub fn arrows(&self, is: impl Fn(&Arrow) -> bool) -> Option<Times> {
        let found = self.arrows.iter().filter(|(arrow, _)| is(arrow));
        found.map(|(_, times)| *times).reduce(Times::and)
    }
}

impl Tally {
    /// Where counting goes on: everything up to here was counted.
    #[must_use]
    pub fn up_to(&self) -> Position {
        self.up_to
    }

    /// Counts on in a running system, at most so many events, and says what has happened. With a
    /// long history not all is counted in one go; [`Happened::is_whole`] tells.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn count(&mut self, app: &App, at_most: usize) -> Result<Happened, StoreError> {
        let mut left = at_most;
        while left > 0 {
            let range = Range::after(self.up_to, left.min(PAGE));
            let slice = app.events(&Query::all(), range).await?;
            self.head = slice.head;
            slice.events.iter().for_each(|event| self.take(event));
            left -= slice.events.len().min(left);
            if slice.events.is_empty() || self.up_to >= slice.head {
                break;
            }
        }
        let mut happened = self.happened();
        happened.now = Some(app.clock().now());
        Ok(happened)
    }

    /// Takes the next event of the log. One that was taken before is passed over.
    pub fn take(&mut self, event: &StoredEvent) {
        let (at, time) = (event.meta.position, event.meta.recorded_at);
        if at <= self.up_to {
            return;
        }
        self.up_to = at;
        self.head = self.head.max(at);
        self.remember(at, time);
        if event.meta.origin.command.is_none() || event.meta.origin.command != self.group.command {
            self.close();
            self.group.command = event.meta.origin.command;
        }
        // What cannot be read is no arrow: `fait history check` is there to say so.
        if let Ok(Some(said)) = RecordedCommand::of(event) {
            self.group.name = said.name.or(self.group.name.take());
        }
        match event.ty.starts_with(RESERVED_PREFIX) {
            true if event.ty == recorded::TYPE => {}
            true => self.fact(event),
            false => self.event(event),
        }
    }

    /// What was counted so far, up to the last event that was taken.
    #[must_use]
    pub fn happened(&self) -> Happened {
        let mut whole = self.clone();
        whole.close();
        let deadlines = whole.deadlines.into_iter();
        let deadlines = deadlines.filter(|(_, length)| length.sure);
        let deadlines = deadlines.map(|((process, asked, timer), length)| {
            let (command, role) = asked.unzip();
            Waited {
                process,
                command,
                role: role.flatten(),
                timer,
                after_ms: length.ms,
            }
        });
        Happened {
            up_to: whole.up_to,
            head: whole.head,
            now: whole.recorded.last_key_value().map(|(_, time)| *time),
            events: whole.events,
            commands: whole.commands,
            processes: whole.processes,
            arrows: whole.arrows.into_iter().collect(),
            deadlines: deadlines.collect(),
        }
    }

    fn remember(&mut self, at: Position, time: Time) {
        self.recorded.insert(at, time);
        if self.recorded.len() > TIMES {
            self.recorded.pop_first();
        }
    }

    /// An event of the application.
    fn event(&mut self, event: &StoredEvent) {
        let time = event.meta.recorded_at;
        add(&mut self.events, event.ty.clone(), time);
        let origin = &event.meta.origin;
        if origin.command.is_some() {
            self.group.types.push(event.ty.clone());
            self.group.last = Some(time);
            return;
        }
        let step = self.step.as_ref();
        if let Some((_, process)) = step.filter(|(id, _)| origin.causation == Some(*id)) {
            let (process, event) = (process.clone(), event.ty.clone());
            add(&mut self.arrows, Arrow::Voiced { process, event }, time);
        }
    }

    /// A fact of a process.
    fn fact(&mut self, event: &StoredEvent) {
        let Ok(Some(fact)) = Fact::read(event) else {
            return;
        };
        match &fact {
            Fact::Stepped(step) if !step.late => {
                self.step = Some((event.meta.id, step.process.clone()));
                self.stepped(step, event.meta.recorded_at);
            }
            // What a process issued is settled in the append of what came of it.
            Fact::Settled(settled) if event.meta.origin.command.is_some() => {
                self.group.name.get_or_insert(settled.name.clone());
            }
            _ => {}
        }
    }

    fn stepped(&mut self, step: &Step, time: Time) {
        let process = &step.process;
        add(&mut self.processes, process.clone(), time);
        let on = match &step.input {
            InputRef::Event { ty, .. } if !ty.starts_with(RESERVED_PREFIX) => Some(ty.clone()),
            _ => None,
        };
        if let Some(event) = on.clone() {
            let process = process.clone();
            add(&mut self.arrows, Arrow::Heard { process, event }, time);
        }
        for issued in &step.issued {
            let (role, system) = match &issued.to {
                Target::Here => (None, None),
                Target::Role(role) => (Some(role.clone()), None),
                Target::System(system) => (None, Some(system.clone())),
            };
            let sent = Arrow::Sent {
                process: process.clone(),
                on: on.clone(),
                command: issued.name.clone(),
                role,
                system,
            };
            add(&mut self.arrows, sent, time);
        }
        self.measure(step);
    }

    /// Deadlines run from the time of the input, which is known of events only.
    fn measure(&mut self, step: &Step) {
        let process = &step.process;
        for awaited in &step.awaiting {
            let length = Length {
                ms: awaited.after_ms,
                sure: true,
            };
            let key = (process.clone(), None, awaited.name.clone());
            self.deadlines.insert(key, length);
        }
        let InputRef::Event { position, .. } = &step.input else {
            return;
        };
        let Some(began) = self.recorded.get(position).copied() else {
            return;
        };
        let after = |due: Time| due.0.saturating_sub(began.0);
        for issued in &step.issued {
            let Some(due) = issued.due else { continue };
            let role = match &issued.to {
                Target::Role(role) => Some(role.clone()),
                _ => None,
            };
            let asked = Some((issued.name.clone(), role));
            let length = Length {
                ms: after(due),
                sure: true,
            };
            let key = (process.clone(), asked, String::new());
            self.deadlines.insert(key, length);
        }
        for deadline in &step.set {
            let key = (process.clone(), None, deadline.name.clone());
            let ms = after(deadline.due);
            let before = self.deadlines.get(&key);
            let sure = before.is_some_and(|before| before.ms == ms);
            self.deadlines.insert(key, Length { ms, sure });
        }
    }

    /// Counts what came of a command, now that all of it was taken.
    fn close(&mut self) {
        let group = std::mem::take(&mut self.group);
        let (Some(command), Some(time)) = (group.name, group.last) else {
            return;
        };
        add(&mut self.commands, command.clone(), time);
        for event in group.types {
            let command = command.clone();
            add(&mut self.arrows, Arrow::Raised { command, event }, time);
        }
    }
}

fn add<K: Ord>(to: &mut BTreeMap<K, Times>, key: K, at: Time) {
    let times = to.entry(key);
    times
        .and_modify(|times| *times = times.and(Times::once(at)))
        .or_insert(Times::once(at));
}
