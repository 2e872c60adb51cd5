//! Sentences that the picture and the outline share.

use crate::note::Mention;
use crate::notes::Trigger;

/// Names with commas between them.
pub(crate) fn listed(mentions: &[Mention]) -> String {
    mentions
        .iter()
        .map(Mention::text)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Names with "or" before the last.
pub(crate) fn either(mentions: &[Mention]) -> String {
    let names: Vec<&str> = mentions.iter().map(Mention::text).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// When a reaction happens, and under which condition.
pub(crate) fn trigger(trigger: &Trigger) -> (String, String) {
    let events = either(trigger.events());
    let text = match trigger {
        Trigger::Whenever(_) => format!("whenever {events}"),
        Trigger::Starts(..) => format!("starts on {events}"),
        Trigger::On(_) => format!("on {events}"),
        Trigger::After(period, _) => format!("after {period} without {events}"),
        Trigger::Tries(1, _) => format!("after 1 try without {events}"),
        Trigger::Tries(count, _) => format!("after {count} tries without {events}"),
    };
    let condition = match trigger {
        Trigger::Starts(_, Some(when)) => format!("when {}", when.text),
        _ => String::new(),
    };
    (text, condition)
}
