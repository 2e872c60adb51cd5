//! The stores that are compared, each behind the same small trait, one file each.

mod group;
mod record;
mod fait;
mod sqlite;
mod umadb;
mod fjall;
mod server;
mod postgres;
#[cfg(test)]
mod tests;

use crate::history::Event;
use clap::ValueEnum;
use std::error::Error;
use std::fmt::Display;
use std::path::Path;
use uuid::Uuid;

/// Anything that ends a measurement; it says which store and what.
pub(crate) type Fault = Box<dyn Error + Send + Sync>;

/// A fault with this sentence.
pub(crate) fn fault(message: impl Display) -> Fault {
    message.to_string().into()
}

/// One atomic append.
#[derive(Clone, Debug)]
pub(crate) struct Append {
    pub(crate) events: Vec<Event>,
    pub(crate) condition: Option<Condition>,
}

/// No event with all of these tags may stand behind the position.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) tags: Vec<String>,
    pub(crate) after: u64,
}

/// What became of an append.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// The position of its last event, counted from 1 without gaps.
    At(u64),
    /// Its condition does not hold; nothing was changed.
    Conflict,
}

impl Outcome {
    /// The position.
    ///
    /// # Errors
    /// It was a conflict where none can be.
    pub(crate) fn position(self) -> Result<u64, Fault> {
        match self {
            Outcome::At(position) => Ok(position),
            Outcome::Conflict => Err(fault("an append that nobody else touches was refused")),
        }
    }
}

/// An event as it is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) position: u64,
    pub(crate) id: Uuid,
    pub(crate) ty: &'a str,
    pub(crate) data: &'a [u8],
}

/// What is done with each event that is read.
pub(crate) type Each<'a> = &'a mut dyn FnMut(Row<'_>);

/// A store that is open.
pub(crate) trait Peer: Send + Sync {
    /// Appends durably, in the way that is fastest when nobody else does.
    fn append_alone(&self, append: Append) -> Result<Outcome, Fault>;
    /// Appends durably, in the way that is fastest when many do.
    fn append(&self, append: Append) -> Result<Outcome, Fault>;
    /// Gives position and data of every event, in order.
    fn scan(&self, each: &mut dyn FnMut(u64, &[u8])) -> Result<(), Fault>;
    /// Gives the events behind a position that have all of at most two tags (none: every event),
    /// and the head that was looked at.
    fn read(&self, tags: &[String], after: u64, each: Each<'_>) -> Result<u64, Fault>;
    /// Waits until the head lies behind a position; gives the head.
    fn wait(&self, after: u64) -> Result<u64, Fault>;
    /// The position of the last event.
    fn head(&self) -> Result<u64, Fault>;
    /// After loading: what its documentation says is to be done then.
    fn settle(&self) -> Result<(), Fault> {
        Ok(())
    }
    /// Bytes of events and indexes, where the files of the folder hold more than these.
    fn table_bytes(&self) -> Result<Option<u64>, Fault> {
        Ok(None)
    }
    /// Ends it cleanly.
    fn close(self: Box<Self>) -> Result<(), Fault>;
}

/// How a store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// To be filled quickly: what is acknowledged need not be on the disk.
    Load,
    /// To be measured: what is acknowledged is on the disk.
    Measure,
}

/// The stores that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Ours, on disk.
    Fait,
    /// SQLite with WAL and synchronous=FULL, in this process.
    Sqlite,
    /// UmaDB's engine, in this process.
    Umadb,
    /// fjall, an LSM tree, in this process.
    Fjall,
    /// A PostgreSQL server of its own.
    Postgres,
}

impl Kind {
    /// As it is named on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Fait => "fait",
            Kind::Sqlite => "sqlite",
            Kind::Umadb => "umadb",
            Kind::Fjall => "fjall",
            Kind::Postgres => "postgres",
        }
    }

    /// Opens the store in a folder, and makes it when it is not there.
    ///
    /// # Errors
    /// It cannot be opened; the message names the store.
    pub(crate) fn open(self, folder: &Path, mode: Mode) -> Result<Box<dyn Peer>, Fault> {
        let opened = match self {
            Kind::Fait => fait::open(folder, mode),
            Kind::Sqlite => sqlite::open(folder, mode),
            Kind::Umadb => umadb::open(folder),
            Kind::Fjall => fjall::open(folder, mode),
            Kind::Postgres => postgres::open(folder, mode),
        };
        opened.map_err(|e| fault(format_args!("{} cannot be opened: {e}", self.name())))
    }

    /// Whether its opening is part of this process: a server has one of its own.
    pub(crate) fn is_embedded(self) -> bool {
        self != Kind::Postgres
    }
}
