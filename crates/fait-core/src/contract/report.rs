//! What a comparison says, as data and for people.

use super::fit::Wrong;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A contract held against a program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What is refused.
    pub findings: Vec<Finding>,
    /// What is different and allowed, and not in the folder yet.
    pub notes: Vec<Note>,
}

/// A change that is refused, or something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The type on the bus.
    #[serde(rename = "type")]
    pub ty: String,
    /// A JSON pointer into the data; `*` is each item of a list and each key of a map. Empty for
    /// the whole.
    pub pointer: String,
    /// What is refused.
    pub kind: Kind,
    /// What it was.
    pub was: String,
    /// What it is.
    pub is: String,
    /// Systems that read it and would break.
    pub breaks: Vec<String>,
    /// Systems that read it and would not.
    pub read_by: Vec<String>,
}

/// What is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// What will be sent is not what was promised.
    Sent(Wrong),
    /// What was sent before is not what is promised now.
    Before(Wrong),
    /// A type is not published any more, and nobody said that it would cease.
    Removed,
    /// A type is not published any more, before the last day that was said.
    RemovedEarly,
    /// The last day was said to be later.
    Sooner,
    /// A system reads what it does not get.
    Unmet(Wrong),
    /// A system reads a type that is not published.
    Unpublished,
    /// The example is not what is sent.
    Example,
}

/// A change that is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The type on the bus.
    #[serde(rename = "type")]
    pub ty: String,
    /// What is different.
    pub what: String,
}

impl Report {
    /// Whether nothing is refused.
    pub fn holds(&self) -> bool {
        self.findings.is_empty()
    }

    /// Whether the folder says all that the program does.
    pub fn is_written(&self) -> bool {
        self.holds() && self.notes.is_empty()
    }
}

impl Kind {
    /// Whether something that was promised would change.
    pub fn is_a_change(self) -> bool {
        match self {
            Kind::Sent(_) | Kind::Before(_) => true,
            Kind::Removed | Kind::RemovedEarly | Kind::Sooner => true,
            Kind::Unmet(_) | Kind::Unpublished | Kind::Example => false,
        }
    }

    /// What happened, as the rest of a sentence that begins with the place.
    fn words(self) -> &'static str {
        match self {
            Kind::Sent(Wrong::Missing) => "was removed",
            Kind::Sent(Wrong::Optional) => "was always there and may be missing now",
            Kind::Sent(Wrong::Type) => "has another type",
            Kind::Sent(Wrong::Values) => "has new values",
            Kind::Sent(Wrong::Range) => "may be outside of what was promised",
            Kind::Sent(Wrong::Format) => "is written in another form",
            Kind::Sent(Wrong::Closed) => "is a further field where none was promised",
            Kind::Sent(Wrong::Variant) => "has a new kind of object",
            Kind::Before(Wrong::Optional | Wrong::Missing) => {
                "has to be there now, and messages of before do not have it"
            }
            Kind::Before(Wrong::Type) => "is not allowed any more to be what it was",
            Kind::Before(Wrong::Values) => "has lost values, which messages of before have",
            Kind::Before(Wrong::Range) => "has narrower bounds than messages of before",
            Kind::Before(Wrong::Format) => "has a form that messages of before need not have",
            Kind::Before(Wrong::Closed) => "is not allowed any more, and was sent before",
            Kind::Before(Wrong::Variant) => "has lost a kind of object, which was sent before",
            Kind::Sent(Wrong::Unjudged) | Kind::Before(Wrong::Unjudged) => {
                "has changed in a way that cannot be judged"
            }
            Kind::Removed => "is not published any more, and nobody was told that it would cease",
            Kind::RemovedEarly => "is not published any more, before its last day",
            Kind::Sooner => "ceases sooner than was said",
            Kind::Unmet(Wrong::Missing) => "is read, and not sent",
            Kind::Unmet(Wrong::Optional) => "is read as always there, and may be missing",
            Kind::Unmet(Wrong::Type) => "is read as another type",
            Kind::Unmet(Wrong::Values) => "may have values that are not read",
            Kind::Unmet(Wrong::Range) => "may be outside of what is read",
            Kind::Unmet(Wrong::Format) => "is read in another form",
            Kind::Unmet(Wrong::Closed) => "is sent where no further field is read",
            Kind::Unmet(Wrong::Variant) => "may be a kind of object that is not read",
            Kind::Unmet(Wrong::Unjudged) => "is read in a way that cannot be judged",
            Kind::Unpublished => "is read, and not published",
            Kind::Example => "has an example that is not what is sent",
        }
    }

    /// What to do about it.
    fn advice(self) -> &'static str {
        match self {
            Kind::Sent(_) | Kind::Before(Wrong::Type | Wrong::Values | Wrong::Variant) => {
                "leave it as it was, or publish a new version beside this one: `version = …`"
            }
            Kind::Before(Wrong::Optional | Wrong::Missing) => {
                "make it optional, or publish a new version beside this one: `version = …`"
            }
            Kind::Before(_) => {
                "leave it as it was, or publish a new version beside this one: `version = …`"
            }
            Kind::Removed => {
                "publish it, with `deprecated` and a `sunset`, until that day has passed"
            }
            Kind::RemovedEarly => "publish it until that day has passed",
            Kind::Sooner => "leave the day, or say a later one",
            Kind::Unmet(_) | Kind::Unpublished => {
                "let the system read what is published, and commit what it expects then"
            }
            Kind::Example => "correct the example, or delete it and run `fait contract write`",
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "refused  {finding}")?;
        }
        for note in &self.notes {
            writeln!(f, "allowed  {}: {}", note.ty, note.what)?;
        }
        match (self.findings.len(), self.notes.len()) {
            (0, 0) => writeln!(f, "the contract holds"),
            (0, _) => writeln!(
                f,
                "the contract holds; `fait contract write` puts what is allowed into the folder"
            ),
            (n, _) => writeln!(f, "{n} refused"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self.pointer.is_empty() {
            true => self.ty.clone(),
            false => format!("{} {}", self.ty, self.pointer),
        };
        writeln!(f, "{place} {}", self.kind.words())?;
        let sides = match self.kind {
            Kind::Unmet(_) | Kind::Unpublished => ("read", "sent"),
            Kind::Example => ("sent", "example"),
            _ => ("was", "is"),
        };
        for (side, said) in [(sides.0, &self.was), (sides.1, &self.is)] {
            if !said.is_empty() {
                writeln!(f, "           {side}: {said}")?;
            }
        }
        if self.kind != Kind::Example {
            writeln!(f, "           {}", self.who())?;
        }
        write!(f, "           {}", self.kind.advice())
    }
}

impl Finding {
    fn who(&self) -> String {
        let unbroken = format!("read by, and does not break: {}", self.read_by.join(", "));
        match (self.breaks.is_empty(), self.read_by.is_empty()) {
            (true, true) => "nobody that is known reads it".into(),
            (true, false) => unbroken,
            (false, true) => format!("breaks: {}", self.breaks.join(", ")),
            (false, false) => format!("breaks: {}; {unbroken}", self.breaks.join(", ")),
        }
    }
}
