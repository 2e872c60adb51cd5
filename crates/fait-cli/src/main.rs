//! The program `fait`: looks at a system and its history, running or in its folder.

mod failure;
mod words;
mod output;
mod source;
mod events;
mod store;
mod feed;
mod trace;
mod program;
mod history;
mod rows;
mod view;
mod process;
mod bus;
mod board;
mod contract;
mod play;
mod api;
mod token;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use failure::Failure;
use output::Out;
use std::panic::catch_unwind;
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  export FAIT_AT=http://127.0.0.1:7070
  fait events list --newest --limit 10
  fait trace 17
  fait view rebuild table-plan
  fait process list --at ./data        # the folder of a system that is stopped
  fait history check --program ./next --data ./data
  fait store backup ./data --to /backup/orders";

/// Look at a system and its history, running or in its folder
#[derive(Debug, Parser)]
#[command(name = "fait", version)]
struct Line {
    /// Where to look: the address of a running system, or the folder of one that is stopped
    #[arg(
        long,
        global = true,
        env = "FAIT_AT",
        hide_env_values = true,
        value_name = "FOLDER | http://HOST:PORT"
    )]
    at: Vec<String>,
    /// Answer as JSON: one document, or one line for each event of a stream
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// What happened: list, show, follow
    #[command(subcommand)]
    Events(events::Verb),
    /// What led to what: the tree of causes around an event, a command or a flow
    Trace(trace::Trace),
    /// Views: rows, how they stand, rebuild, compare, switch, and what waits
    #[command(subcommand)]
    View(view::Verb),
    /// Named feeds of programs: list, reset
    #[command(subcommand)]
    Feed(feed::Verb),
    /// Between systems: status, replay, retry, pass-over, unreadable, reread, skip, continue
    #[command(subcommand)]
    Bus(bus::Verb),
    /// Processes: list, show, stuck, and what operators do to their instances
    #[command(subcommand)]
    Process(process::Verb),
    /// What the next program makes of all that has happened: check
    #[command(subcommand)]
    History(history::Verb),
    /// Boards: text with the notes of an event-storming workshop
    #[command(subcommand)]
    Board(board::Verb),
    /// Contracts between systems: check, write, expects, asyncapi
    #[command(subcommand)]
    Contract(contract::Verb),
    /// Play a board: its notes become a running system with pages for everybody on it
    Play(play::Play),
    /// The open door for other systems: as an OpenAPI document
    #[command(subcommand)]
    Api(api::Verb),
    /// Tokens with which other systems come to the open door: new
    #[command(subcommand)]
    Token(token::Verb),
    /// The store in its folder: verify, info, backup, restore, export, import
    #[command(subcommand)]
    Store(store::Verb),
}

fn main() -> ExitCode {
    let help = format!("{EXAMPLES}\n\n{}", failure::CODES);
    let matches = Line::command().after_help(help).try_get_matches();
    let line = match matches.and_then(|m| Line::from_arg_matches(&m)) {
        Ok(line) => line,
        Err(e) => {
            // Help that nobody reads to its end is no error.
            let _ = e.print();
            return ExitCode::from(u8::try_from(e.exit_code()).unwrap_or(failure::INTERNAL));
        }
    };
    let done = catch_unwind(|| run(&line)).unwrap_or_else(|_| {
        let sorry = "this is a mistake in the program, not in the system that it looks at";
        Err(Failure::Internal(sorry.into()))
    });
    let Err(failure) = done else {
        return ExitCode::SUCCESS;
    };
    if !matches!(failure, Failure::Closed) {
        output::note(format_args!("error: {failure}"));
    }
    ExitCode::from(failure.code())
}

fn run(line: &Line) -> Result<(), Failure> {
    let mut out = Out::new(line.json);
    let out = &mut out;
    let at = match (&line.verb, line.at.as_slice()) {
        (Verb::Trace(verb), all) => {
            trace::run(verb, all, out)?;
            return out.flush();
        }
        (_, [_, _, ..]) => {
            let why = "only `fait trace` looks at several places; say `--at` once";
            return Err(Failure::Usage(why.into()));
        }
        (_, one) => one.first().map(String::as_str),
    };
    // Opened by those who look at what happened; a store is looked at as it lies in its folder.
    let open = || source::open(at);
    match &line.verb {
        Verb::Events(verb) => events::run(verb, &*open()?, out),
        Verb::Trace(_) => Ok(()),
        Verb::View(verb) => view::run(verb, &*open()?, out),
        Verb::Feed(verb) => feed::run(verb, &*open()?, out),
        Verb::Bus(verb) => bus::run(verb, &*open()?, out),
        Verb::Process(verb) => process::run(verb, open, out),
        Verb::History(verb) => history::run(verb, out),
        Verb::Board(verb) => board::run(verb, at, out),
        Verb::Contract(verb) => contract::run(verb, at, out),
        Verb::Play(args) => play::run(args, out),
        Verb::Api(verb) => api::run(verb, open, out),
        Verb::Token(verb) => token::run(verb, out),
        Verb::Store(verb) => store::run(verb, at, out),
    }?;
    out.flush()
}
