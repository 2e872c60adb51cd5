//! Process *Collect a card payment*, and a card terminal that sometimes declines or stays silent.

use crate::events::{BillWrittenOff, OrderId, OrderPaid, PaymentStarted};
use crate::orders::FLOOR_MANAGER;
use crate::till::{CASHIER, RecordFailedPayment, SettleBill, TakePayment, WriteOffBill};
use fait::app::{App, System, TellError, Told, Uncertain};
use fait::event::{Money, Never, minutes, seconds};
use fait::process::{Input, Outbox, Process};
use fait::store::BoxFuture;
use fait::{CommandSet, EventSet, command, data, event};

/// The outside system.
pub const TERMINAL: &str = "Card terminal";
/// How often a card is tried before a person may write the bill off.
pub const PAYMENT_TRIES: u32 = 3;

/// Charge card
#[command(to = TERMINAL)]
pub struct ChargeCard {
    /// The order
    pub order: OrderId,
    /// Total
    pub total: Money,
}

/// The card was charged.
#[event]
pub struct CardCharged {
    #[tag]
    pub order: OrderId,
}

/// The card was declined.
#[event]
pub struct CardDeclined {
    #[tag]
    pub order: OrderId,
}

/// What the process hears.
#[derive(EventSet, Clone, Debug, PartialEq)]
pub enum Collecting {
    Started(PaymentStarted),
    Charged(CardCharged),
    Declined(CardDeclined),
    Paid(OrderPaid),
    WrittenOff(BillWrittenOff),
}

/// What the process sends and asks for.
#[derive(CommandSet, Clone, Debug, PartialEq)]
pub enum Collects {
    Charge(ChargeCard),
    Settle(SettleBill),
    Fail(RecordFailedPayment),
    TakePayment(TakePayment),
    WriteOff(WriteOffBill),
}

/// What the process waits for no longer.
#[data]
pub enum Silent {
    /// The terminal did not answer.
    Terminal,
}

/// Process *Collect a card payment*.
#[data]
#[derive(Default)]
pub enum CollectCardPayment {
    /// Not begun.
    #[default]
    Idle,
    /// The terminal was told, so many times.
    Charging {
        /// How often.
        tries: u32,
    },
    /// It did not work; the cashier is asked to try again.
    Asking {
        /// How often the terminal was told.
        tries: u32,
    },
    /// The card was charged.
    Settling,
    /// Paid or written off.
    Done,
}

impl Process for CollectCardPayment {
    const NAME: &'static str = "collect-a-card-payment";
    const TITLE: &'static str = "Collect a card payment";
    type Key = OrderId;
    type Events = Collecting;
    type Timer = Silent;
    type Sends = Collects;
    type Raises = Never;

    fn react(self, order: &OrderId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
        use CollectCardPayment::*;
        use Input::{Event, Timer};
        let order = *order;
        match (self, input) {
            (state @ (Idle | Asking { .. }), Event(Collecting::Started(e))) => {
                let tries = if let Asking { tries } = state {
                    tries
                } else {
                    0
                };
                out.withdraw::<TakePayment>();
                out.send(ChargeCard {
                    order,
                    total: e.total,
                });
                out.wake_after(minutes(2), Silent::Terminal);
                Charging { tries: tries + 1 }
            }
            (Charging { tries }, Event(Collecting::Declined(_)) | Timer(Silent::Terminal)) => {
                out.cancel(Silent::Terminal);
                out.withdraw::<ChargeCard>();
                out.send(RecordFailedPayment { order });
                out.ask::<TakePayment>(CASHIER);
                if tries >= PAYMENT_TRIES {
                    out.ask::<WriteOffBill>(FLOOR_MANAGER);
                }
                Asking { tries }
            }
            // Money that was taken is money that was taken, even after we gave up waiting for it.
            (Charging { .. } | Asking { .. }, Event(Collecting::Charged(_))) => {
                out.cancel(Silent::Terminal);
                out.withdraw::<TakePayment>();
                out.send(SettleBill { order });
                Settling
            }
            (
                Charging { .. } | Asking { .. } | Settling,
                Event(Collecting::Paid(_) | Collecting::WrittenOff(_)),
            ) => {
                out.end();
                Done
            }
            (state, other) => out.unhandled(state, other),
        }
    }
}

/// The card terminal. It acts once for an id, however often it is told: what it will do is a
/// function of the id.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    flaky: bool,
}

impl Terminal {
    /// A terminal; a flaky one declines one card in six and stays silent for one in nine.
    pub fn new(flaky: bool) -> Self {
        Terminal { flaky }
    }

    async fn answer(self, told: Told, app: App) {
        let Ok(order) = told.body["order"].as_str().unwrap_or_default().parse() else {
            return;
        };
        let order = OrderId(order);
        let dice = told.id.as_u128();
        let answers_at = app.clock().now() + seconds(20 + (dice % 20) as u64);
        tokio::select! {
            () = app.stopping() => return,
            () = app.clock().sleep_until(answers_at) => {}
        }
        let flow = Some((told.correlation, told.cause));
        let sent = if self.flaky && dice.is_multiple_of(9) {
            return;
        } else if self.flaky && dice % 6 == 1 {
            app.receive(CardDeclined { order }, told.id, flow).await
        } else {
            app.receive(CardCharged { order }, told.id, flow).await
        };
        if let Err(e) = sent {
            tracing::warn!(error = %e, "the card terminal's answer was not recorded");
        }
    }
}

impl System for Terminal {
    fn tell(&self, message: Told, app: App) -> BoxFuture<'_, Result<(), TellError>> {
        tokio::spawn(self.answer(message, app));
        Box::pin(async { Ok(()) })
    }

    fn on_uncertain(&self) -> Uncertain {
        Uncertain::Retry
    }
}
