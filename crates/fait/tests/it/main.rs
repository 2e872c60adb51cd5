//! The platform on a small kitchen: sending, views, processes that park, wiring mistakes; and on
//! a till that many count at once.

mod kitchen;
mod sending;
mod viewing;
mod parking;
mod faults;
mod wiring;
mod routing;
mod tutorial;
mod counted;
mod till;
mod contended;
mod snapshots;
mod sim;
