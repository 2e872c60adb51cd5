//! From where on publications make messages. It is recorded in the log, as for processes, so that
//! one that was there from the start is never taken for a new one.

use super::super::begin::{Begin, at_once};
use super::super::{Core, count_appended};
use super::publication::Publication;
use fait_core::bus::fact::{
    MessagePublished, PUBLICATIONS_BEGAN, PUBLISHED, PublicationsBegan, publication_tag,
};
use fait_core::event::{NewEvent, Origin, Position};
use fait_core::query::{Query, QueryItem};
use fait_core::store::{Append, AppendCondition, AppendError, Range, StoreError};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Publications that one fact names; an event has only so many tags.
const AT_ONCE: usize = 60;

impl Core {
    /// Puts every publication where it goes on. What is new is recorded.
    pub(crate) fn begin_publications(
        &self,
        wished: &BTreeMap<String, Begin>,
    ) -> Result<(), StoreError> {
        loop {
            let (new, head) = at_once(self.find_publications(wished))?;
            if new.publications.is_empty() {
                return Ok(());
            }
            match at_once(self.record_publications(&new, head)) {
                // Recorded, or by another program on the same store: read back either way.
                Ok(()) | Err(AppendError::Conflict { .. } | AppendError::DuplicateEvent { .. }) => {
                }
                Err(AppendError::Store(e)) => return Err(e),
                Err(e) => return Err(StoreError::new(e)),
            }
        }
    }

    async fn find_publications(
        &self,
        wished: &BTreeMap<String, Begin>,
    ) -> Result<(PublicationsBegan, Position), StoreError> {
        let head = self.store.head().await?;
        let mut new = PublicationsBegan::default();
        for publication in self.publications.iter() {
            let name = &publication.def.name;
            match self.publication_began(name).await? {
                Some(began) => {
                    let came = self.last_published(publication).await?;
                    publication.feed.set(began.max(came));
                }
                None => {
                    let after = match wished.get(name).copied().unwrap_or_default() {
                        Begin::FromStart => 0,
                        Begin::FromNow | Begin::Adopt => head,
                    };
                    new.publications.insert(name.clone(), after);
                }
            }
        }
        self.publications
            .set_kept(self.publications.at().unwrap_or_default());
        Ok((new, head))
    }

    async fn publication_began(&self, name: &str) -> Result<Option<Position>, StoreError> {
        let item = QueryItem::of(&[PUBLICATIONS_BEGAN], vec![publication_tag(name)]);
        let newest = self
            .store
            .read(&Query::default().or(item), Range::newest(1))
            .await?;
        let Some(event) = newest.events.first() else {
            return Ok(None);
        };
        let began: PublicationsBegan = event.read().map_err(StoreError::new)?;
        Ok(began.publications.get(name).copied())
    }

    /// The source of the last message of a publication: the log is the truth. What came to
    /// nothing behind that is kept beside, and looked at once more where that is lost.
    async fn last_published(&self, publication: &Publication) -> Result<Position, StoreError> {
        let name = &publication.def.name;
        let item = QueryItem::of(&[PUBLISHED], vec![publication_tag(name)]);
        let newest = self
            .store
            .read(&Query::default().or(item), Range::newest(1))
            .await?;
        let kept = self.db.feed(&feed_name(name))?;
        let Some(event) = newest.events.first() else {
            return Ok(kept);
        };
        let last = MessagePublished::read(event).map_err(StoreError::new)?;
        Ok(last.map_or(0, |m| m.of.position).max(kept))
    }

    async fn record_publications(
        &self,
        new: &PublicationsBegan,
        after: Position,
    ) -> Result<(), AppendError> {
        let names: Vec<(&String, &Position)> = new.publications.iter().collect();
        let (mut events, mut conditions) = (vec![], vec![]);
        for some in names.chunks(AT_ONCE) {
            let part = PublicationsBegan {
                publications: some.iter().map(|(n, at)| ((*n).clone(), **at)).collect(),
            };
            let mut known = Query::default();
            for (name, _) in some {
                known = known.or(QueryItem::of(
                    &[PUBLICATIONS_BEGAN],
                    vec![publication_tag(name)],
                ));
            }
            conditions.push(AppendCondition {
                fail_if_events_match: known,
                after: 0,
            });
            events.push(self.by_program(part.draft(), after));
        }
        tracing::info!(began = ?new.publications, "publications begin");
        self.record_facts(events, conditions).await
    }

    /// A fact that the program records while it starts: not with an id of the clock, since where
    /// that is moved by hand, ids are counted.
    fn by_program(&self, draft: fait_core::event::Draft, after: Position) -> NewEvent {
        let salt = [&after.to_be_bytes()[..], draft.ty.as_bytes(), &draft.data].concat();
        let id = Uuid::new_v5(&self.store.id(), &salt);
        let origin = Origin {
            actor: Some("program".into()),
            correlation: id,
            ..Origin::default()
        };
        draft.with(id, origin)
    }

    /// Appends facts of the bus.
    pub(super) async fn record_facts(
        &self,
        events: Vec<NewEvent>,
        conditions: Vec<AppendCondition>,
    ) -> Result<(), AppendError> {
        let n = events.len();
        let append = Append {
            events,
            conditions,
            command: None,
            recorded_at: self.clock.now(),
        };
        self.store.append(append).await?;
        count_appended(n);
        Ok(())
    }
}

/// Under which name is kept how far a publication has come.
pub(super) fn feed_name(publication: &str) -> String {
    format!("publication:{publication}")
}
