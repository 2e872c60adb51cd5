//! What is known beside the text of a board: the system that runs it, and what happened there.

use crate::tally::{Happened, Tally};
use fait::event::Time;
use fait::manifest::Manifest;
use fait_board::name::same;
use fait_board::note::Kind;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is known beside the text. A board that is only a file has nothing here.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) system: Option<System>,
}

/// The system that was built from the board.
#[derive(Clone, Debug)]
pub(super) struct System {
    pub(super) manifest: Arc<Manifest>,
    pub(super) tally: Tally,
    pub(super) now: Time,
}

impl System {
    /// What a note is called in the code, if it is there. Words, chapters and the like are not
    /// things of the code.
    pub(super) fn coded(&self, kind: Kind, name: &str) -> Option<&str> {
        let m = &self.manifest;
        match kind {
            Kind::Event => named(&m.events, name),
            Kind::Task => named(&m.commands, name),
            Kind::View => named(&m.views, name),
            Kind::Process => named(&m.processes, name),
            Kind::Policy => named(&m.policies, name),
            Kind::Actor => named(&m.roles, name),
            Kind::System => named(&m.systems, name),
            _ => None,
        }
    }

    /// How often an event of the board happened.
    pub(super) fn happened(&self, name: &str) -> Option<Happened> {
        let stored = self.coded(Kind::Event, name)?;
        self.tally.events.get(stored).copied()
    }

    /// How often each event happened, as the picture wants it.
    pub(super) fn counts(&self) -> BTreeMap<String, u64> {
        let all = self.tally.events.iter();
        all.map(|(name, happened)| (name.clone(), happened.times))
            .collect()
    }
}

fn named<'m, T>(all: &'m BTreeMap<String, T>, name: &str) -> Option<&'m str> {
    all.keys().map(String::as_str).find(|key| same(name, key))
}
