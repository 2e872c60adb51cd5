use fait_macros::event;

#[event(verson = 2, colour = "red", crate = "fait_core")]
struct OrderPlaced {
    dishes: u32,
}

#[event("OrderAccepted", name = "Accepted", crate = "fait_core")]
struct OrderAccepted;

#[event(name, was = 3, crate = "fait_core")]
struct OrderCancelled;

fn main() {}
