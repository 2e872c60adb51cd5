//! Context *Till*: the bill, from its price to its end.

use crate::events::*;
use crate::orders::{FLOOR_MANAGER, SpikeOrder};
use fait::decision::{Context, Decide, Model};
use fait::event::{Meta, Money, Never};
use fait::process::Policy;
use fait::projection::Projection;
use fait::{EventSet, Refusal, command, data};

/// Prices orders.
pub const ASSISTANT_MANAGER: &str = "Assistant manager";
/// Takes payments.
pub const CASHIER: &str = "Cashier";

/// What the model *Bill* remembers.
#[derive(EventSet, Debug, PartialEq)]
pub enum BillHistory {
    Priced(OrderPriced),
    Started(PaymentStarted),
    Failed(CardPaymentFailed),
    Paid(OrderPaid),
    WrittenOff(BillWrittenOff),
}

/// One bill.
#[derive(Debug, Default, PartialEq)]
pub struct Bill {
    total: Option<Money>,
    paying: bool,
    paid: bool,
    written_off: bool,
}

impl Model for Bill {
    type Key = OrderId;
    type Events = BillHistory;
    fn evolve(&mut self, event: BillHistory) {
        match event {
            BillHistory::Priced(e) => self.total = Some(e.total),
            BillHistory::Started(_) => self.paying = true,
            BillHistory::Failed(_) => self.paying = false,
            BillHistory::Paid(_) => self.paid = true,
            BillHistory::WrittenOff(_) => self.written_off = true,
        }
    }
}

/// Why something cannot be done with a bill.
#[derive(Clone, Debug, PartialEq, Refusal)]
pub enum BillRefusal {
    #[refused("the order is already paid")]
    AlreadyPaid,
    #[refused("the order has no price")]
    NoPrice,
    #[refused("the card terminal is still at it")]
    TerminalBusy,
}

/// Price order
#[command(by = [ASSISTANT_MANAGER, FLOOR_MANAGER], sees = "bills-to-settle",
    about = "Price the order of table {table}", button = "This is the price")]
pub struct PriceOrder {
    /// The order
    pub order: OrderId,
    /// Subtotal
    pub subtotal: Money,
    /// Tax
    pub tax: Money,
    /// Total
    pub total: Money,
}

impl Decide for PriceOrder {
    type Model = Bill;
    type Emits = OrderPriced;
    type Refusal = BillRefusal;
    fn boundary(&self) -> OrderId {
        self.order
    }
    fn decide(&self, bill: &Bill, _: &Context) -> Result<Vec<OrderPriced>, BillRefusal> {
        if bill.paid {
            return Err(BillRefusal::AlreadyPaid);
        }
        let PriceOrder {
            order,
            subtotal,
            tax,
            total,
        } = *self;
        Ok(vec![OrderPriced {
            order,
            subtotal,
            tax,
            total,
        }])
    }
}

/// Take payment
#[command(by = CASHIER, sees = "bills-to-settle", about = "Take the payment of table {table}",
    button = "Start the card terminal")]
pub struct TakePayment {
    /// The order
    pub order: OrderId,
}

impl Decide for TakePayment {
    type Model = Bill;
    type Emits = PaymentStarted;
    type Refusal = BillRefusal;
    fn boundary(&self) -> OrderId {
        self.order
    }
    fn decide(&self, bill: &Bill, _: &Context) -> Result<Vec<PaymentStarted>, BillRefusal> {
        if bill.paid {
            return Err(BillRefusal::AlreadyPaid);
        }
        let Some(total) = bill.total else {
            return Err(BillRefusal::NoPrice);
        };
        if bill.paying {
            // A second charge would take the money twice.
            return Err(BillRefusal::TerminalBusy);
        }
        Ok(vec![PaymentStarted {
            order: self.order,
            total,
        }])
    }
}

/// Settle bill
#[command]
pub struct SettleBill {
    /// The order
    pub order: OrderId,
}

impl Decide for SettleBill {
    type Model = Bill;
    type Emits = OrderPaid;
    type Refusal = BillRefusal;
    fn boundary(&self) -> OrderId {
        self.order
    }
    fn decide(&self, bill: &Bill, _: &Context) -> Result<Vec<OrderPaid>, BillRefusal> {
        let Some(total) = bill.total else {
            return Err(BillRefusal::NoPrice);
        };
        let paid = OrderPaid {
            order: self.order,
            total,
        };
        Ok(if bill.paid { vec![] } else { vec![paid] })
    }
}

/// Record failed payment
#[command]
pub struct RecordFailedPayment {
    /// The order
    pub order: OrderId,
}

impl Decide for RecordFailedPayment {
    type Model = Bill;
    type Emits = CardPaymentFailed;
    type Refusal = Never;
    fn boundary(&self) -> OrderId {
        self.order
    }
    fn decide(&self, bill: &Bill, _: &Context) -> Result<Vec<CardPaymentFailed>, Never> {
        let failed = CardPaymentFailed { order: self.order };
        Ok(if bill.paying && !bill.paid {
            vec![failed]
        } else {
            vec![]
        })
    }
}

/// Write off bill
#[command(by = FLOOR_MANAGER, sees = "bills-to-settle", about = "Write off the bill of table {table}",
    button = "Write it off")]
pub struct WriteOffBill {
    /// The order
    pub order: OrderId,
    /// Why?
    pub reason: String,
}

impl Decide for WriteOffBill {
    type Model = Bill;
    type Emits = BillWrittenOff;
    type Refusal = BillRefusal;
    fn boundary(&self) -> OrderId {
        self.order
    }
    fn decide(&self, bill: &Bill, _: &Context) -> Result<Vec<BillWrittenOff>, BillRefusal> {
        if bill.paid || bill.written_off {
            return Ok(vec![]);
        }
        Ok(vec![BillWrittenOff {
            order: self.order,
            reason: self.reason.clone(),
        }])
    }
}

/// View *Bills to settle*.
#[derive(Debug)]
pub struct BillsToSettle;

/// A row of the bills to settle.
#[data]
pub struct BillRow {
    /// Table
    pub table: u32,
    /// Total
    pub total: Option<Money>,
    /// What is wrong
    pub reason: Option<String>,
}

/// What feeds the bills to settle.
#[derive(EventSet)]
pub enum BillFeed {
    Placed(OrderPlaced),
    Priced(OrderPriced),
    Paid(OrderPaid),
    Cancelled(OrderCancelled),
    WrittenOff(BillWrittenOff),
    Failed(CardPaymentFailed),
}

impl Projection for BillsToSettle {
    const NAME: &'static str = "bills-to-settle";
    type Key = OrderId;
    type Events = BillFeed;
    type Row = BillRow;
    fn project(row: &mut Option<BillRow>, _: &OrderId, event: BillFeed, _: &Meta) {
        match (event, row.as_mut()) {
            (BillFeed::Placed(e), _) => {
                *row = Some(BillRow {
                    table: e.table,
                    total: None,
                    reason: None,
                });
            }
            (BillFeed::Priced(e), Some(r)) => r.total = Some(e.total),
            (BillFeed::Failed(_), Some(r)) => r.reason = Some("the card did not work".into()),
            (BillFeed::Paid(_) | BillFeed::Cancelled(_) | BillFeed::WrittenOff(_), _) => {
                *row = None;
            }
            (BillFeed::Priced(_) | BillFeed::Failed(_), None) => {}
        }
    }
}

/// Policy *Close the order*.
#[derive(Debug)]
pub struct CloseTheOrder;

/// What the policy hears.
#[derive(EventSet)]
pub enum Closing {
    Cooked(OrderCooked),
    Paid(OrderPaid),
    WrittenOff(BillWrittenOff),
}

impl Policy for CloseTheOrder {
    const NAME: &'static str = "close-the-order";
    const TITLE: &'static str = "Close the order";
    type Events = Closing;
    type Sends = SpikeOrder;
    fn whenever(event: Closing) -> Vec<SpikeOrder> {
        let order = match event {
            Closing::Cooked(e) => e.order,
            Closing::Paid(e) => e.order,
            Closing::WrittenOff(e) => e.order,
        };
        vec![SpikeOrder { order }]
    }
}
