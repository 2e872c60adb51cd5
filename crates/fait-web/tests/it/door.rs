//! The open door: clients with tokens, keys, repeats, receipts, and who is sent away.

use crate::shop::{Answer, Shop, hang, open, with_clients};
use axum::body::Body;
use axum::http::{Request, StatusCode, header, request};
use fait_web::{Clients, NewToken, Site};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;

const CUP: &str = r#"{"thing": "cup", "price": "3.50", "words": []}"#;
const MUG: &str = r#"{"thing": "mug", "price": "3.50", "words": []}"#;

/// A shop with two clients, and their tokens.
struct Door {
    shop: Shop,
    keeper: String,
    clerk: String,
}

fn door() -> Door {
    let token = |name| NewToken::of(name).unwrap();
    let (keeper, clerk) = (token("keeper"), token("clerk"));
    let text = format!(
        "{} role=shopkeeper\n{} command=SellThing",
        keeper.line, clerk.line
    );
    Door {
        shop: with_clients(Clients::read(&text).unwrap()),
        keeper: keeper.token,
        clerk: clerk.token,
    }
}

fn post(name: &str, token: &str, key: &str) -> request::Builder {
    Request::post(format!("/api/commands/{name}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header("Idempotency-Key", key)
}

impl Door {
    async fn offer(&self, key: &str, body: &str) -> Answer {
        let request = post("OfferThing", &self.keeper, key);
        self.ask(request, body).await
    }

    async fn ask(&self, request: request::Builder, body: &str) -> Answer {
        let body = Body::from(body.to_string());
        self.shop.ask(request.body(body).unwrap()).await
    }

    async fn receipt(&self, path: &str, token: &str) -> Answer {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.ask(request, "").await
    }

    async fn happened(&self, ty: &str) -> usize {
        let events = self.shop.get(&format!("/api/events?types={ty}")).await;
        events.json()["events"].as_array().map_or(0, Vec::len)
    }
}

fn kind(answer: &Answer) -> String {
    answer.json()["type"].as_str().unwrap_or_default().into()
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer_and_is_done_once() {
    let door = door();
    let first = door.offer("\"k 1\"", CUP).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.body);
    assert_eq!(first.headers["fait-key-kept"], "forever");
    assert!(!first.headers.contains_key("idempotency-replayed"));
    // Other white space and another order is the same JSON.
    let body = r#"{"words":[],"price":"3.50","thing":"cup"}"#;
    let again = door.offer("k 1", body).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(
        again.headers["correlation-id"],
        first.headers["correlation-id"]
    );
    let other = door.offer("k 1", MUG).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(kind(&other), "urn:fait:problem:key-reused");
    assert_eq!(door.happened("ThingOffered").await, 1);
    // A refusal is an outcome, and stays one when it would not be refused any more.
    let request = || post("SellThing", &door.clerk, "s1");
    let sell = r#"{"thing": "mug", "buyer": "Bea"}"#;
    let refused = door.ask(request(), sell).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(kind(&refused), "urn:fait:refusal:NotOnSale");
    assert_eq!(refused.json()["code"], "NotOnSale");
    assert_eq!(door.offer("k 2", MUG).await.status, StatusCode::OK);
    let again = door.ask(request(), sell).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!((again.status, &again.body), (refused.status, &refused.body));
    assert_eq!(
        again.headers[header::CONTENT_TYPE],
        "application/problem+json"
    );
    let anew = door.ask(post("SellThing", &door.clerk, "s2"), sell).await;
    assert_eq!(anew.status, StatusCode::OK, "{}", anew.body);
}

#[tokio::test]
async fn a_key_is_one_of_a_client_and_a_command() {
    let door = door();
    door.offer("same", CUP).await;
    let sell = r#"{"thing": "cup", "buyer": "Bea"}"#;
    let sold = door.ask(post("SellThing", &door.clerk, "same"), sell).await;
    assert_eq!(sold.status, StatusCode::OK, "{}", sold.body);
    // Not even who knows the id of another's command meets it.
    let id = sold.json()["command"].as_str().unwrap().to_string();
    let met = door.offer(&id, CUP).await;
    assert_eq!(kind(&met), "urn:fait:refusal:OnSale");
    let path = format!("/api/receipts/{id}");
    assert_eq!(
        door.receipt(&path, &door.clerk).await.json()["status"],
        "done"
    );
    assert_eq!(
        door.receipt(&path, &door.keeper).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_at_once_one_is_carried_out() {
    let door = door();
    let all = join_all((0..50).map(|_| door.offer("rush", CUP))).await;
    let count = |status| all.iter().filter(|a| a.status == status).count();
    assert!(count(StatusCode::OK) >= 1);
    assert_eq!(
        count(StatusCode::OK) + count(StatusCode::CONFLICT),
        50,
        "done, or still running"
    );
    let first = all.iter().find(|a| a.status == StatusCode::OK).unwrap();
    for answer in &all {
        match answer.status {
            StatusCode::OK => assert_eq!(answer.body, first.body),
            _ => {
                assert_eq!(kind(answer), "urn:fait:problem:running");
                assert_eq!(answer.headers[header::RETRY_AFTER], "1");
            }
        }
    }
    assert_eq!(door.offer("rush", CUP).await.body, first.body);
    // Fifty bodies under one key: one of them is done, and no other ever.
    let all = join_all((0..50).map(|n| {
        let body = CUP.replace("cup", &format!("glass-{n}"));
        let door = &door;
        async move { door.offer("mixed", &body).await }
    }));
    let done = all
        .await
        .iter()
        .filter(|a| a.status == StatusCode::OK)
        .count();
    assert_eq!(done, 1);
    assert_eq!(door.happened("ThingOffered").await, 2);
    assert_eq!(door.happened("$CommandAnswered").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_takes_longer_is_answered_before_it_is_done_and_has_a_receipt() {
    let door = door();
    let hung = hang("decision on cup");
    let request = || post("OfferThing", &door.keeper, "slow").header("Prefer", "foo, wait=0");
    let asked = door.ask(request(), CUP).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.body);
    assert_eq!(asked.headers["preference-applied"], "wait=0");
    let receipt = asked.headers[header::LOCATION].to_str().unwrap();
    let pending = door.receipt(receipt, &door.keeper).await;
    assert_eq!(pending.status, StatusCode::OK);
    assert_eq!(pending.json()["status"], "pending");
    assert_eq!(
        door.receipt(receipt, &door.clerk).await.status,
        StatusCode::NOT_FOUND
    );
    let running = door.ask(request(), CUP).await;
    assert_eq!(running.status, StatusCode::CONFLICT);
    assert_eq!(running.headers[header::LOCATION], receipt);
    // What is being done was asked for in time, however late it is asked for again.
    let late = request().header("Fait-Expires", "2001-01-01T00:00:00Z");
    let running = door.ask(late, CUP).await;
    assert_eq!(running.headers.get(header::LOCATION).unwrap(), receipt);
    drop(hung);
    let done = loop {
        let answer = door.receipt(receipt, &door.keeper).await.json();
        if answer["status"] != "pending" {
            break answer;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    assert_eq!(
        (&done["status"], &done["outcome"]),
        (&json!("done"), &json!("accepted"))
    );
    assert_eq!(done["events"][0]["type"], "ThingOffered");
    let again = door.ask(request(), CUP).await;
    assert_eq!(again.json()["events"], done["events"]);
    // Who waits long enough has the answer at once.
    let request = post("OfferThing", &door.keeper, "refused").header("Prefer", "wait=10");
    let refused = door.ask(request, CUP).await;
    assert_eq!(refused.headers["preference-applied"], "wait=10");
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let nothing = "/api/receipts/00000000-0000-0000-0000-000000000009";
    let unknown = door.receipt(nothing, &door.keeper).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert!(unknown.detail().contains("Send it again under its key"));
}

#[tokio::test]
async fn whoever_has_no_right_is_told_why_and_nothing_is_changed() {
    let door = door();
    let before = door.shop.app.head().await.unwrap();
    let plain = Request::post("/api/commands/OfferThing");
    let nobody = door.ask(plain, CUP).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        nobody.headers[header::WWW_AUTHENTICATE],
        r#"Bearer realm="fait""#
    );
    let wrong = door.ask(post("OfferThing", "fait_7", "k"), CUP).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        wrong.headers[header::WWW_AUTHENTICATE],
        r#"Bearer realm="fait", error="invalid_token""#
    );
    let right = door.ask(post("OfferThing", &door.clerk, "k"), CUP).await;
    assert_eq!(right.status, StatusCode::FORBIDDEN);
    assert_eq!(
        right.detail(),
        "client clerk has no right to send `OfferThing`"
    );
    let unknown = door.ask(post("OferThing", &door.keeper, "k"), CUP).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    let no_key = Request::post("/api/commands/OfferThing")
        .header(header::AUTHORIZATION, format!("bearer {}", door.keeper));
    let no_key = door.ask(no_key, CUP).await;
    assert_eq!(no_key.status, StatusCode::BAD_REQUEST);
    assert_eq!(kind(&no_key), "urn:fait:problem:no-key");
    let malformed = door.offer("k", "{}").await;
    assert_eq!(malformed.status, StatusCode::BAD_REQUEST);
    let problem = malformed.json();
    assert_eq!(
        problem["correlation"].as_str().unwrap(),
        malformed.headers["correlation-id"]
    );
    let late = post("OfferThing", &door.keeper, "k").header("Fait-Expires", "2001-01-01T00:00:00Z");
    let late = door.ask(late, CUP).await;
    assert_eq!(late.status, StatusCode::GONE);
    assert_eq!(kind(&late), "urn:fait:problem:expired");
    let alias = Request::post("/api/commands/OfferThing?as=boss")
        .header(header::AUTHORIZATION, format!("Bearer {}", door.keeper));
    let alias = door.ask(alias.header("Idempotency-Key", "k"), CUP).await;
    assert_eq!(
        alias.detail(),
        "`as` means nothing here; known are answering"
    );
    assert_eq!(door.shop.app.head().await.unwrap(), before);
    // None of these used the key up; and what was done in time is not late when asked again.
    assert_eq!(door.offer("k", CUP).await.status, StatusCode::OK);
    let late = post("OfferThing", &door.keeper, "k").header("Fait-Expires", "2001-01-01T00:00:00Z");
    assert_eq!(door.ask(late, CUP).await.status, StatusCode::OK);
}

async fn origin(shop: &Shop) -> Value {
    let events = shop.get("/api/events?types=ThingOffered").await.json();
    events["events"].as_array().unwrap().last().unwrap().clone()
}

#[tokio::test]
async fn a_client_says_which_flow_it_belongs_to_and_others_cannot() {
    const FLOW: &str = "0b4c1dd3-9ffd-4d4e-8a35-0f0c47f2a001";
    const CAUSE: &str = "0b4c1dd3-9ffd-4d4e-8a35-0f0c47f2a002";
    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let flowing = |request: request::Builder| {
        request
            .header("Correlation-Id", FLOW)
            .header("Causation-Id", CAUSE)
            .header("traceparent", TRACE)
    };
    let door = door();
    let answer = door
        .ask(flowing(post("OfferThing", &door.keeper, "k")), CUP)
        .await;
    assert_eq!(answer.headers["correlation-id"], FLOW);
    let event = origin(&door.shop).await.to_string();
    for part in [FLOW, CAUSE, TRACE, "client:keeper"] {
        assert!(event.contains(part), "{part} in {event}");
    }
    let wrong = post("OfferThing", &door.keeper, "k").header("Correlation-Id", "7");
    let wrong = door.ask(wrong, CUP).await;
    assert_eq!(wrong.json()["field"], "correlation-id");
    let shop = open();
    let request = flowing(Request::post("/api/commands/OfferThing?as=boss"));
    let answer = shop.ask(request.body(Body::from(CUP)).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let event = origin(&shop).await.to_string();
    assert!(event.contains("boss") && !event.contains(FLOW) && !event.contains(CAUSE));
}

#[tokio::test]
async fn beside_the_door_pages_are_for_this_machine_only() {
    let door = door();
    for path in ["/", "/api/manifest", "/api/events", "/livez"] {
        assert!(door.shop.get(path).await.status.is_success(), "{path}");
    }
    let wrong = Clients::read(&format!("a sha256:{} role=clark", "0".repeat(64))).unwrap();
    let site = Site::new(door.shop.app.clone()).clients(wrong);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refused = site.serve(listener, async {}).await.unwrap_err();
    assert_eq!(refused.to_string(), "client a: there is no role `clark`");
    // On an address of the network there is nothing but the door.
    let token = NewToken::of("keeper").unwrap();
    let clients = Clients::read(&format!("{} role=shopkeeper", token.line)).unwrap();
    let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let site = Site::new(door.shop.app.clone()).clients(clients);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(site.serve(listener, async {
        let _ = stopped.await;
    }));
    let asked = tokio::task::spawn_blocking(move || {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let at = |path: &str| format!("http://127.0.0.1:{port}{path}");
        let get = |path: &str| agent.get(at(path)).call().unwrap().status().as_u16();
        let statuses = ["/", "/api/manifest", "/api/events", "/livez"].map(get);
        let sent = agent
            .post(at("/api/commands/OfferThing"))
            .header("authorization", format!("Bearer {}", token.token))
            .header("idempotency-key", "k")
            .send(CUP);
        (statuses, sent.unwrap().status().as_u16())
    });
    assert_eq!(asked.await.unwrap(), ([404, 404, 404, 200], 200));
    stop.send(()).unwrap();
    served.await.unwrap().unwrap();
}

#[tokio::test]
async fn who_takes_the_last_client_away_closes_the_door() {
    let nobody = Clients::read("# billing is gone\n").unwrap();
    let shop = with_clients(nobody.clone());
    let sent = Request::post("/api/commands/OfferThing").body(Body::from(CUP));
    let sent = shop.ask(sent.unwrap()).await;
    assert_eq!(sent.status, StatusCode::UNAUTHORIZED, "{}", sent.body);
    assert_eq!(
        shop.get("/api/published").await.status,
        StatusCode::UNAUTHORIZED
    );
    // And does not open the rest on an address of the network.
    let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let site = Site::new(shop.app.clone()).clients(nobody);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(site.serve(listener, async {
        let _ = stopped.await;
    }));
    let asked = tokio::task::spawn_blocking(move || {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        ["/", "/api/events", "/livez"].map(|path| {
            let at = format!("http://127.0.0.1:{port}{path}");
            agent.get(at).call().unwrap().status().as_u16()
        })
    });
    assert_eq!(asked.await.unwrap(), [404, 404, 200]);
    stop.send(()).unwrap();
    served.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_key_belongs_to_one_asked_task() {
    let door = door();
    door.offer("c", CUP).await;
    door.offer("m", MUG).await;
    door.shop.app.settle().await;
    let inbox = door.shop.get("/api/inbox/clerk").await.json();
    let asked = |thing: &str| {
        let all = inbox.as_array().or(inbox["tasks"].as_array()).unwrap();
        let one = all.iter().find(|t| t.to_string().contains(thing)).unwrap();
        one["id"].as_str().unwrap().to_string()
    };
    let sell = |task: String| {
        let path = format!("SellThing?answering={task}");
        let body = r#"{"thing": "cup", "buyer": "Bea"}"#;
        door.ask(post(&path, &door.clerk, "s"), body)
    };
    let sold = sell(asked("cup")).await;
    assert_eq!(sold.status, StatusCode::OK, "{}", sold.body);
    assert_eq!(sell(asked("cup")).await.body, sold.body);
    // It would be told done what was not.
    let other = sell(asked("mug")).await;
    assert_eq!(
        kind(&other),
        "urn:fait:problem:key-reused",
        "{}",
        other.body
    );
}

#[tokio::test]
async fn what_is_preferred_is_read_as_the_standard_has_it() {
    let door = door();
    for (n, (prefer, applied)) in [
        ("wait=7", Some("wait=7")),
        ("respond-async, wait=7", Some("wait=7")),
        ("respond-async", Some("wait=0")),
        ("WAIT = \"7\"", Some("wait=7")),
        ("wait=7; strict", Some("wait=7")),
        ("respond-async; x=1", Some("wait=0")),
        ("x=\"a, wait=0\", wait=7", Some("wait=7")),
        ("wait=99999999999999999999", Some("wait=60")),
        ("wait=soon", None),
        ("wait=-1", None),
    ]
    .into_iter()
    .enumerate()
    {
        let request = post("OfferThing", &door.keeper, &format!("k{n}"));
        let answer = door.ask(request.header("Prefer", prefer), CUP).await;
        let said = answer.headers.get("preference-applied");
        assert_eq!(said.map(|v| v.to_str().unwrap()), applied, "{prefer}");
    }
}

#[tokio::test]
async fn every_loopback_address_is_this_machine_and_no_name_is() {
    let shop = open();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let site = Site::new(shop.app.clone());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(site.serve(listener, async {
        let _ = stopped.await;
    }));
    let asked = tokio::task::spawn_blocking(move || {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let hosts = [
            "localhost",
            "127.0.0.1",
            "127.0.0.2",
            "[::1]",
            "192.0.2.1",
            "evil.example",
        ];
        hosts.map(|host| {
            let asked = agent.get(format!("http://127.0.0.1:{port}/livez"));
            let asked = asked.header("host", format!("{host}:{port}")).call();
            asked.unwrap().status().as_u16()
        })
    });
    assert_eq!(asked.await.unwrap(), [200, 200, 200, 200, 421, 421]);
    stop.send(()).unwrap();
    served.await.unwrap().unwrap();
}
