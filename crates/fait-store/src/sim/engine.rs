//! All that the reliability programme asks of the engine, in one place.

use super::disk::SimDisk;
use crate::disk::Disk;
use crate::error::OpenError;
use crate::options::{MIN_SEGMENT_BYTES, Options};
use crate::writer::Answer;
use fait_core::store::contract::block_on;
use fait_core::store::{Append, AppendError, Erase, Erased, Store, StoreError};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// Whether the engine can erase.
pub(super) const ERASES: bool = false;
/// Whether it can make a backup and restore it.
pub(super) const BACKS_UP: bool = false;
/// Whether it opens on a full disk, whatever had just been begun. Today a segment whose header
/// found no room keeps the store closed until there is some.
pub(super) const OPENS_WHEN_FULL: bool = false;

/// A store that is open on a simulated disk, driven by one thread.
pub(super) struct Engine {
    pub(super) store: Disk,
    disk: SimDisk,
}

/// Wakes those who wait for the disk.
struct WakeDisk(SimDisk);

impl Wake for WakeDisk {
    fn wake(self: Arc<Self>) {
        self.0.wake();
    }
}

impl Engine {
    /// Opens with small segments, so that whatever happens at their ends happens often. Nothing
    /// may depend on time: the last frame is sealed only when the store is closed.
    pub(super) fn open(disk: &SimDisk) -> Result<Engine, OpenError> {
        let options = Options {
            segment_bytes: MIN_SEGMENT_BYTES,
            idle: Duration::MAX,
            on_caller: false,
            ..Options::default()
        };
        let store = Disk::start(Arc::new(disk.clone()), options, None)?;
        let disk = disk.clone();
        Ok(Engine { store, disk })
    }

    /// Opens with a writer of its own, for threads that call at once.
    pub(super) fn open_threaded(disk: &SimDisk) -> Result<Engine, OpenError> {
        Engine::open(disk)
    }

    pub(super) fn append(&self, append: Append) -> Answer {
        block_on(self.store.append(append))
    }

    /// Sends appends so that all but the first become one group: while the disk holds the first
    /// one's sync, the others queue up behind it. The first must be one that is written.
    pub(super) fn together(&self, appends: Vec<Append>) -> Vec<Answer> {
        let waker = Waker::from(Arc::new(WakeDisk(self.disk.clone())));
        let mut context = Context::from_waker(&waker);
        let before = self.disk.seen();
        self.disk.hold(true);
        let mut appends = appends.into_iter();
        let mut first = self
            .store
            .append(appends.next().expect("a group is not empty"));
        let early = match first.as_mut().poll(&mut context) {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending => {
                let moved = |seen: &_| Engine::moved(&before, seen);
                self.disk.until(moved);
                None
            }
        };
        let mut waiting: Vec<_> = appends.map(|a| (self.store.append(a), None)).collect();
        for (future, answer) in &mut waiting {
            if let Poll::Ready(early) = future.as_mut().poll(&mut context) {
                *answer = Some(early);
            }
        }
        self.disk.hold(false);
        let mut answers = vec![early.unwrap_or_else(|| block_on(first))];
        for (future, answer) in waiting {
            answers.push(answer.unwrap_or_else(|| block_on(future)));
        }
        answers
    }

    /// Whether the disk has begun a sync, or refused something.
    fn moved(before: &super::disk::Seen, now: &super::disk::Seen) -> bool {
        now.syncs > before.syncs || now.errors > before.errors
    }

    /// Does one piece of background work; says whether there was any. Today there is none.
    pub(super) fn tend(&self) -> Result<bool, StoreError> {
        Ok(false)
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
