//! `#[event]`: names, versions, tags, round trips.

use crate::domain::*;
use fait_core::event::{Event, EventCode, EventDef, EventSet, decode_event, encode_event};
use fait_macros::event;
use serde_json::{Value, json};

#[test]
fn the_stored_name_is_the_structs_unless_it_is_given() {
    assert_eq!(OrderPlaced::TYPE, "OrderPlaced");
    assert_eq!(OrderAccepted::TYPE, "order accepted");
    assert_eq!(Opened::TYPE, "KitchenOpened");
    assert_eq!(KitchenClosed::TYPE, "KitchenClosed");
}

#[test]
fn version_older_names_and_documentation_are_constants() {
    assert_eq!((OrderPlaced::VERSION, OrderAccepted::VERSION), (3, 1));
    assert_eq!(OrderPlaced::WAS, ["Ordered"]);
    assert_eq!(OrderAccepted::WAS, ["Accepted", "KitchenAccepted"]);
    assert!(KitchenClosed::WAS.is_empty());
    assert_eq!(
        OrderPlaced::DOC,
        "A guest ordered dishes at a table.\n\nThe bill comes later."
    );
    assert_eq!(KitchenClosed::DOC, "");
}

#[test]
fn one_event_is_a_set_with_its_older_names() {
    const TYPES: &[&str] = <OrderAccepted as EventSet>::TYPES;
    assert_eq!(TYPES, ["order accepted", "Accepted", "KitchenAccepted"]);
    assert_eq!(<KitchenClosed as EventSet>::TYPES, ["KitchenClosed"]);
}

#[test]
fn tags_come_from_ids_options_lists_sets_and_map_keys_in_the_order_of_fields() {
    let id = order();
    let expected = [
        format!("order:{id}"),
        "table:4".into(),
        "dish:soup".into(),
        "dish:tea".into(),
    ];
    assert_eq!(tag_texts(&placed()), expected);
    let expected = ["cook:ann", "cook:bo", "cook:cy", "dish:soup"];
    assert_eq!(tag_texts(&accepted())[1..], expected);
    let alone = OrderAccepted {
        cook: None,
        helpers: vec![],
        ..accepted()
    };
    assert_eq!(tag_texts(&alone)[1..], ["dish:soup"]);
    assert!(tag_texts(&KitchenClosed).is_empty());
}

#[test]
fn an_event_is_read_as_it_was_written() {
    let back: OrderPlaced = decode_event(&stored(encode_event(&placed()).unwrap())).unwrap();
    assert_eq!(back, placed());
    let back: OrderAccepted = decode_event(&stored(encode_event(&accepted()).unwrap())).unwrap();
    assert_eq!(back, accepted());
    let back: KitchenClosed = decode_event(&stored(encode_event(&KitchenClosed).unwrap())).unwrap();
    assert_eq!(back, KitchenClosed);
    let back: Opened = decode_event(&stored(encode_event(&Opened {}).unwrap())).unwrap();
    assert_eq!(back, Opened {});
}

#[test]
fn an_older_version_goes_through_the_upcaster() {
    let old = stored_as(
        "Ordered",
        1,
        &json!({ "order": order(), "table": 4, "dish": "soup" }),
    );
    let read = OrderPlaced::decode(&old).unwrap().unwrap();
    assert_eq!(read.dishes, [("soup".into(), 1)].into());
    assert!(read.wishes.is_empty());

    let broken = stored_as("Ordered", 1, &json!({ "order": order(), "table": 4 }));
    let error = OrderPlaced::decode(&broken).unwrap_err();
    assert_eq!(
        error.message,
        "it cannot be upcasted from version 1 to 3: no dish"
    );
    assert_eq!((error.position, error.version), (7, 1));
}

#[test]
fn a_newer_version_is_refused_by_name_and_position() {
    let newer = stored_as("OrderPlaced", 4, &json!({}));
    let error = OrderPlaced::decode(&newer).unwrap_err();
    assert_eq!(
        error.to_string(),
        "event OrderPlaced version 4 at position 7 cannot be read: it is newer than this \
         program, which knows version 3"
    );
}

#[test]
fn the_definition_has_a_schema() {
    let def = EventDef::of::<OrderPlaced>();
    assert_eq!(def.was, ["Ordered"]);
    assert_eq!(def.schema["properties"]["order"]["x-kind"], "order");
    assert_eq!(def.schema["required"], json!(["order", "table", "dishes"]));
}

#[test]
fn an_event_without_fields_is_an_empty_object_so_that_fields_can_be_added_later() {
    for data in [
        encode_event(&KitchenClosed).unwrap().data,
        encode_event(&Opened {}).unwrap().data,
    ] {
        assert_eq!(data, "{}");
    }
    let schema = EventDef::of::<KitchenClosed>().schema;
    assert_eq!(
        (&schema["title"], &schema["type"]),
        (&json!("KitchenClosed"), &json!("object"))
    );
}

/// Guests sat down. Version 1 had no count, version 2 no names.
#[event(version = 3, upcast = with_names, downcast = without_names, oldest = 2, was = "Sat",
    crate = "fait_core")]
struct GuestsSeated {
    table: u32,
    names: Vec<String>,
}

fn with_names(from: u32, mut data: Value) -> Result<Value, String> {
    let guests = if from == 1 {
        1
    } else {
        data["guests"].as_u64().ok_or("no count")?
    };
    data["names"] = (1..=guests).map(|n| format!("guest {n}")).collect();
    Ok(data)
}

fn without_names(to: u32, mut data: Value) -> Result<Value, String> {
    assert_eq!(to, 2, "only what `oldest` allows is asked for");
    let names = data["names"].take();
    match names.as_array().map(Vec::len) {
        Some(0) | None => Err("nobody sat down, which version 2 cannot say".into()),
        Some(guests) => Ok(json!({ "table": data["table"], "guests": guests })),
    }
}

#[test]
fn a_downcaster_gives_older_versions() {
    let code = EventCode::of::<GuestsSeated>();
    assert_eq!((code.version, code.oldest), (3, 2));
    assert_eq!(code.names().collect::<Vec<_>>(), ["GuestsSeated", "Sat"]);
    let today = stored_as(
        "GuestsSeated",
        3,
        &json!({ "table": 4, "names": ["Ann", "Bo"] }),
    );
    let given = |event, to| code.in_version(event, to).map_err(|e| e.message);
    assert_eq!(given(&today, 2), Ok(json!({ "table": 4, "guests": 2 })));
    assert_eq!(given(&today, 3), today.json().map_err(|e| e.message));
    // What is older than the reader is brought to today's version first.
    let first = stored_as("Sat", 1, &json!({ "table": 4 }));
    assert_eq!(given(&first, 2), Ok(json!({ "table": 4, "guests": 1 })));
    // What has the reader's version is given as it stands.
    let second = stored_as("Sat", 2, &json!({ "guests": "of old" }));
    assert_eq!(given(&second, 2), Ok(json!({ "guests": "of old" })));
    assert_eq!(given(&second, 3), Err("no count".into()));
    let nobody = stored_as("GuestsSeated", 3, &json!({ "table": 4, "names": [] }));
    let why = "it cannot be brought to version 2: nobody sat down, which version 2 cannot say";
    assert_eq!(given(&nobody, 2), Err(why.into()));
    for to in [1, 4] {
        let why = format!("version {to} cannot be given; there are 2 to 3");
        assert_eq!(given(&today, to), Err(why));
    }
    let newer = stored_as("GuestsSeated", 4, &json!({}));
    let why = "it is newer than this program, which knows version 3";
    assert_eq!(given(&newer, 2), Err(why.into()));
}

#[test]
fn without_a_downcaster_there_is_todays_version_only() {
    assert_eq!((OrderPlaced::VERSION, OrderPlaced::OLDEST), (3, 3));
    let told = OrderPlaced::downcast(2, json!({}));
    assert_eq!(
        told,
        Err("`OrderPlaced` has no downcaster to version 2".into())
    );
}
