//! Deciding a command: wait for a turn, take in what is new, decide, append if nothing relevant
//! has changed, else again.

use super::models::Folded;
use super::note::{Came, Note};
use super::token::Token;
use super::{Core, count_appended};
use fait_core::decision::{Context, Deciding, Refused, Verdict};
use fait_core::event::{
    DecodeError, Draft, NewEvent, Origin, Position, StoredEvent, Time, is_traceparent,
};
use fait_core::process::{Fact, Issued, Outcome, Settled, command_tag, is_own_tag, types};
use fait_core::query::{Query, QueryItem};
use fait_core::store::{Append, AppendCondition, AppendError, CommandKey, Range, StoreError};
use serde_json::Value;
use std::time::Duration;
use tracing::Instrument;
use uuid::Uuid;

pub use super::receipt::{DECLINED, Envelope, MAX_TRIES, Receipt, Recorded, SendError};

/// Events read at once.
const PAGE: usize = 1000;

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
    pub(crate) traceparent: Option<String>,
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
    /// What is recorded with the outcome, whichever it is.
    pub(crate) note: Option<Note>,
}

/// What came of a command, as far as it is recorded.
#[derive(Debug)]
pub(crate) enum Done {
    /// It was accepted; the note stands last, if there is one.
    Accepted(Receipt),
    /// It was refused, and the note that says so stands there.
    Refused(Refused, Position),
    /// A condition of the note does not hold, the first of them being 0. Nothing was recorded.
    Unmet(usize),
}

impl Core {
    /// Carries a command out.
    pub(crate) async fn execute(&self, x: Execution<'_>) -> Result<Receipt, SendError> {
        match self.execute_noted(x).await? {
            Done::Accepted(receipt) => Ok(receipt),
            Done::Refused(refused, _) => Err(SendError::Refused(refused)),
            Done::Unmet(_) => Err(SendError::Conflict),
        }
    }

    /// Carries a command out, and records its note with what comes of it. A command that was
    /// carried out before under its id has no second note: it is accepted, as repeated.
    pub(crate) async fn execute_noted(&self, x: Execution<'_>) -> Result<Done, SendError> {
        let id = x.env.id.unwrap_or_else(|| self.clock.id());
        let asked = x.answer.as_ref().and_then(|a| a.traceparent.as_deref());
        let span = super::spanned::decide(x.name, id, &x.env, asked);
        self.decide_and_record(x, id).instrument(span).await
    }

    async fn decide_and_record(&self, mut x: Execution<'_>, id: Uuid) -> Result<Done, SendError> {
        let key = CommandKey {
            id,
            fingerprint: x.fingerprint,
        };
        let guard = x.deciding.guard();
        let turn = self.turns.take(&*x.deciding, &guard).await;
        if x.env.id.is_some()
            && let Some(receipt) = self.repeated(key).await?
        {
            return Ok(Done::Accepted(receipt));
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
    ) -> Result<Done, SendError> {
        let context = Context::new(self.clock.now(), x.env.actor.clone(), key.id);
        for attempt in 0..MAX_TRIES {
            self.load(&mut *x.deciding, folded).await?;
            let condition = AppendCondition {
                fail_if_events_match: guard.clone(),
                after: folded.to,
            };
            let at = (key, context.now);
            let done = match x.deciding.decide(&context) {
                Verdict::Events(drafts) => self.commit(x, at, drafts, condition).await?,
                Verdict::Defect(e) => return Err(SendError::Defect(e.to_string())),
                Verdict::Refused(refused) => {
                    // The second of two equal commands may see the first one's events.
                    if let Some(receipt) = self.repeated(key).await? {
                        return Ok(Done::Accepted(receipt));
                    }
                    self.note_refusal(x, key, refused, condition).await?
                }
            };
            match done {
                Some(done) => return Ok(done),
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
    ) -> Result<Option<Done>, SendError> {
        if drafts.is_empty() && x.answer.is_none() && x.note.is_none() {
            let receipt = Receipt {
                command: key.id,
                events: vec![],
                position: unchanged.after,
                repeated: false,
                behind: vec![],
                token: self.token(unchanged.after, None),
            };
            return Ok(Some(Done::Accepted(receipt)));
        }
        // What the guard lets pass may stand behind what was seen.
        let narrowed = unchanged.fail_if_events_match != *x.deciding.query();
        let seen = narrowed.then_some(unchanged.after);
        let origin = self.origin(x, key.id);
        let mut events: Vec<NewEvent> = vec![];
        let shown = drafts.len();
        let settled = x.answer.as_ref().map(|a| a.settle(Outcome::Accepted));
        for draft in drafts.into_iter().chain(settled) {
            events.push(draft.with(self.clock.id(), origin.clone()));
        }
        if let Some(note) = &x.note {
            let draft = (note.write)(Came::Accepted);
            events.push(draft.with(self.clock.id(), origin.clone()));
        }
        self.record_command(x, at, seen, &origin, &mut events);
        let names: Vec<(Uuid, String)> = events
            .iter()
            .take(shown)
            .map(|e| (e.id, e.ty.clone()))
            .collect();
        let (appended, last) = (events.len(), events.last().map(|e| e.id));
        let append = Append {
            events,
            conditions: conditions(x, unchanged),
            command: Some(key),
            recorded_at: self.clock.now(),
        };
        match self.store.append(append).await {
            Ok(done) if done.repeated => Ok(self.repeated(key).await?.map(Done::Accepted)),
            Ok(done) => {
                count_appended(appended);
                let events = names.into_iter().zip(done.first..);
                let events = events
                    .map(|((id, ty), position)| Recorded { id, ty, position })
                    .collect();
                let position = done.last;
                Ok(Some(Done::Accepted(Receipt {
                    command: key.id,
                    events,
                    position,
                    repeated: false,
                    behind: vec![],
                    token: self.token(position, last),
                })))
            }
            Err(e) => self.not_appended(x, e).await,
        }
    }

    /// Records that a command was refused, where there is a note to say so. Under the condition
    /// on which it was decided, so that it was refused where the note stands.
    async fn note_refusal(
        &self,
        x: &Execution<'_>,
        key: CommandKey,
        refused: Refused,
        unchanged: AppendCondition,
    ) -> Result<Option<Done>, SendError> {
        let Some(note) = &x.note else {
            return Err(SendError::Refused(refused));
        };
        let draft = (note.write)(Came::Refused(&refused));
        let append = Append {
            events: vec![draft.with(self.clock.id(), self.origin(x, key.id))],
            conditions: conditions(x, unchanged),
            // The id of a command that was refused stays free.
            command: None,
            recorded_at: self.clock.now(),
        };
        match self.store.append(append).await {
            Ok(done) => {
                count_appended(1);
                Ok(Some(Done::Refused(refused, done.last)))
            }
            Err(e) => self.not_appended(x, e).await,
        }
    }

    /// What it means that an append under [`conditions`] was refused; none: it is decided again.
    async fn not_appended(
        &self,
        x: &Execution<'_>,
        error: AppendError,
    ) -> Result<Option<Done>, SendError> {
        let noted = 1 + usize::from(x.answer.is_some());
        match error {
            AppendError::Conflict { condition: 0, .. } => Ok(None),
            AppendError::Conflict { condition, .. } if condition >= noted => {
                Ok(Some(Done::Unmet(condition - noted)))
            }
            AppendError::Conflict { .. } => Err(self.why_not_asked(x).await),
            AppendError::CommandReused { id } => Err(SendError::Reused(id)),
            AppendError::Invalid(why) => Err(SendError::Limit(why)),
            AppendError::Store(e) => Err(SendError::Store(e)),
            other => Err(SendError::Defect(other.to_string())),
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
            // Who answers a task is in a trace of their own, or in that of what asked it.
            traceparent: x
                .env
                .traceparent
                .clone()
                .filter(|t| is_traceparent(t))
                .or_else(|| answered.and_then(|a| a.traceparent.clone())),
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
            traceparent: first.meta.origin.traceparent.clone(),
        })
    }
}

/// Under what an outcome is recorded: what was decided on is unchanged, then what is answered is
/// open, then what the note demands.
fn conditions(x: &Execution<'_>, unchanged: AppendCondition) -> Vec<AppendCondition> {
    let noted = x.note.iter().flat_map(|note| note.conditions.clone());
    let answered = x.answer.as_ref().map(Answer::still_open);
    std::iter::once(unchanged)
        .chain(answered)
        .chain(noted)
        .collect()
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
