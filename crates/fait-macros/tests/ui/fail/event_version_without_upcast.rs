use fait_core::reexport::serde_json::Value;
use fait_macros::event;

#[event(version = 2, crate = "fait_core")]
struct OrderPlaced {
    dishes: u32,
}

#[event(upcast = keep, crate = "fait_core")]
struct OrderAccepted;

#[event(version = 0, crate = "fait_core")]
struct OrderCancelled;

fn keep(_: u32, data: Value) -> Result<Value, String> {
    Ok(data)
}

fn main() {}
