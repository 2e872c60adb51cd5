//! The courses as their board tells them, and under contention.

mod board;
mod contention;
mod gate;
mod rules;
mod story;
