//! Handing over to brokers: what is wired, and what operators do.

use super::build::{AppBuilder, BuildError, unique};
use super::{App, MAX_REASON_BYTES, Wants};
use crate::bus::{BusError, Outlet};
use crate::runtime::bus::outlet::Relay;
use crate::runtime::bus::relay::facts_of;
use crate::runtime::nearest;
use fait_core::bus::fact::{MessageSkipped, OutletJoined};
use fait_core::event::Position;
use fait_core::store::{AppendError, MAX_NAME_BYTES, StoreError};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// From where on messages are handed over again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ReplayFrom {
    /// All that was ever published.
    Start,
    /// Those behind a position of the log.
    Behind(Position),
    /// Those behind what the other side has; where it has nothing, those that are published from
    /// now on.
    Here,
}

impl FromStr for ReplayFrom {
    type Err = String;
    fn from_str(text: &str) -> Result<ReplayFrom, String> {
        match text {
            "start" => Ok(ReplayFrom::Start),
            "here" => Ok(ReplayFrom::Here),
            number => number
                .parse()
                .map(ReplayFrom::Behind)
                .map_err(|_| format!("`{text}` is not `start`, `here` or a position of the log")),
        }
    }
}

impl fmt::Display for ReplayFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReplayFrom::Start => f.write_str("start"),
            ReplayFrom::Behind(position) => position.fmt(f),
            ReplayFrom::Here => f.write_str("here"),
        }
    }
}

impl TryFrom<String> for ReplayFrom {
    type Error = String;
    fn try_from(text: String) -> Result<ReplayFrom, String> {
        text.parse()
    }
}

impl From<ReplayFrom> for String {
    fn from(from: ReplayFrom) -> String {
        from.to_string()
    }
}

/// Why something was not done to an outlet. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutletError {
    /// There is no such outlet.
    #[error("there is no outlet `{outlet}`{}", hint(.did_you_mean))]
    NoOutlet {
        /// What was asked for.
        outlet: String,
        /// The nearest name.
        did_you_mean: Option<String>,
    },
    /// Nobody says who it is.
    #[error("say who does it: it is recorded")]
    NoName,
    /// There is no reason, or too long a one.
    #[error("say why, in 1 to {MAX_REASON_BYTES} bytes: it is recorded")]
    NoReason,
    /// The position is none.
    #[error("the log ends at {head}: nothing can be handed over from behind {position}")]
    Beyond {
        /// What was asked for.
        position: Position,
        /// The head of the log.
        head: Position,
    },
    /// No message at that position is what stops the outlet.
    #[error("outlet `{outlet}` is not stopped by a message at position {position}; it {stands}")]
    NotStoppedBy {
        /// The outlet.
        outlet: String,
        /// What was asked for.
        position: Position,
        /// How it stands.
        stands: String,
    },
    /// The broker does not say how far it has come.
    #[error("the broker must say what it has first: {0}; try it again when it is there")]
    Broker(#[from] BusError),
    /// Another operator did something to it meanwhile.
    #[error("somebody else did something to outlet `{outlet}` meanwhile; look at it again")]
    Moved {
        /// The outlet.
        outlet: String,
    },
    /// The store cannot do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn hint(name: &Option<String>) -> String {
    let name = name.as_ref().map(|n| format!("; did you mean `{n}`?"));
    name.unwrap_or_default()
}

impl AppBuilder {
    /// A broker that published messages are handed to, all of them, in order. The name stands for
    /// it in the log: another name is another outlet, to which everything is handed anew.
    #[must_use]
    pub fn relays(mut self, name: &str, outlet: impl Outlet) -> Self {
        self.outlets.push(Relay::new(name.into(), Arc::new(outlet)));
        self
    }

    pub(super) fn check_outlets(&self) -> Result<(), BuildError> {
        unique("outlet", self.outlets.iter().map(|o| o.name.as_str()))?;
        let long = |name: &str| name.len() + "outlet:".len() > MAX_NAME_BYTES;
        let wrong =
            |o: &&Relay| o.name.is_empty() || long(&o.name) || o.name.contains(char::is_control);
        match self.outlets.iter().find(wrong) {
            Some(o) => Err(BuildError::Wiring(format!(
                "an outlet cannot be named `{}`",
                o.name
            ))),
            None => Ok(()),
        }
    }
}

impl App {
    /// Hands messages over from another place on, in the history that the other side has now.
    /// What is there stays there: what is handed over again comes again, with the same ids. Gives
    /// the position behind which it goes on.
    ///
    /// # Errors
    /// See [`OutletError`]; nothing was changed.
    pub async fn replay(
        &self,
        outlet: &str,
        from: ReplayFrom,
        by: &str,
        reason: Option<&str>,
    ) -> Result<Position, OutletError> {
        let relay = self.outlet(outlet)?;
        let reason = reason.map(str::trim).filter(|r| !r.is_empty());
        said(by, reason.unwrap_or("-"))?;
        let _turn = relay.turn().await;
        let known = self.core.store.last(&facts_of(outlet)).await?;
        let reached = self.core.ask_outlet(relay).await?;
        let head = self.core.store.head().await?;
        let after = match from {
            ReplayFrom::Start => 0,
            ReplayFrom::Behind(position) if position > head => {
                return Err(OutletError::Beyond { position, head });
            }
            ReplayFrom::Behind(position) => position,
            ReplayFrom::Here => reached.position.unwrap_or(head).min(head),
        };
        let joined = OutletJoined {
            outlet: outlet.into(),
            history: reached.history,
            sequence: reached.sequence,
            after,
            reason: reason.map(String::from),
        };
        self.record_act(relay, joined.draft(), by, known).await?;
        Ok(after)
    }

    /// Lets an outlet go on without the message that it cannot carry.
    ///
    /// # Errors
    /// See [`OutletError`]; nothing was changed.
    pub async fn skip_published(
        &self,
        outlet: &str,
        position: Position,
        by: &str,
        reason: &str,
    ) -> Result<(), OutletError> {
        let relay = self.outlet(outlet)?;
        said(by, reason)?;
        let known = self.core.store.last(&facts_of(outlet)).await?;
        let halted = relay.state().halted;
        if halted.as_ref().map(|h| &h.wants) != Some(&Wants::Skip { position }) {
            return Err(OutletError::NotStoppedBy {
                outlet: outlet.into(),
                position,
                stands: match halted {
                    Some(halted) => format!("stopped because {}", halted.reason),
                    None => "goes on".into(),
                },
            });
        }
        let skipped = MessageSkipped {
            outlet: outlet.into(),
            position,
            reason: reason.trim().into(),
        };
        self.record_act(relay, skipped.draft(), by, known).await
    }

    /// Tries to hand over at once, rather than when it is time; also what is stopped.
    ///
    /// # Errors
    /// There is no such outlet.
    pub fn retry_outlet(&self, outlet: &str) -> Result<(), OutletError> {
        self.outlet(outlet)?.wake();
        Ok(())
    }

    async fn record_act(
        &self,
        relay: &Relay,
        draft: fait_core::event::Draft,
        by: &str,
        known: Position,
    ) -> Result<(), OutletError> {
        match self.core.record_outlet(draft, by, known).await {
            Ok(()) => {}
            Err(AppendError::Conflict { .. }) => {
                return Err(OutletError::Moved {
                    outlet: relay.name.clone(),
                });
            }
            Err(AppendError::Store(e)) => return Err(e.into()),
            Err(e) => return Err(StoreError::new(e).into()),
        }
        relay.wake();
        Ok(())
    }

    fn outlet(&self, outlet: &str) -> Result<&Relay, OutletError> {
        let mut all = self.core.outlets.iter();
        if let Some(relay) = all.find(|o| o.name == outlet) {
            return Ok(relay);
        }
        let names: Vec<String> = self.core.outlets.iter().map(|o| o.name.clone()).collect();
        Err(OutletError::NoOutlet {
            outlet: outlet.into(),
            did_you_mean: nearest(outlet, names.iter()),
        })
    }
}

/// Who and why, where both are said.
fn said(by: &str, reason: &str) -> Result<(), OutletError> {
    if by.trim().is_empty() {
        return Err(OutletError::NoName);
    }
    if reason.trim().is_empty() || reason.len() > MAX_REASON_BYTES {
        return Err(OutletError::NoReason);
    }
    Ok(())
}
