//! How a store is opened.

use fait_core::store::Durability;
use std::time::Duration;

/// Length at which a segment is full, unless said otherwise.
pub const SEGMENT_BYTES: u64 = 64 << 20;
/// Smallest length at which a segment can be full.
pub const MIN_SEGMENT_BYTES: u64 = 4 << 10;
/// Largest length at which a segment can be full. One group of appends may exceed it.
pub const MAX_SEGMENT_BYTES: u64 = 1 << 30;
/// Memory for pages of files that are read again and again, unless said otherwise.
pub const CACHE_BYTES: usize = 64 << 20;

/// How a store is opened. `Disk::options().durability(…).open(folder)`.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub(crate) segment_bytes: u64,
    pub(crate) cache_bytes: usize,
    pub(crate) durability: Durability,
    /// When nothing came for so long, the last frame is sealed.
    pub(crate) idle: Duration,
    /// A newest segment with fewer events than this has no index made for it when the store is
    /// closed: it is walked in no time.
    pub(crate) index_from: u32,
    /// An append is committed by the thread that asks for it while no other is under way.
    pub(crate) on_caller: bool,
    /// No threads at all: whoever holds the store tends it. For simulations.
    pub(crate) inline: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            segment_bytes: SEGMENT_BYTES,
            cache_bytes: CACHE_BYTES,
            durability: Durability::Sync,
            idle: Duration::from_millis(50),
            index_from: 1000,
            on_caller: true,
            inline: false,
        }
    }
}

impl Options {
    /// Length at which a segment is full and the next one is begun; kept between
    /// [`MIN_SEGMENT_BYTES`] and [`MAX_SEGMENT_BYTES`]. A store keeps two files open for each.
    #[must_use]
    pub fn segment_bytes(mut self, bytes: u64) -> Options {
        self.segment_bytes = bytes.clamp(MIN_SEGMENT_BYTES, MAX_SEGMENT_BYTES);
        self
    }

    /// Memory for pages of the log and its indexes that are read again and again. Besides it, a
    /// store needs memory for the index of its newest segment only, however many events it has.
    #[must_use]
    pub fn cache_bytes(mut self, bytes: usize) -> Options {
        self.cache_bytes = bytes;
        self
    }

    /// When an append is acknowledged. [`Durability::Memory`] is taken as [`Durability::Os`]: a
    /// store on disk cannot do less.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Options {
        self.durability = match durability {
            Durability::Memory => Durability::Os,
            other => other,
        };
        self
    }
}
