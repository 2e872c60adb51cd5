//! Processes tell a real HTTP server that fails in every way: through the whole runtime, with a
//! ledger at the server that says what was done how often.

mod server;
mod door;
mod published;
mod hostile;

use fait::app::{App, AppBuilder, Limits, TellError, Uncertain};
use fait::event::{Never, minutes};
use fait::process::{Input, Outbox, Process, Status};
use fait::reexport::serde_json::{self, Value, json};
use fait::reexport::uuid::Uuid;
use fait::store::Memory;
use fait::{Clock, EventSet, command, data, entity_ids, event};
use fait_http::{Http, Method, Request};
use server::{Does, Server};
use std::sync::Arc;
use std::time::Duration;

entity_ids! { OrderId(text) => "order" }

#[event]
struct OrderPlaced {
    #[tag]
    order: OrderId,
}

#[event]
struct CardCharged {
    #[tag]
    order: OrderId,
    charge: u64,
}

#[derive(EventSet, Clone, Debug, PartialEq)]
enum Heard {
    Placed(OrderPlaced),
    Charged(CardCharged),
}

/// Charge card
#[command(to = "Payments")]
struct ChargeCard {
    order: OrderId,
    cents: u64,
}

#[data]
#[derive(Default)]
enum Paying {
    #[default]
    New,
    Asked,
    Charged(u64),
    Failed(String),
}

impl Process for Paying {
    const NAME: &'static str = "paying";
    type Key = OrderId;
    type Events = Heard;
    type Timer = ();
    type Sends = ChargeCard;
    type Raises = Never;
    fn react(self, order: &OrderId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
        match input {
            Input::Event(Heard::Placed(_)) => {
                out.send(ChargeCard {
                    order: order.clone(),
                    cents: 1250,
                });
                Paying::Asked
            }
            Input::Event(Heard::Charged(e)) => Paying::Charged(e.charge),
            Input::Failed { error, .. } => Paying::Failed(error),
            Input::Done { .. } => self,
            other => out.unhandled(self, other),
        }
    }
}

fn payments(server: &Server, on_uncertain: Uncertain) -> Http {
    Http::to(&server.address, on_uncertain)
        .unwrap()
        .within(Duration::from_millis(300))
        .answers(|told, answer| {
            let charge = answer["charge"].as_u64().ok_or("no charge")?;
            let order = OrderId(told.body["order"].as_str().unwrap_or_default().into());
            Ok(Some(CardCharged { order, charge }))
        })
}

fn paying(app: AppBuilder, payments: Http) -> App {
    app.clock(Clock::by_hand())
        .tells::<ChargeCard>()
        .receives::<OrderPlaced>("Shop")
        .receives::<CardCharged>("Payments")
        .system("Payments", payments)
        .process::<Paying>()
        .build()
        .unwrap()
}

async fn place(app: &App, order: &str) {
    let placed = OrderPlaced {
        order: OrderId(order.into()),
    };
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, order.as_bytes());
    app.receive(placed, id, None).await.unwrap();
}

async fn state(app: &App, order: &str) -> Paying {
    let instance = app.instance("paying", order).await.unwrap().unwrap();
    serde_json::from_value(instance.state.unwrap().1).unwrap()
}

#[tokio::test]
async fn a_command_is_a_post_with_its_key_and_flow_and_the_answer_an_event() {
    let server = Server::start(&[]).await;
    let app = paying(App::in_memory(), payments(&server, Uncertain::Retry));
    place(&app, "a").await;
    app.settle().await;
    assert_eq!(state(&app, "a").await, Paying::Charged(1));
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    let (path, headers, body) = &asked[0];
    assert_eq!(path, "/v1/ChargeCard");
    assert_eq!(*body, json!({ "order": "a", "cents": 1250 }));
    let id = headers["idempotency-key"].to_str().unwrap();
    let charged = app.event_of(id.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(charged.ty, "CardCharged");
    let flow = charged.meta.origin.correlation.to_string();
    assert_eq!(headers["correlation-id"], flow.as_str());
    let cause = charged.meta.origin.causation.unwrap().to_string();
    assert_eq!(headers["causation-id"], cause.as_str());
    assert_eq!(headers["content-type"], "application/json");
}

#[tokio::test]
async fn busy_and_broken_servers_are_asked_again_and_charge_once() {
    let faults = [
        Does::Status(500),
        Does::Status(503),
        Does::Hangs,
        Does::DropsAfterReading,
        Does::ChargesAndDrops,
        Does::Status(429),
    ];
    let server = Server::start(&faults).await;
    let app = paying(App::in_memory(), payments(&server, Uncertain::Retry));
    place(&app, "a").await;
    app.advance(minutes(10)).await;
    assert_eq!(state(&app, "a").await, Paying::Charged(1));
    let asked = server.asked();
    assert_eq!(asked.len(), 7);
    let keys = asked
        .iter()
        .map(|(_, headers, _)| &headers["idempotency-key"]);
    assert!(keys.into_iter().all(|k| k == asked[0].1["idempotency-key"]));
    assert_eq!(server.charges(), 1, "once per key");
}

#[tokio::test]
async fn retry_after_is_kept() {
    for after in ["600", "Thu, 01 Jan 2026 00:10:00 GMT"] {
        let server = Server::start(&[Does::RetryAfter(after)]).await;
        let app = paying(App::in_memory(), payments(&server, Uncertain::Retry));
        place(&app, "a").await;
        app.advance(Duration::from_secs(599)).await;
        assert_eq!(server.asked().len(), 1);
        app.advance(Duration::from_secs(1)).await;
        assert_eq!(state(&app, "a").await, Paying::Charged(1));
    }
}

#[tokio::test]
async fn what_is_wrong_is_heard_at_once() {
    let server = Server::start(&[Does::Status(400), Does::Status(302)]).await;
    let app = paying(App::in_memory(), payments(&server, Uncertain::Retry));
    for (order, status) in [("a", "400 Bad Request"), ("b", "302 Found")] {
        place(&app, order).await;
        app.settle().await;
        let Paying::Failed(why) = state(&app, order).await else {
            panic!("{status} is no failure");
        };
        assert_eq!(why, format!("Payments will not do it: {status}: so it is"));
    }
    assert_eq!((server.asked().len(), server.charges()), (2, 0));
}

#[tokio::test]
async fn who_would_charge_twice_is_asked_once_when_nobody_knows() {
    for fault in [
        Does::Hangs,
        Does::DropsAfterReading,
        Does::ChargesAndDrops,
        Does::TooLong,
    ] {
        let server = Server::start(&[fault]).await;
        let app = paying(App::in_memory(), payments(&server, Uncertain::Park));
        place(&app, "a").await;
        app.advance(minutes(60)).await;
        let parked = app.parked().unwrap();
        assert_eq!((parked.len(), server.asked().len()), (1, 1), "{fault:?}");
        assert!(server.charges() <= 1);
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_asked_again_also_when_it_would_charge_twice() {
    let server = Server::start(&[]).await;
    let nowhere = server.free_address().await;
    let mut http = payments(&server, Uncertain::Park);
    http = http.limited(Limits {
        for_up_to: minutes(1),
        ..Limits::default()
    });
    let gone = Http::to(&nowhere, Uncertain::Park).unwrap();
    let app = paying(App::in_memory(), gone);
    place(&app, "a").await;
    app.settle().await;
    let status = app.systems().unwrap().remove(0);
    let (_, error) = status.last_error.unwrap();
    assert!(error.starts_with("no connection"), "{error}");
    app.advance(minutes(5)).await;
    assert!(app.parked().unwrap().is_empty());
    assert_eq!(state(&app, "a").await, Paying::Asked);
    app.stop().await;
    // The same limits as the runtime's, but for what was said.
    use fait::app::System;
    assert_eq!(http.limits().for_up_to, minutes(1));
}

/// Runs a program until the server has the request, and ends it as a power failure would.
fn crash_while_it_asks(store: &Arc<Memory>, server: &Server, on_uncertain: Uncertain) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let http = payments(server, on_uncertain).within(Duration::from_secs(20));
        let app = paying(App::on(store.clone()), http);
        place(&app, "a").await;
        server.called().await;
    });
    runtime.shutdown_background();
}

#[test]
fn a_crash_in_the_middle_charges_once_per_key() {
    for (on_uncertain, parked) in [(Uncertain::Retry, 0), (Uncertain::Park, 1)] {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let store = Arc::new(Memory::default());
        let server = runtime.block_on(Server::start(&[Does::ChargesAndHangs]));
        crash_while_it_asks(&store, &server, on_uncertain);
        runtime.block_on(async {
            let app = paying(App::on(store.clone()), payments(&server, on_uncertain));
            app.advance(minutes(1)).await;
            assert_eq!(app.parked().unwrap().len(), parked);
            assert_eq!(server.charges(), 1);
            if parked == 0 {
                assert_eq!(state(&app, "a").await, Paying::Charged(1));
                return;
            }
            let instance = app.instance("paying", "a").await.unwrap().unwrap();
            assert!(matches!(instance.status, Status::Parked { .. }));
        });
    }
}

#[tokio::test]
async fn an_application_words_its_own_requests() {
    let server = Server::start(&[]).await;
    let http = payments(&server, Uncertain::Retry)
        .secret_header("authorization", "Bearer 7")
        .unwrap()
        .request(|told| {
            let order = told.body["order"].as_str().ok_or("no order")?;
            Ok(Request {
                method: Method::PUT,
                path: format!("/orders/{order}?now=1"),
                headers: vec![("x-shop".into(), "inn".into())],
                body: Some(json!({ "amount": told.body["cents"] })),
            })
        });
    assert!(!format!("{http:?}").contains("Bearer"));
    let app = paying(App::in_memory(), http);
    place(&app, "a").await;
    app.settle().await;
    let (path, headers, body): (String, _, Value) = server.asked().remove(0);
    assert_eq!(path, "/v1/orders/a?now=1");
    assert_eq!(
        (&headers["authorization"], &headers["x-shop"]),
        (&"Bearer 7".parse().unwrap(), &"inn".parse().unwrap())
    );
    assert_eq!(body, json!({ "amount": 1250 }));
}

#[test]
fn wrong_addresses_and_headers_are_said() {
    for wrong in ["payments.example", "ftp://payments.example", ""] {
        let e = Http::to(wrong, Uncertain::Retry).unwrap_err().to_string();
        assert!(e.contains("http://"), "{e}");
    }
    let http = Http::to("https://payments.example", Uncertain::Retry).unwrap();
    assert!(http.clone().secret_header("a b", "c").is_err());
    assert!(http.secret_header("a", "c\n").is_err());
    assert_eq!(TellError::never("no").to_string(), "no");
}
