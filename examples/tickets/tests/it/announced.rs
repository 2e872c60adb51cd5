//! What others are told of bookings, and what not.

use fait::bus::{Data, Message};
use fait::{App, Clock};
use serde_json::{Value, json};
use std::time::Duration;
use tickets::bookings::IssueMealTickets;
use tickets::days::OpenDay;
use tickets::events::BookingId;

fn json(message: &Message) -> &Value {
    match &message.event.data {
        Data::Json(said) => said,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn tickets_and_refusals_are_told_and_the_day_is_not() {
    let app = tickets::wired(App::in_memory().clock(Clock::by_hand()));
    let app = app.build().unwrap();
    let day = OpenDay {
        day: "Friday".into(),
        places: 6,
    };
    app.send(day).await.unwrap();
    let (first, second) = (BookingId::named("twelve"), BookingId::named("thirteen"));
    for booking in [first, second, first] {
        let ask = IssueMealTickets {
            booking,
            tickets: 5,
        };
        app.send(ask).await.unwrap();
    }
    app.settle().await;
    let mut told = app.published(0, 10, &[]).await.unwrap().messages;
    while told.len() < 2 {
        let last = told.last().map_or(0, |m| m.position);
        let more = app.wait_published(last, Duration::from_secs(60)).await;
        assert!(more.unwrap(), "only {} messages", told.len());
        told = app.published(0, 10, &[]).await.unwrap().messages;
    }
    let [issued, refused] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(
        issued.event.ty,
        "com.example.tickets.meal-tickets-issued.v1"
    );
    assert_eq!(issued.event.subject, Some(first.to_string()));
    assert_eq!(json(issued), &json!({"booking": first, "tickets": 5}));
    assert_eq!(
        refused.event.ty,
        "com.example.tickets.meal-tickets-refused.v1"
    );
    let why = json!({"booking": second, "reason": "the day is sold out"});
    assert_eq!(json(refused), &why);
    app.stop().await;
}
