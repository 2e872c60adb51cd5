use fait_macros::command;

/// Place an order
#[command(buton = "Place it", role = "Waiter", crate = "fait_core")]
struct PlaceOrder {
    dishes: u32,
}

#[command("Waiter", crate = "fait_core")]
struct CancelOrder;

#[command(by = "Waiter", by = "Guest", starts = true, crate = "fait_core")]
struct AcceptOrder;

fn main() {}
