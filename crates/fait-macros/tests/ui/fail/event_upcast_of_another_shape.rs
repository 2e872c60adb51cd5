use fait_core::reexport::serde_json::Value;
use fait_macros::event;

#[event(version = 2, upcast = keep, crate = "fait_core")]
struct OrderPlaced {
    dishes: u32,
}

fn keep(data: Value) -> Value {
    data
}

fn main() {}
