//! The words of `fait`, and nothing else: no file, no network, no clock, no random number.
//!
//! Application authors name the crate `fait`, which re-exports what they need. Authors of stores,
//! buses and other adapters name this crate. The modules stand in the order in which the words
//! build on each other; a module uses only those before it.

pub mod event;
pub mod query;
pub mod command;
pub mod decision;
pub mod store;
pub mod projection;
pub mod process;
pub mod bus;
pub mod manifest;
pub mod contract;

/// Crates that appear in public signatures and in what the derives write.
pub mod reexport {
    pub use {bytes, schemars, serde, serde_json, uuid};
}
