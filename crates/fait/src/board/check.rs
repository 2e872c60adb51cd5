//! A board held against a program and against what happened: what is drawn, what is coded, and
//! what happened, note by note and arrow by arrow.
//!
//! [`compare`] is a pure function of a [`Board`], a [`Manifest`] and what a
//! [`Tally`](super::happened::Tally) counted; the manifest or the counts may be missing. Names
//! are compared as words: `Order placed` on the board is `OrderPlaced` in the code. What is
//! `planned`, and what stands in a context that `runs elsewhere`, is not expected in the code.
//! How much is compared depends on the board's level: events, actors and systems always; tasks,
//! views, policies, processes and arrows from level process on; words, refusals and what models
//! remember from level design on.
//!
//! Not compared, since a manifest does not say it: conditions (`when …`), rules, for whom a view
//! is, and what is public. Deadlines are compared with how they were set the last time.

mod name;
mod scope;
mod pair;
mod entry;
mod build;
mod word;
mod event;
mod task;
mod view;
mod wait;
mod process;
mod people;
mod model;
mod old;
mod say;
mod strict;

pub use strict::{Drift, strict};

use super::happened::{Happened, Times};
use build::Builder;
use fait_board::Board;
use fait_board::note::Kind;
use fait_board::place::Span;
use fait_core::event::{Position, Time};
use fait_core::manifest::Manifest;
use serde::{Deserialize, Serialize};

/// A board beside a program and its history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The board's name.
    pub board: String,
    /// The program's name, when there is a manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// How much was counted, when something was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
    /// One entry for each note and each arrow, and one for each thing that differs, in the order
    /// of the board; what is not on the board stands at the end.
    pub entries: Vec<Entry>,
}

/// How much of a history was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Everything up to here.
    pub up_to: Position,
    /// The end of the log.
    pub head: Position,
    /// What is older than so many days counts as never happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

/// What came of comparing one thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The kind of the note, by its keyword on the board: `event`.
    pub kind: String,
    /// The name of the note in the words of the board; in plain words where the board has none.
    pub name: String,
    /// What about the note.
    pub part: Part,
    /// What came of it.
    pub verdict: Verdict,
    /// One sentence.
    pub says: String,
    /// What to do about it, if that can be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Where it stands on the board.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Its name in the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// How often it happened, and when last; older than the days asked for is told, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub happened: Option<Times>,
    /// What to write on the board, if that can be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draw: Option<Draw>,
}

/// What about a note is compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "about")]
pub enum Part {
    /// The note as such.
    Note,
    /// An arrow from or to it.
    Arrow {
        /// What the arrow says, in the words of the board: `raises`, `by`, `asks for`.
        how: String,
        /// The other end.
        to: String,
    },
    /// A word that it asks for, records or shows.
    Word {
        /// The word.
        word: String,
    },
    /// A reason why it is refused.
    Refusal {
        /// The id of the reason, made from its sentence: `the-order-was-cancelled`.
        id: String,
    },
    /// A deadline.
    Deadline {
        /// What is waited for.
        of: String,
    },
}

/// What came of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All agree, as far as they were asked.
    Agrees,
    /// It is planned, and not in the code yet.
    Planned,
    /// It runs elsewhere, and is not in this program.
    Elsewhere,
    /// It is planned, and in the code already.
    NoLongerPlanned,
    /// Drawn and coded, and never happened, or not for so many days.
    NeverHappened,
    /// Drawn, and not in the code.
    Missing,
    /// Drawn, and in the code under another name.
    Renamed,
    /// In the code, and not on the board.
    NotOnBoard,
    /// It happened, and is not drawn.
    NotDrawn,
    /// It happened, and no code reads it any more.
    Unreadable,
    /// Board and code say something different.
    Differs,
}

/// A place on the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1 in characters.
    pub column: usize,
    /// Offset of the first byte in the text.
    pub start: usize,
    /// Length in bytes.
    pub len: usize,
}

/// Lines to write on a board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// The line behind which they belong, counted from 1.
    pub behind: usize,
    /// The lines, with their indentation, without the last line break.
    pub text: String,
}

/// How to compare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// What did not happen for so many days counts as never happened.
    pub days: Option<u32>,
}

impl Verdict {
    /// Whether board, code and history contradict each other. What never happened, and what is
    /// no longer planned, is only a remark.
    #[must_use]
    pub fn is_difference(self) -> bool {
        self >= Verdict::Missing
    }

    /// Whether it is worth knowing without being a difference.
    #[must_use]
    pub fn is_remark(self) -> bool {
        matches!(self, Verdict::NoLongerPlanned | Verdict::NeverHappened)
    }
}

impl From<Span> for Place {
    fn from(span: Span) -> Place {
        Place {
            line: span.line,
            column: span.column,
            start: span.start,
            len: span.len,
        }
    }
}

impl Comparison {
    /// Everything in which board, code and history contradict each other.
    pub fn differences(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|e| e.verdict.is_difference())
    }

    /// What is worth knowing without being a difference.
    pub fn remarks(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|e| e.verdict.is_remark())
    }

    /// Whether there is no difference.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.differences().next().is_none()
    }

    /// All entries about one note, the one about the note as such first.
    pub fn of_note(&self, kind: Kind, name: &str) -> impl Iterator<Item = &Entry> {
        let keyword = kind.keyword();
        let (first, rest): (Vec<_>, Vec<_>) = (self.entries.iter())
            .filter(|e| e.kind == keyword && e.name == name)
            .partition(|e| e.part == Part::Note);
        first.into_iter().chain(rest)
    }
}

/// Holds a board against a program, against what happened, or against both. A side that is not
/// given is not compared.
#[must_use]
pub fn compare(
    board: &Board,
    code: Option<&Manifest>,
    happened: Option<&Happened>,
    options: Options,
) -> Comparison {
    let mut builder = Builder::new(board, code, happened, options);
    event::compare(&mut builder);
    task::compare(&mut builder);
    view::compare(&mut builder);
    process::compare(&mut builder);
    people::compare(&mut builder);
    model::compare(&mut builder);
    old::compare(&mut builder);
    builder.finish()
}

/// The time before which something counts as never happened.
fn since(happened: &Happened, options: Options) -> Option<Time> {
    let (now, days) = (happened.now?, u64::from(options.days?));
    Some(now - std::time::Duration::from_secs(days * 24 * 60 * 60))
}
