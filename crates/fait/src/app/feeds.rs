//! How named feeds stand, and putting them elsewhere.

use super::{App, FeedError};
use crate::runtime::feeds::{Aside, Kept, Reading};
use crate::runtime::nearest;
use fait_core::event::Position;
use fait_core::store::{Store, StoreError};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Most events that were set aside that are shown of one feed.
pub const MAX_SET_ASIDE: u32 = 100;

/// How a named feed stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeedStatus {
    /// Its name.
    pub name: String,
    /// Everything up to here is acknowledged, or was not wanted.
    pub position: Position,
    /// The head of the log.
    pub head: Position,
    /// Events behind.
    pub lag_events: u64,
    /// Whether somebody reads it now.
    pub reading: bool,
    /// Whether its checkpoint is in the reader's own database; such a feed is known only while it
    /// is read.
    pub elsewhere: bool,
    /// Why it does not go on by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<String>,
    /// How many events are set aside.
    pub set_aside: u64,
    /// The newest of them, at most [`MAX_SET_ASIDE`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub newest_set_aside: Vec<SetAside>,
}

/// An event that a reader could not read and has passed over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetAside {
    /// Where it stands.
    pub position: Position,
    /// Why it could not be read.
    pub error: String,
    /// Why it was passed over.
    pub reason: String,
}

impl From<Aside> for SetAside {
    fn from(a: Aside) -> SetAside {
        SetAside {
            position: a.position,
            error: a.error,
            reason: a.reason,
        }
    }
}

impl App {
    /// The identity of the history that this system has; a copy that was restored has another.
    pub fn store_id(&self) -> Uuid {
        self.core.store.id()
    }

    /// How every named feed stands, by name.
    ///
    /// # Errors
    /// The store or the database of the views cannot be read.
    pub async fn feeds(&self) -> Result<Vec<FeedStatus>, StoreError> {
        let head = self.core.store.head().await?;
        let mut readers = self.core.readers.all();
        let mut all = vec![];
        for kept in self.core.db.named_feeds()? {
            let reading = readers.remove(&kept.name);
            all.push(self.feed_status(&kept.name, Some(&kept), reading.as_deref(), head)?);
        }
        for (name, reading) in readers {
            all.push(self.feed_status(&name, None, Some(&reading), head)?);
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    fn feed_status(
        &self,
        name: &str,
        kept: Option<&Kept>,
        reading: Option<&Reading>,
        head: Position,
    ) -> Result<FeedStatus, StoreError> {
        let stands = kept.map_or(0, |k| k.position);
        let position = reading.map_or(stands, Reading::at);
        let (set_aside, newest) = self.core.db.aside(name, MAX_SET_ASIDE)?;
        let store = self.store_id().to_string();
        let other = kept.is_some_and(|k| k.store != store || k.position > head);
        let lost = || {
            format!(
                "it was fed from another history: look what was made of its events, and say where \
                 it goes on with `fait feed reset {name} --to N`"
            )
        };
        Ok(FeedStatus {
            name: name.into(),
            position,
            head,
            lag_events: head.saturating_sub(position),
            reading: reading.is_some(),
            elsewhere: reading.is_some_and(|r| r.elsewhere),
            waits: other
                .then(lost)
                .or_else(|| reading.and_then(Reading::waits)),
            set_aside,
            newest_set_aside: newest.into_iter().map(SetAside::from).collect(),
        })
    }

    /// Puts a named feed behind a position, in the history that the system has now: its reader
    /// takes what is behind it in, again or for the first time.
    ///
    /// # Errors
    /// There is no such feed, it is being read, or the position lies beyond the log.
    pub async fn reset_feed(&self, name: &str, to: Position) -> Result<(), FeedError> {
        let head = self.core.store.head().await?;
        if to > head {
            return Err(FeedError::Use(format!(
                "feed `{name}` cannot be put at {to}: the log ends at {head}"
            )));
        }
        let db = &self.core.db;
        let Some(lease) = self.core.readers.begin(name, false) else {
            return Err(FeedError::Taken { name: name.into() });
        };
        if db.reset_feed(name, self.store_id(), to)? {
            drop(lease);
            return Ok(());
        }
        let known: Vec<String> = db.named_feeds()?.into_iter().map(|k| k.name).collect();
        let near = nearest(name, known.iter()).map(|n| format!("; did you mean `{n}`?"));
        Err(FeedError::Unknown(format!(
            "there is no feed `{name}` whose checkpoint is kept here{}",
            near.unwrap_or_default()
        )))
    }
}
