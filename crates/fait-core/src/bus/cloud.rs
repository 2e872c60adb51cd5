//! CloudEvents 1.0.2, the form in which events travel.
//!
//! | form | content type | where the attributes are |
//! |---|---|---|
//! | structured | [`STRUCTURED`] | members of a JSON object, beside `data` or `data_base64` |
//! | batch | [`BATCH`] | in an array of such objects |
//! | binary | that of the data | headers that begin with `ce-`, percent-encoded |
//!
//! Structured is what is written, all three are read. Names of attributes may be longer than the
//! 20 characters that the specification advises. A URI is refused for characters that no URI has,
//! and not looked into any further.

mod attribute;
mod json;
mod binary;
#[cfg(test)]
mod tests;

use crate::event::{Position, Time, misfit};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use uuid::Uuid;

/// The content type of one CloudEvent as JSON.
pub const STRUCTURED: &str = "application/cloudevents+json";

/// The content type of several as JSON.
pub const BATCH: &str = "application/cloudevents-batch+json";

/// An event on its way between systems, as the CloudEvents specification 1.0.2 describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct CloudEvent {
    /// Unique together with [`source`](CloudEvent::source).
    pub id: String,
    /// Who sends it: a URI reference.
    pub source: String,
    /// Which kind it is: `com.example.tickets.tickets-issued.v1`.
    pub ty: String,
    /// What it is about in its source.
    pub subject: Option<String>,
    /// When it happened: a timestamp of RFC 3339, as it was written.
    pub time: Option<String>,
    /// The media type of the data.
    pub datacontenttype: Option<String>,
    /// Where the schema of the data is: a URI.
    pub dataschema: Option<String>,
    /// All other attributes, by their names of lower-case letters and digits.
    pub extensions: BTreeMap<String, Attribute>,
    /// What it says.
    pub data: Data,
}

/// The value of an extension attribute.
///
/// Headers say nothing of types, so that what comes in the binary form is always text; an accessor
/// that wants a number reads both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// A boolean.
    Flag(bool),
    /// A whole number.
    Number(i32),
    /// Text; timestamps, URIs and binary values are text as well.
    Text(String),
}

/// What a CloudEvent says.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Data {
    /// Nothing.
    #[default]
    None,
    /// JSON.
    Json(Value),
    /// Bytes of another media type.
    Bytes(Bytes),
}

/// Something is no CloudEvent, or its data is not what was expected: a sentence that says what is
/// wrong and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CloudEventError(String);

impl CloudEvent {
    /// Most bytes of one event that is read: 1 MiB, what a broker usually carries and one event
    /// of the log may hold.
    pub const MOST_BYTES: usize = 1 << 20;

    /// Most events of one batch that is read; it has at most 32 times [`Self::MOST_BYTES`].
    pub const MOST_IN_BATCH: usize = 4096;

    /// How deep lists and objects in JSON data may be nested.
    pub const MOST_DEPTH: usize = 100;

    /// Reads one that came with headers, whatever form it has. Names of headers are those of
    /// HTTP or NATS, in any case; what is not of a CloudEvent is not looked at.
    ///
    /// # Errors
    /// It breaks a rule of the specification or a limit, or it is a batch.
    pub fn read_message(
        headers: &[(String, String)],
        body: &[u8],
    ) -> Result<CloudEvent, CloudEventError> {
        match form(headers)? {
            Form::Structured => CloudEvent::from_json(body),
            Form::Binary => binary::read(headers, body),
            Form::Batch => Err(wrong(format!(
                "this is a batch, where one CloudEvent was expected; send each by itself as \
                 `{STRUCTURED}`"
            ))),
        }
    }

    /// Reads what came with headers: a batch, or one.
    ///
    /// # Errors
    /// One of them breaks a rule of the specification or a limit; then none is given.
    pub fn read_all(
        headers: &[(String, String)],
        body: &[u8],
    ) -> Result<Vec<CloudEvent>, CloudEventError> {
        match form(headers)? {
            Form::Batch => CloudEvent::from_json_batch(body),
            _ => CloudEvent::read_message(headers, body).map(|one| vec![one]),
        }
    }

    /// Whether every rule of the specification is kept; what is read was checked, and so should
    /// be what is sent.
    ///
    /// # Errors
    /// The first rule that is not.
    pub fn check(&self) -> Result<(), CloudEventError> {
        attribute::check(self)?;
        match &self.data {
            Data::Json(_) if !attribute::is_json(self.datacontenttype.as_deref()) => {
                let ty = self.datacontenttype.as_deref().unwrap_or_default();
                Err(wrong(format!(
                    "the data is JSON, but `datacontenttype` says `{ty}`; let it say \
                     `application/json`"
                )))
            }
            Data::Json(value) if !shallow(value, CloudEvent::MOST_DEPTH) => Err(wrong(format!(
                "the data is nested more than {} levels deep; flatten it",
                CloudEvent::MOST_DEPTH
            ))),
            _ => Ok(()),
        }
    }

    /// The data as a type of the reader's own.
    ///
    /// # Errors
    /// There is no data, it is not JSON, or it does not fit; the error names the field.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, CloudEventError> {
        let of = &self.ty;
        match &self.data {
            Data::Json(value) => serde_path_to_error::deserialize(value).map_err(|e| {
                let path = e.path().to_string();
                let (_, what) = misfit(path, e.inner());
                wrong(format!("the data of `{of}` cannot be read: {what}"))
            }),
            Data::None => Err(wrong(format!("`{of}` came without data"))),
            Data::Bytes(_) => {
                let ty = self.datacontenttype.as_deref().unwrap_or("bytes");
                Err(wrong(format!("the data of `{of}` is `{ty}`, not JSON")))
            }
        }
    }

    /// An extension attribute that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.extensions.get(name) {
            Some(Attribute::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The flow it belongs to, from `correlationid`, where that is a UUID.
    pub fn correlation(&self) -> Option<Uuid> {
        self.text("correlationid").and_then(|t| t.parse().ok())
    }

    /// What led to it in its source, from `causationid`, where that is a UUID.
    pub fn causation(&self) -> Option<Uuid> {
        self.text("causationid").and_then(|t| t.parse().ok())
    }

    /// The W3C trace context of what it was sent for.
    pub fn traceparent(&self) -> Option<&str> {
        self.text("traceparent")
    }

    /// Its place among the messages of its source, from `sequence`, where that is a number.
    pub fn sequence(&self) -> Option<Position> {
        match self.extensions.get("sequence")? {
            Attribute::Text(text) => text.parse().ok(),
            Attribute::Number(number) => (*number).try_into().ok(),
            Attribute::Flag(_) => None,
        }
    }

    /// What stays in order: `partitionkey`, or else the subject.
    pub fn key(&self) -> Option<&str> {
        self.text("partitionkey").or(self.subject.as_deref())
    }

    /// When it happened, to the millisecond, where that is after 1970.
    pub fn occurred_at(&self) -> Option<Time> {
        self.time.as_ref().and_then(|t| t.parse().ok())
    }
}

impl fmt::Display for Attribute {
    /// The string encoding of the specification.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Attribute::Flag(flag) => flag.fmt(f),
            Attribute::Number(number) => number.fmt(f),
            Attribute::Text(text) => f.write_str(text),
        }
    }
}

enum Form {
    Structured,
    Batch,
    Binary,
}

/// Which form it has, by the content type as the bindings say.
fn form(headers: &[(String, String)]) -> Result<Form, CloudEventError> {
    let ty = binary::header(headers, "content-type")?.unwrap_or_default();
    match attribute::essence(&ty).as_str() {
        STRUCTURED => Ok(Form::Structured),
        BATCH => Ok(Form::Batch),
        other if other.starts_with("application/cloudevents") => Err(wrong(format!(
            "CloudEvents as `{other}` are not understood; send `{STRUCTURED}`"
        ))),
        _ => Ok(Form::Binary),
    }
}

fn wrong(message: String) -> CloudEventError {
    CloudEventError(message)
}

/// Whether lists and objects are nested at most so deep.
fn shallow(value: &Value, left: usize) -> bool {
    match value {
        Value::Array(_) | Value::Object(_) if left == 0 => false,
        Value::Array(items) => items.iter().all(|v| shallow(v, left - 1)),
        Value::Object(fields) => fields.values().all(|v| shallow(v, left - 1)),
        _ => true,
    }
}

/// Text of somebody else in an error: the beginning, and nothing that a terminal would obey.
fn shown(text: &str) -> String {
    let cut: String = text.chars().take(60).collect();
    cut.escape_debug().to_string()
}
