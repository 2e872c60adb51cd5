//! An event: something that happened, in the past tense, relevant to a domain expert.

mod code;
mod decode;
mod money;
mod tag;
mod time;
mod trace;

pub use code::EventCode;
pub(crate) use decode::misfit;
pub use decode::{DecodeError, decode_event, panic_text};
pub use money::{Money, MoneyError};
pub use tag::{EntityId, IdError, IdValue, Tag, Tagged};
pub use time::{Time, TimeError, days, hours, minutes, seconds};
pub use trace::is_traceparent;

use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Debug;
use uuid::Uuid;

/// The place of an event in the whole store: 1, 2, 3 … without a gap. 0 is before the first.
pub type Position = u64;

/// Names that start with this belong to `fait` itself; applications cannot use them.
pub const RESERVED_PREFIX: char = '$';

/// One type of event, with its stored name, its version and its tags.
///
/// Derived by `#[event]`. The stored name never changes by accident: renaming the struct without
/// `was` is found by `fait history check` and by the manifest's golden file.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "put `#[event]` on this struct"
)]
pub trait Event:
    Serialize + DeserializeOwned + JsonSchema + Clone + Debug + PartialEq + Send + Sync + 'static
{
    /// The stored name.
    const TYPE: &'static str;
    /// Older stored names of the same event.
    const WAS: &'static [&'static str] = &[];
    /// The version written today, from 1.
    const VERSION: u32 = 1;
    /// The oldest version that [`downcast`](Event::downcast) can give; today's when there is none.
    const OLDEST: u32 = Self::VERSION;
    /// The documentation comment: what the expert would say.
    const DOC: &'static str = "";
    /// What the event happened to.
    fn tags(&self) -> Vec<Tag>;
    /// Brings the JSON of an older version to the version written today.
    ///
    /// # Errors
    /// A sentence that says what the old event lacks; readers report it with the position.
    fn upcast(_from: u32, data: Value) -> Result<Value, String> {
        Ok(data)
    }
    /// Brings the JSON of today's version to an older one, not older than
    /// [`OLDEST`](Event::OLDEST): for feeds whose reader does not know today's.
    ///
    /// # Errors
    /// A sentence that says what the older version cannot say of this event.
    fn downcast(to: u32, _data: Value) -> Result<Value, String> {
        Err(format!(
            "`{}` has no downcaster to version {to}",
            Self::TYPE
        ))
    }
}

/// Some event types: one event, or a visible enum with `#[derive(EventSet)]`.
///
/// The set is at once the exhaustive match, the query and the subscription.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a set of events",
    label = "put `#[event]` on a struct, or `#[derive(EventSet)]` on an enum of events"
)]
pub trait EventSet: Sized + Send + Sync + 'static {
    /// The stored names in the set, older names included.
    const TYPES: &'static [&'static str];
    /// What this event happened to.
    fn tags(&self) -> Vec<Tag>;
    /// Reads a stored event; `None` when it is not in the set.
    ///
    /// # Errors
    /// The event is in the set but cannot be read.
    fn decode(event: &StoredEvent) -> Result<Option<Self>, DecodeError>;
    /// Writes the event as stored bytes.
    ///
    /// # Errors
    /// The event's own `Serialize` refuses.
    fn encode(&self) -> Result<Draft, EncodeError>;
    /// The definitions of the events in the set, for the manifest.
    fn defs() -> Vec<EventDef>;
    /// The ids of one kind that this event is tagged with, in the order of its fields.
    fn ids<K: EntityId>(&self) -> Vec<K> {
        ids_in(&self.tags())
    }
}

/// The ids of one kind among some tags.
pub fn ids_in<K: EntityId>(tags: &[Tag]) -> Vec<K> {
    tags.iter()
        .filter(|t| t.kind() == K::KIND)
        .filter_map(|t| K::parse(t.value()).ok())
        .collect()
}

impl<E: Event> EventSet for E {
    const TYPES: &'static [&'static str] = {
        // A const cannot have an array of `E`'s length, so names are cut from one of fixed length.
        const MOST: usize = 32;
        let names: &'static [&'static str; MOST] = &const {
            assert!(E::WAS.len() < MOST, "an event has at most 31 older names");
            let mut names = [E::TYPE; MOST];
            let mut i = 0;
            while i < E::WAS.len() {
                names[i + 1] = E::WAS[i];
                i += 1;
            }
            names
        };
        names.split_at(E::WAS.len() + 1).0
    };
    fn tags(&self) -> Vec<Tag> {
        Event::tags(self)
    }
    fn decode(event: &StoredEvent) -> Result<Option<Self>, DecodeError> {
        if event.ty == E::TYPE || E::WAS.contains(&event.ty.as_str()) {
            decode_event(event).map(Some)
        } else {
            Ok(None)
        }
    }
    fn encode(&self) -> Result<Draft, EncodeError> {
        encode_event(self)
    }
    fn defs() -> Vec<EventDef> {
        vec![EventDef::of::<E>()]
    }
}

/// The empty set: a process that raises no event of its own says `type Raises = Never`.
pub type Never = Infallible;

impl EventSet for Infallible {
    const TYPES: &'static [&'static str] = &[];
    fn tags(&self) -> Vec<Tag> {
        match *self {}
    }
    fn decode(_: &StoredEvent) -> Result<Option<Self>, DecodeError> {
        Ok(None)
    }
    fn encode(&self) -> Result<Draft, EncodeError> {
        match *self {}
    }
    fn defs() -> Vec<EventDef> {
        vec![]
    }
}

/// An event type as data. Two are the same when all of that is, whatever code they have.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EventDef {
    /// The stored name.
    pub name: String,
    /// Older stored names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub was: Vec<String>,
    /// The version written today.
    pub version: u32,
    /// What the expert would say.
    pub doc: String,
    /// The JSON Schema of the data.
    pub schema: Value,
    /// What the program can do with it; none where the definition was read from a file.
    #[serde(skip)]
    pub code: Option<EventCode>,
}

impl PartialEq for EventDef {
    fn eq(&self, other: &EventDef) -> bool {
        let EventDef {
            name,
            was,
            version,
            doc,
            schema,
            code: _,
        } = other;
        (&self.name, &self.was, self.version) == (name, was, *version)
            && (&self.doc, &self.schema) == (doc, schema)
    }
}

impl EventDef {
    /// The definition of one Rust event type.
    pub fn of<E: Event>() -> Self {
        EventDef {
            name: E::TYPE.into(),
            was: E::WAS.iter().map(|s| s.to_string()).collect(),
            version: E::VERSION,
            doc: E::DOC.into(),
            schema: schema_of::<E>(),
            code: Some(EventCode::of::<E>()),
        }
    }
}

/// The JSON Schema of a Rust type, without its `$schema` line.
pub fn schema_of<T: JsonSchema>() -> Value {
    let mut schema = schemars::SchemaGenerator::default().into_root_schema_for::<T>();
    schema.remove("$schema");
    schema.into()
}

/// What a decision or a process wants recorded: an event without id and metadata.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Stored name.
    pub ty: String,
    /// Version of the data.
    pub version: u32,
    /// What it happened to.
    pub tags: Vec<Tag>,
    /// JSON bytes.
    pub data: Bytes,
}

/// Where an event comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// When it happened, where that differs from when it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Time>,
    /// Who did it, for example `waiter:ann`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The command whose decision raised it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Uuid>,
    /// The flow it belongs to: the id of the first message of the flow.
    pub correlation: Uuid,
    /// The event that led to it; none when the input came from outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation: Option<Uuid>,
    /// W3C trace context of the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Anything else.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pairs: BTreeMap<String, String>,
}

/// What the store knows about an event besides its data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// Place in the store.
    pub position: Position,
    /// Unique id.
    pub id: Uuid,
    /// When it was recorded. Never runs backwards along positions.
    pub recorded_at: Time,
    /// Where it comes from.
    #[serde(flatten)]
    pub origin: Origin,
}

/// An event to be appended.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// Unique id.
    pub id: Uuid,
    /// Stored name.
    pub ty: String,
    /// Version of the data.
    pub version: u32,
    /// What it happened to.
    pub tags: Vec<Tag>,
    /// Bytes; JSON by convention.
    pub data: Bytes,
    /// Where it comes from.
    pub origin: Origin,
}

impl Draft {
    /// The event with its id and origin.
    pub fn with(self, id: Uuid, origin: Origin) -> NewEvent {
        let Draft {
            ty,
            version,
            tags,
            data,
        } = self;
        NewEvent {
            id,
            ty,
            version,
            tags,
            data,
            origin,
        }
    }
}

/// An event as the store gives it back.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEvent {
    /// Stored name.
    pub ty: String,
    /// Version of the data.
    pub version: u32,
    /// What it happened to.
    pub tags: Vec<Tag>,
    /// Bytes as they were appended.
    pub data: Bytes,
    /// Position, id, time, cause.
    pub meta: Meta,
}

impl StoredEvent {
    /// The data as JSON.
    ///
    /// # Errors
    /// The bytes are not JSON; the message names the type and position.
    pub fn json(&self) -> Result<Value, DecodeError> {
        serde_json::from_slice(&self.data).map_err(|e| self.unreadable(e))
    }

    /// The event as one JSON object, as the HTTP interface and the command line show it. What
    /// `fait` keeps for itself in the origin is not in it.
    pub fn to_json(&self) -> Value {
        let mut out = serde_json::to_value(&self.meta).unwrap_or_default();
        if let Some(pairs) = out.get_mut("pairs").and_then(Value::as_object_mut) {
            pairs.retain(|name, _| !name.starts_with(RESERVED_PREFIX));
            if pairs.is_empty()
                && let Some(all) = out.as_object_mut()
            {
                all.remove("pairs");
            }
        }
        out["type"] = self.ty.clone().into();
        out["version"] = self.version.into();
        out["tags"] = self.tags.iter().map(|t| t.as_str().to_string()).collect();
        out["data"] = self
            .json()
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&self.data).into_owned()));
        out
    }

    /// The event in what [`to_json`](StoredEvent::to_json) wrote; none where that is something
    /// else.
    pub fn from_json(mut value: Value) -> Option<StoredEvent> {
        let ty = value.get("type")?.as_str()?.to_string();
        let version = u32::try_from(value.get("version")?.as_u64()?).ok()?;
        let tags: Vec<Tag> = serde_json::from_value(value.get_mut("tags")?.take()).ok()?;
        let data = value.get_mut("data")?.take().to_string().into_bytes();
        let meta: Meta = serde_json::from_value(value).ok()?;
        Some(StoredEvent {
            ty,
            version,
            tags,
            data: data.into(),
            meta,
        })
    }
}

/// An event could not be written.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("event {ty} cannot be written: {message}")]
pub struct EncodeError {
    /// Stored name.
    pub ty: String,
    /// What is wrong.
    pub message: String,
}

/// Writes one event type; what the derives call.
///
/// # Errors
/// The event's `Serialize` refuses.
pub fn encode_event<E: Event>(e: &E) -> Result<Draft, EncodeError> {
    let data = serde_json::to_vec(e).map_err(|x| EncodeError {
        ty: E::TYPE.into(),
        message: x.to_string(),
    })?;
    Ok(Draft {
        ty: E::TYPE.into(),
        version: E::VERSION,
        tags: Event::tags(e),
        data: data.into(),
    })
}
