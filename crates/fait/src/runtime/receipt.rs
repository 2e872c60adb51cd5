//! Who asks and why, and what is answered.

use super::token::Token;
use fait_core::command::InputError;
use fait_core::decision::Refused;
use fait_core::event::{DecodeError, Position};
use fait_core::store::StoreError;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How often a decision is made again because something relevant happened meanwhile.
pub const MAX_TRIES: u32 = 200;

/// The code with which somebody refuses a task that is asked of them.
pub const DECLINED: &str = "Declined";

/// Who asks, why, and under which id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Envelope {
    /// The command's id; sent again, it changes nothing and gets the first receipt.
    pub id: Option<Uuid>,
    /// Who asks, for example `waiter:ann`.
    pub actor: Option<String>,
    /// The asked task that this answers.
    pub answering: Option<Uuid>,
    /// The flow it belongs to; a new one by default.
    pub correlation: Option<Uuid>,
    /// The event that led to it, when it does not come from outside.
    pub causation: Option<Uuid>,
    /// W3C trace context, `traceparent`. What has not that form is not kept.
    pub traceparent: Option<String>,
}

/// An event as named in a receipt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// Its id.
    pub id: Uuid,
    /// Its stored name.
    #[serde(rename = "type")]
    pub ty: String,
    /// Its position.
    pub position: Position,
}

/// What came of a command that was accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// The command's id.
    pub command: Uuid,
    /// What happened; nothing, when nothing had to change.
    pub events: Vec<Recorded>,
    /// A view that has come this far shows it.
    pub position: Position,
    /// Whether this is the receipt of an earlier time.
    pub repeated: bool,
    /// The inline views that were to show it before this answer, and did not in time: it is
    /// recorded, they are catching up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub behind: Vec<String>,
    pub(crate) token: Token,
}

impl Receipt {
    /// What a reader needs to be shown this, also elsewhere and later: see [`Token`].
    pub fn token(&self) -> Token {
        self.token
    }
}

impl From<&Receipt> for Token {
    fn from(receipt: &Receipt) -> Token {
        receipt.token
    }
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// No command has this name.
    #[error("there is no command `{name}`{}", hint(.did_you_mean))]
    Unknown {
        /// What was asked for.
        name: String,
        /// The nearest name.
        did_you_mean: Option<String>,
    },
    /// The body does not fit.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The decision refused it.
    #[error("{}", .0.message)]
    Refused(Refused),
    /// The asked task was done, withdrawn or never asked.
    #[error("{0}")]
    NotAsked(String),
    /// What would be recorded breaks a limit of the store, for example of a tag's length.
    #[error("{0}")]
    Limit(String),
    /// Another system carries the command out.
    #[error("{0}")]
    Elsewhere(String),
    /// The command id was used before, for something else.
    #[error("command id {0} was used before, for something else")]
    Reused(Uuid),
    /// Others were faster, every time.
    #[error("something relevant kept changing; after {MAX_TRIES} tries it was given up")]
    Conflict,
    /// An event that it must look at cannot be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The program cannot write its own event.
    #[error("{0}")]
    Defect(String),
    /// The store cannot do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn hint(name: &Option<String>) -> String {
    name.as_ref()
        .map(|n| format!("; did you mean `{n}`?"))
        .unwrap_or_default()
}
