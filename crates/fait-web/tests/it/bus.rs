//! The bus, by HTTP and on its page: how it stands, and what operators do to it.

use crate::pages::{location, page, send};
use crate::shop::{Shop, ThingId, ThingOffered, opened};
use axum::http::StatusCode;
use fait::App;
use fait::bus::{BusError, Message, Outlet, Publish, Reached};
use fait::event::Meta;
use fait::published;
use fait::store::BoxFuture;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard};

/// A thing is for sale.
#[published(name = "com.example.shop.thing-offered")]
pub(crate) struct Offered {
    #[subject]
    thing: ThingId,
}

struct News;

impl Publish for News {
    const NAME: &'static str = "news";
    type Events = ThingOffered;
    type Model = ();
    type Publishes = Offered;
    fn about(_: &ThingOffered) {}
    fn publish(e: &ThingOffered, (): &(), _: &Meta) -> Vec<Offered> {
        assert!(e.thing.0 != "secret", "nobody may know");
        let thing = e.thing.clone();
        vec![Offered { thing }]
    }
}

#[derive(Clone, Default)]
struct Broker(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    history: u32,
    kept: Vec<Message>,
    too_large: Option<&'static str>,
    away: bool,
}

impl Broker {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap()
    }

    fn made_anew(&self) {
        let mut inside = self.inside();
        inside.history += 1;
        inside.kept.clear();
    }

    fn subjects(&self) -> Vec<String> {
        let inside = self.inside();
        let subjects = inside.kept.iter().map(|m| m.event.subject.clone());
        subjects.map(Option::unwrap).collect()
    }
}

impl Inside {
    fn reached(&self) -> Reached {
        Reached {
            history: format!("stream {}", self.history),
            sequence: self.kept.len() as u64,
            position: self.kept.last().map(|m| m.position),
        }
    }
}

impl Outlet for Broker {
    fn reached(&self) -> BoxFuture<'_, Result<Reached, BusError>> {
        Box::pin(async {
            let inside = self.inside();
            if inside.away {
                return Err(BusError::Later("no connection".into()));
            }
            Ok(inside.reached())
        })
    }
    fn hand_over(
        &self,
        after: Reached,
        messages: Vec<Message>,
    ) -> BoxFuture<'_, Result<Reached, BusError>> {
        Box::pin(async move {
            let mut inside = self.inside();
            if inside.away {
                return Err(BusError::Later("no connection".into()));
            }
            if after.history != inside.reached().history {
                return Err(BusError::Other(inside.reached().history));
            }
            for message in messages {
                if message.event.subject.as_deref() == inside.too_large {
                    let (position, why) = (message.position, "it is too large".into());
                    return Err(BusError::Message { position, why });
                }
                inside.kept.push(message);
            }
            Ok(inside.reached())
        })
    }
}

fn open() -> (Shop, Broker) {
    let broker = Broker::default();
    let place = App::in_memory().clock(fait::Clock::by_hand());
    let place = place.source("urn:example:shop").publishes::<News>();
    (opened(place.relays("broker", broker.clone())), broker)
}

async fn status(shop: &Shop) -> Value {
    let answer = shop.get("/api/ops/bus").await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.json()
}

async fn act(shop: &Shop, outlet: &str, action: &str, body: Value) -> (StatusCode, Value) {
    let path = format!("/api/ops/bus/outlets/{outlet}/{action}");
    let answer = shop.post(&path, &body.to_string()).await;
    shop.app.settle().await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn how_the_bus_stands_is_told_and_measured() {
    let (shop, broker) = open();
    shop.offer("cup").await;
    shop.offer("mug").await;
    let bus = status(&shop).await;
    assert_eq!(bus["source"], "urn:example:shop");
    assert_eq!(bus["publications"][0]["name"], "news");
    assert_eq!(bus["publications"][0]["lag_events"], 0);
    let outlet = &bus["outlets"][0];
    assert_eq!(
        (&outlet["name"], &outlet["waiting"]),
        (&json!("broker"), &json!(0))
    );
    assert_eq!(outlet["reached"]["sequence"], 2);
    assert_eq!(bus["inlets"], json!([]));
    broker.made_anew();
    shop.offer("pan").await;
    let bus = status(&shop).await;
    assert_eq!(bus["outlets"][0]["waiting"], 1);
    assert_eq!(bus["outlets"][0]["halted"]["wants"], "replay");
    let metrics = shop.get("/metrics").await.body;
    for line in [
        "fait_bus_publication_lag_events{publication=\"news\"} 0",
        "fait_bus_outlet_waiting_messages{outlet=\"broker\"} 1",
        "fait_bus_outlet_stopped{outlet=\"broker\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
}

#[tokio::test]
async fn operators_let_it_go_on_by_http() {
    let (shop, broker) = open();
    shop.offer("cup").await;
    broker.made_anew();
    shop.offer("mug").await;
    let (status, answer) = act(&shop, "broker", "replay", json!({"from": "soon"})).await;
    assert_eq!(
        (status, &answer["field"]),
        (StatusCode::BAD_REQUEST, &json!("from"))
    );
    let (status, answer) = act(&shop, "broker", "replay", json!({"from": 9999})).await;
    assert_eq!(
        (status, &answer["field"]),
        (StatusCode::BAD_REQUEST, &json!("from"))
    );
    let (status, _) = act(&shop, "brokr", "replay", json!({"from": "start"})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _) = act(&shop, "broker", "rewind", json!({})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let body = json!({"from": "start", "by": "operator:max", "reason": "it is new"});
    let (status, answer) = act(&shop, "broker", "replay", body).await;
    assert_eq!((status, &answer["after"]), (StatusCode::OK, &json!(0)));
    assert_eq!(broker.subjects(), ["cup", "mug"]);
    broker.inside().too_large = Some("tun");
    shop.offer("tun").await;
    shop.offer("pan").await;
    assert_eq!(broker.subjects(), ["cup", "mug"]);
    let bus = self::status(&shop).await;
    let position = bus["outlets"][0]["halted"]["position"].clone();
    let (status, answer) = act(&shop, "broker", "skip", json!({"position": position})).await;
    assert_eq!(
        (status, &answer["field"]),
        (StatusCode::BAD_REQUEST, &json!("reason"))
    );
    let body = json!({"position": 1, "reason": "too large"});
    let (status, _) = act(&shop, "broker", "skip", body).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let (status, _) = act(&shop, "broker", "retry", json!({})).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(broker.subjects(), ["cup", "mug"]);
    let body = json!({"position": position, "reason": "too large"});
    let (status, _) = act(&shop, "broker", "skip", body).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(broker.subjects(), ["cup", "mug", "pan"]);
}

#[tokio::test]
async fn the_page_shows_it_and_lets_an_operator_help() {
    let (shop, broker) = open();
    shop.offer("cup").await;
    let quiet = page(&shop, "Clerk", "/bus").await.body;
    assert!(quiet.contains("Nothing waits for an operator."), "{quiet}");
    assert!(quiet.contains("urn:example:shop"), "{quiet}");
    broker.made_anew();
    shop.offer("mug").await;
    shop.offer("secret").await;
    let start = page(&shop, "Clerk", "/status").await.body;
    assert!(start.contains("href=\"/bus\""), "{start}");
    assert!(start.contains("2 parts wait for somebody"), "{start}");
    let stopped = page(&shop, "Clerk", "/bus").await.body;
    insta::assert_snapshot!("bus_stopped", main_of(&stopped));
    let words = [("outlet", "broker"), ("how", "replay"), ("from", "start")];
    let silent = send(&shop, "Clerk", "/bus", &words).await;
    assert_eq!(silent.status, StatusCode::BAD_REQUEST);
    assert!(silent.body.contains("ay why, in 1 to"), "{}", silent.body);
    assert_eq!(broker.subjects(), Vec::<String>::new());
    let words = [&words[..], &[("reason", "the broker is new")]].concat();
    let done = send(&shop, "Clerk", "/bus", &words).await;
    assert_eq!(location(&done), "/bus?done=replay");
    shop.app.settle().await;
    assert_eq!(broker.subjects(), ["cup", "mug"]);
    let after = page(&shop, "Clerk", location(&done)).await.body;
    assert!(
        after.contains("Messages are handed over from there on."),
        "{after}"
    );
}

#[tokio::test]
async fn what_fails_and_is_tried_again_is_said_where_one_looks_first() {
    let (shop, broker) = open();
    shop.offer("cup").await;
    broker.inside().away = true;
    let start = page(&shop, "Clerk", "/status").await.body;
    assert!(!start.contains("one part fails"), "{start}");
    shop.offer("mug").await;
    while status(&shop).await["outlets"][0]["trouble"].is_null() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    let start = page(&shop, "Clerk", "/status").await.body;
    assert!(
        start.contains("one part fails, and is tried again"),
        "{start}"
    );
    let bus = page(&shop, "Clerk", "/bus").await.body;
    let words = "Nothing was handed over for less than a minute: No connection.";
    assert!(bus.contains(words), "{bus}");
    assert!(bus.contains("what fails is tried again"), "{bus}");
}

/// What stands in the page itself.
fn main_of(page: &str) -> String {
    let main = page.split_once("<main").map_or(page, |(_, rest)| rest);
    let main = main.split_once("</main>").map_or(main, |(main, _)| main);
    main.replace("><", ">\n<")
}
