//! Who has done something is shown it: over HTTP by a token, on the pages by a cookie.

use crate::pages::{location, send};
use crate::shop::{Answer, Shop, hang, open, open_in};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use std::path::Path;

const OTHER: &str = "a.1.00000000000000000000000000000009.00000000000000000000000000000009";
const CATCHING_UP: &str = "Recorded. The list is catching up.";

/// Offers a thing, and waits for nothing.
async fn offer(shop: &Shop, thing: &str) -> Answer {
    let body = format!(r#"{{"thing": "{thing}", "price": "3.50", "words": []}}"#);
    shop.post("/api/commands/OfferThing", &body).await
}

fn said<'a>(answer: &'a Answer, header: &str) -> &'a str {
    let value = answer.headers.get(header);
    value.map_or("nothing", |v| v.to_str().unwrap())
}

/// What a browser keeps of an answer under the name that the pages use.
fn kept(answer: &Answer) -> Option<&str> {
    let all = answer.headers.get_all(header::SET_COOKIE).iter();
    let all = all.map(|c| c.to_str().unwrap());
    all.filter_map(|c| c.strip_prefix("fait_seen=")).next()
}

/// A page in a tab of a browser that keeps a cookie.
async fn tab(shop: &Shop, path: &str, kept: &str) -> Answer {
    let (token, _) = kept.split_once(';').unwrap();
    let cookies = format!("fait_role=shopkeeper; fait_name=Eve; fait_seen={token}");
    let request = Request::get(path).header(header::COOKIE, cookies);
    shop.ask(request.body(Body::empty()).unwrap()).await
}

async fn offer_by_form(shop: &Shop, thing: &str) -> Answer {
    let words = [("thing", thing), ("price", "3.50"), ("words", "")];
    let sent = send(shop, "shopkeeper", "/do/OfferThing", &words).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    sent
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => std::fs::copy(entry.path(), to).map(drop).unwrap(),
        }
    }
}

#[tokio::test]
async fn an_answer_has_a_token_and_reading_with_it_shows_what_was_done() {
    let shop = open();
    let done = offer(&shop, "cup").await;
    let token = done.json()["token"].as_str().unwrap().to_string();
    assert_eq!(said(&done, "fait-token"), token);
    assert_eq!(done.json().get("behind"), None);
    let path = format!("/api/views/shelf/cup?at_least={token}");
    let row = shop.get(&path).await.json();
    assert_eq!(
        (&row["key"], &row["caught_up"]),
        (&"cup".into(), &true.into())
    );
    for path in [
        "/api/ops/processes/selling",
        "/api/ops/processes/selling/cup",
    ] {
        let read = shop.get(&format!("{path}?at_least={token}")).await;
        assert_eq!(said(&read, "fait-caught-up"), "true");
        assert!(read.body.contains("\"running\""), "{}", read.body);
    }
    // Whoever is refused reads what it was refused for.
    let refused = offer(&shop, "cup").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let token = said(&refused, "fait-token").to_string();
    let asked = shop
        .get(&format!("/api/inbox/Clerk?at_least={token}"))
        .await;
    assert_eq!(said(&asked, "fait-caught-up"), "true");
    let id = asked.json()[0]["id"].as_str().unwrap().to_string();
    let claim = format!("/api/tasks/{id}/claim");
    let claimed = shop.post(&claim, r#"{"by": "clerk:ann", "minutes": 5}"#);
    let token = said(&claimed.await, "fait-token").to_string();
    let request = Request::get("/api/inbox/Clerk").header("fait-at-least", token);
    let asked = shop.ask(request.body(Body::empty()).unwrap()).await;
    assert_eq!(asked.json()[0]["claim"][0], "clerk:ann", "{}", asked.body);
    assert_eq!(said(&asked, "fait-token"), "nothing");
}

#[tokio::test]
async fn a_token_that_is_none_and_one_of_another_history_are_told_apart() {
    let shop = open();
    offer(&shop, "cup").await;
    for path in [
        "/api/views/shelf",
        "/api/views/shelf/cup",
        "/api/inbox/Clerk",
        "/api/ops/processes/selling",
        "/api/ops/processes/selling/cup",
    ] {
        let wrong = shop.get(&format!("{path}?at_least=soon")).await;
        assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(wrong.json()["field"], "at_least");
        let other = shop.get(&format!("{path}?at_least={OTHER}")).await;
        assert_eq!(other.status, StatusCode::CONFLICT, "{path}");
        assert_eq!(other.json()["type"], "urn:fait:problem:other-history");
        let what_to_do = "read without it, and look what is recorded";
        assert!(other.detail().ends_with(what_to_do), "{}", other.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_view_that_hangs_is_said_to_be_behind_over_http_and_on_every_page() {
    let folder = tempfile::tempdir().unwrap();
    let shop = open_in(folder.path());
    let hung = hang("stuck");
    let sent = offer_by_form(&shop, "stuck").await;
    let cookie = kept(&sent).unwrap();
    let token = cookie.split_once(';').unwrap().0;
    let rows = shop
        .get(&format!("/api/views/shelf?at_least={token}"))
        .await;
    assert_eq!(rows.json()["caught_up"], false);
    assert_eq!(rows.json()["rows"].as_array().map(Vec::len), Some(0));
    let receipt = tab(&shop, location(&sent), cookie).await.body;
    assert_eq!(receipt.matches(CATCHING_UP).count(), 2, "{receipt}");
    let list = tab(&shop, "/views/shelf", cookie).await.body;
    assert!(
        list.contains(&format!("<p class=\"behind\">{CATCHING_UP}")),
        "{list}"
    );
    // Somebody else is not kept waiting, and has nothing to be told.
    let request = Request::get("/views/shelf").header(header::COOKIE, "fait_role=clerk");
    let others = shop.ask(request.body(Body::empty()).unwrap()).await.body;
    assert!(!others.contains(CATCHING_UP), "{others}");
    drop(hung);
    let list = tab(&shop, "/views/shelf", cookie).await.body;
    assert!(
        !list.contains(CATCHING_UP) && list.contains("/things/thing/stuck"),
        "{list}"
    );
    let receipt = tab(&shop, location(&sent), cookie).await.body;
    assert!(receipt.contains("The lists show it."), "{receipt}");
    shop.app.stop().await;
}

#[tokio::test]
async fn another_tab_shows_what_was_done_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let shop = open_in(folder.path());
    let sent = offer_by_form(&shop, "cup").await;
    let cookie = kept(&sent).unwrap().to_string();
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000"));
    let list = tab(&shop, "/views/shelf", &cookie).await;
    assert!(list.body.contains("/things/thing/cup"), "{}", list.body);
    assert_eq!(kept(&list), None, "it is kept as it is");
    let sent = offer_by_form(&shop, "mug").await;
    let cookie = kept(&sent).unwrap().to_string();
    let thing = tab(&shop, "/things/thing/mug", &cookie).await.body;
    assert!(thing.contains("href=\"/views/shelf\">Shelf</a>"), "{thing}");
    let sent = offer_by_form(&shop, "jug").await;
    let cookie = kept(&sent).unwrap().to_string();
    shop.app.stop().await;
    drop(shop);
    let shop = open_in(folder.path());
    let list = tab(&shop, "/views/shelf", &cookie).await.body;
    assert!(list.contains("/things/thing/jug"), "{list}");
    shop.app.stop().await;
}

#[tokio::test]
async fn the_address_alone_is_enough_where_no_cookie_is_kept() {
    let shop = open();
    let sent = offer_by_form(&shop, "cup").await;
    let clerk = crate::pages::page(&shop, "clerk", location(&sent)).await;
    assert!(clerk.body.contains("The lists show it."), "{}", clerk.body);
    let rows = shop
        .app
        .view_rows("shelf", &Default::default())
        .await
        .unwrap();
    assert_eq!(rows.rows.len(), 1);
}

#[tokio::test]
async fn a_cookie_of_another_history_is_dropped_and_nobody_waits_for_it() {
    let (folder, backup) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let shop = open_in(folder.path());
    offer_by_form(&shop, "cup").await;
    shop.app.stop().await;
    drop(shop);
    copy(folder.path(), backup.path());
    let shop = open_in(folder.path());
    let lost = offer_by_form(&shop, "mug").await;
    shop.app.stop().await;
    drop(shop);

    let shop = open_in(backup.path());
    let of_others = format!("{OTHER};");
    for cookie in [kept(&lost).unwrap(), &of_others, "words;"] {
        for path in ["/inbox", "/views/shelf", "/things/thing/cup", "/status"] {
            let page = tab(&shop, path, cookie).await;
            assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.body);
            assert!(!page.body.contains(CATCHING_UP), "{path}: {}", page.body);
            let dropped = "; Path=/; HttpOnly; SameSite=Lax; Max-Age=0";
            assert_eq!(kept(&page), Some(dropped), "{path}");
        }
    }
    let receipt = tab(&shop, location(&lost), kept(&lost).unwrap()).await;
    assert_eq!(receipt.status, StatusCode::OK);
    let told = "This was recorded, but it is not here any more.";
    assert!(receipt.body.contains(told), "{}", receipt.body);
    // What is done now is kept again.
    let sent = offer_by_form(&shop, "jug").await;
    let list = tab(&shop, "/views/shelf", kept(&sent).unwrap()).await;
    assert!(list.body.contains("/things/thing/jug"), "{}", list.body);
    shop.app.stop().await;
}
