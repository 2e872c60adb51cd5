//! Why a folder cannot be opened as a store.

use std::io;
use std::path::{Path, PathBuf};

/// A folder cannot be opened. Nothing in it was changed, unless the variant says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process, or another store in this process, uses the folder.
    #[error(
        "the store in {} is in use by another program; stop that program, or choose another folder",
        path.display()
    )]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// There is no store in the folder, and it may not be made one.
    #[error(
        "{} is not a store: {found}; choose an empty folder or one that holds a store",
        path.display()
    )]
    NotAStore {
        /// The folder.
        path: PathBuf,
        /// What was found instead.
        found: String,
    },
    /// The store was written by a newer program.
    #[error(
        "{} has format version {found}, and this program knows up to {known}; use a newer program",
        file.display()
    )]
    NewerFormat {
        /// The file that says so.
        file: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version that this program knows.
        known: u32,
    },
    /// A file is damaged where events were acknowledged.
    #[error(
        "{} is damaged at byte {offset}: {what}; keep a copy of the folder and restore a backup",
        file.display()
    )]
    Corrupt {
        /// The file.
        file: PathBuf,
        /// Where the damage starts.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// The file system refuses. When writing was meant, a part may have been done; opening again
    /// goes on from there.
    #[error("cannot {doing} {}: {source}; {}", path.display(), remedy(source))]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// What the file system says.
        source: io::Error,
    },
}

impl OpenError {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> OpenError {
        move |source| OpenError::Io {
            doing,
            path: path.to_path_buf(),
            source,
        }
    }

    pub(crate) fn corrupt(file: &Path, offset: u64, what: impl Into<String>) -> OpenError {
        OpenError::Corrupt {
            file: file.to_path_buf(),
            offset,
            what: what.into(),
        }
    }
}

/// What to do about an error of the file system.
pub(crate) fn remedy(error: &io::Error) -> &'static str {
    use io::ErrorKind::{AlreadyExists, NotADirectory, PermissionDenied, ReadOnlyFilesystem};
    match error.kind() {
        AlreadyExists | NotADirectory => "something else stands there: name another folder",
        PermissionDenied | ReadOnlyFilesystem => {
            "check who may write there; a store that may not be written can be opened to be read"
        }
        _ if no_room(error) => "free space there",
        _ if too_many_open(error) => TOO_MANY_OPEN,
        _ => "check the disk and the permissions",
    }
}

/// What to do when too many files are open.
pub(crate) const TOO_MANY_OPEN: &str = "raise the limit of open files (`ulimit -n`): a store keeps \
     two open for each segment";

/// Whether there was no room: on the disk, or within a limit.
pub(crate) fn no_room(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// Whether this process, or the machine, has too many files open. The standard library has no
/// name for it.
pub(crate) fn too_many_open(error: &io::Error) -> bool {
    let codes: &[i32] = match cfg!(windows) {
        true => &[4],
        false => &[23, 24],
    };
    error
        .raw_os_error()
        .is_some_and(|code| codes.contains(&code))
}
