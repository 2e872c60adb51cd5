//! Logs and differences as text.

use fait_core::event::StoredEvent;
use fait_core::process::Fact;
use std::fmt::Write;

/// Type and data of one event.
pub(super) fn event(event: &StoredEvent) -> String {
    format!("{} {}", event.ty, String::from_utf8_lossy(&event.data))
}

/// A log, a line for each event.
pub(super) fn log(log: &[StoredEvent]) -> String {
    let mut out = String::new();
    for e in log {
        let cause = e.meta.origin.causation.and_then(|id| {
            let cause = log.iter().find(|c| c.meta.id == id);
            cause.map(|c| c.meta.position.to_string())
        });
        let by = e.meta.origin.actor.as_deref().unwrap_or("-");
        let cause = cause.unwrap_or_else(|| "outside".into());
        let at = e.meta.recorded_at;
        let what = match Fact::read(e) {
            Ok(Some(fact)) => of_fact(&fact),
            _ => event(e),
        };
        let _ = writeln!(
            out,
            "{:>4} {at} by {by} because of {cause}: {what}",
            e.meta.position
        );
    }
    out
}

fn of_fact(fact: &Fact) -> String {
    let (process, key) = fact.instance();
    let what = match fact {
        Fact::Stepped(f) => serde_json::to_string(f),
        Fact::Settled(f) => serde_json::to_string(f),
        Fact::Parked(f) => serde_json::to_string(f),
        Fact::Resumed(f) => serde_json::to_string(f),
        Fact::Claimed(f) => serde_json::to_string(f),
        Fact::Operated(f) => serde_json::to_string(f),
        Fact::Tried(f) => serde_json::to_string(f),
        Fact::Withdrawn(f) => serde_json::to_string(f),
    };
    let kind = match fact {
        Fact::Stepped(_) => "stepped",
        Fact::Settled(_) => "settled",
        Fact::Parked(_) => "parked",
        Fact::Resumed(_) => "resumed",
        Fact::Claimed(_) => "claimed",
        Fact::Operated(_) => "operated",
        Fact::Tried(_) => "tried",
        Fact::Withdrawn(_) => "withdrawn",
    };
    format!("{process}/{key} {kind} {}", what.unwrap_or_default())
}

/// The lines of which two texts differ.
pub(super) fn difference(expected: &str, found: &str) -> String {
    let mut out = String::new();
    let (mut a, mut b) = (expected.lines(), found.lines());
    loop {
        match (a.next(), b.next()) {
            (None, None) => return out,
            (a, b) if a == b => {}
            (a, b) => {
                for (sign, line) in [('-', a), ('+', b)] {
                    if let Some(line) = line {
                        let _ = writeln!(out, "{sign} {line}");
                    }
                }
            }
        }
    }
}
