//! `fait contract check`: what is published today, against what was promised.

use super::{Program, folder_failure, refused, tell};
use crate::failure::Failure;
use crate::output::{Out, note};
use clap::Args;
use fait::Clock;
use fait::contract::{compare, published, read};
use fait::event::Time;
use std::path::PathBuf;

/// Which contract, and which program.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fait contract check --manifest manifest.json
  fait contract check tickets/contract --at http://127.0.0.1:7070
  fait contract check --manifest manifest.json --written    # in CI: also when nothing is refused

An optional field may be added. What would break those who read by the committed schema, or would
make messages of before invalid, is refused, with the systems in contract/consumers that it breaks;
so is a type that is left out before its last day.

Exits with 1 when something is refused.")]
pub(crate) struct Check {
    /// The folder of the contract
    #[arg(default_value = "contract", value_name = "FOLDER")]
    folder: PathBuf,
    #[command(flatten)]
    program: Program,
    /// Exit with 1 also when something is allowed and not in the folder yet
    #[arg(long)]
    written: bool,
    /// The day on which it is asked, for last days of types; today without it
    #[arg(long, value_name = "DATE", value_parser = day)]
    on: Option<Time>,
}

/// The beginning of a day like `2026-12-31`.
pub(super) fn day(text: &str) -> Result<Time, String> {
    let begin = format!("{text}T00:00:00Z");
    let day = begin
        .parse::<Time>()
        .ok()
        .filter(|day| day.to_string().starts_with(text));
    day.filter(|_| text.len() == "2026-12-31".len())
        .ok_or_else(|| format!("`{text}` is not a day like 2026-12-31"))
}

pub(crate) fn run(check: &Check, at: Option<&str>, out: &mut Out) -> Result<(), Failure> {
    let manifest = check.program.manifest(at)?;
    let contract = read(&check.folder).map_err(folder_failure)?;
    if !check.folder.is_dir() {
        let folder = check.folder.display();
        note(format!(
            "there is no folder {folder} yet: nothing is promised, so nothing is refused"
        ));
    }
    let today = check.on.unwrap_or_else(|| Clock::machine().now());
    let report = compare(&contract, &published(&manifest), today);
    tell(&report, out)?;
    match refused(&report) {
        Some(refused) => Err(Failure::Finding(refused)),
        None if check.written && !report.is_written() => Err(Failure::Finding(format!(
            "{} does not say all that is published; run `fait contract write`",
            check.folder.display()
        ))),
        None => Ok(()),
    }
}
