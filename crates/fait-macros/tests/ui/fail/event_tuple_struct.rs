use fait_macros::event;

#[event(crate = "fait_core")]
struct OrderPlaced(u32);

fn main() {}
