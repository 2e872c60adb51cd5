//! A program that does not start when its board and its code differ.

use super::{Comparison, Options, compare};
use crate::app::AppBuilder;
use std::fmt;

/// The board and the code of a program differ, or the board cannot be read.
#[derive(Clone, Debug, PartialEq)]
pub enum Drift {
    /// What could not be read, each with its line.
    Unreadable(Vec<(usize, String)>),
    /// In what they differ.
    Differs(Box<Comparison>),
}

impl std::error::Error for Drift {}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Drift::Unreadable(problems) => {
                f.write_str("the board cannot be read")?;
                for (line, message) in problems {
                    write!(f, "\nline {line}: {message}")?;
                }
                Ok(())
            }
            Drift::Differs(comparison) => {
                writeln!(f, "the board and the code differ\n")?;
                for entry in comparison.differences() {
                    write!(f, "{entry}\n\n")?;
                }
                f.write_str(&comparison.sum())
            }
        }
    }
}

/// Holds the board of a program, as text, against what is wired, for programs that rather do not
/// start than run beside their board. Nothing is opened, and what happened is not looked at.
///
/// ```
/// use fait::App;
/// use fait::board::check::strict;
///
/// let wired = App::in_memory().name("Restaurant");
/// assert!(strict(&wired, "board Restaurant").is_ok());
/// assert!(strict(&wired, "board Restaurant\nactor Cook").is_err());
/// ```
///
/// # Errors
/// They differ, or the board cannot be read; the text of the error says how, line by line.
pub fn strict(wired: &AppBuilder, board: &str) -> Result<(), Drift> {
    let parsed = fait_board::parse(board);
    let wrong = parsed.problems.iter();
    let wrong = wrong.filter(|p| p.severity == fait_board::Severity::Error);
    let wrong: Vec<_> = wrong.map(|p| (p.span.line, p.message.clone())).collect();
    if !wrong.is_empty() {
        return Err(Drift::Unreadable(wrong));
    }
    let manifest = wired.manifest();
    let comparison = compare(&parsed.board, Some(&manifest), None, Options::default());
    match comparison.agrees() {
        true => Ok(()),
        false => Err(Drift::Differs(Box::new(comparison))),
    }
}
