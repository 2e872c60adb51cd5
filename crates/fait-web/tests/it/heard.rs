//! Messages of other systems that cannot be read, by HTTP and on the page of the bus.

use crate::pages::{location, page, send};
use crate::shop::{Shop, ThingOffered, opened};
use axum::http::StatusCode;
use fait::App;
use fait::bus::{
    BusError, CloudEvent, Delivery, Incoming, Inlet, Mark, Receive, Received, STRUCTURED,
};
use fait::event::Never;
use fait::store::BoxFuture;
use fait::test::message;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};

struct Market;

thread_local! {
    /// Whether the shop understands what it did not.
    static REPAIRED: AtomicBool = const { AtomicBool::new(false) };
}

impl Receive for Market {
    const SYSTEM: &'static str = "Market";
    type Sends = Never;
    type Records = ThingOffered;
    fn receive(message: &CloudEvent) -> Received<Self> {
        let thing = || message.subject.clone().unwrap_or_default();
        match message.ty.as_str() {
            "new" if !REPAIRED.with(|r| r.load(Ordering::Relaxed)) => {
                Incoming::Unknown("`new` is not known".into())
            }
            _ => Incoming::Record(offered(&thing())),
        }
    }
}

fn offered(thing: &str) -> ThingOffered {
    ThingOffered {
        thing: thing.into(),
        price: "1.00".parse().unwrap(),
        words: vec![],
    }
}

/// Three messages, and no more.
struct Line;

impl Inlet for Line {
    fn take(&self, after: Option<Mark>) -> BoxFuture<'_, Result<Vec<Delivery>, BusError>> {
        Box::pin(async move {
            if after.is_some() {
                return std::future::pending().await;
            }
            let all = [("new", "cup", 1), ("old", "cup", 2), ("old", "mug", 3)];
            let delivery = |(ty, thing, n): (&str, &str, u64)| Delivery {
                mark: Mark {
                    history: "market".into(),
                    sequence: n,
                },
                headers: vec![("content-type".into(), STRUCTURED.into())],
                body: {
                    let mut event = message(ty, json!({"n": n}));
                    event.subject = Some(thing.into());
                    event.to_bytes()
                },
            };
            Ok(all.map(delivery).to_vec())
        })
    }
}

async fn open() -> Shop {
    REPAIRED.with(|r| r.store(false, Ordering::Relaxed));
    let place = App::in_memory().clock(fait::Clock::by_hand());
    let shop = opened(place.hears::<Market>("market", Line));
    while kept(&shop).await.len() < 2 || shop.app.inlets().await.unwrap()[0].mark.is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    shop.app.settle().await;
    shop
}

async fn kept(shop: &Shop) -> Vec<Value> {
    let answer = shop.get("/api/ops/bus/unreadable?receiver=market").await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.json()["messages"].as_array().unwrap().clone()
}

async fn post(shop: &Shop, path: &str, body: Value) -> (StatusCode, Value) {
    let answer = shop
        .post(&format!("/api/ops/bus/{path}"), &body.to_string())
        .await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn what_cannot_be_read_is_listed_read_again_and_left_out() {
    let shop = open().await;
    let all = kept(&shop).await;
    assert_eq!(all[0]["reason"], "`new` is not known");
    assert_eq!(
        (&all[0]["key"], &all[1]["reason"]),
        (&json!("cup"), &Value::Null)
    );
    let (status, answer) = post(&shop, "inlets/market/reread", json!({})).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer["messages"][0]["became"], "unreadable");
    let (status, _) = post(&shop, "inlets/markt/reread", json!({})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _) = post(&shop, "inlets/market/rewind", json!({})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    REPAIRED.with(|r| r.store(true, Ordering::Relaxed));
    let body = json!({"which": all[0]["message"]});
    let (_, answer) = post(&shop, "inlets/market/reread", body).await;
    let became = |n: usize| answer["messages"][n]["became"].clone();
    assert_eq!(
        (became(0), became(1)),
        (json!("recorded"), json!("recorded"))
    );
    assert!(kept(&shop).await.is_empty());
    let path = format!("messages/{}/skip", all[0]["message"].as_str().unwrap());
    let (status, answer) = post(&shop, &path, json!({})).await;
    assert_eq!(
        (status, &answer["field"]),
        (StatusCode::BAD_REQUEST, &json!("reason"))
    );
    let (status, _) = post(&shop, &path, json!({"reason": "no"})).await;
    assert_eq!(status, StatusCode::CONFLICT, "it was read");
    let (status, _) = post(&shop, "inlets/market/continue", json!({"after": 7})).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn the_page_lists_them_and_lets_an_operator_help() {
    let shop = open().await;
    let shown = page(&shop, "Clerk", "/bus").await.body;
    let main = shown.split_once("<main").unwrap().1;
    let main = main.split_once("</main>").unwrap().0;
    let id = kept(&shop).await[0]["message"]
        .as_str()
        .unwrap()
        .to_string();
    insta::assert_snapshot!("heard_kept", main.replace("><", ">\n<"));
    let words = [
        ("receiver", "market"),
        ("message", &id),
        ("how", "leave-out"),
    ];
    let silent = send(&shop, "Clerk", "/bus/heard", &words).await;
    assert_eq!(silent.status, StatusCode::BAD_REQUEST);
    let words = [&words[..], &[("reason", "a test of theirs")]].concat();
    let done = send(&shop, "Clerk", "/bus/heard", &words).await;
    assert_eq!(location(&done), "/bus?done=leave-out");
    while !kept(&shop).await.is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    let after = page(&shop, "Clerk", location(&done)).await.body;
    assert!(after.contains("what waited behind it goes on"), "{after}");
    let again = send(&shop, "Clerk", "/bus/heard", &words).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
}
