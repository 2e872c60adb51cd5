//! The board language of `fait`: a plain-text event-storming board, read and drawn.
//!
//! A board is text that a domain expert can read: one note per line at the margin, what is said
//! of it indented below. [`parse`] reads it and never fails; what it could not understand is among
//! the problems, each with its place, and [`report`] shows them as a compiler would.
//!
//! This crate does no I/O, reads no clock and knows nothing of the programs that run a board.

mod place;
mod problem;
mod spelling;
mod name;
mod notes;
mod board;
mod read;
mod report;
mod draw;

pub use board::{Board, Kind, Level, Mention, Note, Target};
pub use draw::{DrawOptions, draw, style};
pub use name::{field_name, kebab_name, rust_name};
pub use place::{Said, Span};
pub use problem::{Problem, Severity};
pub use read::{Comment, Parsed, parse};
pub use report::{Look, report};

pub use notes::{Action, Fact, Occasion, Outcome, Period, Raises, Reaction, Step, Trigger};
pub use notes::{Actor, Chapter, Context, Event, Example, Hotspot, Idea, Model, Policy};
pub use notes::{Process, System, Task, Type, Unit, View, Word};
