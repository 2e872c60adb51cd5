//! Deadlines of processes: as the board says them, and as they were set.

use super::build::{Builder, Subject};
use super::{Entry, Part, Verdict};
use crate::board::happened::{Happened, Waited};
use fait_board::name::same;
use fait_board::note::Mention;
use fait_board::notes::{Action, Period, Reaction, Trigger};
use fait_core::manifest::ProcessEntry;

/// A process as it is drawn, coded, and happened.
#[derive(Clone, Copy)]
pub(super) struct Does<'a> {
    pub(super) code: &'a str,
    pub(super) entry: Option<&'a ProcessEntry>,
    pub(super) reactions: &'a [Reaction],
    pub(super) happened: &'a Happened,
}

/// What the code neither hears nor does any more, an earlier program did. Without a program all
/// counts.
impl Does<'_> {
    pub(super) fn hears(&self, event: &String) -> bool {
        self.entry.is_none_or(|entry| entry.types.contains(event))
    }

    pub(super) fn sends(&self, command: &String) -> bool {
        self.entry.is_none_or(|entry| entry.sends.contains(command))
    }
}

/// Deadlines as the board says them, and as they were set the last time.
pub(super) fn deadlines(b: &mut Builder<'_>, s: Subject<'_>, does: &Does<'_>) {
    let Does {
        code,
        reactions,
        happened,
        ..
    } = *does;
    let waited = happened.deadlines.iter().filter(|w| w.process == code);
    for waited in waited {
        let entry = match &waited.command {
            Some(command) if !does.sends(command) => None,
            Some(command) => within(b, s, reactions, waited, command),
            None => after(s, reactions, waited),
        };
        if let Some(entry) = entry {
            b.add(entry.code(code));
        }
    }
}

/// The time that a person has for a task.
fn within(
    b: &Builder<'_>,
    s: Subject<'_>,
    reactions: &[Reaction],
    waited: &Waited,
    command: &str,
) -> Option<Entry> {
    let name = b.sent_name(command)?;
    let role = waited.role.as_deref();
    let asked = |actor: &Mention| role.is_some_and(|role| same(actor.text(), role));
    let asks = reactions.iter().flat_map(|r| &r.steps);
    let asks: Vec<_> = asks
        .filter_map(|step| match &step.action {
            Action::Ask {
                actor,
                task,
                within,
            } if named(b, task) == name && asked(actor) => Some((step, within)),
            _ => None,
        })
        .collect();
    let (first, _) = asks.first()?;
    let periods: Vec<Period> = asks.iter().filter_map(|(_, within)| **within).collect();
    let part = Part::Deadline { of: name.clone() };
    if periods.iter().any(|p| is(*p, waited)) {
        let says = format!(
            "{} gives {} for `{name}`",
            s.whom(),
            length(waited.after_ms)
        );
        return Some(s.part(part, Verdict::Agrees, says).at(first.span));
    }
    let board = match said(&periods) {
        None => "the board says no time".into(),
        Some(said) => format!("the board says within {said}"),
    };
    let says = format!(
        "`{}` gives {} for `{name}`; {board}",
        waited.process,
        length(waited.after_ms)
    );
    let span = periods.first().map_or(first.span, |period| period.span);
    Some(s.part(part, Verdict::Differs, says).at(span))
}

/// The time after which a process does something by itself.
fn after(s: Subject<'_>, reactions: &[Reaction], waited: &Waited) -> Option<Entry> {
    let periods = reactions.iter().filter_map(|r| match &r.trigger {
        Trigger::After(period, _) => Some(*period),
        _ => None,
    });
    let periods: Vec<Period> = periods.collect();
    let of = waited.timer.trim_matches('"').to_string();
    let part = Part::Deadline { of: of.clone() };
    if let Some(period) = periods.iter().find(|p| is(**p, waited)) {
        let says = format!("{} waits {period}", s.whom());
        return Some(s.part(part, Verdict::Agrees, says).at(period.span));
    }
    let board = match said(&periods) {
        None => "the board has no `after`".into(),
        Some(said) => format!("the board says after {said}"),
    };
    let says = format!(
        "`{}` waits {} (`{of}`); {board}",
        waited.process,
        length(waited.after_ms)
    );
    let entry = s.part(part, Verdict::Differs, says);
    Some(match periods.as_slice() {
        [only] => entry.at(only.span),
        _ => entry,
    })
}

fn is(period: Period, waited: &Waited) -> bool {
    period.seconds().saturating_mul(1000) == waited.after_ms
}

fn said(periods: &[Period]) -> Option<String> {
    let mut said: Vec<String> = periods.iter().map(Period::to_string).collect();
    said.dedup();
    (!said.is_empty()).then(|| said.join(" or "))
}

/// A length of time in the largest unit in which it is whole.
pub(super) fn length(ms: u64) -> String {
    let units = [
        ("day", 86_400_000),
        ("hour", 3_600_000),
        ("minute", 60_000),
        ("second", 1000),
    ];
    let whole = units
        .iter()
        .find(|(_, unit)| ms >= *unit && ms.is_multiple_of(*unit));
    let (name, count) = whole.map_or(("millisecond", ms), |(name, unit)| (*name, ms / unit));
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

/// The name of the note that a mention stands for, as the note itself is written.
pub(super) fn named<'b>(b: &Builder<'b>, mention: &'b Mention) -> &'b str {
    let task = b.board.task(mention);
    task.map_or(mention.text(), |task| &task.note.name.text)
}
