//! What became of a message that came in.

use super::{BYTES, CONTINUED, RECEIVED};
use crate::event::{DecodeError, Draft, StoredEvent, Tag};
use crate::process::json_bytes;
use crate::store::MAX_BATCH_BYTES;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Bytes of a message, as it is written, that stand in the fact itself.
const IN_FACT: usize = 256 << 10;

/// Bytes of a message in one fact behind that.
const IN_PART: usize = 512 << 10;

/// Largest message that can be kept unread, headers included, in bytes: it is kept in one append,
/// in base64 of what may be base64 itself.
pub const MAX_RAW_BYTES: usize = MAX_BATCH_BYTES / 8;

/// A message came in, or one that was kept was read again.
///
/// How a message stands says its newest fact. What was ignored when it came in has none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageReceived {
    /// Who hears it: the name under which the inlet is wired.
    pub receiver: String,
    /// Which message, for this receiver; see [`message_id`].
    pub message: Uuid,
    /// Its source; none where that could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Its id, unique in its source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its type.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub ty: Option<String>,
    /// What keeps it in order with others: the key or else the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The history that it came in.
    pub history: String,
    /// Its place in there.
    pub sequence: u64,
    /// What became of it.
    pub became: Became,
    /// Whether it had been kept before, and was read again or skipped.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// As which message it had been kept while its source and id could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_as: Option<Uuid>,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Became {
    /// An event, which stands right before.
    Recorded {
        /// Its id.
        event: Uuid,
        /// Its stored name.
        #[serde(rename = "type")]
        ty: String,
    },
    /// A command that was accepted. What happened stands right before; nothing had to, maybe.
    Accepted {
        /// Its id.
        command: Uuid,
        /// Its name.
        name: String,
    },
    /// A command that was refused.
    Refused {
        /// Its id.
        command: Uuid,
        /// Its name.
        name: String,
        /// The code of the refusal.
        code: String,
        /// Its sentence.
        reason: String,
    },
    /// Nothing: read again, it was none of this system's business.
    Ignored,
    /// Nothing: the same message had come by another way.
    Known,
    /// It could not be read, and is kept as it came.
    Unreadable {
        /// Why.
        reason: String,
        /// As it came.
        raw: Raw,
    },
    /// It is kept as it came, because one with the same key before it is.
    Waiting {
        /// As it came.
        raw: Raw,
    },
    /// Nothing: an operator said so.
    Skipped {
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
}

impl Became {
    /// As it came, while it is kept.
    pub fn raw(&self) -> Option<&Raw> {
        match self {
            Became::Unreadable { raw, .. } | Became::Waiting { raw } => Some(raw),
            _ => None,
        }
    }

    /// The name, as it is stored.
    pub fn name(&self) -> &'static str {
        match self {
            Became::Recorded { .. } => "recorded",
            Became::Accepted { .. } => "accepted",
            Became::Refused { .. } => "refused",
            Became::Ignored => "ignored",
            Became::Known => "known",
            Became::Unreadable { .. } => "unreadable",
            Became::Waiting { .. } => "waiting",
            Became::Skipped { .. } => "skipped",
        }
    }
}

/// A message as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raw {
    /// Its headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// Its body, where that is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Its body in base64, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// How many facts right behind this one have all of that, in order; 0 when it stands here.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub parts: u32,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl Raw {
    /// A message as it came; with the facts that must stand right behind the one that has this,
    /// under a tag, so that they are erased with it.
    pub fn of(headers: &[(String, String)], body: &[u8], tag: &Tag) -> (Raw, Vec<Draft>) {
        let mut raw = Raw {
            headers: headers.to_vec(),
            ..Raw::default()
        };
        match std::str::from_utf8(body) {
            Ok(text) => raw.text = Some(text.into()),
            Err(_) => raw.base64 = Some(STANDARD.encode(body)),
        }
        let written = json_bytes(&raw);
        if written.len() <= IN_FACT {
            return (raw, vec![]);
        }
        let parts: Vec<Draft> = written
            .chunks(IN_PART)
            .map(|bytes| part(bytes, tag))
            .collect();
        let raw = Raw {
            parts: u32::try_from(parts.len()).unwrap_or(u32::MAX),
            ..Raw::default()
        };
        (raw, parts)
    }

    /// Headers and body; `behind` are the facts right behind the one that has this, as many as
    /// [`parts`](Self::parts) says.
    ///
    /// # Errors
    /// A part is missing or is none: a sentence.
    pub fn open(self, behind: &[StoredEvent]) -> Result<(Vec<(String, String)>, Bytes), String> {
        let bad = |e: &dyn std::fmt::Display| format!("its bytes cannot be read: {e}");
        let whole = if self.parts == 0 {
            self
        } else {
            let mut written = vec![];
            for n in 0..self.parts as usize {
                let part = behind.get(n).filter(|e| e.ty == BYTES);
                let part = part.ok_or("not all of its bytes are there any more")?;
                let part: Part = part.read().map_err(|e| bad(&e))?;
                written.extend(STANDARD.decode(part.base64).map_err(|e| bad(&e))?);
            }
            serde_json::from_slice(&written).map_err(|e| bad(&e))?
        };
        let body = match (whole.text, whole.base64) {
            (Some(text), _) => text.into_bytes().into(),
            (None, Some(coded)) => STANDARD.decode(coded).map_err(|e| bad(&e))?.into(),
            (None, None) => Bytes::new(),
        };
        Ok((whole.headers, body))
    }
}

#[derive(Serialize, Deserialize)]
struct Part {
    base64: String,
}

fn part(bytes: &[u8], tag: &Tag) -> Draft {
    let part = Part {
        base64: STANDARD.encode(bytes),
    };
    Draft {
        ty: BYTES.into(),
        version: 1,
        tags: vec![tag.clone()],
        data: json_bytes(&part).into(),
    }
}

/// An operator said where to go on in another history of what comes in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Continued {
    /// The receiver.
    pub receiver: String,
    /// Which history; none: whichever there is, from its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<String>,
    /// What stands behind this place comes next; 0 for the beginning.
    pub sequence: u64,
    /// Who said so.
    pub by: String,
}

/// Which message this is for a receiver: always the same for the same source and id. It is also
/// the id of the command that the message becomes.
pub fn message_id(receiver: &str, source: &str, id: &str) -> Uuid {
    // With the length before each, no two read alike.
    let (r, s) = (receiver.len(), source.len());
    let name = format!("message {r}:{receiver} {s}:{source} {id}");
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
}

/// Which message this is, of which neither source nor id can be read: the one at its place.
pub fn place_id(receiver: &str, history: &str, sequence: u64) -> Uuid {
    let (r, h) = (receiver.len(), history.len());
    let name = format!("place {r}:{receiver} {h}:{history} {sequence}");
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
}

/// All facts of one message carry it.
pub fn in_tag(receiver: &str, message: Uuid) -> Tag {
    Tag::new("in", format_args!("{receiver}:{message}"))
}

/// All facts carry it that say how far a receiver has come.
pub fn inlet_tag(receiver: &str) -> Tag {
    Tag::new("inlet", receiver)
}

/// All facts of a receiver carry it that begin or end that a message is kept.
pub fn unread_tag(receiver: &str) -> Tag {
    Tag::new("unread", receiver)
}

impl MessageReceived {
    /// Reads the fact; none when the event is something else.
    ///
    /// # Errors
    /// It is one that this program cannot read.
    pub fn of(event: &StoredEvent) -> Result<Option<MessageReceived>, DecodeError> {
        if event.ty != RECEIVED {
            return Ok(None);
        }
        if event.version > 1 {
            return Err(event.unreadable("it is newer than this program"));
        }
        event.read().map(Some)
    }

    /// As which message it is kept, or was.
    pub fn kept(&self) -> Uuid {
        self.kept_as.unwrap_or(self.message)
    }

    /// The fact as an event to be recorded.
    pub fn draft(&self) -> Draft {
        let mut tags = vec![in_tag(&self.receiver, self.message)];
        if !self.again {
            tags.push(inlet_tag(&self.receiver));
        }
        if self.again || self.became.raw().is_some() {
            tags.push(unread_tag(&self.receiver));
        }
        tags.extend(self.kept_as.map(|id| in_tag(&self.receiver, id)));
        Draft {
            ty: RECEIVED.into(),
            version: 1,
            tags,
            data: json_bytes(self).into(),
        }
    }
}

impl Continued {
    /// Reads the fact; none when the event is something else.
    ///
    /// # Errors
    /// It is one that this program cannot read.
    pub fn of(event: &StoredEvent) -> Result<Option<Continued>, DecodeError> {
        if event.ty != CONTINUED {
            return Ok(None);
        }
        event.read().map(Some)
    }

    /// The fact as an event to be recorded.
    pub fn draft(&self) -> Draft {
        Draft {
            ty: CONTINUED.into(),
            version: 1,
            tags: vec![inlet_tag(&self.receiver)],
            data: json_bytes(self).into(),
        }
    }
}
