//! `fait store`: keeping a store safe, and taking it elsewhere.

mod bar;
mod tell;
mod verify;

use crate::failure::Failure;
use crate::output::{Out, note};
use crate::words;
use bar::Bar;
use clap::{Args, Subcommand};
use fait_store::tools;
use indicatif::HumanBytes;
use serde_json::json;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, IsTerminal, stdin, stdout};
use std::path::{Path, PathBuf};

/// What can be done with a store.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Check every byte of a store, or of a backup, while programs use it
    #[command(after_help = "Examples:
  fait store verify ./data
  fait store verify /backup/orders --json

Nothing is changed. A write that is under way, or was cut short by a crash, is no damage.
When something is damaged, the exit code is 5, and each place is named with what to do.")]
    Verify(Place),
    /// Say what a store is, how large, and how its log ends
    #[command(after_help = "Examples:
  fait store info ./data
  fait store info --at ./data --json")]
    Info(Place),
    /// Copy a store while programs write to it, and check the copy
    #[command(after_help = "Examples:
  fait store backup ./data --to /backup/orders
  fait store backup --at ./data --to /backup/orders --json

The other folder may hold an earlier backup of the same store: then only what is new is copied,
and what was erased since is erased there. The earlier one can be restored until the new one is
whole. Only the log and its indexes are copied: views are made anew from them.")]
    Backup {
        #[command(flatten)]
        place: Place,
        /// Where the backup is, or will be
        #[arg(long, value_name = "BACKUP")]
        to: PathBuf,
    },
    /// Make a store of a backup
    #[command(after_help = "Examples:
  fait store restore /backup/orders --to ./data
  fait store restore /backup/orders --to ./data --json

All of it is checked. The folder must be empty, or not there yet. The store has a new history, so
that programs which have followed the old one notice it and do not go on where that one was.")]
    Restore {
        /// The folder of the backup; else what --at names
        #[arg(value_name = "BACKUP")]
        backup: Option<PathBuf>,
        /// The folder of the new store
        #[arg(long, value_name = "FOLDER")]
        to: PathBuf,
    },
    /// Write every event as a line of JSON, while programs use the store
    #[command(after_help = "Examples:
  fait store export ./data | jq -r .type | sort | uniq -c
  fait store export ./data --to orders.jsonl
  fait store export /backup/orders --to orders.jsonl --json

Each line is a CloudEvents 1.0 object, with the data as it was stored.")]
    Export {
        #[command(flatten)]
        place: Place,
        /// A file that is not there yet; else, or with `-`, standard output
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Make a store of an export: all of it, or nothing
    #[command(after_help = "Examples:
  fait store import ./copy --from orders.jsonl
  zcat orders.jsonl.gz | fait store import ./copy --from -
  fait store import ./copy --from orders.jsonl --json

Ids, positions, times, erased places and the receipts of commands are kept. The folder must be
empty, or not there yet. An error names the line and the attribute.")]
    Import {
        /// The folder of the new store; else what --at names
        folder: Option<PathBuf>,
        /// The file, or `-` for standard input
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
    },
}

/// Which store is meant.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The folder of the store, or of a backup; else what --at names
    folder: Option<PathBuf>,
}

/// Does what was asked.
pub(crate) fn run(verb: &Verb, at: Option<&str>, out: &mut Out) -> Result<(), Failure> {
    match verb {
        Verb::Verify(place) => verify::verify(&place.there(at)?, out),
        Verb::Info(place) => tell::info(&tools::info(&place.there(at)?)?, out),
        Verb::Backup { place, to } => backup(&place.there(at)?, to, out),
        Verb::Restore { backup, to } => restore(&there(backup.as_deref(), at)?, to, out),
        Verb::Export { place, to } => {
            let to = to.as_deref().filter(|to| *to != Path::new("-"));
            export(&place.there(at)?, to, out)
        }
        Verb::Import { folder, from } => import(&named(folder.as_deref(), at)?, from, out),
    }
}

impl Place {
    fn there(&self, at: Option<&str>) -> Result<PathBuf, Failure> {
        there(self.folder.as_deref(), at)
    }
}

/// The folder that is meant.
fn named(folder: Option<&Path>, at: Option<&str>) -> Result<PathBuf, Failure> {
    let at = at.map(str::trim).filter(|at| !at.is_empty());
    match (folder, at) {
        (Some(folder), _) => Ok(folder.to_path_buf()),
        (None, Some(at)) if at.contains("://") => Err(Failure::Usage(format!(
            "{at} is an address; a store is kept in a folder: name that, on the machine that has \
             it, also while the system runs"
        ))),
        (None, Some(at)) => Ok(at.into()),
        (None, None) => Err(Failure::Usage(
            "say which folder: behind the verb, with `--at FOLDER`, or with FAIT_AT".into(),
        )),
    }
}

/// The same, when there must be one.
fn there(folder: Option<&Path>, at: Option<&str>) -> Result<PathBuf, Failure> {
    let folder = named(folder, at)?;
    match folder.is_dir() {
        true => Ok(folder),
        false => Err(Failure::NotReady(format!(
            "there is no folder {}",
            folder.display()
        ))),
    }
}

fn backup(from: &Path, to: &Path, out: &mut Out) -> Result<(), Failure> {
    let bar = Bar::new("copying", out);
    let done = tools::backup(from, to, &mut |p| bar.to(p))?;
    bar.end();
    tell::backup(&done, to, out)
}

fn restore(backup: &Path, to: &Path, out: &mut Out) -> Result<(), Failure> {
    let bar = Bar::new("restoring", out);
    let done = tools::restore(backup, to, &mut |p| bar.to(p))?;
    bar.end();
    if out.json() {
        return out.document(&json!({
            "folder": to,
            "store": done.store,
            "history": done.history,
            "events": done.head,
            "segments": done.segments,
            "bytes": done.bytes,
            "backed_up": done.taken,
        }));
    }
    out.line(format_args!(
        "restored to {}: {} as of {}, {}, all checked",
        to.display(),
        words::count(done.head, "event"),
        words::moment(done.taken),
        HumanBytes(done.bytes),
    ))?;
    out.line(format_args!("its history is {} from now on", done.history))
}

fn export(from: &Path, to: Option<&Path>, out: &mut Out) -> Result<(), Failure> {
    let Some(to) = to else {
        // Lines on a terminal need no bar between them.
        let bar = match stdout().is_terminal() {
            true => Bar::none(),
            false => Bar::new("exporting", out),
        };
        let done = tools::export(from, out.bytes(), &mut |p| bar.to(p))?;
        bar.end();
        note(format_args!(
            "exported {}, {}",
            words::count(done.events, "event"),
            HumanBytes(done.bytes)
        ));
        return Ok(());
    };
    let file = File::create_new(to).map_err(|e| cannot("make", to, &e))?;
    let bar = Bar::new("exporting", out);
    let mut file = BufWriter::new(file);
    let done = tools::export(from, &mut file, &mut |p| bar.to(p));
    let done = done.map_err(Failure::from).and_then(|done| {
        let synced = file.get_ref().sync_all();
        synced.map(|()| done).map_err(|e| cannot("write", to, &e))
    });
    bar.end();
    let done = done.inspect_err(|_| {
        // Half an export is none.
        let _ = fs::remove_file(to);
    })?;
    if out.json() {
        return out.document(&json!({
            "file": to,
            "history": done.history,
            "events": done.events,
            "bytes": done.bytes,
        }));
    }
    out.line(format_args!(
        "exported to {}: {}, {}",
        to.display(),
        words::count(done.events, "event"),
        HumanBytes(done.bytes)
    ))
}

fn import(to: &Path, from: &Path, out: &mut Out) -> Result<(), Failure> {
    let bar = Bar::new("importing", out);
    let done = if from == Path::new("-") {
        tools::import(&mut stdin().lock(), to, &mut |p| bar.to(p))
    } else {
        let file = File::open(from).map_err(|e| cannot("read", from, &e))?;
        let total = file.metadata().map_or(0, |m| m.len());
        let mut lines = BufReader::with_capacity(1 << 20, file);
        tools::import(&mut lines, to, &mut |p| {
            bar.to(tools::Progress { total, ..p })
        })
    }?;
    bar.end();
    if out.json() {
        return out.document(&json!({
            "folder": to,
            "history": done.history,
            "events": done.events,
            "erased": done.erased,
            "bytes": done.bytes,
        }));
    }
    out.line(format_args!(
        "imported to {}: {}{}, {}",
        to.display(),
        words::count(done.events, "event"),
        tell::erased(done.erased),
        HumanBytes(done.bytes)
    ))
}

fn cannot(doing: &str, path: &Path, e: &io::Error) -> Failure {
    let path = path.display();
    Failure::NotReady(match e.kind() {
        io::ErrorKind::AlreadyExists => {
            format!("{path} is there already; choose another name, or remove it first")
        }
        _ => format!("cannot {doing} {path}: {e}"),
    })
}
