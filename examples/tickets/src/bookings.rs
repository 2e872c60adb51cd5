//! Chapter *Sell it*: the open door for whoever books.

use crate::events::{BookingId, DayId, DayOpened, MealTicketsIssued, MealTicketsRefused};
use fait::decision::{Context, Decide, Model};
use fait::event::Meta;
use fait::projection::Projection;
use fait::{EventSet, Refusal, command, data};

/// What is said of a booking that finds no place.
pub const SOLD_OUT: &str = "the day is sold out";

/// What the model *Ticket book* remembers of the open day.
#[derive(EventSet, Debug, PartialEq)]
pub enum Sales {
    Opened(DayOpened),
    Issued(MealTicketsIssued),
}

/// The day that is open: the one that was opened last. It is about the whole house.
#[derive(Debug, Default, PartialEq)]
pub struct OpenDay {
    day: Option<DayId>,
    left: u32,
}

impl Model for OpenDay {
    type Key = ();
    type Events = Sales;
    fn evolve(&mut self, event: Sales) {
        match event {
            Sales::Opened(e) => {
                *self = OpenDay {
                    day: Some(e.day),
                    left: e.places,
                };
            }
            Sales::Issued(e) => self.left = self.left.saturating_sub(e.tickets),
        }
    }
}

/// One booking.
#[derive(Debug, Default, PartialEq)]
pub struct Booking {
    issued: Option<u32>,
}

impl Model for Booking {
    type Key = BookingId;
    type Events = MealTicketsIssued;
    fn evolve(&mut self, event: MealTicketsIssued) {
        self.issued = Some(event.tickets);
    }
}

/// Why a booking is not looked at. That a day is sold out is no refusal: it is news, which
/// whoever booked hears as they hear of tickets.
#[derive(Clone, Debug, PartialEq, Refusal)]
pub enum BookingRefusal {
    #[refused("no tickets are asked for")]
    NoTickets,
    #[refused("the booking is for another number of tickets")]
    AnotherNumber,
}

/// Issue meal tickets
///
/// For the day that is open. What comes of it is published: the tickets, or that the day is sold
/// out. A booking that has its tickets may be sent again and changes nothing.
#[command]
pub struct IssueMealTickets {
    /// The booking, by the id that its system gave it
    pub booking: BookingId,
    /// How many tickets?
    pub tickets: u32,
}

/// What may come of a booking.
#[derive(EventSet, Clone, Debug, PartialEq)]
pub enum Answer {
    Issued(MealTicketsIssued),
    Refused(MealTicketsRefused),
}

/// Decided on the booking and the day at once: two bookings never share the last place.
impl Decide for IssueMealTickets {
    type Model = (Booking, OpenDay);
    type Emits = Answer;
    type Refusal = BookingRefusal;
    fn boundary(&self) -> (BookingId, ()) {
        (self.booking, ())
    }
    fn decide(
        &self,
        (booked, open): &(Booking, OpenDay),
        _: &Context,
    ) -> Result<Vec<Answer>, BookingRefusal> {
        let IssueMealTickets { booking, tickets } = *self;
        if tickets == 0 {
            return Err(BookingRefusal::NoTickets);
        }
        match (booked.issued, &open.day) {
            (Some(issued), _) if issued == tickets => Ok(vec![]),
            (Some(_), _) => Err(BookingRefusal::AnotherNumber),
            (None, Some(day)) if tickets <= open.left => Ok(vec![
                MealTicketsIssued {
                    booking,
                    day: day.clone(),
                    tickets,
                }
                .into(),
            ]),
            (None, _) => Ok(vec![
                MealTicketsRefused {
                    booking,
                    reason: SOLD_OUT.into(),
                }
                .into(),
            ]),
        }
    }
}

/// View *Bookings*.
#[derive(Debug)]
pub struct Bookings;

/// A booking and what came of it.
#[data]
pub struct BookingRow {
    /// Day
    pub day: Option<DayId>,
    /// Tickets
    pub tickets: Option<u32>,
    /// Why it has none
    pub reason: Option<String>,
}

impl Projection for Bookings {
    const NAME: &'static str = "bookings";
    type Key = BookingId;
    type Events = Answer;
    type Row = BookingRow;
    fn project(row: &mut Option<BookingRow>, _: &BookingId, event: Answer, _: &Meta) {
        *row = Some(match event {
            Answer::Issued(e) => BookingRow {
                day: Some(e.day),
                tickets: Some(e.tickets),
                reason: None,
            },
            Answer::Refused(e) => BookingRow {
                day: None,
                tickets: None,
                reason: Some(e.reason),
            },
        });
    }
}
