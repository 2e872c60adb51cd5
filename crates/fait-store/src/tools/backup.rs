//! Backing up: a copy of what a log has, made while a program writes to it.

use super::copy::{Copying, remove};
use super::error::ToolError;
use super::progress::{Progress, Steps};
use super::reading::{
    End, Place, SegmentFile, damaged, end_of, not_a_backup, place, read_backup, sizes,
};
use crate::file::{Folder, RealFolder};
use crate::folder::{
    BACKUP, ERASING, LOCK, META, index_name, lock, now, read_whole, segment_name, segment_number,
    write_whole,
};
use crate::format::BackupHeader;
use crate::format::{FRAME_HEADER, FrameHeader};
use fait_core::event::{Position, Time};
use std::path::Path;
use uuid::Uuid;

/// What a backup has. It was read again and checked before this was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackedUp {
    /// What every file of the store carries.
    pub store: Uuid,
    /// What the world knows the store by.
    pub history: Uuid,
    /// The position of the last event in it.
    pub head: Position,
    /// The same in the backup that was in the folder before.
    pub head_before: Option<Position>,
    /// Segments of the log in it.
    pub segments: u32,
    /// Those of them that were copied now; the others were there.
    pub copied_segments: u32,
    /// Its size in bytes.
    pub bytes: u64,
    /// Bytes that were copied now.
    pub copied_bytes: u64,
    /// When it was made.
    pub taken: Time,
}

/// Copies a store to another folder, which is empty, not there, or holds an earlier backup of
/// the same store: then only what is new is copied. A program may write to the store meanwhile;
/// the backup has all that was acknowledged when it began. Everything that is copied is read
/// again and checked.
///
/// While it is made over an earlier backup, that one can still be restored.
///
/// # Errors
/// There is no store, a file of it is damaged, the other folder holds something else, or there
/// is no room.
pub fn backup(
    folder: &Path,
    to: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<BackedUp, ToolError> {
    let from = RealFolder::new(folder, false);
    // Before anything is made.
    place(&from)?;
    RealFolder::make(to).map_err(ToolError::io("make", to))?;
    let target = RealFolder::new(to, true);
    earlier(&target)?;
    let _locked = lock(to)?;
    backup_to(&from, &target, progress)
}

pub(crate) fn backup_to(
    from: &dyn Folder,
    to: &dyn Folder,
    progress: &mut dyn FnMut(Progress),
) -> Result<BackedUp, ToolError> {
    let place = place(from)?;
    let earlier = earlier(to)?;
    if let Some(earlier) = &earlier {
        same_store(to, earlier, &place)?;
        still_has(from, to, earlier)?;
    }
    // First the head: what is erased behind it is not seen. Then what is being erased: what was
    // erased before is gone from the files that are opened now.
    let end = end_of(from, &place)?;
    let erasing = read_whole(from, ERASING);
    let erasing = erasing.map_err(ToolError::io("read", &from.path().join(ERASING)))?;
    let backup = Backup {
        from,
        to,
        place,
        end,
        earlier: earlier.filter(|earlier| earlier.whole),
    };
    if earlier.is_none() {
        backup.write(0, false)?;
    }
    let mut steps = Steps::new(sizes(from, end.newest).0, progress);
    let done = backup.copy(erasing.as_deref(), &mut steps)?;
    steps.end();
    Ok(done)
}

/// The backup that a folder holds already; none when it is empty.
fn earlier(to: &dyn Folder) -> Result<Option<BackupHeader>, ToolError> {
    if let Some(earlier) = read_backup(to)? {
        return Ok(Some(earlier));
    }
    let path = to.path();
    let names = to.names().map_err(ToolError::io("list", path))?;
    let new = format!("{BACKUP}.new");
    if names.iter().any(|name| name == META) {
        let found = "it holds a store; choose another folder for the backup";
        return Err(not_a_backup(path, found));
    }
    let others = names
        .into_iter()
        .filter(|name| *name != LOCK && *name != new);
    match others.min() {
        None => Ok(None),
        Some(found) => Err(ToolError::NotEmpty {
            path: path.to_path_buf(),
            found,
        }),
    }
}

fn same_store(to: &dyn Folder, earlier: &BackupHeader, place: &Place) -> Result<(), ToolError> {
    let other = if earlier.store != place.store {
        "it holds a backup of another store; choose another folder"
    } else if earlier.history != place.history {
        "it holds a backup of the store that this one was restored from, or of another one that \
         was; choose another folder"
    } else {
        return Ok(());
    };
    Err(not_a_backup(to.path(), other))
}

/// Whether the store still has what an earlier backup ends with. It may not: a write under way was
/// copied, and then the power failed. Such a backup is left alone, for it cannot be gone on with,
/// and it may have what nobody else has.
fn still_has(from: &dyn Folder, to: &dyn Folder, earlier: &BackupHeader) -> Result<(), ToolError> {
    let open = |folder| SegmentFile::open(folder, earlier.segments, Some(earlier.store), true);
    let (Ok(ours), Ok(theirs)) = (open(to), open(from)) else {
        // A copy that cannot be read is made again, and a log that cannot be is found later.
        return Ok(());
    };
    let mut walk = ours.walk();
    while let Ok(Some(_)) = ours.next(&mut walk, |_| {}) {}
    let Some((at, last)) = walk.last.filter(|_| ours.header == theirs.header) else {
        return Ok(());
    };
    let mut bytes = vec![0; FRAME_HEADER];
    let read = theirs.file.read_at(&mut bytes, at);
    let found = read.ok().and_then(|()| FrameHeader::decode(&bytes));
    if !earlier.whole || found.is_some_and(|frame| frame.crc == last.crc) {
        return Ok(());
    }
    let lost = "it ends with events that the store does not have: they were never acknowledged, or \
        the store has lost them; keep it, and choose another folder";
    Err(not_a_backup(to.path(), lost))
}

struct Backup<'a> {
    from: &'a dyn Folder,
    to: &'a dyn Folder,
    place: Place,
    end: End,
    /// A whole one.
    earlier: Option<BackupHeader>,
}

impl Backup<'_> {
    fn copy(&self, erasing: Option<&[u8]>, steps: &mut Steps<'_>) -> Result<BackedUp, ToolError> {
        let End { newest, head, .. } = self.end;
        let mut done = BackedUp {
            store: self.place.store,
            history: self.place.history,
            head,
            head_before: self.earlier.map(|earlier| earlier.head),
            segments: newest,
            copied_segments: 0,
            bytes: 0,
            copied_bytes: 0,
            taken: Time(now()),
        };
        let mut copying = Copying {
            from: self.from,
            to: self.to,
            store: self.place.store,
            head,
            newest,
            next: Some((0, 1)),
            steps,
        };
        copying.erasing(erasing)?;
        for number in 1..=newest {
            if let Some(bytes) = self.is_there(number) {
                copying.next = None;
                copying.steps.more(bytes);
                continue;
            }
            done.copied_bytes += copying.segment(number)?;
            done.copied_segments += 1;
        }
        if copying.next.is_some_and(|(_, next)| next != head + 1) {
            let file = self.from.path().join(segment_name(newest));
            return Err(damaged(&file, 0, "the log ends elsewhere than before"));
        }
        let synced = self.to.sync();
        synced.map_err(ToolError::io("write", self.to.path()))?;
        self.write(done.taken.0, true)?;
        self.clear()?;
        let (log, index) = sizes(self.to, newest);
        done.bytes = log + index;
        Ok(done)
    }

    /// Length of a segment that need not be copied again: it was full when the earlier backup
    /// was made, and has not been written anew since.
    fn is_there(&self, number: u32) -> Option<u64> {
        let earlier = self.earlier?;
        if number >= earlier.segments || number >= self.end.newest {
            return None;
        }
        let open = |folder, number| {
            let segment = SegmentFile::open(folder, number, Some(self.place.store), false);
            segment.ok()
        };
        let (ours, theirs) = (open(self.to, number)?, open(self.from, number)?);
        // What was made ahead and never used is not in the copy.
        if ours.header != theirs.header || !theirs.is_empty_from(ours.size) {
            return None;
        }
        // Both go on with the same checksum, which covers all that stands before it.
        let (ours, theirs) = (open(self.to, number + 1)?, open(self.from, number + 1)?);
        let goes_on = |s: &SegmentFile| (s.header.chain, s.header.first);
        (goes_on(&ours) == goes_on(&theirs)).then_some(theirs.size)
    }

    /// Says what the folder is a backup of: when all of it is there, or before anything is.
    fn write(&self, taken: u64, whole: bool) -> Result<(), ToolError> {
        let header = BackupHeader {
            version: self.place.version,
            store: self.place.store,
            history: self.place.history,
            created: self.place.created,
            segments: if whole { self.end.newest } else { 0 },
            whole,
            head: if whole { self.end.head } else { 0 },
            taken,
        };
        let written = write_whole(self.to, BACKUP, &header.encode());
        written.map_err(ToolError::io("write", &self.to.path().join(BACKUP)))
    }

    /// Removes what backups that were cut short have left.
    fn clear(&self) -> Result<(), ToolError> {
        let path = self.to.path();
        let names = self.to.names().map_err(ToolError::io("list", path))?;
        for name in names {
            let log = name.strip_suffix(".new").unwrap_or(&name);
            let log = log.replace(".idx", ".log");
            let Some(number) = segment_number(&log) else {
                continue;
            };
            let counts = number <= self.end.newest
                && (name == segment_name(number) || name == index_name(number));
            if !counts {
                let removed = remove(self.to, &name);
                removed.map_err(ToolError::io("remove", &path.join(&name)))?;
            }
        }
        Ok(())
    }
}
