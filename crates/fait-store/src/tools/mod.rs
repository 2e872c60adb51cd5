//! The tools of a store: what checks it, says what it is, copies it, and takes it elsewhere.
//!
//! [`verify`], [`info`], [`backup`] and [`export`] read without the lock, so that they work
//! beside a program that writes: the log only grows, every frame of it has a checksum and
//! continues the one before it, and each file is opened once. What stands whole in the log when
//! they look is what they see; a write under way is not taken for damage. None of them changes
//! the store.

mod error;
mod progress;
mod reading;
mod verify;
mod info;
mod copy;
mod backup;
mod restore;
mod line;
mod export;
mod parse;

mod import;

pub use backup::{BackedUp, backup};
pub use error::ToolError;
pub use export::{Exported, export};
pub use import::{Imported, import};
pub use info::{Info, info};
pub use progress::Progress;
pub use restore::{Restored, restore};
pub use verify::{Problem, Verified, verify};

#[cfg(any(test, feature = "sim"))]
pub(crate) use backup::backup_to;
#[cfg(any(test, feature = "sim"))]
pub(crate) use restore::restore_to;
#[cfg(any(test, feature = "sim"))]
pub(crate) use verify::verify_in;
