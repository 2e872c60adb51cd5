//! CloudEvents 1.0.2, the form in which events travel.

use bytes::Bytes;
use serde_json::Value;
use std::collections::BTreeMap;

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

impl CloudEvent {
    /// An extension attribute that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.extensions.get(name) {
            Some(Attribute::Text(text)) => Some(text),
            _ => None,
        }
    }
}
