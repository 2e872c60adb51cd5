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

use fait::app::{AppBuilder, System, Uncertain};
use fait_http::{Http, HttpError};

/// The board that this program is held against.
pub const BOARD: &str = include_str!("../sponsorship.board");

/// Everything on the board, wired onto a place to keep it.
pub fn wired(place: AppBuilder, tickets: impl System) -> AppBuilder {
    place
        .name("Sponsorship")
        .task::<sponsors::SignContract>()
        .task::<sponsors::SendInvoice>()
        .task::<sponsors::RecordPayment>()
        .task::<sponsors::OnboardSponsor>()
        .task::<sponsors::BookSponsorTickets>()
        .tells::<tickets::IssueMealTickets>()
        .receives::<tickets::MealTicketsIssued>(tickets::TICKETS)
        .receives::<tickets::MealTicketsRefused>(tickets::TICKETS)
        .system(tickets::TICKETS, tickets)
        .projection::<sponsors::Sponsors>()
        .process::<guests::FeedASponsorsGuests>()
}

/// The other system's open door at an address. It acts once for an id, so that it is told again
/// when nobody knows whether it heard.
///
/// # Errors
/// The address is none.
pub fn tickets_at(address: &str) -> Result<Http, HttpError> {
    Http::to(&format!("{address}/api/commands"), Uncertain::Retry)
}
