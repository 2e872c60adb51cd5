//! Context *Orders*: taking an order and cooking it.

use crate::events::*;
use fait::decision::{Context, Decide, Model};
use fait::event::{Meta, Never};
use fait::projection::Projection;
use fait::{EventSet, Refusal, command, data};

/// Takes orders.
pub const WAITER: &str = "Waiter";
/// Cooks.
pub const COOK: &str = "Cook";
/// Sorts things out.
pub const FLOOR_MANAGER: &str = "Floor manager";

/// What the model *Order* remembers.
#[derive(EventSet, Debug, PartialEq)]
pub enum OrderHistory {
    Placed(OrderPlaced),
    Cooked(OrderCooked),
    Cancelled(OrderCancelled),
    Paid(OrderPaid),
    WrittenOff(BillWrittenOff),
    Spiked(OrderSpiked),
}

/// One order.
#[derive(Debug, Default, PartialEq)]
pub struct Order {
    placed: bool,
    cooked: bool,
    cancelled: bool,
    paid: bool,
    written_off: bool,
    spiked: bool,
}

impl Model for Order {
    type Key = OrderId;
    type Events = OrderHistory;
    fn evolve(&mut self, event: OrderHistory) {
        match event {
            OrderHistory::Placed(_) => self.placed = true,
            OrderHistory::Cooked(_) => self.cooked = true,
            OrderHistory::Cancelled(_) => self.cancelled = true,
            OrderHistory::Paid(_) => self.paid = true,
            OrderHistory::WrittenOff(_) => self.written_off = true,
            OrderHistory::Spiked(_) => self.spiked = true,
        }
    }
}

/// Why something cannot be done with an order.
#[derive(Clone, Debug, PartialEq, Refusal)]
pub enum OrderRefusal {
    #[refused("no dishes were chosen")]
    NoDishes,
    #[refused("the food is already cooked")]
    AlreadyCooked,
    #[refused("the order was cancelled")]
    Cancelled,
    #[refused("there is no such order")]
    NoSuchOrder,
}

/// Place an order
#[command(by = WAITER, sees = "table-plan", starts, button = "Send it to the kitchen",
    undone_by = "CancelOrder")]
pub struct PlaceOrder {
    /// The order
    #[field(fresh)]
    pub order: OrderId,
    /// Which table?
    pub table: u32,
    /// Which dishes?
    pub dishes: Vec<String>,
    /// Do the guests pay first?
    pub pays_first: bool,
}

impl Decide for PlaceOrder {
    type Model = Order;
    type Emits = OrderPlaced;
    type Refusal = OrderRefusal;
    fn boundary(&self) -> OrderId {
        self.order
    }
    fn decide(&self, order: &Order, _: &Context) -> Result<Vec<OrderPlaced>, OrderRefusal> {
        let dishes: Vec<String> = self
            .dishes
            .iter()
            .map(|d| d.trim().to_string())
            .filter(|d| !d.is_empty())
            .collect();
        if dishes.is_empty() {
            return Err(OrderRefusal::NoDishes);
        }
        if order.placed {
            // The same form sent again: there is one order, not two.
            return Ok(vec![]);
        }
        let PlaceOrder {
            order,
            table,
            pays_first,
            ..
        } = *self;
        Ok(vec![OrderPlaced {
            order,
            table,
            dishes,
            pays_first,
        }])
    }
}

/// Cancel order
#[command(by = WAITER, sees = "table-plan", about = "Cancel the order of table {table}",
    button = "Cancel the order")]
pub struct CancelOrder {
    /// The order
    pub order: OrderId,
    /// Why?
    pub reason: String,
}

impl Decide for CancelOrder {
    type Model = Order;
    type Emits = OrderCancelled;
    type Refusal = OrderRefusal;
    fn boundary(&self) -> OrderId {
        self.order
    }
    fn decide(&self, order: &Order, _: &Context) -> Result<Vec<OrderCancelled>, OrderRefusal> {
        if !order.placed {
            return Err(OrderRefusal::NoSuchOrder);
        }
        if order.cooked {
            return Err(OrderRefusal::AlreadyCooked);
        }
        Ok(cancelled(order, self.order, &self.reason))
    }
}

fn cancelled(order: &Order, id: OrderId, reason: &str) -> Vec<OrderCancelled> {
    if order.cancelled || order.spiked {
        return vec![];
    }
    vec![OrderCancelled {
        order: id,
        reason: reason.into(),
    }]
}

/// Cook food
#[command(by = COOK, sees = "kitchen-board", about = "Cook the food for table {table}",
    button = "The food is ready")]
pub struct CookFood {
    /// The order
    pub order: OrderId,
    /// Which ingredients did you use?
    pub ingredients: Vec<String>,
    /// Who cooked it?
    pub cooked_by: String,
}

/// What may come of cooking.
#[derive(EventSet, Debug, PartialEq)]
pub enum Cooked {
    Cooked(OrderCooked),
    Twice(OrderCookedTwice),
}

impl Decide for CookFood {
    type Model = Order;
    type Emits = Cooked;
    type Refusal = OrderRefusal;
    fn boundary(&self) -> OrderId {
        self.order
    }
    fn decide(&self, order: &Order, _: &Context) -> Result<Vec<Cooked>, OrderRefusal> {
        if !order.placed {
            return Err(OrderRefusal::NoSuchOrder);
        }
        if order.cancelled {
            return Err(OrderRefusal::Cancelled);
        }
        let CookFood {
            order: id,
            ingredients,
            cooked_by,
        } = self.clone();
        Ok(vec![if order.cooked {
            OrderCookedTwice {
                order: id,
                cooked_by,
            }
            .into()
        } else {
            OrderCooked {
                order: id,
                ingredients,
                cooked_by,
            }
            .into()
        }])
    }
    fn offer(&self, order: &Order, _: &Context) -> Result<(), OrderRefusal> {
        // A second plate is recorded when it happens; nobody is invited to cook one.
        if order.cooked {
            Err(OrderRefusal::AlreadyCooked)
        } else {
            Ok(())
        }
    }
}

/// Sort out order
///
/// The kitchen forgot it, or cooked it twice. What is cancelled here is not cooked and not billed.
#[command(by = FLOOR_MANAGER, sees = "kitchen-board", about = "Sort out the order of table {table}",
    button = "Cancel the order")]
pub struct SortOutOrder {
    /// The order
    pub order: OrderId,
    /// Why?
    pub reason: String,
}

impl Decide for SortOutOrder {
    type Model = Order;
    type Emits = OrderCancelled;
    type Refusal = OrderRefusal;
    fn boundary(&self) -> OrderId {
        self.order
    }
    fn decide(&self, order: &Order, _: &Context) -> Result<Vec<OrderCancelled>, OrderRefusal> {
        if !order.placed {
            return Err(OrderRefusal::NoSuchOrder);
        }
        Ok(cancelled(order, self.order, &self.reason))
    }
}

/// Spike order
#[command]
pub struct SpikeOrder {
    /// The order
    pub order: OrderId,
}

impl Decide for SpikeOrder {
    type Model = Order;
    type Emits = OrderSpiked;
    type Refusal = Never;
    fn boundary(&self) -> OrderId {
        self.order
    }
    fn decide(&self, order: &Order, _: &Context) -> Result<Vec<OrderSpiked>, Never> {
        let done = (order.cooked && order.paid) || order.written_off;
        let spiked = OrderSpiked { order: self.order };
        Ok(if done && !order.spiked {
            vec![spiked]
        } else {
            vec![]
        })
    }
}

/// View *Table plan*: what each table waits for.
#[derive(Debug)]
pub struct TablePlan;

/// A row of the table plan.
#[data]
pub struct TablePlanRow {
    /// Table
    pub table: u32,
}

/// What feeds the table plan.
#[derive(EventSet)]
pub enum TablePlanFeed {
    Placed(OrderPlaced),
    Spiked(OrderSpiked),
    Cancelled(OrderCancelled),
}

impl Projection for TablePlan {
    const NAME: &'static str = "table-plan";
    type Key = OrderId;
    type Events = TablePlanFeed;
    type Row = TablePlanRow;
    fn project(row: &mut Option<TablePlanRow>, _: &OrderId, event: TablePlanFeed, _: &Meta) {
        *row = match event {
            TablePlanFeed::Placed(e) => Some(TablePlanRow { table: e.table }),
            TablePlanFeed::Spiked(_) | TablePlanFeed::Cancelled(_) => None,
        }
    }
}

/// View *Kitchen board*: what is to be cooked.
#[derive(Debug)]
pub struct KitchenBoard;

/// A row of the kitchen board.
#[data]
pub struct KitchenRow {
    /// Table
    pub table: u32,
    /// Dishes
    pub dishes: Vec<String>,
}

/// What feeds the kitchen board.
#[derive(EventSet)]
pub enum KitchenFeed {
    Placed(OrderPlaced),
    Cooked(OrderCooked),
    TimedOut(CookingTimedOut),
    Cancelled(OrderCancelled),
}

impl Projection for KitchenBoard {
    const NAME: &'static str = "kitchen-board";
    type Key = OrderId;
    type Events = KitchenFeed;
    type Row = KitchenRow;
    fn project(row: &mut Option<KitchenRow>, _: &OrderId, event: KitchenFeed, _: &Meta) {
        match event {
            KitchenFeed::Placed(e) => {
                *row = Some(KitchenRow {
                    table: e.table,
                    dishes: e.dishes,
                });
            }
            // The row stays; that it changed just now shows where the kitchen is behind.
            KitchenFeed::TimedOut(_) => {}
            KitchenFeed::Cooked(_) | KitchenFeed::Cancelled(_) => *row = None,
        }
    }
}
