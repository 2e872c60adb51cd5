//! Events in plain words, short enough for a line.

mod fact;

pub(crate) use fact::{input, issued, timer};

use fait::bus::{ANSWERED, PUBLISHED, RECEIVED};
use fait::decision::{RecordedCommand, recorded};
use fait::event::{StoredEvent, Tag, Time};
use fait::process::Fact;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;
use uuid::Uuid;

/// The names of issued commands, and what came of them by the event that says so, as far as they
/// are known.
pub(crate) type Names = HashMap<Uuid, String>;

/// An event in words.
#[derive(Debug, PartialEq)]
pub(crate) struct Told {
    /// What happened: the event's name, or for a fact of a process a whole sentence.
    pub(crate) what: String,
    /// Who did it, unless the sentence says so.
    pub(crate) by: Option<String>,
    /// Its data in short.
    pub(crate) data: String,
    /// Whether it is a fact of a process.
    pub(crate) fact: bool,
}

/// Tells an event. `names` helps where a fact names a command by its id only.
pub(crate) fn told(event: &StoredEvent, names: &Names) -> Told {
    match Fact::read(event) {
        Ok(Some(f)) => Told {
            what: clean(&fact::sentence(&f, event.meta.recorded_at, names)).into_owned(),
            by: None,
            data: String::new(),
            fact: true,
        },
        _ if event.ty == recorded::TYPE => Told {
            what: asked(event),
            by: None,
            data: String::new(),
            fact: true,
        },
        _ if [PUBLISHED, RECEIVED, ANSWERED].contains(&event.ty.as_str()) => Told {
            what: message(event),
            by: None,
            data: String::new(),
            fact: true,
        },
        _ => Told {
            what: clean(&event.ty).into_owned(),
            by: event.meta.origin.actor.as_deref().map(actor),
            data: data(event),
            fact: false,
        },
    }
}

/// A message between systems, or the answer of the open door, in words.
fn message(event: &StoredEvent) -> String {
    let data = event.json().unwrap_or_default();
    let text = |name: &str| data[name].as_str().unwrap_or("something").to_string();
    let said = match event.ty.as_str() {
        PUBLISHED => format!("{} told others {}", text("publication"), text("type")),
        ANSWERED => match data["reason"].as_str() {
            Some(reason) => format!("answered that {} is refused: {reason}", text("command")),
            None => format!("answered that {} is done", text("command")),
        },
        _ => {
            let became = data["became"].as_object().and_then(|b| b.keys().next());
            let became = became.map(String::as_str).or(data["became"].as_str());
            let became = became.unwrap_or("taken");
            format!(
                "{} heard {}, which was {became}",
                text("receiver"),
                text("type")
            )
        }
    };
    clean(&said).into_owned()
}

/// What was asked, where an event says only that.
fn asked(event: &StoredEvent) -> String {
    let asked = RecordedCommand::of(event).ok().flatten();
    let name = asked.and_then(|a| a.name).unwrap_or_default();
    clean(&format!("what {name} asked for is kept")).into_owned()
}

/// The names of the commands that some events issue, and what came of them.
pub(crate) fn names<'a>(events: impl Iterator<Item = &'a StoredEvent>) -> Names {
    let mut names = Names::new();
    for event in events {
        if let Ok(Some(fact)) = Fact::read(event) {
            names.extend(fact.issued().iter().map(|i| (i.id, i.name.clone())));
            if let Fact::Settled(settled) = fact {
                names.insert(event.meta.id, fact::came(&settled));
            }
        }
    }
    names
}

/// Text from outside, without what would move the cursor, colour the terminal or turn lines.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    let turns = |c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let odd = |c: char| c.is_control() || turns(c);
    if !text.contains(odd) {
        return Cow::Borrowed(text);
    }
    let plain = |c| if odd(c) { '\u{fffd}' } else { c };
    Cow::Owned(text.chars().map(plain).collect())
}

/// A text cut to so many characters.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_string();
    }
    let start: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", start.trim_end())
}

/// An id in short: the end of a UUID, which differs where its start is often the same.
pub(crate) fn short(id: &str) -> String {
    match id.get(28..) {
        Some(end) if id.len() == 36 && Uuid::try_parse(id).is_ok() => format!("…{end}"),
        _ => clean(id).into_owned(),
    }
}

/// Some tags in short.
pub(crate) fn tags(tags: &[Tag]) -> String {
    let tag = |t: &Tag| format!("{}:{}", clean(t.kind()), short(t.value()));
    tags.iter().map(tag).collect::<Vec<_>>().join(" ")
}

/// Who did it, in short.
pub(crate) fn actor(actor: &str) -> String {
    match actor.split_once(':') {
        Some((role, who)) => format!("{}:{}", clean(role), short(who)),
        None => short(actor),
    }
}

/// Day and time, in UTC.
pub(crate) fn moment(time: Time) -> String {
    format!("{} {}", day(time), clock(time))
}

/// The time of day, with the day where it is another one than `near`.
pub(crate) fn clock_near(time: Time, near: Time) -> String {
    match day(time) == day(near) {
        true => clock(time),
        false => moment(time),
    }
}

/// When something is due: without seconds where there are none.
pub(crate) fn due(time: Time, near: Time) -> String {
    let full = clock_near(time, near);
    full.strip_suffix(":00").unwrap_or(&full).to_string()
}

/// How long something took.
pub(crate) fn lasting(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        s => format!("{} min {} s", s / 60, s % 60),
    }
}

/// A number of things.
pub(crate) fn count(n: u64, one: &str) -> String {
    match n {
        1 => format!("1 {one}"),
        n => format!("{n} {one}s"),
    }
}

/// JSON in short: its fields one behind the other.
pub(crate) fn in_short(value: &Value) -> String {
    let Value::Object(fields) = value else {
        return one(value);
    };
    let told = fields.iter().filter(|(_, value)| !value.is_null());
    let told = told.map(|(name, value)| format!("{} {}", clean(name), one(value)));
    told.collect::<Vec<_>>().join(", ")
}

fn one(value: &Value) -> String {
    match value {
        Value::String(text) => short(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(one).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(_) => format!("({})", in_short(value)),
        other => other.to_string(),
    }
}

fn data(event: &StoredEvent) -> String {
    match event.json() {
        Ok(value) => in_short(&value),
        Err(_) => {
            let bytes = count(event.data.len() as u64, "byte");
            format!("{bytes} that are not JSON")
        }
    }
}

fn day(time: Time) -> String {
    time.to_string().chars().take(10).collect()
}

fn clock(time: Time) -> String {
    time.to_string().chars().skip(11).take(8).collect()
}
