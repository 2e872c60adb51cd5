//! `fait contract write`: what is published goes into the folder.

use super::check::day;
use super::{Program, folder_failure, tell};
use crate::failure::Failure;
use crate::output::Out;
use clap::Args;
use fait::Clock;
use fait::contract::{FolderError, write};
use fait::event::Time;
use std::path::PathBuf;

/// Which contract, and which program.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fait contract write --manifest manifest.json
  fait contract write tickets/contract --at http://127.0.0.1:7070

Writes schemas and, for types that have none, an example with made-up values, which may be edited.
Nothing is written when something that was promised would change; a promise that nobody has yet is
taken back by deleting its schema from the folder first. Commit what was written.")]
pub(crate) struct Write {
    /// The folder of the contract
    #[arg(default_value = "contract", value_name = "FOLDER")]
    folder: PathBuf,
    #[command(flatten)]
    program: Program,
    /// The day on which it is asked, for last days of types; today without it
    #[arg(long, value_name = "DATE", value_parser = day)]
    on: Option<Time>,
}

pub(crate) fn run(args: &Write, at: Option<&str>, out: &mut Out) -> Result<(), Failure> {
    let manifest = args.program.manifest(at)?;
    let today = args.on.unwrap_or_else(|| Clock::machine().now());
    let changed = write(&manifest, &args.folder, today).map_err(|e| {
        if let FolderError::Refused(report) = &e
            && let Err(failure) = tell(report, out)
        {
            return failure;
        }
        folder_failure(e)
    })?;
    if out.json() {
        return out.document(&changed);
    }
    for path in &changed {
        let path = args.folder.join(path);
        let done = if path.exists() { "wrote" } else { "deleted" };
        out.line(format_args!("{done} {}", path.display()))?;
    }
    match changed.is_empty() {
        true => out.line(format_args!(
            "{} says it all already",
            args.folder.display()
        )),
        false => Ok(()),
    }
}
