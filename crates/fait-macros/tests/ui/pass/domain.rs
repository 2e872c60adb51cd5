#![deny(warnings, missing_docs, unreachable_pub)]
//! One bounded context, under the strictest lints.

use fait_core::command::Command;
use fait_core::decision::Refusal as _;
use fait_core::entity_ids;
use fait_core::event::EventSet as _;
use fait_macros::{CommandSet, EventSet, Refusal, command, data, event};

entity_ids! { OrderId => "order" }

/// A guest ordered dishes.
#[event(crate = "fait_core")]
pub(crate) struct OrderPlaced {
    /// Which.
    #[tag]
    pub(crate) order: OrderId,
    pub(crate) dishes: Vec<Dish>,
}

#[event("kitchen closed", was = "Closed", crate = "fait_core")]
struct KitchenClosed;

#[data(crate = "fait_core")]
#[derive(Copy, Eq, Hash)]
enum Dish {
    Soup,
    Tea,
}

#[derive(EventSet)]
#[event_set(crate = "fait_core")]
enum OrderHistory {
    Placed(OrderPlaced),
    Closed(KitchenClosed),
}

/// Place an order
#[command(by = "Waiter", starts, crate = "fait_core")]
struct PlaceOrder {
    #[field(fresh)]
    order: OrderId,
    /// What do they eat?
    dish: Option<Dish>,
}

#[command(crate = "fait_core")]
struct CloseKitchen;

#[derive(CommandSet, Clone, Debug, PartialEq)]
#[command_set(crate = "fait_core")]
enum Sends {
    Place(PlaceOrder),
    Close(CloseKitchen),
}

#[derive(Clone, Debug, PartialEq, Refusal)]
#[refused(crate = "fait_core")]
enum Reason {
    #[refused("at most {0} orders")]
    Full(u32),
    #[refused("{dish} is sold out")]
    SoldOut { dish: String },
}

fn main() {
    let order = OrderId::named("first");
    let set: OrderHistory = OrderPlaced { order, dishes: vec![Dish::Soup, Dish::Tea] }.into();
    if let OrderHistory::Placed(placed) = &set {
        assert_eq!(placed.dishes.len(), 2);
    }
    assert_eq!(set.tags().len(), 1);
    assert!(OrderHistory::from(KitchenClosed).tags().is_empty());
    let sends = [Sends::from(PlaceOrder { order, dish: None }), CloseKitchen.into()];
    assert_eq!(sends.len(), PlaceOrder::FIELDS.len());
    assert_eq!(Reason::Full(3).to_string(), "at most 3 orders");
    assert_eq!(Reason::SoldOut { dish: "Soup".into() }.code(), "SoldOut");
}
