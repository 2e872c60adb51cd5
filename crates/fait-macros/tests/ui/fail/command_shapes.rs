use fait_macros::command;

#[command(crate = "fait_core")]
enum Ask {
    Place,
}

#[command(crate = "fait_core")]
struct PlaceOrder(u32);

#[command(crate = "fait_core")]
fn place_order() {}

fn main() {}
