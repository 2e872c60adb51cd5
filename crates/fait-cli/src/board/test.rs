//! `fait board test`: the examples of a board, run against the program that it is about, or against
//! the board itself as it is played.
//!
//! Only the program knows its types. It is called with `--board-test FILE --json`; see
//! [`program`].
//!
//! [`program`]: crate::program

use super::text_of;
use crate::failure::Failure;
use crate::output::Out;
use crate::program::asked;
use clap::{Args, ValueEnum};
use fait::App;
use fait::board::{Examples, examples, play};
use fait_board::{Look, report};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Which board, and which program.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fait board test restaurant.board                  # against the board itself, as it is played
  fait board test restaurant.board --program ./target/debug/restaurant
  fait board test restaurant.board --program ./target/debug/restaurant --only kitchen
  fait board test restaurant.board --program ./target/debug/restaurant --json | jq '.examples[].verdict'

Each example runs on a fresh system in memory, whose clock stands still until the example says that
time passes. An example that speaks of what is `planned`, or `runs elsewhere`, is skipped, and why is
said. The program has to understand `--board-test FILE --json`, with `fait::board::examples_in`.
Without a program the board is played: what comes of a task is chosen as the example says, so this
shows whether the examples and the rest of the board can both be true.")]
pub(crate) struct Test {
    /// The board
    #[arg(value_name = "BOARD")]
    file: PathBuf,
    /// The program, which runs the examples itself; without it they are run against the board as it
    /// is played
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Only the examples whose name has this text in it
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// How it is told; `--json` is the same as `json`
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// How it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// As the board says it
    Text,
    /// As one JSON document
    Json,
}

pub(crate) fn run(test: &Test, out: &mut Out) -> Result<(), Failure> {
    let file = &test.file;
    if !file.is_file() {
        let name = file.display();
        return Err(Failure::Usage(format!("there is no file {name}")));
    }
    let mut report = match &test.program {
        Some(program) => told(program, file)?,
        None => played(file)?,
    };
    if let Some(only) = &test.only {
        report = report.only(only);
    }
    match out.json() || test.format == Format::Json {
        true => out.document(&report)?,
        false => out.line(&report)?,
    }
    let problems = report.problems.len();
    match (report.failed(), &test.only) {
        (0, Some(only)) if report.examples.is_empty() && problems == 0 => Err(Failure::Finding(
            format!("no example has `{only}` in its name"),
        )),
        (0, _) if problems == 0 => Ok(()),
        (0, _) => Err(Failure::Finding("the examples could not be run".into())),
        (1, _) => Err(Failure::Finding("1 example fails".into())),
        (n, _) => Err(Failure::Finding(format!("{n} examples fail"))),
    }
}

/// What a program says of the examples.
fn told(program: &Path, file: &Path) -> Result<Examples, Failure> {
    let mut command = Command::new(program);
    command.arg("--board-test").arg(file).arg("--json");
    asked(program, command, "`--board-test FILE --json`")
}

/// What the board itself makes of its examples.
fn played(file: &Path) -> Result<Examples, Failure> {
    let (text, name) = (text_of(file)?, file.display().to_string());
    let board = play::read(&text).map_err(|wrong| {
        let wrong = report(&text, &name, &wrong, Look::Plain);
        Failure::Finding(format!("{name} cannot be played\n\n{}", wrong.trim_end()))
    })?;
    Ok(examples(&text, || board.onto(App::in_memory())).named(&name))
}
