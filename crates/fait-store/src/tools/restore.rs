//! Restoring: a store is made of a backup.

use super::copy::{Copying, remove};
use super::error::ToolError;
use super::progress::{Progress, Steps};
use super::reading::{damaged, not_a_backup, read_backup, sizes};
use crate::file::{Folder, RealFolder};
use crate::folder::{
    BACKUP, ERASING, LOCK, META, lock, read_whole, segment_name, segment_number, write_meta,
};
use crate::format::{Meta, Pending, VERSION};
use fait_core::event::{Position, Time};
use std::fs;
use std::path::Path;
use uuid::Uuid;

/// What was restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restored {
    /// What every file of the store carries, as before.
    pub store: Uuid,
    /// What the world knows the store by: a new id, so that whoever has followed the store before
    /// notices that its history may go on otherwise.
    pub history: Uuid,
    /// The position of the last event.
    pub head: Position,
    /// Segments of the log.
    pub segments: u32,
    /// Bytes that were copied.
    pub bytes: u64,
    /// When the backup was made.
    pub taken: Time,
}

/// Makes a store of a backup, in a folder that is empty or not there. Everything is checked
/// while it is copied.
///
/// # Errors
/// There is no backup, it is damaged, or the folder holds something. Then the folder is as it
/// was before.
pub fn restore(
    backup: &Path,
    to: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Restored, ToolError> {
    let (from, target) = (RealFolder::new(backup, false), RealFolder::new(to, true));
    let there = to.is_dir();
    if there {
        is_empty(&target)?;
    }
    read_backup(&from)?.ok_or_else(|| no_backup(backup))?;
    RealFolder::make(to).map_err(ToolError::io("make", to))?;
    let locked = lock(to)?;
    let restored = restore_to(&from, &target, progress);
    if restored.is_err() {
        // What of this fails is in the way of the next try, which says so.
        drop(locked);
        let _ = remove(&target, LOCK);
        if !there {
            let _ = fs::remove_dir(to);
        }
    }
    restored
}

fn no_backup(path: &Path) -> ToolError {
    let found = "there is no file `backup` in it; `fait store backup` makes one";
    not_a_backup(path, found)
}

pub(crate) fn restore_to(
    from: &dyn Folder,
    to: &dyn Folder,
    progress: &mut dyn FnMut(Progress),
) -> Result<Restored, ToolError> {
    is_empty(to)?;
    let restored = copy(from, to, progress);
    if restored.is_err() {
        clear(to);
    }
    restored
}

fn copy(
    from: &dyn Folder,
    to: &dyn Folder,
    progress: &mut dyn FnMut(Progress),
) -> Result<Restored, ToolError> {
    let backup = read_backup(from)?.ok_or_else(|| no_backup(from.path()))?;
    if !backup.whole {
        let found = "it was not finished; make it again, or use another one";
        return Err(not_a_backup(from.path(), found));
    }
    let mut steps = Steps::new(sizes(from, backup.segments).0, progress);
    let mut copying = Copying {
        from,
        to,
        store: backup.store,
        head: backup.head,
        newest: backup.segments,
        next: Some((0, 1)),
        steps: &mut steps,
    };
    let mut bytes = 0;
    for number in 1..=backup.segments {
        bytes += copying.segment(number)?;
    }
    if copying
        .next
        .is_some_and(|(_, next)| next != backup.head + 1)
    {
        let file = from.path().join(segment_name(backup.segments));
        return Err(damaged(
            &file,
            0,
            "the log does not end where the backup does",
        ));
    }
    copying.erasing(note(from)?.as_deref())?;
    to.sync().map_err(ToolError::io("write", to.path()))?;
    let meta = Meta {
        version: VERSION,
        store: backup.store,
        created: backup.created,
        history: Uuid::new_v4(),
    };
    write_meta(to, &meta)?;
    steps.end();
    Ok(Restored {
        store: meta.store,
        history: meta.history,
        head: backup.head,
        segments: backup.segments,
        bytes,
        taken: Time(backup.taken),
    })
}

/// What was being erased when the backup was made.
fn note(from: &dyn Folder) -> Result<Option<Vec<u8>>, ToolError> {
    let path = from.path().join(ERASING);
    let note = read_whole(from, ERASING).map_err(ToolError::io("read", &path))?;
    match &note {
        Some(bytes) if Pending::decode(bytes).is_none() => {
            Err(damaged(&path, 0, "its checksum does not fit"))
        }
        _ => Ok(note),
    }
}

/// Whether a folder holds nothing, or only what is left of locking it.
pub(super) fn is_empty(to: &dyn Folder) -> Result<(), ToolError> {
    let path = to.path();
    let names = to.names().map_err(ToolError::io("list", path))?;
    match names.into_iter().filter(|name| name != LOCK).min() {
        None => Ok(()),
        Some(found) => Err(ToolError::NotEmpty {
            path: path.to_path_buf(),
            found,
        }),
    }
}

/// Removes what was copied. What of this fails is in the way of the next try, which says so.
pub(super) fn clear(to: &dyn Folder) {
    for name in to.names().unwrap_or_default() {
        let whole = name.strip_suffix(".new").unwrap_or(&name);
        let of_log = segment_number(&whole.replace(".idx", ".log")).is_some();
        if of_log || [META, ERASING, BACKUP].contains(&whole) {
            let _ = to.remove(&name);
        }
    }
}
