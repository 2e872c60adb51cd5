use fait_core::reexport::serde_json::Value;
use fait_macros::event;

#[event(version = 2, upcast = keep, downcast = without, crate = "fait_core")]
struct OrderPlaced {
    dishes: u32,
}

fn keep(_: u32, data: Value) -> Result<Value, String> {
    Ok(data)
}

fn without(data: &Value) -> Value {
    data.clone()
}

fn main() {}
