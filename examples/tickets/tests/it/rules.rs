//! Who gets tickets, and who does not.

use fait::test::{given, nothing, view};
use tickets::bookings::{BookingRefusal, BookingRow, Bookings, IssueMealTickets, SOLD_OUT};
use tickets::days::{DayRefusal, DayRow, Days, OpenDay};
use tickets::events::{BookingId, DayId, DayOpened, MealTicketsIssued, MealTicketsRefused};

fn booking() -> BookingId {
    BookingId::named("twelve")
}

fn other() -> BookingId {
    BookingId::named("thirteen")
}

fn friday() -> DayId {
    "Friday".into()
}

fn opened(day: &str, places: u32) -> DayOpened {
    DayOpened {
        day: day.into(),
        places,
    }
}

fn issued(booking: BookingId, tickets: u32) -> MealTicketsIssued {
    MealTicketsIssued {
        booking,
        day: friday(),
        tickets,
    }
}

fn sold_out(booking: BookingId) -> MealTicketsRefused {
    MealTicketsRefused {
        booking,
        reason: SOLD_OUT.into(),
    }
}

fn ask(booking: BookingId, tickets: u32) -> IssueMealTickets {
    IssueMealTickets { booking, tickets }
}

#[test]
fn a_booking_gets_tickets_for_the_day_that_is_open() {
    given(opened("Thursday", 3))
        .given(opened("Friday", 5))
        .when(ask(booking(), 5))
        .then([issued(booking(), 5)]);
}

#[test]
fn the_last_place_is_sold_once() {
    let sold = || given(opened("Friday", 6)).given(issued(booking(), 5));
    sold().when(ask(other(), 1)).then([issued(other(), 1)]);
    sold().when(ask(other(), 2)).then([sold_out(other())]);
}

#[test]
fn without_a_day_there_is_nothing_to_sell() {
    nothing()
        .when(ask(booking(), 1))
        .then([sold_out(booking())]);
}

#[test]
fn the_same_booking_is_never_issued_twice() {
    let sold = || given(opened("Friday", 40)).given(issued(booking(), 5));
    sold().when(ask(booking(), 5)).then_nothing();
    // Neither on another day.
    let later = sold().given(opened("Saturday", 40));
    later.when(ask(booking(), 5)).then_nothing();
    sold()
        .when(ask(booking(), 3))
        .then_refused(BookingRefusal::AnotherNumber);
}

#[test]
fn a_booking_that_found_no_place_may_ask_again() {
    given(sold_out(booking()))
        .given(opened("Friday", 5))
        .when(ask(booking(), 5))
        .then([issued(booking(), 5)]);
}

#[test]
fn no_tickets_are_no_booking() {
    given(opened("Friday", 5))
        .when(ask(booking(), 0))
        .then_refused(BookingRefusal::NoTickets);
}

#[test]
fn a_day_is_opened_once() {
    let open = |places| OpenDay {
        day: friday(),
        places,
    };
    nothing().when(open(5)).then([opened("Friday", 5)]);
    given(opened("Friday", 5))
        .when(open(50))
        .then_refused(DayRefusal::OpenedBefore);
}

#[test]
fn the_views_show_what_is_sold_and_why_not() {
    view::<Days>()
        .on(opened("Friday", 6))
        .on(issued(booking(), 5))
        .has(
            "Friday",
            DayRow {
                places: 6,
                tickets: 5,
            },
        );
    view::<Bookings>()
        .on(sold_out(booking()))
        .has(
            booking(),
            BookingRow {
                day: None,
                tickets: None,
                reason: Some(SOLD_OUT.into()),
            },
        )
        .on(issued(booking(), 5))
        .has(
            booking(),
            BookingRow {
                day: Some(friday()),
                tickets: Some(5),
                reason: None,
            },
        );
}
