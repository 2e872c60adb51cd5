//! All that the reliability programme asks of the engine, in one place.

use super::disk::SimDisk;
use crate::disk::Disk;
use crate::error::OpenError;
use crate::options::{MIN_SEGMENT_BYTES, Options};
use crate::writer::Answer;
use fait_core::store::contract::block_on;
use fait_core::store::{Append, AppendError, Erase, Erased, Store, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// Whether the engine can erase.
pub(super) const ERASES: bool = true;
/// Whether it can make a backup and restore it.
pub(super) const BACKS_UP: bool = false;
/// Whether it opens on a full disk, whatever had just been begun.
pub(super) const OPENS_WHEN_FULL: bool = true;

/// A store that is open on a simulated disk, driven by one thread.
pub(super) struct Engine {
    pub(super) store: Disk,
}

impl Engine {
    /// Opens with small segments, so that whatever happens at their ends happens often, and
    /// without threads. Nothing may depend on time: the last frame is sealed only when the store
    /// is closed.
    pub(super) fn open(disk: &SimDisk) -> Result<Engine, OpenError> {
        Engine::start(disk, true)
    }

    /// Opens with threads of its own, for threads that call at once.
    pub(super) fn open_threaded(disk: &SimDisk) -> Result<Engine, OpenError> {
        Engine::start(disk, false)
    }

    fn start(disk: &SimDisk, inline: bool) -> Result<Engine, OpenError> {
        // Some lives leave an index of the newest segment behind, others are too short for one.
        let index_from = [4, 1000][disk.seen().syncs % 2];
        let options = Options {
            segment_bytes: MIN_SEGMENT_BYTES,
            cache_bytes: 64 << 10,
            idle: Duration::MAX,
            index_from,
            inline,
            ..Options::default()
        };
        let store = Disk::start(Arc::new(disk.clone()), options, None)?;
        Ok(Engine { store })
    }

    pub(super) fn append(&self, append: Append) -> Answer {
        block_on(self.store.append(append))
    }

    /// Sends appends that become one group.
    pub(super) fn together(&self, appends: Vec<Append>) -> Vec<Answer> {
        self.store.append_together(&appends)
    }

    /// Does one piece of background work; says whether there was any.
    pub(super) fn tend(&self) -> Result<bool, StoreError> {
        self.store.tend()
    }

    pub(super) fn erase(&self, erase: Erase) -> Result<Erased, AppendError> {
        block_on(self.store.erase(erase))
    }

    /// Whether appends are refused until the store is opened again.
    pub(super) fn refuses(&self) -> bool {
        self.store.trouble().is_some()
    }

    /// Whether opening found what can only be damage.
    pub(super) fn is_damage(error: &OpenError) -> bool {
        matches!(
            error,
            OpenError::Corrupt { .. } | OpenError::NotAStore { .. } | OpenError::NewerFormat { .. }
        )
    }

    pub(super) fn close(self) {
        block_on(self.store.close());
    }
}

/// Copies a store to an empty disk.
pub(super) fn backup(_from: &SimDisk, _to: &SimDisk) -> Result<(), StoreError> {
    Err(StoreError::new("there is no backup yet"))
}
