//! What is recorded of a process. These are events like any other, with names that only `fait`
//! may use, so that history alone says what was asked, done, missed and parked.

use super::operated::Operated;
use crate::event::{Draft, Position, StoredEvent, Tag, Time};
use crate::store::{MAX_NAME_BYTES, MAX_TAGS};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use uuid::Uuid;

/// The stored names of process facts.
pub mod types {
    /// A step: input taken, new state, commands issued, deadlines set.
    pub const STEPPED: &str = "$ProcessStepped";
    /// A command was carried out, refused, or failed.
    pub const SETTLED: &str = "$CommandSettled";
    /// An instance waits for a person.
    pub const PARKED: &str = "$ProcessParked";
    /// A parked instance goes on.
    pub const RESUMED: &str = "$ProcessResumed";
    /// Somebody took an asked task upon themselves for a time.
    pub const CLAIMED: &str = "$TaskClaimed";
    /// An operator did something to an instance.
    pub const OPERATED: &str = "$ProcessOperated";
    /// Another system is about to be told what it may not be told twice.
    pub const TRIED: &str = "$CommandTried";
    /// More commands are taken back than the fact that says so has tags.
    pub const WITHDRAWN: &str = "$CommandsWithdrawn";
    /// All that is about one instance.
    pub const ALL: &[&str] = &[
        STEPPED, SETTLED, PARKED, RESUMED, CLAIMED, OPERATED, TRIED, WITHDRAWN,
    ];
    /// Those that move an instance: a step is appended only if none came meanwhile.
    pub const MOVES: &[&str] = &[STEPPED, SETTLED, PARKED, RESUMED, OPERATED];
    /// From where on processes hear what happens; about no instance.
    pub const BEGAN: &str = "$ProcessesBegan";
}

/// All facts of all instances of a process carry it.
pub fn process_tag(process: &str) -> Tag {
    Tag::new("process", process)
}

/// All facts of one instance carry it.
///
/// A key may be as long as a tag; where process and key together are longer, their hash stands
/// for them. The facts themselves name both.
pub fn instance_tag(process: &str, key: &str) -> Tag {
    let tag = Tag::new("instance", format_args!("{process}/{key}"));
    if tag.as_str().len() <= MAX_NAME_BYTES {
        return tag;
    }
    let hash = Uuid::new_v5(&Uuid::NAMESPACE_OID, tag.as_str().as_bytes());
    Tag::new("instance", hash)
}

/// All facts about one issued command carry it.
pub fn command_tag(command: Uuid) -> Tag {
    Tag::new("command", command)
}

/// Whether a tag is one that facts carry for themselves, rather than of what they are about.
pub fn is_own_tag(tag: &Tag) -> bool {
    ["process", "instance", "command"].contains(&tag.kind())
}

/// What a step was about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputRef {
    /// An event, or a settled command.
    Event {
        /// Its id.
        id: Uuid,
        /// Its position.
        position: Position,
        /// Its stored name.
        #[serde(rename = "type")]
        ty: String,
    },
    /// A deadline that was reached.
    Deadline(Deadline),
    /// A command of which nobody knows whether the other system acted on it.
    Command {
        /// Its id.
        id: Uuid,
        /// Its name.
        name: String,
    },
    /// An operator, or the adoption of what happened before the process was there.
    Operator,
}

/// A deadline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deadline {
    /// Its name: the timer as JSON.
    pub name: String,
    /// Counts how often it was set; only the latest can be reached.
    pub generation: u32,
    /// When.
    pub due: Time,
}

/// Who is to carry out a command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// This system, by its own decision.
    Here,
    /// People in a role.
    Role(String),
    /// Another system.
    System(String),
}

/// A command that was issued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Issued {
    /// Derived from process, instance, input and ordinal: the same however often it is tried.
    pub id: Uuid,
    /// The command's name.
    pub name: String,
    /// Its JSON; for an ask, what is given already.
    pub body: Value,
    /// Who is to do it.
    pub to: Target,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Time>,
    /// Which time this instance issues it: 1, 2, …
    pub tries: u32,
    /// Whether it is not to be done any more once it is due.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expires: bool,
}

/// A deadline whose clock starts once a command is accepted, or an asked task is taken on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Awaited {
    /// The deadline's name: the timer as JSON.
    pub name: String,
    /// The command.
    pub command: Uuid,
    /// How long after, in milliseconds.
    pub after_ms: u64,
}

/// One step of a process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The process.
    pub process: String,
    /// The instance.
    pub key: String,
    /// The version of the state.
    pub version: u32,
    /// The definition that took the step.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub definition: u32,
    /// The input taken.
    pub input: InputRef,
    /// The new state.
    pub state: Value,
    /// Commands issued.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issued: Vec<Issued>,
    /// Commands taken back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdrawn: Vec<Uuid>,
    /// Deadlines set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<Deadline>,
    /// Deadlines that begin when a command is accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub awaiting: Vec<Awaited>,
    /// Deadlines cancelled, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cancelled: Vec<String>,
    /// Whether an instance that had ended began anew with this step.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// Whether the input had been held until the instance began.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
    /// Whether the instance ended with this step.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
    /// Whether it ends once everything issued is settled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub until_settled: bool,
    /// Whether the input came after the end: noticed, nothing done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// Every event up to here had been taken before a deadline was, also those of which nothing
    /// came: they are not taken again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub seen: Position,
}

impl Step {
    /// A step of which nothing comes.
    pub fn of(process: &str, key: &str, input: InputRef) -> Step {
        Step {
            process: process.into(),
            key: key.into(),
            version: 1,
            definition: 1,
            input,
            state: Value::Null,
            issued: vec![],
            withdrawn: vec![],
            set: vec![],
            awaiting: vec![],
            cancelled: vec![],
            again: false,
            held: false,
            ended: false,
            until_settled: false,
            late: false,
            seen: 0,
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_zero(n: &Position) -> bool {
    *n == 0
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_first(n: &u32) -> bool {
    *n == 1
}

fn first() -> u32 {
    1
}

/// What became of an issued command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Accepted,
    /// The decision refused it.
    Refused {
        /// The code of the refusal.
        code: String,
        /// Its sentence.
        reason: String,
    },
    /// It could not be carried out, after all tries.
    Failed {
        /// What went wrong.
        error: String,
    },
    /// Nobody did it in time.
    Expired,
    /// An operator said that it is not to be done.
    Skipped {
        /// Why, in the operator's words.
        reason: String,
    },
}

impl Outcome {
    /// What went otherwise than wanted, as a sentence about a command. What an operator skipped
    /// is no trouble: a person has looked at it.
    pub fn trouble(&self, command: &str) -> Option<String> {
        match self {
            Outcome::Accepted | Outcome::Skipped { .. } => None,
            Outcome::Refused { reason, .. } => Some(format!("`{command}` was refused: {reason}")),
            Outcome::Failed { error } => Some(format!("`{command}` failed: {error}")),
            Outcome::Expired => Some(format!("`{command}` was not done in time")),
        }
    }
}

/// An issued command is settled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settled {
    /// The process.
    pub process: String,
    /// The instance.
    pub key: String,
    /// The command.
    pub command: Uuid,
    /// Its name.
    pub name: String,
    /// Its JSON, unless it was accepted.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub body: Value,
    /// What became of it.
    pub outcome: Outcome,
    /// When an operator settled it by hand: how that is known, in the operator's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<String>,
}

/// What kind of trouble stopped an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The program: a panic, an input or a state that it cannot read.
    #[default]
    Defect,
    /// What came of a command was not thought of.
    Unhandled,
    /// The process itself asked for a person.
    Asked,
    /// Nobody knows whether another system acted.
    Uncertain,
    /// Something was heard of an instance that has not begun.
    Unmatched,
    /// What it wants breaks a limit.
    Limit,
}

impl Class {
    /// The name, as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Class::Defect => "defect",
            Class::Unhandled => "unhandled",
            Class::Asked => "asked",
            Class::Uncertain => "uncertain",
            Class::Unmatched => "unmatched",
            Class::Limit => "limit",
        }
    }
}

/// An instance was parked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parked {
    /// The process.
    pub process: String,
    /// The instance.
    pub key: String,
    /// At which input.
    pub input: InputRef,
    /// What kind of trouble it is.
    #[serde(default)]
    pub class: Class,
    /// Why.
    pub reason: String,
    /// How often it was tried.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub attempts: u32,
    /// Every event up to here had been taken before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub seen: Position,
}

/// A parked instance goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resumed {
    /// The process.
    pub process: String,
    /// The instance.
    pub key: String,
    /// Whether the input that parked it is tried again; else it is skipped.
    pub retry: bool,
    /// Why, in the operator's words.
    pub reason: String,
}

/// Somebody took an asked task upon themselves for a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claimed {
    /// The process.
    pub process: String,
    /// The instance.
    pub key: String,
    /// The asked task.
    pub command: Uuid,
    /// Who.
    pub by: String,
    /// Until when; then it is anybody's again.
    pub until: Time,
    /// Whether it is handed back rather than taken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub back: bool,
}

/// Another system is about to be told what it may not be told twice. When the outcome is not
/// recorded behind it, nobody knows whether it acted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// The process.
    pub process: String,
    /// The instance.
    pub key: String,
    /// The command.
    pub command: Uuid,
    /// Which try: 1, 2, …
    pub attempt: u32,
}

/// Commands are taken back, beside those of the step or action before it in the same append: one
/// event has only so many tags, and a command is found by its tag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Withdrawn {
    /// The process.
    pub process: String,
    /// The instance.
    pub key: String,
    /// The commands.
    pub commands: Vec<Uuid>,
}

/// Any process fact.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// See [`Step`].
    Stepped(Step),
    /// See [`Settled`].
    Settled(Settled),
    /// See [`Parked`].
    Parked(Parked),
    /// See [`Resumed`].
    Resumed(Resumed),
    /// See [`Claimed`].
    Claimed(Claimed),
    /// See [`Operated`].
    Operated(Operated),
    /// See [`Tried`].
    Tried(Tried),
    /// See [`Withdrawn`].
    Withdrawn(Withdrawn),
}

impl Fact {
    /// Reads a process fact; `None` when the event is something else.
    ///
    /// # Errors
    /// It is a process fact that this program cannot read.
    pub fn read(event: &StoredEvent) -> Result<Option<Fact>, crate::event::DecodeError> {
        fn json<T: DeserializeOwned>(e: &StoredEvent) -> Result<T, crate::event::DecodeError> {
            if e.version > 1 {
                return Err(e.unreadable("it is newer than this program"));
            }
            e.read()
        }
        Ok(Some(match event.ty.as_str() {
            types::STEPPED => Fact::Stepped(json(event)?),
            types::SETTLED => Fact::Settled(json(event)?),
            types::PARKED => Fact::Parked(json(event)?),
            types::RESUMED => Fact::Resumed(json(event)?),
            types::CLAIMED => Fact::Claimed(json(event)?),
            types::OPERATED => Fact::Operated(json(event)?),
            types::TRIED => Fact::Tried(json(event)?),
            types::WITHDRAWN => Fact::Withdrawn(json(event)?),
            _ => return Ok(None),
        }))
    }

    /// Process and key of the instance.
    pub fn instance(&self) -> (&str, &str) {
        match self {
            Fact::Stepped(f) => (&f.process, &f.key),
            Fact::Settled(f) => (&f.process, &f.key),
            Fact::Parked(f) => (&f.process, &f.key),
            Fact::Resumed(f) => (&f.process, &f.key),
            Fact::Claimed(f) => (&f.process, &f.key),
            Fact::Operated(f) => (&f.process, &f.key),
            Fact::Tried(f) => (&f.process, &f.key),
            Fact::Withdrawn(f) => (&f.process, &f.key),
        }
    }

    /// The commands that it issued.
    pub fn issued(&self) -> &[Issued] {
        match self {
            Fact::Stepped(f) => &f.issued,
            Fact::Operated(f) => &f.issued,
            _ => &[],
        }
    }

    /// The commands that it takes back.
    pub fn withdrawn(&self) -> &[Uuid] {
        match self {
            Fact::Stepped(f) => &f.withdrawn,
            Fact::Operated(f) => &f.withdrawn,
            _ => &[],
        }
    }

    /// How many of the commands that it takes back its own event has room for.
    fn room(&self, about: &[Tag]) -> usize {
        MAX_TAGS.saturating_sub(2 + about.len() + self.issued().len())
    }

    /// The events that belong behind [`draft`](Self::draft) in the same append, when it takes back
    /// more commands than one event has tags. Mostly none.
    pub fn rest(&self, about: &[Tag]) -> Vec<Draft> {
        let (process, key) = self.instance();
        let rest = self.withdrawn().iter().skip(self.room(about)).copied();
        let rest: Vec<Uuid> = rest.collect();
        let parts = rest.chunks(MAX_TAGS.saturating_sub(2 + about.len()).max(1));
        let part = |commands: &[Uuid]| {
            let fact = Fact::Withdrawn(Withdrawn {
                process: process.into(),
                key: key.into(),
                commands: commands.to_vec(),
            });
            fact.draft(about)
        };
        parts.map(part).collect()
    }

    /// The fact as an event. `about` are further tags: the things that the instance is about.
    pub fn draft(&self, about: &[Tag]) -> Draft {
        let (process, key) = self.instance();
        let mut tags = vec![process_tag(process), instance_tag(process, key)];
        tags.extend_from_slice(about);
        let (ty, data) = match self {
            Fact::Stepped(f) => {
                tags.extend(f.issued.iter().map(|c| command_tag(c.id)));
                let withdrawn = f.withdrawn.iter().take(self.room(about));
                tags.extend(withdrawn.map(|id| command_tag(*id)));
                (types::STEPPED, json_bytes(f))
            }
            Fact::Settled(f) => {
                tags.push(command_tag(f.command));
                (types::SETTLED, json_bytes(f))
            }
            Fact::Parked(f) => (types::PARKED, json_bytes(f)),
            Fact::Resumed(f) => (types::RESUMED, json_bytes(f)),
            Fact::Claimed(f) => {
                tags.push(command_tag(f.command));
                (types::CLAIMED, json_bytes(f))
            }
            Fact::Operated(f) => {
                tags.extend(f.issued.iter().map(|c| command_tag(c.id)));
                let withdrawn = f.withdrawn.iter().take(self.room(about));
                tags.extend(withdrawn.map(|id| command_tag(*id)));
                (types::OPERATED, json_bytes(f))
            }
            Fact::Tried(f) => {
                tags.push(command_tag(f.command));
                (types::TRIED, json_bytes(f))
            }
            Fact::Withdrawn(f) => {
                tags.extend(f.commands.iter().map(|id| command_tag(*id)));
                (types::WITHDRAWN, json_bytes(f))
            }
        };
        Draft {
            ty: ty.into(),
            version: 1,
            tags,
            data: data.into(),
        }
    }
}

/// These structs have only string keys, so that writing them as JSON cannot fail.
pub(crate) fn json_bytes<T: Serialize>(fact: &T) -> Vec<u8> {
    serde_json::to_vec(fact).unwrap_or_default()
}
