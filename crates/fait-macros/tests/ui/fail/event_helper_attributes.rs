use fait_core::entity_ids;
use fait_macros::event;

entity_ids! { OrderId => "order" }

#[event(crate = "fait_core")]
struct OrderPlaced {
    #[tags]
    order: OrderId,
    #[tag("order")]
    earlier: OrderId,
    #[field(fresh)]
    dishes: u32,
}

fn main() {}
