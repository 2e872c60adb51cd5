//! A board at work, behind the feature `board`: the text with the notes of an event-storming
//! workshop, as [`fait_board`] reads it, and a running system side by side.

pub mod play;
mod examples;

pub use examples::{Examples, Failed, Line, Miss, Tried, Verdict, examples, examples_in};
pub mod happened;
pub mod check;
mod holds;

pub use holds::holds;

#[cfg(doctest)]
#[doc = include_str!("../../../../docs/guide/drift.md")]
struct Guide;
