//! Things of the program in plain words: names, values, times, people.

use fait::event::{StoredEvent, Time};
use maud::{Markup, html};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::fmt;
use std::time::Duration;

/// `OrderPlaced`, `pays_first`, `table-plan` as `Order placed`, `Pays first`, `Table plan`.
pub(super) fn plain(name: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    for c in name.trim_start_matches('$').chars() {
        if matches!(c, '_' | '-' | ' ' | '.' | ':') {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
        } else if c.is_uppercase() && (before.is_lowercase() || before.is_numeric()) {
            out.push(' ');
            out.extend(c.to_lowercase());
        } else if out.is_empty() {
            out.extend(c.to_uppercase());
        } else {
            out.push(c);
        }
        before = c;
    }
    out.trim_end().to_string()
}

/// The first letter small, for the middle of a sentence.
pub(super) fn small(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(rest).collect()
    })
}

/// The first letter capital and a full stop behind: a reason as a sentence.
pub(super) fn sentence(text: &str) -> String {
    let mut rest = text.trim().chars();
    let first = rest.next().into_iter();
    let mut out: String = first.flat_map(char::to_uppercase).collect();
    out.extend(rest);
    if !out.ends_with(['.', '!', '?', '…']) {
        out.push('.');
    }
    out
}

/// `1 task`, `3 tasks`.
pub(super) fn count(n: u64, one: &str) -> String {
    if n == 1 {
        format!("1 {one}")
    } else {
        format!("{n} {one}s")
    }
}

/// `2nd`, for the second time.
pub(super) fn ordinal(n: u32) -> String {
    let end = match (n % 10, n % 100) {
        (1, r) if r != 11 => "st",
        (2, r) if r != 12 => "nd",
        (3, r) if r != 13 => "rd",
        _ => "th",
    };
    format!("{n}{end}")
}

/// `twice`, `3 times`.
pub(super) fn times(n: u32) -> String {
    match n {
        0 | 1 => "once".into(),
        2 => "twice".into(),
        n => format!("{n} times"),
    }
}

/// The question of a column or field: what its schema says, else its name.
pub(super) fn label(name: &str, schema: &Value) -> String {
    let said = ["title", "description"]
        .iter()
        .filter_map(|k| schema[*k].as_str());
    let lines = said.filter_map(|s| s.lines().next()).map(str::trim);
    let mut fit = lines.filter(|line| !line.is_empty() && line.len() <= 60);
    fit.next().map_or_else(|| plain(name), String::from)
}

/// The schema behind references and optional wrappings.
pub(super) fn bare(schema: &Value) -> Value {
    let mut at = schema.clone();
    for _ in 0..8 {
        let defs = at.get("$defs").cloned();
        let next = if let Some(name) = at["$ref"].as_str() {
            at["$defs"][name.trim_start_matches("#/$defs/")].clone()
        } else if let Some(list) = at["anyOf"].as_array() {
            let mut some = list.iter().filter(|s| s["type"] != "null");
            match (some.next(), some.next()) {
                (Some(one), None) => one.clone(),
                _ => return at,
            }
        } else {
            return at;
        };
        if !next.is_object() {
            return at;
        }
        at = next;
        if let Some(defs) = defs {
            at["$defs"] = defs;
        }
    }
    at
}

/// The type that a bare schema names, `null` left out.
pub(super) fn kind_of(schema: &Value) -> &str {
    match &schema["type"] {
        Value::Array(kinds) => {
            let mut named = kinds.iter().filter_map(Value::as_str);
            named.find(|k| *k != "null").unwrap_or_default()
        }
        kind => kind.as_str().unwrap_or_default(),
    }
}

/// A value in plain words.
pub(super) fn tell(value: &Value) -> String {
    match value {
        Value::Null => "–".into(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::Number(n) => n.to_string(),
        Value::String(text) if text.is_empty() => "–".into(),
        Value::String(text) => text.clone(),
        Value::Array(list) if list.is_empty() => "none".into(),
        Value::Array(list) => list.iter().map(tell).collect::<Vec<_>>().join(", "),
        Value::Object(map) => {
            let pairs = map
                .iter()
                .map(|(k, v)| format!("{}: {}", small(&plain(k)), tell(v)));
            pairs.collect::<Vec<_>>().join(", ")
        }
    }
}

/// Some words as one: `soup, tea and cake`.
pub(super) fn all_of(words: &[String]) -> String {
    match words.split_last() {
        None => "none".into(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// An id as people can say it: the end of a UUID, any other id as it is.
pub(super) fn short(id: &str) -> &str {
    let is_uuid = id.len() == 36 && id.parse::<uuid::Uuid>().is_ok();
    if is_uuid { &id[32..] } else { id }
}

/// The members of an event's data in the order in which they were written.
pub(super) fn members(event: &StoredEvent) -> Vec<(String, Value)> {
    struct InOrder;
    impl<'de> Visitor<'de> for InOrder {
        type Value = Vec<(String, Value)>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
            let mut out = vec![];
            while let Some(pair) = map.next_entry()? {
                out.push(pair);
            }
            Ok(out)
        }
    }
    let mut json = serde_json::Deserializer::from_slice(&event.data);
    json.deserialize_map(InOrder).unwrap_or_default()
}

/// The hour of a moment, with the day when it is another one than today.
pub(super) fn hour(time: Time, now: Time) -> String {
    let (text, today) = (time.to_string(), now.to_string());
    match (text.get(..10), text.get(11..16), today.get(..10)) {
        (Some(day), Some(hour), Some(now)) if day != now => format!("{hour} on {day}"),
        (_, Some(hour), _) => hour.to_string(),
        _ => text,
    }
}

/// A moment on a page.
pub(super) fn moment(time: Time, now: Time) -> Markup {
    let full = time.to_string();
    html! { time datetime=(full) title=(full) { (hour(time, now)) } }
}

/// A length of time in words, cut to what matters.
pub(super) fn lasting(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    match minutes {
        0 => "less than a minute".into(),
        1..60 => format!("{minutes} min"),
        60..2880 if minutes.is_multiple_of(60) => format!("{} h", minutes / 60),
        60..2880 => format!("{} h {} min", minutes / 60, minutes % 60),
        // To the nearest: who was given two weeks has two weeks, also a minute later.
        _ => format!("{} days", (minutes + 720) / 1440),
    }
}

/// `34 minutes ago`.
pub(super) fn ago(time: Time, now: Time) -> String {
    let minutes = now.since(time).as_secs() / 60;
    match minutes {
        0 => "just now".into(),
        1..120 => format!("{} ago", count(minutes, "minute")),
        120..2880 => format!("{} ago", count(minutes / 60, "hour")),
        _ => format!("{} ago", count(minutes / 1440, "day")),
    }
}

/// `waiter:ann` as `Ann, waiter`; a process or system by its name.
pub(super) fn person(actor: &str) -> String {
    match actor.split_once(':') {
        Some(("process", name)) => format!("the process {}", small(&plain(name))),
        Some(("system", name)) => name.to_string(),
        Some((role, name)) => format!("{}, {}", plain(name), small(&plain(role))),
        None => plain(actor),
    }
}

#[cfg(test)]
mod tests {
    use super::{ago, bare, lasting, ordinal, person, plain, sentence, short, tell};
    use fait::event::{Time, minutes};
    use serde_json::json;

    #[test]
    fn names_become_words() {
        assert_eq!(plain("OrderPlaced"), "Order placed");
        assert_eq!(plain("pays_first"), "Pays first");
        assert_eq!(plain("bills-to-settle"), "Bills to settle");
        assert_eq!(plain("$ProcessStepped"), "Process stepped");
        assert_eq!(plain(""), "");
        assert_eq!(sentence("the food is cooked"), "The food is cooked.");
        assert_eq!(person("assistant-manager:ann"), "Ann, assistant manager");
        assert_eq!(ordinal(1) + &ordinal(12) + &ordinal(23), "1st12th23rd");
    }

    #[test]
    fn values_become_words() {
        assert_eq!(tell(&json!(["soup", "tea"])), "soup, tea");
        assert_eq!(tell(&json!({"pays_first": false})), "pays first: no");
        assert_eq!(short("6f1c7a52-0000-4000-8000-00000000beef"), "beef");
        assert_eq!(short("cup"), "cup");
        let wrapped = json!({"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}],
            "$defs": {"A": {"enum": ["x"]}}});
        assert_eq!(bare(&wrapped)["enum"], json!(["x"]));
    }

    #[test]
    fn times_become_words() {
        let now = Time(10_000_000);
        assert_eq!(ago(now - minutes(34), now), "34 minutes ago");
        assert_eq!(ago(now, now), "just now");
        assert_eq!(lasting(minutes(125)), "2 h 5 min");
        assert_eq!(lasting(minutes(14 * 1440 - 1)), "14 days");
        assert_eq!(lasting(minutes(14 * 1440 - 721)), "13 days");
    }
}
