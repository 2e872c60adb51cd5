//! What happens in the house that sells meals ahead. None of this leaves it: what others are told
//! is in [`announced`](crate::announced).

use fait::{entity_ids, event};

entity_ids! { BookingId => "booking", DayId(text) => "day" }

/// A day is open for bookings.
#[event]
pub struct DayOpened {
    #[tag]
    pub day: DayId,
    pub places: u32,
}

/// A booking has its tickets.
#[event]
pub struct MealTicketsIssued {
    #[tag]
    pub booking: BookingId,
    #[tag]
    pub day: DayId,
    pub tickets: u32,
}

/// A booking gets no tickets.
#[event]
pub struct MealTicketsRefused {
    #[tag]
    pub booking: BookingId,
    pub reason: String,
}
