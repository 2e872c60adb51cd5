//! What a store's folder looks like, and who may use it.

use crate::error::OpenError;
use crate::file::Folder;
use crate::format::{HeaderError, META_BYTES, Meta, VERSION};
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Uuid;

pub(crate) const LOCK: &str = "lock";
pub(crate) const META: &str = "meta";
const NEW_META: &str = "meta.new";

/// The file that will be the next segment, made ahead by the keeper.
pub(crate) const SPARE: &str = "spare";
/// The same, before it is whole.
pub(crate) const NEW_SPARE: &str = "spare.new";
/// The file that becomes the next segment, made by the writer when none was made ahead. Not the
/// same name: the keeper may be at work on the other.
pub(crate) const BEGUN: &str = "begun";
/// What a backup is of. A folder that has it and no `meta` is a backup, and no store.
pub(crate) const BACKUP: &str = "backup";
/// What is being erased, while it is.
pub(crate) const ERASING: &str = "erasing";

/// What a folder holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Holds {
    /// Nothing yet; a store may be made in it.
    Nothing,
    /// A store.
    Store(Meta),
}

/// The name of a segment's file.
pub(crate) fn segment_name(number: u32) -> String {
    format!("{number:08}.log")
}

/// The name of the index of a segment.
pub(crate) fn index_name(number: u32) -> String {
    format!("{number:08}.idx")
}

/// Writes a whole file: complete and durable under its name, or not there at all.
pub(crate) fn write_whole(folder: &dyn Folder, name: &str, bytes: &[u8]) -> io::Result<()> {
    let new = format!("{name}.new");
    let written = folder.create(&new).and_then(|file| {
        file.write_at(bytes, 0)?;
        file.sync()
    });
    if written.is_err() {
        // On a full disk a part of it would take the last room.
        let _ = folder.remove(&new);
    }
    written?;
    folder.rename(&new, name)?;
    folder.sync()
}

/// Reads a whole file; nothing when there is none.
pub(crate) fn read_whole(folder: &dyn Folder, name: &str) -> io::Result<Option<Vec<u8>>> {
    let file = match folder.open(name) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut bytes = vec![0; file.size()? as usize];
    file.read_at(&mut bytes, 0)?;
    Ok(Some(bytes))
}

/// Removes what an earlier life left unfinished; an error when nothing can be made there.
pub(crate) fn sweep(folder: &dyn Folder) -> Result<(), OpenError> {
    let path = folder.path();
    let names = folder.names().map_err(OpenError::io("list", path))?;
    let unfinished = |name: &&String| {
        let new = name.strip_suffix(".new");
        let of_log = |name: &str| name.ends_with(".log") || name.ends_with(".idx");
        [SPARE, NEW_SPARE, BEGUN].contains(&name.as_str()) || new.is_some_and(of_log)
    };
    for name in names.iter().filter(unfinished) {
        folder
            .remove(name)
            .map_err(OpenError::io("remove", &path.join(name)))?;
    }
    may_write(folder).map_err(OpenError::io("write", path))
}

/// Whether files can be made in the folder: the log's own may be writable where no next one can
/// be begun, which is better known now than in the middle of the work. A full disk is no reason:
/// such a store can be read.
fn may_write(folder: &dyn Folder) -> io::Result<()> {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    // A name that may lie in a folder which is not yet a store: making it may be cut short.
    match folder.create(NEW_META) {
        Ok(_) => folder.remove(NEW_META),
        Err(e) if matches!(e.kind(), PermissionDenied | ReadOnlyFilesystem) => Err(e),
        Err(_) => Ok(()),
    }
}

/// The number in the name of a segment's file.
pub(crate) fn segment_number(name: &str) -> Option<u32> {
    let number = name.strip_suffix(".log")?;
    let number = (number.len() >= 8).then(|| number.parse().ok())??;
    (segment_name(number) == name).then_some(number)
}

/// Looks at a folder without changing anything in it.
pub(crate) fn inspect(folder: &dyn Folder) -> Result<Holds, OpenError> {
    let path = folder.path();
    let names = folder.names().map_err(OpenError::io("list", path))?;
    if names.iter().any(|name| name == META) {
        return read_meta(folder).map(Holds::Store);
    }
    if names.iter().any(|name| name == BACKUP) {
        let what = "it holds a backup, and `fait store restore` makes a store of it";
        return Err(not_a_store(path, what));
    }
    if let Some(segment) = names.iter().find(|name| segment_number(name).is_some()) {
        let what = format!("it is missing, though {segment} is there");
        return Err(OpenError::corrupt(&path.join(META), 0, what));
    }
    match names
        .into_iter()
        .find(|name| name != LOCK && name != NEW_META)
    {
        Some(name) => Err(not_a_store(
            path,
            format!("it holds `{name}` and no file `{META}`"),
        )),
        None => Ok(Holds::Nothing),
    }
}

pub(crate) fn not_a_store(path: &Path, found: impl Into<String>) -> OpenError {
    OpenError::NotAStore {
        path: path.to_path_buf(),
        found: found.into(),
    }
}

pub(crate) fn read_meta(folder: &dyn Folder) -> Result<Meta, OpenError> {
    let path = folder.path().join(META);
    let read = || {
        let file = folder.open(META)?;
        let mut bytes = vec![0; file.size()?.min(META_BYTES as u64) as usize];
        file.read_at(&mut bytes, 0)?;
        Ok(bytes)
    };
    let bytes = read().map_err(OpenError::io("read", &path))?;
    Meta::decode(&bytes).map_err(|e| match e {
        HeaderError::Foreign => not_a_store(
            folder.path(),
            format!("its file `{META}` is of another kind"),
        ),
        HeaderError::Newer(found) => newer(&path, found),
        HeaderError::Damaged(what) => OpenError::corrupt(&path, 0, what),
    })
}

pub(crate) fn newer(file: &Path, found: u32) -> OpenError {
    OpenError::NewerFormat {
        file: file.to_path_buf(),
        found,
        known: VERSION,
    }
}

/// Makes a store in an empty folder: the file `meta`, complete and durable or not at all.
pub(crate) fn make(folder: &dyn Folder) -> Result<Meta, OpenError> {
    let store = Uuid::new_v4();
    let meta = Meta {
        version: VERSION,
        store,
        created: now(),
        history: store,
    };
    write_meta(folder, &meta)?;
    Ok(meta)
}

pub(crate) fn write_meta(folder: &dyn Folder, meta: &Meta) -> Result<(), OpenError> {
    let written = write_whole(folder, META, &meta.encode());
    written.map_err(OpenError::io("write", &folder.path().join(META)))
}

/// When a store is made. Nothing depends on it.
pub(crate) fn now() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// The folder is ours, or at least no writer's, until this is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct FolderLock(File);

impl Drop for FolderLock {
    /// A child that is just being started still has the file; closing ours would not let go.
    fn drop(&mut self) {
        // When it fails, the file is closed none the less.
        let _ = self.0.unlock();
    }
}

/// Takes the folder for one process.
pub(crate) fn lock(path: &Path) -> Result<FolderLock, OpenError> {
    let file = path.join(LOCK);
    let lock = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&file)
        .map_err(OpenError::io("open", &file))?;
    held(path, lock.try_lock())?;
    Ok(FolderLock(lock))
}

/// Keeps writers away from the folder while it is read; nothing where there never was a writer.
pub(crate) fn lock_for_reading(path: &Path) -> Result<Option<FolderLock>, OpenError> {
    let file = path.join(LOCK);
    let lock = match File::open(&file) {
        Ok(lock) => lock,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(OpenError::io("open", &file)(e)),
    };
    held(path, lock.try_lock_shared())?;
    Ok(Some(FolderLock(lock)))
}

fn held(path: &Path, lock: Result<(), TryLockError>) -> Result<(), OpenError> {
    lock.map_err(|e| match e {
        TryLockError::WouldBlock => OpenError::InUse {
            path: path.to_path_buf(),
        },
        TryLockError::Error(e) => OpenError::io("lock", &path.join(LOCK))(e),
    })
}

#[cfg(test)]
mod tests {
    use super::lock;

    /// A child that is being started has a copy of every open file until its program begins.
    #[test]
    fn a_folder_is_let_go_of_although_a_child_has_the_file() {
        let temp = tempfile::tempdir().unwrap();
        let held = lock(temp.path()).unwrap();
        let of_child = held.0.try_clone().unwrap();
        assert!(lock(temp.path()).is_err());
        drop(held);
        assert!(lock(temp.path()).is_ok());
        drop(of_child);
    }
}
