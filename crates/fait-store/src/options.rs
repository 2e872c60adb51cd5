//! How a store is opened.

use fait_core::store::Durability;
use std::time::Duration;

/// Length at which a segment is full, unless said otherwise.
pub const SEGMENT_BYTES: u64 = 64 << 20;
/// Smallest length at which a segment can be full.
pub const MIN_SEGMENT_BYTES: u64 = 4 << 10;
/// Largest length at which a segment can be full. One group of appends may exceed it.
pub const MAX_SEGMENT_BYTES: u64 = 1 << 30;

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
            durability: Durability::Sync,
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
