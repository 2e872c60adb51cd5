//! Deciding a command: wait for a turn, take in what is new, decide, append if nothing relevant
//! has changed, else again.

use super::models::Folded;
use super::token::Token;
use super::{Core, count_appended};
use fait_core::command::InputError;
use fait_core::decision::{Context, Deciding, Refused, Verdict};
use fait_core::event::{DecodeError, Draft, NewEvent, Origin, Position, StoredEvent, Time};
use fait_core::process::{Fact, Issued, Outcome, Settled, command_tag, is_own_tag, types};
use fait_core::query::{Query, QueryItem};
use fait_core::store::{Append, AppendCondition, AppendError, CommandKey, Range, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;

/// How often a decision is made again because something relevant happened meanwhile.
pub const MAX_TRIES: u32 = 200;

/// The code with which somebody refuses a task that is asked of them.
pub const DECLINED: &str = "Declined";

/// Events read at once.
const PAGE: usize = 1000;

/// Who asks, why, and under which id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Envelope {
    /// The command's id; sent again, it changes nothing and gets the first receipt.
    pub id: Option<Uuid>,
    /// Who asks, for example `waiter:ann`.
    pub actor: Option<String>,
    /// The asked task that this answers.
    pub answering: Option<Uuid>,
    /// The flow it belongs to; a new one by default.
    pub correlation: Option<Uuid>,
    /// The event that led to it, when it does not come from outside.
    pub causation: Option<Uuid>,
    /// W3C trace context.
    pub traceparent: Option<String>,
}

/// An event as named in a receipt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// Its id.
    pub id: Uuid,
    /// Its stored name.
    #[serde(rename = "type")]
    pub ty: String,
    /// Its position.
    pub position: Position,
}

/// What came of a command that was accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// The command's id.
    pub command: Uuid,
    /// What happened; nothing, when nothing had to change.
    pub events: Vec<Recorded>,
    /// A view that has come this far shows it.
    pub position: Position,
    /// Whether this is the receipt of an earlier time.
    pub repeated: bool,
    /// The inline views that were to show it before this answer, and did not in time: it is
    /// recorded, they are catching up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub behind: Vec<String>,
    pub(crate) token: Token,
}

impl Receipt {
    /// What a reader needs to be shown this, also elsewhere and later: see [`Token`].
    pub fn token(&self) -> Token {
        self.token
    }
}

impl From<&Receipt> for Token {
    fn from(receipt: &Receipt) -> Token {
        receipt.token
    }
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// No command has this name.
    #[error("there is no command `{name}`{}", hint(.did_you_mean))]
    Unknown {
        /// What was asked for.
        name: String,
        /// The nearest name.
        did_you_mean: Option<String>,
    },
    /// The body does not fit.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The decision refused it.
    #[error("{}", .0.message)]
    Refused(Refused),
    /// The asked task was done, withdrawn or never asked.
    #[error("{0}")]
    NotAsked(String),
    /// What would be recorded breaks a limit of the store, for example of a tag's length.
    #[error("{0}")]
    Limit(String),
    /// Another system carries the command out.
    #[error("{0}")]
    Elsewhere(String),
    /// The command id was used before, for something else.
    #[error("command id {0} was used before, for something else")]
    Reused(Uuid),
    /// Others were faster, every time.
    #[error("something relevant kept changing; after {MAX_TRIES} tries it was given up")]
    Conflict,
    /// An event that it must look at cannot be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The program cannot write its own event.
    #[error("{0}")]
    Defect(String),
    /// The store cannot do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn hint(name: &Option<String>) -> String {
    name.as_ref()
        .map(|n| format!("; did you mean `{n}`?"))
        .unwrap_or_default()
}

/// What a decision answers: an issued command that is settled in the same append.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) process: String,
    pub(crate) key: String,
    pub(crate) about: Vec<fait_core::event::Tag>,
    pub(crate) issued: Issued,
    pub(crate) position: Position,
    pub(crate) cause: Uuid,
    pub(crate) correlation: Uuid,
}

impl Answer {
    pub(crate) fn settle(&self, outcome: Outcome) -> Draft {
        Fact::Settled(Settled {
            process: self.process.clone(),
            key: self.key.clone(),
            command: self.issued.id,
            name: self.issued.name.clone(),
            body: match outcome {
                Outcome::Accepted => Value::Null,
                _ => self.issued.body.clone(),
            },
            by_hand: None,
            outcome,
        })
        .draft(&self.about)
    }

    /// Nobody has settled it or taken it back.
    pub(crate) fn still_open(&self) -> AppendCondition {
        AppendCondition {
            fail_if_events_match: settling(self.issued.id),
            after: self.position,
        }
    }
}

/// What settles an issued command or takes it back.
pub(crate) fn settling(command: Uuid) -> Query {
    let kinds = [
        types::SETTLED,
        types::STEPPED,
        types::OPERATED,
        types::WITHDRAWN,
    ];
    Query::default().or(QueryItem::of(&kinds, vec![command_tag(command)]))
}

/// The same body asked under the same name.
pub(crate) fn fingerprint(name: &str, body: &Value) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{name} {body}").as_bytes())
}

/// One decision to be carried out.
pub(crate) struct Execution<'a> {
    pub(crate) deciding: Box<dyn Deciding>,
    pub(crate) name: &'a str,
    pub(crate) body: &'a Value,
    pub(crate) fingerprint: Uuid,
    pub(crate) env: Envelope,
    pub(crate) answer: Option<Answer>,
}

impl Core {
    /// Carries a command out.
    pub(crate) async fn execute(&self, mut x: Execution<'_>) -> Result<Receipt, SendError> {
        let id = x.env.id.unwrap_or_else(|| self.clock.id());
        let key = CommandKey {
            id,
            fingerprint: x.fingerprint,
        };
        let guard = x.deciding.guard();
        let turn = self.turns.take(&*x.deciding, &guard).await;
        if x.env.id.is_some()
            && let Some(receipt) = self.repeated(key).await?
        {
            return Ok(receipt);
        }
        let mut folded = self.shelf.recall(&mut *x.deciding).await;
        let done = self.decide(&mut x, key, &guard, &mut folded).await;
        self.shelf.keep(x.deciding, folded, turn);
        done
    }

    /// Decides until it is recorded or refused.
    async fn decide(
        &self,
        x: &mut Execution<'_>,
        key: CommandKey,
        guard: &Query,
        folded: &mut Folded,
    ) -> Result<Receipt, SendError> {
        let context = Context::new(self.clock.now(), x.env.actor.clone(), key.id);
        for attempt in 0..MAX_TRIES {
            self.load(&mut *x.deciding, folded).await?;
            let drafts = match x.deciding.decide(&context) {
                Verdict::Events(drafts) => drafts,
                Verdict::Defect(e) => return Err(SendError::Defect(e.to_string())),
                Verdict::Refused(refused) => {
                    // The second of two equal commands may see the first one's events.
                    return match self.repeated(key).await? {
                        Some(receipt) => Ok(receipt),
                        None => Err(SendError::Refused(refused)),
                    };
                }
            };
            let condition = AppendCondition {
                fail_if_events_match: guard.clone(),
                after: folded.to,
            };
            match self
                .commit(x, (key, context.now), drafts, condition)
                .await?
            {
                Some(receipt) => return Ok(receipt),
                None => self.pause(x.name, attempt).await,
            }
        }
        Err(SendError::Conflict)
    }

    /// Takes in everything for a decision that records nothing.
    pub(crate) async fn load_to_look(&self, deciding: &mut dyn Deciding) -> Result<(), SendError> {
        let mut folded = self.shelf.recall_from_disk(deciding).await;
        self.load(deciding, &mut folded).await
    }

    /// Takes in what happened since; notes how far it looked.
    async fn load(
        &self,
        deciding: &mut dyn Deciding,
        folded: &mut Folded,
    ) -> Result<(), SendError> {
        folded.whole = false;
        loop {
            let range = Range::after(folded.to, PAGE);
            let slice = self.store.read(deciding.query(), range).await?;
            if slice.head < folded.to {
                // What was kept is of a log that went on otherwise.
                drop(deciding.take());
                *folded = Folded {
                    epoch: folded.epoch,
                    ..Folded::default()
                };
                continue;
            }
            for event in &slice.events {
                deciding.absorb(event)?;
                folded.since = folded.since.saturating_add(1);
                folded.bytes = folded.bytes.saturating_add(event.data.len());
            }
            match slice.events.last() {
                Some(last) if slice.events.len() == PAGE => folded.to = last.meta.position,
                _ => {
                    folded.to = slice.head;
                    folded.whole = true;
                    return Ok(());
                }
            }
        }
    }

    async fn commit(
        &self,
        x: &Execution<'_>,
        (key, at): (CommandKey, Time),
        drafts: Vec<Draft>,
        unchanged: AppendCondition,
    ) -> Result<Option<Receipt>, SendError> {
        if drafts.is_empty() && x.answer.is_none() {
            let receipt = Receipt {
                command: key.id,
                events: vec![],
                position: unchanged.after,
                repeated: false,
                behind: vec![],
                token: self.token(unchanged.after, None),
            };
            return Ok(Some(receipt));
        }
        // What the guard lets pass may stand behind what was seen.
        let narrowed = unchanged.fail_if_events_match != *x.deciding.query();
        let seen = narrowed.then_some(unchanged.after);
        let mut conditions = vec![unchanged];
        let origin = self.origin(x, key.id);
        let mut events: Vec<NewEvent> = vec![];
        let shown = drafts.len();
        let settled = x.answer.as_ref().map(|a| a.settle(Outcome::Accepted));
        for draft in drafts.into_iter().chain(settled) {
            events.push(draft.with(self.clock.id(), origin.clone()));
        }
        self.record_command(x, at, seen, &origin, &mut events);
        conditions.extend(x.answer.as_ref().map(Answer::still_open));
        let names: Vec<(Uuid, String)> = events
            .iter()
            .take(shown)
            .map(|e| (e.id, e.ty.clone()))
            .collect();
        let (appended, last) = (events.len(), events.last().map(|e| e.id));
        let append = Append {
            events,
            conditions,
            command: Some(key),
            recorded_at: self.clock.now(),
        };
        match self.store.append(append).await {
            Ok(done) if done.repeated => Ok(self.repeated(key).await?),
            Ok(done) => {
                count_appended(appended);
                let events = names.into_iter().zip(done.first..);
                let events = events
                    .map(|((id, ty), position)| Recorded { id, ty, position })
                    .collect();
                let position = done.last;
                Ok(Some(Receipt {
                    command: key.id,
                    events,
                    position,
                    repeated: false,
                    behind: vec![],
                    token: self.token(position, last),
                }))
            }
            Err(AppendError::Conflict { condition: 0, .. }) => Ok(None),
            Err(AppendError::Conflict { .. }) => Err(self.why_not_asked(x).await),
            Err(AppendError::CommandReused { id }) => Err(SendError::Reused(id)),
            Err(AppendError::Invalid(why)) => Err(SendError::Limit(why)),
            Err(AppendError::Store(e)) => Err(SendError::Store(e)),
            Err(other) => Err(SendError::Defect(other.to_string())),
        }
    }

    fn origin(&self, x: &Execution<'_>, command: Uuid) -> Origin {
        let answered = x.answer.as_ref();
        Origin {
            occurred_at: None,
            actor: x.env.actor.clone(),
            command: Some(command),
            correlation: answered
                .map(|a| a.correlation)
                .or(x.env.correlation)
                .unwrap_or(command),
            causation: answered.map(|a| a.cause).or(x.env.causation),
            traceparent: x.env.traceparent.clone(),
            pairs: Default::default(),
        }
    }

    async fn why_not_asked(&self, x: &Execution<'_>) -> SendError {
        let Some(answer) = &x.answer else {
            return SendError::Conflict;
        };
        match self.open_command(answer.issued.id).await {
            Ok(_) => SendError::Conflict,
            Err(e) => e,
        }
    }

    async fn pause(&self, name: &str, attempt: u32) {
        metrics::counter!("fait_append_conflicts_total", "command" => name.to_string())
            .increment(1);
        if attempt > 2 {
            // Spread those who contend, by something that differs between them.
            let spread = self.clock.id().as_u128() % u128::from(attempt.min(50) + 1);
            let micros = u64::try_from(spread).unwrap_or(0) * 200;
            tokio::time::sleep(Duration::from_micros(micros)).await;
        }
    }

    /// The receipt of a command that was carried out before.
    pub(crate) async fn repeated(&self, key: CommandKey) -> Result<Option<Receipt>, SendError> {
        let Some((first, done)) = self.store.command(key.id).await? else {
            return Ok(None);
        };
        if first != key {
            return Err(SendError::Reused(key.id));
        }
        let range = Range::after(done.first - 1, (done.last - done.first + 1) as usize);
        let slice = self.store.read(&Query::all(), range).await?;
        let last = slice.events.last().map(|e| e.meta.id);
        let shown = slice.events.into_iter().filter(|e| !e.ty.starts_with('$'));
        let events = shown
            .map(|e| Recorded {
                id: e.meta.id,
                ty: e.ty,
                position: e.meta.position,
            })
            .collect();
        Ok(Some(Receipt {
            command: key.id,
            events,
            position: done.last,
            repeated: true,
            behind: vec![],
            token: self.token(done.last, last),
        }))
    }

    /// The token for a position of this history, and the event that stands there if it is known.
    pub(crate) fn token(&self, position: Position, event: Option<Uuid>) -> Token {
        Token {
            history: self.store.id(),
            position,
            event: event.unwrap_or_default(),
        }
    }

    /// What issued a command, and what settled it or took it back; in this order.
    pub(crate) async fn issuing(&self, command: Uuid) -> Result<Vec<StoredEvent>, StoreError> {
        let query = settling(command);
        Ok(self.store.read(&query, Range::after(0, 10)).await?.events)
    }

    /// An issued command that is neither settled nor taken back, with what is needed to answer it.
    pub(crate) async fn open_command(&self, command: Uuid) -> Result<Answer, SendError> {
        let events = self.issuing(command).await?;
        let not = |why: String| Err(SendError::NotAsked(why));
        let never = || not(format!("nothing was ever asked under {command}"));
        let Some((first, rest)) = events.split_first() else {
            return never();
        };
        let Some(fact) = Fact::read(first)? else {
            return never();
        };
        let Some(issued) = fact.issued().iter().find(|c| c.id == command) else {
            return never();
        };
        if let Some(last) = rest.last() {
            return not(closed(last)?);
        }
        let (process, key) = fact.instance();
        Ok(Answer {
            about: first
                .tags
                .iter()
                .filter(|t| !is_own_tag(t))
                .cloned()
                .collect(),
            process: process.into(),
            key: key.into(),
            issued: issued.clone(),
            position: first.meta.position,
            cause: first.meta.id,
            correlation: first.meta.origin.correlation,
        })
    }
}

/// What became of an issued command, as a sentence.
fn closed(last: &StoredEvent) -> Result<String, DecodeError> {
    let when = last.meta.recorded_at;
    let by = last.meta.origin.actor.as_deref().unwrap_or("somebody");
    let Some(Fact::Settled(s)) = Fact::read(last)? else {
        return Ok(format!("it was taken back at {when}"));
    };
    Ok(match s.outcome {
        Outcome::Accepted => format!("it was already done by {by} at {when}"),
        Outcome::Refused { code, reason } if code == DECLINED => {
            format!("it was declined by {by} at {when}: {reason}")
        }
        Outcome::Skipped { reason } => format!("{by} said at {when} not to do it: {reason}"),
        Outcome::Expired => format!("it was not done in time, until {when}"),
        Outcome::Refused { .. } | Outcome::Failed { .. } => format!("it was taken back at {when}"),
    })
}
