use fait_macros::{EventSet, event};

#[event(crate = "fait_core")]
struct OrderPlaced;

#[derive(EventSet)]
#[event_set(crate = "fait_core")]
struct Placed(OrderPlaced);

#[derive(EventSet)]
#[event_set(crate = "fait_core")]
enum Nothing {}

#[derive(EventSet)]
#[event_set(crate = "fait_core")]
enum Generic<T> {
    Placed(T),
}

fn main() {}
