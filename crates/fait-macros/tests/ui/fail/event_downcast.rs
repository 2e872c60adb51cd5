use fait_core::reexport::serde_json::Value;
use fait_macros::event;

#[event(downcast = keep, crate = "fait_core")]
struct OrderPlaced {
    dishes: u32,
}

#[event(version = 2, upcast = keep, oldest = 1, crate = "fait_core")]
struct OrderAccepted;

#[event(version = 2, upcast = keep, downcast = keep, oldest = 2, crate = "fait_core")]
struct OrderCancelled;

fn keep(_: u32, data: Value) -> Result<Value, String> {
    Ok(data)
}

fn main() {}
