//! `fait contract expects`: what a system reads of another.

use super::{Program, folder_failure, refused, tell};
use crate::failure::Failure;
use crate::output::Out;
use clap::Args;
use fait::contract::{Reader, Report, read, unmet};
use std::path::PathBuf;

/// Of which system, and against which contract.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fait contract expects tickets --manifest manifest.json > tickets/contract/consumers/sponsorship.json
  fait contract expects tickets --manifest manifest.json --against ../tickets/contract

What is written is committed in the folder of the other system, so that it refuses a change that
would break this one. Exits with 1 when the other system does not send what is read.")]
pub(crate) struct Expects {
    /// The other system, by the name that this one has for it
    system: String,
    #[command(flatten)]
    program: Program,
    /// Write nothing; hold what is read against this folder of the other system
    #[arg(long, value_name = "FOLDER")]
    against: Option<PathBuf>,
}

pub(crate) fn run(args: &Expects, at: Option<&str>, out: &mut Out) -> Result<(), Failure> {
    let manifest = args.program.manifest(at)?;
    let Some(expects) = manifest.hears.get(&args.system) else {
        let known: Vec<String> = manifest.hears.keys().map(|s| format!("`{s}`")).collect();
        let known = match known.is_empty() {
            true => "it reads the messages of no system".into(),
            false => format!("it reads those of {}", known.join(", ")),
        };
        return Err(Failure::Usage(format!(
            "{} does not say that it reads messages of `{}`; {known}",
            manifest.name, args.system
        )));
    };
    let reader = Reader {
        system: manifest.name.clone(),
        expects: expects.clone(),
    };
    let Some(folder) = &args.against else {
        return out.document(&reader);
    };
    let contract = read(folder).map_err(folder_failure)?;
    let report = Report {
        findings: unmet(&contract, &reader),
        notes: vec![],
    };
    tell(&report, out)?;
    refused(&report).map_or(Ok(()), |refused| Err(Failure::Finding(refused)))
}
