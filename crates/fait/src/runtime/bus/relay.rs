//! The relay: hands messages over to brokers, in order, each once.
//!
//! The broker decides what it has: after every start and every error it is asked how far it came.
//! So a crash, a lost answer and another relay on the same log change nothing. What is there of a
//! history that is not the one that is known is nobody's guess: the relay stops, and an operator
//! says from where on it goes on; that is recorded.

use super::super::{Core, db};
use super::messages::messages_of;
use super::outlet::{Relay, Wants};
use crate::bus::{BusError, Message, Reached};
use fait_core::bus::fact::{MessageSkipped, OUTLET_JOINED, OutletJoined, SKIPPED, outlet_tag};
use fait_core::event::{NewEvent, Origin, Position, panic_text};
use fait_core::query::{Query, QueryItem};
use fait_core::store::{AppendCondition, AppendError, BoxFuture, Range, StoreError};
use futures_util::FutureExt;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument;

/// Most messages that are handed over at once.
pub const MAX_HANDED_OVER: usize = 256;

/// How long a broker may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// Facts of an outlet that are read at once.
const PAGE: usize = 500;

/// Why a relay does not go on as it did.
enum Break {
    /// The system stops.
    Stop,
    /// What was known of the outlet is no longer so: it is asked again.
    Again,
    /// It is tried again after a while.
    Later(String),
    /// A message cannot be carried.
    Message(Position, String),
    /// It waits for somebody.
    Halt(String, Wants),
}

impl From<StoreError> for Break {
    fn from(e: StoreError) -> Break {
        Break::Later(e.to_string())
    }
}

impl From<BusError> for Break {
    fn from(e: BusError) -> Break {
        match e {
            BusError::Later(why) => Break::Later(why),
            BusError::Other(why) => Break::Halt(other_history(&why), Wants::Replay),
            BusError::Message { position, .. } => Break::Message(position, e.to_string()),
            BusError::Unfit(why) => Break::Halt(why, Wants::Change),
        }
    }
}

fn other_history(why: &str) -> String {
    format!(
        "what is there now is another history than the one that messages were handed to: {why}; \
         say from where on they are to be handed over"
    )
}

/// What is recorded of an outlet.
#[derive(Default)]
struct Known {
    joined: Option<OutletJoined>,
    skipped: BTreeSet<Position>,
    /// The newest fact.
    at: Position,
}

impl Core {
    /// Hands messages over until the system stops.
    pub(crate) async fn run_relay(self: Arc<Self>, relay: Arc<Relay>) {
        // A message that the broker refused: those before it are handed over first.
        let mut refused: Option<(Position, String)> = None;
        loop {
            let broke = tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                broke = self.relay_until(&relay, &refused) => broke,
            };
            match broke {
                Break::Stop => return,
                Break::Again => refused = None,
                Break::Later(why) => {
                    let labels = [("outlet", relay.name.clone())];
                    metrics::counter!("fait_bus_outlet_failures_total", &labels).increment(1);
                    tracing::debug!(outlet = relay.name, error = why, "tried again");
                    let next = relay.failed(why, self.clock.now(), self.clock.id().as_u128());
                    self.pulse.beat();
                    tokio::select! {
                        biased;
                        () = self.stop.cancelled() => return,
                        () = relay.poke.notified() => {}
                        () = self.clock.sleep_until(next) => {}
                    }
                }
                Break::Message(position, why) => refused = Some((position, why)),
                Break::Halt(reason, wants) => {
                    refused = None;
                    relay.halts(reason, wants, self.clock.now());
                    self.pulse.beat();
                    if !self.relay_waits(&relay).await {
                        return;
                    }
                }
            }
        }
    }

    /// Waits until somebody did something for a relay that has stopped, or it is time to look.
    /// Gives `false` when the system stops.
    async fn relay_waits(&self, relay: &Relay) -> bool {
        let next = relay.state().next_try;
        let time = async {
            match next {
                Some(at) => self.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.stop.cancelled() => false,
            () = relay.poke.notified() => true,
            () = self.fact_of_outlet(relay) => true,
            () = time => true,
        }
    }

    /// Resolves when something new is recorded of an outlet: by another program too.
    async fn fact_of_outlet(&self, relay: &Relay) {
        let (query, known) = (facts_of(&relay.name), relay.state().facts);
        loop {
            let head = self.store.head().await.unwrap_or(0);
            if self.store.last(&query).await.is_ok_and(|at| at > known) {
                return;
            }
            if self.store.wait(head).await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    async fn relay_until(&self, relay: &Relay, refused: &Option<(Position, String)>) -> Break {
        match self.hand_over_all(relay, refused).await {
            Ok(never) => match never {},
            Err(broke) => broke,
        }
    }

    async fn hand_over_all(
        &self,
        relay: &Relay,
        refused: &Option<(Position, String)>,
    ) -> Result<std::convert::Infallible, Break> {
        let (known, mut reached, mut at) = self.resync(relay).await?;
        let facts = facts_of(&relay.name);
        loop {
            let head = self.store.head().await?;
            if self.store.last(&facts).await? > known.at {
                return Err(Break::Again);
            }
            let page = self.published(at, MAX_HANDED_OVER, &[]).await?;
            let mut messages = page.messages;
            messages.retain(|m| !known.skipped.contains(&m.position));
            if let Some(first) = messages.first() {
                at = first.position - 1;
                relay.passed(at);
            }
            if let (Some((bad, why)), Some(first)) = (refused, messages.first()) {
                match first.position.cmp(bad) {
                    Ordering::Less => messages.retain(|m| m.position < *bad),
                    Ordering::Equal => {
                        let position = *bad;
                        return Err(Break::Halt(why.clone(), Wants::Skip { position }));
                    }
                    // Another relay carried it meanwhile, or somebody skipped it.
                    Ordering::Greater => return Err(Break::Again),
                }
            }
            if messages.is_empty() {
                at = page.upto;
                relay.came(&reached, at);
                self.pulse.beat();
                if at < head {
                    continue;
                }
                self.relay_rests(relay, at).await?;
                continue;
            }
            reached = self.hand_over(relay, known.at, reached, messages).await?;
            at = reached.position.unwrap_or(at).max(at);
            relay.came(&reached, at);
            self.keep_outlet(relay, &reached, at)?;
        }
    }

    /// Waits for more, or for an operator.
    async fn relay_rests(&self, relay: &Relay, at: Position) -> Result<(), Break> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Break::Stop),
            () = relay.poke.notified() => Err(Break::Again),
            head = self.store.wait(at) => Ok(head.map(drop)?),
        }
    }

    async fn hand_over(
        &self,
        relay: &Relay,
        facts: Position,
        after: Reached,
        messages: Vec<Message>,
    ) -> Result<Reached, Break> {
        let n = messages.len();
        let turn = relay.turn.lock().await;
        // What was said while it waited counts from what was there then.
        if self.store.last(&facts_of(&relay.name)).await? > facts {
            return Err(Break::Again);
        }
        let outlet = relay.outlet.clone();
        let history = after.history.clone();
        let (first, last) = (messages[0].position, messages[n - 1].position);
        let span = crate::runtime::spanned::relay(&relay.name, &messages);
        let handing = answered(relay, outlet.hand_over(after, messages));
        let result = handing.instrument(span).await;
        drop(turn);
        let reached = match result {
            // A message stands for itself: those behind it are not to blame.
            Err(e @ BusError::Message { position, .. }) if position <= first => {
                return Err(Break::Halt(e.to_string(), Wants::Skip { position }));
            }
            Err(e @ BusError::Message { position, .. }) if position > last => {
                return Err(Break::Later(format!(
                    "it was handed positions {first} to {last}, and says: {e}"
                )));
            }
            result => result?,
        };
        if reached.history != history {
            return Err(BusError::Other(reached.history).into());
        }
        match reached.position {
            Some(at) if (first..=last).contains(&at) => {}
            other => {
                let other = other.map_or("nothing".into(), |at| format!("position {at}"));
                return Err(Break::Later(format!(
                    "it was handed positions {first} to {last}, and says that it has {other}"
                )));
            }
        }
        let labels = [("outlet", relay.name.clone())];
        metrics::counter!("fait_bus_handed_over_total", &labels).increment(n as u64);
        Ok(reached)
    }

    /// Asks how far the other side has come, and says from where on it is handed more.
    async fn resync(&self, relay: &Relay) -> Result<(Known, Reached, Position), Break> {
        // Before it is asked: what is recorded from here on is looked for.
        let mut known = self.known_of(&relay.name).await?;
        relay.knows(known.at);
        let turn = relay.turn.lock().await;
        let reached = answered(relay, relay.outlet.reached()).await?;
        drop(turn);
        let head = self.store.head().await?;
        if let Some(there) = reached.position.filter(|at| *at > head) {
            let reason = format!(
                "it has a message of position {there}, and the log ends at {head}: the log was \
                 restored from an older copy, or messages of another log were handed over"
            );
            return Err(Break::Halt(reason, Wants::Replay));
        }
        let joined = match known.joined.take() {
            Some(joined) => joined,
            None => self.join(relay, &reached, known.at).await?,
        };
        if joined.history != reached.history {
            let why = format!("`{}`, and not `{}`", reached.history, joined.history);
            return Err(BusError::Other(why).into());
        }
        let at = match reached.position {
            _ if reached.sequence <= joined.sequence => joined.after,
            Some(at) => {
                self.keep_outlet(relay, &reached, at)?;
                at
            }
            // It was emptied: what was handed over is known here, or nobody knows it.
            None => match self.kept_outlet(relay, &reached)? {
                None => {
                    let reason = "it was emptied, and it is not known any more how far it had \
                         come; say from where on messages are to be handed over";
                    return Err(Break::Halt(reason.into(), Wants::Replay));
                }
                Some(kept) => kept,
            },
        };
        relay.stands(&reached, at);
        known.joined = Some(joined);
        Ok((known, reached, at))
    }

    /// The first contact is recorded: from then on the history is known.
    async fn join(
        &self,
        relay: &Relay,
        reached: &Reached,
        after: Position,
    ) -> Result<OutletJoined, Break> {
        let joined = OutletJoined {
            outlet: relay.name.clone(),
            history: reached.history.clone(),
            sequence: reached.sequence,
            after: reached.position.unwrap_or(0),
            reason: None,
        };
        match self.record_outlet(joined.draft(), "program", after).await {
            Ok(()) | Err(AppendError::Conflict { .. }) => Err(Break::Again),
            Err(AppendError::Store(e)) => Err(e.into()),
            Err(e) => Err(Break::Later(e.to_string())),
        }
    }

    /// Records something of an outlet, unless something was behind a position.
    pub(crate) async fn record_outlet(
        &self,
        draft: fait_core::event::Draft,
        by: &str,
        after: Position,
    ) -> Result<(), AppendError> {
        let tag = draft.tags.first().cloned();
        let types = [OUTLET_JOINED, SKIPPED];
        let item = QueryItem::of(&types, tag.into_iter().collect());
        let id = self.clock.id();
        let origin = Origin {
            actor: Some(by.into()),
            correlation: id,
            ..Origin::default()
        };
        let event: NewEvent = draft.with(id, origin);
        let unmoved = AppendCondition {
            fail_if_events_match: Query::default().or(item),
            after,
        };
        self.record_facts(vec![event], vec![unmoved]).await
    }

    async fn known_of(&self, outlet: &str) -> Result<Known, Break> {
        let query = facts_of(outlet);
        let mut known = Known::default();
        loop {
            let range = Range::after(known.at, PAGE);
            let slice = self.store.read(&query, range).await?;
            for event in &slice.events {
                known.at = event.meta.position;
                let newer = |e: fait_core::event::DecodeError| StoreError::new(e);
                if event.ty == SKIPPED {
                    let skipped: MessageSkipped = event.read().map_err(newer)?;
                    known.skipped.insert(skipped.position);
                } else {
                    known.joined = Some(event.read().map_err(newer)?);
                }
            }
            if slice.events.len() < PAGE {
                return Ok(known);
            }
        }
    }

    fn keep_outlet(
        &self,
        relay: &Relay,
        reached: &Reached,
        at: Position,
    ) -> Result<(), StoreError> {
        let name = kept_name(relay, reached);
        let sequence = sequence_name(relay, reached);
        if self.db.feed(&name)? == at && self.db.feed(&sequence)? == reached.sequence {
            return Ok(());
        }
        self.db.write(|tx| {
            db::set_feed(tx, &name, at)?;
            db::set_feed(tx, &sequence, reached.sequence)
        })
    }

    /// How far an outlet had come that is empty now; none when another program handed over last,
    /// and nobody here knows.
    fn kept_outlet(
        &self,
        relay: &Relay,
        reached: &Reached,
    ) -> Result<Option<Position>, StoreError> {
        let sequence = self.db.feed(&sequence_name(relay, reached))?;
        let at = self.db.feed(&kept_name(relay, reached))?;
        Ok(Some(at).filter(|at| *at > 0 && sequence == reached.sequence))
    }

    /// How many messages wait to be handed over, counted up to a number.
    pub(crate) async fn waiting_for(&self, relay: &Relay, most: usize) -> Result<u64, StoreError> {
        let range = Range::after(relay.state().at, most);
        let slice = self.store.read(&messages_of(&[]), range).await?;
        Ok(slice.events.len() as u64)
    }

    /// Asks an outlet how far it has come, beside the relay.
    pub(crate) async fn ask_outlet(&self, relay: &Relay) -> Result<Reached, BusError> {
        answered(relay, relay.outlet.reached()).await
    }
}

/// How far an outlet came in one history.
fn kept_name(relay: &Relay, reached: &Reached) -> String {
    format!("outlet:{}:{}", relay.name, reached.history)
}

/// And at which place of its own count that was.
fn sequence_name(relay: &Relay, reached: &Reached) -> String {
    format!("outlet-sequence:{}:{}", relay.name, reached.history)
}

/// What is recorded of an outlet.
pub(crate) fn facts_of(outlet: &str) -> Query {
    let types = [OUTLET_JOINED, SKIPPED];
    Query::default().or(QueryItem::of(&types, vec![outlet_tag(outlet)]))
}

/// Waits for an answer of the other side, not for ever; a panic is its failure.
async fn answered<T>(
    relay: &Relay,
    asked: BoxFuture<'_, Result<T, BusError>>,
) -> Result<T, BusError> {
    relay.asks(true);
    let asked = AssertUnwindSafe(asked).catch_unwind();
    let answer = tokio::time::timeout(ANSWER_WITHIN, asked).await;
    relay.asks(false);
    match answer {
        Ok(Ok(answer)) => answer,
        Ok(Err(panic)) => Err(BusError::Later(panic_text(&*panic))),
        Err(_) => {
            let s = ANSWER_WITHIN.as_secs();
            Err(BusError::Later(format!("it did not answer within {s} s")))
        }
    }
}
