//! How what happened becomes what others are told.

use super::published::{Outgoing, PublishedDef, PublishedSet};
use crate::decision::Boundary;
use crate::event::{EventDef, EventSet, Meta, StoredEvent, panic_text};
use crate::query::Query;
use crate::store::{BoxFuture, Range, Store, StoreError};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Events of a model that are read at once.
const PAGE: usize = 500;

/// How what happened becomes what others are told. Pure: it sees an event and what was known when
/// it was recorded, and nothing else.
pub trait Publish: Send + Sync + 'static {
    /// Its name in this system, for example `announcements`.
    const NAME: &'static str;
    /// The events that it looks at.
    type Events: EventSet;
    /// What it must know besides the event, as it stood when that was recorded, that event
    /// included; `()` for nothing.
    type Model: Boundary;
    /// What it may publish.
    type Publishes: PublishedSet;
    /// What the model is about.
    fn about(event: &Self::Events) -> <Self::Model as Boundary>::Keys;
    /// What others are told of it; nothing, where it is none of their business.
    fn publish(event: &Self::Events, model: &Self::Model, meta: &Meta) -> Vec<Self::Publishes>;
}

/// What an event is to others, with types erased.
pub type Translate = Arc<
    dyn for<'a> Fn(
            &'a StoredEvent,
            &'a dyn Store,
        ) -> BoxFuture<'a, Result<Vec<Outgoing>, TranslateError>>
        + Send
        + Sync,
>;

/// Nobody can say what an event is to others.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TranslateError {
    /// The store cannot be read now.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The program cannot do it, however often it tries: what is wrong with it, or with the event.
    #[error("{0}")]
    Defect(String),
}

/// A [`Publish`] as data: what the registry holds.
#[derive(Clone)]
pub struct PublishDef {
    /// Its name.
    pub name: String,
    /// Stored names of the events that it looks at.
    pub types: Vec<String>,
    /// Definitions of what it reads: these events, and those of its model.
    pub read_defs: Vec<EventDef>,
    /// What it may publish.
    pub publishes: Vec<PublishedDef>,
    /// Says what an event is to others.
    pub translate: Translate,
}

impl fmt::Debug for PublishDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishDef")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl PublishDef {
    /// The definition of a publication.
    pub fn of<P: Publish>() -> Self {
        let mut read_defs = P::Events::defs();
        P::Model::defs(&mut read_defs);
        PublishDef {
            name: P::NAME.into(),
            types: P::Events::TYPES.iter().map(|t| t.to_string()).collect(),
            read_defs,
            publishes: P::Publishes::defs(),
            translate: Arc::new(|event, store| Box::pin(translate::<P>(event, store))),
        }
    }
}

async fn translate<P: Publish>(
    source: &StoredEvent,
    store: &dyn Store,
) -> Result<Vec<Outgoing>, TranslateError> {
    let read = || P::Events::decode(source).map_err(|e| e.to_string());
    let Some(event) = caught(read)? else {
        return Ok(vec![]);
    };
    let (keys, mut query) = (caught(|| Ok(P::about(&event)))?, Query::default());
    P::Model::query(&keys, &mut query);
    let mut model = P::Model::empty(&keys);
    let mut range = Range {
        before: Some(source.meta.position + 1),
        ..Range::after(0, PAGE)
    };
    while !query.items.is_empty() {
        let slice = store.read(&query, range).await?;
        caught(|| {
            let mut known = slice.events.iter();
            known
                .try_for_each(|e| model.absorb(&keys, e))
                .map_err(|e| e.to_string())
        })?;
        match slice.events.last() {
            Some(last) if slice.events.len() == PAGE => range.after = last.meta.position,
            _ => break,
        }
    }
    caught(|| {
        let told = P::publish(&event, &model, &source.meta);
        let written = told.iter().map(PublishedSet::encode);
        written
            .collect::<Result<_, _>>()
            .map_err(|e| format!("what is published cannot be written: {e}"))
    })
}

/// Runs code of the application; a panic is its defect.
fn caught<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, TranslateError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(panic_text(&*panic)))
        .map_err(TranslateError::Defect)
}
