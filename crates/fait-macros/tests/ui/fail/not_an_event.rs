use fait_core::event::Event;

struct OrderPlaced;

fn record<E: Event>(_: E) {}

fn main() {
    record(OrderPlaced);
}
