//! A line of an export: one event as a CloudEvents 1.0 object.
//!
//! | attribute | what |
//! |---|---|
//! | `specversion` | `1.0` |
//! | `id` | the event's id |
//! | `source` | `urn:uuid:` and the history of the store |
//! | `type` | the stored name; `$Erased` where nothing of it was kept |
//! | `time` | when it happened, or else was recorded; not there when neither is known |
//! | `position` | its position, as text |
//! | `recordedms` | when it was recorded, in milliseconds since 1970, as text |
//! | `occurredms` | when it happened, the same way, where that was said |
//! | `dataversion` | the version of the data |
//! | `tags` | `kind:value`, joined with `,`; `%` and `,` in them are `%25` and `%2C` |
//! | `correlationid`, `causationid`, `commandid` | what it belongs to and comes from |
//! | `actor`, `traceparent` | by whom, and in which trace |
//! | `pairs` | what else was said of it: a JSON object, as text |
//! | `keyid`, `keyfingerprint`, `keyevents` | in the first event of an append with a command key: |
//! | | that key, and how many events the append has |
//! | `keyms` | the time of that append's receipt, where it is not `recordedms` |
//! | `erased` | `true`: the event was erased, and this is what is left |
//! | `datacontenttype` | `application/json`, or `application/octet-stream` |
//! | `data` | the stored bytes as they are, if they are JSON on one line |
//! | `data_base64` | else the stored bytes, as base64 |
//!
//! Numbers of 64 bits are text, because a CloudEvents number has 32.

use crate::format::EventView;
use crate::walk::Found;
use base64::prelude::{BASE64_STANDARD, Engine};
use fait_core::event::{Origin, Time};
use fait_core::store::ERASED;
use serde::Serialize;
use serde_json::value::RawValue;
use std::fmt::Display;
use std::io::Write;
use uuid::Uuid;

/// The media types that data is said to have.
const JSON: &str = "application/json";
const BYTES: &str = "application/octet-stream";

/// Puts an event behind a text, as one line. Nothing when it cannot be read.
pub(super) fn put(out: &mut Vec<u8>, history: Uuid, found: &Found<'_>) -> Option<()> {
    let event = &found.event;
    let left = event.erased.then(|| (Origin::default(), &[][..]));
    let (origin, data) = left.or_else(|| event.origin_and_data())?;
    let mut line = Line { out };
    line.out.extend_from_slice(b"{\"specversion\":\"1.0\"");
    line.plain("id", event.id);
    line.plain("source", format_args!("urn:uuid:{history}"));
    match event.ty() {
        "" => line.text("type", ERASED),
        ty => line.text("type", ty),
    }
    let time = origin.occurred_at.unwrap_or(event.recorded_at);
    if time > Time(0) {
        line.plain("time", time);
    }
    line.plain("position", event.position);
    line.plain("recordedms", event.recorded_at.0);
    if let Some(at) = origin.occurred_at {
        line.plain("occurredms", at.0);
    }
    if event.erased {
        line.raw("erased", "true");
    } else {
        line.raw("dataversion", event.version());
    }
    line.tags(event);
    line.origin(&origin);
    line.key(found);
    if !event.erased {
        line.data(data);
    }
    line.out.extend_from_slice(b"}\n");
    Some(())
}

/// A line that is being written.
struct Line<'a> {
    out: &'a mut Vec<u8>,
}

impl Line<'_> {
    fn name(&mut self, name: &str) {
        self.out.extend_from_slice(b",\"");
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    /// What JSON writes as it is: a number, or true.
    fn raw(&mut self, name: &str, value: impl Display) {
        self.name(name);
        // Writing to memory does not fail.
        let _ = write!(self.out, "{value}");
    }

    /// Text that needs no escapes.
    fn plain(&mut self, name: &str, value: impl Display) {
        self.raw(name, format_args!("\"{value}\""));
    }

    fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        self.json(value);
    }

    fn json(&mut self, value: &(impl Serialize + ?Sized)) {
        // Text and maps of text can always be written to memory.
        let _ = serde_json::to_writer(&mut *self.out, value);
    }

    fn tags(&mut self, event: &EventView<'_>) {
        let mut tags = String::new();
        for tag in event.tags() {
            if !tags.is_empty() {
                tags.push(',');
            }
            match tag.contains(['%', ',']) {
                true => tags.push_str(&tag.replace('%', "%25").replace(',', "%2C")),
                false => tags.push_str(tag),
            }
        }
        if !tags.is_empty() {
            self.text("tags", &tags);
        }
    }

    fn origin(&mut self, origin: &Origin) {
        if !origin.correlation.is_nil() {
            self.plain("correlationid", origin.correlation);
        }
        if let Some(id) = origin.causation {
            self.plain("causationid", id);
        }
        if let Some(id) = origin.command {
            self.plain("commandid", id);
        }
        if let Some(actor) = &origin.actor {
            self.text("actor", actor);
        }
        if let Some(trace) = &origin.traceparent {
            self.text("traceparent", trace);
        }
        if !origin.pairs.is_empty() {
            let pairs = serde_json::to_string(&origin.pairs);
            self.text("pairs", &pairs.unwrap_or_default());
        }
    }

    fn key(&mut self, found: &Found<'_>) {
        let Some(command) = &found.command else {
            return;
        };
        let key = command.stored_key();
        self.plain("keyid", key.key.id);
        self.plain("keyfingerprint", key.key.fingerprint);
        self.raw("keyevents", key.events);
        if key.recorded_at != found.event.recorded_at {
            self.plain("keyms", key.recorded_at.0);
        }
    }

    fn data(&mut self, data: &[u8]) {
        let json = serde_json::from_slice::<&RawValue>(data).ok();
        self.plain("datacontenttype", if json.is_some() { JSON } else { BYTES });
        // Spaces around it, and line breaks, would be lost.
        let same = json.filter(|json| json.get().len() == data.len());
        match same.filter(|_| !data.contains(&b'\n') && !data.contains(&b'\r')) {
            Some(json) => {
                self.name("data");
                self.out.extend_from_slice(json.get().as_bytes());
            }
            None => {
                self.name("data_base64");
                self.out.push(b'"');
                self.out.extend(BASE64_STANDARD.encode(data).into_bytes());
                self.out.push(b'"');
            }
        }
    }
}
