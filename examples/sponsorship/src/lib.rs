//! Sponsorship, from `sponsorship.board`: a sponsor is onboarded, and another system feeds its
//! guests.
//!
//! The modules are what happens, then the sponsors, then the other system as this one sees it, and
//! the process that goes across both.

#![expect(missing_docs, reason = "the words of the board speak for themselves")]

pub mod events;
pub mod sponsors;
pub mod tickets;
pub mod guests;
pub mod play;

use fait::app::{AppBuilder, System};
use fait::bus::Inlet;
use fait_http::{Feed, Http, HttpError};

/// The board that this program is held against.
pub const BOARD: &str = include_str!("../sponsorship.board");

/// By which this system is known to the other, unless it is given another token.
pub const TOKEN: &str = "example-token-of-sponsorship";

/// What a NATS server knows the other system by.
pub const STREAM: &str = "tickets";

/// Everything on the board, wired onto a place to keep it: the other system's open door, and the
/// way by which its messages come.
pub fn wired(place: AppBuilder, tickets: impl System, messages: impl Inlet) -> AppBuilder {
    place
        .name("Sponsorship")
        .task::<sponsors::SignContract>()
        .task::<sponsors::SendInvoice>()
        .task::<sponsors::RecordPayment>()
        .task::<sponsors::OnboardSponsor>()
        .task::<sponsors::BookSponsorTickets>()
        .tells::<tickets::IssueMealTickets>()
        .system(tickets::TICKETS, tickets)
        .hears::<tickets::FromTickets>("meal-tickets", messages)
        .projection::<sponsors::Sponsors>()
        .process::<guests::FeedASponsorsGuests>()
}

/// The other system's open door at an address.
///
/// # Errors
/// The address is none, or the token cannot be sent.
pub fn door_at(address: &str, token: &str) -> Result<Http, HttpError> {
    Http::door(address, Some(token))
}

/// What the other system publishes, read over HTTP at an address.
///
/// # Errors
/// The address is none, or the token cannot be sent.
pub fn feed_at(address: &str, token: &str) -> Result<Feed, HttpError> {
    Feed::of(address)?.token(token)
}
