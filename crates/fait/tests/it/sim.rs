//! The simulator on a small business: what it counts, what it finds, and that a run can be had
//! again.

mod post;
mod teeth;
mod machines;
mod laws;
mod two;
