//! Guests who come by themselves.

use crate::events::OrderId;
use crate::orders::PlaceOrder;
use fait::app::App;
use std::time::Duration;

const DISHES: [&str; 6] = ["soup", "cake", "bread", "salad", "tea", "stew"];

/// The order of the `n`th guest: always the same, so that a restart places no order twice.
pub fn order(n: u32) -> PlaceOrder {
    let pick = |k: u32| DISHES[((n * 7 + k * 3) % 6) as usize].to_string();
    PlaceOrder {
        order: OrderId::named(&format!("guest {n}")),
        table: n % 24 + 1,
        dishes: (0..=n % 3).map(pick).collect(),
        pays_first: n % 5 == 4,
    }
}

/// Places so many orders, one every so often.
pub async fn place(app: &App, orders: u32, every: Duration) {
    for n in 0..orders {
        let placing = app.send(order(n)).by("waiter:ann").await;
        match placing {
            Ok(receipt) if receipt.events.is_empty() => continue,
            Ok(_) => {}
            Err(e) => tracing::error!(error = %e, n, "an order could not be placed"),
        }
        if !every.is_zero() {
            app.clock().sleep_until(app.clock().now() + every).await;
        }
    }
}
