//! The other system, as this one sees it: what it can be asked, what it says, and what its words
//! mean here. Nothing else in this program knows how it speaks.

use crate::events::BookingId;
use fait::bus::{CloudEvent, Data, Expects, Incoming, Receive, Received};
use fait::event::Never;
use fait::reexport::serde::de::DeserializeOwned;
use fait::reexport::serde_json;
use fait::{EventSet, command, data, event};

/// The other system.
pub const TICKETS: &str = "Meal tickets";
/// The type of its message that tickets were issued.
pub const ISSUED: &str = "com.example.tickets.meal-tickets-issued.v1";
/// The type of its message that there are none.
pub const REFUSED: &str = "com.example.tickets.meal-tickets-refused.v1";

/// Issue meal tickets
#[command(to = TICKETS)]
pub struct IssueMealTickets {
    /// The booking
    pub booking: BookingId,
    /// How many tickets?
    pub tickets: u32,
}

/// A booking has its tickets.
#[event]
pub struct MealTicketsIssued {
    #[tag]
    pub booking: BookingId,
    pub tickets: u32,
}

/// A booking gets no tickets.
#[event]
pub struct MealTicketsRefused {
    #[tag]
    pub booking: BookingId,
    pub reason: String,
}

/// What comes of its messages.
#[derive(EventSet, Clone, Debug, PartialEq)]
pub enum Answers {
    Issued(MealTicketsIssued),
    Refused(MealTicketsRefused),
}

/// What is read of [`ISSUED`]: there may be more, and there must be this.
#[data]
pub struct Issued {
    pub booking: BookingId,
    pub tickets: u32,
}

/// What is read of [`REFUSED`].
#[data]
pub struct Refused {
    pub booking: BookingId,
    pub reason: String,
}

/// Understands the other system.
#[derive(Debug)]
pub struct FromTickets;

impl Receive for FromTickets {
    const SYSTEM: &'static str = TICKETS;
    type Sends = Never;
    type Records = Answers;

    fn receive(message: &CloudEvent) -> Received<Self> {
        match message.ty.as_str() {
            ISSUED => record(message, |Issued { booking, tickets }| {
                MealTicketsIssued { booking, tickets }.into()
            }),
            REFUSED => record(message, |Refused { booking, reason }| {
                MealTicketsRefused { booking, reason }.into()
            }),
            _ => Incoming::Ignore,
        }
    }

    fn expects() -> Vec<Expects> {
        vec![
            Expects::of::<Issued>(ISSUED),
            Expects::of::<Refused>(REFUSED),
        ]
    }
}

fn record<T: DeserializeOwned>(
    message: &CloudEvent,
    event: impl Fn(T) -> Answers,
) -> Received<FromTickets> {
    let Data::Json(data) = &message.data else {
        return Incoming::Unknown("it has no JSON".into());
    };
    match serde_json::from_value(data.clone()) {
        Ok(said) => Incoming::Record(event(said)),
        Err(e) => Incoming::Unknown(e.to_string()),
    }
}
