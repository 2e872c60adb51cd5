//! The platform on a small kitchen: sending, views, processes that park, wiring mistakes.

mod kitchen;
mod sending;
mod viewing;
mod parking;
mod faults;
mod wiring;
mod tutorial;
