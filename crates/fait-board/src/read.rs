//! From text to board, with recovery: one mistake gives one message, and the rest is still read.
//!
//! Three passes: `lines` takes comments and indentation off, `tree` puts clauses under notes and
//! steps under clauses, and `clauses` reads what they say with every name of the board known.

mod clauses;
mod examples;
mod lines;
mod names;
mod notes;
pub(crate) mod rows;
mod steps;
mod tree;
mod values;

use crate::board::Board;
use crate::place::Comment;
use crate::problem::Problem;
pub(crate) use lines::{BYTE_ORDER, is_unseen};

/// A board that was read, and what was wrong with it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// What could be read.
    pub board: Board,
    /// The comments, in the order of the text.
    pub comments: Vec<Comment>,
    /// What could not be read, and which names stand for nothing. What cannot be read comes
    /// first; among themselves both are in the order of the text.
    pub problems: Vec<Problem>,
}

/// Reads a board. Any text gives a board; what could not be read is among the problems.
#[must_use]
pub fn parse(source: &str) -> Parsed {
    let (lines, comments, mut problems) = lines::read(source);
    let tree = tree::grow(&lines, &mut problems);
    let (board, more) = notes::read(&tree);
    problems.extend(more);
    problems.sort_by_key(|problem| (problem.code.starts_with('B'), problem.span));
    Parsed {
        board,
        comments,
        problems,
    }
}

#[cfg(test)]
mod tests;
