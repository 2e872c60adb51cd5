//! What happens in the restaurant.

use fait::event::Money;
use fait::{entity_ids, event};

entity_ids! { OrderId => "order" }

/// A table ordered.
#[event]
pub struct OrderPlaced {
    #[tag]
    pub order: OrderId,
    pub table: u32,
    pub dishes: Vec<String>,
    pub pays_first: bool,
}

/// The order is off.
#[event]
pub struct OrderCancelled {
    #[tag]
    pub order: OrderId,
    pub reason: String,
}

/// The food is ready.
#[event]
pub struct OrderCooked {
    #[tag]
    pub order: OrderId,
    pub ingredients: Vec<String>,
    pub cooked_by: String,
}

/// The same order was cooked again.
#[event]
pub struct OrderCookedTwice {
    #[tag]
    pub order: OrderId,
    pub cooked_by: String,
}

/// The kitchen did not answer in time.
#[event]
pub struct CookingTimedOut {
    #[tag]
    pub order: OrderId,
}

/// The order's slip is on the spike: nothing is left to do.
#[event]
pub struct OrderSpiked {
    #[tag]
    pub order: OrderId,
}

/// The bill has a price.
#[event]
pub struct OrderPriced {
    #[tag]
    pub order: OrderId,
    pub subtotal: Money,
    pub tax: Money,
    pub total: Money,
}

/// The guest is paying.
#[event]
pub struct PaymentStarted {
    #[tag]
    pub order: OrderId,
    pub total: Money,
}

/// The bill is paid.
#[event]
pub struct OrderPaid {
    #[tag]
    pub order: OrderId,
    pub total: Money,
}

/// The card did not work.
#[event]
pub struct CardPaymentFailed {
    #[tag]
    pub order: OrderId,
}

/// Nobody will pay this bill.
#[event]
pub struct BillWrittenOff {
    #[tag]
    pub order: OrderId,
    pub reason: String,
}
