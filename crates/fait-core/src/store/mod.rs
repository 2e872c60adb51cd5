//! The store keeps events in one order, once, durably. Its contract is in [`contract`], one test
//! per clause; every store passes it.

pub mod contract;
mod limits;
mod memory;

pub use limits::{
    MAX_BATCH_BYTES, MAX_BATCH_EVENTS, MAX_CONDITIONS, MAX_EVENT_BYTES, MAX_NAME_BYTES,
    MAX_ORIGIN_BYTES, MAX_TAGS, validate,
};
pub use memory::Memory;

use crate::event::{NewEvent, Position, StoredEvent, Time};
use crate::query::Query;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
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
    /// At most so many; at least 1.
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
    /// Finishes what is under way and lets go of what the store holds, such as its folder, also
    /// while others still have the store in hand. Appends are refused from then on.
    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

impl<S: Store> Store for std::sync::Arc<S> {
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
    fn close(&self) -> BoxFuture<'_, ()> {
        (**self).close()
    }
}
