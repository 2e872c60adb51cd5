//! `fait api`: the open door of a system as a document.

use crate::failure::Failure;
use crate::output::Out;
use crate::source::Source;
use clap::{Args, Subcommand};
use fait::manifest::Manifest;
use std::fs;
use std::path::{Path, PathBuf};

/// What can be made of the open door.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Write it as OpenAPI 3.1
    #[command(after_help = "Examples:
  fait api openapi --at http://127.0.0.1:7070 > openapi.json
  fait api openapi --manifest manifest.json --clients

A running system has it at /api/openapi.json, too.")]
    Openapi(Openapi),
}

/// How the document is made.
#[derive(Debug, Args)]
pub(crate) struct Openapi {
    /// What is coded: the manifest of the program; without it, that of the system at its address
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// As for a system whose door is open to clients with tokens only
    #[arg(long)]
    clients: bool,
}

/// Does what was asked.
pub(crate) fn run(
    verb: &Verb,
    open: impl FnOnce() -> Result<Box<dyn Source>, Failure>,
    out: &mut Out,
) -> Result<(), Failure> {
    let Verb::Openapi(how) = verb;
    let manifest = match &how.manifest {
        Some(file) => read(file)?,
        None => open()?.manifest()?.ok_or_else(no_manifest)?,
    };
    out.document(&fait_web::openapi(&manifest, how.clients))
}

fn no_manifest() -> Failure {
    let why = "a folder has no manifest: say `--manifest FILE`, or `--at` a running system";
    Failure::Usage(why.into())
}

fn read(file: &Path) -> Result<Manifest, Failure> {
    let name = file.display();
    let text = fs::read(file).map_err(|e| Failure::Usage(format!("{name} cannot be read: {e}")))?;
    serde_json::from_slice(&text)
        .map_err(|e| Failure::Usage(format!("{name} is not a manifest: {e}")))
}
