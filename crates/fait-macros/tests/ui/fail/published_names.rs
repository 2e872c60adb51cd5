use fait_macros::published;

#[published(crate = "fait_core")]
struct Nameless;

#[published(name = "TicketsIssued", crate = "fait_core")]
struct TicketsIssued;

#[published(name = "com.example.Tickets.issued", crate = "fait_core")]
struct TicketsAgain;

#[published(name = "com.example..issued", crate = "fait_core")]
struct Gap;

#[published(name = "com.example.tickets.issued.v2", crate = "fait_core")]
struct TicketsOfTwo;

fn main() {}
