//! The board language of `fait`: a plain-text event-storming board, read and drawn.
//!
//! A board is text that a domain expert can read: one note per line at the margin, what is said
//! of it indented below. [`parse`] reads it and never fails; what it could not understand is among
//! the problems, each with its place, and [`report`] shows them as a compiler would. [`draw`] gives
//! the picture, [`outline()`] says the same in words, and [`format()`] lays the text out.
//!
//! The notes of a [`Board`] are in [`notes`], what they share is in [`note`]; [`ties`] says who
//! names whom; [`name`] tells how a name of the board is spelt in Rust.
//!
//! This crate does no I/O, reads no clock and knows nothing of the programs that run a board.

pub mod place;
mod problem;
mod spelling;
pub mod note;
pub mod notes;
pub mod name;
mod wording;
mod board;
pub mod ties;
mod read;
mod lint;
mod report;
mod fmt;
mod draw;
pub mod outline;

pub use board::Board;
pub use draw::{Colours, DrawOptions, draw, plain_style, style};
pub use fmt::format;
pub use lint::{LintOptions, Rule, lint};
pub use outline::{Section, outline};
pub use problem::{Problem, Severity};
pub use read::{Parsed, parse};
pub use report::{Linted, Look, json, report, sarif, summary};
