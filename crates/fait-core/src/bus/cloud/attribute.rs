//! The rules for attributes: their names, and what their values may be.

use super::{Attribute, CloudEvent, CloudEventError, shown, wrong};
use std::collections::BTreeMap;

type Checked<T = ()> = Result<T, CloudEventError>;

/// The attributes that the specification itself defines, and `data`, which none may be called.
const CORE: [&str; 9] = [
    "id",
    "source",
    "type",
    "specversion",
    "subject",
    "time",
    "datacontenttype",
    "dataschema",
    "data",
];

/// An event of its attributes; without data, and unchecked but for what is missing.
pub(super) fn event(mut all: BTreeMap<String, Attribute>) -> Checked<CloudEvent> {
    match text(&mut all, "specversion")?.as_deref() {
        Some("1.0") => {}
        Some(other) => {
            return Err(wrong(format!(
                "`specversion` is `{}`; only CloudEvents 1.0 are understood",
                shown(other)
            )));
        }
        None => return Err(missing("specversion")),
    }
    Ok(CloudEvent {
        id: text(&mut all, "id")?.ok_or_else(|| missing("id"))?,
        source: text(&mut all, "source")?.ok_or_else(|| missing("source"))?,
        ty: text(&mut all, "type")?.ok_or_else(|| missing("type"))?,
        subject: text(&mut all, "subject")?,
        time: text(&mut all, "time")?,
        datacontenttype: text(&mut all, "datacontenttype")?,
        dataschema: text(&mut all, "dataschema")?,
        extensions: all,
        data: super::Data::None,
    })
}

fn missing(name: &str) -> CloudEventError {
    wrong(format!(
        "`{name}` is missing; every CloudEvent has `specversion`, `id`, `source` and `type`"
    ))
}

fn text(all: &mut BTreeMap<String, Attribute>, name: &str) -> Checked<Option<String>> {
    match all.remove(name) {
        Some(Attribute::Text(text)) => Ok(Some(text)),
        None => Ok(None),
        Some(other) => Err(wrong(format!(
            "`{name}` is {other}; it has to be text, \"{other}\""
        ))),
    }
}

/// Every rule for the attributes of an event.
pub(super) fn check(event: &CloudEvent) -> Checked {
    let optional = [
        ("subject", &event.subject),
        ("time", &event.time),
        ("datacontenttype", &event.datacontenttype),
        ("dataschema", &event.dataschema),
    ];
    let given = optional
        .iter()
        .filter_map(|(name, value)| value.as_ref().map(|value| (*name, value)));
    let required = [
        ("id", &event.id),
        ("source", &event.source),
        ("type", &event.ty),
    ];
    for (name, value) in required.into_iter().chain(given) {
        if value.is_empty() {
            return Err(wrong(format!("`{name}` is empty; it has to say something")));
        }
        characters(name, value)?;
    }
    uri("source", &event.source)?;
    if let Some(schema) = &event.dataschema {
        uri("dataschema", schema)?;
        absolute("dataschema", schema)?;
    }
    if let Some(time) = &event.time {
        timestamp(time)?;
    }
    if let Some(ty) = &event.datacontenttype {
        media_type(ty)?;
    }
    event.extensions.iter().try_for_each(|(name, value)| {
        self::name(name)?;
        if CORE.contains(&name.as_str()) {
            return Err(wrong(format!(
                "`{name}` is no extension; the specification defines it"
            )));
        }
        match value {
            Attribute::Text(text) => characters(name, text),
            _ => Ok(()),
        }
    })
}

/// Whether an attribute may be called this.
pub(super) fn name(name: &str) -> Checked {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    match !name.is_empty() && name.bytes().all(good) {
        true => Ok(()),
        false => Err(wrong(format!(
            "`{}` cannot be the name of an attribute; it may have lower-case letters and digits \
             only",
            shown(name)
        ))),
    }
}

/// Text may have everything but control characters and what Unicode calls noncharacters.
fn characters(name: &str, text: &str) -> Checked {
    let never = |c: &char| {
        let c = u32::from(*c);
        c <= 0x1f
            || (0x7f..=0x9f).contains(&c)
            || (0xfdd0..=0xfdef).contains(&c)
            || c & 0xfffe == 0xfffe
    };
    match text.chars().find(never) {
        None => Ok(()),
        Some(c) => Err(wrong(format!(
            "`{name}` has the character U+{:04X}, which no attribute may have; leave it out",
            u32::from(c)
        ))),
    }
}

/// What no URI has anywhere. Letters beyond ASCII are let through: nobody is helped by refusing
/// them.
fn uri(name: &str, text: &str) -> Checked {
    let never = |c: char| {
        matches!(
            c,
            ' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}'
        )
    };
    if let Some(c) = text.chars().find(|c| never(*c)) {
        return Err(wrong(format!(
            "`{name}` is no URI: it has `{c}`, to be written as `%{:02X}`",
            u32::from(c)
        )));
    }
    let bytes = text.as_bytes();
    let cut_off = |(at, byte): (usize, &u8)| {
        let hex = |n: usize| bytes.get(at + n).is_some_and(u8::is_ascii_hexdigit);
        *byte == b'%' && !(hex(1) && hex(2))
    };
    match bytes.iter().enumerate().any(cut_off) {
        false => Ok(()),
        true => Err(wrong(format!(
            "`{name}` is no URI: behind a `%` there have to be two hexadecimal digits; `%` itself \
             is written as `%25`"
        ))),
    }
}

fn absolute(name: &str, text: &str) -> Checked {
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    match scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(good) {
        true => Ok(()),
        false => Err(wrong(format!(
            "`{name}` is `{}`; it has to be a whole URI, with its scheme: `https://…`",
            shown(text)
        ))),
    }
}

/// `2018-04-05T17:31:00Z`, as RFC 3339 has it.
fn timestamp(text: &str) -> Checked {
    match is_timestamp(text) {
        true => Ok(()),
        false => Err(wrong(format!(
            "`time` is `{}`; it has to be written like 2018-04-05T17:31:00Z",
            shown(text)
        ))),
    }
}

fn is_timestamp(text: &str) -> bool {
    let looks_like = |text: &str, shape: &str| {
        text.len() == shape.len()
            && text.bytes().zip(shape.bytes()).all(|(b, s)| match s {
                b'0' => b.is_ascii_digit(),
                b'T' => matches!(b, b'T' | b't' | b' '),
                b'+' => matches!(b, b'+' | b'-'),
                s => b == s,
            })
    };
    let Some((moment, rest)) = text.split_at_checked("0000-00-00T00:00:00".len()) else {
        return false;
    };
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if zone.len() == fraction.len() {
                return false;
            }
            zone
        }
        None => rest,
    };
    let two = |from: usize| rest.get(from..from + 2).and_then(|n| n.parse::<u8>().ok());
    let zone = matches!(rest, "Z" | "z")
        || looks_like(rest, "+00:00")
            && two(1).is_some_and(|h| h < 24)
            && two(4).is_some_and(|m| m < 60);
    // Whether there is such a day and minute is a matter for the library.
    zone && looks_like(moment, "0000-00-00T00:00:00")
        && moment.parse::<jiff::civil::DateTime>().is_ok()
}

/// `type/subtype`, and parameters behind it.
fn media_type(text: &str) -> Checked {
    let token = |word: &str| {
        let good = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        !word.is_empty() && word.chars().all(good)
    };
    // It goes into a header as it is.
    let plain = text.trim() == text && text.chars().all(|c| matches!(c, ' '..='~'));
    let essence = essence(text);
    match essence.split_once('/') {
        Some((ty, subtype)) if plain && token(ty) && token(subtype) => Ok(()),
        _ => Err(wrong(format!(
            "`datacontenttype` is `{}`; it has to be a media type, like `application/json`",
            shown(text)
        ))),
    }
}

/// A media type without its parameters, in lower case.
pub(super) fn essence(media_type: &str) -> String {
    let essence = media_type.split(';').next().unwrap_or(media_type);
    essence.trim().to_ascii_lowercase()
}

/// Whether data of this type is JSON; it is, where nothing is said.
pub(super) fn is_json(datacontenttype: Option<&str>) -> bool {
    let Some(ty) = datacontenttype else {
        return true;
    };
    let essence = essence(ty);
    let subtype = essence.split_once('/').map_or("", |(_, subtype)| subtype);
    subtype == "json" || subtype.ends_with("+json")
}
