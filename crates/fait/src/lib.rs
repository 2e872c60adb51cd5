//! Event-driven development: from the notes of an event-storming workshop to a running,
//! task-based, event-sourced system, and back.
//!
//! Applications name this one crate. The words, in their order: an [`event`](mod@event) is a
//! fact; a [`query`] selects events; a [`command`](mod@command) is what is asked; a [`decision`]
//! answers it from a model; the [`store`] keeps events in one order; a [`projection`] turns them
//! into a view; a [`process`] turns them into further commands; a [`bus`] carries what is
//! published to other systems; the [`manifest`] is all of this
//! as data.

pub use fait_core::{command, decision, event, manifest, process, projection, query, reexport};
pub use fait_core::{entity_ids, store};

pub mod clock;
pub mod spans;
pub mod sql;
pub mod checkpoint;
pub mod bus;
mod runtime;
pub mod trace;
pub mod app;
pub mod contract;
pub mod test;
#[cfg(feature = "sim")]
pub mod sim;
#[cfg(feature = "board")]
pub mod board;

pub use app::App;
pub use clock::Clock;
pub use fait_macros::{
    CommandSet, EventSet, PublishedSet, Refusal, command, data, event, published,
};

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
