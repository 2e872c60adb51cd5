//! The structured form: one JSON object with all attributes, and batches of them.

use super::attribute;
use super::{Attribute, CloudEvent, CloudEventError, Data, shown, wrong};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Written with padding, read with and without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl CloudEvent {
    /// The structured form as a JSON object.
    pub fn to_json(&self) -> Value {
        // Nothing in it can refuse to be written: all names are text.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The structured form as bytes, for the content type `application/cloudevents+json`.
    pub fn to_bytes(&self) -> Bytes {
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// Reads the structured form.
    ///
    /// # Errors
    /// It is no JSON object, breaks a rule of the specification, or has more than
    /// [`MOST_BYTES`](CloudEvent::MOST_BYTES) bytes or [`MOST_DEPTH`](CloudEvent::MOST_DEPTH)
    /// levels.
    pub fn from_json(body: &[u8]) -> Result<CloudEvent, CloudEventError> {
        fits(body.len(), CloudEvent::MOST_BYTES)?;
        let members: Members = serde_json::from_slice(body).map_err(|e| {
            wrong(format!(
                "a CloudEvent is a JSON object, and this is not: {e}"
            ))
        })?;
        event(members)
    }

    /// Reads a batch.
    ///
    /// # Errors
    /// As for [`from_json`](CloudEvent::from_json) for one of them; the error says for which. Or
    /// it is larger than [`MOST_IN_BATCH`](CloudEvent::MOST_IN_BATCH) allows.
    pub fn from_json_batch(body: &[u8]) -> Result<Vec<CloudEvent>, CloudEventError> {
        fits(body.len(), 32 * CloudEvent::MOST_BYTES)?;
        let all: Vec<Members> = serde_json::from_slice(body).map_err(|e| {
            wrong(format!(
                "a batch is a JSON array of CloudEvents, and this is not: {e}"
            ))
        })?;
        if all.len() > CloudEvent::MOST_IN_BATCH {
            return Err(wrong(format!(
                "the batch has {} CloudEvents; at most {} are read, send several batches",
                all.len(),
                CloudEvent::MOST_IN_BATCH
            )));
        }
        let numbered = all.into_iter().enumerate();
        let read = numbered.map(|(at, members)| {
            event(members).map_err(|e| wrong(format!("number {} of the batch: {e}", at + 1)))
        });
        read.collect()
    }
}

/// Whether something is small enough to be looked at.
pub(super) fn fits(bytes: usize, most: usize) -> Result<(), CloudEventError> {
    match bytes <= most {
        true => Ok(()),
        false => Err(wrong(format!(
            "it has {bytes} bytes; at most {most} are read. Send where the rest is, not the rest"
        ))),
    }
}

impl Serialize for CloudEvent {
    /// The structured form, the required attributes first and the data last.
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut map = s.serialize_map(None)?;
        map.serialize_entry("specversion", "1.0")?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("source", &self.source)?;
        map.serialize_entry("type", &self.ty)?;
        let optional = [
            ("subject", &self.subject),
            ("time", &self.time),
            ("datacontenttype", &self.datacontenttype),
            ("dataschema", &self.dataschema),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                map.serialize_entry(name, value)?;
            }
        }
        for (name, value) in &self.extensions {
            match value {
                Attribute::Flag(flag) => map.serialize_entry(name, flag)?,
                Attribute::Number(number) => map.serialize_entry(name, number)?,
                Attribute::Text(text) => map.serialize_entry(name, text)?,
            }
        }
        match &self.data {
            Data::None => {}
            Data::Json(value) => map.serialize_entry("data", value)?,
            Data::Bytes(bytes) => map.serialize_entry("data_base64", &BASE64.encode(bytes))?,
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for CloudEvent {
    /// The structured form, inside something else; every rule holds but the one for the size.
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        event(Members::deserialize(d)?).map_err(D::Error::custom)
    }
}

/// The members of a JSON object as they stand there: a name that stands there twice is to be
/// seen.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with the attributes of a CloudEvent")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = vec![];
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        d.deserialize_map(Each)
    }
}

fn event(members: Members) -> Result<CloudEvent, CloudEventError> {
    let mut names = BTreeSet::new();
    let mut attributes = BTreeMap::new();
    let (mut data, mut base64) = (None, None);
    for (name, value) in members.0 {
        if !names.insert(name.clone()) {
            return Err(wrong(format!(
                "`{}` is there twice; it has to be there once",
                shown(&name)
            )));
        }
        match (name.as_str(), value) {
            ("data", value) => data = Some(value),
            ("data_base64", Value::Null) => {}
            ("data_base64", Value::String(text)) => base64 = Some(text),
            ("data_base64", _) => {
                return Err(wrong("`data_base64` has to be text in base 64".into()));
            }
            (_, value) => {
                attribute::name(&name)?;
                if let Some(value) = attribute(&name, value)? {
                    attributes.insert(name, value);
                }
            }
        }
    }
    let mut event = attribute::event(attributes)?;
    event.data = match (data, base64) {
        (Some(_), Some(_)) => {
            return Err(wrong(
                "there is `data` and `data_base64`; leave one of them out".into(),
            ));
        }
        (Some(value), None) => plain(value, event.datacontenttype.as_deref())?,
        (None, Some(text)) => encoded(&text, event.datacontenttype.as_deref())?,
        (None, None) => Data::None,
    };
    event.check()?;
    Ok(event)
}

/// The value of an attribute; none where it is `null`, which is the same as not being there.
fn attribute(name: &str, value: Value) -> Result<Option<Attribute>, CloudEventError> {
    match value {
        Value::Null => Ok(None),
        Value::Bool(flag) => Ok(Some(Attribute::Flag(flag))),
        Value::String(text) => Ok(Some(Attribute::Text(text))),
        Value::Number(number) => {
            let whole = number.as_i64().and_then(|n| i32::try_from(n).ok());
            let whole = whole.ok_or_else(|| {
                wrong(format!(
                    "`{name}` is {number}; a number has to be whole and fit into 32 bits. Write \
                     others as text"
                ))
            })?;
            Ok(Some(Attribute::Number(whole)))
        }
        Value::Array(_) | Value::Object(_) => Err(wrong(format!(
            "`{name}` is a list or an object; an attribute is text, a whole number, `true` or \
             `false`. Put the rest into `data`"
        ))),
    }
}

/// What stands in `data`.
fn plain(value: Value, datacontenttype: Option<&str>) -> Result<Data, CloudEventError> {
    if attribute::is_json(datacontenttype) {
        return Ok(Data::Json(value));
    }
    match value {
        Value::Null => Ok(Data::None),
        Value::String(text) => Ok(Data::Bytes(text.into())),
        _ => Err(wrong(format!(
            "`datacontenttype` is `{}`, and `data` is not text; let it say `application/json`, or \
             write the data as text",
            shown(datacontenttype.unwrap_or_default())
        ))),
    }
}

/// What stands in `data_base64`. Where its type is said to be JSON, it is read as that.
fn encoded(text: &str, datacontenttype: Option<&str>) -> Result<Data, CloudEventError> {
    let bytes = BASE64.decode(text);
    let bytes = bytes.map_err(|e| wrong(format!("`data_base64` is not base 64: {e}")))?;
    match datacontenttype {
        Some(ty) if attribute::is_json(Some(ty)) => json(&bytes, ty),
        _ => Ok(Data::Bytes(bytes.into())),
    }
}

/// Data that is said to be JSON.
pub(super) fn json(bytes: &[u8], datacontenttype: &str) -> Result<Data, CloudEventError> {
    let value = serde_json::from_slice(bytes).map_err(|e| {
        wrong(format!(
            "the data is said to be `{}`, and is not JSON: {e}",
            shown(datacontenttype)
        ))
    })?;
    Ok(Data::Json(value))
}
