//! What is recorded of what was published and received: events with names that only `fait` may
//! use, in the log of the system that publishes or receives.

mod published;
mod received;

pub use published::{
    MessagePublished, MessageSkipped, OutletJoined, PublicationsBegan, Source, of_tag, outlet_tag,
    publication_tag, published_tag,
};
pub use received::{
    Became, Continued, MAX_RAW_BYTES, MessageReceived, Raw, in_tag, inlet_tag, message_id,
    place_id, unread_tag,
};

/// Something was published: the exact message, for ever.
pub const PUBLISHED: &str = "$MessagePublished";

/// From where on publications make messages of what happens.
pub const PUBLICATIONS_BEGAN: &str = "$PublicationsBegan";

/// From where on messages are handed to an outlet.
pub const OUTLET_JOINED: &str = "$OutletJoined";

/// An outlet goes on without a message.
pub const SKIPPED: &str = "$MessageSkipped";

/// A message came in, or one that was kept was read again, with what became of it.
pub const RECEIVED: &str = "$MessageReceived";

/// Another system asked for something under a key: which, and what came of it.
pub const ANSWERED: &str = "$CommandAnswered";

/// The bytes of a message that are too many for the fact that it came in; right behind that.
pub const BYTES: &str = "$MessageBytes";

/// An operator said where to go on in another history of what comes in.
pub const CONTINUED: &str = "$InletContinued";

/// All of these.
pub const ALL: &[&str] = &[
    PUBLISHED,
    PUBLICATIONS_BEGAN,
    OUTLET_JOINED,
    SKIPPED,
    RECEIVED,
    BYTES,
    CONTINUED,
    ANSWERED,
];

/// Kinds of the tags that these facts carry for themselves.
pub const OWN_KINDS: &[&str] = &[
    "published",
    "of",
    "publication",
    "outlet",
    "inlet",
    "in",
    "unread",
    "asked",
];
