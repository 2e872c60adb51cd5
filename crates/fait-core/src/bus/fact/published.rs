//! What is recorded of what was published, and of how it is handed to brokers.

use super::{OUTLET_JOINED, PUBLICATIONS_BEGAN, PUBLISHED, SKIPPED};
use crate::bus::cloud::{Attribute, CloudEvent, Data};
use crate::bus::published::{DeprecatedDef, PublishedDef};
use crate::event::{DecodeError, Draft, Meta, Origin, Position, StoredEvent, Tag, Time};
use crate::process::json_bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What was published of one event by one publication carries it, beside [`publication_tag`].
pub fn of_tag(source: Uuid) -> Tag {
    Tag::new("of", source)
}

/// All that one publication published carries it.
pub fn publication_tag(publication: &str) -> Tag {
    Tag::new("publication", publication)
}

/// All messages of one type carry it, the version included.
pub fn published_tag(ty: &str) -> Tag {
    Tag::new("published", ty)
}

/// All that is recorded of one outlet carries it.
pub fn outlet_tag(outlet: &str) -> Tag {
    Tag::new("outlet", outlet)
}

/// The event that a message was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its id.
    pub id: Uuid,
    /// Its position.
    pub position: Position,
}

/// Something was published: the exact words, for ever.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessagePublished {
    /// The publication that made it.
    pub publication: String,
    /// Its type on the bus, with the version.
    #[serde(rename = "type")]
    pub ty: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The name of its schema: a URI.
    pub schema: String,
    /// What it says.
    pub data: Value,
    /// When what it tells of happened.
    pub time: Time,
    /// What it was made of.
    pub of: Source,
    /// That its type was to cease when it was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<DeprecatedDef>,
}

impl MessagePublished {
    /// The event to be recorded. It carries the tags of the event that it was made of, so that it
    /// is erased together with that.
    pub fn draft(&self, source: &StoredEvent) -> Draft {
        let mut tags = source.tags.clone();
        tags.push(of_tag(self.of.id));
        tags.push(publication_tag(&self.publication));
        tags.push(published_tag(&self.ty));
        Draft {
            ty: PUBLISHED.into(),
            version: 1,
            tags,
            data: json_bytes(self).into(),
        }
    }

    /// Its id, always the same for the same message: the `n`-th that a publication makes of an
    /// event.
    pub fn id(publication: &str, source: Uuid, n: usize) -> Uuid {
        Uuid::new_v5(&source, format!("published {publication}/{n}").as_bytes())
    }

    /// Where it comes from: the flow and the trace are those of the event that it was made of.
    pub fn origin(publication: &str, source: &StoredEvent) -> Origin {
        let origin = &source.meta.origin;
        Origin {
            occurred_at: origin.occurred_at,
            actor: Some(format!("publication:{publication}")),
            command: None,
            correlation: origin.correlation,
            causation: Some(source.meta.id),
            traceparent: origin.traceparent.clone(),
            pairs: BTreeMap::new(),
        }
    }

    /// What an event says; none when it is no message.
    ///
    /// # Errors
    /// It was written by a newer program.
    pub fn read(event: &StoredEvent) -> Result<Option<MessagePublished>, DecodeError> {
        match event.ty == PUBLISHED {
            true => event.read().map(Some),
            false => Ok(None),
        }
    }

    /// The message as it leaves the system that is known to others as `source`.
    pub fn cloud_event(self, meta: &Meta, source: &str) -> CloudEvent {
        let origin = &meta.origin;
        let mut extensions = BTreeMap::new();
        let mut text = |name: &str, value: String| {
            extensions.insert(name.to_string(), Attribute::Text(value));
        };
        text("sequence", format!("{:020}", meta.position));
        text("recordedtime", meta.recorded_at.to_string());
        text("correlationid", origin.correlation.to_string());
        text("causationid", self.of.id.to_string());
        if let Some(subject) = &self.subject {
            text("partitionkey", subject.clone());
        }
        if let Some(trace) = &origin.traceparent {
            text("traceparent", trace.clone());
        }
        if let Some(d) = &self.deprecated {
            text("deprecationfrom", format!("{}T00:00:00Z", d.since));
            if let Some(sunset) = &d.sunset {
                text("deprecationsunset", format!("{sunset}T23:59:59Z"));
            }
            if let Some(address) = d.instead.as_deref().filter(|i| is_address(i)) {
                text("deprecationmigration", address.into());
            }
            extensions.insert("deprecated".into(), Attribute::Flag(true));
        }
        CloudEvent {
            id: meta.id.to_string(),
            source: source.into(),
            ty: self.ty,
            subject: self.subject,
            time: Some(self.time.to_string()),
            datacontenttype: Some("application/json".into()),
            dataschema: Some(self.schema),
            extensions,
            data: Data::Json(self.data),
        }
    }
}

fn is_address(text: &str) -> bool {
    let web = text.starts_with("https://") || text.starts_with("http://");
    web && text.bytes().all(|b| b.is_ascii_graphic())
}

impl PublishedDef {
    /// The name of its schema, a URI: the same for all who publish the type.
    pub fn schema_id(&self) -> String {
        format!("urn:fait:schema:{}", self.ty)
    }
}

/// From where on publications make messages of what happens; about no message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PublicationsBegan {
    /// The last position of which nothing is published, by publication.
    pub publications: BTreeMap<String, Position>,
}

impl PublicationsBegan {
    /// The event to be recorded.
    pub fn draft(&self) -> Draft {
        let tags = self.publications.keys();
        Draft {
            ty: PUBLICATIONS_BEGAN.into(),
            version: 1,
            tags: tags.map(|name| publication_tag(name)).collect(),
            data: json_bytes(self).into(),
        }
    }
}

/// What is handed to an outlet goes there from here on: at the first contact, or because an
/// operator said so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutletJoined {
    /// The outlet.
    pub outlet: String,
    /// The history that it held then.
    pub history: String,
    /// The place of its last message then. What came behind that is from here.
    pub sequence: u64,
    /// Messages behind this position are handed over.
    pub after: Position,
    /// Why an operator said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl OutletJoined {
    /// The event to be recorded.
    pub fn draft(&self) -> Draft {
        Draft {
            ty: OUTLET_JOINED.into(),
            version: 1,
            tags: vec![outlet_tag(&self.outlet)],
            data: json_bytes(self).into(),
        }
    }
}

/// An operator lets an outlet go on without a message that it cannot carry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageSkipped {
    /// The outlet.
    pub outlet: String,
    /// The place of the message in the log.
    pub position: Position,
    /// Why.
    pub reason: String,
}

impl MessageSkipped {
    /// The event to be recorded.
    pub fn draft(&self) -> Draft {
        Draft {
            ty: SKIPPED.into(),
            version: 1,
            tags: vec![outlet_tag(&self.outlet)],
            data: json_bytes(self).into(),
        }
    }
}
