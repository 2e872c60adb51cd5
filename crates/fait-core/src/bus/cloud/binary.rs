//! The binary form: attributes in headers, the data as the body. The bindings for HTTP and NATS
//! have it alike.

use super::attribute;
use super::json::{fits, json};
use super::{Attribute, CloudEvent, CloudEventError, Data, shown, wrong};
use bytes::Bytes;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use std::borrow::Cow;
use std::collections::BTreeMap;

const PREFIX: &str = "ce-";

/// What is encoded in a header, besides everything that is not ASCII.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%');

impl CloudEvent {
    /// The binary form: headers with names in lower case, and a body. What JSON data has no type
    /// for is sent as `application/json`.
    pub fn to_binary(&self) -> (Vec<(String, String)>, Bytes) {
        let mut headers = vec![];
        let mut add = |name: &str, value: &str| {
            let value = utf8_percent_encode(value, ENCODED).to_string();
            headers.push((format!("{PREFIX}{name}"), value));
        };
        add("specversion", "1.0");
        add("id", &self.id);
        add("source", &self.source);
        add("type", &self.ty);
        let optional = [
            ("subject", &self.subject),
            ("time", &self.time),
            ("dataschema", &self.dataschema),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                add(name, value);
            }
        }
        for (name, value) in &self.extensions {
            add(name, &value.to_string());
        }
        let (implied, body) = match &self.data {
            Data::None => (None, Bytes::new()),
            Data::Json(value) => (Some("application/json"), value.to_string().into()),
            Data::Bytes(bytes) => (None, bytes.clone()),
        };
        if let Some(ty) = self.datacontenttype.as_deref().or(implied) {
            headers.push(("content-type".into(), ty.into()));
        }
        (headers, body)
    }
}

/// Reads the binary form.
pub(super) fn read(
    headers: &[(String, String)],
    body: &[u8],
) -> Result<CloudEvent, CloudEventError> {
    let sizes = headers.iter().map(|(name, value)| name.len() + value.len());
    fits(body.len() + sizes.sum::<usize>(), CloudEvent::MOST_BYTES)?;
    let mut attributes = BTreeMap::new();
    for (header, value) in headers {
        let Some(name) = attribute_in(header) else {
            continue;
        };
        attribute::name(&name)?;
        if name == "datacontenttype" {
            return Err(wrong(
                "there is a header `ce-datacontenttype`; the type of the data is `content-type`"
                    .into(),
            ));
        }
        let value = Attribute::Text(decoded(header, value)?);
        if attributes.insert(name, value).is_some() {
            return Err(twice(header));
        }
    }
    if attributes.is_empty() {
        return Err(wrong(format!(
            "this is no CloudEvent: its content type is not `{}`, and no header begins with \
             `{PREFIX}`",
            super::STRUCTURED
        )));
    }
    if let Some(ty) = header(headers, "content-type")? {
        attributes.insert("datacontenttype".into(), Attribute::Text(ty));
    }
    let mut event = attribute::event(attributes)?;
    event.data = match event.datacontenttype.as_deref() {
        _ if body.is_empty() => Data::None,
        Some(ty) if attribute::is_json(Some(ty)) => json(body, ty)?,
        _ => Data::Bytes(Bytes::copy_from_slice(body)),
    };
    event.check()?;
    Ok(event)
}

/// A header by its name in lower case.
pub(super) fn header(
    headers: &[(String, String)],
    name: &str,
) -> Result<Option<String>, CloudEventError> {
    let mut named = headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
    match (named.next(), named.next()) {
        (Some(_), Some(_)) => Err(twice(name)),
        (one, _) => Ok(one.map(|(_, value)| value.trim().to_owned())),
    }
}

/// The attribute that a header is for.
fn attribute_in(header: &str) -> Option<String> {
    let header = header.to_ascii_lowercase();
    header.strip_prefix(PREFIX).map(str::to_owned)
}

fn twice(header: &str) -> CloudEventError {
    wrong(format!(
        "the header `{}` is there twice; it has to be there once",
        shown(header)
    ))
}

/// The value in a header: without the quotes that older senders set, and once percent-decoded.
fn decoded(header: &str, value: &str) -> Result<String, CloudEventError> {
    let value = unquoted(value.trim());
    let text = percent_decode_str(&value).decode_utf8();
    text.map(Cow::into_owned).map_err(|_| {
        wrong(format!(
            "the header `{}` does not decode to UTF-8; encode each byte of the text as `%xy`",
            shown(header)
        ))
    })
}

fn unquoted(value: &str) -> Cow<'_, str> {
    let inner = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    let Some(inner) = inner else {
        return value.into();
    };
    let (mut out, mut chars) = (String::new(), inner.chars());
    while let Some(c) = chars.next() {
        // A backslash at the very end stands for itself.
        out.push(if c == '\\' {
            chars.next().unwrap_or(c)
        } else {
            c
        });
    }
    out.into()
}
