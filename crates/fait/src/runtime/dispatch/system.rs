//! The words between processes and the systems that they tell: what is told, what can come of
//! it, and how much a system is asked at once.

use fait_core::event::Time;
use fait_core::store::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// A message to an outside system.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Idempotency key: the same however often it is told.
    pub id: Uuid,
    /// The command's name.
    pub name: String,
    /// Its JSON.
    pub body: Value,
    /// Which try of this run of the program: 1, 2, …
    pub attempt: u32,
    /// The flow it belongs to.
    pub correlation: Uuid,
    /// The step that issued it: the cause of what comes back.
    pub cause: Uuid,
    /// W3C trace context.
    pub traceparent: Option<String>,
}

/// Why a system was not told.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TellError {
    /// It has not acted, and may another time: a refused connection, "busy", "too many".
    #[error("{error}")]
    Later {
        /// What went wrong, as a sentence.
        error: String,
        /// How long it asks to be left alone; at most a day. Wins over the usual wait.
        after: Option<Duration>,
    },
    /// It has not acted and never will: what is said to it is wrong.
    #[error("{error}")]
    Never {
        /// What is wrong, as a sentence.
        error: String,
    },
    /// It has decided not to act, and says why: the process hears that it was refused, as if it
    /// had been decided here.
    #[error("{reason}")]
    Refused {
        /// The code of the refusal.
        code: String,
        /// Its sentence.
        reason: String,
    },
    /// Nobody knows whether it has acted: no answer, or half of one.
    #[error("{error}")]
    Unknown {
        /// What went wrong, as a sentence.
        error: String,
    },
}

impl TellError {
    /// It has not acted, and may another time.
    pub fn later(error: impl ToString) -> TellError {
        TellError::Later {
            error: error.to_string(),
            after: None,
        }
    }

    /// It has not acted and never will.
    pub fn never(error: impl ToString) -> TellError {
        TellError::Never {
            error: error.to_string(),
        }
    }

    /// It has decided not to act.
    pub fn refused(code: impl ToString, reason: impl ToString) -> TellError {
        TellError::Refused {
            code: code.to_string(),
            reason: reason.to_string(),
        }
    }

    /// Nobody knows whether it has acted.
    pub fn unknown(error: impl ToString) -> TellError {
        TellError::Unknown {
            error: error.to_string(),
        }
    }
}

/// What is done when nobody knows whether a system has acted: it did not answer in time, its
/// adapter panicked, or the program ended while it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Uncertain {
    /// It is told again with the same id: the other side acts once for an id.
    Retry,
    /// The instance waits for a person, who looks there: the other side would act twice. Each try
    /// is recorded before the system is told.
    Park,
}

/// How much a system is asked, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Messages under way at the same time; at least 1.
    pub at_once: usize,
    /// How long one telling may take, by the machine's clock.
    pub within: Duration,
    /// How long a message is tried, from its first try on, before the process hears that it
    /// failed; by the system's clock. It is tried at least [`MIN_TELLS`] times.
    pub for_up_to: Duration,
    /// The longest first wait. Waits double up to [`longest_wait`](Self::longest_wait), and each
    /// is a random part of that.
    pub first_wait: Duration,
    /// The longest wait between two tries, and between two probes of a system that is down.
    pub longest_wait: Duration,
    /// After so many failures in a row, of whatever messages, the system counts as down: all
    /// messages wait and now and then one is tried. 0: never.
    pub down_after: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            at_once: 8,
            within: Duration::from_secs(30),
            for_up_to: Duration::from_secs(15 * 60),
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(60),
            down_after: 5,
        }
    }
}

/// Fewest tries before a process hears that a system could not be told.
pub const MIN_TELLS: u32 = 5;

/// How a system stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SystemStatus {
    /// Its name.
    pub name: String,
    /// Messages under way.
    pub under_way: usize,
    /// Messages that wait.
    pub waiting: u64,
    /// Since when it counts as down: messages wait and one at a time is tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down_since: Option<Time>,
    /// Failures in a row.
    pub failures: u32,
    /// The last failure: when and what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<(Time, String)>,
    /// When something is tried next, unless a message comes before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try: Option<Time>,
}

/// How an outside system is told.
#[derive(Clone)]
pub(crate) struct Adapter {
    pub(crate) tell: Tell,
    pub(crate) on_uncertain: Uncertain,
    pub(crate) limits: Limits,
}

/// A system's [`tell`](crate::app::System::tell).
pub(crate) type Tell =
    Arc<dyn Fn(Arc<super::Core>, Told) -> BoxFuture<'static, Result<(), TellError>> + Send + Sync>;
