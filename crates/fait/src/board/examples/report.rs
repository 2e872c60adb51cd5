//! What came of the examples of a board, as data and as text.

use fait_board::name;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What came of the examples of a board. As text it reads like the board.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Examples {
    /// The name of the board.
    pub board: String,
    /// The file of the board, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Why the examples could not be run as they stand: lines of the board that cannot be read, a
    /// system that cannot be built.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// The examples, in the order of the board.
    pub examples: Vec<Tried>,
}

/// One example that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// Its name.
    pub name: String,
    /// The line at which it begins, counted from 1.
    pub line: usize,
    /// Its lines as they stand on the board, without comments and empty ones.
    pub lines: Vec<Line>,
    /// What came of it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// A line of an example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its number, counted from 1.
    pub line: usize,
    /// What it says.
    pub text: String,
}

/// What came of an example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Verdict {
    /// The program does what it says.
    Passed,
    /// The program does something else.
    Failed(Failed),
    /// It was not run, since it speaks of what this program does not have, and need not.
    Skipped {
        /// Why, as a sentence.
        why: String,
        /// The line that speaks of it.
        at: usize,
    },
}

/// What the program does instead of what an example says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Failed {
    /// What is not as the example says, in the order of its lines.
    pub misses: Vec<Miss>,
    /// What happened from the first `when` on, as the board would say it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub happened: Vec<String>,
    /// What people are asked to do at the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<String>,
    /// The words that the program needs and the example does not say, with what stood for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filled: Vec<String>,
}

/// One thing that is not as an example says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Miss {
    /// The line that says it, counted from 1.
    pub line: usize,
    /// What is otherwise, as a sentence.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Miss {
    pub(super) fn new(line: usize, message: impl Into<String>) -> Miss {
        Miss {
            line,
            message: message.into(),
            help: None,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Miss {
        self.help = Some(help.into());
        self
    }
}

impl Examples {
    /// Whether no example failed, and all could be run or need not be.
    pub fn ok(&self) -> bool {
        self.problems.is_empty() && self.failed() == 0
    }

    /// How many passed.
    pub fn passed(&self) -> usize {
        self.count(|v| matches!(v, Verdict::Passed))
    }

    /// How many failed.
    pub fn failed(&self) -> usize {
        self.count(|v| matches!(v, Verdict::Failed(_)))
    }

    /// How many were not run.
    pub fn skipped(&self) -> usize {
        self.count(|v| matches!(v, Verdict::Skipped { .. }))
    }

    fn count(&self, is: impl Fn(&Verdict) -> bool) -> usize {
        self.examples.iter().filter(|e| is(&e.verdict)).count()
    }

    /// An example by its name.
    pub fn of(&self, example: &str) -> Option<&Tried> {
        self.examples.iter().find(|e| e.name == example)
    }

    /// Only the examples whose name has this text in it, in capitals or not.
    #[must_use]
    pub fn only(mut self, text: &str) -> Self {
        let text = text.to_lowercase();
        self.examples
            .retain(|e| e.name.to_lowercase().contains(&text));
        self
    }

    /// With the name of the file, so that places can be found.
    #[must_use]
    pub fn named(mut self, file: &str) -> Self {
        self.file = Some(file.into());
        self
    }

    /// The one line of a test: every example does what it says, or need not be run.
    ///
    /// # Panics
    /// An example fails, the board cannot be read, or it has no example; the message says all of
    /// it.
    #[track_caller]
    pub fn assert(&self) {
        assert!(
            !self.examples.is_empty() || !self.problems.is_empty(),
            "there is no example on the board `{}`: say one with `example`, `when` and `then`",
            self.board
        );
        assert!(self.ok(), "\n{self}");
    }

    fn place(&self, line: usize) -> String {
        match &self.file {
            Some(file) => format!("{file}:{line}"),
            None => format!("line {line}"),
        }
    }
}

impl fmt::Display for Examples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(f, "not run: {problem}\n")?;
        }
        for example in &self.examples {
            let place = self.place(example.line);
            match &example.verdict {
                Verdict::Failed(failed) => {
                    writeln!(f, "FAILED   {}   ({place})\n", example.name)?;
                    write_lines(f, example, failed)?;
                    write_list(f, "what happened", &failed.happened)?;
                    write_list(f, "still asked", &failed.asked)?;
                    write_list(f, "not said, so filled in", &failed.filled)?;
                    writeln!(f)?;
                }
                Verdict::Passed => writeln!(f, "passed   {}", example.name)?,
                Verdict::Skipped { why, at } => {
                    let place = self.place(*at);
                    writeln!(f, "skipped  {}: {why} ({place})", example.name)?;
                }
            }
        }
        let (passed, failed, skipped) = (self.passed(), self.failed(), self.skipped());
        if self.examples.is_empty() && self.problems.is_empty() {
            return write!(f, "{}: there is no example", self.board);
        }
        write!(
            f,
            "{}: {passed} passed, {failed} failed, {skipped} skipped",
            self.board
        )
    }
}

/// The lines of an example, each with what is wrong with it below it.
fn write_lines(f: &mut fmt::Formatter<'_>, example: &Tried, failed: &Failed) -> fmt::Result {
    let width = example.lines.last().map_or(1, |l| l.line.to_string().len());
    for Line { line, text } in &example.lines {
        let misses = || failed.misses.iter().filter(|m| m.line == *line);
        let mark = if misses().next().is_some() { '>' } else { ' ' };
        writeln!(f, "  {mark} {line:>width$} | {text}")?;
        for miss in misses() {
            write_miss(f, miss, width)?;
        }
    }
    let on_line = |m: &&Miss| !example.lines.iter().any(|l| l.line == m.line);
    for miss in failed.misses.iter().filter(on_line) {
        write_miss(f, miss, width)?;
    }
    Ok(())
}

fn write_miss(f: &mut fmt::Formatter<'_>, miss: &Miss, width: usize) -> fmt::Result {
    writeln!(f, "    {:width$} |     {}", "", miss.message)?;
    match &miss.help {
        Some(help) => writeln!(f, "    {:width$} |     {help}", ""),
        None => Ok(()),
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, title: &str, lines: &[String]) -> fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n    {title}:")?;
    lines
        .iter()
        .try_for_each(|line| writeln!(f, "      {line}"))
}

/// `a, b and c`.
pub(super) fn and(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

/// The nearest of some names, as a question.
pub(super) fn guess<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let key = name::kebab_name(wanted);
    let far = key.chars().count() / 5 + 1;
    let near = names.map(|n| (strsim::levenshtein(&key, &name::kebab_name(n)), n));
    let (_, near) = near.filter(|(distance, _)| *distance <= far).min()?;
    Some(format!("did you mean `{near}`?"))
}
