//! Two ways to serve, side by side: most guests eat first, some pay first. The order of the steps
//! is here and nowhere else.

use crate::events::*;
use crate::orders::{COOK, CookFood, FLOOR_MANAGER, SortOutOrder};
use crate::till::{ASSISTANT_MANAGER, CASHIER, PriceOrder, TakePayment};
use fait::event::minutes;
use fait::process::{Input, Outbox, Process};
use fait::{CommandSet, EventSet, data};

/// How often the kitchen is asked.
pub const COOKING_TRIES: u32 = 3;

/// What *Serve, then bill* hears.
#[derive(EventSet, Clone, Debug, PartialEq)]
pub enum Served {
    Placed(OrderPlaced),
    Cooked(OrderCooked),
    CookedTwice(OrderCookedTwice),
    Priced(OrderPriced),
    Paid(OrderPaid),
    Cancelled(OrderCancelled),
    WrittenOff(BillWrittenOff),
}

/// What *Bill, then serve* hears: once the food is ready it has ended, so that a second plate is
/// nothing to it.
#[derive(EventSet, Clone, Debug, PartialEq)]
pub enum Billed {
    Placed(OrderPlaced),
    Priced(OrderPriced),
    Paid(OrderPaid),
    Cooked(OrderCooked),
    Cancelled(OrderCancelled),
    WrittenOff(BillWrittenOff),
}

/// What both processes ask for.
#[derive(CommandSet, Clone, Debug, PartialEq)]
pub enum Asks {
    Cook(CookFood),
    SortOut(SortOutOrder),
    Price(PriceOrder),
    TakePayment(TakePayment),
}

/// What both processes wait for no longer.
#[data]
pub enum Silence {
    /// The kitchen did not answer.
    Kitchen,
    /// Nobody priced the order.
    Pricing,
}

/// Process *Serve, then bill*.
#[data]
#[derive(Default)]
pub enum ServeThenBill {
    /// Not begun.
    #[default]
    Idle,
    /// The kitchen was asked, so many times.
    Cooking {
        /// How often.
        asked: u32,
    },
    /// The bill is being made.
    Pricing,
    /// The bill is being paid.
    Paying,
    /// Paid, cancelled or written off.
    Done,
}

impl Process for ServeThenBill {
    const NAME: &'static str = "serve-then-bill";
    const TITLE: &'static str = "Serve, then bill";
    type Key = OrderId;
    type Events = Served;
    type Timer = Silence;
    type Sends = Asks;
    type Raises = CookingTimedOut;

    fn react(self, order: &OrderId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
        use Input::{Event, Timer};
        use ServeThenBill::*;
        match (self, input) {
            (Idle, Event(Served::Placed(e))) if !e.pays_first => {
                ask_cook(out);
                Cooking { asked: 1 }
            }
            (Cooking { asked }, Timer(Silence::Kitchen)) => {
                out.raise(CookingTimedOut { order: *order });
                if asked < COOKING_TRIES {
                    ask_cook(out);
                    return Cooking { asked: asked + 1 };
                }
                // The last ask stays: the kitchen may still answer while a person looks into it.
                out.ask::<SortOutOrder>(FLOOR_MANAGER);
                Cooking { asked }
            }
            (Cooking { .. }, Event(Served::Cooked(_))) => {
                out.withdraw::<CookFood>();
                out.withdraw::<SortOutOrder>();
                out.cancel(Silence::Kitchen);
                ask_price(out);
                Pricing
            }
            (Pricing, Timer(Silence::Pricing)) => {
                out.ask::<PriceOrder>(FLOOR_MANAGER);
                Pricing
            }
            (Pricing, Event(Served::Priced(_))) => {
                out.withdraw::<PriceOrder>();
                out.cancel(Silence::Pricing);
                out.ask::<TakePayment>(CASHIER);
                Paying
            }
            (state @ (Pricing | Paying), Event(Served::CookedTwice(_))) => {
                out.ask::<SortOutOrder>(FLOOR_MANAGER);
                state
            }
            (
                Cooking { .. } | Pricing | Paying,
                Event(Served::Paid(_) | Served::Cancelled(_) | Served::WrittenOff(_)),
            ) => {
                out.end();
                Done
            }
            (state, other) => out.unhandled(state, other),
        }
    }
}

/// Process *Bill, then serve*.
#[data]
#[derive(Default)]
pub enum BillThenServe {
    /// Not begun.
    #[default]
    Idle,
    /// The bill is being made.
    Pricing,
    /// The bill is being paid.
    Paying,
    /// The kitchen was asked.
    Cooking,
    /// Served, cancelled or written off.
    Done,
}

impl Process for BillThenServe {
    const NAME: &'static str = "bill-then-serve";
    const TITLE: &'static str = "Bill, then serve";
    type Key = OrderId;
    type Events = Billed;
    type Timer = Silence;
    type Sends = Asks;
    type Raises = CookingTimedOut;

    fn react(self, order: &OrderId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
        use BillThenServe::*;
        use Input::{Event, Timer};
        match (self, input) {
            (Idle, Event(Billed::Placed(e))) if e.pays_first => {
                ask_price(out);
                Pricing
            }
            (Pricing, Timer(Silence::Pricing)) => {
                out.ask::<PriceOrder>(FLOOR_MANAGER);
                Pricing
            }
            (Pricing, Event(Billed::Priced(_))) => {
                out.withdraw::<PriceOrder>();
                out.cancel(Silence::Pricing);
                out.ask::<TakePayment>(CASHIER);
                Paying
            }
            (Paying, Event(Billed::Paid(_))) => {
                out.withdraw::<TakePayment>();
                ask_cook(out);
                Cooking
            }
            (Cooking, Timer(Silence::Kitchen)) => {
                out.raise(CookingTimedOut { order: *order });
                out.ask::<SortOutOrder>(FLOOR_MANAGER);
                Cooking
            }
            (
                Pricing | Paying | Cooking,
                Event(Billed::Cooked(_) | Billed::Cancelled(_) | Billed::WrittenOff(_)),
            ) => {
                out.end();
                Done
            }
            (state, other) => out.unhandled(state, other),
        }
    }
}

fn ask_cook<P>(out: &mut Outbox<P>)
where
    P: Process<Sends = Asks, Timer = Silence>,
{
    out.ask::<CookFood>(COOK).within(minutes(30));
    out.wake_after(minutes(30), Silence::Kitchen);
}

fn ask_price<P>(out: &mut Outbox<P>)
where
    P: Process<Sends = Asks, Timer = Silence>,
{
    out.ask::<PriceOrder>(ASSISTANT_MANAGER).within(minutes(10));
    out.wake_after(minutes(10), Silence::Pricing);
}
