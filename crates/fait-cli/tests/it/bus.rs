//! `fait bus`: on a running system.

use crate::called::{at, within};
use crate::kitchen::{OrderCooked, OrderId, Running, history, kitchen};
use fait::app::AppBuilder;
use fait::bus::{BusError, Message, Outlet, Publish, Reached};
use fait::event::{EventSet, Meta};
use fait::published;
use fait::store::BoxFuture;
use insta::assert_snapshot;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// An order is cooked.
#[published(name = "com.example.kitchen.order-cooked")]
struct Cooked {
    #[subject]
    order: OrderId,
}

struct Bell;

impl Publish for Bell {
    const NAME: &'static str = "bell";
    type Events = OrderCooked;
    type Model = ();
    type Publishes = Cooked;
    fn about(_: &OrderCooked) {}
    fn publish(e: &OrderCooked, (): &(), _: &Meta) -> Vec<Cooked> {
        let orders = e.ids::<OrderId>().into_iter();
        orders.map(|order| Cooked { order }).collect()
    }
}

/// The broker of this test: which history it is, and what it has.
static BROKER: Mutex<(u32, Vec<Message>)> = Mutex::new((1, vec![]));

/// What it cannot carry.
const LARGE: &str = "99";

struct Broker;

fn inside() -> MutexGuard<'static, (u32, Vec<Message>)> {
    BROKER.lock().unwrap_or_else(PoisonError::into_inner)
}

fn reached((history, kept): &(u32, Vec<Message>)) -> Reached {
    Reached {
        history: format!("stream {history}"),
        sequence: kept.len() as u64,
        position: kept.last().map(|m| m.position),
    }
}

impl Outlet for Broker {
    fn reached(&self) -> BoxFuture<'_, Result<Reached, BusError>> {
        Box::pin(async { Ok(reached(&inside())) })
    }
    fn hand_over(
        &self,
        after: Reached,
        messages: Vec<Message>,
    ) -> BoxFuture<'_, Result<Reached, BusError>> {
        Box::pin(async move {
            let mut inside = inside();
            let now = reached(&inside).history;
            if after.history != now {
                return Err(BusError::Other(now));
            }
            for message in messages {
                if message.event.subject.as_deref() == Some(LARGE) {
                    let (position, why) = (message.position, "it has 2000000 bytes".into());
                    return Err(BusError::Message { position, why });
                }
                inside.1.push(message);
            }
            Ok(reached(&inside))
        })
    }
}

fn ringing(place: AppBuilder) -> AppBuilder {
    let place = kitchen(place).source("urn:example:kitchen");
    place.publishes::<Bell>().relays("broker", Broker)
}

#[test]
fn the_bus_is_shown_and_helped_on() {
    let folder = tempfile::tempdir().unwrap();
    history(folder.path());
    let running = Running::wired(folder.path(), ringing);
    let call = |words: &[&str]| at(&running.address, &[&["bus"], words].concat());
    let wait = || running.wait(running.app().settle());
    running.cook(9);
    wait();
    assert_snapshot!("goes_on", call(&["status"]));
    *inside() = (2, vec![]);
    running.cook(10);
    wait();
    assert_snapshot!("another_history", call(&["status"]));
    assert_snapshot!("retried", call(&["retry", "broker"]));
    wait();
    assert_eq!(inside().1, [], "trying again is no guess");
    assert_snapshot!("unknown", call(&["replay", "brokr", "--from", "start"]));
    assert_snapshot!(
        "not_a_place",
        call(&["replay", "broker", "--from", "sooner"])
    );
    assert_snapshot!("replayed", call(&["replay", "broker", "--from", "start"]));
    wait();
    let subjects: Vec<Option<String>> =
        inside().1.iter().map(|m| m.event.subject.clone()).collect();
    assert_eq!(subjects, [Some("9".into()), Some("10".into())]);
    running.cook(99);
    running.cook(11);
    wait();
    let status = call(&["status"]);
    assert_snapshot!("too_large", status);
    let json: serde_json::Value = serde_json::from_str(&call(&["status", "--json"])).unwrap();
    let position = json["outlets"][0]["halted"]["position"].to_string();
    let words = ["pass-over", "broker", &position, "--reason", "sent by hand"];
    assert_snapshot!("passed_over", call(&words));
    wait();
    assert_eq!(
        inside().1.last().unwrap().event.subject.as_deref(),
        Some("11")
    );
    drop(running);
    assert_snapshot!("in_a_folder", within(folder.path(), &["bus", "status"]));
}
