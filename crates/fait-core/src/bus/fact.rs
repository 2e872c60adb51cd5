//! What is recorded of what was published and received: events with names that only `fait` may
//! use, in the log of the system that publishes or receives.

/// Something was published: the exact message, for ever.
pub const PUBLISHED: &str = "$MessagePublished";

/// A message came in, with what became of it.
pub const RECEIVED: &str = "$MessageReceived";

/// Another system asked for something under a key: which, and what came of it.
pub const ANSWERED: &str = "$CommandAnswered";

/// Kinds of the tags that these facts carry for themselves.
pub const OWN_KINDS: &[&str] = &["published", "of", "inlet", "in", "asked"];
