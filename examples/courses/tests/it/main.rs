//! The courses as their board tells them, and under contention.

mod board;
mod contention;
mod documents;
mod events;
mod gate;
mod pictures;
mod rules;
mod story;
