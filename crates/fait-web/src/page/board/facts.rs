//! What is known beside the text of a board: the code and the history of the system that runs
//! beside it, and what came of its examples.

use fait::board::Examples;
use fait::board::check::{Comparison, Entry, Part, Verdict};
use fait::board::happened::Happened;
use fait::event::Time;
use fait_board::note::Kind;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is known beside the text. A board that is only a file has nothing here.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) system: Option<System>,
    pub(super) tried: Tried,
}

/// The system beside the board.
#[derive(Clone, Debug)]
pub(super) struct System {
    /// What happened, as far as it is counted.
    pub(super) happened: Happened,
    /// The board held against the code and against what happened.
    pub(super) compared: Comparison,
    pub(super) now: Time,
}

/// What came of the examples.
#[derive(Clone, Debug, Default)]
pub(super) enum Tried {
    /// Nobody said how to build a fresh system.
    #[default]
    Not,
    /// They are being run.
    Running,
    /// It is known.
    Known(Arc<Examples>),
}

impl System {
    /// How often each event happened, as the picture wants it.
    pub(super) fn counts(&self) -> BTreeMap<String, u64> {
        let all = self.happened.events.iter();
        all.map(|(name, times)| (name.clone(), times.count))
            .collect()
    }

    /// What is said of a note as such, and of its parts.
    pub(super) fn of_note(&self, kind: Kind, name: &str) -> (Option<&Entry>, Vec<&Entry>) {
        let all = self.compared.of_note(kind, name);
        let (whole, parts): (Vec<&Entry>, Vec<&Entry>) = all.partition(|e| e.part == Part::Note);
        (whole.first().copied(), parts)
    }

    /// How many notes have come to a verdict.
    pub(super) fn notes(&self, verdict: Verdict) -> u64 {
        let entries = self.compared.entries.iter();
        let notes = entries.filter(|e| e.part == Part::Note && e.verdict == verdict);
        notes.count() as u64
    }
}
