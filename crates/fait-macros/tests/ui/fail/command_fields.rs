use fait_macros::command;

#[command(crate = "fait_core")]
struct PlaceOrder {
    #[field(new)]
    order: u32,
    #[field]
    table: u32,
    #[fresh]
    dish: u32,
    #[tag]
    guest: u32,
}

#[command(crate = "fait_core")]
#[serde(rename_all = "camelCase")]
struct CancelOrder {
    order_id: u32,
    #[serde(flatten)]
    why: std::collections::BTreeMap<String, String>,
}

fn main() {}
