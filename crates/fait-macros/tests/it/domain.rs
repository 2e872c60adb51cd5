//! A small restaurant: the events, commands and refusals that the tests share.

use fait_core::entity_ids;
use fait_core::event::{Draft, EventSet, Meta, Origin, StoredEvent, Time};
use fait_core::reexport::uuid::Uuid;
use fait_macros::{EventSet, data, event};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

entity_ids! {
    OrderId => "order",
    TableId(number) => "table",
    DishId(text) => "dish",
    CookId(text) => "cook",
}

/// A guest ordered dishes at a table.
///
/// The bill comes later.
#[event(version = 3, upcast = one_dish_to_many, was = "Ordered", crate = "fait_core")]
pub(crate) struct OrderPlaced {
    #[tag]
    pub(crate) order: OrderId,
    #[tag]
    pub(crate) table: TableId,
    #[tag]
    pub(crate) dishes: BTreeMap<DishId, u32>,
    #[serde(default)]
    pub(crate) wishes: Vec<Wish>,
}

/// What a guest asked for besides.
#[data(crate = "fait_core")]
#[derive(Eq)]
pub(crate) struct Wish {
    pub(crate) text: String,
}

pub(crate) fn one_dish_to_many(from: u32, mut data: Value) -> Result<Value, String> {
    if from == 1 {
        let dish = data["dish"].as_str().ok_or("no dish")?.to_string();
        data["dishes"] = serde_json::json!({ dish: 1 });
    }
    Ok(data)
}

/// The kitchen took the order.
#[event("order accepted", was = ["Accepted", "KitchenAccepted"], crate = "fait_core")]
pub(crate) struct OrderAccepted {
    #[tag]
    pub(crate) order: OrderId,
    #[tag]
    pub(crate) cook: Option<CookId>,
    #[tag]
    pub(crate) helpers: Vec<CookId>,
    #[tag]
    pub(crate) dishes: BTreeSet<DishId>,
    pub(crate) note: String,
}

#[event(crate = "fait_core")]
pub(crate) struct KitchenClosed;

#[event(name = "KitchenOpened", crate = "fait_core")]
pub(crate) struct Opened {}

#[derive(EventSet, Clone, Debug, PartialEq)]
#[event_set(crate = "fait_core")]
pub(crate) enum OrderHistory {
    Placed(OrderPlaced),
    Accepted(OrderAccepted),
}

/// A set of sets.
#[derive(EventSet, Debug, PartialEq)]
#[event_set(crate = "fait_core")]
pub(crate) enum Everything {
    Order(OrderHistory),
    Closed(KitchenClosed),
    Opened(Opened),
}

pub(crate) fn order() -> OrderId {
    OrderId::named("first")
}

pub(crate) fn placed() -> OrderPlaced {
    OrderPlaced {
        order: order(),
        table: TableId(4),
        dishes: BTreeMap::from([("soup".into(), 2), ("tea".into(), 1)]),
        wishes: vec![Wish {
            text: "no salt".into(),
        }],
    }
}

pub(crate) fn accepted() -> OrderAccepted {
    OrderAccepted {
        order: order(),
        cook: Some("ann".into()),
        helpers: vec!["bo".into(), "cy".into()],
        dishes: BTreeSet::from(["soup".into()]),
        note: "soon".into(),
    }
}

/// The draft as the store would give it back.
pub(crate) fn stored(draft: Draft) -> StoredEvent {
    let Draft {
        ty,
        version,
        tags,
        data,
    } = draft;
    let meta = Meta {
        position: 7,
        id: Uuid::nil(),
        recorded_at: Time::default(),
        origin: Origin::default(),
    };
    StoredEvent {
        ty,
        version,
        tags,
        data,
        meta,
    }
}

pub(crate) fn stored_as(ty: &str, version: u32, data: &Value) -> StoredEvent {
    let data = data.to_string().into_bytes().into();
    stored(Draft {
        ty: ty.into(),
        version,
        tags: vec![],
        data,
    })
}

pub(crate) fn tag_texts(event: &impl EventSet) -> Vec<String> {
    event
        .tags()
        .iter()
        .map(|t| t.as_str().to_string())
        .collect()
}
