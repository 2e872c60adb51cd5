//! What was asked, recorded beside what came of it, so that it can be decided again.
//!
//! It is JSON, `{"at", "name", "body", "seen"}`, and stands in the origin of one event of the
//! append, as the pair [`PAIR`], where one event carries all tags of the append; else in an event
//! of its own, [`TYPE`], with all of them. So it is erased with what came of it, whichever tag is
//! erased. A command that a process issued has its name and body in the facts of that process
//! already; of it only the rest stands here.

use crate::event::{DecodeError, Position, StoredEvent, Time};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The name of the pair in an event's origin.
pub const PAIR: &str = "$command";

/// The stored name of an event that says nothing else.
pub const TYPE: &str = "$CommandRecorded";

/// What was asked, and when it was decided. Who asked, and the command's id, are in the origin of
/// the event that it stands in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedCommand {
    /// The time in the decision's context.
    pub at: Time,
    /// The command's name; none when a process issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its JSON.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub body: Value,
    /// How far it had looked, where its guard lets events pass that it reads: what came behind
    /// this position it did not see. Otherwise it saw all that stands before its own events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Position>,
}

impl RecordedCommand {
    /// Its JSON.
    pub fn to_json(&self) -> String {
        // All keys are strings, so that writing it cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What an event says of a command; none when it says nothing.
    ///
    /// # Errors
    /// It says something that this program cannot read.
    pub fn of(event: &StoredEvent) -> Result<Option<RecordedCommand>, DecodeError> {
        if event.ty == TYPE {
            return event.read().map(Some);
        }
        let pair = event.meta.origin.pairs.get(PAIR);
        let read = pair.map(|text| serde_json::from_str(text));
        read.transpose()
            .map_err(|e| event.unreadable(format_args!("what it says of its command: {e}")))
    }
}
