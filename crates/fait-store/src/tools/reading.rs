//! Reading a log without the lock, beside a program that may be writing to it.

use super::error::ToolError;
use crate::error::OpenError;
use crate::file::{Folder, LogFile};
use crate::folder::{BACKUP, Holds, META, inspect, newer, not_a_store, read_whole, segment_name};
use crate::folder::{index_name, segment_number};
use crate::format::{BackupHeader, FrameHeader, HeaderError, Meta, SEGMENT_HEADER, SegmentHeader};
use crate::walk::{Failed, Found, Walk};
use fait_core::event::Position;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use uuid::Uuid;

/// A file that vanishes is looked for so often: it may have been given another's name just then.
const TRIES: usize = 3;

/// What a folder is: a store, or a backup of one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) store: Uuid,
    pub(super) history: Uuid,
    pub(super) created: u64,
    pub(super) version: u32,
    /// Set in a backup.
    pub(super) backup: Option<BackupHeader>,
}

impl From<BackupHeader> for Place {
    fn from(backup: BackupHeader) -> Place {
        Place {
            store: backup.store,
            history: backup.history,
            created: backup.created,
            version: backup.version,
            backup: Some(backup),
        }
    }
}

impl From<Meta> for Place {
    fn from(meta: Meta) -> Place {
        Place {
            store: meta.store,
            history: meta.history,
            created: meta.created,
            version: meta.version,
            backup: None,
        }
    }
}

/// Looks at what a folder is.
pub(super) fn place(folder: &dyn Folder) -> Result<Place, ToolError> {
    if let Some(backup) = read_backup(folder)? {
        if !backup.whole {
            let found = "the first backup in it was not finished; make it again";
            return Err(not_a_backup(folder.path(), found));
        }
        return Ok(backup.into());
    }
    match inspect(folder)? {
        Holds::Store(meta) => Ok(meta.into()),
        Holds::Nothing => Err(not_a_store(folder.path(), "it is empty").into()),
    }
}

/// The file `backup` of a folder that is no store.
pub(super) fn read_backup(folder: &dyn Folder) -> Result<Option<BackupHeader>, ToolError> {
    let path = folder.path();
    let names = folder.names().map_err(ToolError::io("list", path))?;
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    if has(META) || !has(BACKUP) {
        return Ok(None);
    }
    let file = path.join(BACKUP);
    let bytes = read_whole(folder, BACKUP).map_err(ToolError::io("read", &file))?;
    let decoded = BackupHeader::decode(&bytes.unwrap_or_default());
    decoded.map(Some).map_err(|e| match e {
        HeaderError::Newer(found) => newer(&file, found).into(),
        HeaderError::Foreign => bad_backup(&file, "it does not start like one"),
        HeaderError::Damaged(what) => bad_backup(&file, what),
    })
}

pub(super) fn not_a_backup(path: &Path, found: &str) -> ToolError {
    ToolError::NotABackup {
        path: path.to_path_buf(),
        found: found.into(),
    }
}

fn bad_backup(file: &Path, what: &str) -> ToolError {
    ToolError::Damaged {
        file: file.to_path_buf(),
        offset: 0,
        what: what.into(),
        remedy: "use another backup",
    }
}

/// The number of the newest segment; 0 when there is none. Whether all before it are there is
/// seen when they are opened.
pub(super) fn newest_of(folder: &dyn Folder) -> Result<u32, ToolError> {
    let names = folder
        .names()
        .map_err(ToolError::io("list", folder.path()))?;
    let numbers = names.iter().filter_map(|name| segment_number(name));
    Ok(numbers.max().unwrap_or(0))
}

/// Bytes of the log and of its index files up to a segment.
pub(super) fn sizes(folder: &dyn Folder, newest: u32) -> (u64, u64) {
    let size = |name: &str| folder.open(name).and_then(|file| file.size()).unwrap_or(0);
    (1..=newest).fold((0, 0), |(log, index), number| {
        let (segment, of_index) = (segment_name(number), index_name(number));
        (log + size(&segment), index + size(&of_index))
    })
}

/// A file that may become shorter while it is read: only zeros at its end are ever cut away, so
/// zeros are what is read there.
struct Reading(Arc<dyn LogFile>);

/// A file to be read as if zeros without end stood behind it.
pub(super) fn padded(file: Arc<dyn LogFile>) -> Arc<dyn LogFile> {
    Arc::new(Reading(file))
}

impl LogFile for Reading {
    fn size(&self) -> io::Result<u64> {
        self.0.size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        match self.0.read_at(buffer, offset) {
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
                buffer.fill(0);
                let left = self.0.size()?.saturating_sub(offset);
                let there = buffer
                    .len()
                    .min(usize::try_from(left).unwrap_or(usize::MAX));
                self.0.read_at(&mut buffer[..there], offset)
            }
            read => read,
        }
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn cut(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Opens a file to read it; tries again when it vanishes.
pub(super) fn open(folder: &dyn Folder, name: &str) -> io::Result<Arc<dyn LogFile>> {
    let mut tried = 1;
    loop {
        match folder.open(name) {
            Err(e) if e.kind() == io::ErrorKind::NotFound && tried < TRIES => tried += 1,
            file => return Ok(padded(file?)),
        }
    }
}

/// A segment's file, open to be read.
pub(super) struct SegmentFile {
    pub(super) path: PathBuf,
    pub(super) file: Arc<dyn LogFile>,
    pub(super) size: u64,
    pub(super) header: SegmentHeader,
    /// Whether it is the newest, which may be being written.
    pub(super) newest: bool,
}

/// Why a segment cannot be read.
pub(super) enum Unread {
    /// Its file was being made when the program ended: only a part of its header is there.
    Unfinished(u64),
    Damaged(&'static str),
    Newer(u32),
    Io(io::Error),
}

impl From<io::Error> for Unread {
    fn from(e: io::Error) -> Unread {
        Unread::Io(e)
    }
}

impl SegmentFile {
    /// Opens a segment of a store, if that is known, and checks what its header says of itself.
    pub(super) fn open(
        folder: &dyn Folder,
        number: u32,
        store: Option<Uuid>,
        newest: bool,
    ) -> Result<SegmentFile, Unread> {
        let name = segment_name(number);
        let file = open(folder, &name)?;
        let size = file.size()?;
        let mut bytes = vec![0; size.min(SEGMENT_HEADER as u64 + 1) as usize];
        file.read_at(&mut bytes, 0)?;
        if newest && SegmentHeader::is_unfinished(&bytes) {
            return Err(Unread::Unfinished(size));
        }
        let header = SegmentHeader::decode(&bytes).map_err(|e| match e {
            HeaderError::Newer(found) => Unread::Newer(found),
            HeaderError::Foreign => Unread::Damaged("it does not start like a segment"),
            HeaderError::Damaged(what) => Unread::Damaged(what),
        })?;
        if store.is_some_and(|store| header.store != store) {
            return Err(Unread::Damaged("it belongs to another store"));
        }
        if header.number != number {
            return Err(Unread::Damaged("it is another segment than its name says"));
        }
        Ok(SegmentFile {
            path: folder.path().join(name),
            file,
            size,
            header,
            newest,
        })
    }

    /// Whether nothing was ever written from an offset on. The offset may be the very end.
    pub(super) fn is_empty_from(&self, at: u64) -> bool {
        let mut walk = self.walk();
        walk.at = at;
        at <= self.size && walk.last_written().is_ok_and(|end| end == at)
    }

    /// A walk through its frames.
    pub(super) fn walk(&self) -> Walk<'_> {
        let header = &self.header;
        let (chain, first) = (header.chain, header.first);
        Walk::begin(&*self.file, self.size, header.number, chain, first).thorough()
    }

    /// What the next segment goes on from, when a walk has come to the end of this one.
    pub(super) fn chain_out(&self, walk: &Walk<'_>) -> u32 {
        self.header.rewritten.map_or(walk.chain, |r| r.chain_out)
    }

    /// Takes the next frame; none at the end. In the newest segment a frame that is not whole
    /// ends the log, too: it is being written, or was when the program ended.
    pub(super) fn next(
        &self,
        walk: &mut Walk<'_>,
        mut each: impl FnMut(Found<'_>),
    ) -> Result<Option<FrameHeader>, Failed> {
        let mut again = false;
        loop {
            match walk.frame(&mut each) {
                Ok(header) => return Ok(Some(header)),
                Err(Failed::End) => return Ok(None),
                Err(Failed::Torn(what)) if self.newest => {
                    if !walk.frame_follows()? {
                        return Ok(None);
                    }
                    // What stands behind it was written after it: it is whole by now, unless it
                    // is damaged.
                    if again {
                        return Err(Failed::Torn(what));
                    }
                    walk.look_again()?;
                    again = true;
                }
                Err(failed) => return Err(failed),
            }
        }
    }
}

/// What a log has when it is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct End {
    /// The newest segment that counts.
    pub(super) newest: u32,
    pub(super) head: Position,
    /// Where its last frame ends.
    pub(super) at: u64,
    /// Whether the last frame proves that all before it was durable.
    pub(super) sealed: bool,
}

/// Finds the end of the log.
pub(super) fn end_of(folder: &dyn Folder, place: &Place) -> Result<End, ToolError> {
    let mut newest = newest_of(folder)?;
    if let Some(backup) = &place.backup {
        return Ok(End {
            newest: backup.segments,
            head: backup.head,
            ..End::default()
        });
    }
    let segment = loop {
        if newest == 0 {
            return Ok(End::default());
        }
        match SegmentFile::open(folder, newest, Some(place.store), true) {
            Ok(segment) => break segment,
            Err(Unread::Unfinished(_)) => newest -= 1,
            Err(unread) => return Err(unreadable(folder, newest, unread)),
        }
    };
    let mut walk = segment.walk();
    loop {
        match segment.next(&mut walk, |_| {}) {
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(failed) => return Err(bad(&segment.path, walk.at, failed)),
        }
    }
    Ok(End {
        newest,
        head: walk.next - 1,
        at: walk.at,
        sealed: walk.last.is_none_or(|(_, frame)| frame.events == 0),
    })
}

/// A segment cannot be read, as an error.
pub(super) fn unreadable(folder: &dyn Folder, number: u32, unread: Unread) -> ToolError {
    let path = folder.path().join(segment_name(number));
    match unread {
        Unread::Unfinished(_) => damaged(&path, 0, "it has no header"),
        Unread::Damaged(what) => damaged(&path, 0, what),
        Unread::Newer(found) => newer(&path, found).into(),
        Unread::Io(e) if e.kind() == io::ErrorKind::NotFound => {
            damaged(&path, 0, "the file is missing")
        }
        Unread::Io(e) => OpenError::io("read", &path)(e).into(),
    }
}

/// A frame cannot be read, as an error.
pub(super) fn bad(path: &Path, at: u64, failed: Failed) -> ToolError {
    match failed {
        Failed::Io(e) => OpenError::io("read", path)(e).into(),
        Failed::End => damaged(path, at, "it ends too early"),
        Failed::Torn(what) | Failed::Wrong(what) => damaged(path, at, what),
    }
}

pub(super) fn damaged(path: &Path, offset: u64, what: &str) -> ToolError {
    ToolError::Damaged {
        file: path.to_path_buf(),
        offset,
        what: what.into(),
        remedy: "`fait store verify` says what else is; use a backup that is sound",
    }
}
