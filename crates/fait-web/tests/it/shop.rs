//! A shop with one counter: things are put on sale and sold.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use fait::app::AppBuilder;
use fait::decision::{Context, Decide, Model};
use fait::event::{Meta, Money};
use fait::process::{Input, Outbox, Process};
use fait::projection::Projection;
use fait::{App, EventSet, Refusal, command, data, entity_ids, event};
use fait_web::{Clients, Site};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Condvar, Mutex};
use tower::ServiceExt;

entity_ids! { ThingId(text) => "thing" }

#[event]
pub(crate) struct ThingOffered {
    #[tag]
    pub(crate) thing: ThingId,
    pub(crate) price: Money,
    pub(crate) words: Vec<String>,
}

#[event]
pub(crate) struct ThingSold {
    #[tag]
    pub(crate) thing: ThingId,
}

#[derive(EventSet, Clone, Debug, PartialEq)]
pub(crate) enum Shelf {
    Offered(ThingOffered),
    Sold(ThingSold),
}

#[derive(Default)]
pub(crate) struct Thing {
    offered: bool,
    sold: bool,
}

impl Model for Thing {
    type Key = ThingId;
    type Events = Shelf;
    fn evolve(&mut self, event: Shelf) {
        match event {
            Shelf::Offered(_) => self.offered = true,
            Shelf::Sold(_) => self.sold = true,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Refusal)]
pub(crate) enum No {
    #[refused("it is already on sale")]
    OnSale,
    #[refused("it is not on sale")]
    NotOnSale,
    #[refused("it is already sold")]
    Sold,
}

/// Offer a thing
#[command(by = "Shopkeeper", starts)]
pub(crate) struct OfferThing {
    /// What is it called?
    pub(crate) thing: ThingId,
    /// What does it cost?
    pub(crate) price: Money,
    /// Words about it
    pub(crate) words: Vec<String>,
}

impl Decide for OfferThing {
    type Model = Thing;
    type Emits = ThingOffered;
    type Refusal = No;
    fn boundary(&self) -> ThingId {
        self.thing.clone()
    }
    fn decide(&self, thing: &Thing, _: &Context) -> Result<Vec<ThingOffered>, No> {
        while_hung(&format!("decision on {}", self.thing.0));
        if thing.offered {
            return Err(No::OnSale);
        }
        let OfferThing {
            thing,
            price,
            words,
        } = self.clone();
        Ok(vec![ThingOffered {
            thing,
            price,
            words,
        }])
    }
}

/// Sell the thing
#[command(
    by = "Clerk",
    sees = "shelf",
    about = "Sell {thing} for {price}",
    button = "It is sold"
)]
pub(crate) struct SellThing {
    /// The thing
    pub(crate) thing: ThingId,
    /// To whom?
    pub(crate) buyer: String,
}

impl Decide for SellThing {
    type Model = Thing;
    type Emits = ThingSold;
    type Refusal = No;
    fn boundary(&self) -> ThingId {
        self.thing.clone()
    }
    fn decide(&self, thing: &Thing, _: &Context) -> Result<Vec<ThingSold>, No> {
        match (thing.offered, thing.sold) {
            (false, _) => Err(No::NotOnSale),
            (_, true) => Err(No::Sold),
            _ => Ok(vec![ThingSold {
                thing: self.thing.clone(),
            }]),
        }
    }
}

fn while_hung(key: &str) {
    let mut hung = HUNG.0.lock().unwrap();
    while hung.contains(key) {
        hung = HUNG.1.wait(hung).unwrap();
    }
}

/// Things on which the view hangs, and `decision on {thing}`.
static HUNG: (Mutex<BTreeSet<String>>, Condvar) = (Mutex::new(BTreeSet::new()), Condvar::new());

/// A key on which something hangs, until this is dropped; also by a test that fails.
pub(crate) struct Hung(&'static str);

pub(crate) fn hang(key: &'static str) -> Hung {
    HUNG.0.lock().unwrap().insert(key.into());
    Hung(key)
}

impl Drop for Hung {
    fn drop(&mut self) {
        HUNG.0.lock().unwrap().remove(self.0);
        HUNG.1.notify_all();
    }
}

/// View *Shelf*.
#[derive(Debug)]
pub(crate) struct ShelfView;

#[data]
pub(crate) struct ShelfRow {
    /// Thing
    pub(crate) thing: ThingId,
    /// Price
    pub(crate) price: Money,
    /// Words
    pub(crate) words: Vec<String>,
}

impl Projection for ShelfView {
    const NAME: &'static str = "shelf";
    type Key = ThingId;
    type Events = Shelf;
    type Row = ShelfRow;
    fn project(row: &mut Option<ShelfRow>, key: &ThingId, event: Shelf, _: &Meta) {
        while_hung(&key.0);
        *row = match event {
            Shelf::Offered(e) => Some(ShelfRow {
                thing: e.thing,
                price: e.price,
                words: e.words,
            }),
            Shelf::Sold(_) => None,
        }
    }
}

#[data]
#[derive(Default)]
pub(crate) enum Selling {
    #[default]
    Idle,
    Waiting,
    Done,
}

impl Process for Selling {
    const NAME: &'static str = "selling";
    const TITLE: &'static str = "Sell what is on the shelf";
    type Key = ThingId;
    type Events = Shelf;
    type Timer = ();
    type Sends = SellThing;
    type Raises = fait::event::Never;
    fn react(self, _: &ThingId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
        match (self, input) {
            (Selling::Idle, Input::Event(Shelf::Offered(e))) => {
                assert!(e.thing.0 != "bomb", "nobody sells a bomb");
                out.ask::<SellThing>("Clerk")
                    .within(fait::event::minutes(30));
                Selling::Waiting
            }
            (Selling::Waiting, Input::Event(Shelf::Sold(_))) => {
                out.end();
                Selling::Done
            }
            (state, other) => out.unhandled(state, other),
        }
    }
}

pub(crate) struct Shop {
    pub(crate) app: App,
    pub(crate) web: Router,
}

pub(crate) fn open() -> Shop {
    opened(App::in_memory().clock(fait::Clock::by_hand()))
}

/// A shop whose times and ids are the machine's.
pub(crate) fn open_in(folder: &Path) -> Shop {
    opened(App::in_folder(folder))
}

/// A fresh shop that keeps nothing.
pub(crate) fn wired() -> AppBuilder {
    onto(App::in_memory())
}

fn onto(place: AppBuilder) -> AppBuilder {
    place
        .name("Shop")
        .task::<OfferThing>()
        .task::<SellThing>()
        .projection::<ShelfView>()
        .process::<Selling>()
}

pub(crate) fn opened(place: AppBuilder) -> Shop {
    let app = onto(place).build().unwrap();
    let web = Site::new(app.clone()).into_service();
    Shop { app, web }
}

/// A shop with an open door for clients.
pub(crate) fn with_clients(clients: Clients) -> Shop {
    let shop = open();
    let web = Site::new(shop.app.clone()).clients(clients).into_service();
    Shop { web, ..shop }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    pub(crate) fn detail(&self) -> String {
        self.json()["detail"]
            .as_str()
            .unwrap_or_default()
            .to_string()
    }
}

impl Shop {
    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.web.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = to_bytes(body, 64 << 20).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Answer {
            status: head.status,
            headers: head.headers,
            body,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        self.ask(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    pub(crate) async fn offer(&self, thing: &str) {
        let body = format!(r#"{{"thing": "{thing}", "price": "3.50", "words": ["red"]}}"#);
        let answer = self.post("/api/commands/OfferThing", &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        self.app.settle().await;
    }
}
