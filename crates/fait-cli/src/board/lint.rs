//! `fait board lint`: what is wrong with a board, as a compiler would say it.

use super::text_of;
use crate::failure::Failure;
use crate::output::Out;
use clap::Args;
use fait_board::{Look, parse, report};
use std::path::PathBuf;

/// Which board.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  fait board lint restaurant.board")]
pub(crate) struct Lint {
    /// The board; `-` for standard input
    file: PathBuf,
}

pub(crate) fn run(lint: &Lint, out: &mut Out) -> Result<(), Failure> {
    let text = text_of(&lint.file)?;
    let problems = parse(&text).problems;
    let path = lint.file.display().to_string();
    out.line(report(&text, &path, &problems, Look::Plain).trim_end())?;
    match problems.len() {
        0 => Ok(()),
        1 => Err(Failure::Finding("1 problem".into())),
        n => Err(Failure::Finding(format!("{n} problems"))),
    }
}
