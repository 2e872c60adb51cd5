//! What a system tells others, by HTTP: pages, waiting, streams, and the document of the door.

use crate::shop::{Answer, Shelf, Shop, ThingOffered, ThingSold, wired};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use fait::bus::{CloudEvent, Publish};
use fait::event::Meta;
use fait::{PublishedSet, published};
use fait_web::{Clients, NewToken, Site, openapi};
use futures_util::StreamExt;
use serde_json::Value;
use std::collections::BTreeSet;
use tower::ServiceExt;

/// A thing is on sale.
#[published(name = "com.example.shop.thing-offered")]
struct Offered {
    #[subject]
    thing: String,
}

/// A thing was sold.
#[published(
    name = "com.example.shop.thing-sold",
    deprecated(
        since = "2026-12-31",
        sunset = "2027-06-30",
        instead = "https://example.com/new"
    )
)]
struct Sold {
    #[subject]
    thing: String,
}

#[derive(PublishedSet)]
enum Told {
    Offered(Offered),
    Sold(Sold),
}

struct News;

impl Publish for News {
    const NAME: &'static str = "news";
    type Events = Shelf;
    type Model = ();
    type Publishes = Told;
    fn about(_: &Shelf) {}
    fn publish(event: &Shelf, (): &(), _: &Meta) -> Vec<Told> {
        match event {
            Shelf::Offered(ThingOffered { thing, .. }) => vec![Told::Offered(Offered {
                thing: thing.0.clone(),
            })],
            Shelf::Sold(ThingSold { thing }) => vec![Told::Sold(Sold {
                thing: thing.0.clone(),
            })],
        }
    }
}

fn open() -> Shop {
    let app = wired().publishes::<News>().build().unwrap();
    let web = Site::new(app.clone()).into_service();
    Shop { app, web }
}

fn header_of<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |v| v.to_str().unwrap())
}

/// Positions and things of a page, by the library's own reader.
fn things(answer: &Answer) -> Vec<(u64, String)> {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let headers = [(
        "content-type".to_string(),
        header_of(answer, "content-type").to_string(),
    )];
    let all = CloudEvent::read_all(&headers, answer.body.as_bytes()).unwrap();
    let one = |e: &CloudEvent| (e.sequence().unwrap(), e.subject.clone().unwrap());
    all.iter().map(one).collect()
}

async fn sell(shop: &Shop, thing: &str) {
    let body = format!(r#"{{"thing": "{thing}", "buyer": "Bea"}}"#);
    let sold = shop.post("/api/commands/SellThing", &body).await;
    assert_eq!(sold.status, StatusCode::OK, "{}", sold.body);
    shop.app.settle().await;
}

#[tokio::test]
async fn pages_follow_each_other_from_the_beginning_to_the_end() {
    let shop = open();
    for thing in ["cup", "mug", "pot"] {
        shop.offer(thing).await;
    }
    sell(&shop, "cup").await;
    let whole = shop.get("/api/published").await;
    assert_eq!(
        header_of(&whole, "content-type"),
        "application/cloudevents-batch+json"
    );
    let all = things(&whole);
    let names: Vec<&str> = all.iter().map(|(_, thing)| thing.as_str()).collect();
    assert_eq!(names, ["cup", "mug", "pot", "cup"]);
    let mut paged = vec![];
    let mut next = "/api/published?limit=2".to_string();
    loop {
        let page = shop.get(&next).await;
        let found = things(&page);
        if found.is_empty() {
            break;
        }
        paged.extend(found);
        let (upto, history) = (
            header_of(&page, "fait-position"),
            header_of(&page, "fait-history"),
        );
        next = format!("/api/published?after={upto}&history={history}&limit=2");
        assert_eq!(header_of(&page, "link"), format!("<{next}>; rel=\"next\""));
    }
    assert_eq!(paged, all);
    // A page of other types is empty, and yet leads on.
    let none = shop
        .get("/api/published?types=com.example.shop.lost.v1")
        .await;
    assert_eq!(things(&none), []);
    let head = shop.app.head().await.unwrap().to_string();
    assert_eq!(header_of(&none, "fait-position"), head);
    assert_eq!(header_of(&none, "fait-head"), head);
}

#[tokio::test]
async fn the_link_to_the_next_page_keeps_what_was_asked_for() {
    let shop = open();
    for thing in ["cup", "mug", "pot"] {
        shop.offer(thing).await;
        sell(&shop, thing).await;
    }
    let types = "com.example.shop.thing-sold.v1,a%26limit%3D7";
    let mut next = format!("/api/published?types={types}&limit=1");
    let mut found = vec![];
    for _ in 0..4 {
        let page = shop.get(&next).await;
        found.extend(things(&page).into_iter().map(|(_, thing)| thing));
        let link = header_of(&page, "link").strip_prefix('<').unwrap();
        next = link.split_once('>').unwrap().0.to_string();
    }
    assert_eq!(found, ["cup", "mug", "pot"], "{next}");
}

#[tokio::test]
async fn what_will_cease_says_so_where_it_is_asked_for() {
    let shop = open();
    let sold = "/api/published?types=com.example.shop.thing-sold.v1";
    let answer = shop.get(sold).await;
    assert_eq!(header_of(&answer, "deprecation"), "@1798675200");
    assert_eq!(
        header_of(&answer, "sunset"),
        "Thu, 01 Jul 2027 00:00:00 GMT"
    );
    let links: Vec<_> = answer.headers.get_all(header::LINK).iter().collect();
    assert_eq!(links[1], "<https://example.com/new>; rel=\"deprecation\"");
    let other = shop.get("/api/published").await;
    assert!(!other.headers.contains_key("deprecation"));
}

#[tokio::test]
async fn an_empty_page_is_waited_for() {
    let shop = open();
    shop.offer("cup").await;
    let upto = shop.app.head().await.unwrap();
    let wait = format!("/api/published?wait=60&after={upto}");
    let (page, ()) = tokio::join!(shop.get(&wait), shop.offer("mug"));
    assert_eq!(things(&page)[0].1, "mug");
    // A system that stops lets nobody wait.
    let upto = shop.app.head().await.unwrap();
    let wait = format!("/api/published?wait=60&after={upto}");
    let (page, ()) = tokio::join!(shop.get(&wait), async { shop.app.begin_stop() });
    assert_eq!(things(&page), []);
}

#[tokio::test]
async fn what_was_read_from_another_history_is_refused() {
    const OTHER: &str = "history=00000000-0000-0000-0000-000000000009";
    let shop = open();
    for words in ["after=1000".to_string(), format!("after=0&{OTHER}")] {
        for path in ["published", "published/stream"] {
            let answer = shop.get(&format!("/api/{path}?{words}")).await;
            assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.body);
            let problem = answer.json();
            assert_eq!(problem["type"], "urn:fait:problem:other-history");
            assert_eq!(problem["history"], shop.app.store_id().to_string());
        }
    }
    for (words, says) in [
        ("limit=0", "limit is a whole number from 1 to 1000"),
        ("wait=61", "wait is a whole number from 0 to 60"),
        ("after=x", "after is a position: a whole number"),
        ("history=", "history is the `Fait-History` of an answer"),
        ("tags=a", "`tags` means nothing here"),
    ] {
        let answer = shop.get(&format!("/api/published?{words}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.detail().contains(says), "{}", answer.body);
    }
}

/// The ids and the data of a stream, until so many messages came.
async fn streamed(shop: &Shop, path: &str, last_id: Option<u64>, n: usize) -> Vec<(u64, Value)> {
    let mut request = Request::get(path);
    if let Some(id) = last_id {
        request = request.header("Last-Event-ID", id.to_string());
    }
    let request = request.body(Body::empty()).unwrap();
    let answer = shop.web.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let mut body = answer.into_body().into_data_stream();
    let (mut text, mut seen) = (String::new(), vec![]);
    while seen.len() < n {
        let part = body.next().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(&part).unwrap());
        while let Some((block, rest)) = text.split_once("\n\n") {
            let line = |name: &str| {
                let mut lines = block.lines();
                lines.find_map(|l| l.strip_prefix(name).map(|l| l.trim().to_string()))
            };
            if let Some(data) = line("data:") {
                let id = line("id:").unwrap().parse().unwrap();
                seen.push((id, serde_json::from_str(&data).unwrap()));
            }
            text = rest.to_string();
        }
    }
    seen
}

#[tokio::test]
async fn a_stream_gives_what_comes_and_is_taken_up() {
    let shop = open();
    shop.offer("cup").await;
    let path = "/api/published/stream";
    let (all, ()) = tokio::join!(streamed(&shop, path, None, 2), shop.offer("mug"));
    assert_eq!(all[0].1["subject"], "cup");
    assert_eq!(all[1].1["subject"], "mug");
    assert_eq!(all[1].1["sequence"], format!("{:020}", all[1].0));
    let (rest, ()) = tokio::join!(streamed(&shop, path, Some(all[0].0), 1), async {});
    assert_eq!(rest[0], all[1]);
    let sold = "/api/published/stream?types=com.example.shop.thing-sold.v1&heartbeat=1";
    let (sold, ()) = tokio::join!(streamed(&shop, sold, None, 1), sell(&shop, "cup"));
    assert_eq!(sold[0].1["type"], "com.example.shop.thing-sold.v1");
}

#[tokio::test]
async fn only_clients_with_the_right_read() {
    let shop = open();
    let (may, not) = (NewToken::of("may").unwrap(), NewToken::of("not").unwrap());
    let text = format!("{} feed\n{} role=clerk", may.line, not.line);
    let site = Site::new(shop.app.clone()).clients(Clients::read(&text).unwrap());
    let shop = Shop {
        web: site.into_service(),
        ..shop
    };
    let get = |path: &str, token: &str| {
        let bearer = format!("Bearer {token}");
        Request::get(path)
            .header(header::AUTHORIZATION, bearer)
            .body(Body::empty())
            .unwrap()
    };
    for path in [
        "/api/published",
        "/api/published/stream",
        "/api/openapi.json",
    ] {
        assert_eq!(shop.get(path).await.status, StatusCode::UNAUTHORIZED);
    }
    for path in ["/api/published", "/api/published/stream"] {
        let answer = shop.ask(get(path, &not.token)).await;
        assert_eq!(answer.detail(), "client not has no right to `feed`");
    }
    assert_eq!(
        things(&shop.ask(get("/api/published", &may.token)).await),
        []
    );
    let document = shop.ask(get("/api/openapi.json", &not.token)).await.json();
    assert_eq!(document, openapi(&shop.app.manifest(), true));
}

#[tokio::test]
async fn a_stream_says_how_far_it_is_while_only_other_things_come() {
    let shop = open();
    let path = "/api/published/stream?types=com.example.shop.thing-sold.v1&heartbeat=1";
    let request = Request::get(path).body(Body::empty()).unwrap();
    let answer = shop.web.clone().oneshot(request).await.unwrap();
    let mut body = answer.into_body().into_data_stream();
    let first = body.next().await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&first).contains("id: 0\n"));
    // Far more than come within a heartbeat.
    let offers = async {
        for n in 0..400 {
            shop.offer(&format!("cup-{n}")).await;
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
    };
    let told = tokio::select! {
        told = body.next() => told.unwrap().unwrap(),
        () = offers => panic!("it says nothing, however much comes"),
    };
    let told = String::from_utf8_lossy(&told);
    let id = told.lines().find_map(|l| l.strip_prefix("id: ")).unwrap();
    assert!(id.parse::<u64>().unwrap() > 0, "{told}");
    assert!(!told.contains("data:"), "{told}");
}

/// What a document names.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            let reference = object.get("$ref").and_then(Value::as_str);
            found.extend(reference.map(ToOwned::to_owned));
            object.values().for_each(|v| references(v, found));
        }
        Value::Array(all) => all.iter().for_each(|v| references(v, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_document_has_every_command_and_names_nothing_that_is_not_there() {
    let shop = open();
    for clients in [false, true] {
        let document = openapi(&shop.app.manifest(), clients);
        let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
        assert_eq!(
            paths,
            [
                "/api/commands/OfferThing",
                "/api/commands/SellThing",
                "/api/openapi.json",
                "/api/published",
                "/api/published/stream",
                "/api/receipts/{id}",
            ]
        );
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        assert!(found.len() > 20);
        for reference in found {
            let path = reference.strip_prefix('#').unwrap();
            assert!(
                document.pointer(path).is_some(),
                "{reference} leads nowhere"
            );
        }
        let offer = &document["paths"]["/api/commands/OfferThing"]["post"];
        assert_eq!(offer["responses"].get("401").is_some(), clients);
        let refused = offer["responses"]["422"]["description"].as_str().unwrap();
        assert!(
            refused.contains("- `OnSale`: it is already on sale"),
            "{refused}"
        );
        let body = &document["components"]["schemas"]["OfferThing.command"];
        assert_eq!(
            body["required"],
            serde_json::json!(["thing", "price", "words"])
        );
        let sold = &document["components"]["schemas"]["com.example.shop.thing-sold.v1"];
        assert_eq!(sold["deprecated"], true);
    }
}
