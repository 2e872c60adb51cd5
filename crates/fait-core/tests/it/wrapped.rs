//! A store in memory around which one thing can be made to go wrong.

use fait_core::event::{Origin, Position, StoredEvent, Tag, Time};
use fait_core::query::Query;
use fait_core::store::{
    Append, AppendError, Appended, BoxFuture, CommandKey, Durability, ERASED, Erase, Erased,
    Memory, Range, Slice, Store, StoreError,
};
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use uuid::Uuid;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// Reads give the event at `after` again.
    ReadsRepeat,
    /// Reads leave out the event behind `after`, unless it is the first.
    ReadsSkip,
    /// One event more than the limit.
    ReadsExceedTheLimit,
    /// A limit of 0 gives nothing.
    LimitOf0GivesNothing,
    /// The head of a slice is one too far.
    HeadRunsAhead,
    /// Backwards reads do not look at `after`.
    BackwardsIgnoresAfter,
    /// Types count only by their beginning.
    TypesByPrefix,
    /// Types and tags without upper and lower case.
    NamesAreFolded,
    /// Types count only by their first 254 bytes.
    NamesAreCut,
    /// Only the first sixteen tags of an event are indexed.
    SixteenTags,
    /// Only the first item of a query is looked at.
    OneItem,
    /// A type that is not known selects everything.
    UnknownTypeIsAnyType,
    /// An event comes once for each of its tags that are asked for.
    OncePerTag,
    /// A wait is over at once.
    WaitEndsEarly,
    /// The last event of every query is the head.
    LastIsHead,
    /// The last event that a query selects is its first.
    LastIsFirst,
    /// Conditions look from the beginning.
    ConditionIgnoresAfter,
    /// All conditions look behind the position of the first.
    ConditionsShareAfter,
    /// Conditions do not look at types.
    ConditionIgnoresTypes,
    /// Conditions do not look at tags.
    ConditionIgnoresTags,
    /// Conditions are judged before the append waits for its turn.
    ConditionTooEarly,
    /// Every condition on anything is broken by any newer event.
    ConditionOnTheHead,
    /// Names of 255 bytes are refused.
    NamesTooShort,
    /// A reserved type is renamed and accepted.
    ReservedIsAccepted,
    /// Duplicated tags are lost.
    TagsAreASet,
    /// A batch of more than a thousand is appended in two.
    LargeBatchInTwo,
    /// Repeated receipts name another durability.
    RepeatedIsSynced,
    /// Receipts of commands name another durability.
    CommandsAreSynced,
    /// What is in memory says so, though it is kept.
    KeptIsMemory,
    /// An erasure erases nothing.
    ErasesNothing,
    /// An erasure goes beyond its tombstone.
    ErasesTheTombstone,
    /// The type is always kept.
    ErasureKeepsType,
    /// The type is never kept.
    ErasureLosesType,
    /// The time is always kept.
    ErasureKeepsTime,
    /// The time is never kept.
    ErasureLosesTime,
    /// The origin of an erased event stays.
    ErasureKeepsOrigin,
    /// An erased event is still selected by its tags.
    ErasureKeepsTags,
    /// An erased event is not selected at all.
    ErasureLeavesAGap,
    /// The ids of erased events are forgotten.
    ErasureForgetsIds,
    /// The receipts of commands are forgotten after an erasure.
    ErasureForgetsReceipts,
    /// An erasure takes the whole type.
    ErasureTakesOthers,
    /// An erasure without the tag in its tombstone gets one.
    ErasureMendsTombstone,
    /// An erasure that is refused is done without its conditions and with other ids.
    ErasureDespiteRefusal,
    /// A repeated tombstone leaves it at that.
    ErasureIsNotFinished,
    /// A repeated erasure counts what was erased before.
    ErasureCountsAgain,
}

/// The store in memory with a fault.
#[derive(Clone, Debug)]
pub(crate) struct Wrapped {
    inner: Arc<Memory>,
    fault: Fault,
    /// What was erased, as it was.
    gone: Arc<Mutex<Vec<StoredEvent>>>,
}

impl Wrapped {
    pub(crate) fn new(fault: Fault) -> Wrapped {
        Wrapped {
            inner: Arc::default(),
            fault,
            gone: Arc::default(),
        }
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn gone(&self) -> Vec<StoredEvent> {
        self.gone.lock().unwrap().clone()
    }

    /// Everything as the store shows it.
    async fn shown(&self) -> Result<Slice, StoreError> {
        let everything = Range::after(0, usize::MAX);
        let mut slice = self.inner.read(&Query::all(), everything).await?;
        for event in &mut slice.events {
            let was = self.gone();
            let was = was.iter().find(|e| e.meta.id == event.meta.id);
            if let (Some(was), Fault::ErasureKeepsOrigin) = (was, self.fault) {
                event.meta.origin = was.meta.origin.clone();
            }
            if event.ty == ERASED && self.is(Fault::ErasureLosesTime) {
                event.meta.recorded_at = Time(0);
            }
        }
        Ok(slice)
    }

    fn selects(&self, query: &Query, event: &StoredEvent) -> bool {
        let item = |i: &fait_core::query::QueryItem| match self.fault {
            Fault::SixteenTags => i.matches(&event.ty, &event.tags[..event.tags.len().min(16)]),
            Fault::TypesByPrefix => {
                let like = |t: &String| event.ty.starts_with(t) || t.starts_with(&event.ty);
                let by_type = i.types.is_empty() || i.types.iter().any(like);
                by_type && i.tags.iter().all(|t| event.tags.contains(t))
            }
            Fault::NamesAreCut => {
                let cut = |name: &str| name.bytes().take(254).collect::<Vec<_>>();
                let like = |t: &String| cut(t) == cut(&event.ty);
                let by_type = i.types.is_empty() || i.types.iter().any(like);
                by_type && i.tags.iter().all(|t| event.tags.contains(t))
            }
            Fault::NamesAreFolded => {
                let mut folded = i.clone();
                folded.types.iter_mut().for_each(|t| *t = t.to_lowercase());
                folded.tags.iter_mut().for_each(|t| *t = fold(t));
                let tags: Vec<_> = event.tags.iter().map(fold).collect();
                folded.matches(&event.ty.to_lowercase(), &tags)
            }
            Fault::UnknownTypeIsAnyType if i.types.iter().any(|t| t == "Unknown") => true,
            Fault::ErasureKeepsTags => {
                let was = self.gone();
                let was = was.iter().find(|e| e.meta.id == event.meta.id);
                i.matches(&event.ty, was.map_or(&event.tags, |w| &w.tags))
            }
            Fault::ErasureLeavesAGap if event.ty == ERASED => false,
            _ => i.matches(&event.ty, &event.tags),
        };
        let items = match self.fault {
            Fault::OneItem => &query.items[..query.items.len().min(1)],
            _ => &query.items[..],
        };
        items.iter().any(item)
    }

    async fn read_shown(&self, query: &Query, mut range: Range) -> Result<Slice, StoreError> {
        let Slice { mut events, head } = self.shown().await?;
        match self.fault {
            Fault::ReadsRepeat => range.after = range.after.saturating_sub(1),
            Fault::ReadsSkip if range.after > 0 => range.after += 1,
            Fault::ReadsExceedTheLimit => range.limit = range.limit.saturating_add(1),
            Fault::BackwardsIgnoresAfter if range.backwards => range.after = 0,
            _ => {}
        }
        events.retain(|e| {
            let position = e.meta.position;
            position > range.after && range.before.is_none_or(|b| position < b)
        });
        events.retain(|e| self.selects(query, e));
        if self.is(Fault::OncePerTag) {
            let asked = |t: &&Tag| query.items.iter().any(|i| i.tags.contains(t));
            let times = |e: &StoredEvent| e.tags.iter().filter(asked).count().max(1);
            let again = |e: StoredEvent| std::iter::repeat_n(e.clone(), times(&e));
            events = events.into_iter().flat_map(again).collect();
        }
        if range.backwards {
            events.reverse();
        }
        let least = usize::from(!self.is(Fault::LimitOf0GivesNothing));
        events.truncate(range.limit.max(least));
        let head = head + u64::from(self.is(Fault::HeadRunsAhead));
        Ok(Slice { events, head })
    }

    fn spoil(&self, append: &mut Append) {
        let first = append.conditions.first().map(|c| c.after);
        for condition in &mut append.conditions {
            let items = condition.fail_if_events_match.items.iter_mut();
            match self.fault {
                Fault::ConditionIgnoresAfter => condition.after = 0,
                Fault::ConditionsShareAfter => condition.after = first.unwrap_or(0),
                Fault::ConditionIgnoresTypes => items.for_each(|i| i.types.clear()),
                Fault::ConditionIgnoresTags => items.for_each(|i| i.tags.clear()),
                Fault::ConditionOnTheHead => condition.fail_if_events_match = Query::all(),
                _ => {}
            }
        }
        for event in &mut append.events {
            match self.fault {
                Fault::ReservedIsAccepted if event.ty == ERASED => event.ty = "Erased".into(),
                Fault::TagsAreASet => {
                    let mut seen: Vec<Tag> = vec![];
                    event.tags.retain(|t| {
                        !seen.contains(t) && {
                            seen.push(t.clone());
                            true
                        }
                    });
                }
                Fault::NamesTooShort if event.ty.len() == 255 => event.ty.push('x'),
                _ => {}
            }
        }
    }

    async fn append_spoilt(&self, mut append: Append) -> Result<Appended, AppendError> {
        self.spoil(&mut append);
        let head = self.inner.head().await?;
        if self.is(Fault::ConditionTooEarly) && append.conditions.iter().all(|c| c.after <= head) {
            for (condition, c) in append.conditions.drain(..).enumerate() {
                let range = Range::after(c.after, 1);
                let newer = self.inner.read(&c.fail_if_events_match, range).await?;
                if let Some(event) = newer.events.first() {
                    let position = event.meta.position;
                    return Err(AppendError::Conflict {
                        condition,
                        position,
                    });
                }
            }
            once_around().await;
        }
        if self.is(Fault::LargeBatchInTwo) && (1_001..=4_096).contains(&append.events.len()) {
            let mut rest = append.clone();
            rest.events = append.events.split_off(1_000);
            self.inner.append(append).await?;
            return self.inner.append(rest).await;
        }
        let command = append.command.is_some();
        self.inner
            .append(append)
            .await
            .map(|receipt| self.worth(receipt, command))
    }

    fn worth(&self, mut receipt: Appended, command: bool) -> Appended {
        receipt.durability = match self.fault {
            Fault::KeptIsMemory => Durability::Memory,
            Fault::RepeatedIsSynced if receipt.repeated => Durability::Sync,
            Fault::CommandsAreSynced if command => Durability::Sync,
            _ => Durability::Os,
        };
        receipt
    }

    async fn erase_spoilt(&self, mut erase: Erase) -> Result<Erased, AppendError> {
        let before = self
            .inner
            .read(&Query::tags(vec![erase.tag.clone()]), ALL)
            .await?;
        match self.fault {
            Fault::ErasureKeepsType => erase.keep.types = true,
            Fault::ErasureLosesType => erase.keep.types = false,
            Fault::ErasureKeepsTime => erase.keep.times = true,
            Fault::ErasureMendsTombstone => {
                let tombstone = erase.tombstone.events.first_mut();
                tombstone
                    .into_iter()
                    .for_each(|e| e.tags.push(erase.tag.clone()));
            }
            Fault::ErasesNothing | Fault::ErasureIsNotFinished => {
                let tombstone = self.append_spoilt(erase.tombstone.clone()).await?;
                if tombstone.repeated || self.is(Fault::ErasesNothing) {
                    let events = 0;
                    return Ok(Erased { tombstone, events });
                }
            }
            _ => {}
        }
        let command = erase.tombstone.command.is_some();
        let mut done = self.inner.erase(erase.clone()).await;
        if done.is_err() && self.is(Fault::ErasureDespiteRefusal) {
            self.erase_more(&erase.tag, 5_000).await?;
        }
        if let Ok(done) = &mut done {
            let old = before.events.into_iter();
            let old = old.filter(|e| e.meta.position < done.tombstone.first);
            self.gone.lock().unwrap().extend(old);
            done.tombstone = self.worth(done.tombstone, command);
            match self.fault {
                Fault::ErasesTheTombstone => self.erase_more(&erase.tag, 5_000).await?,
                Fault::ErasureTakesOthers => {
                    self.erase_more(&Tag::raw("person:bob"), 5_000).await?
                }
                Fault::ErasureCountsAgain => done.events = self.gone().len() as u64,
                _ => {}
            }
        }
        done
    }

    /// An erasure of its own, that nobody asked for.
    async fn erase_more(&self, tag: &Tag, number: u128) -> Result<(), AppendError> {
        let tombstone = fait_core::event::NewEvent {
            id: Uuid::from_u128(number + u128::from(self.inner.head().await?)),
            ty: "Unasked".into(),
            version: 1,
            tags: vec![tag.clone()],
            data: "{}".into(),
            origin: Origin::default(),
        };
        let erase = Erase {
            tag: tag.clone(),
            keep: Default::default(),
            tombstone: Append {
                events: vec![tombstone],
                conditions: vec![],
                command: None,
                recorded_at: Time(0),
            },
        };
        self.inner.erase(erase).await.map(|_| ())
    }
}

const ALL: Range = Range {
    after: 0,
    before: None,
    backwards: false,
    limit: usize::MAX,
};

fn fold(tag: &Tag) -> Tag {
    Tag::raw(tag.as_str().to_lowercase())
}

/// Lets everybody else go first.
async fn once_around() {
    let mut around = false;
    poll_fn(|context| {
        if std::mem::replace(&mut around, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Store for Wrapped {
    fn id(&self) -> Uuid {
        self.inner.id()
    }
    fn append(&self, append: Append) -> BoxFuture<'_, Result<Appended, AppendError>> {
        Box::pin(self.append_spoilt(append))
    }
    fn read<'a>(
        &'a self,
        query: &'a Query,
        range: Range,
    ) -> BoxFuture<'a, Result<Slice, StoreError>> {
        Box::pin(self.read_shown(query, range))
    }
    fn command(
        &self,
        id: Uuid,
    ) -> BoxFuture<'_, Result<Option<(CommandKey, Appended)>, StoreError>> {
        Box::pin(async move {
            if self.is(Fault::ErasureForgetsReceipts) && !self.gone().is_empty() {
                return Ok(None);
            }
            let kept = self.inner.command(id).await?;
            Ok(kept.map(|(key, receipt)| (key, self.worth(receipt, true))))
        })
    }
    fn event(&self, id: Uuid) -> BoxFuture<'_, Result<Option<Position>, StoreError>> {
        Box::pin(async move {
            if self.is(Fault::ErasureForgetsIds) && self.gone().iter().any(|e| e.meta.id == id) {
                return Ok(None);
            }
            self.inner.event(id).await
        })
    }
    fn head(&self) -> BoxFuture<'_, Result<Position, StoreError>> {
        self.inner.head()
    }
    fn wait(&self, after: Position) -> BoxFuture<'_, Result<Position, StoreError>> {
        match self.fault {
            Fault::WaitEndsEarly => self.inner.head(),
            _ => self.inner.wait(after),
        }
    }
    fn last<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Position, StoreError>> {
        Box::pin(async move {
            match self.fault {
                Fault::LastIsHead => self.inner.head().await,
                Fault::LastIsFirst => {
                    let first = self.inner.read(query, Range::after(0, 1)).await?;
                    Ok(first.events.first().map_or(0, |e| e.meta.position))
                }
                _ => self.inner.last(query).await,
            }
        })
    }
    fn erase(&self, erase: Erase) -> BoxFuture<'_, Result<Erased, AppendError>> {
        Box::pin(self.erase_spoilt(erase))
    }
}
