//! `#[event]`: names, versions, tags, round trips.

use crate::domain::*;
use fait_core::event::{Event, EventDef, EventSet, decode_event, encode_event};
use serde_json::json;

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
