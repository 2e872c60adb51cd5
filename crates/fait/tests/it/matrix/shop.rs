//! A shop: a process charges a card for each sale, has the goods packed, and gives up after half
//! an hour; a bank outside keeps a book that can be counted.

use fait::app::{App, AppBuilder, System, TellError, Told, Uncertain};
use fait::decision::{Context, Decide, Model};
use fait::event::{Event, Meta, StoredEvent, minutes};
use fait::process::{Input, Outbox, Process};
use fait::projection::Projection;
use fait::query::Query;
use fait::reexport::uuid::Uuid;
use fait::store::{BoxFuture, Range, Store};
use fait::{CommandSet, EventSet, Refusal, command, data, entity_ids, event};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

entity_ids! { SaleId(number) => "sale" }

/// The sale that a flaw of the first program is about.
pub(crate) const TORN: u64 = 500;
/// From here on sales are paid in cash: no card is charged.
pub(crate) const CASH: u64 = 1 << 40;

#[event]
pub(crate) struct SaleOpened {
    #[tag]
    pub(crate) sale: SaleId,
}

#[event]
pub(crate) struct SalePaid {
    #[tag]
    pub(crate) sale: SaleId,
}

#[event]
pub(crate) struct RemarkMade {
    #[tag]
    pub(crate) sale: SaleId,
    pub(crate) number: u32,
}

#[event]
pub(crate) struct GoodsPacked {
    #[tag]
    pub(crate) sale: SaleId,
}

#[event]
pub(crate) struct SaleLapsed {
    #[tag]
    pub(crate) sale: SaleId,
}

#[derive(EventSet, Clone, Debug, PartialEq)]
pub(crate) enum Selling {
    Opened(SaleOpened),
    Paid(SalePaid),
    Remark(RemarkMade),
    Packed(GoodsPacked),
}

/// Charge card
#[command(to = "Bank")]
pub(crate) struct ChargeCard {
    pub(crate) sale: SaleId,
}

/// Pack goods
#[command]
pub(crate) struct PackGoods {
    pub(crate) sale: SaleId,
}

#[derive(Default)]
pub(crate) struct Parcel {
    packed: bool,
}

impl Model for Parcel {
    type Key = SaleId;
    type Events = GoodsPacked;
    fn evolve(&mut self, _: GoodsPacked) {
        self.packed = true;
    }
}

#[derive(Clone, Debug, PartialEq, Refusal)]
pub(crate) enum No {
    #[refused("it is packed already")]
    Packed,
}

impl Decide for PackGoods {
    type Model = Parcel;
    type Emits = GoodsPacked;
    type Refusal = No;
    fn boundary(&self) -> SaleId {
        self.sale
    }
    fn decide(&self, parcel: &Parcel, _: &Context) -> Result<Vec<GoodsPacked>, No> {
        if parcel.packed {
            return Err(No::Packed);
        }
        Ok(vec![GoodsPacked { sale: self.sale }])
    }
}

#[derive(CommandSet, Clone, Debug, PartialEq)]
pub(crate) enum Does {
    Charge(ChargeCard),
    Pack(PackGoods),
}

/// How far a sale is, and whether its remarks came in their order.
#[data]
#[derive(Default)]
pub(crate) struct Sale {
    pub(crate) open: bool,
    pub(crate) paid: bool,
    pub(crate) packed: bool,
    /// Commands of which it heard that they are done.
    pub(crate) done: u32,
    pub(crate) remarks: u32,
    pub(crate) mixed_up: bool,
}

/// One process in two programs: the first stumbles over a sale, the other one does not.
macro_rules! selling {
    ($name:ident, $check:expr) => {
        #[data]
        #[derive(Default)]
        pub(crate) struct $name(pub(crate) Sale);

        impl Process for $name {
            const NAME: &'static str = "selling";
            type Key = SaleId;
            type Events = Selling;
            type Timer = ();
            type Sends = Does;
            type Raises = SaleLapsed;
            fn react(mut self, key: &SaleId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
                let sale = *key;
                match input {
                    Input::Event(Selling::Opened(_)) => {
                        ($check)(key.0);
                        if key.0 < CASH {
                            out.send(ChargeCard { sale });
                        }
                        out.wake_after(minutes(30), ());
                        self.0.open = true;
                    }
                    Input::Event(Selling::Remark(e)) => {
                        self.0.mixed_up |= e.number != self.0.remarks + 1;
                        self.0.remarks = e.number;
                    }
                    Input::Event(Selling::Paid(_)) => {
                        out.cancel(());
                        out.send(PackGoods { sale });
                        self.0.paid = true;
                    }
                    Input::Event(Selling::Packed(_)) => self.0.packed = true,
                    Input::Timer(()) => {
                        out.raise(SaleLapsed { sale });
                        out.end();
                    }
                    Input::Done { .. } => self.0.done += 1,
                    other => return out.unhandled(self, other),
                }
                if self.0.packed && self.0.done == 2 {
                    out.end();
                }
                self
            }
        }
    };
}

selling!(Torn, |sale: u64| assert!(
    sale != TORN,
    "sale {sale} tears it"
));
selling!(Mended, |_: u64| ());

#[data]
#[derive(Default)]
pub(crate) struct Row {
    pub(crate) told: Vec<String>,
}

#[derive(EventSet, Clone, Debug, PartialEq)]
pub(crate) enum OnShelf {
    Opened(SaleOpened),
    Paid(SalePaid),
    Packed(GoodsPacked),
    Lapsed(SaleLapsed),
}

/// What happened to each sale.
#[derive(Debug)]
pub(crate) struct Shelf;

impl Projection for Shelf {
    const NAME: &'static str = "shelf";
    type Key = SaleId;
    type Events = OnShelf;
    type Row = Row;
    fn project(row: &mut Option<Row>, _: &SaleId, event: OnShelf, _: &Meta) {
        let what = match event {
            OnShelf::Opened(_) => "opened",
            OnShelf::Paid(_) => "paid",
            OnShelf::Packed(_) => "packed",
            OnShelf::Lapsed(_) => "lapsed",
        };
        row.get_or_insert_default().told.push(what.into());
    }
}

/// A bank. It pays for each card that it is told to charge, unless it is silent.
#[derive(Clone, Default)]
pub(crate) struct Bank {
    /// How often it was told each id.
    told: Arc<Mutex<BTreeMap<Uuid, u32>>>,
    silent: Arc<AtomicBool>,
}

impl Bank {
    pub(crate) fn silent() -> Bank {
        let bank = Bank::default();
        bank.silent.store(true, Ordering::Relaxed);
        bank
    }

    /// How many cards it was told to charge, and how often at most for one.
    pub(crate) fn book(&self) -> (usize, u32) {
        let told = self.told.lock().unwrap();
        (told.len(), told.values().copied().max().unwrap_or(0))
    }
}

impl System for Bank {
    fn tell(&self, told: Told, app: App) -> BoxFuture<'_, Result<(), TellError>> {
        *self.told.lock().unwrap().entry(told.id).or_default() += 1;
        let sale = SaleId(told.body["sale"].as_u64().unwrap());
        Box::pin(async move {
            if self.silent.load(Ordering::Relaxed) {
                return Ok(());
            }
            let flow = Some((told.correlation, told.cause));
            let paid = app.receive(SalePaid { sale }, told.id, flow).await;
            paid.map(drop)
                .map_err(|e| TellError::unknown(e.to_string()))
        })
    }

    fn on_uncertain(&self) -> Uncertain {
        Uncertain::Retry
    }
}

/// Everything but the process.
pub(crate) fn shop(place: AppBuilder, bank: &Bank) -> AppBuilder {
    place
        .name("Shop")
        .task::<PackGoods>()
        .tells::<ChargeCard>()
        .receives::<SaleOpened>("Till")
        .receives::<SalePaid>("Bank")
        .receives::<RemarkMade>("Till")
        .projection::<Shelf>()
        .system("Bank", bank.clone())
}

/// An id that is the same each time, so that a message that is sent again is received once.
pub(crate) fn id(of: &str, sale: u64, number: u32) -> Uuid {
    let name = format!("{of} {sale} {number}");
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
}

/// Opens a sale; sent again until it is known to be recorded.
pub(crate) async fn opens(app: &App, sale: u64) {
    let opened = SaleOpened { sale: SaleId(sale) };
    while app
        .receive(opened.clone(), id("open", sale, 0), None)
        .await
        .is_err()
    {}
}

pub(crate) async fn remarks(app: &App, sale: u64, number: u32) {
    let remark = RemarkMade {
        sale: SaleId(sale),
        number,
    };
    let message = id("remark", sale, number);
    app.receive(remark, message, None).await.unwrap();
}

pub(crate) async fn all(store: &dyn Store) -> Vec<StoredEvent> {
    let range = Range::after(0, usize::MAX);
    store.read(&Query::all(), range).await.unwrap().events
}

/// What happened to each sale, without the notes of processes.
pub(crate) async fn story(store: &dyn Store) -> BTreeMap<String, Vec<String>> {
    let mut story: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for event in all(store).await {
        let sale = event.tags.iter().find(|tag| tag.kind() == "sale");
        if let Some(sale) = sale.filter(|_| !event.ty.starts_with('$')) {
            let told = story.entry(sale.value().into()).or_default();
            told.push(event.ty);
        }
    }
    story
}

/// A sale that went as it should.
pub(crate) const WHOLE: [&str; 3] = [SaleOpened::TYPE, SalePaid::TYPE, GoodsPacked::TYPE];

/// How many sales have this story and no other event.
pub(crate) async fn went(store: &dyn Store, as_follows: &[&str]) -> usize {
    let story = story(store).await;
    story.values().filter(|told| **told == as_follows).count()
}
