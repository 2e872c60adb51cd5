//! Process *Feed a sponsor's guests*: it asks the other system for tickets, and sees to it that
//! the sponsor has some, whatever that one does.

use crate::events::*;
use crate::sponsors::{BookSponsorTickets, SPONSOR_MANAGER};
use crate::tickets::{IssueMealTickets, MealTicketsIssued, MealTicketsRefused};
use fait::event::hours;
use fait::process::{Input, Outbox, Process, Routes};
use fait::{CommandSet, EventSet, data};

/// How often the other system is asked.
pub const TRIES: u32 = 5;

/// What the process hears.
#[derive(EventSet, Clone, Debug, PartialEq)]
pub enum Feeding {
    Onboarded(SponsorOnboarded),
    Issued(MealTicketsIssued),
    Refused(MealTicketsRefused),
    Booked(SponsorTicketsBooked),
}

/// What the process sends and asks for.
#[derive(CommandSet, Clone, Debug, PartialEq)]
pub enum Feeds {
    Issue(IssueMealTickets),
    Book(BookSponsorTickets),
}

/// What the process waits for no longer.
#[data]
pub enum Silent {
    /// The other system did not answer.
    Tickets,
}

/// Process *Feed a sponsor's guests*.
#[data]
#[derive(Default)]
pub enum FeedASponsorsGuests {
    /// Not begun.
    #[default]
    Idle,
    /// The other system was asked, so many times.
    Waiting {
        /// Under which booking.
        booking: BookingId,
        /// For how many tickets.
        tickets: u32,
        /// How often.
        asked: u32,
    },
    /// The Sponsor manager is asked.
    ByHand,
    /// The tickets are there.
    Booking,
    /// The sponsor has tickets.
    Done,
}

impl Process for FeedASponsorsGuests {
    const NAME: &'static str = "feed-a-sponsors-guests";
    const TITLE: &'static str = "Feed a sponsor's guests";
    type Key = SponsorId;
    type Events = Feeding;
    type Timer = Silent;
    type Sends = Feeds;
    type Raises = SponsorTicketsDelayed;

    /// The other system knows the booking and not the sponsor.
    fn routes(routes: &mut Routes<Self>) {
        routes.start(|e: &SponsorOnboarded| e.sponsor);
        routes.alias("booking", |e: &SponsorOnboarded| (e.booking, e.sponsor));
        routes.proceed_by("booking", |e: &MealTicketsIssued| e.booking);
        routes.proceed_by("booking", |e: &MealTicketsRefused| e.booking);
        routes.ends_on(|e: &SponsorTicketsBooked| e.sponsor);
        routes.hears::<IssueMealTickets>();
        routes.parks_others();
    }

    fn react(self, sponsor: &SponsorId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
        use FeedASponsorsGuests::*;
        use Input::{Event, Failed, Refused, Timer};
        let sponsor = *sponsor;
        match (self, input) {
            (Idle, Event(Feeding::Onboarded(e))) => {
                ask_for_tickets(out, e.booking, e.level.tickets(), 1)
            }
            (Waiting { .. } | ByHand, Event(Feeding::Issued(e))) => {
                out.cancel(Silent::Tickets);
                out.withdraw::<IssueMealTickets>();
                out.withdraw::<BookSponsorTickets>();
                out.send(BookSponsorTickets {
                    sponsor,
                    booking: e.booking,
                    tickets: e.tickets,
                });
                Booking
            }
            (
                Waiting { booking, .. },
                Event(Feeding::Refused(MealTicketsRefused { reason, .. })),
            )
            | (
                Waiting { booking, .. },
                Refused {
                    command: Feeds::Issue(_),
                    reason,
                },
            ) => {
                out.cancel(Silent::Tickets);
                ask_a_person(out, sponsor, booking, reason)
            }
            (
                Waiting {
                    booking,
                    tickets,
                    asked,
                },
                Timer(Silent::Tickets),
            ) => {
                let reason = match asked {
                    1 => "no answer for an hour".to_string(),
                    hours => format!("no answer for {hours} hours"),
                };
                if asked == TRIES {
                    return ask_a_person(out, sponsor, booking, reason);
                }
                out.raise(SponsorTicketsDelayed { sponsor, reason });
                out.withdraw::<IssueMealTickets>();
                ask_for_tickets(out, booking, tickets, asked + 1)
            }
            // It was not reached. The hour goes on, and then it is asked again.
            (
                state @ Waiting { .. },
                Failed {
                    command: Feeds::Issue(_),
                    ..
                },
            ) => state,
            (Waiting { .. } | ByHand | Booking, Event(Feeding::Booked(_))) => Done,
            (state, other) => out.unhandled(state, other),
        }
    }
}

fn ask_for_tickets(
    out: &mut Outbox<FeedASponsorsGuests>,
    booking: BookingId,
    tickets: u32,
    asked: u32,
) -> FeedASponsorsGuests {
    // The same booking each time: whoever was asked and did not answer issues it once.
    out.send(IssueMealTickets { booking, tickets });
    out.wake_after(hours(1), Silent::Tickets);
    FeedASponsorsGuests::Waiting {
        booking,
        tickets,
        asked,
    }
}

fn ask_a_person(
    out: &mut Outbox<FeedASponsorsGuests>,
    sponsor: SponsorId,
    booking: BookingId,
    reason: String,
) -> FeedASponsorsGuests {
    out.raise(SponsorTicketsDelayed { sponsor, reason });
    // What was asked last stays: an answer that comes after all spares the person the work.
    out.ask::<BookSponsorTickets>(SPONSOR_MANAGER)
        .with("booking", booking);
    FeedASponsorsGuests::ByHand
}
