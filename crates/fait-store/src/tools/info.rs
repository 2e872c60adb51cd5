//! What a store is, without reading all of it.

use super::error::ToolError;
use super::reading::{End, Place, SegmentFile, bad, end_of, place, sizes, unreadable};
use crate::error::OpenError;
use crate::file::{Folder, RealFolder};
use crate::folder::{ERASING, lock_for_reading, read_whole};
use fait_core::event::{Position, Time};
use std::path::Path;
use uuid::Uuid;

/// What a store is, and how large. Nothing was changed, and little of it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Info {
    /// What every file of the store carries.
    pub store: Uuid,
    /// What the world knows it by; another than the store's id when it was restored.
    pub history: Uuid,
    /// When it was created.
    pub created: Time,
    /// The version of the format that last wrote to it.
    pub version: u32,
    /// Events, erased ones included: the position of the last.
    pub events: Position,
    /// Segments of the log.
    pub segments: u32,
    /// Bytes of the log, with what is made ahead.
    pub log_bytes: u64,
    /// Bytes of the index files.
    pub index_bytes: u64,
    /// When the first event was recorded whose time is known.
    pub first: Option<Time>,
    /// When the last event was recorded whose time is known.
    pub last: Option<Time>,
    /// Whether the end of the log proves that nothing is missing there. It does when the store is
    /// closed, or has had nothing to write for a moment.
    pub sealed: bool,
    /// The tag that is being erased.
    pub erasing: Option<String>,
    /// Whether a program has it open to write.
    pub in_use: bool,
    /// When it was made, if it is a backup.
    pub backup_of: Option<Time>,
}

/// Says what a store is. A program may write to it meanwhile.
///
/// # Errors
/// There is no store, or what must be read of it is damaged or cannot be read.
pub fn info(folder: &Path) -> Result<Info, ToolError> {
    let in_use = match lock_for_reading(folder) {
        Ok(_) => false,
        Err(OpenError::InUse { .. }) => true,
        Err(e) => return Err(e.into()),
    };
    let folder = RealFolder::new(folder, false);
    Ok(Info {
        in_use,
        ..info_in(&folder)?
    })
}

fn info_in(folder: &dyn Folder) -> Result<Info, ToolError> {
    let place = place(folder)?;
    let end = end_of(folder, &place)?;
    let (log_bytes, index_bytes) = sizes(folder, end.newest);
    let pending = read_whole(folder, ERASING);
    let pending = pending.map_err(ToolError::io("read", &folder.path().join(ERASING)))?;
    let tag = |bytes: Vec<u8>| {
        crate::format::Pending::decode(&bytes).map_or_else(
            || "a tag that cannot be read".into(),
            |pending| pending.tag.to_string(),
        )
    };
    Ok(Info {
        store: place.store,
        history: place.history,
        created: Time(place.created),
        version: place.version,
        events: end.head,
        segments: end.newest,
        log_bytes,
        index_bytes,
        first: first(folder, &place, &end)?,
        last: last(folder, &place, &end)?,
        sealed: place.backup.is_some() || end.sealed,
        erasing: pending.map(tag),
        in_use: false,
        backup_of: place.backup.map(|backup| Time(backup.taken)),
    })
}

fn first(folder: &dyn Folder, place: &Place, end: &End) -> Result<Option<Time>, ToolError> {
    for number in 1..=end.newest {
        let known = times(folder, place, end, number, true)?;
        if known.is_some() {
            return Ok(known);
        }
    }
    Ok(None)
}

fn last(folder: &dyn Folder, place: &Place, end: &End) -> Result<Option<Time>, ToolError> {
    for number in (1..=end.newest).rev() {
        let known = times(folder, place, end, number, false)?;
        if known.is_some() {
            return Ok(known);
        }
    }
    Ok(None)
}

/// The first or the last time in a segment. Times never run backwards; an erased event may have
/// none.
fn times(
    folder: &dyn Folder,
    place: &Place,
    end: &End,
    number: u32,
    first: bool,
) -> Result<Option<Time>, ToolError> {
    let newest = number == end.newest;
    let segment = SegmentFile::open(folder, number, Some(place.store), newest);
    let segment = segment.map_err(|unread| unreadable(folder, number, unread))?;
    let mut walk = segment.walk();
    let mut known: Option<Time> = None;
    loop {
        let taken = segment.next(&mut walk, |found| {
            let time = found.event.recorded_at;
            let better = match first {
                true => known.is_none(),
                false => found.event.position <= end.head,
            };
            if time > Time(0) && better {
                known = Some(time);
            }
        });
        let frame = taken.map_err(|failed| bad(&segment.path, walk.at, failed))?;
        if frame.is_none() || first && known.is_some() {
            return Ok(known);
        }
    }
}
