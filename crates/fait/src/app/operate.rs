//! What operators do to instances of processes. Each action is one append, on the condition that
//! the instance has not moved since it was looked at, with who did it and why.

use super::App;
use super::migrate::MigrateError;
use fait_core::command::InputError;
use fait_core::event::{NewEvent, Origin, Position, Time};
use fait_core::process::{
    Action, Deadline, Fact, InputRef, Instance, Issued, Open, Operated, Outcome, Resumed, Settled,
    Status, Target, instance_tag, types,
};
use fait_core::query::{Query, QueryItem};
use fait_core::store::{Append, AppendCondition, AppendError, Range, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// How often an action is tried again because the instance moved meanwhile.
const MAX_TRIES: u32 = 20;

/// Longest reason, in bytes.
pub const MAX_REASON_BYTES: usize = 2000;

/// Facts that are looked through for the same action of the same operator, the newest.
const LOOKED_BACK: usize = 20;

/// What an operator does to an instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Act {
    /// The input that parked it is taken in again.
    Retry,
    /// It goes on without the input that parked it.
    Skip,
    /// An open command is not to be done; the process hears that it was skipped.
    SkipCommand {
        /// The command.
        command: Uuid,
    },
    /// An open command is taken back and issued with another body to the same target. Also one
    /// that was refused, failed or came too late and parked the instance: it is sent once more.
    Amend {
        /// The command.
        command: Uuid,
        /// The new body.
        body: Value,
    },
    /// An operator knows what became of a command that people or another system carry out. The
    /// reason says how that is known.
    Settle {
        /// The command.
        command: Uuid,
        /// What became of it; not that it was skipped.
        outcome: Outcome,
    },
    /// What is open is taken back, deadlines are cancelled; the process may clear up, and ends.
    Cancel,
    /// It is declared done as it is: what is open is taken back, nothing else happens.
    Complete,
    /// A deadline comes at another time.
    Postpone {
        /// The deadline: the timer as JSON, or its name.
        deadline: String,
        /// When.
        to: Time,
    },
    /// A deadline comes now.
    Fire {
        /// The deadline: the timer as JSON, or its name.
        deadline: String,
    },
    /// What was done is taken back by the inverse commands, the last first, and it ends. See
    /// [`App::compensation`] for what that would be.
    Compensate,
    /// It goes on with the latest definition of its process. See [`App::migrate`], which can also
    /// only look.
    Migrate,
}

impl Act {
    /// The name, as interfaces use it.
    pub fn name(&self) -> &'static str {
        match self {
            Act::Retry => "retry",
            Act::Skip => "skip",
            Act::SkipCommand { .. } => "skip-command",
            Act::Amend { .. } => "amend",
            Act::Settle { .. } => "settle",
            Act::Cancel => "cancel",
            Act::Complete => "complete",
            Act::Postpone { .. } => "postpone",
            Act::Fire { .. } => "fire",
            Act::Compensate => "compensate",
            Act::Migrate => "migrate",
        }
    }

    /// All names.
    pub const NAMES: &'static [&'static str] = &[
        "retry",
        "skip",
        "skip-command",
        "amend",
        "settle",
        "cancel",
        "complete",
        "postpone",
        "fire",
        "compensate",
        "migrate",
    ];
}

/// What came of an action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// The commands that were issued with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issued: Vec<Uuid>,
    /// The same operator had done the same before, and nothing was recorded now.
    pub repeated: bool,
}

/// Why an action was not done. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperateError {
    /// There is no such process.
    #[error("there is no process `{process}`{}", hint(.did_you_mean))]
    NoProcess {
        /// What was asked for.
        process: String,
        /// The nearest name.
        did_you_mean: Option<String>,
    },
    /// There is no such instance.
    #[error("`{process}` has no instance `{key}`; look at the keys that it has")]
    NoInstance {
        /// The process.
        process: String,
        /// What was asked for.
        key: String,
    },
    /// Nobody says who it is.
    #[error("say who does it: it is recorded")]
    NoName,
    /// There is no reason, or too long a one.
    #[error("say why, in 1 to {MAX_REASON_BYTES} bytes: it is recorded")]
    NoReason,
    /// The instance does not wait for an operator.
    #[error("`{process}` of {key} is not parked; look at it again: it goes on by itself")]
    NotParked {
        /// The process.
        process: String,
        /// The instance.
        key: String,
    },
    /// The instance has ended.
    #[error("`{process}` of {key} has ended; what it did can only be compensated")]
    Ended {
        /// The process.
        process: String,
        /// The instance.
        key: String,
    },
    /// It was compensated before.
    #[error("`{process}` of {key} was compensated already; look at what came of that")]
    Compensated {
        /// The process.
        process: String,
        /// The instance.
        key: String,
    },
    /// The command is not open.
    #[error("no command {command} of `{process}` of {key} is open; open are: {open}")]
    NotOpen {
        /// What was asked for.
        command: Uuid,
        /// The process.
        process: String,
        /// The instance.
        key: String,
        /// Those that are open, with their names.
        open: String,
    },
    /// What is decided here cannot be settled by hand.
    #[error("`{name}` is decided by this system itself: skip it or amend it instead")]
    DecidedHere {
        /// The command's name.
        name: String,
    },
    /// Skipping has an action of its own.
    #[error("settled is what was accepted, refused, failed or late; to skip it, use skip-command")]
    NotAnOutcome,
    /// The new body does not fit the command.
    #[error(transparent)]
    Input(#[from] InputError),
    /// There is no such deadline.
    #[error("no deadline `{deadline}` of `{process}` of {key} is set; set are: {set}")]
    NoDeadline {
        /// What was asked for.
        deadline: String,
        /// The process.
        process: String,
        /// The instance.
        key: String,
        /// Those that are set.
        set: String,
    },
    /// It did nothing that has an inverse.
    #[error("nothing that `{process}` of {key} did can be taken back; cancel or complete it")]
    NothingToUndo {
        /// The process.
        process: String,
        /// The instance.
        key: String,
    },
    /// It does not go on with another definition.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// What would be recorded breaks a limit of the store.
    #[error("{0}")]
    Limit(String),
    /// The instance moved again and again.
    #[error("it moved meanwhile, {MAX_TRIES} times; look at it and try again")]
    Moved,
    /// The store cannot do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn hint(name: &Option<String>) -> String {
    name.as_ref()
        .map(|n| format!("; did you mean `{n}`?"))
        .unwrap_or_default()
}

impl OperateError {
    /// Whether the instance as it stands does not allow it (any more).
    pub fn is_conflict(&self) -> bool {
        matches!(
            self,
            OperateError::NotParked { .. }
                | OperateError::Ended { .. }
                | OperateError::Compensated { .. }
                | OperateError::NotOpen { .. }
                | OperateError::NoDeadline { .. }
                | OperateError::NothingToUndo { .. }
                | OperateError::Migrate(MigrateError::Conflict(_) | MigrateError::Refused { .. })
                | OperateError::Moved
        )
    }
}

impl App {
    /// Does something to an instance, in the name of an operator and with a reason.
    ///
    /// An action that the same operator repeats with the same reason changes nothing.
    ///
    /// # Errors
    /// See [`OperateError`]; nothing was changed.
    pub async fn operate(
        &self,
        process: &str,
        key: &str,
        act: &Act,
        by: &str,
        reason: &str,
    ) -> Result<Operation, OperateError> {
        self.known(process)?;
        let (by, reason) = said(by, reason)?;
        for _ in 0..MAX_TRIES {
            let instance = self.existing(process, key).await?;
            let facts = match self.facts_of(&instance, act, reason).await {
                Ok(facts) => facts,
                Err(e) if e.is_conflict() => {
                    return match self.did(&instance, act, by, reason).await? {
                        Some(done) => Ok(done),
                        None => Err(e),
                    };
                }
                Err(e) => return Err(e),
            };
            let issued = facts.iter().flat_map(issued).collect();
            match self.record(&instance, &facts, by).await {
                Ok(_) => {
                    return Ok(Operation {
                        issued,
                        repeated: facts.is_empty(),
                    });
                }
                Err(AppendError::Conflict { .. }) => {}
                Err(AppendError::Store(e)) => return Err(e.into()),
                Err(other) => return Err(OperateError::Limit(other.to_string())),
            }
        }
        Err(OperateError::Moved)
    }

    /// Lets a parked instance go on: tries its input again, or skips it.
    ///
    /// # Errors
    /// See [`OperateError`]; nothing was changed.
    pub async fn resume(
        &self,
        process: &str,
        key: &str,
        retry: bool,
        by: &str,
        reason: &str,
    ) -> Result<(), OperateError> {
        let act = if retry { Act::Retry } else { Act::Skip };
        let done = self.operate(process, key, &act, by, reason).await;
        done.map(drop)
    }

    pub(super) fn known(&self, process: &str) -> Result<(), OperateError> {
        if self.core.processes.contains_key(process) {
            return Ok(());
        }
        Err(OperateError::NoProcess {
            process: process.into(),
            did_you_mean: crate::runtime::nearest(process, self.core.processes.keys()),
        })
    }

    pub(super) async fn existing(
        &self,
        process: &str,
        key: &str,
    ) -> Result<Instance, OperateError> {
        let instance = self.core.instance(process, key).await?;
        if instance.exists() {
            return Ok(instance);
        }
        Err(OperateError::NoInstance {
            process: process.into(),
            key: key.into(),
        })
    }

    /// What an action records; nothing when it is so already.
    async fn facts_of(
        &self,
        i: &Instance,
        act: &Act,
        reason: &str,
    ) -> Result<Vec<Fact>, OperateError> {
        let (process, key) = (i.process.clone(), i.key.clone());
        let ended = || OperateError::Ended {
            process: process.clone(),
            key: key.clone(),
        };
        let operated = |action| operated(i, action, reason);
        // A command of which nobody knows whether it went out: skipped is the command, or the
        // instance would only be parked for it once more.
        let skipped = uncertain(i).map(|command| Act::SkipCommand { command });
        let act = match (act, &skipped) {
            (Act::Skip, Some(skipped)) => skipped,
            _ => act,
        };
        match act {
            Act::Retry | Act::Skip => match i.status {
                Status::Parked { .. } => Ok(vec![resumed(i, *act == Act::Retry, reason)]),
                Status::Ended => Err(ended()),
                Status::Running => Err(OperateError::NotParked { process, key }),
            },
            Act::SkipCommand { command } => {
                let outcome = Outcome::Skipped {
                    reason: reason.into(),
                };
                let open = open(i, *command)?;
                Ok(settled(i, open, outcome, None, reason))
            }
            Act::Settle { command, outcome } => {
                let open = open(i, *command)?;
                match (&open.issued.to, outcome) {
                    (_, Outcome::Skipped { .. }) => Err(OperateError::NotAnOutcome),
                    (Target::Here, _) => Err(OperateError::DecidedHere {
                        name: open.issued.name.clone(),
                    }),
                    _ => Ok(settled(i, open, outcome.clone(), Some(reason), reason)),
                }
            }
            Act::Amend { command, body } => self.amended(i, *command, body, reason).await,
            Act::Cancel | Act::Complete if i.ended => Err(ended()),
            Act::Cancel => Ok(vec![Fact::Operated(operated(Action::Cancel))]),
            Act::Complete => Ok(vec![Fact::Operated(operated(Action::Complete))]),
            Act::Postpone { deadline, to } => moved(i, deadline, *to, Action::Postpone, reason),
            Act::Fire { deadline } => {
                let now = self.core.clock.now();
                moved(i, deadline, now, Action::Fire, reason)
            }
            Act::Compensate => {
                let plan = self.compensation(&i.process, &i.key).await?;
                let issued = self.inverses(i, &plan)?;
                let mut operated = operated(Action::Compensate);
                operated.issued = issued;
                Ok(vec![Fact::Operated(operated)])
            }
            Act::Migrate => {
                let migrated = self.migrated(i)?;
                Ok(vec![self.migration(i, &migrated, reason)])
            }
        }
    }

    /// The command taken back, and issued anew under an id of its own.
    async fn amended(
        &self,
        i: &Instance,
        command: Uuid,
        body: &Value,
        reason: &str,
    ) -> Result<Vec<Fact>, OperateError> {
        let (old, over) = match open(i, command) {
            Ok(open) => ((open.issued.clone(), open.since), is_over(i, command)),
            Err(not_open) => match self.stumbled(i, command).await? {
                Some(settled) => (settled, true),
                None => return Err(not_open),
            },
        };
        let (old, since) = old;
        self.fits(&old, body)?;
        let text = format!("fait amended {command} {body}");
        let now = self.core.clock.now();
        let new = Issued {
            id: Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()),
            body: body.clone(),
            // When its time is over it has as much time once more.
            due: old.due.map(|due| match due > now {
                true => due,
                false => now + due.since(since),
            }),
            ..old
        };
        let mut operated = operated(i, Action::Amend, reason);
        operated.withdrawn.retain(|id| *id == command);
        operated.issued = vec![new];
        let mut facts = vec![Fact::Operated(operated)];
        if over {
            // What is issued after the end stays; before it, it keeps the instance from ending.
            let at = if i.ended { 0 } else { 1 };
            facts.insert(at, resumed(i, false, reason));
        }
        Ok(facts)
    }

    /// The command whose outcome parked the instance.
    /// With when it was issued.
    async fn stumbled(
        &self,
        i: &Instance,
        command: Uuid,
    ) -> Result<Option<(Issued, Time)>, StoreError> {
        let Status::Parked { input, .. } = &i.status else {
            return Ok(None);
        };
        let InputRef::Event { position, .. } = input else {
            return Ok(None);
        };
        let Some(event) = self.event_at(*position).await? else {
            return Ok(None);
        };
        match Fact::read(&event) {
            Ok(Some(Fact::Settled(s))) if s.command == command => {}
            _ => return Ok(None),
        }
        let slice = self.core.issuing(command).await?;
        let Some(step) = slice.first() else {
            return Ok(None);
        };
        let fact = Fact::read(step).map_err(StoreError::new)?;
        let issued = fact.map(|f| f.issued().to_vec()).unwrap_or_default();
        let issued = issued.into_iter().find(|c| c.id == command);
        Ok(issued.map(|c| (c, step.meta.recorded_at)))
    }

    /// Whether a body can stand in for the one that was issued. An asked task has only some of
    /// its fields; the others are filled in by whoever does it.
    fn fits(&self, old: &Issued, body: &Value) -> Result<(), OperateError> {
        let wrong = |field: Option<&str>, message: String| {
            OperateError::Input(InputError {
                field: field.map(String::from),
                message,
            })
        };
        let Some(def) = self.core.commands.get(&old.name) else {
            let why = format!("this program does not know `{}` any more", old.name);
            return Err(wrong(None, why));
        };
        let Some(given) = body.as_object() else {
            return Err(wrong(None, "the body must be a JSON object".into()));
        };
        let mut whole = body.clone();
        if let Target::Role(_) = old.to {
            for field in def.fields.iter().filter(|f| !given.contains_key(&f.name)) {
                whole[&field.name] = super::sample::sample(&field.schema);
            }
        }
        match (def.check)(&whole) {
            Ok(()) => Ok(()),
            // What was not given is not what is wrong.
            Err(e)
                if e.field
                    .as_ref()
                    .is_some_and(|f| body[f].is_null() && !whole[f].is_null()) =>
            {
                Ok(())
            }
            Err(e) => Err(e.into()),
        }
    }

    pub(super) async fn record(
        &self,
        instance: &Instance,
        facts: &[Fact],
        by: &str,
    ) -> Result<(), AppendError> {
        if facts.is_empty() {
            return Ok(());
        }
        let core = &self.core;
        let events = |fact: &Fact| {
            let cause = match fact {
                Fact::Settled(s) => instance.open.get(&s.command).map(|o| o.cause),
                _ => None,
            };
            let origin = Origin {
                actor: Some(by.into()),
                correlation: instance.correlation,
                causation: cause,
                ..Origin::default()
            };
            let about = &instance.about;
            let drafts = std::iter::once(fact.draft(about)).chain(fact.rest(about));
            let events = drafts.map(|draft| draft.with(core.clock.id(), origin.clone()));
            events.collect::<Vec<NewEvent>>()
        };
        let events: Vec<NewEvent> = facts.iter().flat_map(events).collect();
        let n = events.len();
        let append = Append {
            events,
            conditions: vec![unmoved(instance)],
            command: None,
            recorded_at: core.clock.now(),
        };
        core.store.append(append).await?;
        crate::runtime::count_appended(n);
        Ok(())
    }

    /// Whether this operator has done just this.
    async fn did(
        &self,
        i: &Instance,
        act: &Act,
        by: &str,
        reason: &str,
    ) -> Result<Option<Operation>, StoreError> {
        let kinds = [types::RESUMED, types::SETTLED, types::OPERATED];
        let tag = instance_tag(&i.process, &i.key);
        let query = Query::default().or(QueryItem::of(&kinds, vec![tag]));
        let slice = self
            .core
            .store
            .read(&query, Range::newest(LOOKED_BACK))
            .await?;
        for event in &slice.events {
            if event.meta.origin.actor.as_deref() != Some(by) {
                continue;
            }
            if let Ok(Some(fact)) = Fact::read(event)
                && is_that(&fact, act, reason)
            {
                return Ok(Some(Operation {
                    issued: issued(&fact),
                    repeated: true,
                }));
            }
        }
        Ok(None)
    }
}

/// Who and why, if both are said.
pub(super) fn said<'a>(by: &'a str, reason: &'a str) -> Result<(&'a str, &'a str), OperateError> {
    let (by, reason) = (by.trim(), reason.trim());
    if by.is_empty() {
        return Err(OperateError::NoName);
    }
    if reason.is_empty() || reason.len() > MAX_REASON_BYTES {
        return Err(OperateError::NoReason);
    }
    Ok((by, reason))
}

/// Whether a fact is what an action records.
fn is_that(fact: &Fact, act: &Act, reason: &str) -> bool {
    match (fact, act) {
        (Fact::Resumed(r), Act::Retry | Act::Skip) => {
            r.retry == (*act == Act::Retry) && r.reason == reason
        }
        (Fact::Settled(s), Act::Skip) => {
            matches!(&s.outcome, Outcome::Skipped { reason: r } if r == reason)
        }
        (Fact::Settled(s), Act::SkipCommand { command }) => {
            let skipped = matches!(&s.outcome, Outcome::Skipped { reason: r } if r == reason);
            s.command == *command && skipped
        }
        (Fact::Settled(s), Act::Settle { command, outcome }) => {
            s.command == *command && s.outcome == *outcome && s.by_hand.as_deref() == Some(reason)
        }
        (Fact::Operated(o), act) if o.reason == reason => match (o.action, act) {
            (Action::Amend, Act::Amend { command, body }) => {
                let text = format!("fait amended {command} {body}");
                let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes());
                o.issued.iter().any(|c| c.id == id)
            }
            (Action::Postpone, Act::Postpone { deadline, .. })
            | (Action::Fire, Act::Fire { deadline }) => {
                o.set.iter().any(|d| is_named(&d.name, deadline))
            }
            (Action::Cancel, Act::Cancel)
            | (Action::Complete, Act::Complete)
            | (Action::Compensate, Act::Compensate)
            | (Action::Migrate, Act::Migrate) => true,
            _ => false,
        },
        _ => false,
    }
}

fn issued(fact: &Fact) -> Vec<Uuid> {
    fact.issued().iter().map(|c| c.id).collect()
}

/// Nothing has moved it meanwhile.
fn unmoved(instance: &Instance) -> AppendCondition {
    let tag = instance_tag(&instance.process, &instance.key);
    let after: Position = instance.moved;
    AppendCondition {
        fail_if_events_match: Query::default().or(QueryItem::of(types::MOVES, vec![tag])),
        after,
    }
}

fn resumed(i: &Instance, retry: bool, reason: &str) -> Fact {
    Fact::Resumed(Resumed {
        process: i.process.clone(),
        key: i.key.clone(),
        retry,
        reason: reason.into(),
    })
}

/// Everything that is open is taken back.
pub(super) fn operated(i: &Instance, action: Action, reason: &str) -> Operated {
    Operated {
        process: i.process.clone(),
        key: i.key.clone(),
        action,
        reason: reason.into(),
        withdrawn: i.open.keys().copied().collect(),
        issued: vec![],
        set: vec![],
        state: None,
        definition: None,
    }
}

/// The command that parked an instance, because nobody knows whether it went out.
fn uncertain(i: &Instance) -> Option<Uuid> {
    match &i.status {
        Status::Parked {
            input: InputRef::Command { id, .. },
            ..
        } if i.open.contains_key(id) => Some(*id),
        _ => None,
    }
}

fn open(i: &Instance, command: Uuid) -> Result<&Open, OperateError> {
    i.open.get(&command).ok_or_else(|| OperateError::NotOpen {
        command,
        process: i.process.clone(),
        key: i.key.clone(),
        open: listed(
            i.open
                .values()
                .map(|o| format!("{} {}", o.issued.name, o.issued.id)),
        ),
    })
}

fn listed(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.take(10).collect();
    match names.is_empty() {
        true => "none".into(),
        false => names.join(", "),
    }
}

/// Whether the instance waits because nobody knows what became of a command.
fn is_over(i: &Instance, command: Uuid) -> bool {
    matches!(
        &i.status,
        Status::Parked { input: InputRef::Command { id, .. }, .. } if *id == command
    )
}

/// The outcome behind the resumption: what waited is heard first, in order.
fn settled(
    i: &Instance,
    open: &Open,
    outcome: Outcome,
    by_hand: Option<&str>,
    reason: &str,
) -> Vec<Fact> {
    let body = match outcome {
        Outcome::Accepted => Value::Null,
        _ => open.issued.body.clone(),
    };
    let settled = Fact::Settled(Settled {
        process: i.process.clone(),
        key: i.key.clone(),
        command: open.issued.id,
        name: open.issued.name.clone(),
        body,
        outcome,
        by_hand: by_hand.map(String::from),
    });
    match is_over(i, open.issued.id) {
        true => vec![resumed(i, false, reason), settled],
        false => vec![settled],
    }
}

/// Whether a deadline's name, which is a timer as JSON, is meant.
fn is_named(name: &str, wanted: &str) -> bool {
    name == wanted || serde_json::from_str::<String>(name).is_ok_and(|n| n == wanted)
}

fn moved(
    i: &Instance,
    wanted: &str,
    due: Time,
    action: Action,
    reason: &str,
) -> Result<Vec<Fact>, OperateError> {
    let mut all = i.deadlines.values().map(|(d, _)| d);
    let Some(deadline) = all.find(|d| is_named(&d.name, wanted)) else {
        return Err(OperateError::NoDeadline {
            deadline: wanted.into(),
            process: i.process.clone(),
            key: i.key.clone(),
            set: listed(i.deadlines.keys().cloned()),
        });
    };
    let so_already = match action {
        Action::Fire => deadline.due <= due,
        _ => deadline.due == due,
    };
    if so_already {
        return Ok(vec![]);
    }
    let mut operated = operated(i, action, reason);
    operated.withdrawn.clear();
    operated.set = vec![Deadline {
        name: deadline.name.clone(),
        generation: i.generations.get(&deadline.name).copied().unwrap_or(0) + 1,
        due,
    }];
    Ok(vec![Fact::Operated(operated)])
}
