use fait_macros::{EventSet, event};

#[event(crate = "fait_core")]
struct OrderPlaced;

#[event(was = "OrderPlaced", crate = "fait_core")]
struct OrderTaken;

#[derive(EventSet)]
#[event_set(crate = "fait_core")]
enum OrderHistory {
    Placed(OrderPlaced),
    Taken(OrderTaken),
}

fn main() {}
