//! The program `fait`: looks at a system and its history, in its folder or over HTTP.

mod trouble;
mod output;
mod wanted;
mod folder;
mod address;
mod source;
mod words;
mod events;
mod trace;
mod view;
mod process;

use clap::{Parser, Subcommand};
use output::Output;
use source::Source;
use std::process::ExitCode;
use trouble::Trouble;

const HELP: &str = "\
Examples:
  fait --at data events list --newest
  fait --at http://127.0.0.1:7070 events follow
  FAIT_AT=data fait trace 42

Exit codes:
   0  done
   1  done, and something is wrong: no such event, view, process; a rebuild that failed
   2  the call is wrong
   3  cannot reach it, or it is not ready: the folder is in use, the system is not running
   4  it does not stand as it must for this
  70  the program itself is at fault

Data goes to stdout, everything else to stderr. NO_COLOR is honoured.";

/// Looks at an event-driven system and its history.
#[derive(Debug, Parser)]
#[command(name = "fait", version, after_help = HELP)]
struct Cli {
    /// Where to look: the data folder of a system that is not running, or the address of one
    /// that is
    #[arg(
        long,
        global = true,
        env = "FAIT_AT",
        value_name = "FOLDER | http://HOST:PORT"
    )]
    #[arg(hide_env_values = true)]
    at: Option<String>,
    /// Prints one JSON document; for streams, one JSON document per line
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Shows what happened
    #[command(subcommand)]
    Events(events::Verb),
    /// Shows what led to an event and what came of it
    Trace(trace::Call),
    /// Shows and rebuilds views
    #[command(subcommand)]
    View(view::Verb),
    /// Shows processes and lets those go on that wait for an operator
    #[command(subcommand)]
    Process(process::Verb),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => {
            // Help and usage errors; when nobody reads them, that is all right.
            let _ = told.print();
            return ExitCode::from(u8::try_from(told.exit_code()).unwrap_or(2));
        }
    };
    let out = Output::new(cli.json);
    match run(cli, &out).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            if !matches!(trouble, Trouble::Closed) {
                out.note(&format!("fait: {trouble}"));
            }
            ExitCode::from(trouble.code())
        }
    }
}

async fn run(cli: Cli, out: &Output) -> Result<(), Trouble> {
    let source = Source::open(cli.at.as_deref())?;
    match cli.verb {
        Verb::Events(verb) => events::run(verb, &source, out).await,
        Verb::Trace(call) => trace::run(call, &source, out).await,
        Verb::View(verb) => view::run(verb, &source, out).await,
        Verb::Process(verb) => process::run(verb, &source, out).await,
    }
}
