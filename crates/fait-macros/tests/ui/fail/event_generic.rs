use fait_macros::event;

#[event(crate = "fait_core")]
struct OrderPlaced<T> {
    order: T,
}

fn main() {}
