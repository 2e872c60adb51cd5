//! The restaurant as its board tells it, under load, under faults, and after crashes.

mod house;
mod story;
mod events;
mod load;
mod kill;
mod door;
mod views;
mod drift;
mod sim;
mod board;
