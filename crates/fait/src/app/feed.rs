//! Feeds for programs: events in batches, from a checkpoint on, and then as they come.

mod batch;
mod open;

pub use batch::Batch;
pub use open::{FeedBuilder, FeedError, Start};

use super::App;
use super::versions::{Unreadable, Versions};
use crate::runtime::feeds::{Kept, Lease};
use fait_core::event::{EventSet, Meta, Position, RESERVED_PREFIX, StoredEvent};
use fait_core::query::Query;
use fait_core::store::{Range, Store};

/// Most events of one batch.
pub const MAX_FEED_EVENTS: usize = 10_000;
/// Most data of one batch, in bytes; an event that is larger comes alone.
pub const MAX_FEED_BYTES: usize = 64 << 20;
/// Events that are read at once. A feed holds a batch and as many of these.
const CHUNK: usize = 64;
/// A checkpoint is moved over so many events that are not wanted, though nobody acknowledges.
const UNWANTED: u64 = 1000;

/// An event of a typed feed.
#[derive(Clone, Debug, PartialEq)]
pub struct Happened<E> {
    /// What happened.
    pub event: E,
    /// Position, id, time, cause.
    pub meta: Meta,
}

/// What a feed makes of a stored event; none when it is not wanted.
type Read<T> = fn(StoredEvent) -> Result<Option<T>, Box<Unreadable>>;

/// Who keeps the checkpoint.
#[derive(Debug)]
enum Keeper {
    /// Nobody: the feed is gone with its reader.
    Nobody,
    /// `fait`.
    Here(Kept),
    /// The reader, beside what it makes of the events.
    Reader,
}

/// A feed that is being read: first what is there, in batches, then what comes, without a gap.
///
/// Its position moves when a batch is acknowledged with [`Batch::done`]. A batch that is dropped
/// without it comes again; so does one that was not acknowledged when the program ended.
///
/// ```no_run
/// # async fn f(app: fait::App) -> Result<(), fait::app::FeedError> {
/// use fait::query::Query;
///
/// let mut feed = app.feed(Query::all()).named("ledger").open().await?;
/// while let Some(batch) = feed.next().await? {
///     for event in batch.events() {
///         println!("{} {}", event.meta.position, event.ty);
///     }
///     batch.done().await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Feed<T> {
    app: App,
    query: Query,
    facts: bool,
    versions: Versions,
    read: Read<T>,
    most: (usize, usize),
    chunk: usize,
    keeper: Keeper,
    lease: Option<Lease>,
    /// Whether something was set aside that a later program may be able to read.
    aside: bool,
    /// What is acknowledged.
    done: Position,
    /// Behind it nothing is wanted up to here.
    at: Position,
}

/// What comes next.
struct Found<T> {
    events: Vec<T>,
    unreadable: Option<Box<Unreadable>>,
    /// Everything up to here is in it, or is not wanted.
    upto: Position,
}

impl App {
    /// A feed of what a query selects, as it is stored.
    pub fn feed(&self, query: Query) -> FeedBuilder<StoredEvent> {
        FeedBuilder::new(self, query, |event| Ok(Some(event)))
    }

    /// A feed of some events by their Rust types.
    pub fn feed_of<E: EventSet>(&self) -> FeedBuilder<Happened<E>> {
        FeedBuilder::new(self, Query::types(E::TYPES), happened::<E>)
    }
}

fn happened<E: EventSet>(stored: StoredEvent) -> Result<Option<Happened<E>>, Box<Unreadable>> {
    match super::versions::guarded(&stored, || E::decode(&stored)) {
        Ok(event) => Ok(event.map(|event| Happened {
            event,
            meta: stored.meta,
        })),
        Err(error) => Err(Box::new(Unreadable {
            event: stored,
            error,
        })),
    }
}

impl<T> Feed<T> {
    /// How far it has come: everything up to here is acknowledged, or was not wanted.
    pub fn position(&self) -> Position {
        self.at
    }

    /// The next batch; waits until there is one. None when the system stops. Dropping the future
    /// loses nothing.
    ///
    /// # Errors
    /// The store cannot be read, the log is shorter than the feed's position, or the checkpoint is
    /// not this reader's any more.
    pub async fn next(&mut self) -> Result<Option<Batch<'_, T>>, FeedError> {
        let app = self.app.clone();
        let found = loop {
            if app.core.stop.is_cancelled() {
                return Ok(None);
            }
            if let Some(found) = self.look().await? {
                break found;
            }
            tokio::select! {
                () = app.core.stop.cancelled() => return Ok(None),
                waited = app.core.store.wait(self.at) => waited?,
            };
        };
        Ok(Some(self.batch(found)))
    }

    /// The next batch of what is there; none when the feed has caught up.
    ///
    /// # Errors
    /// As for [`Feed::next`].
    pub async fn next_now(&mut self) -> Result<Option<Batch<'_, T>>, FeedError> {
        match self.look().await? {
            Some(found) => Ok(Some(self.batch(found))),
            None => {
                self.keep_up()?;
                Ok(None)
            }
        }
    }

    fn batch(&mut self, found: Found<T>) -> Batch<'_, T> {
        if let (Some(lease), Some(unreadable)) = (&self.lease, &found.unreadable) {
            let why = unreadable.error.to_string();
            tracing::warn!(feed = lease.name, "{why}");
            lease.reading.set_waits(Some(why));
        }
        Batch::new(self, found)
    }

    /// What is wanted behind the position, up to the limits of a batch.
    async fn look(&mut self) -> Result<Option<Found<T>>, FeedError> {
        let head = self.app.core.store.head().await?;
        self.check_head(head)?;
        let (mut events, mut bytes, mut upto) = (vec![], 0, self.at);
        while upto < head {
            let limit = self.chunk.min(self.most.0 - events.len());
            let range = Range::after(upto, limit);
            let slice = self.app.core.store.read(&self.query, range).await?;
            let full = slice.events.len() >= limit;
            for event in slice.events {
                let position = event.meta.position;
                let size = event.data.len();
                if !events.is_empty() && bytes + size > self.most.1 {
                    // What was read too much is read again, so that nothing waits in memory.
                    self.chunk = (self.chunk / 2).max(1);
                    return Ok(Some(Found::of(events, upto)));
                }
                let wanted = self.wants(&event);
                match wanted.then(|| self.read_one(event)).transpose() {
                    Ok(event) => events.extend(event.flatten()),
                    Err(unreadable) if events.is_empty() => {
                        return Ok(Some(Found {
                            events,
                            unreadable: Some(unreadable),
                            upto: position,
                        }));
                    }
                    // It comes next, and alone.
                    Err(_) => return Ok(Some(Found::of(events, upto))),
                }
                bytes += if wanted { size } else { 0 };
                upto = position;
            }
            self.chunk = (self.chunk * 2).min(CHUNK);
            if !full {
                upto = upto.max(slice.head);
            }
            if events.is_empty() {
                self.passed(upto)?;
                // Much may have to be passed, and others have something to do meanwhile.
                tokio::task::yield_now().await;
            }
            if !events.is_empty() && (!full || events.len() >= self.most.0) {
                return Ok(Some(Found::of(events, upto)));
            }
        }
        Ok((!events.is_empty()).then(|| Found::of(events, upto)))
    }

    fn read_one(&self, event: StoredEvent) -> Result<Option<T>, Box<Unreadable>> {
        (self.read)(self.versions.cast(event)?)
    }

    /// Facts of `fait` itself only when they are asked for: all of them, or by name.
    fn wants(&self, event: &StoredEvent) -> bool {
        let named = |ty: &String| *ty == event.ty;
        self.facts
            || !event.ty.starts_with(RESERVED_PREFIX)
            || self
                .query
                .items
                .iter()
                .any(|item| item.types.iter().any(named) && item.matches(&event.ty, &event.tags))
    }

    /// Nothing up to here is wanted.
    fn passed(&mut self, at: Position) -> Result<(), FeedError> {
        self.at = at;
        if let Some(lease) = &self.lease {
            lease.reading.set(at);
        }
        if at.saturating_sub(self.done) >= UNWANTED {
            self.keep_up()?;
        }
        Ok(())
    }

    /// Moves a checkpoint that is kept here over what was not wanted.
    fn keep_up(&mut self) -> Result<(), FeedError> {
        if matches!(self.keeper, Keeper::Here(_)) && self.at > self.done {
            self.acknowledge(self.at, 0)?;
        }
        Ok(())
    }

    /// Everything up to here is acknowledged; one event in it may be set aside.
    fn acknowledge(&mut self, upto: Position, aside: Position) -> Result<(), FeedError> {
        let db = &self.app.core.db;
        match &mut self.keeper {
            Keeper::Nobody => {}
            Keeper::Here(kept) => {
                if !db.move_feed(kept, upto, aside)? {
                    let name = kept.name.clone();
                    return Err(FeedError::Fenced { name });
                }
                kept.position = upto;
            }
            Keeper::Reader => {
                if let (true, Some(lease)) = (self.aside, &self.lease) {
                    db.take_up(&lease.name, (self.done, upto), aside)?;
                }
            }
        }
        (self.done, self.at) = (upto, upto);
        if let Some(lease) = &self.lease {
            lease.reading.set(upto);
            lease.reading.set_waits(None);
        }
        Ok(())
    }

    /// A position beyond the log is of another history.
    fn check_head(&self, head: Position) -> Result<(), FeedError> {
        if self.at <= head {
            return Ok(());
        }
        let name = self.lease.as_ref().map_or("", |lease| &lease.name);
        Err(open::ahead(name, self.at, head, &self.keeper))
    }
}

impl<T> Found<T> {
    fn of(events: Vec<T>, upto: Position) -> Found<T> {
        Found {
            events,
            unreadable: None,
            upto,
        }
    }
}
