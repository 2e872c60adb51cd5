//! How a store is opened.

use std::time::Duration;

/// Length at which a segment is full, unless said otherwise.
pub const SEGMENT_BYTES: u64 = 64 << 20;
/// Smallest length at which a segment can be full.
pub const MIN_SEGMENT_BYTES: u64 = 4 << 10;
/// Largest length at which a segment can be full. One group of appends may exceed it.
pub const MAX_SEGMENT_BYTES: u64 = 1 << 30;

/// When an append is acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// When the disk has it: it survives the loss of power.
    #[default]
    Synced,
    /// When the operating system has it: it survives the end of the program, not of the machine.
    /// After a loss of power the store may refuse to open. For tests, and for loading what can be
    /// loaded again.
    Unsynced,
}

/// How a store is opened. `Disk::options().durability(…).open(folder)`.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub(crate) segment_bytes: u64,
    pub(crate) durability: Durability,
    /// When nothing came for so long, the last frame is sealed.
    pub(crate) idle: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            segment_bytes: SEGMENT_BYTES,
            durability: Durability::Synced,
            idle: Duration::from_millis(50),
        }
    }
}

impl Options {
    /// Length at which a segment is full and the next one is begun; kept between
    /// [`MIN_SEGMENT_BYTES`] and [`MAX_SEGMENT_BYTES`].
    #[must_use]
    pub fn segment_bytes(mut self, bytes: u64) -> Options {
        self.segment_bytes = bytes.clamp(MIN_SEGMENT_BYTES, MAX_SEGMENT_BYTES);
        self
    }

    /// When an append is acknowledged.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Options {
        self.durability = durability;
        self
    }
}
