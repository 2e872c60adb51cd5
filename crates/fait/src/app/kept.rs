//! Commands that are asked under a key: done once, and what came of them is kept with what was
//! recorded, also that they were refused.

use super::{App, Envelope, Receipt, SendError};
use crate::runtime::Core;
use crate::runtime::decide::{Done, fingerprint};
use crate::runtime::note::{Came, Note};
use fait_core::bus::fact::ANSWERED;
use fait_core::decision::Refused;
use fait_core::event::{Draft, StoredEvent, Tag};
use fait_core::query::{Query, QueryItem};
use fait_core::store::{AppendCondition, CommandKey, Range, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// Under what somebody asks: the same again is the same request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The command's id: the key in its scope, for example of one client and one command.
    pub id: Uuid,
    /// The key as the asker wrote it.
    pub text: String,
}

/// What came of a command that was asked under a key.
#[derive(Debug)]
pub struct Kept {
    /// The command's id.
    pub command: Uuid,
    /// Which command.
    pub name: String,
    /// Who asked.
    pub actor: Option<String>,
    /// The flow that it belongs to.
    pub correlation: Uuid,
    /// Its receipt, or why it was refused.
    pub outcome: Result<Receipt, Refused>,
    /// Whether this is the answer to an earlier time.
    pub repeated: bool,
}

/// The data of [`ANSWERED`]: `{"command": "OfferThing", "key": "k-7", "fingerprint": "…"}`, with
/// `answering` where it answers an asked task, and `code` and `reason` where it was refused. It
/// carries the tag `asked:<id>`.
#[derive(Serialize, Deserialize)]
struct Said {
    command: String,
    key: String,
    fingerprint: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answering: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

fn answers(id: Uuid) -> Query {
    Query::default().or(QueryItem::of(&[ANSWERED], vec![asked(id)]))
}

fn asked(id: Uuid) -> Tag {
    Tag::raw(format!("asked:{id}"))
}

/// What is recorded with the outcome, unless something is under this key already.
fn note(name: &str, key: &Key, fingerprint: Uuid, answering: Option<Uuid>) -> Note {
    let (name, key) = (name.to_owned(), key.clone());
    Note {
        conditions: vec![AppendCondition {
            fail_if_events_match: answers(key.id),
            after: 0,
        }],
        write: Box::new(move |came| {
            let refused = match came {
                Came::Accepted => None,
                Came::Refused(refused) => Some(refused),
            };
            let said = Said {
                command: name.clone(),
                key: key.text.clone(),
                fingerprint,
                answering,
                code: refused.map(|r| r.code.clone()),
                reason: refused.map(|r| r.message.clone()),
            };
            Draft {
                ty: ANSWERED.into(),
                version: 1,
                tags: vec![asked(key.id)],
                data: serde_json::to_vec(&said).unwrap_or_default().into(),
            }
        }),
    }
}

impl App {
    /// Sends a command by name under a key. The same key with the same body changes nothing and
    /// gets what came of it the first time, also a refusal; for as long as the log is kept. What
    /// failed otherwise is not kept, and can be sent again under the same key.
    ///
    /// # Errors
    /// See [`SendError`]; nothing was changed. [`SendError::Reused`]: the key has another body, or
    /// answered another task.
    pub async fn send_once(
        &self,
        name: &str,
        body: Value,
        envelope: Envelope,
        key: &Key,
    ) -> Result<Kept, SendError> {
        self.task(name)?;
        let asked = fingerprint(name, &body);
        let envelope = Envelope {
            id: Some(key.id),
            ..envelope
        };
        loop {
            if let Some(note) = self.core.answer_under(key.id).await? {
                let said: Said = note.read()?;
                if said.fingerprint != asked || said.answering != envelope.answering {
                    return Err(SendError::Reused(key.id));
                }
                return self.core.kept(&note).await;
            }
            let note = note(name, key, asked, envelope.answering);
            let deciding = self.begin(name, &body)?;
            let envelope = envelope.clone();
            let correlation = envelope.correlation.unwrap_or(key.id);
            let actor = envelope.actor.clone();
            let done = self.decide_noted(deciding, (name, &body), envelope, Some(note));
            let (outcome, repeated) = match done.await? {
                // Somebody was faster under this key.
                Done::Unmet(..) => continue,
                // The same from another program on this log: what it kept is there.
                Done::Accepted(receipt) if receipt.repeated => {
                    match self.core.answer_under(key.id).await? {
                        Some(_) => continue,
                        None => (Ok(receipt), true),
                    }
                }
                Done::Accepted(receipt) => (Ok(receipt), false),
                Done::Refused(refused, _) => (Err(refused), false),
            };
            return Ok(Kept {
                command: key.id,
                name: name.into(),
                actor,
                correlation,
                outcome,
                repeated,
            });
        }
    }

    /// What came of a command that was asked under a key, by the command's id; none where nothing
    /// is kept under it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn kept(&self, command: Uuid) -> Result<Option<Kept>, SendError> {
        match self.core.answer_under(command).await? {
            Some(note) => Ok(Some(self.core.kept(&note).await?)),
            None => Ok(None),
        }
    }
}

impl Core {
    /// What is kept under a key.
    async fn answer_under(&self, id: Uuid) -> Result<Option<StoredEvent>, StoreError> {
        let slice = self.store.read(&answers(id), Range::after(0, 1)).await?;
        Ok(slice.events.into_iter().next())
    }

    async fn kept(&self, note: &StoredEvent) -> Result<Kept, SendError> {
        let said: Said = note.read()?;
        let origin = &note.meta.origin;
        let command = origin.command.unwrap_or(note.meta.id);
        let key = CommandKey {
            id: command,
            fingerprint: said.fingerprint,
        };
        let outcome = match (said.code, said.reason) {
            (Some(code), Some(message)) => Err(Refused {
                code,
                message,
                typed: None,
            }),
            _ => match self.repeated(key).await? {
                Some(receipt) => Ok(receipt),
                None => {
                    let lost = format!("the log does not know command {command} any more");
                    return Err(SendError::Store(StoreError::new(lost)));
                }
            },
        };
        Ok(Kept {
            command,
            name: said.command,
            actor: origin.actor.clone(),
            correlation: origin.correlation,
            outcome,
            repeated: true,
        })
    }
}
