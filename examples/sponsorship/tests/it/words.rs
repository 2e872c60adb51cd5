//! What the other system's messages mean here, and that it promises what is read of them.

use fait::bus::{CloudEvent, Data, Incoming, Receive, Received};
use fait::contract::{Reader, read, read_reader, unmet};
use serde_json::{Value, json};
use sponsorship::events::BookingId;
use sponsorship::tickets::{FromTickets, ISSUED, MealTicketsIssued, MealTicketsRefused, REFUSED};

fn receive(ty: &str, data: Value) -> Received<FromTickets> {
    FromTickets::receive(&CloudEvent {
        id: "1".into(),
        source: "urn:tickets".into(),
        ty: ty.into(),
        subject: None,
        time: None,
        datacontenttype: Some("application/json".into()),
        dataschema: None,
        extensions: Default::default(),
        data: Data::Json(data),
    })
}

#[test]
fn tickets_and_refusals_become_events_of_this_system() {
    let booking = BookingId::named("twelve");
    assert_eq!(
        receive(
            ISSUED,
            json!({"booking": booking, "day": "Friday", "tickets": 5})
        ),
        Incoming::Record(
            MealTicketsIssued {
                booking,
                tickets: 5
            }
            .into()
        )
    );
    let reason = "the day is sold out".to_string();
    assert_eq!(
        receive(REFUSED, json!({"booking": booking, "reason": reason})),
        Incoming::Record(MealTicketsRefused { booking, reason }.into())
    );
}

#[test]
fn other_messages_are_none_of_its_business() {
    let ty = "com.example.tickets.day-opened.v1";
    assert_eq!(receive(ty, json!({"day": "Friday"})), Incoming::Ignore);
}

#[test]
fn what_should_be_understood_and_is_not_is_kept_with_the_reason() {
    let got = receive(ISSUED, json!({"booking": "B-12", "tickets": 5}));
    let Incoming::Unknown(why) = got else {
        panic!("{got:?}");
    };
    assert!(why.contains("UUID"), "{why}");
}

/// What is read stands in the other system's folder, so that its tests know whom they would break.
#[test]
fn what_is_read_is_promised_and_the_other_system_knows_it() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tickets/contract");
    let reader = Reader {
        system: "Sponsorship".into(),
        expects: FromTickets::expects(),
    };
    let file = format!("{folder}/consumers/sponsorship.json");
    if std::env::var_os("UPDATE_MANIFEST").is_some() {
        let text = serde_json::to_string_pretty(&reader).unwrap();
        std::fs::create_dir_all(format!("{folder}/consumers")).unwrap();
        std::fs::write(&file, text + "\n").unwrap();
    }
    assert_eq!(unmet(&read(folder).unwrap(), &reader), []);
    assert_eq!(read_reader(file).unwrap(), reader);
}
