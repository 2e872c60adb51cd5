//! Messages that are kept: those that cannot be read, and those that wait behind one.

use super::message::{InHand, Lane, lane};
use super::{Fate, Hearing, Trouble};
use crate::bus::Mark;
use crate::runtime::Core;
use fait_core::bus::fact::{Became, MessageReceived, RECEIVED, unread_tag};
use fait_core::event::{Origin, Position, StoredEvent, Time};
use fait_core::query::{Query, QueryItem};
use fait_core::reexport::bytes::Bytes;
use fait_core::store::{Append, AppendCondition, AppendError, Range, StoreError};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// Facts read at once.
const PAGE: usize = 100;

/// What a receiver keeps, in the order in which it came.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// All facts up to here are taken in.
    pub(super) upto: Position,
    messages: BTreeMap<Position, KeptMessage>,
    places: HashMap<Uuid, Position>,
    lanes: HashMap<Lane, BTreeSet<Position>>,
    /// How many of them can be read, as far as is known.
    waiting: usize,
}

/// A message that is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KeptMessage {
    /// As which message it is kept.
    pub(crate) message: Uuid,
    /// Where it was kept first.
    pub(crate) first: Position,
    /// The newest fact of it.
    pub(crate) fact: Position,
    /// Since when.
    pub(crate) since: Time,
    /// Where it stood.
    pub(crate) mark: Mark,
    pub(crate) source: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) ty: Option<String>,
    pub(crate) key: Option<String>,
    /// Why it cannot be read; none for one that waits behind such a one.
    pub(crate) reason: Option<String>,
    lane: Option<Lane>,
}

/// The facts that begin or end that something is kept.
pub(super) fn changes(receiver: &str) -> Query {
    Query::default().or(QueryItem::of(&[RECEIVED], vec![unread_tag(receiver)]))
}

impl Kept {
    pub(crate) fn messages(&self) -> impl Iterator<Item = &KeptMessage> {
        self.messages.values()
    }

    pub(crate) fn get(&self, message: Uuid) -> Option<&KeptMessage> {
        self.messages.get(self.places.get(&message)?)
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// Those that cannot be read, and those that wait behind them.
    pub(super) fn count(&self) -> (usize, usize) {
        (self.messages.len() - self.waiting, self.waiting)
    }

    /// Whether something of this lane is kept that came before a position.
    pub(super) fn blocks(&self, lane: Option<&Lane>, before: Position) -> bool {
        let first = lane.and_then(|lane| self.lanes.get(lane)?.first());
        first.is_some_and(|first| *first < before)
    }

    /// What comes first in a lane, if it waits there for nothing any more.
    fn waits_first_in(&self, lane: Option<&Lane>) -> Option<Uuid> {
        let first = lane.and_then(|lane| self.lanes.get(lane)?.first());
        let first = self.messages.get(first?)?;
        first.reason.is_none().then_some(first.message)
    }

    fn absorb(&mut self, event: &StoredEvent) -> Result<(), StoreError> {
        let fact = MessageReceived::of(event).map_err(StoreError::new)?;
        let Some(fact) = fact else {
            return Ok(());
        };
        let (message, at) = (fact.kept(), event.meta.position);
        let lane = lane(&fact);
        let reason = match fact.became {
            Became::Unreadable { reason, .. } => Some(reason),
            Became::Waiting { .. } => None,
            _ => {
                self.forget(message);
                return Ok(());
            }
        };
        let first = *self.places.entry(message).or_insert(at);
        if let Some(lane) = lane.clone() {
            self.lanes.entry(lane).or_default().insert(first);
        }
        let since = self.messages.get(&first).map(|m| m.since);
        let kept = KeptMessage {
            message,
            first,
            fact: at,
            since: since.unwrap_or(event.meta.recorded_at),
            mark: Mark {
                history: fact.history,
                sequence: fact.sequence,
            },
            source: fact.source,
            id: fact.id,
            ty: fact.ty,
            key: fact.key,
            reason,
            lane,
        };
        self.waiting += usize::from(kept.reason.is_none());
        let before = self.messages.insert(first, kept);
        self.waiting -= usize::from(before.is_some_and(|m| m.reason.is_none()));
        Ok(())
    }

    fn forget(&mut self, message: Uuid) {
        let first = self.places.remove(&message);
        let gone = first.and_then(|first| self.messages.remove(&first));
        let waited = gone.as_ref().is_some_and(|m| m.reason.is_none());
        self.waiting -= usize::from(waited);
        if let Some(KeptMessage {
            first,
            lane: Some(lane),
            ..
        }) = gone
            && let Some(places) = self.lanes.get_mut(&lane)
        {
            places.remove(&first);
            if places.is_empty() {
                self.lanes.remove(&lane);
            }
        }
    }
}

impl Core {
    /// Takes in what has been kept and ended since.
    pub(super) async fn look_at_kept(
        &self,
        receiver: &str,
        kept: &mut Kept,
    ) -> Result<(), StoreError> {
        let query = changes(receiver);
        loop {
            let slice = self
                .store
                .read(&query, Range::after(kept.upto, PAGE))
                .await?;
            for event in &slice.events {
                kept.absorb(event)?;
            }
            match slice.events.last() {
                Some(last) if slice.events.len() == PAGE => kept.upto = last.meta.position,
                _ => {
                    kept.upto = slice.head;
                    return Ok(());
                }
            }
        }
    }

    /// What a receiver keeps now.
    pub(crate) async fn kept_now(&self, receiver: &str) -> Result<Kept, StoreError> {
        let mut kept = Kept::default();
        self.look_at_kept(receiver, &mut kept).await?;
        Ok(kept)
    }

    /// Goes on with what waits and has nothing before it any more, in order.
    pub(crate) async fn go_on_with_kept(
        &self,
        h: &Hearing,
        kept: &mut Kept,
    ) -> Result<Vec<(Uuid, Fate)>, Trouble> {
        self.look_at_kept(&h.name, kept).await?;
        let mut read = vec![];
        let all = kept.messages.iter();
        let first_of_their_lanes: Vec<Uuid> = all
            .filter(|(first, m)| m.reason.is_none() && !kept.blocks(m.lane.as_ref(), **first))
            .map(|(_, m)| m.message)
            .collect();
        for message in first_of_their_lanes {
            let lane = kept.get(message).and_then(|m| m.lane.clone());
            let mut next = Some(message);
            while let Some(message) = next {
                let fate = self.read_again(h, kept, message).await?;
                read.extend(fate.map(|fate| (message, fate)));
                next = kept.waits_first_in(lane.as_ref());
            }
        }
        Ok(read)
    }

    /// Reads a kept message again and records what it is now; none when it is not kept any more.
    /// One that has another before it waits on.
    pub(crate) async fn read_again(
        &self,
        h: &Hearing,
        kept: &mut Kept,
        message: Uuid,
    ) -> Result<Option<Fate>, Trouble> {
        let Some(of) = kept.get(message).cloned() else {
            return Ok(None);
        };
        if kept.blocks(of.lane.as_ref(), of.first) {
            return Ok(Some(Fate::Waiting));
        }
        let Some((headers, body)) = self.bytes_of(&of).await? else {
            kept.forget(message);
            return Ok(None);
        };
        let in_hand = InHand {
            headers: &headers,
            body: &body,
            mark: &of.mark,
            kept: Some(&of),
        };
        let (fate, _) = self.take_message(h, kept, &in_hand).await?;
        super::count(&h.name, &fate);
        Ok(Some(fate))
    }

    /// Ends that a message is kept; says whether it was.
    pub(crate) async fn end_kept(
        &self,
        h: &Hearing,
        kept: &mut Kept,
        message: Uuid,
        became: Became,
        by: &str,
    ) -> Result<bool, StoreError> {
        while let Some(of) = kept.get(message).cloned() {
            let fact = MessageReceived {
                receiver: h.name.clone(),
                message,
                source: of.source,
                id: of.id,
                ty: of.ty,
                key: of.key,
                history: of.mark.history,
                sequence: of.mark.sequence,
                became: became.clone(),
                again: true,
                kept_as: None,
            };
            let origin = Origin {
                actor: Some(by.into()),
                correlation: message,
                ..Origin::default()
            };
            let append = Append {
                events: vec![fact.draft().with(self.clock.id(), origin)],
                conditions: vec![AppendCondition {
                    fail_if_events_match: changes(&h.name),
                    after: kept.upto,
                }],
                command: None,
                recorded_at: self.clock.now(),
            };
            match self.store.append(append).await {
                Ok(_) => return Ok(true),
                Err(AppendError::Conflict { .. }) => self.look_at_kept(&h.name, kept).await?,
                Err(e) => return Err(StoreError::new(e)),
            }
        }
        Ok(false)
    }

    /// A kept message as it came; none when it was erased.
    async fn bytes_of(
        &self,
        of: &KeptMessage,
    ) -> Result<Option<(Vec<(String, String)>, Bytes)>, Trouble> {
        let all = Query::all();
        let read = |after, n| self.store.read(&all, Range::after(after, n));
        let fact = read(of.fact.saturating_sub(1), 1).await?;
        let Some(event) = fact.events.first() else {
            return Ok(None);
        };
        let fact = MessageReceived::of(event).map_err(|e| Trouble::Stop(e.to_string()))?;
        let Some(raw) = fact.and_then(|f| f.became.raw().cloned()) else {
            return Ok(None);
        };
        let parts = raw.parts as usize;
        let behind = match parts {
            0 => vec![],
            n => read(of.fact, n).await?.events,
        };
        raw.open(&behind)
            .map(Some)
            .map_err(|why| Trouble::Stop(format!("message {} at {}: {why}", of.message, of.fact)))
    }
}
