//! A board that is played, as its people would play it: the restaurant's from order to spike.

use fait::app::{App, Asked, Envelope, Receipt, SendError};
use fait::board::play;
use fait::event::{minutes, seconds};
use fait::process::{Fact, types};
use fait::query::Query;
use fait::store::Range;
use fait::{Clock, event::StoredEvent};
use serde_json::{Value, json};

const RESTAURANT: &str = include_str!("../../../../examples/restaurant/restaurant.board");

/// A board in play, with a clock that is moved by hand.
pub(crate) struct Table {
    pub(crate) app: App,
}

impl Table {
    pub(crate) fn of(board: &str) -> Table {
        let play = play::read(board).unwrap();
        let place = App::in_memory().clock(Clock::by_hand());
        Table {
            app: play.onto(place).build().unwrap(),
        }
    }

    /// Somebody does something unasked.
    pub(crate) async fn does(&self, task: &str, body: Value) -> Result<Receipt, SendError> {
        let done = self.app.send_json(task, body, by(None)).await;
        self.app.settle().await;
        done
    }

    /// What a role is asked, by the names of the tasks.
    pub(crate) fn asked(&self, role: &str) -> Vec<String> {
        let all = self.app.inbox(role, 50).unwrap();
        all.into_iter().map(|a| a.open.issued.name).collect()
    }

    pub(crate) fn ask(&self, role: &str, task: &str) -> Asked {
        let all = self.app.inbox(role, 50).unwrap();
        let mut fits = all.into_iter().filter(|a| a.open.issued.name == task);
        fits.next_back()
            .unwrap_or_else(|| panic!("{role} is not asked for {task}"))
    }

    /// A role does what it is asked, with what the ask gives and these words.
    pub(crate) async fn answers(&self, role: &str, task: &str, words: Value) {
        let asked = self.ask(role, task);
        let mut body = asked.open.issued.body.clone();
        for (name, value) in words.as_object().unwrap() {
            body[name] = value.clone();
        }
        let answer = by(Some(asked.open.issued.id));
        self.app.send_json(task, body, answer).await.unwrap();
        self.app.settle().await;
    }

    /// What happened, without what is recorded of the processes.
    pub(crate) async fn happened(&self) -> Vec<StoredEvent> {
        let all = self
            .app
            .events(&Query::all(), Range::after(0, 10_000))
            .await;
        let own = all.unwrap().events.into_iter();
        own.filter(|e| !e.ty.starts_with('$')).collect()
    }

    /// Why anything waits for an operator.
    pub(crate) async fn parked(&self) -> Vec<String> {
        let query = Query::types(&[types::PARKED]);
        let all = self
            .app
            .events(&query, Range::after(0, 1000))
            .await
            .unwrap();
        let why = |e: &StoredEvent| match Fact::read(e).unwrap() {
            Some(Fact::Parked(p)) => Some(format!("{} {}: {}", p.process, p.key, p.reason)),
            _ => None,
        };
        all.events.iter().filter_map(why).collect()
    }

    pub(crate) async fn types(&self) -> Vec<String> {
        self.happened().await.into_iter().map(|e| e.ty).collect()
    }

    pub(crate) async fn last(&self) -> (String, Value) {
        let last = self.happened().await.pop().unwrap();
        (last.ty.clone(), last.json().unwrap())
    }
}

fn by(answering: Option<uuid::Uuid>) -> Envelope {
    Envelope {
        actor: Some("waiter:ann".into()),
        answering,
        ..Envelope::default()
    }
}

fn order() -> Value {
    json!({"order": "7", "table": 4, "dishes": ["cake"], "pays_first": false})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_restaurant_is_played_from_order_to_spike() {
    let table = Table::of(RESTAURANT);
    table.does("PlaceOrder", order()).await.unwrap();
    assert_eq!(table.asked("Cook"), ["CookFood"]);
    let asked = table.ask("Cook", "CookFood");
    assert_eq!(asked.open.issued.body, json!({"order": "7"}));
    let due = asked.open.issued.due.unwrap();
    assert_eq!(due.since(table.app.clock().now()), minutes(30));
    assert!(
        table.asked("Assistant manager").is_empty(),
        "who pays later is billed later"
    );

    table.app.advance(minutes(30)).await;
    assert_eq!(table.types().await, ["OrderPlaced", "CookingTimedOut"]);
    assert_eq!(table.ask("Cook", "CookFood").open.issued.tries, 2);
    table.app.advance(minutes(60)).await;
    assert_eq!(table.types().await.len(), 4, "a third time-out");
    assert_eq!(table.ask("Cook", "CookFood").open.issued.tries, 3);
    assert_eq!(table.asked("Floor manager"), ["SortOutOrder"]);
    table.app.advance(minutes(240)).await;
    assert_eq!(table.types().await.len(), 4, "three tries are enough");

    let cooked = json!({"ingredients": ["egg"], "cooked_by": "Tom"});
    table.answers("Cook", "CookFood", cooked).await;
    assert!(
        table.asked("Floor manager").is_empty(),
        "there is nothing to sort out"
    );
    let price = json!({"subtotal": "20", "tax": "4", "total": "24"});
    table
        .answers("Assistant manager", "PriceOrder", price)
        .await;
    table.answers("Cashier", "TakePayment", json!({})).await;
    let started = json!({"order": "7", "total": "24.00"});
    assert_eq!(table.last().await, ("PaymentStarted".into(), started));

    let told = table.ask("Card terminal", "ChargeCard");
    assert_eq!(
        told.open.issued.body,
        json!({"order": "7", "total": "24.00"})
    );
    let answer = json!({"what_happens": "Card declined"});
    table.answers("Card terminal", "ChargeCard", answer).await;
    let last = table.last().await.0;
    assert_eq!(last, "CardPaymentFailed");
    table.answers("Cashier", "TakePayment", json!({})).await;
    table.app.advance(seconds(119)).await;
    assert_eq!(table.asked("Cashier"), Vec::<String>::new());
    table.app.advance(seconds(1)).await;
    assert_eq!(
        table.asked("Cashier"),
        ["TakePayment"],
        "the terminal is silent"
    );
    let answer = json!({"what_happens": "Card charged"});
    table.answers("Card terminal", "ChargeCard", answer).await;
    let paid = table.happened().await;
    let paid = paid.iter().find(|e| e.ty == "OrderPaid").unwrap();
    assert_eq!(
        paid.json().unwrap(),
        json!({"order": "7", "total": "24.00"})
    );
    assert_eq!(table.last().await.0, "OrderSpiked");
    let open = table.app.waiting(50).unwrap();
    assert!(open.is_empty(), "{open:?}");
    assert_eq!(table.parked().await, Vec::<String>::new());
    let row = table
        .app
        .view_row("bills-to-settle", "7")
        .await
        .unwrap()
        .unwrap();
    let seen = json!({"table": 4, "total": "24.00", "reason": null, "last": "Order paid"});
    assert_eq!(row.row, seen);
}
