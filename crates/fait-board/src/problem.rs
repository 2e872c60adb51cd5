//! What is wrong with a board, said so that a domain expert understands it.

use crate::place::Span;

/// How much a problem weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The board cannot be used like this.
    Error,
    /// The board can be used, but is probably not what was meant.
    Warning,
    /// Worth knowing.
    Remark,
}

/// One mistake on the board, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Stable code: `P…` for what cannot be read, `B…` for what does not fit together.
    pub code: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// One sentence.
    pub message: String,
    /// What to do about it, if that can be said.
    pub help: Option<String>,
    /// Where it stands.
    pub span: Span,
}

/// Codes of what cannot be read. They are stable: editors and CI files name them.
pub(crate) mod code {
    /// A tab, or an indentation that is neither a note, a clause nor a step.
    pub(crate) const INDENT: &str = "P001";
    /// A line at the margin that does not start a note.
    pub(crate) const NOTE: &str = "P002";
    /// A clause that is not said of this kind of note.
    pub(crate) const CLAUSE: &str = "P003";
    /// A step that cannot be read.
    pub(crate) const STEP: &str = "P004";
    /// Something that must be said and is not.
    pub(crate) const MISSING: &str = "P005";
    /// A clause without note, or a step without clause.
    pub(crate) const ASTRAY: &str = "P006";
    /// Not a length of time.
    pub(crate) const PERIOD: &str = "P007";
    /// Not something a word can be.
    pub(crate) const TYPE: &str = "P008";
    /// Not a level.
    pub(crate) const LEVEL: &str = "P009";
    /// Words behind a clause that stands alone.
    pub(crate) const TOO_MUCH: &str = "P010";
    /// Said again, where once is all that is possible.
    pub(crate) const REPEATED: &str = "P011";
    /// A letter that nobody can see.
    pub(crate) const UNSEEN: &str = "P012";
    /// A name that stands for nothing.
    pub(crate) const UNKNOWN: &str = "B101";
    /// Two notes of one kind and name.
    pub(crate) const TWICE: &str = "B102";
    /// A word that is explained twice.
    pub(crate) const WORD_TWICE: &str = "B104";
    /// A time that runs out without saying what is awaited.
    pub(crate) const WITHOUT: &str = "B315";
}

impl Problem {
    pub(crate) fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            help: None,
            span,
        }
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn with_guess(mut self, guess: Option<String>) -> Self {
        self.help = guess.map(|name| format!("did you mean `{name}`?"));
        self
    }
}
