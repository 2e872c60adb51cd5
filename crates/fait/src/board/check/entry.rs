//! Making entries.

use super::{Draw, Entry, Part, Place, Verdict};
use crate::board::happened::Times;
use fait_board::note::Kind;
use fait_board::place::Span;

/// What an arrow says, in a sentence.
pub(super) fn verb(how: &str) -> &str {
    match how {
        "by" => "is done by",
        "undone by" => "is undone by",
        "from" | "hears" => "listens to",
        how => how,
    }
}

pub(super) fn arrow(how: &str, to: &str) -> Part {
    Part::Arrow {
        how: how.into(),
        to: to.into(),
    }
}

impl Entry {
    pub(super) fn new(
        kind: Kind,
        name: String,
        part: Part,
        verdict: Verdict,
        says: String,
    ) -> Entry {
        Entry {
            kind: kind.keyword().into(),
            name,
            part,
            verdict,
            says,
            help: None,
            place: None,
            code: None,
            happened: None,
            draw: None,
        }
    }

    pub(super) fn at(mut self, span: Span) -> Entry {
        self.place = Some(Place::from(span));
        self
    }

    pub(super) fn code(mut self, name: &str) -> Entry {
        self.code = Some(name.into());
        self
    }

    pub(super) fn help(mut self, help: &str) -> Entry {
        self.help = Some(help.into());
        self
    }

    pub(super) fn draw(mut self, behind: usize, text: String) -> Entry {
        self.draw = Some(Draw { behind, text });
        self
    }

    /// That it never happened.
    pub(super) fn never(&self) -> String {
        let whom = format!("{} `{}`", self.kind, self.name);
        match &self.part {
            Part::Arrow { how, to } => {
                format!("it never happened that {whom} {} `{to}`", verb(how))
            }
            _ => format!("{whom} never happened"),
        }
    }
}

impl Times {
    /// `12 times, last at 2026-11-28 18:05`
    pub(super) fn said(self) -> String {
        let last = self.last.to_string();
        let last = last.get(..16).unwrap_or(&last).replace('T', " ");
        match self.count {
            1 => format!("once, at {last}"),
            n => format!("{n} times, last at {last}"),
        }
    }
}
