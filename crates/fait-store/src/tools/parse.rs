//! Reading a line of an export; see `line.rs` for what stands in it.

use crate::format::Key;
use crate::load::Loaded;
use base64::prelude::{BASE64_STANDARD, Engine};
use bytes::Bytes;
use fait_core::event::{NewEvent, Origin, Position, Tag, Time};
use fait_core::store::{CommandKey, ERASED, MAX_BATCH_EVENTS};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// Every attribute that an export has.
const KNOWN: &[&str] = &[
    "specversion",
    "id",
    "source",
    "type",
    "time",
    "position",
    "recordedms",
    "occurredms",
    "erased",
    "dataversion",
    "tags",
    "correlationid",
    "causationid",
    "commandid",
    "actor",
    "traceparent",
    "pairs",
    "keyid",
    "keyfingerprint",
    "keyevents",
    "keyms",
    "datacontenttype",
    "data",
    "data_base64",
];

/// The event on a line, which must be the next.
///
/// # Errors
/// A sentence that names the attribute and says what to do.
pub(super) fn parse(line: &[u8], next: Position) -> Result<Loaded, String> {
    let mut line = Line::read(line)?;
    let version = line.need("specversion")?;
    if text(version, "specversion")? != "1.0" {
        return Err(wrong("specversion", version, "must be \"1.0\""));
    }
    text(line.need("source")?, "source")?;
    let position: Position = line.need_number("position")?;
    if position != next {
        return Err(format!(
            "attribute `position` is {position}, and {next} is next; lines must come in the order \
             of their positions, from 1, none of them left out"
        ));
    }
    let id = line.need("id").and_then(|raw| uuid(raw, "id"))?;
    let recorded_at = Time(line.need_number("recordedms")?);
    let ty = text(line.need("type")?, "type")?.into_owned();
    let erased = line.take("erased").map(|raw| match raw.get() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(wrong("erased", raw, "must be true or false")),
    });
    let key = line.key(recorded_at)?;
    let loaded = match erased.transpose()? {
        Some(true) => line.erased(id, ty, recorded_at, key)?,
        _ => line.whole(id, ty, recorded_at, key)?,
    };
    line.end(loaded.erased)?;
    Ok(loaded)
}

/// The attributes that are not taken yet.
struct Line<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Line<'a> {
    fn read(line: &'a [u8]) -> Result<Line<'a>, String> {
        let text = std::str::from_utf8(line)
            .map_err(|e| format!("it is not UTF-8 from byte {} on", e.valid_up_to() + 1))?;
        serde_json::from_str(text).map_err(|e| {
            let told = e.to_string();
            let what = told.split(" at line ").next().unwrap_or(&told);
            format!("it is no JSON object at column {}: {what}", e.column())
        })
    }

    fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(at).1)
    }

    fn need(&mut self, name: &str) -> Result<&'a RawValue, String> {
        let missing = || format!("attribute `{name}` is missing; every line must have it");
        self.take(name).ok_or_else(missing)
    }

    fn need_number<T: FromStr>(&mut self, name: &str) -> Result<T, String> {
        number(self.need(name)?, name)
    }

    fn uuid(&mut self, name: &str) -> Result<Option<Uuid>, String> {
        self.take(name).map(|raw| uuid(raw, name)).transpose()
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        let taken = self.take(name).map(|raw| text(raw, name)).transpose()?;
        Ok(taken.map(Cow::into_owned))
    }

    /// The command key of an append whose first event this is.
    fn key(&mut self, recorded_at: Time) -> Result<Option<Key>, String> {
        let Some(id) = self.uuid("keyid")? else {
            return Ok(None);
        };
        let with_id = |_| "with `keyid` come `keyfingerprint` and `keyevents`".to_string();
        let fingerprint = self.need("keyfingerprint").map_err(with_id)?;
        let fingerprint = uuid(fingerprint, "keyfingerprint")?;
        let raw = self.need("keyevents").map_err(with_id)?;
        let events = number(raw, "keyevents")?;
        if events == 0 || events as usize > MAX_BATCH_EVENTS {
            let must = format!("must be from 1 to {MAX_BATCH_EVENTS}");
            return Err(wrong("keyevents", raw, &must));
        }
        let own = self.take("keyms").map(|raw| number(raw, "keyms"));
        Ok(Some(Key {
            key: CommandKey { id, fingerprint },
            events,
            recorded_at: own.transpose()?.map_or(recorded_at, Time),
        }))
    }

    fn erased(
        &mut self,
        id: Uuid,
        ty: String,
        recorded_at: Time,
        key: Option<Key>,
    ) -> Result<Loaded, String> {
        self.time(recorded_at)?;
        if ty.is_empty() || ty.len() > 255 {
            return Err("attribute `type` must have from 1 to 255 bytes".into());
        }
        // One time is kept for both.
        if recorded_at > Time(0) && key.is_some_and(|key| key.recorded_at != recorded_at) {
            return Err("attribute `keyms` must be as `recordedms`, unless that is 0".into());
        }
        let ty = if ty == ERASED { String::new() } else { ty };
        let event = NewEvent {
            id,
            ty,
            version: 1,
            tags: vec![],
            data: Bytes::new(),
            origin: Origin::default(),
        };
        Ok(Loaded {
            event,
            erased: true,
            recorded_at,
            key,
        })
    }

    fn whole(
        &mut self,
        id: Uuid,
        ty: String,
        recorded_at: Time,
        key: Option<Key>,
    ) -> Result<Loaded, String> {
        if key.is_some_and(|key| key.recorded_at != recorded_at) {
            let must = "attribute `keyms` belongs to erased events only; leave it out";
            return Err(must.into());
        }
        let occurred_at = self.take("occurredms").map(|raw| number(raw, "occurredms"));
        let occurred_at = occurred_at.transpose()?.map(Time);
        self.time(occurred_at.unwrap_or(recorded_at))?;
        let event = NewEvent {
            id,
            ty,
            version: self.need_number("dataversion")?,
            tags: self.tags()?,
            data: self.data()?.into(),
            origin: Origin {
                occurred_at,
                actor: self.text("actor")?,
                command: self.uuid("commandid")?,
                correlation: self.uuid("correlationid")?.unwrap_or_default(),
                causation: self.uuid("causationid")?,
                traceparent: self.text("traceparent")?,
                pairs: self.pairs()?,
            },
        };
        Ok(Loaded {
            event,
            erased: false,
            recorded_at,
            key,
        })
    }

    /// What `time` says must be what the numbers say: they count.
    fn time(&mut self, known: Time) -> Result<(), String> {
        let Some(raw) = self.take("time") else {
            return Ok(());
        };
        let (given, shown) = (text(raw, "time")?, known.to_string());
        let same = |given: Time| shown.parse() == Ok(given);
        if given == shown || given.parse().is_ok_and(same) {
            return Ok(());
        }
        let must = format!(
            "must be {shown}, as `occurredms`, or else `recordedms`, says; change that, or leave \
             `time` out"
        );
        Err(wrong("time", raw, &must))
    }

    fn tags(&mut self) -> Result<Vec<Tag>, String> {
        let Some(raw) = self.take("tags") else {
            return Ok(vec![]);
        };
        let tags = text(raw, "tags")?;
        let plain = |tag: &str| match tag.contains('%') {
            false => Some(Tag::raw(tag)),
            true => unescaped(tag).map(Tag::raw),
        };
        let tags: Option<_> = tags.split(',').map(plain).collect();
        let must = "must be tags joined with `,`; in a tag, write `%` as %25 and `,` as %2C";
        tags.ok_or_else(|| wrong("tags", raw, must))
    }

    fn pairs(&mut self) -> Result<BTreeMap<String, String>, String> {
        let Some(raw) = self.take("pairs") else {
            return Ok(BTreeMap::new());
        };
        let pairs = text(raw, "pairs")?;
        let must = "must be a JSON object of texts, written as text";
        serde_json::from_str(&pairs).map_err(|_| wrong("pairs", raw, must))
    }

    fn data(&mut self) -> Result<Vec<u8>, String> {
        if let Some(raw) = self.take("datacontenttype") {
            text(raw, "datacontenttype")?;
        }
        match (self.take("data"), self.take("data_base64")) {
            (Some(data), None) => Ok(data.get().as_bytes().to_vec()),
            (None, Some(raw)) => {
                let must = "must be base64 with padding";
                let coded = text(raw, "data_base64")?;
                let decoded = BASE64_STANDARD.decode(coded.as_bytes());
                decoded.map_err(|_| wrong("data_base64", raw, must))
            }
            _ => Err("exactly one of the attributes `data` and `data_base64` must be there".into()),
        }
    }

    /// All attributes were taken.
    fn end(&self, erased: bool) -> Result<(), String> {
        let Some((name, _)) = self.0.first() else {
            return Ok(());
        };
        let shown: String = name.chars().take(40).collect();
        let shown = shown.escape_debug();
        Err(match KNOWN.contains(&&**name) {
            true if erased => {
                format!("attribute `{shown}` does not belong to an erased event; leave it out")
            }
            true if name.starts_with("key") => {
                format!("attribute `{shown}` comes with `keyid`; leave it out, or add that")
            }
            true => format!("attribute `{shown}` stands there twice; leave one out"),
            false => {
                format!("attribute `{shown}` is not known; leave it out, or put it into `pairs`")
            }
        })
    }
}

fn unescaped(tag: &str) -> Option<String> {
    let mut parts = tag.split('%');
    let mut plain = parts.next()?.to_string();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        plain.push(match code {
            "25" => '%',
            "2C" | "2c" => ',',
            _ => return None,
        });
        plain.push_str(rest);
    }
    Some(plain)
}

fn wrong(name: &str, value: &RawValue, must: &str) -> String {
    let value = value.get();
    let mut shown: String = value.chars().take(40).collect();
    if shown.len() < value.len() {
        shown.push('…');
    }
    format!(
        "attribute `{name}` is {}, and {must}",
        shown.escape_debug().to_string().replace("\\\"", "\"")
    )
}

fn text<'a>(raw: &'a RawValue, name: &str) -> Result<Cow<'a, str>, String> {
    let read = serde_json::from_str::<Text<'a>>(raw.get());
    read.map(|text| text.0)
        .map_err(|_| wrong(name, raw, "must be text"))
}

fn uuid(raw: &RawValue, name: &str) -> Result<Uuid, String> {
    let read = text(raw, name)?.parse();
    read.map_err(|_| wrong(name, raw, "must be a UUID"))
}

/// A number, written as such or as text.
fn number<T: FromStr>(raw: &RawValue, name: &str) -> Result<T, String> {
    let digits = raw.get();
    let digits = digits
        .strip_prefix('"')
        .and_then(|d| d.strip_suffix('"'))
        .unwrap_or(digits);
    let plain = !digits.starts_with('+');
    let read = plain.then(|| digits.parse().ok()).flatten();
    read.ok_or_else(|| wrong(name, raw, "must be a whole number that is not too large"))
}

/// Text that is borrowed where it has no escapes.
struct Text<'a>(Cow<'a, str>);

struct OfText;

impl<'a> Visitor<'a> for OfText {
    type Value = Text<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Text<'a>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'a>, E> {
        Ok(Text(Cow::Owned(text.to_string())))
    }
}

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(OfText)
    }
}

struct OfLine;

impl<'a> Visitor<'a> for OfLine {
    type Value = Line<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Line<'a>, A::Error> {
        let mut attributes = Vec::with_capacity(KNOWN.len());
        while let Some((name, value)) = map.next_entry::<Text<'a>, &'a RawValue>()? {
            attributes.push((name.0, value));
        }
        Ok(Line(attributes))
    }
}

impl<'de> Deserialize<'de> for Line<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(OfLine)
    }
}
