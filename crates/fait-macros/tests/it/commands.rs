//! `#[command]` and `#[derive(CommandSet)]`: form, page, reading.

use crate::domain::*;
use fait_core::command::{Command, CommandSet, Field, InputError, Page, fields_of, read_body};
use fait_macros::{CommandSet, command};
use serde_json::json;
use std::collections::BTreeMap;

const WAITER: &str = "Waiter";
mod roles {
    pub(crate) const FLOOR: &str = "Floor";
}

/// Place an order
///
/// The guest has chosen.
/// The kitchen hears of it.
#[command(
    by = [WAITER, roles::FLOOR, "Guest"],
    sees = "table-plan",
    about = "Place an order for table {table}",
    button = "The order is placed",
    undone_by = "CancelOrder",
    starts,
    crate = "fait_core"
)]
pub(crate) struct PlaceOrder {
    #[field(fresh)]
    pub(crate) order: OrderId,
    /** Which table?

    Look at the sign. */
    pub(crate) table: TableId,
    pub(crate) dishes_wanted: BTreeMap<DishId, u32>,
    #[serde(default)]
    pub(crate) note: String,
    /// Who cooks?
    pub(crate) cook: Option<CookId>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    #[serde(skip)]
    pub(crate) seen: bool,
}

#[command(by = WAITER, name = "cancel-order", crate = "fait_core")]
#[derive(Default)]
pub(crate) struct CancelOrder {
    pub(crate) r#in: Option<u32>,
}

/** Charge the card

* Only once. */
#[command(to = "Card terminal", crate = "fait_core")]
pub(crate) struct ChargeCard;

#[derive(CommandSet, Clone, Debug, PartialEq)]
#[command_set(crate = "fait_core")]
pub(crate) enum Sends {
    Cancel(CancelOrder),
    Charge(ChargeCard),
}

const fn field(name: &'static str, label: &'static str, help: &'static str) -> Field {
    Field {
        name,
        label,
        help,
        fresh: false,
    }
}

#[test]
fn the_title_is_the_first_line_of_the_documentation() {
    assert_eq!(
        (PlaceOrder::NAME, PlaceOrder::TITLE),
        ("PlaceOrder", "Place an order")
    );
    assert_eq!(
        PlaceOrder::DOC,
        "The guest has chosen.\nThe kitchen hears of it."
    );
    assert_eq!(
        (ChargeCard::TITLE, ChargeCard::DOC),
        ("Charge the card", "Only once.")
    );
}

#[test]
fn without_documentation_the_title_is_the_name_in_plain_words() {
    assert_eq!(
        (CancelOrder::NAME, CancelOrder::TITLE),
        ("cancel-order", "Cancel order")
    );
    assert_eq!(CancelOrder::DOC, "");
}

#[test]
fn the_fields_are_the_form() {
    let expected = [
        Field {
            fresh: true,
            ..field("order", "Order", "")
        },
        field("table", "Which table?", "Look at the sign."),
        field("dishes_wanted", "Dishes wanted", ""),
        field("note", "Note", ""),
        field("cook", "Who cooks?", ""),
        field("type", "Kind", ""),
    ];
    assert_eq!(PlaceOrder::FIELDS, expected);
    assert_eq!(CancelOrder::FIELDS, [field("in", "In", "")]);
    assert!(ChargeCard::FIELDS.is_empty());
}

#[test]
fn the_page_says_who_where_and_how() {
    let page = Page {
        by: &["Waiter", "Floor", "Guest"],
        sees: Some("table-plan"),
        about: Some("Place an order for table {table}"),
        button: Some("The order is placed"),
        undone_by: Some("CancelOrder"),
        to: None,
        starts: true,
    };
    assert_eq!(PlaceOrder::PAGE, page);
    assert_eq!(
        CancelOrder::PAGE,
        Page {
            by: &["Waiter"],
            ..Page::EMPTY
        }
    );
    assert_eq!(
        ChargeCard::PAGE,
        Page {
            to: Some("Card terminal"),
            ..Page::EMPTY
        }
    );
}

#[test]
fn optional_and_defaulted_fields_may_be_left_out() {
    let optional: Vec<String> = fields_of::<PlaceOrder>()
        .into_iter()
        .filter(|f| f.optional)
        .map(|f| f.name)
        .collect();
    assert_eq!(optional, ["note", "cook", "type"]);
    let body = json!({ "order": order(), "table": 4, "dishes_wanted": {"soup": 1}, "type": "x" });
    let read: PlaceOrder = read_body(&body).unwrap();
    assert_eq!(
        (read.note.as_str(), read.cook, read.kind.as_deref()),
        ("", None, Some("x"))
    );
}

#[test]
fn a_wrong_body_names_the_field() {
    let wrong = |body| read_body::<PlaceOrder>(&body).unwrap_err();
    let field = |e: InputError| (e.field.unwrap_or_default(), e.message);
    let id = order();
    let (name, message) = field(wrong(json!({ "order": id, "dishes_wanted": {} })));
    assert_eq!((name.as_str(), message.as_str()), ("table", "is missing"));
    let (name, _) = field(wrong(
        json!({ "order": id, "table": "x", "dishes_wanted": {} }),
    ));
    assert_eq!(name, "table");
    let (name, message) = field(wrong(json!({ "order": id, "tabel": 4 })));
    assert_eq!(name, "tabel");
    assert!(
        message.contains("order, table, dishes_wanted, note, cook, type"),
        "{message}"
    );
}

#[test]
fn a_set_reads_what_it_writes_and_nothing_else() {
    assert_eq!(Sends::NAMES, ["cancel-order", "ChargeCard"]);
    for one in [
        Sends::from(CancelOrder { r#in: Some(1) }),
        ChargeCard.into(),
    ] {
        let (name, body) = one.encode().unwrap();
        assert!(body.is_object(), "{name} is written as {body}");
        assert_eq!(Sends::decode(name, &body).unwrap(), Some(one));
    }
    assert_eq!(Sends::decode("PlaceOrder", &json!({})).unwrap(), None);
}
