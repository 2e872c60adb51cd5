//! The publisher: makes messages of what happened, and records them.
//!
//! One task reads for all publications, so that messages stand in the order of what they are made
//! of. What it records stands under the condition that it is not recorded yet, so that a crash, a
//! repetition and another program on the same log change nothing.

use super::super::Core;
use super::begin::feed_name;
use super::publication::{Publication, Stopped};
use fait_core::bus::fact::{MessagePublished, PUBLISHED, Source, of_tag, publication_tag};
use fait_core::bus::{CloudEvent, Outgoing, TranslateError};
use fait_core::event::{Meta, NewEvent, Position, StoredEvent};
use fait_core::query::{Query, QueryItem};
use fait_core::store::{AppendCondition, AppendError, MAX_TAGS, Range, StoreError, validate_event};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use uuid::Uuid;

/// Most messages that one publication makes of one event.
pub const MAX_OF_ONE_EVENT: usize = 1000;

/// And most bytes of these.
pub const MAX_BYTES_OF_ONE_EVENT: usize = 16 << 20;

/// Events read at once.
const PAGE: usize = 200;

/// Most messages that are recorded together, unless they are of one event.
const TOGETHER: usize = 200;

/// And most bytes of them.
const TOGETHER_BYTES: usize = 1 << 20;

/// Tags that a message has for itself, beside those of the event that it is made of.
const OWN_TAGS: usize = 3;

/// How far it came is kept after so many events.
const KEPT_AFTER: u64 = 1000;

/// How long it waits after the store was in trouble.
const WAIT: Duration = Duration::from_millis(500);

/// What one publication makes of one event; recorded together or not at all.
struct Made {
    publication: String,
    source: Source,
    events: Vec<NewEvent>,
}

impl Made {
    fn bytes(&self) -> usize {
        self.events.iter().map(|e| e.data.len()).sum()
    }

    /// What is there once it is recorded.
    fn item(&self) -> QueryItem {
        let tags = vec![of_tag(self.source.id), publication_tag(&self.publication)];
        QueryItem::of(&[PUBLISHED], tags)
    }
}

impl Core {
    /// Publishes until the system stops.
    pub(crate) async fn run_publisher(self: Arc<Self>) {
        if self.publications.iter().next().is_none() {
            return;
        }
        while let Some(at) = self.publications.at() {
            let result = tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                result = self.store.wait(at) => match result {
                    Ok(head) => self.publish_until(head).await,
                    Err(e) => Err(e),
                },
            };
            let now = self.clock.now();
            match result {
                Ok(()) => self.publications.set_trouble(None, now),
                Err(e) => {
                    tracing::error!(error = %e, "publishing waits");
                    self.publications.set_trouble(Some(e.to_string()), now);
                    tokio::select! {
                        biased;
                        () = self.stop.cancelled() => break,
                        () = tokio::time::sleep(WAIT) => {}
                    }
                }
            }
        }
        if let Err(e) = self.keep_publications() {
            tracing::warn!(error = %e, "what came to nothing is looked at once more");
        }
    }

    async fn publish_until(&self, until: Position) -> Result<(), StoreError> {
        while let Some(at) = self.publications.at() {
            let query = self.publications.query();
            let erasing = self.publications.erasing.read().await;
            let slice = self.store.read(&query, Range::after(at, PAGE)).await?;
            let upto = match slice.events.last() {
                Some(last) if slice.events.len() == PAGE => last.meta.position,
                _ => slice.head,
            };
            self.publish_page(&slice.events).await?;
            drop(erasing);
            for publication in self.publications.going() {
                publication.feed.set(upto.max(publication.at()));
            }
            let far = upto.saturating_sub(self.publications.kept.load(Ordering::Relaxed));
            if far >= KEPT_AFTER {
                self.keep_publications()?;
            }
            self.pulse.beat();
            if upto >= until || self.stop.is_cancelled() {
                break;
            }
        }
        Ok(())
    }

    async fn publish_page(&self, page: &[StoredEvent]) -> Result<(), StoreError> {
        let mut made: Vec<Made> = vec![];
        let mut stopped: Vec<(&Publication, Stopped)> = vec![];
        for event in page {
            let position = event.meta.position;
            for publication in self.publications.going() {
                let name = &publication.def.name;
                let waits = stopped.iter().any(|(p, _)| p.def.name == *name);
                if waits || publication.at() >= position || !publication.hears(&event.ty) {
                    continue;
                }
                match self.make(publication, event).await {
                    Ok(None) => {}
                    Ok(Some(one)) => {
                        made.push(one);
                        if is_much(&made) {
                            self.record_made(std::mem::take(&mut made)).await?;
                        }
                    }
                    Err(TranslateError::Store(e)) => return Err(e),
                    Err(TranslateError::Defect(reason)) => {
                        let since = self.clock.now();
                        let at = Stopped {
                            position,
                            reason,
                            since,
                        };
                        stopped.push((publication, at));
                    }
                }
            }
        }
        self.record_made(made).await?;
        // Not before what comes before is recorded.
        for (publication, at) in stopped {
            publication.stop_at(at);
        }
        Ok(())
    }

    /// What a publication makes of an event; none when that is nothing.
    async fn make(
        &self,
        publication: &Publication,
        source: &StoredEvent,
    ) -> Result<Option<Made>, TranslateError> {
        let defect = |why: String| Err(TranslateError::Defect(why));
        let told = (publication.def.translate)(source, &*self.store).await?;
        let n = told.len();
        if n == 0 {
            return Ok(None);
        }
        if n > MAX_OF_ONE_EVENT {
            return defect(format!(
                "{n} messages are made of one event; at most {MAX_OF_ONE_EVENT} are"
            ));
        }
        if source.tags.len() + OWN_TAGS > MAX_TAGS {
            let (n, most) = (source.tags.len(), MAX_TAGS - OWN_TAGS);
            return defect(format!(
                "the event has {n} tags; at most {most} leave room for those of a message"
            ));
        }
        let mut events = vec![];
        for (n, one) in told.into_iter().enumerate() {
            match self.message(publication, source, n, one) {
                Ok(event) => events.push(event),
                Err(why) => return defect(why),
            }
        }
        let made = Made {
            publication: publication.def.name.clone(),
            source: source_of(source),
            events,
        };
        if made.bytes() > MAX_BYTES_OF_ONE_EVENT {
            let n = made.bytes();
            return defect(format!(
                "{n} bytes are published of one event; at most {MAX_BYTES_OF_ONE_EVENT} are"
            ));
        }
        Ok(Some(made))
    }

    fn message(
        &self,
        publication: &Publication,
        source: &StoredEvent,
        n: usize,
        told: Outgoing,
    ) -> Result<NewEvent, String> {
        let name = &publication.def.name;
        let Some(def) = self.publications.types.get(&told.ty) else {
            return Err(format!("`{}` is not among what it publishes", told.ty));
        };
        let message = MessagePublished {
            publication: name.clone(),
            ty: told.ty,
            subject: told.subject,
            schema: def.schema_id(),
            data: told.data,
            time: source
                .meta
                .origin
                .occurred_at
                .unwrap_or(source.meta.recorded_at),
            of: source_of(source),
            deprecated: def.deprecated.clone(),
        };
        let id = MessagePublished::id(name, source.meta.id, n);
        let origin = MessagePublished::origin(name, source);
        let _made = crate::runtime::spanned::publish(name, id, &message.ty, &origin).entered();
        let event = message.draft(source).with(id, origin);
        validate_event(&event).map_err(|e| e.to_string())?;
        // What others could not read never gets into the log.
        let meta = Meta {
            position: source.meta.position,
            id,
            recorded_at: source.meta.recorded_at,
            origin: event.origin.clone(),
        };
        let told = message.cloud_event(&meta, &self.source);
        told.check().map_err(|e| e.to_string())?;
        let bytes = told.to_bytes().len();
        if bytes > CloudEvent::MOST_BYTES {
            let most = CloudEvent::MOST_BYTES;
            return Err(format!(
                "the message has {bytes} bytes; at most {most} travel"
            ));
        }
        Ok(event)
    }

    /// Records messages, each unless it is recorded already.
    async fn record_made(&self, mut made: Vec<Made>) -> Result<(), StoreError> {
        while let Some(first) = made.iter().map(|m| m.source.position).min() {
            let mut known = Query::default();
            for one in &made {
                known = known.or(one.item());
            }
            let condition = AppendCondition {
                fail_if_events_match: known.clone(),
                after: first,
            };
            let events: Vec<NewEvent> = made.iter().flat_map(|m| m.events.clone()).collect();
            let n = events.len();
            match self.record_facts(events, vec![condition]).await {
                Ok(()) => {
                    metrics::counter!("fait_bus_published_total").increment(n as u64);
                    return Ok(());
                }
                // Another program was faster, or this one crashed before it knew.
                Err(AppendError::Conflict { .. }) => {
                    let there = self.made_already(&known, first).await?;
                    made.retain(|m| !there.contains(&(m.source.id, m.publication.clone())));
                }
                // Recorded once and erased since: its id is all that is left of it.
                Err(AppendError::DuplicateEvent { id, .. }) => {
                    made.retain(|m| m.events.iter().all(|e| e.id != id));
                }
                Err(AppendError::Store(e)) => return Err(e),
                Err(e) => return Err(StoreError::new(e)),
            }
        }
        Ok(())
    }

    async fn made_already(
        &self,
        known: &Query,
        mut after: Position,
    ) -> Result<HashSet<(Uuid, String)>, StoreError> {
        let mut there = HashSet::new();
        loop {
            let slice = self.store.read(known, Range::after(after, PAGE)).await?;
            for event in &slice.events {
                let message = MessagePublished::read(event).map_err(StoreError::new)?;
                there.extend(message.map(|m| (m.of.id, m.publication)));
            }
            match slice.events.last() {
                Some(last) if slice.events.len() == PAGE => after = last.meta.position,
                _ => return Ok(there),
            }
        }
    }

    /// Keeps how far publications came, so that what came to nothing is not read again.
    fn keep_publications(&self) -> Result<(), StoreError> {
        self.db.write(|tx| {
            for publication in self.publications.iter() {
                let name = feed_name(&publication.def.name);
                super::super::db::set_feed(tx, &name, publication.at())?;
            }
            Ok(())
        })?;
        self.publications
            .set_kept(self.publications.at().unwrap_or_default());
        Ok(())
    }
}

fn is_much(made: &[Made]) -> bool {
    let events = made.iter().map(|m| m.events.len()).sum::<usize>();
    events >= TOGETHER || made.iter().map(Made::bytes).sum::<usize>() >= TOGETHER_BYTES
}

fn source_of(event: &StoredEvent) -> Source {
    Source {
        id: event.meta.id,
        position: event.meta.position,
    }
}
