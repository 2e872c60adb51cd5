//! Hearing other systems: wiring, how it stands, and what an operator does about messages that
//! cannot be read.

use super::build::{AppBuilder, BuildError, unique};
use super::operate::MAX_REASON_BYTES;
use super::{App, InletStatus};
use crate::bus::{BusError, Inlet, Mark, Messages, Publishing, Receive, ReceiveDef};
use crate::runtime::hear::{Fate, Hearing, KeptMessage, Trouble};
use crate::runtime::nearest;
use fait_core::bus::fact::{Became, Continued};
use fait_core::event::{Position, Time};
use fait_core::store::{BoxFuture, StoreError};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Longest name of a receiver, in bytes.
pub const MAX_RECEIVER_BYTES: usize = 100;

/// A message that is kept as it came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnreadableMessage {
    /// Who hears it.
    pub receiver: String,
    /// Which message; what [`App::reread`] and [`App::skip_message`] take.
    pub message: Uuid,
    /// Why it cannot be read; none for one that only comes behind such a one, with the same key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when it is kept.
    pub since: Time,
    /// Where it stands in the log, as it came.
    pub position: Position,
    /// Where it stood on its way here.
    pub mark: Mark,
    /// Its source, if that can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Its id in its source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its type.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub ty: Option<String>,
    /// What keeps it in order with others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// What came of reading a message again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reread {
    /// Which message.
    pub message: Uuid,
    /// What it is now: `recorded`, `accepted`, `refused`, `ignored`, `known`, or still
    /// `unreadable` or `waiting`.
    pub became: String,
    /// Why it still cannot be read, or why its command was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Why something about messages cannot be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HearError {
    /// Nobody hears under this name.
    #[error("nothing hears as `{name}`{}", .did_you_mean.as_ref()
        .map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    Unknown {
        /// What was asked for.
        name: String,
        /// The nearest name.
        did_you_mean: Option<String>,
    },
    /// This message is not kept: it was read, skipped, or never came.
    #[error("message {0} is not kept: it was read or skipped meanwhile, or never came")]
    NotKept(Uuid),
    /// A reason is missing or too long.
    #[error("say why, in at most {MAX_REASON_BYTES} bytes")]
    Reason,
    /// It cannot be done now.
    #[error("{0}")]
    Later(String),
    /// The store cannot do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Trouble> for HearError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Later(why) | Trouble::Stop(why) => HearError::Later(why),
        }
    }
}

impl AppBuilder {
    /// Hears another system: what comes by this inlet is read by `R` and recorded here, under a
    /// name by which operators know it. The same system may be heard by several receivers, each of
    /// which takes every message once.
    #[must_use]
    pub fn hears<R: Receive>(self, name: &str, inlet: impl Inlet) -> Self {
        self.hearing(name, ReceiveDef::of::<R>(), inlet)
    }

    /// The same with the receiver as data.
    #[must_use]
    pub fn hearing(mut self, name: &str, def: ReceiveDef, inlet: impl Inlet) -> Self {
        for event in &def.records {
            let known = |(e, system): &(_, String)| e == event && *system == def.system;
            if !self.received.iter().any(known) {
                self.received.push((event.clone(), def.system.clone()));
            }
        }
        let hearing = Hearing::new(name.into(), def, Arc::new(inlet));
        self.hears.push(hearing);
        self
    }

    /// What can be known to be wrong with what is heard.
    pub(super) fn check_hears(&self) -> Result<(), BuildError> {
        unique("receiver", self.hears.iter().map(|h| h.name.as_str()))?;
        let wrong = |message: String| Err(BuildError::Wiring(message));
        for h in &self.hears {
            let (name, system) = (&h.name, &h.def.system);
            let fits = |c: char| c.is_alphanumeric() || "-_.".contains(c);
            if name.is_empty() || name.len() > MAX_RECEIVER_BYTES || !name.chars().all(fits) {
                return wrong(format!(
                    "a receiver cannot be called `{name}`: its name has 1 to \
                     {MAX_RECEIVER_BYTES} bytes, of letters, digits, `-`, `_` and `.`"
                ));
            }
            if system.trim().is_empty() {
                return wrong(format!("`{name}` hears a system without a name"));
            }
            for sent in &h.def.sends {
                let Some(command) = self.commands.iter().find(|c| c.name == *sent) else {
                    return wrong(format!(
                        "messages to `{name}` become `{sent}`, which is not wired: \
                         add `.task::<{sent}>()`"
                    ));
                };
                if command.begin.is_none() {
                    return wrong(format!(
                        "messages to `{name}` become `{sent}`, which another system carries out: \
                         let a process send it"
                    ));
                }
            }
        }
        Ok(())
    }
}

impl Publishing for App {
    fn at(&self) -> BoxFuture<'_, Result<(String, Position), BusError>> {
        Box::pin(async {
            let head = self.core.store.head().await.map_err(later)?;
            Ok((self.core.store.id().to_string(), head))
        })
    }

    fn next(
        &self,
        after: Position,
        most: usize,
        within: Duration,
    ) -> BoxFuture<'_, Result<Messages, BusError>> {
        Box::pin(async move {
            let found = self.published(after, most, &[]).await.map_err(later)?;
            if !found.messages.is_empty() {
                return Ok(found);
            }
            self.wait_published(after, within).await.map_err(later)?;
            self.published(after, most, &[]).await.map_err(later)
        })
    }
}

fn later(e: StoreError) -> BusError {
    BusError::Later(e.to_string())
}

impl App {
    /// How those stand who hear other systems, by name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn inlets(&self) -> Result<Vec<InletStatus>, StoreError> {
        let mut all = vec![];
        for h in self.core.hearings.values() {
            all.push(self.core.inlet_status(h).await?);
        }
        Ok(all)
    }

    /// What each of them reads, by name.
    pub fn receivers(&self) -> impl Iterator<Item = (&str, &ReceiveDef)> {
        let all = self.core.hearings.iter();
        all.map(|(name, h)| (name.as_str(), &h.def))
    }

    /// The messages that are kept because they cannot be read, and those that wait behind them,
    /// in the order in which they came: of one receiver, or of all.
    ///
    /// # Errors
    /// Nobody hears under this name; the store cannot be read.
    pub async fn unreadable(
        &self,
        receiver: Option<&str>,
    ) -> Result<Vec<UnreadableMessage>, HearError> {
        let hearings: Vec<&Arc<Hearing>> = match receiver {
            Some(name) => vec![self.heard_by(name)?],
            None => self.core.hearings.values().collect(),
        };
        let mut all = vec![];
        for h in hearings {
            let kept = self.core.kept_now(&h.name).await?;
            all.extend(kept.messages().map(|m| unreadable(&h.name, m)));
        }
        Ok(all)
    }

    /// Reads kept messages again with today's code, in the order in which they came: all of a
    /// receiver, or only those that `which` names as a message or as a type. What waits behind
    /// them goes on.
    ///
    /// # Errors
    /// Nobody hears under this name; no such message is kept; it cannot be done now, and what was
    /// read until then is recorded.
    pub async fn reread(
        &self,
        receiver: &str,
        which: Option<&str>,
    ) -> Result<Vec<Reread>, HearError> {
        let h = self.heard_by(receiver)?;
        let core = &self.core;
        let mut kept = core.kept_now(receiver).await?;
        let one: Option<Uuid> = which.and_then(|w| w.parse().ok());
        let wanted = |m: &&KeptMessage| match (one, which) {
            (Some(id), _) => m.message == id,
            (None, Some(ty)) => m.ty.as_deref() == Some(ty) && m.reason.is_some(),
            (None, None) => m.reason.is_some(),
        };
        let messages: Vec<Uuid> = kept.messages().filter(wanted).map(|m| m.message).collect();
        if let Some(id) = one.filter(|_| messages.is_empty()) {
            return Err(HearError::NotKept(id));
        }
        let mut all = vec![];
        for message in messages {
            if let Some(fate) = core.read_again(h, &mut kept, message).await? {
                all.push(reread(message, fate));
            }
        }
        all.extend(
            core.go_on_with_kept(h, &mut kept)
                .await?
                .into_iter()
                .map(|(message, fate)| reread(message, fate)),
        );
        h.wake.notify_one();
        Ok(all)
    }

    /// Goes on without a kept message: nothing becomes of it, and what waits behind it goes on.
    ///
    /// # Errors
    /// The reason is missing or too long; no such message is kept.
    pub async fn skip_message(
        &self,
        message: Uuid,
        by: &str,
        reason: &str,
    ) -> Result<(), HearError> {
        if reason.trim().is_empty() || reason.len() > MAX_REASON_BYTES {
            return Err(HearError::Reason);
        }
        for h in self.core.hearings.values() {
            let mut kept = self.core.kept_now(&h.name).await?;
            if kept.get(message).is_none() {
                continue;
            }
            let became = Became::Skipped {
                by: by.into(),
                reason: reason.into(),
            };
            let ended = self
                .core
                .end_kept(h, &mut kept, message, became, by)
                .await?;
            h.wake.notify_one();
            return match ended {
                true => Ok(()),
                false => Err(HearError::NotKept(message)),
            };
        }
        Err(HearError::NotKept(message))
    }

    /// Says where a receiver goes on, after what it hears has become another history or after it
    /// stopped for another reason: behind a place in what is there now, or from its beginning.
    /// What is known already counts once.
    ///
    /// # Errors
    /// Nobody hears under this name; which history there is now cannot be found out.
    pub async fn continue_hearing(
        &self,
        receiver: &str,
        after: Option<u64>,
        by: &str,
    ) -> Result<(), HearError> {
        let h = self.heard_by(receiver)?;
        let history = match after {
            None => None,
            Some(_) => Some(h.history_now().await?),
        };
        let said = Continued {
            receiver: receiver.into(),
            history,
            sequence: after.unwrap_or(0),
            by: by.into(),
        };
        self.core.continue_hearing(h, &said).await?;
        Ok(())
    }

    fn heard_by(&self, name: &str) -> Result<&Arc<Hearing>, HearError> {
        let all = &self.core.hearings;
        all.get(name).ok_or_else(|| HearError::Unknown {
            name: name.into(),
            did_you_mean: nearest(name, all.keys()),
        })
    }
}

fn unreadable(receiver: &str, m: &KeptMessage) -> UnreadableMessage {
    UnreadableMessage {
        receiver: receiver.into(),
        message: m.message,
        reason: m.reason.clone(),
        since: m.since,
        position: m.fact,
        mark: m.mark.clone(),
        source: m.source.clone(),
        id: m.id.clone(),
        ty: m.ty.clone(),
        key: m.key.clone(),
    }
}

fn reread(message: Uuid, fate: Fate) -> Reread {
    let became = fate.name().to_owned();
    let reason = match fate {
        Fate::Unreadable(why) | Fate::Became(Became::Refused { reason: why, .. }) => Some(why),
        _ => None,
    };
    Reread {
        message,
        became,
        reason,
    }
}
