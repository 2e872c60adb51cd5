//! The platform on a small kitchen: sending, views, processes that park, wiring mistakes; and on
//! a till that many count at once, and a workshop where operators help; and what must hold when
//! something breaks.

mod history;
mod kitchen;
mod sending;
mod viewing;
mod rows;
mod reading;
mod parking;
mod workshop;
mod operating;
mod bulk;
mod faults;
mod fixtures;
mod wiring;
mod recorded;
mod routing;
mod backlog;
mod outcomes;
mod own_sql;
mod tutorial;
mod counted;
mod till;
mod contended;
mod snapshots;
mod sim;
mod post;
mod told;
mod expiry;
mod parcels;
mod begin;
mod versions;
mod held;
mod beside;
mod brink;
mod definitions;
mod matrix;
mod feeds;
mod in_process;
mod items;
mod views_property;
mod views_kill;
mod views_trouble;
mod views_poison;
mod played;
mod examples;
