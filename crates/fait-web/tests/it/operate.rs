//! What operators do, by HTTP and on pages; and how people get out of a task.

use crate::counter::{self, bring};
use crate::pages::{first_task, location, page, send};
use crate::shop::{Shop, open};
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

async fn act(shop: &Shop, key: &str, action: &str, body: Value) -> (StatusCode, Value) {
    act_on(shop, ("selling", key), action, body).await
}

async fn act_on(
    shop: &Shop,
    (process, key): (&str, &str),
    action: &str,
    body: Value,
) -> (StatusCode, Value) {
    let path = format!("/api/ops/processes/{process}/{key}/{action}");
    let mut body = body;
    body["by"] = "operator:max".into();
    if body["reason"].is_null() {
        body["reason"] = "because".into();
    }
    let answer = shop.post(&path, &body.to_string()).await;
    shop.app.settle().await;
    (answer.status, answer.json())
}

async fn instance(shop: &Shop, key: &str) -> Value {
    let path = format!("/api/ops/processes/selling/{key}");
    shop.get(&path).await.json()
}

async fn packing(shop: &Shop, key: &str) -> Value {
    let path = format!("/api/ops/processes/packing/{key}");
    shop.get(&path).await.json()
}

async fn open_command(shop: &Shop, key: &str) -> String {
    let open = instance(shop, key).await["open"].clone();
    let (id, _) = open.as_object().unwrap().iter().next().unwrap();
    id.clone()
}

#[tokio::test]
async fn what_is_stuck_is_listed_and_shown_with_its_facts() {
    let shop = open();
    shop.offer("bomb").await;
    shop.offer("cup").await;
    let stuck = shop.get("/api/ops/stuck?process=selling").await.json();
    assert_eq!(stuck.as_array().unwrap().len(), 1);
    assert_eq!(
        (&stuck[0]["instance"]["key"], &stuck[0]["backlog"]),
        (&json!("bomb"), &json!(0))
    );
    let class = &stuck[0]["instance"]["status"]["parked"]["class"];
    assert_eq!(class, "defect");
    let bomb = instance(&shop, "bomb").await;
    assert_eq!(bomb["facts"][0]["type"], "$ProcessParked");
    let unknown = shop.get("/api/ops/stuck?process=seling").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert!(unknown.detail().contains("did you mean `selling`?"));
}

#[tokio::test]
async fn every_action_has_an_address() {
    let shop = open();
    for thing in ["bomb", "cup", "mug", "jar", "pan"] {
        shop.offer(thing).await;
    }
    let done = json!("done");
    let (status, answer) = act(&shop, "bomb", "retry", json!({})).await;
    assert_eq!((status, &answer["outcome"]), (StatusCode::OK, &done));
    let (status, _) = act(&shop, "bomb", "skip", json!({})).await;
    assert_eq!(status, StatusCode::OK);
    let command = open_command(&shop, "cup").await;
    let body = json!({"command": command, "body": {"thing": "cup", "buyer": "Kim"}});
    let (status, answer) = act(&shop, "cup", "amend", body).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let command = answer["issued"][0].clone();
    let body = json!({"command": command});
    let (status, answer) = act(&shop, "cup", "skip-command", body).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let body = json!({"command": open_command(&shop, "mug").await, "outcome": "accepted",
        "evidence": "the till says so"});
    let (status, answer) = act(&shop, "mug", "settle", body).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let facts = instance(&shop, "mug").await["facts"].clone();
    let settled = facts.as_array().unwrap().iter();
    let mut settled = settled.filter(|f| f["type"] == "$CommandSettled");
    assert_eq!(
        settled.next().unwrap()["data"]["by_hand"],
        "the till says so"
    );
    let (status, answer) = act(&shop, "mug", "compensate", json!({})).await;
    assert_eq!(
        (status, &answer["outcome"]),
        (StatusCode::OK, &json!("dry-run"))
    );
    let why = &answer["plan"]["done"][0]["why_not"];
    assert_eq!(why, "nothing undoes it");
    let (status, answer) = act(&shop, "mug", "compensate", json!({"confirm": true})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{answer}");
    assert_eq!(answer["type"], "urn:fait:problem:nothing-to-undo");
    for (thing, action) in [("jar", "cancel"), ("pan", "complete")] {
        let (status, answer) = act(&shop, thing, action, json!({})).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(instance(&shop, thing).await["status"], "ended");
    }
}

#[tokio::test]
async fn deadlines_are_moved_and_what_was_done_is_taken_back() {
    let shop = counter::open(&Arc::default(), false);
    bring(&shop, "cup").await;
    let cup = ("packing", "cup");
    let noon = json!({"deadline": "Noon", "to": "2026-01-01T12:00:00Z"});
    let (status, answer) = act_on(&shop, cup, "postpone", noon).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let set = packing(&shop, "cup").await["deadlines"].clone();
    let due = &set["\"Noon\""][0]["due"];
    assert_eq!(due, "2026-01-01T12:00:00.000Z", "{set}");
    let (status, answer) = act_on(&shop, cup, "fire", json!({"deadline": "Noon"})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    shop.app.advance(Duration::from_millis(1)).await;
    let now = packing(&shop, "cup").await;
    assert_eq!(now["deadlines"], json!({}));
    assert_eq!(now["state"][1]["noon"], true, "{now}");
    let (_, answer) = act_on(&shop, cup, "compensate", json!({})).await;
    let inverse = &answer["plan"]["done"][0]["inverse"];
    assert_eq!(inverse, &json!(["Untie", {"parcel": "cup"}]), "{answer}");
    let confirmed = json!({"confirm": true});
    let (status, answer) = act_on(&shop, cup, "compensate", confirmed.clone()).await;
    assert_eq!(
        (status, &answer["outcome"]),
        (StatusCode::OK, &json!("done"))
    );
    assert_eq!(answer["issued"].as_array().unwrap().len(), 1, "{answer}");
    assert_eq!(packing(&shop, "cup").await["status"], "ended");
    let events = shop.get("/api/events?types=Untied").await.json();
    assert_eq!(events["events"].as_array().unwrap().len(), 1, "{events}");
    let (_, again) = act_on(&shop, cup, "compensate", confirmed).await;
    assert_eq!(again["repeated"], true, "{again}");
}

/// Three parcels that began with the first definition, in a system that has the second.
async fn newer() -> Shop {
    let store = Arc::default();
    let before = counter::open(&store, false);
    for parcel in ["cup", "mug", "stone"] {
        bring(&before, parcel).await;
    }
    before.app.stop().await;
    let shop = counter::open(&store, true);
    bring(&shop, "new").await;
    shop
}

#[tokio::test]
async fn an_instance_goes_on_with_the_newest_definition() {
    let shop = newer().await;
    let migrate = async |key: &str, body: Value| {
        let (status, answer) = act_on(&shop, ("packing", key), "migrate", body).await;
        (status.as_u16(), answer)
    };
    let head = shop.app.head().await.unwrap();
    let (status, answer) = migrate("cup", json!({"dry_run": true})).await;
    assert_eq!((status, &answer["outcome"]), (200, &json!("dry-run")));
    let plan = &answer["plan"];
    assert_eq!((&plan["from"], &plan["to"]), (&json!(1), &json!(2)));
    assert_eq!(plan["after"]["heavy"], false, "{plan}");
    let (status, answer) = migrate("cup", json!({"dry_run": "yes"})).await;
    assert_eq!((status, &answer["field"]), (400, &json!("dry_run")));
    let (status, answer) = migrate("cup", json!({"reason": " "})).await;
    assert_eq!((status, &answer["field"]), (400, &json!("reason")));
    assert_eq!(migrate("bowl", json!({"dry_run": true})).await.0, 404);
    assert_eq!(migrate("bowl", json!({})).await.0, 404);
    let (status, answer) = migrate("stone", json!({})).await;
    assert_eq!(status, 409, "{answer}");
    assert_eq!(answer["type"], "urn:fait:problem:not-migrated");
    let why = "it cannot go on with definition 2: definition 1 weighed it";
    assert_eq!(answer["detail"], why);
    assert_eq!(shop.app.head().await.unwrap(), head, "nothing is recorded");
    assert_eq!(migrate("cup", json!({})).await.0, 200);
    assert_eq!(packing(&shop, "cup").await["definition"], 2);
    assert_eq!(migrate("cup", json!({})).await.1["repeated"], true);
    assert_eq!(migrate("cup", json!({"reason": "again"})).await.0, 409);
    let body = json!({"action": "migrate", "reason": "all"}).to_string();
    let preview = shop.post("/api/ops/bulk/packing/preview", &body).await;
    assert_eq!(preview.json()["count"], 2, "{}", preview.body);
}

#[tokio::test]
async fn a_page_offers_the_newest_definition_where_there_is_one() {
    let shop = newer().await;
    let offered = async |key: &str| {
        let one = page(&shop, "clerk", &format!("/instances/packing/{key}")).await;
        one.body.contains("Go on by the newest rules")
    };
    assert!(offered("mug").await);
    assert!(!offered("new").await);
    let form = [("do", "migrate"), ("reason", "kinder")];
    let done = send(&shop, "clerk", "/instances/packing/mug", &form).await;
    assert_eq!(location(&done), "/instances/packing/mug?done=yes");
    shop.app.settle().await;
    assert!(!offered("mug").await);
    let refused = send(&shop, "clerk", "/instances/packing/stone", &form).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    let why = "It cannot go on with definition 2";
    assert!(refused.body.contains(why), "{}", refused.body);
}

#[tokio::test]
async fn what_is_wrong_is_told_and_changes_nothing() {
    let shop = open();
    shop.offer("cup").await;
    let head = shop.app.head().await.unwrap();
    let command = open_command(&shop, "cup").await;
    let none = "00000000-0000-0000-0000-000000000009";
    let cases = [
        ("cup", "retry", json!({}), 409, "is not parked"),
        ("mug", "cancel", json!({}), 404, "has no instance `mug`"),
        ("cup", "explode", json!({}), 404, "there are retry, skip"),
        ("cup", "cancel", json!({"reason": " "}), 400, "say why"),
        (
            "cup",
            "skip-command",
            json!({"command": none}),
            409,
            &command,
        ),
        (
            "cup",
            "skip-command",
            json!({}),
            400,
            "missing field `command`",
        ),
        (
            "cup",
            "fire",
            json!({"deadline": "Noon"}),
            409,
            "set are: none",
        ),
        (
            "cup",
            "amend",
            json!({"command": command, "body": {"thing": 5}}),
            400,
            "thing",
        ),
        (
            "cup",
            "postpone",
            json!({"deadline": "Noon", "to": "tomorrow"}),
            400,
            "cannot be read",
        ),
    ];
    for (key, action, body, code, part) in cases {
        let (status, answer) = act(&shop, key, action, body).await;
        let detail = answer["detail"].as_str().unwrap_or_default();
        assert_eq!(status.as_u16(), code, "{action}: {detail}");
        assert!(detail.contains(part), "{action}: {detail}");
    }
    assert_eq!(shop.app.head().await.unwrap(), head);
}

#[tokio::test]
async fn many_are_previewed_run_and_watched() {
    let shop = open();
    for thing in ["cup", "mug", "bomb"] {
        shop.offer(thing).await;
    }
    let body = json!({"action": "cancel", "by": "operator:max", "reason": "closing down",
        "filter": {"status": "running"}});
    let path = "/api/ops/bulk/selling";
    let none = shop.get(path).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    let preview = shop
        .post(&format!("{path}/preview"), &body.to_string())
        .await
        .json();
    assert_eq!(
        (&preview["count"], &preview["sample"][0]["key"]),
        (&json!(2), &json!("cup"))
    );
    let mut fast = body.clone();
    fast["rate"] = 10_001.into();
    let wrong = shop.post(&format!("{path}/run"), &fast.to_string()).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "{}", wrong.body);
    let mut odd = body.clone();
    odd["filter"]["colour"] = "red".into();
    let wrong = shop.post(&format!("{path}/run"), &odd.to_string()).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "{}", wrong.body);
    let begun = shop.post(&format!("{path}/run"), &body.to_string()).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED, "{}", begun.body);
    let ended = loop {
        let progress = shop.get(path).await.json();
        if progress["state"] != "running" {
            break progress;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    let told = (&ended["state"], &ended["done"], &ended["left"]);
    assert_eq!(told, (&json!("done"), &json!(2), &json!(0)));
    let abort = shop.post(&format!("{path}/abort"), "{}").await.json();
    assert_eq!(abort["outcome"], "nothing went on");
}

#[tokio::test]
async fn what_came_of_a_command_is_said_in_words() {
    let shop = open();
    shop.offer("mug").await;
    let body = json!({"command": open_command(&shop, "mug").await, "outcome": {"failed": {"error": "it fell"}},
        "evidence": "it lies there"});
    let (status, answer) = act(&shop, "mug", "settle", body).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    shop.app.settle().await;
    let list = page(&shop, "clerk", "/stuck").await.body;
    assert!(list.contains("what came of a command (event "), "{list}");
    assert!(!list.contains("ommand settled"), "{list}");
}

#[tokio::test]
async fn the_pages_of_what_is_stuck_let_it_go_on() {
    let shop = open();
    shop.offer("bomb").await;
    let list = page(&shop, "clerk", "/stuck").await.body;
    for part in [
        "1 instance waits",
        "/instances/selling/bomb",
        "the program failed",
    ] {
        assert!(list.contains(part), "no `{part}` in {list}");
    }
    let at = "/instances/selling/bomb";
    let one = page(&shop, "clerk", at).await.body;
    for part in [
        "Try again",
        "Go on without it",
        "Cancel it",
        "Declare it done",
    ] {
        assert!(one.contains(part), "no `{part}` in {one}");
    }
    let unsaid = send(&shop, "clerk", at, &[("do", "skip")]).await;
    assert_eq!(unsaid.status, StatusCode::BAD_REQUEST);
    assert!(unsaid.body.contains("Say why"), "{}", unsaid.body);
    let done = send(&shop, "clerk", at, &[("do", "skip"), ("reason", "defused")]).await;
    assert_eq!(location(&done), "/instances/selling/bomb?done=yes");
    shop.app.settle().await;
    let empty = page(&shop, "clerk", "/stuck").await.body;
    assert!(empty.contains("Nothing waits for an operator."), "{empty}");
    let other = send(&shop, "clerk", at, &[("do", "retry"), ("reason", "x")]).await;
    assert_eq!(other.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_page_does_the_same_to_many_once_it_has_shown_which() {
    let shop = open();
    shop.offer("bomb").await;
    let mut form = vec![
        ("process", "selling"),
        ("action", "skip"),
        ("class", "defect"),
        ("text", "BOMB"),
        ("reason", "all defused"),
        ("how", "preview"),
    ];
    let shown = send(&shop, "clerk", "/stuck/many", &form).await;
    assert!(shown.body.contains("Do it to 1 instance"), "{}", shown.body);
    assert_eq!(shop.app.parked().unwrap().len(), 1, "nothing is done yet");
    form.pop();
    form.push(("how", "run"));
    let begun = send(&shop, "clerk", "/stuck/many", &form).await;
    assert_eq!(location(&begun), "/stuck?done=begun");
    while shop.app.bulk_progress("selling").unwrap().left() > 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    shop.app.settle().await;
    assert!(shop.app.parked().unwrap().is_empty());
}

#[tokio::test]
async fn a_task_is_handed_back_or_declined_on_its_page() {
    let shop = open();
    shop.offer("cup").await;
    let task = first_task(&shop).await;
    let fresh = send(&shop, "clerk", &format!("{task}/claim"), &[]).await;
    assert_eq!(location(&fresh), task);
    shop.app.settle().await;
    let mine = send_get(&shop, &task).await;
    assert!(mine.contains("Hand it back"), "{mine}");
    assert!(mine.contains("I cannot do this"), "{mine}");
    send(&shop, "clerk", &format!("{task}/hand-back"), &[]).await;
    shop.app.settle().await;
    let back = send_get(&shop, &task).await;
    assert!(
        back.contains("I am on it") && !back.contains("Hand it back"),
        "{back}"
    );
    let unsaid = send(&shop, "clerk", &format!("{task}/decline"), &[]).await;
    assert_eq!(unsaid.status, StatusCode::BAD_REQUEST);
    let said = [("reason", "the cup has a crack")];
    let other = send(&shop, "shopkeeper", &format!("{task}/decline"), &said).await;
    assert_eq!(other.status, StatusCode::FORBIDDEN);
    let declined = send(&shop, "clerk", &format!("{task}/decline"), &said).await;
    assert_eq!(location(&declined), task);
    shop.app.settle().await;
    let gone = send_get(&shop, &task).await;
    let why = "It was declined by Eve, clerk at 00:00: the cup has a crack.";
    assert!(gone.contains(why), "{gone}");
    let story = send_get(&shop, "/things/thing/cup").await;
    assert!(story.contains("Declined: sell the thing"), "{story}");
    assert!(story.contains("handed it back"), "{story}");
}

/// A page as the one who takes tasks sees it.
async fn send_get(shop: &Shop, path: &str) -> String {
    use axum::body::Body;
    use axum::http::{Request, header};
    let request = Request::get(path).header(header::COOKIE, "fait_role=clerk; fait_name=Eve");
    shop.ask(request.body(Body::empty()).unwrap()).await.body
}
