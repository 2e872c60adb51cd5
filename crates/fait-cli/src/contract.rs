//! `fait contract`: what a system promised to tell others, and what others read of it.

mod check;
mod write;
mod expects;
mod asyncapi;

use crate::failure::Failure;
use crate::output::Out;
use crate::source;
use clap::{Args, Subcommand};
use fait::contract::{FolderError, Report};
use fait::manifest::Manifest;
use std::fs;
use std::path::{Path, PathBuf};

/// What can be done with a contract.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Refuse what would break those who read the messages of a system
    Check(check::Check),
    /// Put what a system publishes into the folder of its contract
    Write(write::Write),
    /// Say what a system reads of the messages of another, or hold it against that one's contract
    Expects(expects::Expects),
    /// Write the AsyncAPI 3.1 document of a system
    Asyncapi(asyncapi::Asyncapi),
}

pub(crate) fn run(verb: &Verb, at: Option<&str>, out: &mut Out) -> Result<(), Failure> {
    match verb {
        Verb::Check(check) => check::run(check, at, out),
        Verb::Write(write) => write::run(write, at, out),
        Verb::Expects(expects) => expects::run(expects, at, out),
        Verb::Asyncapi(asyncapi) => asyncapi::run(asyncapi, at, out),
    }
}

/// Which program it is about.
#[derive(Debug, Args)]
struct Program {
    /// The manifest of the program; without it, that of the system at its address
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
}

impl Program {
    fn manifest(&self, at: Option<&str>) -> Result<Manifest, Failure> {
        if let Some(file) = &self.manifest {
            return read(file);
        }
        let at = at.map(str::trim).filter(|at| !at.is_empty());
        let Some(at) = at else {
            return Err(Failure::Usage(
                "say which program it is about: `--manifest FILE`, or `--at http://…` for a \
                 running system"
                    .into(),
            ));
        };
        let found = source::open(Some(at))?.manifest()?;
        found.ok_or_else(|| {
            Failure::Usage(format!(
                "{at} does not say what its program publishes; give `--manifest FILE` or the \
                 address of a running system"
            ))
        })
    }
}

fn read(file: &Path) -> Result<Manifest, Failure> {
    let name = file.display();
    let text = fs::read(file).map_err(|e| Failure::Usage(format!("{name} cannot be read: {e}")))?;
    serde_json::from_slice(&text)
        .map_err(|e| Failure::Usage(format!("{name} is not a manifest: {e}")))
}

fn folder_failure(e: FolderError) -> Failure {
    match e {
        FolderError::File { .. } => Failure::NotReady(e.to_string()),
        FolderError::Refused(report) => Failure::Finding(format!(
            "nothing was written; {}",
            refused(&report).unwrap_or_default()
        )),
        other => Failure::Usage(other.to_string()),
    }
}

/// A report line by line, as text for people or as one document.
fn tell(report: &Report, out: &mut Out) -> Result<(), Failure> {
    if out.json() {
        return out.document(report);
    }
    for line in report.to_string().lines() {
        out.line(crate::words::clean(line))?;
    }
    Ok(())
}

/// How much is refused, when something is.
fn refused(report: &Report) -> Option<String> {
    match report.findings.len() {
        0 => None,
        1 => Some("1 finding".into()),
        n => Some(format!("{n} findings")),
    }
}
