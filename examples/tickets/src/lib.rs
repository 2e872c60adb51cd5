//! Meal tickets, from `tickets.board`: whoever books gets tickets for the day that is open.
//!
//! The modules are what happens, then the chapters of the board, what others are told, and the day
//! that opens by itself.

#![expect(missing_docs, reason = "the words of the board speak for themselves")]

pub mod events;
pub mod days;
pub mod bookings;
pub mod announced;
pub mod play;

use fait::app::AppBuilder;

/// The board that this program is held against.
pub const BOARD: &str = include_str!("../tickets.board");

/// Who may use the open door when nothing else is said: see the file.
pub const CLIENTS: &str = include_str!("../clients.txt");

/// What a NATS server knows this system by: its stream is `fait-tickets`.
pub const STREAM: &str = "tickets";

/// Everything on the board, wired onto a place to keep it.
pub fn wired(place: AppBuilder) -> AppBuilder {
    place
        .name("Meal tickets")
        .task::<days::OpenDay>()
        .task::<bookings::IssueMealTickets>()
        .publishes::<announced::Announcements>()
        .projection::<days::Days>()
        .projection::<bookings::Bookings>()
}
