//! Whose store it is that is verified.

use super::Verified;
use crate::file::Folder;
use crate::folder::{BACKUP, META, inspect, newer, not_a_store, read_whole, segment_name};
use crate::format::{
    BACKUP_BYTES, BackupHeader, HeaderError, META_BYTES, Meta, SEGMENT_HEADER, SegmentHeader,
};
use crate::tools::error::ToolError;
use crate::tools::reading::{Place, newest_of, open};

/// Reads `meta`, or `backup` in a backup. When that is damaged and there is a log all the same,
/// it is noted, and the log will tell.
pub(super) fn identity(
    folder: &dyn Folder,
    verified: &mut Verified,
) -> Result<Option<Place>, ToolError> {
    let path = folder.path();
    let names = folder.names().map_err(ToolError::io("list", path))?;
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    let has_log = newest_of(folder)? > 0;
    let (name, length) = match (has(META), has(BACKUP)) {
        (true, _) => (META, META_BYTES),
        (false, true) => (BACKUP, BACKUP_BYTES),
        (false, false) if has_log => {
            verified.problem(META, 0, "the file is missing");
            return Ok(None);
        }
        (false, false) => {
            inspect(folder)?;
            return Err(not_a_store(path, "it is empty").into());
        }
    };
    verified.is_backup = name == BACKUP;
    let file = path.join(name);
    let bytes = read_whole(folder, name).map_err(ToolError::io("read", &file))?;
    let bytes = bytes.unwrap_or_default();
    let decoded = match name {
        META => Meta::decode(&bytes).map(Place::from),
        _ => BackupHeader::decode(&bytes).map(Place::from),
    };
    let what = match decoded {
        Ok(_) if bytes.len() != length => "it is longer than it should be",
        Ok(place) => {
            (verified.store, verified.history) = (place.store, place.history);
            if place.backup.is_some_and(|backup| !backup.whole) {
                let what = "the first backup in this folder was not finished; make it again";
                verified.problem(name, 56, what);
            }
            return Ok(Some(place));
        }
        Err(HeaderError::Damaged(what)) => what,
        Err(HeaderError::Newer(found)) if !knows_log(folder) => {
            return Err(newer(&file, found).into());
        }
        Err(HeaderError::Newer(_)) => "it names a format version that the log does not have",
        Err(HeaderError::Foreign) if has_log => "it does not begin as it should",
        Err(HeaderError::Foreign) => {
            let found = format!("its file `{name}` is of another kind");
            return Err(not_a_store(path, found).into());
        }
    };
    verified.problem(name, 0, what);
    Ok(None)
}

/// Whether this program knows the format of the first segment.
fn knows_log(folder: &dyn Folder) -> bool {
    let read = || -> std::io::Result<_> {
        let mut bytes = vec![0; SEGMENT_HEADER];
        open(folder, &segment_name(1))?.read_at(&mut bytes, 0)?;
        Ok(SegmentHeader::decode(&bytes).is_ok())
    };
    read().unwrap_or(false)
}
