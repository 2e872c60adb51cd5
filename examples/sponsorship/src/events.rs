//! What happens with sponsors.

use fait::event::Money;
use fait::{data, entity_ids, event};

entity_ids! { SponsorId => "sponsor", BookingId => "booking" }

/// How much a sponsor gives.
#[data]
#[derive(Copy, Eq)]
pub enum Level {
    Gold,
    Silver,
    Bronze,
}

impl Level {
    /// How many tickets a sponsor is thanked with.
    pub const fn tickets(self) -> u32 {
        match self {
            Level::Gold => 5,
            Level::Silver => 3,
            Level::Bronze => 1,
        }
    }
}

/// The contract is signed.
#[event]
pub struct ContractSigned {
    #[tag]
    pub sponsor: SponsorId,
    pub sponsor_name: String,
}

/// The sponsor owes us money.
#[event]
pub struct InvoiceSent {
    #[tag]
    pub sponsor: SponsorId,
    pub invoice: Money,
}

/// The sponsor owes us nothing.
#[event]
pub struct InvoicePaid {
    #[tag]
    pub sponsor: SponsorId,
}

/// The sponsor is one of ours, and its guests are to be fed.
#[event]
pub struct SponsorOnboarded {
    #[tag]
    pub sponsor: SponsorId,
    pub sponsor_name: String,
    pub level: Level,
    #[tag]
    pub booking: BookingId,
}

/// The sponsor has tickets.
#[event]
pub struct SponsorTicketsBooked {
    #[tag]
    pub sponsor: SponsorId,
    pub booking: BookingId,
    pub tickets: u32,
}

/// The sponsor still has no tickets.
#[event]
pub struct SponsorTicketsDelayed {
    #[tag]
    pub sponsor: SponsorId,
    pub reason: String,
}
