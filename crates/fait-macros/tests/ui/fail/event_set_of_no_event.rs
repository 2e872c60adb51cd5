use fait_macros::{EventSet, event};

#[event(crate = "fait_core")]
struct OrderPlaced;

struct OrderAccepted;

#[derive(EventSet)]
#[event_set(crate = "fait_core")]
enum OrderHistory {
    Placed(OrderPlaced),
    Accepted(OrderAccepted),
}

fn main() {}
