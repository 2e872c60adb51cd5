//! A restaurant for tests: nobody works by themselves, and time stands still until it is moved.

use fait::Clock;
use fait::app::{App, Asked};
use fait::event::{EntityId, Money, StoredEvent, Time};
use fait::process::{Fact, Issued, types};
use fait::query::Query;
use fait::store::Range;
use restaurant::card::Terminal;
use restaurant::events::OrderId;
use restaurant::orders::{CookFood, PlaceOrder};
use restaurant::till::{PriceOrder, TakePayment};
use std::time::Duration;

pub(crate) struct House {
    pub(crate) app: App,
}

pub(crate) fn open() -> House {
    House {
        app: restaurant::in_memory(Clock::by_hand(), Terminal::new(false)).unwrap(),
    }
}

impl House {
    pub(crate) async fn place(&self, name: &str, pays_first: bool) -> OrderId {
        let order = OrderId::named(name);
        let dishes = vec!["cake".to_string()];
        let place = PlaceOrder {
            order,
            table: 4,
            dishes,
            pays_first,
        };
        self.app.send(place).by("waiter:ann").await.unwrap();
        self.app.settle().await;
        order
    }

    /// Cooks without being asked, as a cook does who forgot that it was done.
    pub(crate) async fn cook(&self, order: OrderId, by: &str) {
        self.app.send(plate(order, by)).by(by).await.unwrap();
        self.app.settle().await;
    }

    /// Does the asked task of a role about an order.
    pub(crate) async fn answer(&self, role: &str, order: OrderId) {
        let asked = self
            .asked(role, order)
            .unwrap_or_else(|| panic!("{role} is not asked"));
        let id = asked.open.issued.id;
        match asked.open.issued.name.as_str() {
            "CookFood" => self
                .app
                .send(plate(order, "tom"))
                .answering(id)
                .await
                .map(drop)
                .unwrap(),
            "PriceOrder" => self
                .app
                .send(price(order))
                .answering(id)
                .await
                .map(drop)
                .unwrap(),
            "TakePayment" => {
                let pay = TakePayment { order };
                self.app.send(pay).answering(id).await.map(drop).unwrap();
            }
            other => panic!("nobody answers {other} here"),
        }
        self.app.settle().await;
    }

    /// Lets the card terminal answer, which takes up to forty seconds.
    pub(crate) async fn charge(&self) {
        for _ in 0..5 {
            self.app.advance(Duration::from_secs(10)).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.app.settle().await;
    }

    pub(crate) fn asked(&self, role: &str, order: OrderId) -> Option<Asked> {
        let inbox = self.app.inbox(role, 1000).unwrap();
        inbox.into_iter().find(|a| a.key == order.to_string())
    }

    /// Everything that happened, without the note where processes begin.
    pub(crate) async fn all(&self) -> Vec<StoredEvent> {
        let all = all(&self.app).await.into_iter();
        all.filter(|e| e.ty != types::BEGAN).collect()
    }

    /// What happened to an order, in the words of the board.
    pub(crate) async fn told(&self, order: OrderId) -> Vec<String> {
        let events = self.of(order).await;
        events
            .into_iter()
            .map(|e| e.ty)
            .filter(|t| !t.starts_with('$'))
            .collect()
    }

    pub(crate) async fn of(&self, order: OrderId) -> Vec<StoredEvent> {
        let events = self.all().await;
        events
            .into_iter()
            .filter(|e| e.tags.contains(&order.tag()))
            .collect()
    }

    /// What processes issued about an order, in order.
    pub(crate) async fn issued(&self, order: OrderId) -> Vec<Issued> {
        let events = self.of(order).await;
        let steps = events.iter().filter_map(|e| match Fact::read(e).unwrap() {
            Some(Fact::Stepped(step)) => Some(step.issued),
            _ => None,
        });
        steps.flatten().collect()
    }

    pub(crate) async fn names_issued(&self, order: OrderId) -> Vec<String> {
        let issued = self.issued(order).await.into_iter();
        issued
            .map(|i| i.name)
            .filter(|n| n != "SpikeOrder")
            .collect()
    }

    pub(crate) async fn running(&self) -> u64 {
        self.app
            .processes()
            .await
            .unwrap()
            .iter()
            .map(|p| p.instances.running)
            .sum()
    }

    pub(crate) fn now(&self) -> Time {
        self.app.clock().now()
    }
}

pub(crate) async fn all(app: &App) -> Vec<StoredEvent> {
    let mut out: Vec<StoredEvent> = vec![];
    loop {
        let after = out.last().map_or(0, |e| e.meta.position);
        let slice = app
            .events(&Query::all(), Range::after(after, 1000))
            .await
            .unwrap();
        if slice.events.is_empty() {
            return out;
        }
        out.extend(slice.events);
    }
}

pub(crate) fn plate(order: OrderId, by: &str) -> CookFood {
    CookFood {
        order,
        ingredients: vec!["flour".into()],
        cooked_by: by.into(),
    }
}

pub(crate) fn price(order: OrderId) -> PriceOrder {
    PriceOrder {
        order,
        subtotal: Money(2000),
        tax: Money(400),
        total: Money(2400),
    }
}

pub(crate) fn count(told: &[String], what: &str) -> usize {
    told.iter().filter(|t| *t == what).count()
}
