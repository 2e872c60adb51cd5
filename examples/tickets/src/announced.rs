//! What others are told: types of their own, which are promises, and how they are made of what
//! happened. Which day it was is none of the others' business.

use crate::bookings::Answer;
use crate::events::BookingId;
use fait::bus::Publish;
use fait::event::Meta;
use fait::{PublishedSet, published};

/// A booking has its tickets.
#[published(name = "com.example.tickets.meal-tickets-issued")]
pub struct MealTicketsIssued {
    /// The booking, by the id that whoever booked gave it.
    #[subject]
    pub booking: BookingId,
    /// How many tickets it has.
    pub tickets: u32,
}

/// A booking gets no tickets.
#[published(name = "com.example.tickets.meal-tickets-refused")]
pub struct MealTicketsRefused {
    /// The booking, by the id that whoever booked gave it.
    #[subject]
    pub booking: BookingId,
    /// Why not, in a sentence.
    pub reason: String,
}

/// What is said of a booking.
#[derive(PublishedSet, Clone, Debug, PartialEq)]
pub enum Said {
    Issued(MealTicketsIssued),
    Refused(MealTicketsRefused),
}

/// Tells what came of bookings.
#[derive(Debug)]
pub struct Announcements;

impl Publish for Announcements {
    const NAME: &'static str = "announcements";
    type Events = Answer;
    type Model = ();
    type Publishes = Said;
    fn about(_: &Answer) {}
    fn publish(event: &Answer, (): &(), _: &Meta) -> Vec<Said> {
        vec![match event.clone() {
            Answer::Issued(e) => MealTicketsIssued {
                booking: e.booking,
                tickets: e.tickets,
            }
            .into(),
            Answer::Refused(e) => MealTicketsRefused {
                booking: e.booking,
                reason: e.reason,
            }
            .into(),
        }]
    }
}
