//! Holds a board against the rules of event storming. Each rule belongs to a level, and is silent
//! on a board that has not come so far: a draft is never an error.

mod language;
mod rules;
mod desk;
mod naming;
mod stage;
mod words;
mod reactions;
mod askers;
mod borders;
mod examples;

use self::desk::{Desk, found};
pub use self::rules::Rule;
use crate::note::Level;
use crate::problem::{Problem, Severity};
use crate::read::Parsed;
use crate::ties::Ties;

/// Which rules count, and how much.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LintOptions {
    /// The rules of this level apply, whatever level the board says it has.
    pub level: Option<Level>,
    /// Codes of rules that are not asked. What makes a board unreadable is always said.
    pub allow: Vec<String>,
    /// Codes of rules that give errors. A code that is allowed too is denied.
    pub deny: Vec<String>,
    /// Every warning is an error.
    pub deny_warnings: bool,
    /// Every open question is an error.
    pub no_hotspots: bool,
}

/// Everything that is wrong with a board: what could not be read, and which rules it breaks. What
/// cannot be read comes first; among themselves both are in the order of the text.
#[must_use]
pub fn lint(parsed: &Parsed, options: &LintOptions) -> Vec<Problem> {
    let level = options.level.unwrap_or(parsed.board.level);
    let ties = Ties::of(&parsed.board);
    let mut desk = Desk::new(parsed, &ties, level);
    for problem in &parsed.problems {
        desk.tell(problem.clone());
    }
    naming::check(&mut desk);
    stage::check(&mut desk);
    words::check(&mut desk);
    reactions::check(&mut desk);
    askers::check(&mut desk);
    borders::check(&mut desk);
    examples::check(&mut desk);
    for question in parsed.board.open_questions() {
        desk.tell(found(
            "B900",
            question.span,
            format!("open question: {}", question.text),
        ));
    }
    let mut problems = desk.problems;
    problems.retain(|problem| options.counts(problem));
    for problem in &mut problems {
        problem.severity = options.severity(problem);
    }
    problems.sort_by_key(|problem| (!problem.code.starts_with('P'), problem.span, problem.code));
    problems
}

impl LintOptions {
    fn denies(&self, problem: &Problem) -> bool {
        self.deny.iter().any(|code| code == problem.code)
    }

    fn counts(&self, problem: &Problem) -> bool {
        let allowed = self.allow.iter().any(|code| code == problem.code);
        !allowed || self.denies(problem) || problem.code.starts_with('P')
    }

    fn severity(&self, problem: &Problem) -> Severity {
        let question = self.no_hotspots && problem.code == "B900";
        let warning = self.deny_warnings && problem.severity == Severity::Warning;
        match question || warning || self.denies(problem) {
            true => Severity::Error,
            false => problem.severity,
        }
    }
}
