//! What is said of an event that cannot be read: type, version, position and field.

use crate::domain::stored_as;
use fait_core::event::{DecodeError, Event, EventSet};
use fait_macros::{data, event};
use serde_json::{Value, json};

#[data(crate = "fait_core")]
enum Method {
    Cash,
    Card { last_digits: u16 },
}

#[data(crate = "fait_core")]
struct Line {
    dish: String,
    cents: u32,
}

#[event(version = 3, upcast = to_lines, was = "Paid", crate = "fait_core")]
struct BillPaid {
    lines: Vec<Line>,
    method: Method,
}

/// Version 1 had no method, version 2 had one dish. Nobody should have written what it panics at.
fn to_lines(from: u32, mut old: Value) -> Result<Value, String> {
    if old.get("dish").is_some_and(Value::is_null) {
        panic!("a dish that is nothing");
    }
    if from == 1 {
        old["method"] = old.get("paid").cloned().ok_or("nothing was paid")?;
    }
    Ok(json!({ "lines": [old], "method": old["method"] }))
}

fn misread(version: u32, data: &Value) -> DecodeError {
    BillPaid::decode(&stored_as("BillPaid", version, data)).unwrap_err()
}

#[track_caller]
fn says(error: &DecodeError, field: Option<&str>, text: &str) {
    assert_eq!((error.ty.as_str(), error.position), ("BillPaid", 7));
    assert_eq!(error.field.as_deref(), field, "{error}");
    assert_eq!(error.to_string(), text);
}

#[test]
fn a_missing_field_is_named_with_its_path() {
    let error = misread(3, &json!({ "method": "Cash" }));
    says(
        &error,
        Some("lines"),
        "event BillPaid version 3 at position 7 cannot be read: field `lines` is missing",
    );
    let lines = json!([{ "dish": "tea", "cents": 250 }, { "dish": "cake" }]);
    let error = misread(3, &json!({ "lines": lines, "method": "Cash" }));
    says(
        &error,
        Some("lines[1].cents"),
        "event BillPaid version 3 at position 7 cannot be read: field `lines[1].cents` is missing",
    );
}

#[test]
fn a_wrong_type_deep_inside_is_named_with_its_path() {
    let lines = json!([{ "dish": "tea", "cents": "2.50" }]);
    let error = misread(3, &json!({ "lines": lines, "method": "Cash" }));
    says(
        &error,
        Some("lines[0].cents"),
        "event BillPaid version 3 at position 7 cannot be read: field `lines[0].cents`: invalid \
         type: string \"2.50\", expected u32",
    );
}

#[test]
fn a_wrong_variant_is_named_and_so_is_what_is_wrong_inside_of_one() {
    let error = misread(3, &json!({ "lines": [], "method": "Gold" }));
    says(
        &error,
        Some("method"),
        "event BillPaid version 3 at position 7 cannot be read: field `method`: unknown variant \
         `Gold`, expected `Cash` or `Card`",
    );
    let method = json!({ "Card": { "last_digits": -1 } });
    let error = misread(3, &json!({ "lines": [], "method": method }));
    assert_eq!(error.field.as_deref(), Some("method.Card.last_digits"));
}

#[test]
fn what_the_upcaster_gives_is_named_with_its_path_and_the_version_it_comes_from() {
    let error = misread(2, &json!({ "dish": "tea", "method": "Cash" }));
    says(
        &error,
        Some("lines[0].cents"),
        "event BillPaid version 2 at position 7 cannot be read: after upcasting from version 2 to \
         3, field `lines[0].cents` is missing",
    );
    let old = json!({ "dish": "tea", "cents": 1, "paid": "Gold" });
    let error = misread(1, &old);
    says(
        &error,
        Some("method"),
        "event BillPaid version 1 at position 7 cannot be read: after upcasting from version 1 to \
         3, field `method`: unknown variant `Gold`, expected `Cash` or `Card`",
    );
}

#[test]
fn an_upcaster_that_refuses_or_panics_is_an_error_of_that_event() {
    says(
        &misread(1, &json!({ "dish": "tea" })),
        None,
        "event BillPaid version 1 at position 7 cannot be read: it cannot be upcasted from version \
         1 to 3: nothing was paid",
    );
    says(
        &misread(2, &json!({ "dish": null })),
        None,
        "event BillPaid version 2 at position 7 cannot be read: its upcaster from version 2 to 3: \
         the program panicked: a dish that is nothing",
    );
    let old = json!({ "dish": "tea", "cents": 1, "paid": "Cash" });
    let read = BillPaid::decode(&stored_as("Paid", 1, &old)).unwrap();
    assert_eq!(read.unwrap().lines[0].cents, 1);
    assert_eq!(BillPaid::VERSION, 3);
}

#[test]
fn bytes_that_are_no_json_name_no_field() {
    let mut event = stored_as("BillPaid", 3, &json!({}));
    event.data = "{\"lines\": [".into();
    let error = BillPaid::decode(&event).unwrap_err();
    assert_eq!(error.field, None);
    assert!(error.message.starts_with("EOF while parsing"), "{error}");
}
