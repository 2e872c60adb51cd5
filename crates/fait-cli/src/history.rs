//! `fait history`: what the next program makes of all that has happened.
//!
//! The program itself looks. It is called with `--history FOLDER --json`; see [`program`].
//!
//! [`program`]: crate::program

use crate::failure::Failure;
use crate::output::Out;
use crate::program::asked;
use clap::{Args, Subcommand};
use fait::app::history::History;
use std::path::PathBuf;
use std::process::Command;

/// What can be done with a history.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run the next program over a folder: whether it reads every event, folds every view, and
    /// would decide every recorded command as it was decided; nothing is changed
    #[command(after_help = "Examples:
  fait history check --program ./target/release/orders --data ./data
  fait history check --program ./next --data ./data --json | jq .counts

The program has to understand `--history FOLDER --json`, with `AppBuilder::check_history`. While a
system uses the folder, a copy of its log is looked at.")]
    Check(Check),
}

/// Which program, and which folder.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The next program, which looks itself
    #[arg(long, value_name = "FILE")]
    program: PathBuf,
    /// The folder of the system
    #[arg(long, value_name = "FOLDER")]
    data: PathBuf,
}

pub(crate) fn run(verb: &Verb, out: &mut Out) -> Result<(), Failure> {
    let Verb::Check(check) = verb;
    let mut command = Command::new(&check.program);
    command.arg("--history").arg(&check.data).arg("--json");
    let understands = "`--history FOLDER --json`";
    let report: History = asked(&check.program, command, understands)?;
    match out.json() {
        true => out.document(&report)?,
        false => out.line(&report)?,
    }
    match report.ok() {
        true => Ok(()),
        false => Err(Failure::Finding(
            "the next program makes something else of this history".into(),
        )),
    }
}
