//! Sending commands, and asking what would come of them.

use super::{App, Envelope, Receipt, SendError};
use crate::runtime::decide::{Done, Execution, MAX_TRIES, fingerprint};
use crate::runtime::nearest;
use crate::runtime::note::Note;
use fait_core::command::{CommandSet, InputError};
use fait_core::decision::{CommandDef, Context, Decide, Deciding, Decision, Refused};
use fait_core::event::{DecodeError, Event, EventSet, Origin};
use fait_core::store::{Append, AppendError, BoxFuture, CommandKey, StoreError};
use serde_json::Value;
use std::future::IntoFuture;
use uuid::Uuid;

/// Why a typed command was not carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError<R: std::error::Error + 'static> {
    /// The decision refused it.
    #[error("{0}")]
    Refused(R),
    /// Others were faster, every time.
    #[error("something relevant kept changing; after {MAX_TRIES} tries it was given up")]
    Conflict,
    /// The command cannot be written or read as JSON.
    #[error(transparent)]
    Input(InputError),
    /// An event that it must look at cannot be read.
    #[error(transparent)]
    Decode(DecodeError),
    /// The store cannot do it.
    #[error(transparent)]
    Store(StoreError),
    /// Anything else, as a sentence.
    #[error("{0}")]
    Other(String),
}

impl<R: fait_core::decision::Refusal> CommandError<R> {
    fn typed(e: SendError) -> Self {
        match e {
            SendError::Refused(Refused {
                typed: Some(r),
                message,
                ..
            }) => match r.downcast::<R>() {
                Ok(refusal) => CommandError::Refused(*refusal),
                Err(_) => CommandError::Other(message),
            },
            SendError::Conflict => CommandError::Conflict,
            SendError::Input(e) => CommandError::Input(e),
            SendError::Decode(e) => CommandError::Decode(e),
            SendError::Store(e) => CommandError::Store(e),
            other => CommandError::Other(other.to_string()),
        }
    }
}

/// A command about to be sent: `app.send(command).by("waiter:ann").await`.
#[derive(Debug)]
#[must_use = "a command is sent when it is awaited"]
pub struct Send<'a, C> {
    app: &'a App,
    command: C,
    envelope: Envelope,
}

impl<C> Send<'_, C> {
    /// Who asks.
    pub fn by(mut self, actor: &str) -> Self {
        self.envelope.actor = Some(actor.into());
        self
    }

    /// The command's id: sent again under it, the command changes nothing.
    pub fn id(mut self, id: Uuid) -> Self {
        self.envelope.id = Some(id);
        self
    }

    /// The asked task that this answers: both are settled in one append, or neither.
    pub fn answering(mut self, asked: Uuid) -> Self {
        self.envelope.answering = Some(asked);
        self
    }
}

impl<'a, C: Decide> IntoFuture for Send<'a, C> {
    type Output = Result<Receipt, CommandError<C::Refusal>>;
    type IntoFuture = BoxFuture<'a, Self::Output>;
    fn into_future(self) -> Self::IntoFuture {
        let Send {
            app,
            command,
            envelope,
        } = self;
        Box::pin(async move {
            let (name, body) = command.encode().map_err(CommandError::Input)?;
            if !app.core.commands.contains_key(name) {
                let why = format!("`{name}` is not wired: add `.task::<{name}>()`");
                return Err(CommandError::Other(why));
            }
            let deciding: Box<dyn Deciding> = Box::new(Decision::new(command));
            let sent = app.decide(deciding, name, &body, envelope).await;
            sent.map_err(CommandError::typed)
        })
    }
}

impl App {
    /// Sends a command: decides it on what has happened and records what comes of it.
    pub fn send<C: Decide>(&self, command: C) -> Send<'_, C> {
        Send {
            app: self,
            command,
            envelope: Envelope::default(),
        }
    }

    /// Sends a command by name.
    ///
    /// # Errors
    /// See [`SendError`]; nothing was changed.
    pub async fn send_json(
        &self,
        name: &str,
        body: Value,
        envelope: Envelope,
    ) -> Result<Receipt, SendError> {
        let deciding = self.begin(name, &body)?;
        self.decide(deciding, name, &body, envelope).await
    }

    async fn decide(
        &self,
        deciding: Box<dyn Deciding>,
        name: &str,
        body: &Value,
        env: Envelope,
    ) -> Result<Receipt, SendError> {
        match self.decide_noted(deciding, (name, body), env, None).await? {
            Done::Accepted(receipt) => Ok(receipt),
            Done::Refused(refused, _) => Err(SendError::Refused(refused)),
            Done::Unmet(..) => Err(SendError::Conflict),
        }
    }

    /// Decides a command that was begun, and records a note with what comes of it.
    pub(super) async fn decide_noted(
        &self,
        deciding: Box<dyn Deciding>,
        (name, body): (&str, &Value),
        env: Envelope,
        note: Option<Note>,
    ) -> Result<Done, SendError> {
        let answer = match env.answering {
            None => None,
            Some(asked) => match self.core.open_command(asked).await {
                Ok(answer) if answer.issued.name == name => Some(answer),
                Ok(answer) => {
                    let other = answer.issued.name;
                    return Err(SendError::NotAsked(format!(
                        "asked was `{other}`, not `{name}`"
                    )));
                }
                // A repeated answer gets its first receipt, below.
                Err(SendError::NotAsked(why)) => match env.id {
                    Some(id) if self.core.store.command(id).await?.is_some() => None,
                    _ => return Err(SendError::NotAsked(why)),
                },
                Err(e) => return Err(e),
            },
        };
        let fingerprint = fingerprint(name, body);
        let execution = Execution {
            deciding,
            name,
            body,
            fingerprint,
            env,
            answer,
            note,
        };
        let mut result = self.core.execute_noted(execution).await;
        let outcome = match &result {
            Ok(Done::Accepted(_)) => "accepted",
            Ok(Done::Refused(..)) | Err(SendError::Refused(_)) => "refused",
            Ok(Done::Unmet(..)) | Err(_) => "failed",
        };
        metrics::counter!(
            "fait_commands_total", "command" => name.to_string(), "outcome" => outcome
        )
        .increment(1);
        if let Ok(Done::Accepted(receipt)) = &mut result {
            receipt.behind = self.behind(receipt).await;
        }
        result
    }

    pub(super) fn begin(&self, name: &str, body: &Value) -> Result<Box<dyn Deciding>, SendError> {
        let def = self.task(name)?;
        match &def.begin {
            Some(begin) => Ok(begin(body)?),
            None => Err(SendError::Elsewhere(format!(
                "`{name}` is carried out by {}, not here",
                def.page.to.as_deref().unwrap_or("another system")
            ))),
        }
    }

    /// A task by name.
    ///
    /// # Errors
    /// There is none; the message names the nearest.
    pub fn task(&self, name: &str) -> Result<&CommandDef, SendError> {
        self.core
            .commands
            .get(name)
            .ok_or_else(|| SendError::Unknown {
                name: name.into(),
                did_you_mean: nearest(name, self.core.commands.keys()),
            })
    }

    /// All tasks, by name.
    pub fn tasks(&self) -> impl Iterator<Item = &CommandDef> {
        self.core.commands.values()
    }

    /// What would happen if the command were sent now. Nothing is recorded.
    ///
    /// # Errors
    /// The refusal, or why it cannot be told.
    pub async fn preview<C: Decide>(
        &self,
        command: &C,
    ) -> Result<Vec<C::Emits>, CommandError<C::Refusal>> {
        let mut decision = Decision::new(command.clone());
        let context = Context::new(self.core.clock.now(), None, self.core.clock.id());
        self.core
            .load_to_look(&mut decision)
            .await
            .map_err(CommandError::typed)?;
        decision
            .decide_typed(&context)
            .map_err(CommandError::Refused)
    }

    /// Whether a task is to be offered with these words; fields that are missing are filled with
    /// sample words.
    ///
    /// # Errors
    /// The refusal, or why it cannot be told.
    pub async fn offer(&self, name: &str, given: &Value, actor: &str) -> Result<(), SendError> {
        let def = self.task(name)?;
        let mut body = given.clone();
        for field in &def.fields {
            if body.get(&field.name).is_none() && !field.optional {
                body[&field.name] = super::sample::sample(&field.schema);
            }
        }
        let mut deciding = self.begin(name, &body)?;
        let core = &self.core;
        let context = Context::new(core.clock.now(), Some(actor.into()), core.clock.id());
        core.load_to_look(&mut *deciding).await?;
        deciding.offer(&context).map_err(SendError::Refused)
    }

    /// Records an event that an outside system sent. The same message id is recorded once. `flow`
    /// is the flow and the cause, as [`Told`](super::Told) has them; the trace is that of the
    /// cause.
    ///
    /// # Errors
    /// The event is not wired with `receives`, or cannot be recorded.
    pub async fn receive<E: Event>(
        &self,
        event: E,
        message: Uuid,
        flow: Option<(Uuid, Uuid)>,
    ) -> Result<Receipt, SendError> {
        let Some((_, system)) = self.core.received.get(E::TYPE) else {
            let why = format!("`{0}` is not wired: add `.receives::<{0}>(…)`", E::TYPE);
            return Err(SendError::Defect(why));
        };
        let traceparent = match flow {
            Some((_, cause)) => self
                .event(cause)
                .await?
                .and_then(|e| e.meta.origin.traceparent),
            None => None,
        };
        let draft = EventSet::encode(&event).map_err(|e| SendError::Defect(e.to_string()))?;
        let origin = Origin {
            actor: Some(format!("system:{system}")),
            correlation: flow.map_or(message, |(correlation, _)| correlation),
            causation: flow.map(|(_, cause)| cause),
            command: Some(message),
            traceparent,
            ..Origin::default()
        };
        let fingerprint = Uuid::new_v5(&Uuid::NAMESPACE_OID, &draft.data);
        let (id, ty) = (self.core.clock.id(), draft.ty.clone());
        let key = CommandKey {
            id: message,
            fingerprint,
        };
        let append = Append {
            events: vec![draft.with(id, origin)],
            conditions: vec![],
            command: Some(key),
            recorded_at: self.core.clock.now(),
        };
        let appended = self.core.store.append(append).await;
        if let Ok(done) = appended
            && done.repeated
            && let Some(receipt) = self.core.repeated(key).await?
        {
            return Ok(receipt);
        }
        match appended {
            Ok(done) => Ok(Receipt {
                command: message,
                events: vec![super::Recorded {
                    id,
                    ty,
                    position: done.first,
                }],
                position: done.last,
                repeated: done.repeated,
                behind: vec![],
                token: self.core.token(done.last, Some(id)),
            }),
            Err(AppendError::Store(e)) => Err(SendError::Store(e)),
            Err(AppendError::CommandReused { id }) => Err(SendError::Reused(id)),
            Err(AppendError::Invalid(why)) => Err(SendError::Limit(why)),
            Err(e) => Err(SendError::Defect(e.to_string())),
        }
    }
}
