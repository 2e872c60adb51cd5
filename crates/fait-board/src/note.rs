//! What all notes share: their kind, their place, and the names that stand for them.

use crate::place::{Said, Span};

/// How finished a board is; it decides which rules apply, so that a draft is never an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Events and questions; what a board is that does not say its level.
    #[default]
    BigPicture,
    /// Who does what, and what follows.
    Process,
    /// Every word explained: ready for code.
    Design,
}

/// What every note has, of whatever kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// Its name, or its text for a hotspot and an idea.
    pub name: Said,
    /// The line that opens it: keyword and name.
    pub span: Span,
    /// The last line that belongs to it, counted from 1.
    pub last_line: usize,
    /// Its place among all notes of the file, counted from 0.
    pub order: usize,
    /// The context in which it stands, an index into [`Board::contexts`](crate::Board::contexts).
    pub context: Option<usize>,
    /// The chapter in which it stands, an index into [`Board::chapters`](crate::Board::chapters).
    pub chapter: Option<usize>,
    /// Whether it is on the board but not in the code yet.
    pub planned: Option<Span>,
    /// What it is about.
    pub about: Vec<Said>,
    /// The open questions that stand under it.
    pub questions: Vec<Said>,
}

/// The kinds of notes, in the order in which the grammar lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `board`
    Board,
    /// `word`
    Word,
    /// `actor`
    Actor,
    /// `system`
    System,
    /// `context`
    Context,
    /// `chapter`
    Chapter,
    /// `view`
    View,
    /// `task`
    Task,
    /// `event`
    Event,
    /// `model`
    Model,
    /// `policy`
    Policy,
    /// `process`
    Process,
    /// `example`
    Example,
    /// `hotspot`
    Hotspot,
    /// `idea`
    Idea,
}

/// A name that stands for a note somewhere else on the board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// The name as it was written.
    pub name: Said,
    /// What it stands for; nothing when no such note exists.
    pub target: Option<Target>,
}

/// What a name stands for. The numbers are indexes into the lists of [`Board`](crate::Board).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// A note of a kind.
    Note(Kind, usize),
    /// A message that a system sends: index of the system, index in what it sends.
    Sent(usize, usize),
    /// A message that a system takes: index of the system, index in what it takes.
    Taken(usize, usize),
}

impl Mention {
    /// The index in the board's list of `kind`, when the mention stands for such a note.
    #[must_use]
    pub fn index(&self, kind: Kind) -> Option<usize> {
        match self.target {
            Some(Target::Note(found, index)) if found == kind => Some(index),
            _ => None,
        }
    }

    /// The name as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.name.text
    }
}

impl Kind {
    /// All kinds, in the order of the grammar.
    pub const ALL: [Kind; 15] = [
        Kind::Board,
        Kind::Word,
        Kind::Actor,
        Kind::System,
        Kind::Context,
        Kind::Chapter,
        Kind::View,
        Kind::Task,
        Kind::Event,
        Kind::Model,
        Kind::Policy,
        Kind::Process,
        Kind::Example,
        Kind::Hotspot,
        Kind::Idea,
    ];

    /// The keyword that opens a note of this kind.
    #[must_use]
    pub fn keyword(self) -> &'static str {
        match self {
            Kind::Board => "board",
            Kind::Word => "word",
            Kind::Actor => "actor",
            Kind::System => "system",
            Kind::Context => "context",
            Kind::Chapter => "chapter",
            Kind::View => "view",
            Kind::Task => "task",
            Kind::Event => "event",
            Kind::Model => "model",
            Kind::Policy => "policy",
            Kind::Process => "process",
            Kind::Example => "example",
            Kind::Hotspot => "hotspot",
            Kind::Idea => "idea",
        }
    }

    /// The keyword with its article, for sentences: `an event`.
    #[must_use]
    pub fn with_article(self) -> String {
        let keyword = self.keyword();
        let article = if keyword.starts_with(['a', 'e', 'i', 'o']) {
            "an"
        } else {
            "a"
        };
        format!("{article} {keyword}")
    }
}
