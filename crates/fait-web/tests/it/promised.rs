//! What a system promises to tell others, as it is served.

use crate::shop::{Answer, ThingId, ThingOffered, open, wired};
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use fait::bus::Publish;
use fait::event::Meta;
use fait::published;
use fait_web::Site;
use serde_json::json;
use tower::ServiceExt;

/// A thing is on sale.
#[published(name = "com.example.shop.on-sale", version = 3)]
struct OnSale {
    #[subject]
    thing: ThingId,
    colour: Option<String>,
}

struct Adverts;

impl Publish for Adverts {
    const NAME: &'static str = "adverts";
    type Events = ThingOffered;
    type Model = ();
    type Publishes = OnSale;
    fn about(_: &ThingOffered) {}
    fn publish(event: &ThingOffered, (): &(), _: &Meta) -> Vec<OnSale> {
        vec![OnSale {
            thing: event.thing.clone(),
            colour: event.words.first().cloned(),
        }]
    }
}

async fn asked(path: &str) -> Answer {
    let app = wired().publishes::<Adverts>().build().unwrap();
    let web = Site::new(app.clone()).into_service();
    let request = Request::get(path).body(Body::empty()).unwrap();
    let (head, body) = web.oneshot(request).await.unwrap().into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    app.stop().await;
    Answer {
        status: head.status,
        headers: head.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

#[tokio::test]
async fn a_schema_is_found_by_its_type_and_by_its_uri() {
    let ty = "com.example.shop.on-sale.v3";
    let answer = asked(&format!("/api/schemas/{ty}")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["content-type"], "application/schema+json");
    let schema = answer.json();
    assert_eq!(schema["$id"], json!(format!("urn:fait:schema:{ty}")));
    assert_eq!(schema["required"], json!(["thing"]));
    // What a message names as its `dataschema`.
    let by_uri = asked(&format!("/api/schemas/urn:fait:schema:{ty}")).await;
    assert_eq!(by_uri.json(), schema);
    let none = asked("/api/schemas/com.example.shop.on-sale.v1").await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    insta::assert_snapshot!(none.detail());
}

#[tokio::test]
async fn the_asyncapi_document_says_what_is_published() {
    let api = asked("/api/asyncapi.json").await.json();
    assert_eq!(api["asyncapi"], "3.1.0");
    let ty = "com.example.shop.on-sale.v3";
    let channel = &api["channels"][ty];
    let address = format!("fait.Shop.{ty}.{{key}}");
    assert_eq!(channel["address"], json!(address));
    assert_eq!(api["operations"][ty]["action"], "send");
    let shop = open();
    let nothing = shop.get("/api/asyncapi.json").await.json();
    assert_eq!(nothing["channels"], json!({}));
    let none = shop.get("/api/schemas/a.v1").await;
    assert_eq!(
        none.detail(),
        "no type `a.v1` is published; nothing is published"
    );
}
