//! What systems say to each other: published events out, messages of others in.
//!
//! A domain event never leaves its system. What does is of a type of its own, a [`Published`], and
//! is made of domain events by a pure [`Publish`]. On the way it is a [`CloudEvent`]. What comes in
//! goes through a [`Receive`], which turns the other system's words into this system's.

mod cloud;
mod published;
mod publish;
mod receive;
pub mod fact;

pub use cloud::{Attribute, BATCH, CloudEvent, CloudEventError, Data, STRUCTURED};
pub use publish::{Publish, PublishDef, Translate, TranslateError};
pub use published::{
    Deprecated, DeprecatedDef, Outgoing, Published, PublishedDef, PublishedSet, Subject, cloud_type,
};
pub use receive::{Asked, Expects, Incoming, ReadMessage, Receive, ReceiveDef, Received};
