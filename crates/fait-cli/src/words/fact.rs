//! Process facts as sentences.

use super::{Names, due, in_short, short};
use fait::event::Time;
use fait::process::{
    Action, Claimed, Deadline, Fact, InputRef, Issued, Operated, Outcome, Settled, Step, Target,
    types,
};
use serde_json::Value;

/// A process fact as a sentence, at the time when it was recorded.
pub(super) fn sentence(fact: &Fact, at: Time, names: &Names) -> String {
    let (process, key) = fact.instance();
    let whose = format!("{process} {}", short(key));
    match fact {
        Fact::Stepped(step) => format!("{whose} {}", step_in_words(step, at, names)),
        Fact::Settled(settled) => settled_in_words(settled, &whose),
        Fact::Parked(p) => format!("{whose} is parked at {}: {}", input(&p.input), p.reason),
        Fact::Resumed(r) if r.retry => format!("{whose} goes on, trying again: {}", r.reason),
        Fact::Resumed(r) => format!("{whose} goes on, skipping what parked it: {}", r.reason),
        Fact::Claimed(claimed) => claimed_in_words(claimed, &whose, at, names),
        Fact::Operated(o) => format!("{whose}: {}: {}", operated(o, at), o.reason),
        Fact::Tried(t) => {
            let name = names.get(&t.command).map_or("a command", String::as_str);
            format!("{name} for {whose} is about to go out, try {}", t.attempt)
        }
        Fact::Withdrawn(w) => format!("{whose} takes back {} more commands", w.commands.len()),
    }
}

/// What a step took in.
pub(crate) fn input(input: &InputRef) -> String {
    match input {
        InputRef::Event { ty, .. } if ty == types::SETTLED => "an outcome".into(),
        InputRef::Event { ty, .. } => ty.clone(),
        InputRef::Deadline(d) => format!("the deadline {}", timer(&d.name)),
        InputRef::Command { name, .. } => format!("{name}, which may have gone out"),
        InputRef::Operator => "what an operator did".into(),
    }
}

/// What a step took in; of a command what came of it, where that is known.
fn taken(taken: &InputRef, names: &Names) -> String {
    let came = match taken {
        InputRef::Event { id, .. } => names.get(id).cloned(),
        _ => None,
    };
    came.unwrap_or_else(|| input(taken))
}

/// A deadline's name, which is a timer as JSON, in words.
pub(crate) fn timer(name: &str) -> String {
    match serde_json::from_str::<Value>(name) {
        Ok(Value::String(text)) => text,
        Ok(Value::Object(map)) if map.len() == 1 => {
            let one = map.iter().next();
            one.map_or_else(String::new, |(name, value)| {
                format!("{name} ({})", in_short(value))
            })
        }
        _ => name.to_string(),
    }
}

/// A command that was issued, in words.
pub(crate) fn issued(command: &Issued, at: Time) -> String {
    let name = &command.name;
    let mut text = match &command.to {
        Target::Here => format!("sent {name}"),
        Target::Role(role) => format!("asked {role} to {name}"),
        Target::System(system) => format!("told {system} to {name}"),
    };
    if let Some(until) = command.due {
        text.push_str(&format!(", due {}", due(until, at)));
    }
    if command.tries > 1 {
        text.push_str(&format!(" (try {})", command.tries));
    }
    text
}

fn step_in_words(step: &Step, at: Time, names: &Names) -> String {
    if step.late {
        let came = taken(&step.input, names);
        return match came.strip_prefix("that ") {
            Some(was) => format!("had ended when {was}"),
            None => format!("had ended when {came} came"),
        };
    }
    let mut parts: Vec<String> = vec![];
    if let InputRef::Deadline(d) = &step.input {
        parts.push(format!("reached the deadline {}", timer(&d.name)));
    }
    parts.extend(step.issued.iter().map(|c| issued(c, at)));
    let back = |id| names.get(id).map_or("a command", String::as_str);
    parts.extend(
        step.withdrawn
            .iter()
            .map(|id| format!("took back {}", back(id))),
    );
    parts.extend(step.set.iter().map(|d| deadline(d, at)));
    parts.extend(
        step.cancelled
            .iter()
            .map(|name| format!("cancelled the deadline {}", timer(name))),
    );
    if step.ended {
        parts.push("ended".into());
    }
    if step.until_settled {
        parts.push("ends when all of that is done".into());
    }
    if parts.is_empty() {
        parts.push(format!("took in {}", taken(&step.input, names)));
    }
    parts.join("; ")
}

fn deadline(deadline: &Deadline, at: Time) -> String {
    let name = timer(&deadline.name);
    format!("set the deadline {name} at {}", due(deadline.due, at))
}

fn settled_in_words(settled: &Settled, whose: &str) -> String {
    let name = &settled.name;
    match &settled.outcome {
        Outcome::Accepted => format!("{name} for {whose} was done"),
        Outcome::Refused { reason, .. } => format!("{name} for {whose} was refused: {reason}"),
        Outcome::Failed { error } => format!("{name} for {whose} failed: {error}"),
        Outcome::Expired => format!("{name} for {whose} was not done in time"),
        Outcome::Skipped { reason } => format!("{name} for {whose} is not to be done: {reason}"),
    }
}

/// A settled command, as what came in.
pub(super) fn came(settled: &Settled) -> String {
    let how = match &settled.outcome {
        Outcome::Accepted => "was done",
        Outcome::Refused { .. } => "was refused",
        Outcome::Failed { .. } => "failed",
        Outcome::Expired => "was not done in time",
        Outcome::Skipped { .. } => "is not to be done",
    };
    format!("that {} {how}", settled.name)
}

fn operated(o: &Operated, at: Time) -> String {
    let mut parts = vec![match o.action {
        Action::Cancel => "cancelled".to_string(),
        Action::Complete => "declared done".into(),
        Action::Amend => "a command was amended".into(),
        Action::Postpone => "a deadline was moved".into(),
        Action::Fire => "a deadline was fired".into(),
        Action::Compensate => "what was done is taken back".into(),
        Action::Migrate => format!("migrated to definition {}", o.definition.unwrap_or(0)),
    }];
    parts.extend(o.issued.iter().map(|c| issued(c, at)));
    parts.extend(o.set.iter().map(|d| deadline(d, at)));
    parts.join("; ")
}

fn claimed_in_words(claimed: &Claimed, whose: &str, at: Time, names: &Names) -> String {
    let name = names.get(&claimed.command).map_or("a task", String::as_str);
    if claimed.back {
        return format!(
            "{} handed back {name} for {whose}",
            super::actor(&claimed.by)
        );
    }
    let until = due(claimed.until, at);
    format!(
        "{} took on {name} for {whose} until {until}",
        super::actor(&claimed.by)
    )
}
