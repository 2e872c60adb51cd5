//! The laws that every log keeps, whatever was wired and whatever went wrong: read from the log
//! alone, by other code than the one that runs processes.

mod causes;
mod commands;
mod deadlines;
mod steps;

use fait_core::event::{Position, StoredEvent};
use fait_core::process::Fact;
use std::fmt;

/// A law of processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    /// L1: a rebuild issues nothing.
    RebuildIsSilent,
    /// L2: what was made live is what is made anew, byte for byte.
    RebuildIsEqual,
    /// L3: an input that is delivered again changes nothing. Seen from the log: no instance takes
    /// an input twice, or an earlier one after a later one.
    Once,
    /// L7: whatever was issued is settled once, or taken back, or open for a reason.
    Settled,
    /// L8: a deadline is reached or cancelled, one of the two and once, or still set.
    Deadlines,
    /// L9: what has ended issues nothing, unless it begins anew.
    EndIsEnd,
    /// L10: causes lead back to an input from outside.
    Causes,
}

impl Law {
    fn text(self) -> &'static str {
        match self {
            Law::RebuildIsSilent => "L1, a rebuild issues nothing",
            Law::RebuildIsEqual => "L2, what is made anew is the same",
            Law::Once => "L3, each input is taken once and in order",
            Law::Settled => "L7, whatever is issued is settled once",
            Law::Deadlines => "L8, a deadline is reached or cancelled",
            Law::EndIsEnd => "L9, what has ended issues nothing",
            Law::Causes => "L10, every cause ends outside",
        }
    }
}

/// A law that a log breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which.
    pub law: Law,
    /// Where in the log; 0 for what is missing in it.
    pub position: Position,
    /// How, as a sentence.
    pub why: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Broken { law, position, why } = self;
        write!(f, "{}: {why} (position {position})", law.text())
    }
}

/// What a law finds.
type Found = Vec<Broken>;

fn broken(law: Law, position: Position, why: impl fmt::Display) -> Broken {
    Broken {
        law,
        position,
        why: why.to_string(),
    }
}

/// The process facts of a log, with their events.
fn facts(log: &[StoredEvent]) -> impl Iterator<Item = (&StoredEvent, Fact)> {
    let read = |e| Fact::read(e).ok().flatten().map(|fact| (e, fact));
    log.iter().filter_map(read)
}

/// The laws that a log breaks: L3, L7 to L10. The log must be of a system that has settled.
pub fn broken_by(log: &[StoredEvent]) -> Vec<Broken> {
    broken_beside(log, &[])
}

/// The laws that a log breaks beside the log of another system, which may have what led to
/// something here.
pub(super) fn broken_beside(log: &[StoredEvent], other: &[StoredEvent]) -> Vec<Broken> {
    let elsewhere = other.iter().map(|e| e.meta.id).collect();
    let mut found = steps::check(log);
    found.extend(commands::check(log));
    found.extend(deadlines::check(log));
    found.extend(causes::check(log, &elsewhere));
    found
}
