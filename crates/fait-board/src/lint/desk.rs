//! What every rule needs at hand: the board, its ties, and where to put what was found.

use std::collections::HashSet;

use super::rules::Rule;
use crate::board::Board;
use crate::note::{Kind, Level, Note, Target};
use crate::place::Span;
use crate::problem::{Problem, Severity};
use crate::read::Parsed;
use crate::ties::{Tie, Ties};

pub(super) struct Desk<'b> {
    pub(super) board: &'b Board,
    pub(super) ties: &'b Ties,
    pub(super) level: Level,
    pub(super) problems: Vec<Problem>,
    /// The first lines of notes in which something could not be read: what is missing there may
    /// be what could not be read.
    torn: HashSet<usize>,
    /// Notes whose name stands for another, earlier one.
    twins: HashSet<Target>,
}

/// A problem of a rule; its level and weight are those of the rule.
pub(super) fn found(code: &'static str, span: Span, message: impl Into<String>) -> Problem {
    let mut problem = Problem::error(code, span, message);
    problem.severity = Rule::of(code).map_or(Severity::Error, |rule| rule.severity);
    problem
}

impl<'b> Desk<'b> {
    pub(super) fn new(parsed: &'b Parsed, ties: &'b Ties, level: Level) -> Self {
        let board = &parsed.board;
        Self {
            board,
            ties,
            level,
            problems: Vec::new(),
            torn: torn(parsed),
            twins: twins(board),
        }
    }

    /// Adds a problem, if the board is ready for its rule.
    pub(super) fn tell(&mut self, problem: Problem) {
        if Rule::of(problem.code).is_some_and(|rule| rule.level <= self.level) {
            self.problems.push(problem);
        }
    }

    /// Adds a problem about something that is missing in a note, if all of the note was read.
    pub(super) fn lacks(&mut self, note: &Note, problem: Problem) {
        if !self.torn.contains(&note.span.line) {
            self.tell(problem);
        }
    }

    /// The notes of a kind, without those whose name stands for an earlier one.
    pub(super) fn each<T>(&self, kind: Kind, all: &'b [T]) -> Vec<(Target, &'b T)> {
        let targets = all.iter().enumerate();
        targets
            .map(|(index, note)| (Target::Note(kind, index), note))
            .filter(|(target, _)| !self.twins.contains(target))
            .collect()
    }

    /// Who names it; what examples say is not part of the story.
    pub(super) fn named(&self, target: Target) -> impl Iterator<Item = &'b Tie> + use<'b> {
        let ties = self.ties;
        ties.to(target)
            .filter(|tie| !matches!(tie.from, Target::Note(Kind::Example, _)))
    }

    /// Whether a note stands in a context that runs in another system.
    pub(super) fn elsewhere(&self, note: &Note) -> bool {
        let context = note.context.and_then(|at| self.board.contexts.get(at));
        context.is_some_and(|context| context.runs_elsewhere.is_some())
    }
}

fn torn(parsed: &Parsed) -> HashSet<usize> {
    let unread = parsed.problems.iter().filter(|p| p.code.starts_with('P'));
    let mut lines: Vec<usize> = unread.map(|problem| problem.span.line).collect();
    lines.sort_unstable();
    let notes = parsed.board.notes();
    let spoiled = notes.iter().filter(|(_, note)| {
        let next = lines.partition_point(|line| *line < note.span.line);
        lines.get(next).is_some_and(|line| *line <= note.last_line)
    });
    spoiled.map(|(_, note)| note.span.line).collect()
}

fn twins(board: &Board) -> HashSet<Target> {
    let (mut seen, mut twins) = (HashSet::new(), HashSet::new());
    let mut counts = [0_usize; Kind::ALL.len()];
    // Within a kind, the notes are in the order of its list.
    for (kind, note) in board.notes() {
        let Some(index) = counts.get_mut(kind as usize) else {
            continue;
        };
        let sentence = matches!(kind, Kind::Hotspot | Kind::Idea);
        if !sentence && !seen.insert((kind, note.name.text.as_str())) {
            twins.insert(Target::Note(kind, *index));
        }
        *index += 1;
    }
    twins
}
