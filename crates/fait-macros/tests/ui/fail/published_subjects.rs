use fait_macros::published;

#[published(name = "com.example.tickets.issued", crate = "fait_core")]
struct TicketsIssued {
    #[subject]
    purchase: String,
    #[subject]
    guest: String,
}

#[published(name = "com.example.tickets.booked", crate = "fait_core")]
struct TicketsBooked {
    #[tag]
    purchase: String,
}

#[published(name = "com.example.tickets.sold", crate = "fait_core")]
struct TicketsSold {
    #[subject]
    tickets: Vec<String>,
}

fn main() {}
