//! Problems as a compiler would show them, and as data for other programs.

mod json;
mod sarif;

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

pub use self::json::json;
pub use self::sarif::sarif;
use crate::problem::{Problem, Severity};

/// Where a report is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Look {
    /// Text only.
    #[default]
    Plain,
    /// With the colours of a terminal.
    Colour,
}

/// A board and what is wrong with it.
#[derive(Clone, Copy, Debug)]
pub struct Linted<'a> {
    /// What the file is called.
    pub path: &'a str,
    /// Its text.
    pub source: &'a str,
    /// How many notes it has.
    pub notes: usize,
    /// What is wrong with it.
    pub problems: &'a [Problem],
}

/// All in one line: `20 notes on the board: 11 errors, 8 warnings, 2 remarks`. Open questions are
/// counted by themselves, if there are any.
#[must_use]
pub fn summary(notes: usize, problems: &[Problem]) -> String {
    let question = |p: &&Problem| p.code == "B900" && p.severity == Severity::Remark;
    let questions = problems.iter().filter(question).count();
    let count = |severity| problems.iter().filter(|p| p.severity == severity).count();
    let mut line = format!(
        "{} on the board: {}, {}, {}",
        counted(notes, "note"),
        counted(count(Severity::Error), "error"),
        counted(count(Severity::Warning), "warning"),
        counted(count(Severity::Remark) - questions, "remark"),
    );
    if questions > 0 {
        line.push_str(", ");
        line.push_str(&counted(questions, "open question"));
    }
    line
}

fn counted(count: usize, of: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {of}{plural}")
}

/// All problems, each with its code, its place in `source` and what to do about it. `path` is
/// what the file is called in the report.
#[must_use]
pub fn report(source: &str, path: &str, problems: &[Problem], look: Look) -> String {
    let renderer = match look {
        Look::Plain => Renderer::plain(),
        Look::Colour => Renderer::styled(),
    };
    let mut out = String::new();
    for problem in problems {
        let level = match problem.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Remark => Level::NOTE,
        };
        let place = AnnotationKind::Primary.span(within(source, problem.span.bytes()));
        let mut group = level
            .primary_title(problem.message.as_str())
            .id(problem.code)
            .element(Snippet::source(source).path(path).annotation(place));
        if let Some(help) = &problem.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        out.push_str(&renderer.render(&[group]));
        out.push_str("\n\n");
    }
    out
}

/// The range, cut to the text: a problem may be shown against a text that changed since.
fn within(source: &str, range: Range<usize>) -> Range<usize> {
    let floor = |at: usize| {
        let mut at = at.min(source.len());
        while !source.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    floor(range.start)..floor(range.end)
}
