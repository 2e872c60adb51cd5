//! The rules as data: what each is called, when it applies, why it is there, and a board on either
//! side of it. What `--explain` says, what code scanners are told and the reference are made of it.

mod names;
mod reading;
mod story;
mod words;

use std::fmt;

use crate::note::Level;
use crate::problem::Severity;

/// A rule that boards are held against, or something that can make a board unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable code: `P…` for what cannot be read, `B…` for what does not fit together.
    pub code: &'static str,
    /// How finished a board is to be before the rule applies.
    pub level: Level,
    /// How much it weighs, unless somebody says otherwise.
    pub severity: Severity,
    /// What is wrong, in a few words.
    pub title: &'static str,
    /// Why that matters.
    pub why: &'static str,
    /// A small board that breaks the rule.
    pub bad: &'static str,
    /// The same board without the mistake.
    pub good: &'static str,
}

impl Rule {
    /// All rules by their codes; what can make a board unreadable comes last.
    pub fn all() -> impl Iterator<Item = &'static Rule> {
        let boards = names::RULES.iter().chain(story::RULES).chain(words::RULES);
        let mut boards: Vec<&Rule> = boards.collect();
        boards.sort_by_key(|rule| rule.code);
        boards.into_iter().chain(reading::RULES)
    }

    /// The rule with that code.
    #[must_use]
    pub fn of(code: &str) -> Option<&'static Rule> {
        let tables = [names::RULES, story::RULES, words::RULES, reading::RULES];
        tables.into_iter().flatten().find(|rule| rule.code == code)
    }

    /// Whether a board that breaks it cannot be read; such a rule cannot be switched off.
    #[must_use]
    pub fn is_of_reading(&self) -> bool {
        self.code.starts_with('P')
    }
}

/// What `--explain` says of a rule.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weight = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Remark => "remark",
        };
        let from = match self.level {
            Level::BigPicture => "",
            Level::Process => ", from level process on",
            Level::Design => ", at level design",
        };
        writeln!(f, "{}: {} ({weight}{from})", self.code, self.title)?;
        writeln!(f, "\n{}", self.why)?;
        for (says, board) in [("Breaks it:", self.bad), ("Keeps it:", self.good)] {
            writeln!(f, "\n{says}\n")?;
            for line in board.lines() {
                let indent = if line.is_empty() { "" } else { "    " };
                writeln!(f, "{indent}{line}")?;
            }
        }
        Ok(())
    }
}
