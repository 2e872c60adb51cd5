//! `fait contract asyncapi`: what a system publishes and hears, for tools of others.

use super::Program;
use crate::failure::Failure;
use crate::output::Out;
use clap::Args;
use fait::contract::asyncapi;

/// Of which program.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fait contract asyncapi --manifest manifest.json > asyncapi.json
  fait contract asyncapi --at http://127.0.0.1:7070

A running system answers the same at /api/asyncapi.json. Addresses are the subjects on NATS.")]
pub(crate) struct Asyncapi {
    #[command(flatten)]
    program: Program,
}

pub(crate) fn run(args: &Asyncapi, at: Option<&str>, out: &mut Out) -> Result<(), Failure> {
    let manifest = args.program.manifest(at)?;
    out.document(&asyncapi(&manifest))
}
