use fait_macros::published;

#[published(name = "com.example.tickets.issued", deprecated, crate = "fait_core")]
struct Bare;

#[published(
    name = "com.example.tickets.booked",
    deprecated(sunset = "2027-01-01"),
    crate = "fait_core"
)]
struct WithoutSince;

#[published(
    name = "com.example.tickets.taken",
    deprecated(since = "soon", until = "2027-01-01"),
    crate = "fait_core"
)]
struct NoDate;

#[published(
    name = "com.example.tickets.sold",
    deprecated(since = "2027-01-02", sunset = "2027-01-01"),
    crate = "fait_core"
)]
struct Backwards;

fn main() {}
