//! Who becomes a sponsor, and who gets tickets.

use fait::event::Money;
use fait::test::{given, nothing, view};
use sponsorship::events::*;
use sponsorship::sponsors::*;

fn mill() -> SponsorId {
    SponsorId::named("mill")
}

fn signed() -> ContractSigned {
    ContractSigned {
        sponsor: mill(),
        sponsor_name: "Mill & Sons".into(),
    }
}

fn invoiced() -> InvoiceSent {
    InvoiceSent {
        sponsor: mill(),
        invoice: Money(90_000),
    }
}

fn paid() -> InvoicePaid {
    InvoicePaid { sponsor: mill() }
}

fn onboarded() -> SponsorOnboarded {
    SponsorOnboarded {
        sponsor: mill(),
        sponsor_name: "Mill & Sons".into(),
        level: Level::Gold,
        booking: BookingId::named("twelve"),
    }
}

fn booked() -> SponsorTicketsBooked {
    SponsorTicketsBooked {
        sponsor: mill(),
        booking: BookingId::named("twelve"),
        tickets: 5,
    }
}

fn onboard() -> OnboardSponsor {
    OnboardSponsor {
        sponsor: mill(),
        level: Level::Gold,
    }
}

fn book() -> BookSponsorTickets {
    BookSponsorTickets {
        sponsor: mill(),
        booking: BookingId::named("twelve"),
        tickets: 5,
    }
}

#[test]
fn who_signed_and_owes_nothing_is_onboarded() {
    for past in [
        given(signed()),
        given(signed()).given(invoiced()).given(paid()),
    ] {
        let happened = past.when(onboard()).result().unwrap();
        let [
            SponsorOnboarded {
                sponsor_name,
                level,
                ..
            },
        ] = &happened[..]
        else {
            panic!("{happened:?}");
        };
        assert_eq!(
            (sponsor_name.as_str(), *level),
            ("Mill & Sons", Level::Gold)
        );
    }
}

#[test]
fn without_a_contract_or_with_an_open_invoice_nobody_is() {
    nothing()
        .when(onboard())
        .then_refused(SponsorRefusal::NotSigned);
    given(signed())
        .given(invoiced())
        .when(onboard())
        .then_refused(SponsorRefusal::InvoiceOpen);
}

#[test]
fn each_booking_has_an_id_of_its_own_which_a_second_try_keeps() {
    let booking = |command: u128| {
        use fait::decision::{Context, Decide};
        let context = Context::new(
            Default::default(),
            None,
            fait::reexport::uuid::Uuid::from_u128(command),
        );
        let mut sponsor = Sponsor::default();
        fait::decision::Model::evolve(&mut sponsor, signed().into());
        onboard().decide(&sponsor, &context).unwrap()[0].booking
    };
    assert_eq!(booking(1), booking(1));
    assert_ne!(booking(1), booking(2));
}

#[test]
fn what_is_done_twice_is_done_once() {
    let sign = SignContract {
        sponsor: mill(),
        sponsor_name: "Mill & Sons".into(),
    };
    nothing().when(sign.clone()).then([signed()]);
    given(signed()).when(sign).then_nothing();
    given(signed())
        .given(onboarded())
        .when(onboard())
        .then_nothing();
    given(onboarded()).when(book()).then([booked()]);
    given(onboarded())
        .given(booked())
        .when(book())
        .then_nothing();
}

#[test]
fn invoices_come_one_after_the_other() {
    let send = SendInvoice {
        sponsor: mill(),
        invoice: Money(90_000),
    };
    let pay = RecordPayment { sponsor: mill() };
    nothing()
        .when(send.clone())
        .then_refused(SponsorRefusal::NotSigned);
    given(signed()).when(send.clone()).then([invoiced()]);
    let owing = || given(signed()).given(invoiced());
    owing().when(send).then_refused(SponsorRefusal::InvoiceOpen);
    owing().when(pay.clone()).then([paid()]);
    given(signed())
        .when(pay)
        .then_refused(SponsorRefusal::NoInvoice);
}

#[test]
fn only_sponsors_get_tickets() {
    given(signed())
        .when(book())
        .then_refused(SponsorRefusal::NotOnboarded);
}

#[test]
fn the_view_shows_how_far_a_sponsor_is() {
    let row = SponsorRow {
        sponsor_name: "Mill & Sons".into(),
        ..SponsorRow::default()
    };
    let delayed = SponsorTicketsDelayed {
        sponsor: mill(),
        reason: "no answer for an hour".into(),
    };
    view::<Sponsors>()
        .on(signed())
        .on(invoiced())
        .has(
            mill(),
            SponsorRow {
                invoice: Some(Money(90_000)),
                ..row.clone()
            },
        )
        .on(paid())
        .on(onboarded())
        .on(delayed)
        .has(
            mill(),
            SponsorRow {
                level: Some(Level::Gold),
                reason: Some("no answer for an hour".into()),
                ..row.clone()
            },
        )
        .on(booked())
        .has(
            mill(),
            SponsorRow {
                level: Some(Level::Gold),
                tickets: Some(5),
                ..row
            },
        );
}
