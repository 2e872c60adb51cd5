use fait_macros::{PublishedSet, event};

#[event(crate = "fait_core")]
struct TicketsIssued {
    tickets: u32,
}

#[derive(PublishedSet)]
#[published_set(crate = "fait_core")]
enum Told {
    Issued(TicketsIssued),
}

fn main() {}
