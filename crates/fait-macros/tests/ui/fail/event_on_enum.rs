use fait_macros::event;

#[event(crate = "fait_core")]
enum Happened {
    Placed,
}

fn main() {}
