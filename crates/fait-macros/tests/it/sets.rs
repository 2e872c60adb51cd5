//! `#[derive(EventSet)]`: the names as a constant, reading, conversions.

use crate::domain::*;
use fait_core::event::{EventSet, ids_in};
use serde_json::json;

/// Proves that the names are a constant: a constant array has their length.
const NAMES: [&str; <OrderHistory as EventSet>::TYPES.len()] = [""; OrderHistory::TYPES.len()];

#[test]
fn the_names_of_a_set_are_those_of_its_events_old_ones_included() {
    assert_eq!(NAMES.len(), 5);
    let order = [
        "OrderPlaced",
        "Ordered",
        "order accepted",
        "Accepted",
        "KitchenAccepted",
    ];
    assert_eq!(OrderHistory::TYPES, order);
    assert_eq!(Everything::TYPES[..5], order);
    assert_eq!(Everything::TYPES[5..], ["KitchenClosed", "KitchenOpened"]);
}

#[test]
fn a_set_reads_what_it_writes_and_nothing_else() {
    let all = [
        Everything::Order(placed().into()),
        Everything::Order(accepted().into()),
        KitchenClosed.into(),
        Opened {}.into(),
    ];
    for one in all {
        let read = Everything::decode(&stored(one.encode().unwrap())).unwrap();
        assert_eq!(read, Some(one));
    }
    let closed = stored(KitchenClosed.encode().unwrap());
    assert_eq!(OrderHistory::decode(&closed).unwrap(), None);
}

#[test]
fn a_set_reads_older_names() {
    let body = serde_json::to_value(accepted()).unwrap();
    let old = stored_as("KitchenAccepted", 1, &body);
    let read = OrderHistory::decode(&old).unwrap();
    assert_eq!(read, Some(OrderHistory::Accepted(accepted())));
}

#[test]
fn an_event_of_the_set_that_cannot_be_read_is_an_error() {
    let error = Everything::decode(&stored_as("OrderPlaced", 3, &json!({}))).unwrap_err();
    assert_eq!(error.message, "field `order` is missing");
}

#[test]
fn the_draft_has_the_events_name_version_and_tags() {
    let draft = OrderHistory::from(placed()).encode().unwrap();
    assert_eq!((draft.ty.as_str(), draft.version), ("OrderPlaced", 3));
    assert_eq!(ids_in::<DishId>(&draft.tags), ["soup".into(), "tea".into()]);
    assert_eq!(OrderHistory::from(placed()).ids::<TableId>(), [TableId(4)]);
}

#[test]
fn the_definitions_stand_in_the_order_of_variants() {
    let names: Vec<String> = Everything::defs().into_iter().map(|d| d.name).collect();
    assert_eq!(
        names,
        [
            "OrderPlaced",
            "order accepted",
            "KitchenClosed",
            "KitchenOpened"
        ]
    );
}
