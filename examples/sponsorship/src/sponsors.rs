//! Context *Sponsorship*: from a contract to tickets for guests.

use crate::events::*;
use fait::decision::{Context, Decide, Model};
use fait::event::{Meta, Money, Never};
use fait::projection::Projection;
use fait::{EventSet, Refusal, command, data};

/// Looks after sponsors.
pub const SPONSOR_MANAGER: &str = "Sponsor manager";

/// What the model *Sponsor* remembers.
#[derive(EventSet, Debug, PartialEq)]
pub enum SponsorHistory {
    Signed(ContractSigned),
    Invoiced(InvoiceSent),
    Paid(InvoicePaid),
    Onboarded(SponsorOnboarded),
    Booked(SponsorTicketsBooked),
}

/// One sponsor.
#[derive(Debug, Default, PartialEq)]
pub struct Sponsor {
    signed: Option<String>,
    owes: bool,
    onboarded: bool,
    booked: bool,
}

impl Model for Sponsor {
    type Key = SponsorId;
    type Events = SponsorHistory;
    fn evolve(&mut self, event: SponsorHistory) {
        match event {
            SponsorHistory::Signed(e) => self.signed = Some(e.sponsor_name),
            SponsorHistory::Invoiced(_) => self.owes = true,
            SponsorHistory::Paid(_) => self.owes = false,
            SponsorHistory::Onboarded(_) => self.onboarded = true,
            SponsorHistory::Booked(_) => self.booked = true,
        }
    }
}

/// Why something cannot be done with a sponsor.
#[derive(Clone, Debug, PartialEq, Refusal)]
pub enum SponsorRefusal {
    #[refused("the contract is not signed")]
    NotSigned,
    #[refused("an invoice is open")]
    InvoiceOpen,
    #[refused("no invoice is open")]
    NoInvoice,
    #[refused("the sponsor was not onboarded")]
    NotOnboarded,
}

/// Sign contract
#[command(by = SPONSOR_MANAGER, sees = "sponsors", starts, button = "The contract is signed")]
pub struct SignContract {
    /// The sponsor
    #[field(fresh)]
    pub sponsor: SponsorId,
    /// What is the sponsor called?
    pub sponsor_name: String,
}

impl Decide for SignContract {
    type Model = Sponsor;
    type Emits = ContractSigned;
    type Refusal = Never;
    fn boundary(&self) -> SponsorId {
        self.sponsor
    }
    fn decide(&self, sponsor: &Sponsor, _: &Context) -> Result<Vec<ContractSigned>, Never> {
        let signed = ContractSigned {
            sponsor: self.sponsor,
            sponsor_name: self.sponsor_name.clone(),
        };
        Ok(match sponsor.signed {
            Some(_) => vec![],
            None => vec![signed],
        })
    }
}

/// Send invoice
#[command(by = SPONSOR_MANAGER, sees = "sponsors", about = "Send {sponsor_name} an invoice",
    button = "It is on its way")]
pub struct SendInvoice {
    /// The sponsor
    pub sponsor: SponsorId,
    /// How much?
    pub invoice: Money,
}

impl Decide for SendInvoice {
    type Model = Sponsor;
    type Emits = InvoiceSent;
    type Refusal = SponsorRefusal;
    fn boundary(&self) -> SponsorId {
        self.sponsor
    }
    fn decide(&self, sponsor: &Sponsor, _: &Context) -> Result<Vec<InvoiceSent>, SponsorRefusal> {
        if sponsor.signed.is_none() {
            return Err(SponsorRefusal::NotSigned);
        }
        if sponsor.owes {
            return Err(SponsorRefusal::InvoiceOpen);
        }
        let SendInvoice { sponsor, invoice } = *self;
        Ok(vec![InvoiceSent { sponsor, invoice }])
    }
}

/// Record payment
#[command(by = SPONSOR_MANAGER, sees = "sponsors", about = "Record that {sponsor_name} has paid",
    button = "The money is there")]
pub struct RecordPayment {
    /// The sponsor
    pub sponsor: SponsorId,
}

impl Decide for RecordPayment {
    type Model = Sponsor;
    type Emits = InvoicePaid;
    type Refusal = SponsorRefusal;
    fn boundary(&self) -> SponsorId {
        self.sponsor
    }
    fn decide(&self, sponsor: &Sponsor, _: &Context) -> Result<Vec<InvoicePaid>, SponsorRefusal> {
        let paid = InvoicePaid {
            sponsor: self.sponsor,
        };
        match sponsor.owes {
            true => Ok(vec![paid]),
            false => Err(SponsorRefusal::NoInvoice),
        }
    }
}

/// Onboard sponsor
///
/// Tickets for the sponsor's guests are booked by themselves.
#[command(by = SPONSOR_MANAGER, sees = "sponsors", about = "Onboard {sponsor_name}",
    button = "Welcome them")]
pub struct OnboardSponsor {
    /// The sponsor
    pub sponsor: SponsorId,
    /// Which level?
    pub level: Level,
}

impl Decide for OnboardSponsor {
    type Model = Sponsor;
    type Emits = SponsorOnboarded;
    type Refusal = SponsorRefusal;
    fn boundary(&self) -> SponsorId {
        self.sponsor
    }
    fn decide(
        &self,
        sponsor: &Sponsor,
        context: &Context,
    ) -> Result<Vec<SponsorOnboarded>, SponsorRefusal> {
        let Some(sponsor_name) = sponsor.signed.clone() else {
            return Err(SponsorRefusal::NotSigned);
        };
        if sponsor.owes {
            return Err(SponsorRefusal::InvoiceOpen);
        }
        if sponsor.onboarded {
            return Ok(vec![]);
        }
        Ok(vec![SponsorOnboarded {
            sponsor: self.sponsor,
            sponsor_name,
            level: self.level,
            booking: BookingId(context.fresh()),
        }])
    }
}

/// Book sponsor tickets
#[command(by = SPONSOR_MANAGER, sees = "sponsors", about = "Book tickets for {sponsor_name}",
    button = "They have their tickets")]
pub struct BookSponsorTickets {
    /// The sponsor
    pub sponsor: SponsorId,
    /// The booking
    pub booking: BookingId,
    /// How many tickets?
    pub tickets: u32,
}

impl Decide for BookSponsorTickets {
    type Model = Sponsor;
    type Emits = SponsorTicketsBooked;
    type Refusal = SponsorRefusal;
    fn boundary(&self) -> SponsorId {
        self.sponsor
    }
    fn decide(
        &self,
        known: &Sponsor,
        _: &Context,
    ) -> Result<Vec<SponsorTicketsBooked>, SponsorRefusal> {
        if !known.onboarded {
            return Err(SponsorRefusal::NotOnboarded);
        }
        if known.booked {
            return Ok(vec![]);
        }
        let BookSponsorTickets {
            sponsor,
            booking,
            tickets,
        } = *self;
        Ok(vec![SponsorTicketsBooked {
            sponsor,
            booking,
            tickets,
        }])
    }
}

/// View *Sponsors*.
#[derive(Debug)]
pub struct Sponsors;

/// A sponsor.
#[data]
#[derive(Default)]
pub struct SponsorRow {
    /// Name
    pub sponsor_name: String,
    /// Level
    pub level: Option<Level>,
    /// Open invoice
    pub invoice: Option<Money>,
    /// Tickets
    pub tickets: Option<u32>,
    /// Why there are no tickets yet
    pub reason: Option<String>,
}

/// What feeds the sponsors.
#[derive(EventSet)]
pub enum SponsorFeed {
    Signed(ContractSigned),
    Invoiced(InvoiceSent),
    Paid(InvoicePaid),
    Onboarded(SponsorOnboarded),
    Booked(SponsorTicketsBooked),
    Delayed(SponsorTicketsDelayed),
}

impl Projection for Sponsors {
    const NAME: &'static str = "sponsors";
    type Key = SponsorId;
    type Events = SponsorFeed;
    type Row = SponsorRow;
    fn project(row: &mut Option<SponsorRow>, _: &SponsorId, event: SponsorFeed, _: &Meta) {
        let row = row.get_or_insert_default();
        match event {
            SponsorFeed::Signed(e) => row.sponsor_name = e.sponsor_name,
            SponsorFeed::Invoiced(e) => row.invoice = Some(e.invoice),
            SponsorFeed::Paid(_) => row.invoice = None,
            SponsorFeed::Onboarded(e) => row.level = Some(e.level),
            SponsorFeed::Booked(e) => {
                row.tickets = Some(e.tickets);
                row.reason = None;
            }
            SponsorFeed::Delayed(e) => row.reason = Some(e.reason),
        }
    }
}
