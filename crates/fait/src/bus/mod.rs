//! Between systems: what others are told, what they tell, and the ways in between.
//!
//! The log is the outbox: what is published stands in it, in the exact words, before anything
//! leaves. The log is the inbox as well: what comes in is recorded before it is acknowledged, and
//! nothing but the log is ever read by processes and views. A bus is only the way between two logs,
//! and may lose, double and reorder what it likes.
//!
//! A system that offers its messages itself, over HTTP or in the same program, needs an [`Inlet`]
//! on the other side and nothing else. A broker needs an [`Outlet`] here and an inlet there.

mod in_process;

pub use in_process::{InProcess, Publishing};

use fait_core::event::Position;
use fait_core::reexport::bytes::Bytes;
use fait_core::store::BoxFuture;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use fait_core::bus::fact::{ANSWERED, PUBLISHED, RECEIVED};
pub use fait_core::bus::{
    Attribute, BATCH, CloudEvent, CloudEventError, Data, Deprecated, DeprecatedDef, Expects,
    Incoming, Outgoing, Publish, PublishDef, Published, PublishedDef, PublishedSet, Receive,
    ReceiveDef, Received, STRUCTURED, Subject, cloud_type,
};

/// A published message, as it leaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its place in the log of its system.
    pub position: Position,
    /// Its id, which is also the CloudEvent's.
    pub id: Uuid,
    /// The message itself.
    pub event: CloudEvent,
}

/// Some published messages, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Messages {
    /// They.
    pub messages: Vec<Message>,
    /// Everything up to here was looked at: the next come behind it.
    pub upto: Position,
}

/// How far the other side of an [`Outlet`] has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// Which history it holds: another one after it was made anew, for example the stream's name
    /// with the time at which it was created.
    pub history: String,
    /// The place of the last message in there, by its own count; 0 when it is empty.
    pub sequence: u64,
    /// The position of that message in the log of its system; none when it is empty.
    pub position: Option<Position>,
}

/// A broker, to which messages are handed over. It decides by itself what it has, so that several
/// programs on one log can hand over at the same time and each message arrives once, in order.
pub trait Outlet: Send + Sync + 'static {
    /// How far the other side has come.
    ///
    /// # Errors
    /// It cannot say, or is not fit for this.
    fn reached(&self) -> BoxFuture<'_, Result<Reached, BusError>>;
    /// Hands messages over, in order, right behind what was reached; gives how far it came then.
    /// None is taken unless the one before it was.
    ///
    /// # Errors
    /// Some may have been taken all the same: ask how far it came.
    fn hand_over(
        &self,
        after: Reached,
        messages: Vec<Message>,
    ) -> BoxFuture<'_, Result<Reached, BusError>>;
}

/// Where in what an [`Inlet`] gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Which history it is of, as for [`Reached::history`].
    pub history: String,
    /// The place in there, growing, not always by one.
    pub sequence: u64,
}

/// A message as it came in.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Where it stood.
    pub mark: Mark,
    /// Its headers, names in lower case: `content-type`, and those that begin with `ce-`.
    pub headers: Vec<(String, String)>,
    /// Its bytes.
    pub body: Bytes,
}

/// Where messages of another system come from, in order.
pub trait Inlet: Send + Sync + 'static {
    /// Messages right behind a mark, or from the beginning; waits a while for the first, and gives
    /// none when nothing came. The same may be given again until [`done`](Inlet::done) was said,
    /// and after that too.
    ///
    /// # Errors
    /// [`BusError::Other`] when the mark is of another history than there is now.
    fn take(&self, after: Option<Mark>) -> BoxFuture<'_, Result<Vec<Delivery>, BusError>>;
    /// Everything up to here is recorded.
    ///
    /// # Errors
    /// It could not be said; it is said again with the next.
    fn done(&self, upto: Mark) -> BoxFuture<'_, Result<(), BusError>> {
        let _ = upto;
        Box::pin(async { Ok(()) })
    }
}

impl<I: Inlet + ?Sized> Inlet for std::sync::Arc<I> {
    fn take(&self, after: Option<Mark>) -> BoxFuture<'_, Result<Vec<Delivery>, BusError>> {
        (**self).take(after)
    }
    fn done(&self, upto: Mark) -> BoxFuture<'_, Result<(), BusError>> {
        (**self).done(upto)
    }
}

/// Why a bus does not carry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BusError {
    /// Not now: nobody is there, it is busy, somebody else was faster. Tried again.
    #[error("{0}")]
    Later(String),
    /// The history there is another one than before: the broker's stream was made anew, or the
    /// other system was restored from a copy. Nothing is skipped or repeated until an operator
    /// says how to go on.
    #[error("what is there now is another history: {0}")]
    Other(String),
    /// It can never carry this message, for example because it is too large.
    #[error("the message at position {position} cannot be carried: {why}")]
    Message {
        /// Which.
        position: Position,
        /// Why.
        why: String,
    },
    /// It cannot be used as it is: too old, or set up otherwise. Nothing is tried until that is
    /// changed.
    #[error("{0}")]
    Unfit(String),
}
