//! All that the reliability programme asks of the engine, in one place.

use super::disk::SimDisk;
use crate::disk::Disk;
use crate::error::OpenError;
use crate::options::{MIN_SEGMENT_BYTES, Options};
use crate::tools::{backup_to, restore_to, verify_in};
use crate::writer::Answer;
use fait_core::event::Position;
use fait_core::store::contract::block_on;
use fait_core::store::{Append, AppendError, Erase, Erased, Store, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// Whether the engine can erase.
pub(super) const ERASES: bool = true;
/// Whether it can make a backup and restore it.
pub(super) const BACKS_UP: bool = true;
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
            index_from,
            idle: Duration::MAX,
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

/// A disk that backups are made on, one over the other.
pub(super) struct Kept {
    disk: SimDisk,
    /// The head of the last backup that was whole.
    head: Option<Position>,
}

impl Kept {
    pub(super) fn new(seed: u64) -> Kept {
        Kept {
            disk: SimDisk::new(seed),
            head: None,
        }
    }

    /// Backs a store up over what is there, restores that to an empty disk, and checks both. The
    /// disk of the backup may lose power after so many operations: then the one before must be
    /// there, or the new one. Says whether it was made.
    pub(super) fn backup(
        &mut self,
        from: &SimDisk,
        to: &SimDisk,
        cut: Option<usize>,
    ) -> Result<bool, StoreError> {
        if let Some(operations) = cut {
            self.disk.power_off_after(operations);
        }
        let done = backup_to(from, &self.disk, &mut |_| {});
        let off = self.disk.is_off();
        self.disk.mend();
        self.disk.crash();
        match done {
            Ok(done) => self.head = Some(done.head),
            Err(_) if off && self.head.is_none() => return Ok(false),
            Err(_) if off => {}
            // It holds a write that was under way and was lost with the power: left alone.
            Err(e) if e.to_string().contains("choose another folder") => {
                self.disk = SimDisk::new(1);
                self.head = None;
                return Ok(false);
            }
            Err(e) => return Err(StoreError::new(e)),
        }
        is_sound(&self.disk)?;
        let restored = restore_to(&self.disk, to, &mut |_| {}).map_err(StoreError::new)?;
        let known = self.head.replace(restored.head);
        is_sound(to)?;
        if !off && known != self.head {
            let what = format!("a backup up to {known:?} gives {:?}", self.head);
            return Err(StoreError::new(what));
        }
        Ok(!off)
    }
}

/// Backs a store up and restores that to an empty disk.
#[cfg(test)]
pub(super) fn backup(from: &SimDisk, to: &SimDisk) -> Result<(), StoreError> {
    Kept::new(1).backup(from, to, None).map(drop)
}

fn is_sound(disk: &SimDisk) -> Result<(), StoreError> {
    let verified = verify_in(disk, &mut |_| {}).map_err(StoreError::new)?;
    match verified.problems.first() {
        None => Ok(()),
        Some(problem) => Err(StoreError::new(format_args!(
            "a copy is damaged: {problem:?}"
        ))),
    }
}
