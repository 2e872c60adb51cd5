//! Views that are rebuilt beside the one that serves, by HTTP and on pages.

use crate::jars::{AT_GATE, CLOSED, Cellar, Jars, MUCH, NEW, OLD, POISON, SLOW, STUMBLES};
use crate::pages::{location, send};
use crate::shop::Shop;
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

type First = Jars<1, true>;
type Second = Jars<2, true>;
type Stumbling = Jars<1, false>;

async fn status(shop: &Shop) -> Value {
    shop.get("/api/ops/views/jars").await.json()
}

/// The status, as soon as it is so.
async fn when(shop: &Shop, so: impl Fn(&Value) -> bool) -> Value {
    loop {
        let status = status(shop).await;
        if so(&status) {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn act(shop: &Shop, action: &str, body: Value) -> (StatusCode, Value) {
    let path = format!("/api/ops/views/jars/{action}");
    let answer = shop.post(&path, &body.to_string()).await;
    (answer.status, answer.json())
}

/// Does it, and waits for all that follows.
async fn done(shop: &Shop, action: &str, body: Value) -> Value {
    let (status, answer) = act(shop, action, body).await;
    assert!(status.is_success(), "{action}: {answer}");
    shop.app.settle().await;
    answer
}

async fn refused(shop: &Shop, action: &str, why: &str) {
    let (status, answer) = act(shop, action, json!({})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{action}: {answer}");
    assert_eq!(answer["type"], "urn:fait:problem:not-now", "{action}");
    let detail = answer["detail"].as_str().unwrap();
    assert!(detail.contains(why), "{action}: {detail}");
}

async fn page(shop: &Shop, path: &str) -> String {
    let answer = crate::pages::page(shop, "clerk", path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
    answer.body
}

/// All rows with why they do not follow.
async fn rows(shop: &Shop) -> BTreeMap<String, (Value, Option<String>)> {
    let mut rows = BTreeMap::new();
    let mut after = String::new();
    loop {
        let path = format!("/api/views/jars?limit=1000&after={after}");
        let answer = shop.get(&path).await.json();
        for row in answer["rows"].as_array().unwrap() {
            let stale = row["stale"].as_str().map(String::from);
            let key = row["key"].as_str().unwrap().to_string();
            rows.insert(key, (row["row"]["spoons"].clone(), stale));
        }
        match answer["next"].as_str() {
            Some(next) => after = next.to_string(),
            None => return rows,
        }
    }
}

/// Two programs, one after the other; the second is ready and waits.
async fn upgraded() -> (Cellar, Shop) {
    let mut cellar = Cellar::new();
    let jars = [("a", 1), ("new", NEW), ("old", OLD), ("b", MUCH), ("b", 1)];
    cellar.fill(&jars).await;
    let first = cellar.open::<First>();
    first.app.settle().await;
    assert_eq!(status(&first).await["frozen"], Value::Null);
    first.app.stop().await;
    let second = cellar.open_held::<Second>();
    when(&second, |s| s["rebuild"]["state"] == "ready").await;
    (cellar, second)
}

#[tokio::test]
async fn the_old_version_serves_until_the_new_one_is_let_to() {
    let (mut cellar, shop) = upgraded().await;
    cellar.fill(&[("a", 2)]).await;
    shop.app.settle().await;
    let before = status(&shop).await;
    assert_eq!(
        (&before["version"], &before["position"]),
        (&json!(1), &json!(5))
    );
    let frozen = before["frozen"].as_str().unwrap();
    assert!(
        frozen.contains("version 1 of this view, which stopped at event 5"),
        "{frozen}"
    );
    assert_eq!(before["rebuild"]["version"], 2);
    let old = rows(&shop).await;
    assert_eq!(old["b"].0, 101, "by the old code");
    assert!(
        old.values()
            .all(|(_, stale)| stale.as_deref() == Some(frozen))
    );
    assert_eq!(old["a"].0, 1, "it does not follow");
    assert_eq!(done(&shop, "switch", json!({})).await["outcome"], "done");
    let after = when(&shop, |s| s["version"] == 2).await;
    assert_eq!(
        (&after["frozen"], &after["rebuild"]),
        (&Value::Null, &Value::Null)
    );
    shop.app.settle().await;
    let new = rows(&shop).await;
    assert_eq!((&new["a"].0, &new["b"].0), (&json!(3), &json!(201)));
    assert!(new.values().all(|(_, stale)| stale.is_none()));
}

#[tokio::test]
async fn a_difference_names_rows_fields_and_events() {
    let (_cellar, shop) = upgraded().await;
    let diff = shop.get("/api/ops/views/jars/diff").await.json();
    let counts = ["added", "gone", "changed", "same"].map(|n| diff[n].as_u64().unwrap());
    assert_eq!(counts, [1, 1, 1, 1], "{diff}");
    let row = |n: usize| {
        let row = &diff["rows"][n];
        let events = row["events"].as_array().unwrap().iter();
        let events: Vec<u64> = events.map(|e| e["position"].as_u64().unwrap()).collect();
        (row["key"].clone(), row["differs"].clone(), events)
    };
    assert_eq!(row(0), (json!("b"), json!("changed"), vec![5, 4]));
    assert_eq!(row(1), (json!("new"), json!("added"), vec![2]));
    assert_eq!(row(2), (json!("old"), json!("gone"), vec![3]));
    assert_eq!(diff["rows"][0]["fields"], json!(["spoons"]));
    let short = shop.get("/api/ops/views/jars/diff?limit=1").await.json();
    assert_eq!(short["rows"].as_array().unwrap().len(), 1);
    assert_eq!(short["gone"], 1, "all are counted");
    let text = page(&shop, "/status/views/jars/diff").await;
    let said = "1 row is different, 1 row is new, 1 row is gone, and 1 row is the same";
    for words in [said, "spoons in it", "101", "201", "/events/4"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[tokio::test]
async fn what_changed_between_two_moments_is_told() {
    let (_cellar, shop) = upgraded().await;
    let between = |q: &'static str| {
        let path = format!("/api/ops/views/jars/between?{q}");
        let shop = &shop;
        async move { shop.get(&path).await }
    };
    let diff = between("from=4&to=5").await.json();
    assert_eq!((&diff["changed"], &diff["added"]), (&json!(1), &json!(0)));
    assert_eq!(diff["rows"][0]["before"]["spoons"], 200);
    assert_eq!(diff["rows"][0]["after"]["spoons"], 201);
    assert_eq!(diff["rows"][0]["events"][0]["position"], 5);
    let all = between("from=2000-01-01T00:00:00Z").await.json();
    assert_eq!(
        (&all["before"]["position"], &all["added"]),
        (&json!(0), &json!(3))
    );
    for (query, why) in [
        ("to=5", "say from when"),
        ("from=soon", "from is a position, or a time"),
        ("from=1&limit=x", "limit is a whole number"),
    ] {
        let answer = between(query).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(answer.detail().contains(why), "{}", answer.detail());
    }
}

#[tokio::test]
async fn one_can_go_back_and_a_program_takes_up_its_own() {
    let (mut cellar, shop) = upgraded().await;
    done(&shop, "switch", json!({})).await;
    when(&shop, |s| s["version"] == 2).await;
    done(
        &shop,
        "roll-back",
        json!({"by": "operator:eve", "reason": "it is wrong"}),
    )
    .await;
    let back = status(&shop).await;
    assert_eq!(
        (&back["version"], &back["kept"]["version"]),
        (&json!(1), &json!(2))
    );
    let frozen = back["frozen"].as_str().unwrap();
    assert!(
        frozen.contains("somebody went back to version 1"),
        "{frozen}"
    );
    cellar.fill(&[("a", 2)]).await;
    shop.app.settle().await;
    let old = rows(&shop).await;
    assert_eq!(old["a"].0, 1, "it does not follow");
    assert!(
        old.values()
            .all(|(_, stale)| stale.as_deref() == Some(frozen))
    );
    let c = rusqlite::Connection::open(cellar.views()).unwrap();
    let sql = "SELECT count(*), count(stale), max(stale) FROM jars";
    let read = |r: &rusqlite::Row<'_>| Ok((r.get(0)?, r.get(1)?, r.get(2)?));
    let (all, stale, why): (i64, i64, String) = c.query_row(sql, [], read).unwrap();
    assert_eq!((all, stale, why.as_str()), (3, 3, frozen));
    let text = page(&shop, "/views/jars").await;
    assert!(text.contains("Somebody went back to version 1"), "{text}");
    shop.app.stop().await;
    // The same program does not make again what somebody went back from.
    let again = cellar.open::<Second>();
    again.app.settle().await;
    assert_eq!(status(&again).await["frozen"], frozen);
    again.app.stop().await;
    // The program of version 1 takes its own up where it stopped.
    let first = cellar.open::<First>();
    first.app.settle().await;
    let now = status(&first).await;
    assert_eq!(
        (&now["frozen"], &now["position"]),
        (&Value::Null, &json!(6))
    );
    assert_eq!(
        (&now["generation"], &now["rebuild"]),
        (&json!(1), &Value::Null)
    );
    assert_eq!(rows(&first).await["a"], (json!(3), None));
}

#[tokio::test]
async fn an_older_program_goes_on_with_what_it_had_made() {
    let (mut cellar, shop) = upgraded().await;
    done(&shop, "switch", json!({})).await;
    when(&shop, |s| s["version"] == 2).await;
    shop.app.stop().await;
    cellar.fill(&[("a", 2)]).await;
    let first = cellar.open::<First>();
    first.app.settle().await;
    let now = status(&first).await;
    assert_eq!(
        (&now["version"], &now["generation"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        (&now["frozen"], &now["position"]),
        (&Value::Null, &json!(6))
    );
    assert_eq!(rows(&first).await["b"], (json!(101), None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_waits_over_a_restart_and_can_be_cancelled() {
    let mut cellar = Cellar::new();
    let mut jars = vec![("slow", SLOW)];
    jars.extend([("a", 1); 2999]);
    cellar.fill(&jars).await;
    let first = cellar.open::<First>();
    first.app.settle().await;
    first.app.stop().await;
    CLOSED.store(true, Ordering::Release);
    let shop = cellar.open::<Second>();
    while !AT_GATE.load(Ordering::Acquire) {
        tokio::task::yield_now().await;
    }
    done_at_once(&shop, "pause").await;
    CLOSED.store(false, Ordering::Release);
    // It ends what it had in hand, and no more.
    let paused = when(&shop, |s| s["rebuild"]["position"] != 0).await;
    assert_eq!(paused["rebuild"]["state"], "paused");
    let at = paused["rebuild"]["position"].clone();
    assert!(at.as_u64().unwrap() < 3000, "{at}");
    refused(&shop, "rebuild", "generation 2 is being made already").await;
    refused(
        &shop,
        "roll-back",
        "generation 2 is being made; cancel it first",
    )
    .await;
    let diff = shop.get("/api/ops/views/jars/diff").await;
    assert_eq!(diff.status, StatusCode::CONFLICT);
    assert!(diff.detail().contains("nothing is ready to be compared"));
    shop.app.stop().await;
    let shop = cellar.open::<Second>();
    let again = when(&shop, |s| s["rebuild"]["until"] == 3000).await;
    assert_eq!(again["rebuild"]["state"], "paused");
    assert_eq!(again["rebuild"]["position"], at);
    let text = page(&shop, "/status/views/jars").await;
    assert!(text.contains("Go on with it"), "{text}");
    let metrics = shop.get("/metrics").await.body;
    assert!(
        metrics.contains("fait_view_rebuilding{view=\"jars\"} 1"),
        "{metrics}"
    );
    assert!(
        metrics.contains("fait_view_frozen{view=\"jars\"} 1"),
        "{metrics}"
    );
    assert!(
        metrics.contains("fait_view_rebuild_ratio{view=\"jars\"} 0.3"),
        "{metrics}"
    );
    is_cancelled_and_begun_again(&shop).await;
}

async fn is_cancelled_and_begun_again(shop: &Shop) {
    done_at_once(shop, "cancel").await;
    let cancelled = status(shop).await;
    assert_eq!(cancelled["rebuild"], Value::Null);
    assert_eq!(cancelled["version"], 1);
    for (action, why) in [
        ("pause", "nothing is being rebuilt"),
        ("resume", "nothing is being rebuilt"),
        ("cancel", "nothing is being rebuilt"),
        ("switch", "nothing was rebuilt"),
        ("roll-back", "no generation is kept"),
        ("retry", "the view does not follow"),
    ] {
        refused(shop, action, why).await;
    }
    // Asked for again, it goes through, and takes the place of the old one by itself.
    let (code, body) = act(shop, "rebuild", json!({})).await;
    assert_eq!(
        (code, &body["outcome"]),
        (StatusCode::ACCEPTED, &json!("accepted"))
    );
    let well = when(shop, |s| s["version"] == 2).await;
    assert_eq!(
        (&well["rebuilds_finished"], &well["frozen"]),
        (&json!(1), &Value::Null)
    );
}

async fn done_at_once(shop: &Shop, action: &str) {
    let (status, answer) = act(shop, action, json!({})).await;
    assert_eq!(status, StatusCode::OK, "{action}: {answer}");
}

#[tokio::test]
async fn of_ten_thousand_keys_one_waits_and_the_others_go_on() {
    let mut cellar = Cellar::new();
    let names: Vec<String> = (0..10_000).map(|n| format!("jar-{n:04}")).collect();
    let jars = |spoons| {
        names
            .iter()
            .map(move |n| (n.as_str(), spoons))
            .collect::<Vec<_>>()
    };
    cellar.fill(&jars(1)).await;
    cellar.fill(&[("jar-5000", POISON)]).await;
    cellar.fill(&jars(2)).await;
    let shop = cellar.open::<Stumbling>();
    shop.app.settle().await;
    let status = status(&shop).await;
    assert_eq!(
        (&status["lag_events"], &status["parked_keys"]),
        (&json!(0), &json!(1))
    );
    let all = rows(&shop).await;
    let (hurt, well): (Vec<_>, Vec<_>) = all.iter().partition(|(_, (_, stale))| stale.is_some());
    assert_eq!((hurt.len(), well.len()), (1, 9_999));
    assert!(
        well.iter().all(|(_, (spoons, _))| *spoons == 3),
        "they go on"
    );
    assert_eq!((hurt[0].0.as_str(), &hurt[0].1.0), ("jar-5000", &json!(1)));
    let why = hurt[0].1.1.as_ref().unwrap();
    assert!(
        why.contains("this spoon is poison") && why.contains("position 10001"),
        "{why}"
    );
    let parked = shop.get("/api/ops/views/jars/parked").await.json();
    assert_eq!(
        (&parked["count"], &parked["next"]),
        (&json!(1), &Value::Null)
    );
    assert_eq!(
        parked["parked"],
        json!([{"key": "jar-5000", "position": 10_001, "reason": why}])
    );
    for path in ["/views/jars?key.ge=jar-5000", "/status/views/jars"] {
        let text = page(&shop, path).await;
        assert!(text.contains("this spoon is poison"), "{path}");
    }
    // The same program cannot take it; once it can, what was missed is taken in order.
    let key = json!({"key": "jar-5000"});
    let again = done(&shop, "retry", key.clone()).await;
    assert_eq!((&again["retried"], &again["well"]), (&json!(1), &json!(0)));
    STUMBLES.store(false, Ordering::Release);
    let again = done(&shop, "retry", key).await;
    assert_eq!((&again["retried"], &again["well"]), (&json!(1), &json!(1)));
    STUMBLES.store(true, Ordering::Release);
    cellar
        .fill(&[("jar-0007", POISON), ("jar-0007", 1), ("jar-5000", 1)])
        .await;
    shop.app.settle().await;
    assert_eq!(rows(&shop).await["jar-5000"], (json!(POISON + 4), None));
    assert!(rows(&shop).await["jar-0007"].1.is_some());
    shop.app.stop().await;
    is_mended(&cellar).await;
}

/// Another program tries again when it starts.
async fn is_mended(cellar: &Cellar) {
    let mended = cellar.open::<First>();
    mended.app.settle().await;
    let retried = rows(&mended).await;
    assert_eq!(retried["jar-0007"], (json!(POISON + 4), None));
    let (_, answer) = act(&mended, "rebuild", json!({})).await;
    assert_eq!(answer["rebuilds_finished"], 0);
    when(&mended, |s| s["rebuilds_finished"] == 1).await;
    assert_eq!(
        rows(&mended).await,
        retried,
        "as if nothing had ever been wrong"
    );
}

#[tokio::test]
async fn parked_keys_are_read_page_by_page() {
    let mut cellar = Cellar::new();
    let names: Vec<String> = (0..250).map(|n| format!("jar-{n:03}")).collect();
    let jars: Vec<_> = names.iter().map(|n| (n.as_str(), POISON)).collect();
    cellar.fill(&jars).await;
    let shop = cellar.open::<Stumbling>();
    shop.app.settle().await;
    let (mut after, mut found) = (String::new(), vec![]);
    loop {
        let path = format!("/api/ops/views/jars/parked?limit=100&after={after}");
        let answer = shop.get(&path).await.json();
        assert_eq!(answer["count"], 250);
        let keys = answer["parked"].as_array().unwrap().iter();
        found.extend(keys.map(|k| k["key"].as_str().unwrap().to_string()));
        match answer["next"].as_str() {
            Some(next) => after = next.into(),
            None => break,
        }
    }
    assert_eq!(found, names);
    let text = page(&shop, "/status/views/jars").await;
    assert!(text.contains("250 keys wait"), "{text}");
    assert!(text.contains("/status/views/jars?after=jar-099"), "{text}");
}

#[tokio::test]
async fn a_page_does_all_of_it_and_asks_where_it_should() {
    let (_cellar, shop) = upgraded().await;
    let here = "/status/views/jars";
    let text = page(&shop, here).await;
    for words in [
        "ready: compare, then let it serve",
        "Frozen since event 5",
        "/diff",
        "Throw it away",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("Let it wait"), "{text}");
    let overview = page(&shop, "/status").await;
    assert!(
        overview.contains("href=\"/status/views/jars\""),
        "{overview}"
    );
    assert!(overview.contains("Frozen since event 5"), "{overview}");
    // Pressed without having been asked, it is asked.
    let asked = send(&shop, "clerk", here, &[("do", "switch")]).await;
    assert_eq!(location(&asked), "/status/views/jars?sure=switch");
    assert_eq!(status(&shop).await["version"], 1);
    let text = page(&shop, location(&asked)).await;
    assert!(
        text.contains("sees the rows of generation 2 from then on"),
        "{text}"
    );
    let said = [("do", "switch"), ("sure", "yes"), ("reason", "it is right")];
    let switched = send(&shop, "clerk", here, &said).await;
    assert_eq!(location(&switched), "/status/views/jars?done=switch");
    when(&shop, |s| s["version"] == 2).await;
    let text = page(&shop, location(&switched)).await;
    assert!(text.contains("What was rebuilt serves"), "{text}");
    assert!(text.contains("Go back to generation 1"), "{text}");
    // What cannot be done now is said on the page.
    let wrong = send(&shop, "clerk", here, &[("do", "pause")]).await;
    assert_eq!(wrong.status, StatusCode::CONFLICT);
    assert!(
        wrong.body.contains("Nothing is being rebuilt."),
        "{}",
        wrong.body
    );
    let text = page(&shop, "/status/views/jars?sure=roll-back").await;
    assert!(
        text.contains("does not have version 1 of its code"),
        "{text}"
    );
    let back = send(
        &shop,
        "clerk",
        here,
        &[("do", "roll-back"), ("sure", "yes")],
    )
    .await;
    assert_eq!(location(&back), "/status/views/jars?done=roll-back");
    assert_eq!(status(&shop).await["version"], 1);
    let nothing = page(&shop, "/status/views/jars/diff").await;
    assert!(
        nothing.contains("Nothing is ready to be compared"),
        "{nothing}"
    );
    is_forgotten(&shop).await;
}

async fn is_forgotten(shop: &Shop) {
    let here = "/status/views/jars";
    let asked = send(shop, "clerk", here, &[("do", "forget")]).await;
    let text = page(shop, location(&asked)).await;
    assert!(text.contains("generation 2 are written over"), "{text}");
    let gone = send(shop, "clerk", here, &[("do", "forget"), ("sure", "yes")]).await;
    assert_eq!(location(&gone), "/status/views/jars?done=forget");
    assert_eq!(status(shop).await["kept"], Value::Null);
    let unknown = crate::pages::page(shop, "clerk", "/status/views/jugs").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_parked_key_is_tried_again_on_the_page() {
    let mut cellar = Cellar::new();
    cellar.fill(&[("a", 1), ("a", POISON), ("b", 1)]).await;
    let shop = cellar.open::<Stumbling>();
    shop.app.settle().await;
    let here = "/status/views/jars";
    let text = page(&shop, here).await;
    assert!(
        text.contains("Try a again") && text.contains("/events/2"),
        "{text}"
    );
    let again = send(&shop, "clerk", here, &[("do", "retry")]).await;
    assert_eq!(location(&again), "/status/views/jars?done=hurt");
    let key = [("do", "retry-one"), ("key", "a")];
    STUMBLES.store(false, Ordering::Release);
    let again = send(&shop, "clerk", here, &key).await;
    STUMBLES.store(true, Ordering::Release);
    assert_eq!(location(&again), "/status/views/jars?done=well");
    assert_eq!(rows(&shop).await["a"], (json!(POISON + 1), None));
    let well = send(&shop, "clerk", here, &key).await;
    assert_eq!(well.status, StatusCode::CONFLICT);
}
