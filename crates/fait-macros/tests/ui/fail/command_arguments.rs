use fait_macros::command;

#[command(undone_by = CancelOrder, by = [Waiter, 3], to, crate = "fait_core")]
struct PlaceOrder {
    dishes: u32,
}

#[command(about = "Cancel {order", button = format!("x"), crate = "fait_core")]
struct CancelOrder;

#[command(by "Waiter", crate = "fait_core")]
struct AcceptOrder;

#[command(by = WAITER, crate = "fait_core")]
struct ServeOrder;

fn main() {}
