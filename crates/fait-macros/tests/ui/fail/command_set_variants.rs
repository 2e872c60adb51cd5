use fait_macros::{CommandSet, command};

#[command(crate = "fait_core")]
struct PlaceOrder;

#[derive(CommandSet, Clone, Debug, PartialEq)]
#[command_set(crate = "fait_core")]
enum Sends {
    PlaceOrder,
    Place(PlaceOrder),
    Again(PlaceOrder),
}

#[derive(CommandSet, Clone, Debug, PartialEq)]
#[command_set(krate = "fait_core", crate = "fait_core")]
enum Misspelt {
    Place(PlaceOrder),
}

#[derive(CommandSet)]
#[command_set(crate = "fait_core")]
enum Bare {
    Place(PlaceOrder),
}

fn main() {}
