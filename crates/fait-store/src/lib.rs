//! The embedded event store: an append-only, checksummed log in a folder, with its index.
//!
//! One process uses a folder at a time. Appends that come at once are written together and
//! acknowledged when they are durable; reads never wait for them. The crate knows types, tags and
//! bytes, never what an event means. The files are described in `docs/format.md`.
//!
//! ```
//! use fait_core::store::{Range, Store, contract::block_on};
//! use fait_store::Disk;
//!
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path().join("orders");
//! let store = Disk::open(&folder)?;
//! assert_eq!(block_on(store.head())?, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod flaw;
mod file;
mod format;
mod folder;
mod options;
mod key;
mod pages;
mod index;
mod stretch;
mod shared;
mod read;
mod ahead;
mod walk;
mod log;
mod commit;
mod writer;
mod load;
mod keeper;
mod recover;
mod erase;
mod disk;
pub mod tools;
#[cfg(any(test, feature = "sim"))]
#[doc(hidden)]
pub mod sim;
#[cfg(any(test, feature = "sim"))]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(test)]
mod tests;

pub use disk::{Disk, Stats};
pub use error::OpenError;
pub use fait_core::store::Durability;
pub use options::{CACHE_BYTES, MAX_SEGMENT_BYTES, MIN_SEGMENT_BYTES, Options, SEGMENT_BYTES};
pub use read::EventRef;
pub use recover::Recovery;
pub use writer::MAX_WAITING;
