//! `/board` of a running system, and a board that is only a file.

use crate::shop::{Answer, Shop, open, wired};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use fait_web::{BoardSite, Site};
use tower::ServiceExt;

const BOARD: &str = "\
board Shop
  about What is sold, and by whom.
  level design
  hotspot Who sweeps?

word thing is an id
word price is money

actor Clerk
actor Shopkeeper

system Bank
  takes Pay in

chapter Offer

view Shelf
  for Clerk
  from Thing offered, Thing sold
  shows thing, price

task Offer thing
  by Shopkeeper
  asks thing, price
  on Thing
  raises Thing offered

event Thing offered
  records thing, price
  pivotal
  hotspot <b>Eve</b> & \"co\"?

chapter Sell

task Sell thing
  by Clerk
  sees Shelf
  on Thing
  raises Thing sold
  or raises Thing kept when the guest goes
  refused when it is sold

event Thing sold
  records thing

event Thing kept
  planned
  records thing

model Thing
  one per thing
  remembers Thing offered, Thing sold

process Selling
  one per thing
  starts on Thing offered
    ask Clerk to Sell thing within 30 minutes
    tell Bank to Pay in
  after 30 minutes without Thing sold
    ask Clerk to Sell thing
  ends on Thing sold

example A thing is sold once
  given Thing offered with thing 1
  when Sell thing with thing 1
  then Thing sold with thing 1
";

fn with_board(source: &str) -> Shop {
    let app = open().app;
    let web = Site::new(app.clone()).board(source).into_service();
    Shop { app, web }
}

/// The panel of a note as it is read: one line for each piece of text.
async fn panel(shop: &Shop, note: &str) -> String {
    let answer = shop.get(&format!("/board/note/{note}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    read(&answer.body)
}

/// Text between tags, block by block; links stand in brackets.
fn read(html: &str) -> String {
    let marked = html.replace("<a ", "[<a ").replace("</a>", "</a>]");
    let blocks = ["<p", "<li", "<h2", "<h3", "<dt", "<pre"];
    let marked = blocks.iter().fold(marked, |text, block| {
        text.replace(block, &format!("\n{block}"))
    });
    let marked = marked.replace("<dd", ": <dd");
    let mut text = String::new();
    let mut inside = false;
    for c in marked.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            c if !inside => text.push(c),
            _ => {}
        }
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_panel_says_who_raises_and_hears_an_event_and_how_often_it_happened() {
    let shop = with_board(BOARD);
    insta::assert_snapshot!("event_before", panel(&shop, "event-thing-offered").await);
    shop.offer("lamp").await;
    shop.offer("chair").await;
    let after = panel(&shop, "event-thing-offered").await;
    assert!(after.contains("[2 times], the last just now"), "{after}");
}

#[tokio::test]
async fn every_kind_of_note_has_a_panel() {
    let shop = with_board(BOARD);
    let notes = [
        "task-sell-thing",
        "event-thing-kept",
        "view-shelf",
        "model-thing",
        "process-selling",
        "actor-clerk",
        "system-bank",
        "word-thing",
        "chapter-sell",
        "example-a-thing-is-sold-once",
        "board-shop",
    ];
    let mut all = String::new();
    for note in notes {
        all.push_str(&format!("== {note}\n{}\n\n", panel(&shop, note).await));
    }
    insta::assert_snapshot!("panels", all);
}

#[tokio::test]
async fn without_scripts_a_note_is_a_link_to_the_page_with_its_panel() {
    let shop = with_board(BOARD);
    let page = shop.get("/board").await.body;
    let link = "<a href=\"/board?note=event-thing-sold#note-event-thing-sold\">";
    assert!(page.contains(link), "{page}");
    let (notes, links) = (
        page.matches("data-note=").count(),
        page.matches("<a href=\"/board?note="),
    );
    assert!(notes > 10 && links.count() >= notes, "{notes} notes");
    let page = shop.get("/board?note=event-thing-sold").await.body;
    assert!(page.contains("<h2 id=\"panel-title\" tabindex=\"-1\">Thing sold</h2>"));
    // The same panel by itself, for pages that put it in.
    let own = shop.get("/board/note/event-thing-sold").await.body;
    assert!(page.contains(&own), "{own}");
    let page = shop.get("/board?note=event-thing-bought").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("it may have been renamed"));
}

#[tokio::test]
async fn the_picture_says_how_often_it_happened_and_shows_one_chapter_alone() {
    let shop = with_board(BOARD);
    shop.offer("lamp").await;
    let page = shop.get("/board").await.body;
    assert!(page.contains("badge middle"), "{page}");
    let id = |task: &str| format!("id=\"note-task-{task}\"");
    let page = shop
        .get("/board?chapter=Sell&note=event-thing-sold")
        .await
        .body;
    assert!(page.contains(&id("sell-thing")) && !page.contains(&id("offer-thing")));
    assert!(
        page.contains("href=\"/board?chapter=Sell&amp;note=task-sell-thing#note-task-sell-thing\"")
    );
    // The form keeps the note, and a chapter that is gone shows the whole board.
    assert!(page.contains("<input type=\"hidden\" name=\"note\" value=\"event-thing-sold\">"));
    let page = shop.get("/board?chapter=Burn").await.body;
    assert!(page.contains(&id("offer-thing")));
}

#[tokio::test]
async fn the_text_has_a_place_for_every_line_and_says_what_is_wrong_there() {
    let shop = with_board(BOARD);
    let page = shop
        .get("/board?show=text&note=event-thing-sold")
        .await
        .body;
    let lines = BOARD.lines().count();
    assert_eq!(page.matches("<li id=\"L").count(), lines);
    assert!(page.contains("<li id=\"L43\" class=\"here\">"), "{page}");
    assert!(!page.contains("error B") && !page.contains("error P"));
    let shop = with_board("board Shop\n\nevent Thing sold\n   records thing\n");
    let page = shop.get("/board?show=text").await.body;
    assert!(
        page.contains("<li id=\"L4\" class=\"wrong-line\">"),
        "{page}"
    );
    assert!(page.contains("<a href=\"/board?show=text#L4\">Line 4</a>"));
    assert!(page.contains("P001"));
    let picture = shop.get("/board").await.body;
    assert!(picture.contains("the first in line 4: "), "{picture}");
}

#[tokio::test]
async fn words_and_examples_are_told() {
    let shop = with_board(BOARD);
    let words = read(&shop.get("/board?show=words").await.body);
    assert!(
        words.contains("[price]money[Offer thing]–[Thing offered][Shelf]"),
        "{words}"
    );
    let examples = read(&shop.get("/board?show=examples").await.body);
    assert!(
        examples.contains("given Thing offered with thing 1"),
        "{examples}"
    );
}

#[tokio::test]
async fn what_a_board_says_is_text() {
    let shop = with_board(BOARD);
    for path in [
        "/board",
        "/board?show=text",
        "/board?note=%3Cb%3EEve",
        "/board?chapter=%3Cb%3EEve",
    ] {
        let page = shop.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        for inline in ["<b>Eve", "<style", " style=", " onclick"] {
            assert!(!page.body.contains(inline), "{path} has `{inline}`");
        }
    }
}

#[tokio::test]
async fn a_system_without_a_board_says_so() {
    let shop = open();
    assert_eq!(shop.get("/board").await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        shop.get("/board/note/x").await.status,
        StatusCode::NOT_FOUND
    );
}

async fn get(web: &Router, path: &str) -> Answer {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let (head, body) = web.clone().oneshot(request).await.unwrap().into_parts();
    let body = to_bytes(body, 64 << 20).await.unwrap();
    Answer {
        status: head.status,
        headers: head.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

#[tokio::test]
async fn a_board_alone_follows_its_text() {
    let site = BoardSite::new("shop.board", BOARD);
    let web = site.clone().into_service();
    assert_eq!(get(&web, "/").await.status, StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(get(&web, "/inbox").await.status, StatusCode::NOT_FOUND);
    let page = get(&web, "/board").await;
    assert!(
        page.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("'none'")
    );
    assert!(page.body.contains("shop.board") && page.body.contains("no system runs beside it"));
    assert!(!page.body.contains("What really happened"));
    let version = |body: &str| {
        let (_, rest) = body.split_once("data-version=\"").unwrap();
        rest.split('"').next().unwrap().to_string()
    };
    let first = version(&page.body);
    site.show(&BOARD.replace("Thing sold", "Thing gone"));
    let page = get(&web, "/board?note=event-thing-gone").await.body;
    assert!(page.contains("note-event-thing-gone") && !page.contains("note-event-thing-sold"));
    assert_ne!(version(&page), first);
    site.show(BOARD);
    assert_eq!(version(&get(&web, "/board").await.body), first);
}

#[tokio::test]
async fn a_board_that_is_lost_stays_as_it_was_and_says_why() {
    let site = BoardSite::new("shop.board", BOARD);
    let web = site.clone().into_service();
    site.lost("shop.board cannot be read: it is gone");
    let page = get(&web, "/board").await.body;
    assert!(
        page.contains("shop.board cannot be read: it is gone"),
        "{page}"
    );
    assert!(page.contains("note-event-thing-sold"));
    site.show(BOARD);
    assert!(!get(&web, "/board").await.body.contains("cannot be read"));
}

#[tokio::test]
async fn board_code_and_store_are_held_against_each_other() {
    let shop = with_board(BOARD);
    shop.offer("lamp").await;
    let page = read(&shop.get("/board?show=differences").await.body);
    insta::assert_snapshot!("differences", page.split_once("Shop held").unwrap().1);
    // The foot and the tab say the same number, and lead there.
    let picture = shop.get("/board").await.body;
    let said = read(&picture);
    let (_, code) = said.split_once("Code ").unwrap();
    let number = code
        .split_once('[')
        .unwrap()
        .1
        .split(' ')
        .next()
        .unwrap()
        .to_string();
    assert!(
        said.contains(&format!("Differences {number} differences")),
        "{said}"
    );
}

#[tokio::test]
async fn examples_are_run_once_somebody_looks_and_only_where_that_is_allowed() {
    let shop = with_board(BOARD);
    let page = read(&shop.get("/board?show=examples").await.body);
    assert!(
        page.contains("The examples are not run here. fait board test"),
        "{page}"
    );
    let app = open().app;
    let wrong = BOARD.replace(
        "then Thing sold with thing 1",
        "then Thing offered with thing 1",
    );
    let site = Site::new(app.clone()).board(&wrong).examples(wired);
    let shop = Shop {
        app,
        web: site.into_service(),
    };
    let before = shop.app.head().await.unwrap();
    let mut page = String::new();
    for _ in 0..600 {
        page = read(&shop.get("/board?show=examples").await.body);
        if !page.contains("being run") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(page.contains("0 of 1 pass, 1 fail"), "{page}");
    assert!(
        page.contains("✗ fails") && page.contains("[Line 66]"),
        "{page}"
    );
    let panel = panel(&shop, "task-sell-thing").await;
    assert!(panel.contains("[A thing is sold once] ✗ fails"), "{panel}");
    // Nothing of it happened in the system that is looked at.
    assert_eq!(shop.app.head().await.unwrap(), before);
}

#[tokio::test]
async fn what_happened_is_counted_for_whoever_holds_a_board_against_it() {
    let shop = with_board(BOARD);
    let counted = async || -> serde_json::Value {
        let answer = shop.get("/api/board/happened").await;
        assert_eq!(answer.status, StatusCode::OK);
        serde_json::from_str(&answer.body).unwrap()
    };
    assert_eq!(counted().await["events"], serde_json::json!({}));
    shop.offer("lamp").await;
    shop.offer("chair").await;
    let happened = counted().await;
    assert_eq!(happened["events"]["ThingOffered"]["count"], 2);
    assert_eq!(happened["commands"]["OfferThing"]["count"], 2);
    assert_eq!(happened["up_to"], happened["head"]);
    let arrows = happened["arrows"].to_string();
    let raised = r#"{"arrow":"raised","command":"OfferThing","event":"ThingOffered"}"#;
    assert!(arrows.contains(raised), "{arrows}");
}
