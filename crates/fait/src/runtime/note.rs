//! What is kept beside the outcome of a command, in the same append.

use fait_core::decision::Refused;
use fait_core::event::Draft;
use fait_core::store::AppendCondition;

/// An event that says what came of a command. It is appended together with that: with the events,
/// with the refusal, or alone when nothing had to change.
pub(crate) struct Note {
    /// All must hold, else nothing is recorded; for example that there is no such note yet.
    pub(crate) conditions: Vec<AppendCondition>,
    /// The event. It may be written more than once, of which the last is appended.
    pub(crate) write: Box<dyn Fn(Came<'_>) -> Draft + Send + Sync>,
}

/// What came of a command.
pub(crate) enum Came<'a> {
    /// It was accepted. What happened stands before the note in the same append.
    Accepted,
    /// It was refused.
    Refused(&'a Refused),
}
