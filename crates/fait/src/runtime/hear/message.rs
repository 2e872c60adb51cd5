//! What a message is here.

use super::{Hearing, KeptMessage};
use crate::bus::{CloudEvent, Incoming, Mark};
use crate::runtime::compose::shortened;
use crate::runtime::decide::Envelope;
use crate::runtime::note::Came;
use fait_core::bus::Asked;
use fait_core::bus::fact::{Became, MessageReceived, RECEIVED, Raw, in_tag, message_id, place_id};
use fait_core::event::{Draft, Origin, Time, is_traceparent, panic_text};
use fait_core::query::{Query, QueryItem};
use std::panic::{AssertUnwindSafe, catch_unwind};
use uuid::Uuid;

/// Longest source, id, type, key or subject of a message that is taken, in bytes.
const MAX_ATTRIBUTE_BYTES: usize = 1024;

/// A message in hand: one that came in, or one that was kept and is read again.
pub(super) struct InHand<'a> {
    pub(super) headers: &'a [(String, String)],
    pub(super) body: &'a [u8],
    pub(super) mark: &'a Mark,
    pub(super) kept: Option<&'a KeptMessage>,
}

/// A message as this program understands it now.
pub(super) struct Understood {
    /// The fact, but for what became of it.
    fact: MessageReceived,
    /// What it is here, or why that cannot be said.
    pub(super) here: Result<Incoming<Asked, Draft>, String>,
    correlation: Option<Uuid>,
    causation: Option<Uuid>,
    traceparent: Option<String>,
    occurred_at: Option<Time>,
}

impl InHand<'_> {
    /// Where it stood, as the beginning of a sentence.
    pub(super) fn place(&self) -> String {
        format!(
            "the message at {} of `{}`",
            self.mark.sequence, self.mark.history
        )
    }

    /// How large it is.
    pub(super) fn bytes(&self) -> usize {
        let headers = self.headers.iter().map(|(n, v)| n.len() + v.len());
        self.body.len() + headers.sum::<usize>()
    }

    /// What is kept of it, and the facts that must stand right behind.
    pub(super) fn keep(&self, u: &Understood, unreadable: Option<String>) -> Vec<Draft> {
        let tag = in_tag(&u.fact.receiver, u.fact.message);
        let (raw, parts) = Raw::of(self.headers, self.body, &tag);
        let became = match unreadable {
            Some(reason) => Became::Unreadable { reason, raw },
            None => Became::Waiting { raw },
        };
        let mut drafts = vec![u.became(became).draft()];
        drafts.extend(parts);
        drafts
    }
}

impl Hearing {
    /// Reads a message.
    pub(super) fn understand(&self, m: &InHand<'_>) -> Understood {
        let read = CloudEvent::read_message(m.headers, m.body).map_err(|e| e.to_string());
        match read.and_then(|event| too_long(&event).map_or(Ok(event), Err)) {
            Ok(event) => self.understood(m, &event),
            Err(why) => Understood {
                fact: self.fact(m, None),
                here: Err(shortened(why)),
                correlation: None,
                causation: None,
                traceparent: None,
                occurred_at: None,
            },
        }
    }

    fn understood(&self, m: &InHand<'_>, event: &CloudEvent) -> Understood {
        let here = catch_unwind(AssertUnwindSafe(|| (self.def.receive)(event)));
        let panicked = |panic: Box<dyn std::any::Any + Send>| Err(panic_text(&*panic));
        let here = match here.unwrap_or_else(panicked) {
            Ok(Incoming::Unknown(why)) | Err(why) => Err(shortened(why)),
            Ok(here) => Ok(here),
        };
        Understood {
            fact: self.fact(m, Some(event)),
            here,
            correlation: event.correlation(),
            causation: event.id.parse().ok(),
            traceparent: trace(event),
            occurred_at: event.occurred_at(),
        }
    }

    fn fact(&self, m: &InHand<'_>, event: Option<&CloudEvent>) -> MessageReceived {
        let place = || place_id(&self.name, &m.mark.history, m.mark.sequence);
        let of = |e: &CloudEvent| message_id(&self.name, &e.source, &e.id);
        let message = event.map_or_else(place, of);
        let key = |e: &CloudEvent| e.key().or(e.subject.as_deref()).map(String::from);
        MessageReceived {
            receiver: self.name.clone(),
            message,
            source: event.map(|e| e.source.clone()),
            id: event.map(|e| e.id.clone()),
            ty: event.map(|e| e.ty.clone()),
            key: event.and_then(key),
            history: m.mark.history.clone(),
            sequence: m.mark.sequence,
            became: Became::Ignored,
            again: m.kept.is_some(),
            kept_as: m.kept.map(|k| k.message).filter(|id| *id != message),
        }
    }
}

fn too_long(event: &CloudEvent) -> Option<String> {
    let key = event.key().unwrap_or_default();
    let subject = event.subject.as_deref().unwrap_or_default();
    let all = [
        ("source", event.source.as_str()),
        ("id", &event.id),
        ("type", &event.ty),
        ("subject", subject),
        ("key", key),
    ];
    let (name, text) = all.iter().find(|(_, t)| t.len() > MAX_ATTRIBUTE_BYTES)?;
    let n = text.len();
    Some(format!(
        "its {name} has {n} bytes; at most {MAX_ATTRIBUTE_BYTES} are taken"
    ))
}

impl Understood {
    /// What keeps it in order with others.
    pub(super) fn lane(&self) -> Option<Lane> {
        lane(&self.fact)
    }

    /// What was recorded of it as what it is kept.
    pub(super) fn kept(&self) -> Query {
        let f = &self.fact;
        let tag = in_tag(&f.receiver, f.kept());
        Query::default().or(QueryItem::of(&[RECEIVED], vec![tag]))
    }

    /// All that was recorded of it, also where it stood before its source and id could be read.
    pub(super) fn recorded(&self) -> Query {
        let f = &self.fact;
        let place = place_id(&f.receiver, &f.history, f.sequence);
        let mut ids = vec![f.message, place];
        ids.extend(f.kept_as);
        let item = |id| QueryItem::of(&[RECEIVED], vec![in_tag(&f.receiver, id)]);
        ids.into_iter()
            .fold(Query::default(), |q, id| q.or(item(id)))
    }

    /// The fact that this became of it.
    pub(super) fn became(&self, became: Became) -> MessageReceived {
        MessageReceived {
            became,
            ..self.fact.clone()
        }
    }

    /// What is recorded of it that came by another way than as what it is kept.
    pub(super) fn elsewhere(&self) -> Query {
        let f = &self.fact;
        match f.kept_as {
            None => Query::default(),
            Some(_) => {
                let tag = in_tag(&f.receiver, f.message);
                Query::default().or(QueryItem::of(&[RECEIVED], vec![tag]))
            }
        }
    }

    /// The fact that a command became of it.
    pub(super) fn noted(
        &self,
        asked: &Asked,
    ) -> impl Fn(Came<'_>) -> MessageReceived + Send + Sync + 'static {
        let (fact, command, name) = (self.fact.clone(), self.fact.message, asked.name.clone());
        move |came| {
            let name = name.clone();
            let became = match came {
                Came::Accepted => Became::Accepted { command, name },
                Came::Refused(refused) => Became::Refused {
                    command,
                    name,
                    code: shortened(refused.code.clone()),
                    reason: shortened(refused.message.clone()),
                },
            };
            MessageReceived {
                became,
                ..fact.clone()
            }
        }
    }

    pub(super) fn span(&self, receiver: &str) -> tracing::Span {
        let (fact, before) = (&self.fact, self.traceparent.as_deref());
        crate::runtime::spanned::receive(receiver, fact.message, fact.ty.as_deref(), before)
    }

    pub(super) fn envelope(&self, system: &str) -> Envelope {
        Envelope {
            id: Some(self.fact.message),
            actor: Some(format!("system:{system}")),
            answering: None,
            correlation: self.correlation.or(Some(self.fact.message)),
            causation: self.causation,
            traceparent: self.traceparent.clone(),
        }
    }

    pub(super) fn origin(&self, system: &str) -> Origin {
        Origin {
            occurred_at: self.occurred_at,
            actor: Some(format!("system:{system}")),
            command: None,
            correlation: self.correlation.unwrap_or(self.fact.message),
            causation: self.causation,
            traceparent: self.traceparent.clone(),
            pairs: Default::default(),
        }
    }
}

/// The trace of what it was sent for. What has not that form is nothing, as the specification
/// says.
fn trace(event: &CloudEvent) -> Option<String> {
    let trace = event.traceparent().filter(|t| is_traceparent(t));
    trace.map(Into::into)
}

/// Source and key: messages that have both in common stay in order.
pub(super) type Lane = (String, String);

pub(super) fn lane(fact: &MessageReceived) -> Option<Lane> {
    Some((fact.source.clone()?, fact.key.clone()?))
}
