//! What readers and the writer share: the published index, the segments, and any trouble.

use crate::file::LogFile;
use crate::index::Index;
use crate::log::Segment;
use event_listener::Event as Wake;
use fait_core::event::Position;
use fait_core::store::StoreError;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard};
use uuid::Uuid;

/// Everything durable, and only that.
#[derive(Debug, Default)]
pub(crate) struct Published {
    pub(crate) index: Index,
    pub(crate) segments: Vec<Segment>,
    /// Bytes of all segments.
    pub(crate) bytes: u64,
}

/// What readers and the writer share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) path: PathBuf,
    pub(crate) store: Uuid,
    published: RwLock<Published>,
    /// Woken when the head has moved.
    pub(crate) grown: Wake,
    /// Appends that wait for the writer.
    pub(crate) waiting: AtomicUsize,
    /// Woken when there is room for more of them.
    pub(crate) room: Wake,
    /// Why appends are refused from now on.
    pub(crate) trouble: OnceLock<StoreError>,
}

impl Shared {
    pub(crate) fn new(path: &Path, store: Uuid, published: Published) -> Shared {
        Shared {
            path: path.to_path_buf(),
            store,
            published: RwLock::new(published),
            grown: Wake::new(),
            waiting: AtomicUsize::new(0),
            room: Wake::new(),
            trouble: OnceLock::new(),
        }
    }

    pub(crate) fn read(&self) -> Result<RwLockReadGuard<'_, Published>, StoreError> {
        self.published.read().map_err(|_| self.stopped())
    }

    pub(crate) fn write(&self) -> Result<RwLockWriteGuard<'_, Published>, StoreError> {
        self.published.write().map_err(|_| self.stopped())
    }

    pub(crate) fn head(&self) -> Result<Position, StoreError> {
        Ok(self.read()?.index.head())
    }

    /// The writer has come to an end that it should not have come to.
    pub(crate) fn stopped(&self) -> StoreError {
        StoreError::new(format_args!(
            "the store in {} has stopped after an internal error; open it again: what was \
             acknowledged is safe",
            self.path.display()
        ))
    }
}

impl std::fmt::Debug for dyn LogFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LogFile")
    }
}

/// Finds the file of a segment by its number.
pub(crate) fn file_of(segments: &[Segment], number: u32) -> Option<&Arc<dyn LogFile>> {
    let n = usize::try_from(number.checked_sub(1)?).ok()?;
    segments.get(n).map(|s| &s.file)
}
