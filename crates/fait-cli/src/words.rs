//! Events in plain words.

use crate::output::short;
use fait::event::{StoredEvent, Time};
use fait::process::{Deadline, Fact, InputRef, Issued, Outcome, Settled, Step, Target};
use serde_json::Value;
use uuid::Uuid;

/// What happened, in one short line: a process fact in words, any other event by its data.
pub(crate) fn told(event: &StoredEvent) -> String {
    match Fact::read(event) {
        Ok(Some(fact)) => fact_in_words(&fact, event.meta.recorded_at),
        Ok(None) => event.json().map_or_else(|e| e.message, |data| brief(&data)),
        Err(e) => e.to_string(),
    }
}

/// Whether an event is a fact about a process.
pub(crate) fn is_fact(event: &StoredEvent) -> bool {
    matches!(Fact::read(event), Ok(Some(_)))
}

/// A day, like `2026-11-23`.
pub(crate) fn day(time: Time) -> String {
    time.to_string().chars().take(10).collect()
}

/// A time of the day, like `18:05:00`.
pub(crate) fn clock(time: Time) -> String {
    time.to_string().chars().skip(11).take(8).collect()
}

/// Day and time, like `2026-11-23 18:05:00`.
pub(crate) fn moment(time: Time) -> String {
    format!("{} {}", day(time), clock(time))
}

/// A time as short as it can be said at another one: without the day when it is the same.
pub(crate) fn minute(time: Time, at: Time) -> String {
    let minute: String = clock(time).chars().take(5).collect();
    if day(time) == day(at) {
        minute
    } else {
        format!("{} {minute}", day(time))
    }
}

/// A deadline's name as a person wrote it.
pub(crate) fn deadline_name(name: &str) -> String {
    serde_json::from_str(name).map_or_else(|_| name.to_string(), |timer: Value| plain(&timer))
}

/// What a step was about.
pub(crate) fn input(input: &InputRef) -> String {
    match input {
        InputRef::Event { position, ty, .. } => format!("{ty} at position {position}"),
        InputRef::Deadline(d) => format!("the deadline {}", deadline_name(&d.name)),
        InputRef::Operator => "an operator's word".into(),
    }
}

/// JSON data, as short as it can be said.
pub(crate) fn brief(data: &Value) -> String {
    match data {
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| format!("{name} {}", plain(value));
            fields.iter().map(field).collect::<Vec<_>>().join(", ")
        }
        other => plain(other),
    }
}

fn plain(value: &Value) -> String {
    match value {
        // An id is known by its first part; JSON has it in full.
        Value::String(text) if text.parse::<Uuid>().is_ok() => text.chars().take(8).collect(),
        Value::String(text) => text.clone(),
        Value::Null => "none".into(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(plain).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(_) => format!("({})", brief(value)),
        other => other.to_string(),
    }
}

fn fact_in_words(fact: &Fact, at: Time) -> String {
    let (process, key) = fact.instance();
    match fact {
        Fact::Stepped(step) => format!("{process} {}", step_in_words(step, at)),
        Fact::Settled(settled) => format!("{process} {}", settled_in_words(settled)),
        Fact::Parked(f) => format!(
            "{process} of {key} is parked at {}: {}",
            input(&f.input),
            f.reason
        ),
        Fact::Resumed(f) => {
            let how = match f.retry {
                true => "tries its input again",
                false => "skips its input",
            };
            format!("{process} of {key} goes on and {how}: {}", f.reason)
        }
        Fact::Claimed(f) => {
            let until = minute(f.until, at);
            format!("{} took a task of {process} until {until}", f.by)
        }
    }
}

fn step_in_words(step: &Step, at: Time) -> String {
    if step.late {
        return format!("had ended before {}", input(&step.input));
    }
    let mut parts: Vec<String> = step.issued.iter().map(|i| issued(i, at)).collect();
    match step.withdrawn.len() {
        0 => {}
        1 => parts.push("took a task back".into()),
        n => parts.push(format!("took {n} tasks back")),
    }
    let set = |d: &Deadline| {
        let name = deadline_name(&d.name);
        format!("set the deadline {name} at {}", minute(d.due, at))
    };
    parts.extend(step.set.iter().map(set));
    let cancelled = |name: &String| format!("cancelled the deadline {}", deadline_name(name));
    parts.extend(step.cancelled.iter().map(cancelled));
    if step.ended {
        parts.push("ended".into());
    } else if step.until_settled {
        parts.push("ends once that is done".into());
    }
    if parts.is_empty() {
        parts.push(format!("took note of {}", input(&step.input)));
    }
    parts.join(", ")
}

/// A command that was issued, like `asked Cook to CookFood, due 18:32`.
pub(crate) fn issued(issued: &Issued, at: Time) -> String {
    let name = &issued.name;
    let mut text = match &issued.to {
        Target::Here => format!("sent {name}"),
        Target::Role(role) => format!("asked {role} to {name}"),
        Target::System(system) => format!("told {system} to {name}"),
    };
    if issued.tries > 1 {
        text.push_str(&format!(" (time {})", issued.tries));
    }
    if let Some(due) = issued.due {
        text.push_str(&format!(", due {}", minute(due, at)));
    }
    text
}

fn settled_in_words(settled: &Settled) -> String {
    let name = &settled.name;
    match &settled.outcome {
        Outcome::Accepted => format!("learned that {name} is done"),
        Outcome::Refused { reason, .. } => format!("learned that {name} was refused: {reason}"),
        Outcome::Failed { error } => format!("learned that {name} failed: {error}"),
    }
}

/// What happened, cut to one line of a table.
pub(crate) fn told_in(event: &StoredEvent, most: usize) -> String {
    short(&told(event).replace('\n', " "), most)
}
