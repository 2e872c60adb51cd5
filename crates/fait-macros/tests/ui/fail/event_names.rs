use fait_macros::event;

#[event("$OrderPlaced", crate = "fait_core")]
struct OrderPlaced;

#[event(name = "", crate = "fait_core")]
struct OrderAccepted;

#[event(was = ["Cancelled", "Cancelled", "OrderCancelled"], crate = "fait_core")]
struct OrderCancelled;

#[event(
    "O23456789 123456789 123456789 123456789 123456789 123456789 123456789 123456789 \
     123456789 123456789 123456789 123456789 123456789 123456789 123456789 123456789 \
     123456789 123456789 123456789 123456789 123456789 123456789 123456789 123456789 \
     123456789 123456789 123456789",
    crate = "fait_core"
)]
struct LongNamed;

fn main() {}
