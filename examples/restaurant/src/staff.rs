//! People who work by themselves: cooks of different speed, assistants, a cashier, and a floor
//! manager who prices what was left lying. Work goes to whoever is free, the oldest first. What
//! needs judgement, such as an order that the kitchen forgot, is left to a real person.

use crate::events::OrderId;
use crate::orders::{COOK, CookFood, FLOOR_MANAGER, KitchenBoard};
use crate::till::{ASSISTANT_MANAGER, CASHIER, PriceOrder, TakePayment};
use fait::app::{App, Asked, ClaimError, SendError};
use fait::command::Command;
use fait::event::{EntityId, Money, Time, minutes};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How the staff is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Staff {
    /// Cooks drop a quarter of what they are asked and cook a quarter twice; the card terminal
    /// sometimes declines or stays silent.
    Flaky,
    /// Everybody does everything once.
    Reliable,
    /// Nobody is there but you.
    None,
}

impl FromStr for Staff {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "flaky" => Ok(Staff::Flaky),
            "reliable" => Ok(Staff::Reliable),
            "none" => Ok(Staff::None),
            _ => Err("the staff is flaky, reliable or none".into()),
        }
    }
}

impl fmt::Display for Staff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Staff::Flaky => "flaky",
            Staff::Reliable => "reliable",
            Staff::None => "none",
        })
    }
}

/// One of the staff.
#[derive(Clone, Debug)]
pub struct Worker {
    /// The name, as in `cook:tom`.
    pub name: &'static str,
    /// The role whose tasks they take.
    pub role: &'static str,
    /// How long one task takes.
    pub takes: Duration,
    /// Which tasks they do.
    pub does: &'static [&'static str],
    /// Whether they drop and double.
    pub flaky: bool,
}

/// Everybody who works by themselves.
pub fn workers(staff: Staff) -> Vec<Worker> {
    if staff == Staff::None {
        return vec![];
    }
    let flaky = staff == Staff::Flaky;
    let one = |name, role, takes, does, flaky| Worker {
        name,
        role,
        takes,
        does,
        flaky,
    };
    let (cook, price, pay): (&[&str], &[&str], &[&str]) =
        (&[CookFood::NAME], &[PriceOrder::NAME], &[TakePayment::NAME]);
    vec![
        one("cook:tom", COOK, minutes(2), cook, flaky),
        one("cook:harry", COOK, minutes(4), cook, flaky),
        one("cook:rich", COOK, minutes(6), cook, flaky),
        one(
            "assistant:jane",
            ASSISTANT_MANAGER,
            minutes(2),
            price,
            false,
        ),
        one(
            "assistant:mary",
            ASSISTANT_MANAGER,
            minutes(2),
            price,
            false,
        ),
        one("cashier:sue", CASHIER, minutes(1), pay, false),
        one("floor:max", FLOOR_MANAGER, minutes(1), price, false),
    ]
}

/// Lets everybody work until the restaurant closes.
pub fn work(app: &App, staff: Staff) {
    for worker in workers(staff) {
        let app = app.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = app.stopping() => {}
                () = shift(&app, &worker) => {}
            }
        });
    }
}

async fn shift(app: &App, worker: &Worker) {
    let mut pulse = app.pulse();
    loop {
        pulse.mark_unchanged();
        match next(app, worker).await {
            Some(asked) => one_task(app, worker, &asked).await,
            None => {
                // Time passing makes tasks free again, without anything happening.
                let while_ = app.clock().real(minutes(1)).max(Duration::from_millis(5));
                let _ = tokio::time::timeout(while_, pulse.changed()).await;
            }
        }
    }
}

/// Takes the oldest task that is free, upon oneself.
async fn next(app: &App, worker: &Worker) -> Option<Asked> {
    let asked = app.inbox(worker.role, 500).ok()?;
    for task in asked {
        let now = app.clock().now();
        if worth_it(worker, &task, now) {
            // A bit more than the work takes, so that nobody else begins it meanwhile.
            let time = worker.takes * 2 + minutes(2);
            match app.claim(task.open.issued.id, worker.name, time).await {
                Ok(_) => return Some(task),
                Err(ClaimError::Taken { .. } | ClaimError::Send(SendError::NotAsked(_))) => {}
                Err(e) => {
                    tracing::warn!(worker = worker.name, error = %e, "cannot claim");
                    return None;
                }
            }
        }
    }
    None
}

/// Whether to begin: nobody has it, and it can be done before it is taken back. What is late
/// already will not be taken back any more, so it is never too late for that.
fn worth_it(worker: &Worker, task: &Asked, now: Time) -> bool {
    let issued = &task.open.issued;
    let free = task
        .open
        .claim
        .as_ref()
        .is_none_or(|(_, until)| *until <= now);
    let in_time = issued
        .due
        .is_none_or(|due| due <= now || now + worker.takes < due);
    free && in_time && worker.does.contains(&issued.name.as_str())
}

async fn one_task(app: &App, worker: &Worker, task: &Asked) {
    let luck = app.clock().id().as_u128() % 4;
    app.clock()
        .sleep_until(app.clock().now() + worker.takes)
        .await;
    if worker.flaky && luck == 0 {
        tracing::info!(worker = worker.name, order = task.key, "forgot");
        return;
    }
    let Ok(order) = OrderId::parse(&task.key) else {
        return;
    };
    if let Err(e) = answer(app, worker, task, order).await {
        tracing::info!(worker = worker.name, order = task.key, reason = %e, "came too late");
    } else if worker.flaky && luck == 1 {
        tracing::info!(worker = worker.name, order = task.key, "cooked it again");
        let again = app
            .send(plate(app, worker, order).await)
            .by(worker.name)
            .await;
        if let Err(e) = again {
            tracing::info!(worker = worker.name, reason = %e, "the second plate was refused");
        }
    }
}

async fn answer(app: &App, worker: &Worker, task: &Asked, order: OrderId) -> Result<(), String> {
    let id = task.open.issued.id;
    let text = |e: &dyn fmt::Display| e.to_string();
    let done = match task.open.issued.name.as_str() {
        CookFood::NAME => {
            let plate = plate(app, worker, order).await;
            app.send(plate)
                .by(worker.name)
                .answering(id)
                .await
                .map_err(|e| text(&e))
        }
        PriceOrder::NAME => {
            let price = price(order);
            app.send(price)
                .by(worker.name)
                .answering(id)
                .await
                .map_err(|e| text(&e))
        }
        _ => {
            let payment = TakePayment { order };
            app.send(payment)
                .by(worker.name)
                .answering(id)
                .await
                .map_err(|e| text(&e))
        }
    };
    done.map(|_| ())
}

async fn plate(app: &App, worker: &Worker, order: OrderId) -> CookFood {
    let row = app.view::<KitchenBoard>().get(&order).await.ok().flatten();
    let ingredients = row.map(|r| r.dishes).unwrap_or_default();
    let name = worker.name.split(':').next_back().unwrap_or(worker.name);
    let mut cooked_by = name.to_string();
    cooked_by[..1].make_ascii_uppercase();
    CookFood {
        order,
        ingredients,
        cooked_by,
    }
}

/// A price between 12.00 and 41.99, always the same for the same order.
fn price(order: OrderId) -> PriceOrder {
    let subtotal = Money(1200 + i64::try_from(order.0.as_u128() % 3000).unwrap_or(0));
    let tax = Money(subtotal.0 / 10);
    PriceOrder {
        order,
        subtotal,
        tax,
        total: subtotal + tax,
    }
}
