//! Importing: a store is made of an export.

use super::error::ToolError;
use super::parse::parse;
use super::progress::{Progress, Steps};
use super::reading::newest_of;
use super::restore::{clear, is_empty};
use crate::disk::Disk;
use crate::file::{Folder, RealFolder};
use crate::folder::{LOCK, lock, segment_name};
use crate::load::{LoadError, Loaded};
use crate::options::Options;
use fait_core::event::{Position, Time};
use fait_core::store::{Durability, Store, StoreError, validate_event};
use std::fs;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// So many events are written together, or fewer of so many bytes.
const BATCH_EVENTS: usize = 2048;
const BATCH_BYTES: usize = 1 << 20;

/// Longest line that is read. The largest event fits, however it is escaped.
const MAX_LINE: u64 = 16 << 20;

/// What was imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// What the world knows the new store by.
    pub history: Uuid,
    /// Events, erased ones included: the position of the last.
    pub events: Position,
    /// Events of which only the place is left.
    pub erased: u64,
    /// Bytes that were read.
    pub bytes: u64,
}

/// Makes a store of lines that [`export`](super::export()) wrote, in a folder that is empty or
/// not there. Ids, positions, times, erased places and the receipts of commands are kept; the
/// store itself is a new one. Every line is checked. The store is put together beside the folder,
/// under its name with `.importing` behind it, and moved there when all of it is durable.
///
/// # Errors
/// A line is not what it should be: the error has its number, names the attribute and says what
/// to do. Or the folder holds something, or there is no room. Then nothing is made.
pub fn import(
    lines: &mut dyn BufRead,
    to: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Imported, ToolError> {
    let there = to.exists();
    if there {
        is_empty(&RealFolder::new(to, true))?;
    }
    let beside = beside(to);
    if beside.exists() {
        // What an import left that was ended by force; an import that is under way holds it.
        let held = lock(&beside)?;
        remove(&beside);
        drop(held);
        is_empty(&RealFolder::new(&beside, true)).or_else(|e| match beside.exists() {
            true => Err(e),
            false => Ok(()),
        })?;
    }
    let imported = fill(lines, &beside, progress).and_then(|imported| {
        if there {
            let _ = fs::remove_file(to.join(LOCK));
            fs::remove_dir(to).map_err(ToolError::io("replace", to))?;
        }
        fs::rename(&beside, to).map_err(ToolError::io("make", to))?;
        let parent = to.parent().filter(|p| !p.as_os_str().is_empty());
        let parent = RealFolder::new(parent.unwrap_or(Path::new(".")), true);
        parent.sync().map_err(ToolError::io("make", to))?;
        Ok(imported)
    });
    if imported.is_err() {
        remove(&beside);
    }
    imported
}

fn beside(to: &Path) -> PathBuf {
    let mut name = to.file_name().unwrap_or_default().to_os_string();
    name.push(".importing");
    to.with_file_name(name)
}

/// Removes a store that was being put together. What of this fails is in the way of the next
/// try, which says so.
fn remove(beside: &Path) {
    clear(&RealFolder::new(beside, true));
    let _ = fs::remove_file(beside.join(LOCK));
    let _ = fs::remove_dir(beside);
}

fn fill(
    lines: &mut dyn BufRead,
    folder: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Imported, ToolError> {
    // Nothing of it counts before all of it is durable.
    let options = Options::default().durability(Durability::Os);
    let disk = options.open(folder)?;
    let mut importing = Importing {
        disk: &disk,
        steps: Steps::new(0, progress),
        batch: vec![],
        batch_bytes: 0,
        next: 1,
        last_time: Time(0),
        key_until: 0,
        erased: 0,
        bytes: 0,
    };
    importing.lines(lines)?;
    let imported = Imported {
        history: disk.id(),
        events: importing.next - 1,
        erased: importing.erased,
        bytes: importing.bytes,
    };
    importing.steps.end();
    drop(disk);
    let real = RealFolder::new(folder, true);
    let last = real.open(&segment_name(newest_of(&real)?));
    let synced = last.and_then(|last| last.sync()).and_then(|()| real.sync());
    synced.map_err(ToolError::io("write", folder))?;
    Ok(imported)
}

struct Importing<'a> {
    disk: &'a Disk,
    steps: Steps<'a>,
    batch: Vec<Loaded>,
    batch_bytes: usize,
    /// The position of the next line, and its number.
    next: Position,
    last_time: Time,
    /// The last position of the append whose command key was read last.
    key_until: Position,
    erased: u64,
    bytes: u64,
}

impl Importing<'_> {
    fn lines(&mut self, lines: &mut dyn BufRead) -> Result<(), ToolError> {
        let mut line = vec![];
        loop {
            line.clear();
            let mut limited = (&mut *lines).take(MAX_LINE);
            let read = limited.read_until(b'\n', &mut line);
            let read = read.map_err(ToolError::Input)?;
            if read == 0 {
                break;
            }
            self.bytes += read as u64;
            self.steps.to(self.bytes);
            self.line(&line)?;
        }
        self.write()?;
        if self.key_until >= self.next {
            let what = format!(
                "the append of the last `keyevents` goes on to position {}, and the lines end \
                 here; some are missing",
                self.key_until
            );
            return Err(wrong(self.next, what));
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8]) -> Result<(), ToolError> {
        let number = self.next;
        if line.len() as u64 == MAX_LINE && !line.ends_with(b"\n") {
            let what = format!("it is longer than {MAX_LINE} bytes, and no event is");
            return Err(wrong(number, what));
        }
        let loaded = parse(line.trim_ascii(), number).map_err(|what| wrong(number, what))?;
        self.check(&loaded).map_err(|what| wrong(number, what))?;
        self.next += 1;
        self.erased += u64::from(loaded.erased);
        self.batch.push(loaded);
        self.batch_bytes += line.len();
        if self.batch.len() >= BATCH_EVENTS || self.batch_bytes >= BATCH_BYTES {
            self.write()?;
        }
        Ok(())
    }

    /// What a line must be beside the others.
    fn check(&mut self, loaded: &Loaded) -> Result<(), String> {
        if !loaded.erased {
            validate_event(&loaded.event).map_err(|e| e.to_string())?;
        }
        let hidden = loaded.erased && loaded.recorded_at == Time(0);
        let known = loaded.key.map_or(loaded.recorded_at, |key| key.recorded_at);
        if !hidden || loaded.key.is_some() {
            if known < self.last_time {
                return Err(format!(
                    "attribute `recordedms` is {}, and was {} before; times never run backwards",
                    known.0, self.last_time.0
                ));
            }
            self.last_time = known;
        }
        if let Some(key) = loaded.key {
            if self.next <= self.key_until {
                return Err(format!(
                    "attribute `keyid` begins an append, and the one before it goes on to \
                     position {}, as its `keyevents` says",
                    self.key_until
                ));
            }
            self.key_until = self.next + Position::from(key.events) - 1;
        }
        Ok(())
    }

    /// Writes what was gathered.
    fn write(&mut self) -> Result<(), ToolError> {
        let first = self.next - self.batch.len() as Position;
        let loaded = match self.batch.is_empty() {
            true => Ok(()),
            false => self.disk.load(&self.batch),
        };
        loaded.map_err(|e| match e {
            LoadError::Twice(n, id) => wrong(
                first + n as Position,
                format!("attribute `id` is {id}, as of an event before; ids stand there once"),
            ),
            LoadError::KeyTwice(n, id) => wrong(
                first + n as Position,
                format!("attribute `keyid` is {id}, as of an append before; it stands there once"),
            ),
            LoadError::Store(e) => unwritten(self.disk.path(), e),
        })?;
        self.batch.clear();
        self.batch_bytes = 0;
        Ok(())
    }
}

fn wrong(number: u64, what: String) -> ToolError {
    ToolError::Line { number, what }
}

fn unwritten(path: &Path, error: StoreError) -> ToolError {
    ToolError::io("import to", path)(io::Error::other(error.message))
}
