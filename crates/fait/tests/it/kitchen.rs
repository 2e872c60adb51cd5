//! A kitchen that prepares portions and takes orders for them.
#![expect(unreachable_pub, reason = "written as an application would be")]

use fait::app::{App, AppBuilder};
use fait::decision::{Context, Decide, Each, Model};
use fait::event::{Meta, Never, minutes};
use fait::process::{Input, Outbox, Process};
use fait::projection::Projection;
use fait::{Clock, EventSet, Refusal, command, data, entity_ids, event};
use std::collections::BTreeMap;

entity_ids! { OrderId(text) => "order", TableId(number) => "table", DishId(text) => "dish" }

/// A table ordered.
#[event(version = 2, upcast = one_dish_to_many)]
pub struct OrderPlaced {
    #[tag]
    pub order: OrderId,
    #[tag]
    pub table: TableId,
    pub dishes: BTreeMap<DishId, u32>,
}

fn one_dish_to_many(
    _from: u32,
    mut old: fait::reexport::serde_json::Value,
) -> Result<fait::reexport::serde_json::Value, String> {
    let dish = old["dish"].as_str().ok_or("it has no dish")?.to_string();
    old["dishes"] = fait::reexport::serde_json::json!({ dish: 1 });
    Ok(old)
}

#[event]
pub struct OrderCancelled {
    #[tag]
    pub order: OrderId,
    #[tag]
    pub table: TableId,
    pub reason: String,
}

#[event]
pub struct OrderAccepted {
    #[tag]
    pub order: OrderId,
}

#[event]
pub struct PortionsPrepared {
    #[tag]
    pub dish: DishId,
    pub portions: u32,
}

#[event]
pub struct PortionsReserved {
    #[tag]
    pub dish: DishId,
    #[tag]
    pub order: OrderId,
    pub portions: u32,
}

#[derive(EventSet, Clone, Debug, PartialEq)]
pub enum OrderHistory {
    Placed(OrderPlaced),
    Accepted(OrderAccepted),
    Cancelled(OrderCancelled),
}

#[derive(EventSet, Clone, Debug, PartialEq)]
pub enum TableLoad {
    Placed(OrderPlaced),
    Cancelled(OrderCancelled),
}

#[derive(EventSet, Debug, PartialEq)]
pub enum Portions {
    Prepared(PortionsPrepared),
    Reserved(PortionsReserved),
}

#[derive(EventSet, Debug, PartialEq)]
pub enum Placement {
    Placed(OrderPlaced),
    Reserved(PortionsReserved),
}

#[derive(Default, PartialEq)]
pub enum Order {
    #[default]
    Unknown,
    Waiting(TableId),
    Accepted,
    Cancelled,
}

impl Model for Order {
    type Key = OrderId;
    type Events = OrderHistory;
    fn evolve(&mut self, e: OrderHistory) {
        *self = match e {
            OrderHistory::Placed(e) => Order::Waiting(e.table),
            OrderHistory::Accepted(_) => Order::Accepted,
            OrderHistory::Cancelled(_) => Order::Cancelled,
        }
    }
}

#[derive(Default)]
pub struct Table {
    open: u32,
}

impl Model for Table {
    type Key = TableId;
    type Events = TableLoad;
    fn evolve(&mut self, e: TableLoad) {
        match e {
            TableLoad::Placed(_) => self.open += 1,
            TableLoad::Cancelled(_) => self.open -= 1,
        }
    }
}

#[derive(Default)]
pub struct Stock {
    left: u32,
}

impl Model for Stock {
    type Key = DishId;
    type Events = Portions;
    fn evolve(&mut self, e: Portions) {
        match e {
            Portions::Prepared(e) => self.left += e.portions,
            Portions::Reserved(e) => self.left -= e.portions,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Refusal)]
pub enum No {
    #[refused("this order was already placed")]
    AlreadyPlaced,
    #[refused("a table may have at most {0} open orders")]
    TableFull(u32),
    #[refused("{0} is sold out")]
    SoldOut(DishId),
    #[refused("the order is not waiting")]
    NotWaiting,
}

/// Place an order
#[command(by = "Waiter")]
pub struct PlaceOrder {
    pub order: OrderId,
    /// Which table?
    pub table: TableId,
    pub dishes: BTreeMap<DishId, u32>,
}

impl Decide for PlaceOrder {
    type Model = (Order, Table, Each<Stock>);
    type Emits = Placement;
    type Refusal = No;
    fn boundary(&self) -> (OrderId, TableId, Vec<DishId>) {
        (
            self.order.clone(),
            self.table,
            self.dishes.keys().cloned().collect(),
        )
    }
    fn decide(
        &self,
        (order, table, stock): &Self::Model,
        _: &Context,
    ) -> Result<Vec<Placement>, No> {
        const MAX_OPEN: u32 = 3;
        if *order != Order::Unknown {
            return Err(No::AlreadyPlaced);
        }
        if table.open >= MAX_OPEN {
            return Err(No::TableFull(MAX_OPEN));
        }
        if let Some((dish, _)) = self.dishes.iter().find(|(d, n)| stock[d].left < **n) {
            return Err(No::SoldOut(dish.clone()));
        }
        let PlaceOrder {
            order,
            table,
            dishes,
        } = self.clone();
        let mut out = vec![
            OrderPlaced {
                order: order.clone(),
                table,
                dishes,
            }
            .into(),
        ];
        out.extend(self.dishes.iter().map(|(d, n)| {
            PortionsReserved {
                dish: d.clone(),
                order: order.clone(),
                portions: *n,
            }
            .into()
        }));
        Ok(out)
    }
}

/// Accept the order
#[command(by = "Cook")]
pub struct AcceptOrder {
    pub order: OrderId,
}

impl Decide for AcceptOrder {
    type Model = Order;
    type Emits = OrderAccepted;
    type Refusal = No;
    fn boundary(&self) -> OrderId {
        self.order.clone()
    }
    fn decide(&self, order: &Order, _: &Context) -> Result<Vec<OrderAccepted>, No> {
        let Order::Waiting(_) = order else {
            return Err(No::NotWaiting);
        };
        Ok(vec![OrderAccepted {
            order: self.order.clone(),
        }])
    }
}

/// Cancel the order
#[command(by = "Waiter")]
pub struct CancelOrder {
    pub order: OrderId,
    /// Why?
    pub reason: String,
}

impl Decide for CancelOrder {
    type Model = Order;
    type Emits = OrderCancelled;
    type Refusal = No;
    fn boundary(&self) -> OrderId {
        self.order.clone()
    }
    fn decide(&self, order: &Order, _: &Context) -> Result<Vec<OrderCancelled>, No> {
        let Order::Waiting(table) = order else {
            return Err(No::NotWaiting);
        };
        let CancelOrder { order, reason } = self.clone();
        Ok(vec![OrderCancelled {
            order,
            table: *table,
            reason,
        }])
    }
}

/// Prepare portions
#[command(by = "Cook")]
pub struct PreparePortions {
    pub dish: DishId,
    pub portions: u32,
}

impl Decide for PreparePortions {
    type Model = Stock;
    type Emits = PortionsPrepared;
    type Refusal = Never;
    fn boundary(&self) -> DishId {
        self.dish.clone()
    }
    fn decide(&self, _: &Stock, _: &Context) -> Result<Vec<PortionsPrepared>, Never> {
        Ok(vec![PortionsPrepared {
            dish: self.dish.clone(),
            portions: self.portions,
        }])
    }
}

#[derive(Debug)]
pub struct OpenOrders;

#[data]
#[derive(Default)]
pub struct OpenRow {
    pub open: Vec<OrderId>,
}

impl Projection for OpenOrders {
    const NAME: &'static str = "open-orders";
    type Key = TableId;
    type Events = TableLoad;
    type Row = OpenRow;
    fn project(row: &mut Option<OpenRow>, _: &TableId, e: TableLoad, _: &Meta) {
        let r = row.get_or_insert_default();
        match e {
            TableLoad::Placed(e) if e.order.0 == "poison" => panic!("this dish is poison"),
            TableLoad::Placed(e) => r.open.push(e.order),
            TableLoad::Cancelled(e) => r.open.retain(|o| *o != e.order),
        }
        if r.open.is_empty() {
            *row = None;
        }
    }
}

#[data]
#[derive(Default)]
pub enum Handover {
    #[default]
    Idle,
    Waiting,
    Cancelling,
    Done,
}

#[data]
pub enum Wake {
    KitchenSilent,
}

impl Process for Handover {
    const NAME: &'static str = "handover";
    type Key = OrderId;
    type Events = OrderHistory;
    type Timer = Wake;
    type Sends = CancelOrder;
    type Raises = Never;
    fn react(self, order: &OrderId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
        use Handover::*;
        use Input::{Event, Timer};
        match (self, input) {
            (Idle, Event(OrderHistory::Placed(e))) => {
                assert!(e.order.0 != "poison", "no process for poison");
                out.wake_after(minutes(15), Wake::KitchenSilent);
                Waiting
            }
            (Waiting, Timer(Wake::KitchenSilent)) => {
                let reason = "kitchen did not answer".to_string();
                out.send(CancelOrder {
                    order: order.clone(),
                    reason,
                });
                Cancelling
            }
            (_, Event(OrderHistory::Accepted(_) | OrderHistory::Cancelled(_))) => {
                out.cancel(Wake::KitchenSilent);
                out.end();
                Done
            }
            (state, other) => out.unhandled(state, other),
        }
    }
}

pub fn wired(place: AppBuilder) -> AppBuilder {
    place
        .name("Kitchen")
        .clock(Clock::by_hand())
        .task::<PlaceOrder>()
        .task::<AcceptOrder>()
        .task::<CancelOrder>()
        .task::<PreparePortions>()
        .projection::<OpenOrders>()
        .process::<Handover>()
}

pub fn open() -> App {
    wired(App::in_memory()).build().unwrap()
}

pub fn place(order: &str, table: u64, dish: &str, n: u32) -> PlaceOrder {
    let dishes = [(dish.into(), n)].into();
    PlaceOrder {
        order: order.into(),
        table: table.into(),
        dishes,
    }
}

pub fn soup(portions: u32) -> PreparePortions {
    PreparePortions {
        dish: "soup".into(),
        portions,
    }
}
