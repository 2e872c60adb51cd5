//! Measures the store beside its peers: one program, one disk, one set of events.
//!
//! `cargo run --release -p bench -- store --help` says how; `COMPARE.md` says what came of it.

mod numbers;
mod history;
mod machine;
mod peer;
mod measure;
mod results;
mod verdict;
mod report;
mod run;
mod process;
mod view;
mod board;

use clap::{Parser, Subcommand, ValueEnum};
use measure::Workload;
use peer::{Fault, Kind, fault};
use run::Options;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Measures fait beside other stores.
#[derive(Parser)]
#[command(name = "bench")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Measures the store: workloads W1 to W10, the same events for every store.
    ///
    /// Latencies mean something only while nothing else runs. On a machine that is shared, give
    /// this program precedence, for example with `chrt -r 5`; every row says which load there
    /// was and how long the disk's own sync took.
    Store(StoreArguments),
    /// Measures processes: durable steps a second, and how soon a command follows from an event.
    ///
    /// Beside them the same written by hand on SQLite, and the disk's own sync.
    Process(ProcessArguments),
    /// Measures views: rebuilding, how late they are, and what a rebuild costs others.
    ///
    /// Beside it the loop that one writes by hand, over a table of SQLite and over UmaDB.
    View(ViewArguments),
    /// Measures boards: reading a large one, the rules, the layout, the outline.
    Board(BoardArguments),
    /// Opens a store and says how long that took; what W9 starts.
    #[command(hide = true)]
    Open { store: Kind, folder: PathBuf },
}

#[derive(clap::Args)]
struct StoreArguments {
    /// 100,000 events, one round, fewer repetitions: a look, not a result.
    #[arg(long)]
    quick: bool,
    /// One JSON document instead of tables.
    #[arg(long)]
    json: bool,
    /// These workloads only, for example W1,W5.
    #[arg(long, value_delimiter = ',', ignore_case = true)]
    only: Vec<Workload>,
    /// These stores only; fait should be among them, as ratios are to it.
    #[arg(long, value_delimiter = ',')]
    stores: Vec<Kind>,
    /// Events that are loaded before anything is measured; 1,000,000 unless said otherwise.
    #[arg(long, value_parser = clap::value_parser!(u32).range(20_000..=100_000_000))]
    events: Option<u32>,
    /// Rounds over all stores, of which the medians are shown; 3 unless said otherwise.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: Option<u16>,
    /// Where folders are made and removed again; the system's temporary folder unless said
    /// otherwise. It must be on the disk that is to be measured.
    #[arg(long)]
    folder: Option<PathBuf>,
}

#[derive(clap::Args)]
struct ProcessArguments {
    /// A tenth of the steps, one round: a look, not a result.
    #[arg(long)]
    quick: bool,
    /// One JSON document instead of a table.
    #[arg(long)]
    json: bool,
    /// Rounds, of which the medians are shown; 3 unless said otherwise.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: Option<u16>,
    /// Where folders are made and removed again; the system's temporary folder unless said
    /// otherwise. It must be on the disk that is to be measured.
    #[arg(long)]
    folder: Option<PathBuf>,
}

#[derive(clap::Args)]
struct ViewArguments {
    /// A tenth of the events, one round: a look, not a result.
    #[arg(long)]
    quick: bool,
    /// One JSON document instead of a table.
    #[arg(long)]
    json: bool,
    /// Events of the history; 1,000,000 unless said otherwise.
    #[arg(long, value_parser = clap::value_parser!(u32).range(10_000..=100_000_000))]
    events: Option<u32>,
    /// Rows that they are folded into.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    keys: u32,
    /// Rounds, of which the medians are shown; 3 unless said otherwise.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: Option<u16>,
    /// Where folders are made and removed again; the system's temporary folder unless said
    /// otherwise. It must be on the disk that is to be measured.
    #[arg(long)]
    folder: Option<PathBuf>,
}

#[derive(clap::Args)]
struct BoardArguments {
    /// One JSON document instead of a table.
    #[arg(long)]
    json: bool,
    /// Lines of the board, at least.
    #[arg(long, default_value_t = 20_000,
        value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    lines: u32,
    /// Rounds, of which the medians are shown.
    #[arg(long, default_value_t = 21, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
}

impl StoreArguments {
    fn options(self) -> Options {
        let events = if self.quick { 100_000 } else { 1_000_000 };
        let rounds = if self.quick { 1 } else { 3 };
        Options {
            quick: self.quick,
            only: some_or_all(self.only),
            stores: some_or_all(self.stores),
            events: self.events.unwrap_or(events) as usize,
            rounds: self.rounds.map_or(rounds, usize::from),
            folder: self.folder.unwrap_or_else(std::env::temp_dir),
        }
    }
}

/// What was named, in order and once; everything when nothing was.
fn some_or_all<T: ValueEnum + Ord>(mut named: Vec<T>) -> Vec<T> {
    if named.is_empty() {
        named = T::value_variants().to_vec();
    }
    named.sort();
    named.dedup();
    named
}

fn main() -> ExitCode {
    let verb = Arguments::parse().verb;
    let done = only_ours().and_then(|out| match verb {
        Verb::Store(arguments) => store(arguments, out),
        Verb::Process(arguments) => process(arguments, out),
        Verb::View(arguments) => view(arguments, out),
        Verb::Board(arguments) => board(&arguments, out),
        Verb::Open { store, folder } => open(store, &folder, out),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {e}");
            ExitCode::FAILURE
        }
    }
}

/// The standard output, which is ours alone from now on: one of the peers prints to it when it is
/// opened, and what it prints goes to the standard error then.
fn only_ours() -> Result<File, Fault> {
    let ours = rustix::io::dup(std::io::stdout())?;
    rustix::stdio::dup2_stdout(std::io::stderr())?;
    Ok(File::from(ours))
}

fn store(arguments: StoreArguments, mut out: File) -> Result<(), Fault> {
    let json = arguments.json;
    let results = run::run(&arguments.options())?;
    let text = match json {
        true => format!("{:#}\n", report::json(&results)),
        false => report::text(&results),
    };
    Ok(out.write_all(text.as_bytes())?)
}

fn process(arguments: ProcessArguments, mut out: File) -> Result<(), Fault> {
    let rounds = if arguments.quick { 1 } else { 3 };
    let results = process::run(&process::Options {
        quick: arguments.quick,
        rounds: arguments.rounds.map_or(rounds, usize::from),
        folder: arguments.folder.unwrap_or_else(std::env::temp_dir),
    })?;
    let text = match arguments.json {
        true => format!("{:#}\n", serde_json::to_value(&results)?),
        false => process::text(&results),
    };
    Ok(out.write_all(text.as_bytes())?)
}

fn view(arguments: ViewArguments, mut out: File) -> Result<(), Fault> {
    let rounds = if arguments.quick { 1 } else { 3 };
    let events = if arguments.quick { 100_000 } else { 1_000_000 };
    let results = view::run(&view::Options {
        quick: arguments.quick,
        rounds: arguments.rounds.map_or(rounds, usize::from),
        events: arguments.events.unwrap_or(events) as usize,
        keys: arguments.keys as usize,
        folder: arguments.folder.unwrap_or_else(std::env::temp_dir),
    })?;
    let text = match arguments.json {
        true => format!("{:#}\n", serde_json::to_value(&results)?),
        false => view::text(&results),
    };
    Ok(out.write_all(text.as_bytes())?)
}

fn board(arguments: &BoardArguments, mut out: File) -> Result<(), Fault> {
    let results = board::run(&board::Options {
        lines: arguments.lines as usize,
        rounds: usize::from(arguments.rounds),
    })?;
    let text = match arguments.json {
        true => format!("{:#}\n", serde_json::to_value(&results)?),
        false => board::text(&results),
    };
    Ok(out.write_all(text.as_bytes())?)
}

fn open(store: Kind, folder: &Path, mut out: File) -> Result<(), Fault> {
    if !folder.is_dir() {
        let folder = folder.display();
        return Err(fault(format_args!("there is no folder {folder}")));
    }
    let opened = measure::open_here(store, folder)?;
    Ok(out.write_all(serde_json::to_string(&opened)?.as_bytes())?)
}
