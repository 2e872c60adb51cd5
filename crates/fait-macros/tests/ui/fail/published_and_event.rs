use fait_macros::{event, published};

#[event(crate = "fait_core")]
#[published(name = "com.example.tickets.tickets-issued", crate = "fait_core")]
struct TicketsIssued {
    tickets: u32,
}

#[published(name = "com.example.tickets.tickets-refused", crate = "fait_core")]
#[fait_macros::event(crate = "fait_core")]
struct TicketsRefused;

fn main() {}
