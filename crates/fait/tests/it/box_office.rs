//! A box office that tells others what it sold.
#![expect(unreachable_pub, reason = "written as an application would be")]

use fait::app::{App, AppBuilder};
use fait::bus::Publish;
use fait::decision::{Context, Decide, Model};
use fait::event::{Meta, Never};
use fait::query::Query;
use fait::reexport::uuid::Uuid;
use fait::store::{
    Append, AppendError, Appended, BoxFuture, CommandKey, Erase, Erased, Memory, Range, Slice,
    Store, StoreError,
};
use fait::{EventSet, PublishedSet, command, entity_ids, event, published};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

entity_ids! { SaleId(text) => "sale", GuestId(text) => "guest" }

/// So many tickets bring bad luck, and a panic.
pub const UNLUCKY: u32 = 13;

#[event]
pub struct TicketsSold {
    #[tag]
    pub sale: SaleId,
    #[tag]
    pub guest: GuestId,
    pub tickets: u32,
}

#[event]
pub struct SaleCancelled {
    #[tag]
    pub sale: SaleId,
}

/// Sell tickets
#[command(by = "Cashier")]
pub struct SellTickets {
    pub sale: SaleId,
    pub guest: GuestId,
    pub tickets: u32,
}

impl Decide for SellTickets {
    type Model = ();
    type Emits = TicketsSold;
    type Refusal = Never;
    fn boundary(&self) {}
    fn decide(&self, (): &(), _: &Context) -> Result<Vec<TicketsSold>, Never> {
        let SellTickets {
            sale,
            guest,
            tickets,
        } = self.clone();
        Ok(vec![TicketsSold {
            sale,
            guest,
            tickets,
        }])
    }
}

/// Cancel a sale
#[command(by = "Cashier")]
pub struct CancelSale {
    pub sale: SaleId,
}

impl Decide for CancelSale {
    type Model = ();
    type Emits = SaleCancelled;
    type Refusal = Never;
    fn boundary(&self) {}
    fn decide(&self, (): &(), _: &Context) -> Result<Vec<SaleCancelled>, Never> {
        Ok(vec![SaleCancelled {
            sale: self.sale.clone(),
        }])
    }
}

/// Tickets were sold to a guest.
#[published(name = "com.example.box-office.tickets-sold", version = 2)]
pub struct Sold {
    #[subject]
    pub sale: SaleId,
    pub tickets: u32,
    /// All that the guest has bought so far.
    pub of_guest: u32,
}

#[published(
    name = "com.example.box-office.sale-cancelled",
    deprecated(
        since = "2026-12-31",
        sunset = "2027-06-30",
        instead = "https://example.com/new"
    )
)]
pub struct Cancelled {
    #[subject]
    pub sale: SaleId,
}

#[published(name = "com.example.box-office.counted")]
pub struct Counted {
    pub tickets: u32,
}

#[derive(EventSet)]
pub enum Sales {
    Sold(TicketsSold),
    Cancelled(SaleCancelled),
}

#[derive(PublishedSet)]
pub enum Told {
    Sold(Sold),
    Cancelled(Cancelled),
}

/// How many tickets a guest has bought.
#[derive(Default)]
pub struct Bought(u32);

impl Model for Bought {
    type Key = GuestId;
    type Events = TicketsSold;
    fn evolve(&mut self, e: TicketsSold) {
        self.0 += e.tickets;
    }
}

fn who_bought(event: &Sales) -> GuestId {
    match event {
        Sales::Sold(e) => e.guest.clone(),
        Sales::Cancelled(_) => "nobody".into(),
    }
}

/// Sales of nothing are nobody's business.
fn tell(event: &Sales, bought: &Bought) -> Vec<Told> {
    match event {
        Sales::Sold(e) if e.tickets == 0 => vec![],
        Sales::Sold(e) => vec![
            Sold {
                sale: e.sale.clone(),
                tickets: e.tickets,
                of_guest: bought.0,
            }
            .into(),
        ],
        Sales::Cancelled(e) => vec![
            Cancelled {
                sale: e.sale.clone(),
            }
            .into(),
        ],
    }
}

/// What others are told.
pub struct Announcements;

impl Publish for Announcements {
    const NAME: &'static str = "announcements";
    type Events = Sales;
    type Model = Bought;
    type Publishes = Told;
    fn about(event: &Sales) -> GuestId {
        who_bought(event)
    }
    fn publish(event: &Sales, bought: &Bought, _: &Meta) -> Vec<Told> {
        tell(event, bought)
    }
}

/// The same by a program with a mistake.
pub struct Careless;

impl Publish for Careless {
    const NAME: &'static str = "announcements";
    type Events = Sales;
    type Model = Bought;
    type Publishes = Told;
    fn about(event: &Sales) -> GuestId {
        who_bought(event)
    }
    fn publish(event: &Sales, bought: &Bought, _: &Meta) -> Vec<Told> {
        if let Sales::Sold(e) = event {
            assert!(e.tickets != UNLUCKY, "nobody publishes thirteen");
        }
        tell(event, bought)
    }
}

/// Another publication, of the same events.
pub struct Counts;

impl Publish for Counts {
    const NAME: &'static str = "counts";
    type Events = TicketsSold;
    type Model = ();
    type Publishes = Counted;
    fn about(_: &TicketsSold) {}
    fn publish(e: &TicketsSold, (): &(), _: &Meta) -> Vec<Counted> {
        vec![Counted { tickets: e.tickets }]
    }
}

pub fn wired(place: AppBuilder) -> AppBuilder {
    place
        .name("Box office")
        .task::<SellTickets>()
        .task::<CancelSale>()
}

pub async fn sell(app: &App, sale: &str, guest: &str, tickets: u32) {
    let command = SellTickets {
        sale: sale.into(),
        guest: guest.into(),
        tickets,
    };
    app.send(command).await.unwrap();
}

pub async fn cancel(app: &App, sale: &str) {
    app.send(CancelSale { sale: sale.into() }).await.unwrap();
}

/// A store that fails each so-manyth append of messages, before or after it is done.
#[derive(Clone)]
pub struct Faulty {
    store: Arc<Memory>,
    each: u64,
    before: bool,
    begun: Arc<AtomicBool>,
    appends: Arc<AtomicU64>,
    lost: Arc<AtomicU64>,
}

impl Faulty {
    pub fn new(store: Arc<Memory>, each: u64, before: bool) -> Faulty {
        Faulty {
            store,
            each,
            before,
            begun: Arc::default(),
            appends: Arc::default(),
            lost: Arc::default(),
        }
    }

    /// From now on.
    pub fn begin(&self) {
        self.begun.store(true, Ordering::SeqCst);
    }

    /// How many were lost.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::SeqCst)
    }

    /// Whether this one is lost. At most five are, so that there is an end.
    fn loses(&self, append: &Append) -> bool {
        let messages = append.events.iter().any(|e| e.ty == "$MessagePublished");
        if !messages || !self.begun.load(Ordering::SeqCst) {
            return false;
        }
        let n = self.appends.fetch_add(1, Ordering::SeqCst) + 1;
        let loses = n.is_multiple_of(self.each) && self.lost() < 5;
        self.lost.fetch_add(u64::from(loses), Ordering::SeqCst);
        loses
    }
}

impl Store for Faulty {
    fn id(&self) -> Uuid {
        self.store.id()
    }
    fn append(&self, append: Append) -> BoxFuture<'_, Result<Appended, AppendError>> {
        Box::pin(async move {
            let lost = || AppendError::Store(StoreError::new("the answer is lost"));
            if !self.loses(&append) {
                return self.store.append(append).await;
            }
            if self.before {
                return Err(lost());
            }
            self.store.append(append).await?;
            Err(lost())
        })
    }
    fn read<'a>(
        &'a self,
        query: &'a Query,
        range: Range,
    ) -> BoxFuture<'a, Result<Slice, StoreError>> {
        self.store.read(query, range)
    }
    fn command(
        &self,
        id: Uuid,
    ) -> BoxFuture<'_, Result<Option<(CommandKey, Appended)>, StoreError>> {
        self.store.command(id)
    }
    fn event(&self, id: Uuid) -> BoxFuture<'_, Result<Option<u64>, StoreError>> {
        self.store.event(id)
    }
    fn head(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.store.head()
    }
    fn wait(&self, after: u64) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.store.wait(after)
    }
    fn erase(&self, erase: Erase) -> BoxFuture<'_, Result<Erased, AppendError>> {
        self.store.erase(erase)
    }
}
