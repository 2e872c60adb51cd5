use fait_macros::{EventSet, event};

#[event(crate = "fait_core")]
struct OrderPlaced;

#[derive(EventSet)]
#[event_set(crate = "fait_core")]
enum OrderHistory {
    OrderPlaced,
    Placed { event: OrderPlaced },
    Two(OrderPlaced, OrderPlaced),
}

#[derive(EventSet)]
#[event_set(crate = "fait_core")]
enum Twice {
    Placed(OrderPlaced),
    PlacedAgain(OrderPlaced),
}

fn main() {}
