//! The pages: what people see, send and are told, and that nothing of it breaks out of the page.

use crate::shop::{Answer, Shop, open};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};

const HOSTILE: &str = "<script>alert(1)</script>\"'&";

/// A page as somebody sees it.
pub(crate) async fn page(shop: &Shop, role: &str, path: &str) -> Answer {
    let cookies = format!("fait_role={role}; fait_name=%3Cb%3EEve");
    let request = Request::get(path).header(header::COOKIE, cookies);
    shop.ask(request.body(Body::empty()).unwrap()).await
}

pub(crate) async fn send(shop: &Shop, role: &str, path: &str, words: &[(&str, &str)]) -> Answer {
    let form: Vec<String> = words
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    let request = Request::post(path)
        .header(header::COOKIE, format!("fait_role={role}; fait_name=Eve"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    shop.ask(request.body(Body::from(form.join("&"))).unwrap())
        .await
}

fn encode(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02X}")).collect()
}

pub(crate) fn location(answer: &Answer) -> &str {
    answer
        .headers
        .get(header::LOCATION)
        .map_or("", |v| v.to_str().unwrap())
}

/// The value of a field of the form.
fn hidden<'a>(page: &'a str, name: &str) -> &'a str {
    let at = format!("name=\"{name}\" value=\"");
    let rest = page.split_once(&at).map_or("", |(_, rest)| rest);
    rest.split_once('"').map_or("", |(value, _)| value)
}

pub(crate) async fn first_task(shop: &Shop) -> String {
    let inbox = page(shop, "clerk", "/inbox").await.body;
    let rest = inbox.split_once("href=\"/tasks/").unwrap().1;
    format!("/tasks/{}", rest.split_once('"').unwrap().0)
}

/// Nothing in a page is more than text: no script, style or listener that is not a file.
fn assert_tame(answer: &Answer, path: &str) {
    let body = &answer.body;
    assert!(!body.contains("<script>"), "{path}: {body}");
    assert_eq!(body.matches("<script").count(), 1, "{path}");
    for inline in [
        "<style",
        " style=",
        " onclick",
        " onload",
        "javascript:",
        "<b>Eve",
    ] {
        assert!(!body.contains(inline), "{path} has `{inline}`: {body}");
    }
    let policy = answer.headers[header::CONTENT_SECURITY_POLICY].to_str();
    assert!(policy.unwrap().starts_with("default-src 'none'"));
    assert_eq!(body.matches("<h1").count(), 1, "{path}");
    assert!(body.contains("<html lang=\"en\">"), "{path}");
}

#[tokio::test]
async fn what_people_write_is_text_on_every_page() {
    let shop = open();
    let said = [("thing", HOSTILE), ("price", "3,50"), ("words", HOSTILE)];
    let sent = send(&shop, "shopkeeper", "/do/OfferThing", &said).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    shop.app.settle().await;
    let thing = format!("/things/thing/{}", encode(HOSTILE));
    let task = first_task(&shop).await;
    let receipt = location(&sent).to_string();
    let paths = [
        "/",
        "/inbox",
        &receipt,
        &task,
        &thing,
        "/views/shelf",
        "/events",
        "/events/1",
        "/events/2",
        "/status",
        "/%3Cscript%3E",
        "/views/%3Cscript%3E",
        "/things/%3Cscript%3E/1",
        "/do/%3Cscript%3E",
        "/tasks/%3Cscript%3E",
        "/events?type=%3Cscript%3E&before=2",
        "/events?before=%3Cscript%3E",
        "/do/OfferThing?thing=%22%3E%3Cscript%3E",
        "/board",
    ];
    for path in paths {
        for role in ["clerk", "shopkeeper", "%3Cscript%3E"] {
            let seen = page(&shop, role, path).await;
            // Whoever has no role is sent to choose one.
            if seen.status != StatusCode::SEE_OTHER {
                assert_tame(&seen, path);
            }
        }
    }
    let wrong = [("thing", HOSTILE), ("price", HOSTILE), ("words", HOSTILE)];
    let wrong = send(&shop, "shopkeeper", "/do/OfferThing", &wrong).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert_tame(&wrong, "/do/OfferThing");
}

#[tokio::test]
async fn a_role_is_chosen_and_kept() {
    let shop = open();
    let none = shop.get("/inbox").await;
    assert_eq!((none.status, location(&none)), (StatusCode::SEE_OTHER, "/"));
    let words = [("role", "Shopkeeper"), ("name", "Zoë; Path=/x")];
    let chosen = send(&shop, "", "/me", &words).await;
    assert_eq!(location(&chosen), "/inbox");
    let cookies: Vec<&str> = chosen
        .headers
        .get_all(header::SET_COOKIE)
        .iter()
        .map(|c| c.to_str().unwrap())
        .collect();
    let rest = "; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000";
    assert_eq!(cookies[0], format!("fait_role=shopkeeper{rest}"));
    assert_eq!(
        cookies[1],
        format!("fait_name=Zo%C3%AB%3B%20Path%3D%2Fx{rest}")
    );
    let unknown = send(&shop, "", "/me", &[("role", "Emperor"), ("name", "")]).await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
    assert!(
        unknown.body.contains("There is no role `Emperor`"),
        "{}",
        unknown.body
    );
}

#[tokio::test]
async fn a_form_sent_twice_is_one_command_with_one_receipt() {
    let shop = open();
    let form = page(&shop, "shopkeeper", "/do/OfferThing").await.body;
    let id = hidden(&form, "_id").to_string();
    let words = [
        ("_id", id.as_str()),
        ("thing", "cup"),
        ("price", "3.50"),
        ("words", ""),
    ];
    let first = send(&shop, "shopkeeper", "/do/OfferThing", &words).await;
    assert_eq!(first.status, StatusCode::SEE_OTHER, "{}", first.body);
    assert!(location(&first).starts_with(&format!("/inbox?done={id}&saw=a.2.")));
    let again = send(&shop, "shopkeeper", "/do/OfferThing", &words).await;
    assert!(
        location(&again).ends_with("&again=true"),
        "{}",
        location(&again)
    );
    let receipt = page(&shop, "shopkeeper", location(&first)).await.body;
    assert!(receipt.contains("Thing offered."), "{receipt}");
    assert!(receipt.contains("The lists show it."), "{receipt}");
    let receipt = page(&shop, "shopkeeper", location(&again)).await.body;
    assert!(receipt.contains("This was already recorded."), "{receipt}");
    assert_eq!(shop.app.settle().await, ());
    let sold = shop.get("/api/events?types=ThingOffered").await.json();
    assert_eq!(sold["events"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn what_is_wrong_is_said_beside_the_field_and_nothing_typed_is_lost() {
    let shop = open();
    let words = [
        ("thing", "cup"),
        ("price", "much"),
        ("words", "red, \"round\""),
    ];
    let wrong = send(&shop, "shopkeeper", "/do/OfferThing", &words).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    for part in [
        "role=\"alert\"",
        "href=\"#f-price\"",
        "aria-invalid=\"true\"",
        "aria-describedby=\"f-price-hint f-price-wrong\"",
        "“much” is not an amount like 24.00.",
        "value=\"red, &quot;round&quot;\"",
    ] {
        assert!(wrong.body.contains(part), "no `{part}` in {}", wrong.body);
    }
    assert_eq!(shop.app.head().await, Ok(1));
}

#[tokio::test]
async fn a_refusal_keeps_the_form_and_says_what_changed_meanwhile() {
    let shop = open();
    shop.offer("cup").await;
    let task = first_task(&shop).await;
    let form = page(&shop, "clerk", &task).await.body;
    assert!(form.contains("Sell cup for 3.50"), "{form}");
    let (id, asked) = (hidden(&form, "_id"), hidden(&form, "_asked"));
    let seen = hidden(&form, "_seen");
    let done = r#"{"thing": "cup", "buyer": "Zoe"}"#;
    let done = shop
        .post("/api/commands/SellThing?as=clerk:max", done)
        .await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    shop.app.settle().await;
    let words = [
        ("_id", id),
        ("_asked", asked),
        ("_seen", seen),
        ("_given", "thing"),
        ("thing", "cup"),
        ("buyer", "the mayor"),
    ];
    let stale = send(&shop, "clerk", "/do/SellThing", &words).await;
    assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY);
    for part in [
        "It is already sold.",
        "Since you opened this page:",
        "Thing sold",
        "Max, clerk",
        "value=\"the mayor\"",
    ] {
        assert!(stale.body.contains(part), "no `{part}` in {}", stale.body);
    }
    assert_eq!(hidden(&stale.body, "_id"), id);
    let gone = page(&shop, "clerk", &task).await;
    assert_eq!(gone.status, StatusCode::GONE);
    assert!(
        gone.body.contains("Nothing is left to do here."),
        "{}",
        gone.body
    );
}

#[tokio::test]
async fn an_asked_task_is_answered_and_leaves_the_inbox() {
    let shop = open();
    shop.offer("cup").await;
    let inbox = page(&shop, "clerk", "/inbox").await.body;
    for part in [
        "1 task for you as Clerk.",
        "Sell cup for 3.50",
        "30 min left",
        "red",
    ] {
        assert!(inbox.contains(part), "no `{part}` in {inbox}");
    }
    let keeper = page(&shop, "shopkeeper", "/inbox").await.body;
    for part in [
        "Waiting for others",
        "with the Clerk since",
        "href=\"/do/OfferThing\"",
    ] {
        assert!(keeper.contains(part), "no `{part}` in {keeper}");
    }
    let form = page(&shop, "clerk", &first_task(&shop).await).await.body;
    let asked = hidden(&form, "_asked").to_string();
    let words = [
        ("_id", hidden(&form, "_id")),
        ("_asked", asked.as_str()),
        ("thing", "cup"),
        ("buyer", "Zoe"),
    ];
    let sold = send(&shop, "clerk", "/do/SellThing", &words).await;
    assert!(location(&sold).contains(&format!("&was={asked}")));
    let inbox = page(&shop, "clerk", location(&sold)).await.body;
    assert!(
        inbox.contains("Nothing is asked of you as Clerk."),
        "{inbox}"
    );
    shop.app.settle().await;
    let instance = shop.app.instance("selling", "cup").await.unwrap().unwrap();
    assert!(instance.open.is_empty());
    let thing = page(&shop, "clerk", "/things/thing/cup").await.body;
    assert!(
        thing.contains("Sell the thing – not now: it is already sold"),
        "{thing}"
    );
}

#[tokio::test]
async fn a_task_is_for_its_role_only() {
    let shop = open();
    let other = page(&shop, "clerk", "/do/OfferThing").await;
    assert_eq!(other.status, StatusCode::FORBIDDEN);
    assert!(
        other
            .body
            .contains("This is done by Shopkeeper; you are here as Clerk.")
    );
    let words = [("thing", "cup"), ("price", "3.50"), ("words", "")];
    let sent = send(&shop, "clerk", "/do/OfferThing", &words).await;
    assert_eq!(sent.status, StatusCode::FORBIDDEN);
    assert_eq!(shop.app.head().await, Ok(1));
    let extra = [
        ("thing", "cup"),
        ("price", "3.50"),
        ("words", ""),
        ("free", "yes"),
    ];
    let extra = send(&shop, "shopkeeper", "/do/OfferThing", &extra).await;
    assert_eq!(extra.status, StatusCode::BAD_REQUEST);
    assert!(extra.body.contains("`free` is no field of this task"));
}

#[tokio::test]
async fn what_stopped_is_shown_and_let_go_on_with_a_reason() {
    let shop = open();
    shop.offer("bomb").await;
    let status = page(&shop, "clerk", "/status").await.body;
    for part in [
        "“Sell what is on the shelf” stopped",
        "Try again",
        "Go on without it",
    ] {
        assert!(status.contains(part), "no `{part}` in {status}");
    }
    let mut words = vec![("process", "selling"), ("key", "bomb"), ("how", "skip")];
    let without = send(&shop, "clerk", "/status/resume", &words).await;
    assert_eq!(without.status, StatusCode::BAD_REQUEST);
    assert!(
        without.body.contains("Say why; it is recorded."),
        "{}",
        without.body
    );
    words.push(("reason", "nobody sells it"));
    let resumed = send(&shop, "clerk", "/status/resume", &words).await;
    assert_eq!(location(&resumed), "/status?resumed=yes");
    shop.app.settle().await;
    assert_eq!(shop.app.parked().map(|p| p.len()), Ok(0));
    let again = send(&shop, "clerk", "/status/resume", &words).await;
    assert_eq!(location(&again), "/status?resumed=yes", "said twice");
    words.pop();
    words.push(("reason", "it is gone"));
    let again = send(&shop, "clerk", "/status/resume", &words).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn files_may_be_kept_and_addresses_that_lead_nowhere_say_so() {
    let shop = open();
    let start = page(&shop, "clerk", "/").await.body;
    for name in ["app", "icon"] {
        let rest = start.split_once(&format!("\"/assets/{name}-")).unwrap().1;
        let path = format!("/assets/{name}-{}", rest.split_once('"').unwrap().0);
        let file = shop.get(&path).await;
        assert_eq!(file.status, StatusCode::OK, "{path}");
        let keep = file.headers[header::CACHE_CONTROL].to_str().unwrap();
        assert!(keep.contains("immutable"), "{path}: {keep}");
    }
    assert_eq!(
        shop.get("/assets/app.css").await.status,
        StatusCode::NOT_FOUND
    );
    let nowhere = shop.get("/nowhere").await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
    assert!(
        nowhere
            .body
            .contains("There is nothing at `/nowhere` of Shop"),
        "{}",
        nowhere.body
    );
    for path in [
        "/views/shelve",
        "/events/9",
        "/events/x",
        "/things/thing/9",
        "/do/Sell",
    ] {
        let answer = page(&shop, "clerk", path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.body.starts_with("<!DOCTYPE html>"), "{path}");
    }
}

#[tokio::test]
async fn a_view_is_filtered_and_sorted_without_a_script() {
    let shop = open();
    for thing in ["cup", "mug"] {
        shop.offer(thing).await;
    }
    let head = shop.get("/api/events").await.json()["head"].clone();
    shop.get(&format!("/api/views/shelf?at_least={head}")).await;
    let all = page(&shop, "clerk", "/views/shelf").await.body;
    assert!(all.contains("2 rows, up to event"), "{all}");
    assert!(all.contains(r#"href="/views/shelf?sort=price""#), "{all}");
    assert!(!all.contains("class=\"note\""), "all is well: {all}");
    // As a browser sends the form: what was left empty is there, and means nothing.
    let path = "/views/shelf?key.contains=&thing.contains=mug&price=&words.contains=&sort=-price";
    let some = page(&shop, "clerk", path).await.body;
    assert!(some.contains("1 of 2 rows, up to event"), "{some}");
    assert!(some.contains(r#"aria-sort="descending""#), "{some}");
    let up = r#"href="/views/shelf?thing.contains=mug&amp;sort=price""#;
    assert!(some.contains(up), "{some}");
    assert!(some.contains(r#"name="sort" value="-price""#), "{some}");
    assert!(!some.contains("/things/thing/cup"), "{some}");
    // What cannot be asked for stays in the form, to be changed.
    let odd = page(&shop, "clerk", "/views/shelf?price=%22cheap").await;
    assert_eq!(odd.status, StatusCode::BAD_REQUEST);
    assert!(
        odd.body.contains("it is an amount like 24.00"),
        "{}",
        odd.body
    );
    assert!(odd.body.contains(r#"value="&quot;cheap""#), "{}", odd.body);
    let none = page(&shop, "clerk", "/views/shelf?thing=jug").await.body;
    assert!(none.contains("No row is like that."), "{none}");
}
