//! The store keeps events in one order, once, durably. Its contract is in [`contract`], one test
//! per clause; every store passes it.

pub mod contract;
mod limits;
mod memory;
mod feed;

pub use feed::Feed;
pub use limits::{
    MAX_BATCH_BYTES, MAX_BATCH_EVENTS, MAX_CONDITIONS, MAX_EVENT_BYTES, MAX_NAME_BYTES,
    MAX_ORIGIN_BYTES, MAX_TAGS, origin_bytes, validate, validate_erasure, validate_event,
};
pub use memory::Memory;

use crate::event::{NewEvent, Position, StoredEvent, Tag, Time};
use crate::query::Query;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use uuid::Uuid;

/// A boxed future, so that `dyn Store` is possible and no type parameter spreads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Refuses an append when something relevant has happened.
#[derive(Clone, Debug, PartialEq)]
pub struct AppendCondition {
    /// What must not be there …
    pub fail_if_events_match: Query,
    /// … behind this position (0: anywhere). It must not lie beyond the head.
    pub after: Position,
}

/// A command's identity in an append: repeated, it changes nothing and gets the first receipt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CommandKey {
    /// The command's id.
    pub id: Uuid,
    /// What was asked. The same id with another fingerprint is refused.
    pub fingerprint: Uuid,
}

/// One atomic append: all of it or nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Append {
    /// The events, at least one.
    pub events: Vec<NewEvent>,
    /// All must hold. Judged after the command key.
    pub conditions: Vec<AppendCondition>,
    /// For appends that must happen once however often they are sent.
    pub command: Option<CommandKey>,
    /// Now, by the caller's clock. The store never records a time before the last one.
    pub recorded_at: Time,
}

/// What an acknowledgement is worth, and when it is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Durability {
    /// When the disk has it: it survives the loss of power.
    #[default]
    Sync,
    /// The same, but up to so long is waited for others to share the sync with. For many writers
    /// on a disk whose syncs are slow.
    Group(Duration),
    /// When the operating system has it: it survives the end of the program, not of the machine.
    /// After a loss of power the newest events are gone. For tests, and for loading what can be
    /// loaded again.
    Os,
    /// When this program has it: it ends with the program.
    Memory,
}

impl Durability {
    /// Whether what is acknowledged survives the loss of power.
    pub fn is_durable(self) -> bool {
        matches!(self, Durability::Sync | Durability::Group(_))
    }
}

/// The receipt of an append.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Appended {
    /// Position of the first event.
    pub first: Position,
    /// Position of the last event.
    pub last: Position,
    /// The time that was recorded.
    pub recorded_at: Time,
    /// Whether the command had been appended before: nothing was changed now.
    pub repeated: bool,
    /// What the acknowledgement is worth.
    pub durability: Durability,
}

/// The type of what is read where an event was erased. Its data is a JSON object that names the
/// `type` of what stood there, if that was kept; its version is 1, it has no tags and no origin.
pub const ERASED: &str = "$Erased";

/// Erases everything under a tag, for example all that is known of one person. It is never one
/// event alone: what is said of a stream goes as a whole, or stays.
#[derive(Clone, Debug, PartialEq)]
pub struct Erase {
    /// Every event that carries it goes, up to the tombstone.
    pub tag: Tag,
    /// What is left to be read in the place of each.
    pub keep: Keep,
    /// Appended first: it says that, why and by whom it was erased. Its first event must carry
    /// the tag, so that whoever follows the stream hears of it. It stays until the same tag is
    /// erased again: then the later tombstone stands for both.
    pub tombstone: Append,
}

/// What is left of an erased event besides its position and its id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    /// The name of its type.
    pub types: bool,
    /// When it was recorded; otherwise the time is 0.
    pub times: bool,
}

/// The receipt of an erasure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Erased {
    /// The receipt of the tombstone.
    pub tombstone: Appended,
    /// Events that were erased now.
    pub events: u64,
}

/// An append was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// A condition does not hold.
    #[error("something relevant happened at position {position} (condition {condition})")]
    Conflict {
        /// Index of the condition.
        condition: usize,
        /// The event that matches it.
        position: Position,
    },
    /// The command id was used before for something else.
    #[error("command id {id} was used before, for something else")]
    CommandReused {
        /// The id.
        id: Uuid,
    },
    /// An event id is already in the store, and the batch is not a repetition.
    #[error("event id {id} is already in the store at position {position}")]
    DuplicateEvent {
        /// The id.
        id: Uuid,
        /// Where it stands.
        position: Position,
    },
    /// The append breaks a limit or a rule of form; nothing was changed.
    #[error("{0}")]
    Invalid(String),
    /// The store cannot do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The store itself is in trouble.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    /// A sentence that names the place and says what to do.
    pub message: String,
}

impl StoreError {
    /// An error with this sentence.
    pub fn new(message: impl fmt::Display) -> Self {
        StoreError {
            message: message.to_string(),
        }
    }
}

/// Which part of the store to read, and how much at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Only events behind this position.
    pub after: Position,
    /// Only events before this position; none: up to the head.
    pub before: Option<Position>,
    /// Newest first.
    pub backwards: bool,
    /// At most so many. 0 counts as 1: an empty slice always says that nothing more is selected.
    pub limit: usize,
}

impl Range {
    /// Forwards behind a position.
    pub fn after(after: Position, limit: usize) -> Range {
        Range {
            after,
            before: None,
            backwards: false,
            limit,
        }
    }

    /// The newest, newest first.
    pub fn newest(limit: usize) -> Range {
        Range {
            after: 0,
            before: None,
            backwards: true,
            limit,
        }
    }
}

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// The events, in the order asked for.
    pub events: Vec<StoredEvent>,
    /// The head of the snapshot that was read: everything up to here was considered, unless the
    /// limit cut the slice short.
    pub head: Position,
}

/// A store of events. Object-safe on purpose: `App` has no type parameters.
///
/// Futures may be dropped at any time; a dropped append may or may not have happened.
pub trait Store: Send + Sync + 'static {
    /// The identity of this history; a restored copy that went another way has another one.
    fn id(&self) -> Uuid;
    /// Appends a batch. When it answers, the batch is durable and visible to every later read.
    fn append(&self, append: Append) -> BoxFuture<'_, Result<Appended, AppendError>>;
    /// Reads a slice of what a query selects, from one consistent snapshot.
    fn read<'a>(
        &'a self,
        query: &'a Query,
        range: Range,
    ) -> BoxFuture<'a, Result<Slice, StoreError>>;
    /// The key and receipt of a command, if it was appended.
    fn command(
        &self,
        id: Uuid,
    ) -> BoxFuture<'_, Result<Option<(CommandKey, Appended)>, StoreError>>;
    /// The position of an event by its id.
    fn event(&self, id: Uuid) -> BoxFuture<'_, Result<Option<Position>, StoreError>>;
    /// The last position, 0 when empty. Cheap.
    fn head(&self) -> BoxFuture<'_, Result<Position, StoreError>>;
    /// Waits until the head lies behind a position; gives the head.
    fn wait(&self, after: Position) -> BoxFuture<'_, Result<Position, StoreError>>;
    /// The last event that a query selects, 0 when there is none. Cheap.
    fn last<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Position, StoreError>> {
        Box::pin(async move {
            let newest = self.read(query, Range::newest(1)).await?;
            Ok(newest.events.first().map_or(0, |e| e.meta.position))
        })
    }
    /// Appends a tombstone, then erases everything under its tag that stands before it. When it
    /// answers, the erased data can be read no more, and its space is free. Positions stay
    /// gapless: an erased event reads as [`ERASED`], and only a query for everything, or for that
    /// type, selects it. Its id and its command stay known, its tags do not: a condition on them
    /// holds again. The same erasure sent again answers with the first receipt of its tombstone
    /// and erases what is left before that, should it have been interrupted.
    fn erase(&self, erase: Erase) -> BoxFuture<'_, Result<Erased, AppendError>>;
    /// Finishes what is under way and lets go of what the store holds, such as its folder, also
    /// while others still have the store in hand. Appends are refused from then on.
    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

impl<S: Store + ?Sized> Store for std::sync::Arc<S> {
    fn id(&self) -> Uuid {
        (**self).id()
    }
    fn append(&self, append: Append) -> BoxFuture<'_, Result<Appended, AppendError>> {
        (**self).append(append)
    }
    fn read<'a>(
        &'a self,
        query: &'a Query,
        range: Range,
    ) -> BoxFuture<'a, Result<Slice, StoreError>> {
        (**self).read(query, range)
    }
    fn command(
        &self,
        id: Uuid,
    ) -> BoxFuture<'_, Result<Option<(CommandKey, Appended)>, StoreError>> {
        (**self).command(id)
    }
    fn event(&self, id: Uuid) -> BoxFuture<'_, Result<Option<Position>, StoreError>> {
        (**self).event(id)
    }
    fn head(&self) -> BoxFuture<'_, Result<Position, StoreError>> {
        (**self).head()
    }
    fn wait(&self, after: Position) -> BoxFuture<'_, Result<Position, StoreError>> {
        (**self).wait(after)
    }
    fn last<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Position, StoreError>> {
        (**self).last(query)
    }
    fn erase(&self, erase: Erase) -> BoxFuture<'_, Result<Erased, AppendError>> {
        (**self).erase(erase)
    }
    fn close(&self) -> BoxFuture<'_, ()> {
        (**self).close()
    }
}
