//! Every door of the HTTP interface: what goes in, what bad input is told, and that it changes
//! nothing.

use crate::shop::open;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::json;

#[tokio::test]
async fn a_command_is_accepted_once_per_key() {
    let shop = open();
    let send = |key: &'static str, body: &'static str| {
        Request::post("/api/commands/OfferThing")
            .header(header::CONTENT_TYPE, "application/json")
            .header("Idempotency-Key", key)
            .body(Body::from(body))
            .unwrap()
    };
    let body = r#"{"thing": "cup", "price": "3.50", "words": []}"#;
    let first = shop.ask(send("morning", body)).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.body);
    let first = first.json();
    assert_eq!(first["outcome"], "accepted");
    assert_eq!(first["events"][0]["type"], "ThingOffered");
    assert_eq!(first["position"], 3, "with the answer, and what was asked");
    let again = shop.ask(send("morning", body)).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.json(), first);
    let other = r#"{"thing": "mug", "price": "3.50", "words": []}"#;
    let reused = shop.ask(send("morning", other)).await;
    assert_eq!(reused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(reused.json()["type"], "urn:fait:problem:key-reused");
    let refused = shop.ask(send("evening", body)).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        refused.headers[header::CONTENT_TYPE],
        "application/problem+json"
    );
    let refused = refused.json();
    assert_eq!(refused["type"], "urn:fait:refusal:OnSale");
    assert_eq!(
        (&refused["code"], &refused["detail"]),
        (&json!("OnSale"), &json!("it is already on sale"))
    );
}

const FINE: &str = r#"{"thing": "cup", "price": "3.50", "words": []}"#;

/// Path, body, status, and what the detail says.
const BAD_COMMANDS: [(&str, &str, u16, &str); 18] = [
    (
        "/api/commands/OferThing",
        FINE,
        404,
        "did you mean `OfferThing`?",
    ),
    ("/api/commands/OfferThing", "{", 400, "the body is not JSON"),
    (
        "/api/commands/OfferThing",
        "[]",
        400,
        "must be a JSON object",
    ),
    (
        "/api/commands/OfferThing",
        r#"{"thing": "cup"}"#,
        400,
        "field `price`: is missing",
    ),
    (
        "/api/commands/OfferThing",
        r#"{"thing": "cup", "price": 3.5, "words": []}"#,
        400,
        "field `price`",
    ),
    (
        "/api/commands/OfferThing",
        r#"{"thing": "cup", "price": "3.555", "words": []}"#,
        400,
        "`3.555` is not an amount like 24.00",
    ),
    (
        "/api/commands/OfferThing",
        r#"{"thing": "cup", "price": "3.50", "words": [], "colour": "red"}"#,
        400,
        "`OfferThing` has no such field; it has thing, price, words",
    ),
    (
        "/api/commands/OfferThing?answering=7",
        FINE,
        400,
        "`answering=7`",
    ),
    (
        "/api/commands/OfferThing?anwsering=7",
        FINE,
        400,
        "`anwsering` means nothing here",
    ),
    (
        "/api/commands/OfferThing?answering=00000000-0000-0000-0000-000000000009",
        FINE,
        409,
        "nothing was ever asked",
    ),
    (
        "/api/ops/views/shelf/rebuilt",
        "{}",
        404,
        "there is no action `rebuilt`; there are rebuild, pause",
    ),
    (
        "/api/ops/views/shelf/rebuild",
        r#"{"hold": "yes"}"#,
        400,
        "`hold` is true or false",
    ),
    (
        "/api/ops/views/shelf/pause",
        r#"{"hold": true}"#,
        400,
        "`hold` means nothing to `pause`",
    ),
    (
        "/api/ops/views/shelf/retry",
        r#"{"key": "cup"}"#,
        409,
        "nothing of `cup` is parked",
    ),
    (
        "/api/ops/views/shelve/rebuild",
        "{}",
        404,
        "did you mean `shelf`?",
    ),
    (
        "/api/ops/processes/selling/cup/resume",
        "{}",
        400,
        "`retry` is true",
    ),
    (
        "/api/ops/processes/selling/cup/resume",
        r#"{"retry": true, "reason": "x"}"#,
        404,
        "has no instance `cup`",
    ),
    ("/api/tasks/nine/claim", "{}", 400, "not the id of a task"),
];

#[tokio::test]
async fn bad_commands_are_told_what_is_wrong_and_change_nothing() {
    let shop = open();
    for (path, body, status, wanted) in BAD_COMMANDS {
        let answer = shop.post(path, body).await;
        assert_eq!(
            answer.status.as_u16(),
            status,
            "{path} {body}: {}",
            answer.body
        );
        assert!(
            answer.detail().contains(wanted),
            "{path} {body}: {}",
            answer.body
        );
        assert_eq!(answer.json()["status"], status);
    }
    assert_eq!(shop.app.head().await.unwrap(), 1);
}

#[tokio::test]
async fn a_body_of_ten_megabytes_is_refused() {
    let shop = open();
    let large = format!(r#"{{"thing": "{}"}}"#, "x".repeat(10 << 20));
    let answer = shop.post("/api/commands/OfferThing", &large).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(
        answer.detail().contains("at most 2097152 bytes"),
        "{}",
        answer.body
    );
    let form = Request::post("/api/commands/OfferThing")
        .header(header::CONTENT_TYPE, "text/plain")
        .body(Body::from("hello"))
        .unwrap();
    let answer = shop.ask(form).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let tag = format!(
        r#"{{"thing": "{}", "price": "1.00", "words": []}}"#,
        "x".repeat(300)
    );
    let answer = shop.post("/api/commands/OfferThing", &tag).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(
        answer.detail().contains("is longer than 255 bytes"),
        "{}",
        answer.body
    );
    let long = Request::post("/api/commands/OfferThing")
        .header("Idempotency-Key", "k".repeat(300))
        .body(Body::from("{}"))
        .unwrap();
    assert_eq!(shop.ask(long).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(shop.app.head().await.unwrap(), 1);
}

/// Questions about rows that cannot be answered.
const ODD_ROWS: [(&str, u16, &str); 8] = [
    ("/api/views/shelf?limit=many", 400, "`limit=many`"),
    (
        "/api/views/shelf?limit=1001",
        400,
        "limit is from 1 to 1000, not 1001",
    ),
    (
        "/api/views/shelf?price.gte=3",
        400,
        "by `gte`; did you mean `ge`?",
    ),
    (
        "/api/views/shelf?price=cheap",
        400,
        "`price=cheap`: it is an amount like 24.00",
    ),
    (
        "/api/views/shelf?sort=-prise",
        400,
        "no column `prise`; did you mean `price`?",
    ),
    (
        "/api/views/shelf?after=cup",
        400,
        "`after` is what `next` of the page before was",
    ),
    (
        "/api/views/shelf?as_of=noon",
        400,
        "as_of is a position such as 17",
    ),
    (
        "/api/views/shelf?count=perhaps",
        400,
        "count is `true` or `false`",
    ),
];

#[tokio::test]
async fn bad_questions_name_the_word() {
    let shop = open();
    let cases = [
        (
            "/api/events?after=abc",
            400,
            "`after=abc`: after is a position: a whole number",
        ),
        ("/api/events?after=-1", 400, "`after=-1`"),
        (
            "/api/events?limit=0",
            400,
            "limit is a whole number from 1 to 1000",
        ),
        (
            "/api/events?limit=1001",
            400,
            "limit is a whole number from 1 to 1000",
        ),
        (
            "/api/events?tags=cup",
            400,
            "`cup` is not a tag of the form `kind:value`",
        ),
        ("/api/events?aftre=1", 400, "`aftre` means nothing here"),
        ("/api/events/seven", 400, "neither a position"),
        ("/api/events/7", 404, "there is no event `7`"),
        ("/api/trace/7", 404, "there is no event `7`"),
        (
            "/api/views/shlf",
            404,
            "there is no view `shlf`; did you mean `shelf`?",
        ),
        ("/api/views/shelf/cup", 404, "view `shelf` has no row `cup`"),
        (
            "/api/views/shelf?colour=red",
            400,
            "has no column `colour`; it has price, thing, words, key, position, stale",
        ),
        ("/api/inbox/Clrk", 404, "there are Clerk, Shopkeeper"),
        ("/api/ops/processes/seling", 404, "there are selling"),
        (
            "/api/ops/processes/selling/cup",
            404,
            "has no instance `cup`",
        ),
        (
            "/api/ops/processes/selling?status=lost",
            400,
            "status is running, parked or ended",
        ),
        ("/api/nothing", 404, "nothing is at `/api/nothing`"),
        ("/api/views/%FF", 400, "the address cannot be read"),
        ("/api/commands/OfferThing", 405, "does not take GET"),
    ];
    for (path, status, wanted) in cases.into_iter().chain(ODD_ROWS) {
        let answer = shop.get(path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.body);
        assert!(answer.detail().contains(wanted), "{path}: {}", answer.body);
        assert_eq!(
            answer.headers[header::CONTENT_TYPE],
            "application/problem+json"
        );
    }
}

#[tokio::test]
async fn what_happened_can_be_read() {
    let shop = open();
    shop.offer("cup").await;
    shop.offer("mug").await;
    let all = shop.get("/api/events?after=1").await.json();
    assert_eq!(all["head"], 5);
    assert_eq!(all["events"][0]["data"]["thing"], "cup");
    assert_eq!(all["events"][0]["actor"], "api");
    let mugs = shop
        .get("/api/events?types=ThingOffered&tags=thing:mug")
        .await
        .json();
    assert_eq!(mugs["events"].as_array().unwrap().len(), 1);
    let newest = shop.get("/api/events?backwards=true&limit=1").await.json();
    assert_eq!(
        (&newest["events"][0]["position"], &newest["next"]),
        (&json!(5), &json!(5))
    );
    let by_id = mugs["events"][0]["id"].as_str().unwrap();
    let one = shop.get(&format!("/api/events/{by_id}")).await.json();
    assert_eq!(one, mugs["events"][0]);
    let trace = shop.get("/api/trace/2").await.json();
    let depths: Vec<u64> = trace["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["depth"].as_u64().unwrap())
        .collect();
    assert_eq!(depths, [0, 1]);
    let command = trace["events"][0]["event"]["command"].as_str().unwrap();
    let by_command = shop.get(&format!("/api/trace/{command}")).await.json();
    assert_eq!(by_command, trace);
    let row = shop.get("/api/views/shelf/cup?at_least=2").await.json();
    assert_eq!(
        (&row["row"]["price"], &row["caught_up"]),
        (&json!("3.50"), &json!(true))
    );
    let rows = shop.get("/api/views/shelf?limit=1&price=3.50").await.json();
    assert_eq!(rows["rows"][0]["key"], "cup");
    let next = rows["next"].as_str().unwrap();
    let rows = shop
        .get(&format!("/api/views/shelf?limit=1&price=3.50&after={next}"))
        .await
        .json();
    assert_eq!(
        (&rows["rows"][0]["key"], &rows["next"]),
        (&json!("mug"), &json!(null))
    );
    let asked = shop.get("/api/inbox/Clerk").await.json();
    assert_eq!(asked[0]["name"], "SellThing");
    assert_eq!(asked[0]["body"]["thing"], "cup");
    let processes = shop.get("/api/ops/processes").await.json();
    assert_eq!(processes[0]["instances"]["running"], 2);
    let cup = shop.get("/api/ops/processes/selling/cup").await.json();
    assert_eq!(cup["status"], "running");
    let manifest = shop.get("/api/manifest").await.json();
    assert_eq!(
        manifest["commands"]["SellThing"]["refusals"]["Sold"],
        "it is already sold"
    );
    assert_eq!(shop.get("/healthz").await.body, "ok\n");
    assert_eq!(shop.get("/readyz").await.status, StatusCode::OK);
    let metrics = shop.get("/metrics").await.body;
    assert!(metrics.contains("fait_processes{process=\"selling\",status=\"running\"} 2"));
}

#[tokio::test]
async fn a_task_is_claimed_by_one_and_answered_once() {
    let shop = open();
    shop.offer("cup").await;
    let id = shop.get("/api/inbox/Clerk").await.json()[0]["id"]
        .as_str()
        .unwrap()
        .to_string();
    let claim = |by: &str| format!(r#"{{"by": "{by}", "minutes": 5}}"#);
    let path = format!("/api/tasks/{id}/claim");
    assert_eq!(
        shop.post(&path, &claim("clerk:ann")).await.status,
        StatusCode::OK
    );
    let taken = shop.post(&path, &claim("clerk:bob")).await;
    assert_eq!(taken.status, StatusCode::CONFLICT);
    assert!(
        taken.detail().starts_with("clerk:ann has it until"),
        "{}",
        taken.body
    );
    let sell = format!("/api/commands/SellThing?answering={id}&as=clerk:ann");
    let body = r#"{"thing": "cup", "buyer": "Eve"}"#;
    let sold = shop.post(&sell, body).await;
    assert_eq!(sold.status, StatusCode::OK, "{}", sold.body);
    let again = shop.post(&sell, body).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(
        again.detail().contains("already done by clerk:ann"),
        "{}",
        again.body
    );
}

#[tokio::test]
async fn a_parked_instance_is_resumed_with_a_reason() {
    let shop = open();
    shop.offer("bomb").await;
    let parked = shop
        .get("/api/ops/processes/selling?status=parked")
        .await
        .json();
    assert_eq!(parked[0]["key"], "bomb");
    let path = "/api/ops/processes/selling/bomb/resume";
    let unsaid = shop.post(path, r#"{"retry": false, "reason": " "}"#).await;
    assert_eq!(unsaid.status, StatusCode::BAD_REQUEST);
    let done = shop
        .post(path, r#"{"retry": false, "reason": "defused"}"#)
        .await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    shop.app.settle().await;
    let parked = shop
        .get("/api/ops/processes/selling?status=parked")
        .await
        .json();
    assert_eq!(parked, json!([]));
}

#[tokio::test]
async fn a_view_is_rebuilt_on_request() {
    let shop = open();
    shop.offer("cup").await;
    let answer = shop.post("/api/ops/views/shelf/rebuild", "").await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    loop {
        let status = shop.get("/api/ops/views/shelf").await.json();
        if status["rebuilds_finished"] == 1 {
            assert_eq!(status["rows"], 1);
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn another_sites_page_changes_nothing() {
    let shop = open();
    let from = |name: &'static str, value: &'static str| {
        Request::post("/api/commands/OfferThing")
            .header(name, value)
            .header(header::HOST, "shop.example")
            .body(Body::from(
                r#"{"thing": "cup", "price": "1.00", "words": []}"#,
            ))
            .unwrap()
    };
    for request in [
        from("sec-fetch-site", "cross-site"),
        from("sec-fetch-site", "same-site"),
        from("origin", "https://evil.example"),
    ] {
        assert_eq!(shop.ask(request).await.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(shop.app.head().await.unwrap(), 1);
    let own = from("origin", "http://shop.example");
    assert_eq!(shop.ask(own).await.status, StatusCode::OK);
}

#[tokio::test]
async fn every_answer_says_what_a_page_may_do() {
    let shop = open();
    for path in ["/", "/api/manifest", "/api/nothing", "/nothing"] {
        let answer = shop.get(path).await;
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}");
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(
            answer.headers["x-content-type-options"], "nosniff",
            "{path}"
        );
    }
}

#[tokio::test]
async fn rows_are_filtered_sorted_paged_and_of_the_past() {
    let shop = open();
    for thing in ["cup", "mug", "pot"] {
        shop.offer(thing).await;
    }
    let head = shop.get("/api/events").await.json()["head"].clone();
    let keys = |rows: &serde_json::Value| -> Vec<String> {
        let rows = rows["rows"].as_array().unwrap().iter();
        rows.map(|r| r["key"].as_str().unwrap().into()).collect()
    };
    let path = "/api/views/shelf?price.gt=3&thing.ne=mug&sort=-thing,key&limit=1&count=true";
    let at_least = format!("{path}&at_least={head}");
    let first = shop.get(&at_least).await.json();
    assert_eq!(keys(&first), ["pot"]);
    assert_eq!(
        (&first["total"], &first["stale"]),
        (&json!(2), &json!(null))
    );
    assert_eq!(
        (&first["position"], &first["caught_up"]),
        (&head, &json!(true))
    );
    let next = first["next"].as_str().unwrap();
    let second = shop.get(&format!("{path}&after={next}")).await.json();
    assert_eq!(
        (keys(&second), &second["next"]),
        (vec!["cup".into()], &json!(null))
    );
    // What `=` means is said by `.eq` too, for columns with names of other words.
    let same = shop.get("/api/views/shelf?thing.eq=cup").await.json();
    assert_eq!(keys(&same), ["cup"]);

    let then = shop.get("/api/views/shelf?as_of=2").await.json();
    assert_eq!(
        (keys(&then), &then["position"]),
        (vec!["cup".into()], &json!(2))
    );
    let event = shop.get("/api/events/2").await.json();
    let time = event["recorded_at"].as_str().unwrap();
    let row = shop
        .get(&format!("/api/views/shelf/cup?as_of={time}"))
        .await;
    assert_eq!(row.json()["row"]["thing"], "cup");
    let row = shop.get("/api/views/shelf/cup?as_of=0").await;
    assert_eq!(row.status, StatusCode::NOT_FOUND);
}
