//! Opening a feed: where it begins, who keeps its checkpoint, and what is refused.

use super::{CHUNK, Feed, Keeper, MAX_FEED_BYTES, MAX_FEED_EVENTS, Read};
use crate::app::App;
use crate::app::versions::{Unreadable, VersionError};
use crate::checkpoint::Checkpoint;
use fait_core::event::{Position, RESERVED_PREFIX, StoredEvent};
use fait_core::query::Query;
use fait_core::store::{MAX_NAME_BYTES, Store, StoreError};

/// Where a feed begins of which no checkpoint is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// With the first event of the log; so if nothing is said.
    #[default]
    Beginning,
    /// With what happens from now on.
    Now,
    /// Behind a position.
    After(Position),
}

/// A feed cannot be opened, or cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// It is asked for something that makes no sense.
    #[error("{0}")]
    Use(String),
    /// There is none of that name.
    #[error("{0}")]
    Unknown(String),
    /// Somebody reads it.
    #[error(
        "feed `{name}` is being read already; a feed has one reader: end that one, or give this \
         one a name of its own"
    )]
    Taken {
        /// The feed.
        name: String,
    },
    /// The checkpoint is not this reader's to move.
    #[error(
        "feed `{name}` is not this reader's any more: another has begun to read it, or an operator \
         has reset it; nothing was moved. Open it again"
    )]
    Fenced {
        /// The feed.
        name: String,
    },
    /// The checkpoint is of another history than the log.
    #[error("{0}")]
    OtherHistory(String),
    /// An event cannot be read, and was not set aside.
    #[error(
        "{}; the feed waits there: correct the program, or set the event aside with \
         `batch.set_aside(…)`",
        .0.error
    )]
    Unreadable(Box<Unreadable>),
    /// A version that is asked for cannot be given.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// The log or the database of the views is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A feed before it is opened.
#[derive(Debug)]
#[must_use = "a feed is opened with `open`"]
pub struct FeedBuilder<T> {
    app: App,
    query: Query,
    read: Read<T>,
    name: Option<String>,
    checkpoint: Option<Checkpoint>,
    begin: Option<Start>,
    most: (usize, usize),
    facts: bool,
    versions: Vec<(String, u32)>,
}

impl FeedBuilder<StoredEvent> {
    /// Gives events of a type in a version that the reader knows; may be said of several types.
    /// Older ones are brought to today's version first. [`FeedBuilder::open`] says whether the
    /// program can do that; see [`App::versions`].
    pub fn in_version(mut self, ty: &str, version: u32) -> Self {
        self.versions.push((ty.into(), version));
        self
    }
}

impl<T> FeedBuilder<T> {
    pub(super) fn new(app: &App, query: Query, read: Read<T>) -> FeedBuilder<T> {
        FeedBuilder {
            app: app.clone(),
            query,
            read,
            name: None,
            checkpoint: None,
            begin: None,
            most: (500, 4 << 20),
            facts: false,
            versions: vec![],
        }
    }

    /// A feed whose checkpoint `fait` keeps under a name, beside the views: each batch comes at
    /// least once. One reader may have it at a time. A feed of that name whose query has changed
    /// goes on where it stands: [`App::reset_feed`] puts it back if it wants more than before.
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }

    /// A feed whose checkpoint is in a database of the reader's own, and is moved there in the
    /// reader's transactions by [`Batch::step`](super::Batch::step): each event is taken in exactly
    /// once.
    pub fn checkpoint(mut self, checkpoint: Checkpoint) -> Self {
        self.checkpoint = Some(checkpoint);
        self
    }

    /// Where it begins if it has no checkpoint yet; with [`Start::Beginning`] if nothing is said.
    pub fn begin(mut self, begin: Start) -> Self {
        self.begin = Some(begin);
        self
    }

    /// How many events a batch has at most, up to [`MAX_FEED_EVENTS`]; 500 if nothing is said.
    pub fn at_most(mut self, events: usize) -> Self {
        self.most.0 = events;
        self
    }

    /// How many bytes of data a batch has at most, up to [`MAX_FEED_BYTES`]; 4 MiB if nothing is
    /// said. An event that is larger comes alone.
    pub fn at_most_bytes(mut self, bytes: usize) -> Self {
        self.most.1 = bytes;
        self
    }

    /// Gives `fait`'s own facts too, whose types begin with `$`. Without it come those that the
    /// query names.
    pub fn with_facts(mut self) -> Self {
        self.facts = true;
        self
    }

    /// Opens the feed.
    ///
    /// # Errors
    /// It is being read already; its checkpoint lies beyond the log or belongs to another history;
    /// a version cannot be given; the limits or the name make no sense.
    pub async fn open(self) -> Result<Feed<T>, FeedError> {
        self.check()?;
        let versions = self.app.versions(&self.versions)?;
        let core = &self.app.core;
        let head = core.store.head().await?;
        let elsewhere = self.checkpoint.is_some();
        let name = match &self.checkpoint {
            Some(checkpoint) => Some(&checkpoint.feed),
            None => self.name.as_ref(),
        };
        let lease = match name {
            Some(name) => {
                let taken = || FeedError::Taken { name: name.clone() };
                Some(core.readers.begin(name, elsewhere).ok_or_else(taken)?)
            }
            None => None,
        };
        let begin = match self.begin.unwrap_or_default() {
            Start::Beginning => 0,
            Start::Now => head,
            Start::After(position) => position,
        };
        let (keeper, at) = self.keeper(begin, head)?;
        let aside = match &lease {
            Some(lease) => core.db.aside(&lease.name, 0)?.0 > 0,
            None => false,
        };
        if let Some(lease) = &lease {
            lease.reading.set(at);
        }
        let feed = Feed {
            query: versions.widen(self.query),
            app: self.app,
            facts: self.facts,
            versions,
            read: self.read,
            most: self.most,
            chunk: CHUNK,
            keeper,
            lease,
            aside,
            done: at,
            at,
        };
        feed.check_head(head)?;
        Ok(feed)
    }

    fn check(&self) -> Result<(), FeedError> {
        let wrong = |why: String| Err(FeedError::Use(why));
        let (events, bytes) = self.most;
        if !(1..=MAX_FEED_EVENTS).contains(&events) {
            return wrong(format!(
                "a batch has 1 to {MAX_FEED_EVENTS} events, not {events}"
            ));
        }
        if !(1..=MAX_FEED_BYTES).contains(&bytes) {
            return wrong(format!(
                "a batch has 1 to {MAX_FEED_BYTES} bytes, not {bytes}"
            ));
        }
        if self.checkpoint.is_some() && (self.name.is_some() || self.begin.is_some()) {
            return wrong("a checkpoint of yours says which feed it is and where it begins".into());
        }
        let own = self.checkpoint.as_ref().map(|c| &c.feed);
        own.or(self.name.as_ref()).map_or(Ok(()), |n| check_name(n))
    }

    /// Who keeps the checkpoint, and where it stands.
    fn keeper(&self, begin: Position, head: Position) -> Result<(Keeper, Position), FeedError> {
        let store = self.app.store_id();
        let (keeper, name, known, at) = match (&self.checkpoint, &self.name) {
            (Some(c), _) => (Keeper::Reader, &c.feed, c.store.clone(), c.position),
            (None, None) => return Ok((Keeper::Nobody, begin)),
            (None, Some(name)) => {
                let db = &self.app.core.db;
                // A feed that cannot be read is left as it is.
                let known = db.named_feed(name)?;
                let of_this = |k: &_| *k == store.to_string();
                let kept = match known {
                    Some(known) if !of_this(&known.store) || known.position > head => known,
                    None if begin > head => return Err(ahead(name, begin, head, &Keeper::Nobody)),
                    _ => db.take_feed(name, store, begin)?,
                };
                let (known, at) = (kept.store.clone(), kept.position);
                (Keeper::Here(kept), name, known, at)
            }
        };
        if at > head {
            return Err(ahead(name, at, head, &keeper));
        }
        match known == store.to_string() {
            true => Ok((keeper, at)),
            false => Err(FeedError::OtherHistory(format!(
                "feed `{name}` stands at {at} in history {known}, and this is {store}: a copy that \
                 was restored, or another system. {}",
                what_to_do(name, &keeper)
            ))),
        }
    }
}

/// What is said of a position beyond the log.
pub(super) fn ahead(name: &str, at: Position, head: Position, keeper: &Keeper) -> FeedError {
    let feed = match name {
        "" => "a feed".into(),
        name => format!("feed `{name}`"),
    };
    FeedError::OtherHistory(format!(
        "{feed} stands at {at}, and the log ends at {head}: it was fed from another history, for \
         example before a backup was restored. {}",
        what_to_do(name, keeper)
    ))
}

fn what_to_do(name: &str, keeper: &Keeper) -> String {
    match keeper {
        Keeper::Nobody => "Begin it at a position that is there".into(),
        Keeper::Here(_) => format!(
            "Look what was made of its events, and say where it goes on: `fait feed reset {name} \
             --to N`"
        ),
        Keeper::Reader => format!(
            "Look what was made of its events, and say where it goes on: its row in \
             `fait_checkpoints`, feed `{name}`"
        ),
    }
}

fn check_name(name: &str) -> Result<(), FeedError> {
    let wrong = if name.is_empty() {
        "is empty"
    } else if name.len() > MAX_NAME_BYTES {
        "is longer than 255 bytes"
    } else if name.chars().any(char::is_control) {
        "has a control character"
    } else if name.starts_with(RESERVED_PREFIX) {
        "begins with `$`, which is fait's own"
    } else {
        return Ok(());
    };
    let shown: String = name.chars().take(40).collect();
    let shown = shown.escape_debug();
    Err(FeedError::Use(format!(
        "the name `{shown}` of a feed {wrong}"
    )))
}
