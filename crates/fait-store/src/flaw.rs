//! Bugs planted on purpose, so that tests can prove that they would find them.
//!
//! Code asks `flaw(Flaw::X)` at the place of the bug. Outside of tests the answer is always no.

#[cfg(any(test, feature = "sim"))]
use std::cell::Cell;

/// A bug that can be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Files are never synced (planted in the simulated disk).
    #[cfg(any(test, feature = "sim"))]
    Sync,
    /// The folder is never synced (planted in the simulated disk).
    #[cfg(any(test, feature = "sim"))]
    FolderSync,
    /// The checksum of a frame's body is not looked at when the store is opened.
    Checksum,
    /// The checksum of a record is not looked at when it is read.
    RecordChecksum,
    /// A sync that failed is tried again, and believed.
    SyncRetried,
    /// What lies behind the last whole frame stays there.
    TornTailKept,
    /// Opening syncs the last frame, but does not write it again.
    LastFrameKept,
    /// A condition does not see the appends of its own group.
    GroupMates,
    /// The header of a new segment is not synced.
    HeaderSync,
    /// An index is written before the end of its log is durable, and believed.
    IndexBeforeLog,
}

#[cfg(any(test, feature = "sim"))]
thread_local! {
    static PLANTED: Cell<Planted> = const { Cell::new(Planted(0)) };
}

/// The bugs of one thread.
#[cfg(any(test, feature = "sim"))]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Planted(u32);

#[cfg(any(test, feature = "sim"))]
impl Planted {
    /// What is planted in this thread; to be planted again in the threads that it starts.
    pub(crate) fn here() -> Planted {
        PLANTED.get()
    }

    /// Plants these, and no others, in this thread.
    pub(crate) fn plant(self) {
        PLANTED.set(self);
    }

    /// These and one more.
    #[cfg(test)]
    pub(crate) fn and(self, flaw: Flaw) -> Planted {
        Planted(self.0 | 1 << flaw as u32)
    }
}

/// Whether a bug is planted here.
#[cfg(any(test, feature = "sim"))]
pub(crate) fn flaw(flaw: Flaw) -> bool {
    PLANTED.get().0 & 1 << flaw as u32 != 0
}

/// The bugs of one thread: none.
#[cfg(not(any(test, feature = "sim")))]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Planted;

#[cfg(not(any(test, feature = "sim")))]
impl Planted {
    /// Nothing is planted.
    pub(crate) fn here() -> Planted {
        Planted
    }

    /// Plants nothing.
    pub(crate) fn plant(self) {}
}

/// Whether a bug is planted here: never.
#[cfg(not(any(test, feature = "sim")))]
pub(crate) const fn flaw(_: Flaw) -> bool {
    false
}
