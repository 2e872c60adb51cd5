//! `fait board test`: the examples of a board, run against the program that it is about.
//!
//! Only the program knows its types. It is called with `--board-test FILE --json`; see
//! [`program`].
//!
//! [`program`]: crate::program

use crate::failure::Failure;
use crate::output::Out;
use crate::program::asked;
use clap::{Args, ValueEnum};
use fait::board::Examples;
use std::path::PathBuf;
use std::process::Command;

/// Which board, and which program.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fait board test restaurant.board --program ./target/debug/restaurant
  fait board test restaurant.board --program ./target/debug/restaurant --only kitchen
  fait board test restaurant.board --program ./target/debug/restaurant --json | jq '.examples[].verdict'

Each example runs on a fresh system in memory, whose clock stands still until the example says that
time passes. An example that speaks of what is `planned`, or `runs elsewhere`, is skipped, and why is
said. The program has to understand `--board-test FILE --json`, with `fait::board::examples_in`.")]
pub(crate) struct Test {
    /// The board
    #[arg(value_name = "BOARD")]
    file: PathBuf,
    /// The program, which runs the examples itself
    #[arg(long, value_name = "FILE")]
    program: PathBuf,
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
    let mut command = Command::new(&test.program);
    command.arg("--board-test").arg(file).arg("--json");
    let understands = "`--board-test FILE --json`";
    let mut report: Examples = asked(&test.program, command, understands)?;
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
