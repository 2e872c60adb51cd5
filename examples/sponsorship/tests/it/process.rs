//! The process across both systems, input by input.

use fait::event::hours;
use fait::test::{ProcessTest, process};
use sponsorship::events::*;
use sponsorship::guests::{FeedASponsorsGuests, Silent, TRIES};
use sponsorship::sponsors::{BookSponsorTickets, SPONSOR_MANAGER};
use sponsorship::tickets::{IssueMealTickets, MealTicketsIssued, MealTicketsRefused};

fn mill() -> SponsorId {
    SponsorId::named("mill")
}

fn booking() -> BookingId {
    BookingId::named("twelve")
}

fn onboarded(level: Level) -> SponsorOnboarded {
    SponsorOnboarded {
        sponsor: mill(),
        sponsor_name: "Mill & Sons".into(),
        level,
        booking: booking(),
    }
}

fn ask(tickets: u32) -> IssueMealTickets {
    IssueMealTickets {
        booking: booking(),
        tickets,
    }
}

fn delayed(reason: &str) -> SponsorTicketsDelayed {
    SponsorTicketsDelayed {
        sponsor: mill(),
        reason: reason.into(),
    }
}

fn book() -> BookSponsorTickets {
    BookSponsorTickets {
        sponsor: mill(),
        booking: booking(),
        tickets: 5,
    }
}

fn booked() -> SponsorTicketsBooked {
    SponsorTicketsBooked {
        sponsor: mill(),
        booking: booking(),
        tickets: 5,
    }
}

fn begun() -> ProcessTest<FeedASponsorsGuests> {
    process(mill()).on(onboarded(Level::Gold))
}

fn waiting(asked: u32) -> FeedASponsorsGuests {
    FeedASponsorsGuests::Waiting {
        booking: booking(),
        tickets: 5,
        asked,
    }
}

fn none_left() -> MealTicketsRefused {
    MealTicketsRefused {
        booking: booking(),
        reason: "the day is sold out".into(),
    }
}

#[test]
fn the_level_says_how_many_tickets_are_asked_for() {
    for (level, tickets) in [(Level::Gold, 5), (Level::Silver, 3), (Level::Bronze, 1)] {
        process::<FeedASponsorsGuests>(mill())
            .on(onboarded(level))
            .sends([ask(tickets)])
            .wakes(Silent::Tickets, hours(1));
    }
}

#[test]
fn tickets_that_are_issued_are_booked() {
    let issued = MealTicketsIssued {
        booking: booking(),
        tickets: 5,
    };
    begun().on(issued).sends([book()]).on(booked()).ends();
}

#[test]
fn a_day_that_is_sold_out_is_a_matter_for_a_person() {
    begun()
        .on(none_left())
        .raises([delayed("the day is sold out")])
        .asks::<BookSponsorTickets>(SPONSOR_MANAGER)
        .is(FeedASponsorsGuests::ByHand)
        .on(booked())
        .ends();
    begun()
        .refused(ask(5), "the booking is for another number of tickets")
        .raises([delayed("the booking is for another number of tickets")])
        .asks::<BookSponsorTickets>(SPONSOR_MANAGER);
}

#[test]
fn a_system_that_is_not_there_is_asked_again_when_the_hour_is_over() {
    begun()
        .failed(ask(5), "nobody is there")
        .does_nothing()
        .is(waiting(1));
}

#[test]
fn after_an_hour_of_silence_it_is_asked_again_and_after_five_a_person_is() {
    let mut silent = begun();
    for asked in 1..TRIES {
        let reason = match asked {
            1 => "no answer for an hour".to_string(),
            n => format!("no answer for {n} hours"),
        };
        silent = silent
            .fires(Silent::Tickets)
            .raises([delayed(&reason)])
            .sends([ask(5)])
            .wakes(Silent::Tickets, hours(1))
            .is(waiting(asked + 1));
    }
    silent
        .fires(Silent::Tickets)
        .raises([delayed("no answer for 5 hours")])
        .sends::<IssueMealTickets>([])
        .asks::<BookSponsorTickets>(SPONSOR_MANAGER)
        .is(FeedASponsorsGuests::ByHand);
}

#[test]
fn an_answer_after_all_spares_the_person_the_work() {
    let issued = MealTicketsIssued {
        booking: booking(),
        tickets: 5,
    };
    begun()
        .on(none_left())
        .on(issued)
        .sends([book()])
        .is(FeedASponsorsGuests::Booking);
}
