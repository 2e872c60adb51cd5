//! Feeds for programs: batches, checkpoints, versions, what cannot be read; and each event exactly
//! once in a database of the reader's own.

mod exactly;
mod kept;
mod killed;
mod postgres;
mod server;
mod versions;

use fait::app::{App, AppBuilder};
use fait::event::{Event, NewEvent, Origin, Tag, Time};
use fait::query::Query;
use fait::reexport::serde_json::{Value, json};
use fait::reexport::uuid::Uuid;
use fait::store::{Append, Memory, Store};
use fait::{EventSet, event};
use std::sync::Arc;

/// Money came in. Version 1 had no currency, version 2 not who paid.
#[event(version = 3, upcast = older, downcast = without_payer, oldest = 2, was = "Paid")]
pub(crate) struct Received {
    pub(crate) amount: u32,
    pub(crate) currency: String,
    pub(crate) from: String,
}

fn older(from: u32, mut data: Value) -> Result<Value, String> {
    if from == 1 {
        data["currency"] = json!("EUR");
    }
    if data["currency"] == "odd" {
        panic!("nobody thought of this currency");
    }
    data["from"] = data["from"].as_str().unwrap_or("unknown").into();
    Ok(data)
}

fn without_payer(to: u32, data: Value) -> Result<Value, String> {
    match data["from"].as_str() {
        Some("nobody") => Err(format!("version {to} cannot say that nobody paid")),
        _ => Ok(json!({"amount": data["amount"], "currency": data["currency"]})),
    }
}

/// Money went out.
#[event]
pub(crate) struct Sent {
    pub(crate) amount: u32,
}

#[derive(EventSet, Clone, Debug, PartialEq)]
pub(crate) enum Cash {
    Received(Received),
    Sent(Sent),
}

pub(crate) fn wired(place: AppBuilder) -> App {
    let app = place.reads::<Cash>().build();
    app.unwrap_or_else(|e| panic!("it should start, but: {e}"))
}

/// A system on a store in memory, and the store.
pub(crate) fn open() -> (App, Arc<Memory>) {
    let store = Arc::new(Memory::default());
    (wired(App::on(store.clone())), store)
}

pub(crate) fn raw(ty: &str, version: u32, data: &Value) -> NewEvent {
    NewEvent {
        id: Uuid::now_v7(),
        ty: ty.into(),
        version,
        tags: vec![Tag::raw("till:1")],
        data: data.to_string().into_bytes().into(),
        origin: Origin::default(),
    }
}

pub(crate) fn sent(amount: u32) -> NewEvent {
    raw(Sent::TYPE, 1, &json!({ "amount": amount }))
}

pub(crate) async fn append(store: &dyn Store, events: Vec<NewEvent>) -> u64 {
    let append = Append {
        events,
        conditions: vec![],
        command: None,
        recorded_at: Time(1_767_225_600_000),
    };
    store.append(append).await.unwrap().last
}

/// Appends so many events, `Sent` with 1, 2, 3 …
pub(crate) async fn fill(store: &dyn Store, n: u32) {
    for from in (1..=n).step_by(1000) {
        let to = n.min(from + 999);
        append(store, (from..=to).map(sent).collect()).await;
    }
}

/// The positions of everything that a query selects, read without a feed.
pub(crate) fn everything() -> Query {
    Query::all()
}
