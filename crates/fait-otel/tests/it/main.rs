//! A system with a collector on the loopback: what arrives there, and how it is joined.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use fait::app::{App, Envelope, System, TellError, Told, Uncertain};
use fait::decision::{Context, Decide, Model};
use fait::event::Never;
use fait::process::{Input, Outbox, Process};
use fait::reexport::serde_json::json;
use fait::store::BoxFuture;
use fait::{Clock, command, data, entity_ids, event};
use fait_otel::{Export, OtelError};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The trace and the span of whoever places the order.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

entity_ids! { OrderId(text) => "order" }

/// An order was placed.
#[event]
struct OrderPlaced {
    #[tag]
    order: OrderId,
}

#[derive(Default)]
struct Nothing;

impl Model for Nothing {
    type Key = OrderId;
    type Events = OrderPlaced;
    fn evolve(&mut self, _: OrderPlaced) {}
}

/// Place an order
#[command(by = "Customer", starts)]
struct PlaceOrder {
    /// Which?
    order: OrderId,
}

impl Decide for PlaceOrder {
    type Model = Nothing;
    type Emits = OrderPlaced;
    type Refusal = Never;
    fn boundary(&self) -> OrderId {
        self.order.clone()
    }
    fn decide(&self, _: &Nothing, _: &Context) -> Result<Vec<OrderPlaced>, Never> {
        let order = self.order.clone();
        Ok(vec![OrderPlaced { order }])
    }
}

/// Pack an order
#[command(to = "Warehouse")]
struct PackOrder {
    /// Which?
    order: OrderId,
}

#[data]
#[derive(Default)]
struct Fulfil;

impl Process for Fulfil {
    const NAME: &'static str = "fulfil";
    type Key = OrderId;
    type Events = OrderPlaced;
    type Timer = ();
    type Sends = PackOrder;
    type Raises = Never;
    fn react(self, order: &OrderId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
        if let Input::Event(_) = input {
            out.send(PackOrder {
                order: order.clone(),
            });
        }
        self
    }
}

/// A system that does what it is told.
struct Warehouse;

impl System for Warehouse {
    fn tell(&self, _: Told, _: App) -> BoxFuture<'_, Result<(), TellError>> {
        Box::pin(async { Ok(()) })
    }

    fn on_uncertain(&self) -> Uncertain {
        Uncertain::Retry
    }
}

/// What the collector was sent, with the name of the service.
type Collected = Arc<Mutex<Vec<(String, Span)>>>;

async fn collect(State(collected): State<Collected>, headers: HeaderMap, body: Bytes) -> Vec<u8> {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let sent = ExportTraceServiceRequest::decode(&body[..]).unwrap();
    for resource in sent.resource_spans {
        let of = resource.resource.unwrap_or_default();
        let service = text(&of.attributes, "service.name").unwrap_or_default();
        let spans = resource.scope_spans.into_iter().flat_map(|s| s.spans);
        let spans = spans.map(|span| (service.clone(), span));
        collected.lock().unwrap().extend(spans);
    }
    vec![]
}

fn text(
    attributes: &[opentelemetry_proto::tonic::common::v1::KeyValue],
    name: &str,
) -> Option<String> {
    let one = attributes.iter().find(|a| a.key == name)?;
    match one.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// One test, since a program has one place for all its spans.
#[test]
fn spans_arrive_with_their_parents_and_links() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let collected = Collected::default();
    let routes = Router::new().route("/v1/traces", post(collect));
    let routes = routes.with_state(collected.clone());
    let address = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        address
    });
    let (layer, exporting) = Export::to(&address, "shop").begin().unwrap();
    tracing_subscriber::registry().with(layer).init();
    runtime.block_on(async {
        let app = App::in_memory()
            .clock(Clock::by_hand())
            .task::<PlaceOrder>()
            .tells::<PackOrder>()
            .system("Warehouse", Warehouse)
            .process::<Fulfil>()
            .build()
            .unwrap();
        let envelope = Envelope {
            traceparent: Some(format!("00-{TRACE}-{SPAN}-01")),
            ..Envelope::default()
        };
        let body = json!({"order": "a hat"});
        app.send_json("PlaceOrder", body, envelope).await.unwrap();
        app.settle().await;
        app.stop().await;
    });
    exporting.flush().unwrap();
    let spans = collected.lock().unwrap().clone();
    let named = |name: &str| {
        let found = spans.iter().find(|(_, s)| s.name == name);
        let names: Vec<_> = spans.iter().map(|(_, s)| s.name.as_str()).collect();
        found.unwrap_or_else(|| panic!("no `{name}` among {names:?}"))
    };
    let (service, decide) = named("decide PlaceOrder");
    assert_eq!(service, "shop");
    // Done while somebody waits: a child.
    assert_eq!(hex(&decide.trace_id), TRACE);
    assert_eq!(hex(&decide.parent_span_id), SPAN);
    assert!(decide.links.is_empty());
    assert_eq!(
        text(&decide.attributes, "fait.command").as_deref(),
        Some("PlaceOrder")
    );
    // What comes of it, whenever that is: a trace of its own with a link.
    for (name, field, value) in [
        ("process fulfil", "fait.process", "fulfil"),
        ("send Warehouse", "messaging.destination.name", "Warehouse"),
    ] {
        let (_, span) = named(name);
        assert_ne!(hex(&span.trace_id), TRACE, "{name}");
        assert_eq!(hex(&span.parent_span_id), "", "{name}");
        let links: Vec<_> = span
            .links
            .iter()
            .map(|l| (hex(&l.trace_id), hex(&l.span_id)))
            .collect();
        assert_eq!(links, [(TRACE.into(), SPAN.into())], "{name}");
        assert_eq!(
            text(&span.attributes, field).as_deref(),
            Some(value),
            "{name}"
        );
    }
    exporting.end();
}

#[test]
fn an_address_that_is_none_is_said() {
    let begun =
        Export::to("https://collector.example", "shop").begin::<tracing_subscriber::Registry>();
    assert!(matches!(begun, Err(OtelError::Address(_))));
}
