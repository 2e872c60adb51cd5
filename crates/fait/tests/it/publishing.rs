//! Publishing: what happened becomes messages for others, once, in their exact words.

use crate::box_office::*;
use fait::app::{App, AppBuilder, Begin, BuildError};
use fait::bus::{Data, Message, Publish};
use fait::event::{Event, Meta, NewEvent, Origin, Tag, Time};
use fait::query::Query;
use fait::reexport::serde_json::{Value, json};
use fait::reexport::uuid::Uuid;
use fait::store::{Append, Erase, Keep, Memory, Range, Store};
use fait::{Clock, published};
use std::sync::Arc;
use std::time::Duration;

async fn messages(app: &App) -> Vec<Message> {
    app.published(0, 1000, &[]).await.unwrap().messages
}

fn said(messages: &[Message]) -> Vec<String> {
    let short = |m: &Message| {
        let ty = m.event.ty.rsplit('.').nth(1).unwrap();
        format!("{ty} {}", m.event.subject.as_deref().unwrap_or("-"))
    };
    messages.iter().map(short).collect()
}

fn data(message: &Message) -> Value {
    match &message.event.data {
        Data::Json(data) => data.clone(),
        other => panic!("{other:?}"),
    }
}

fn office(place: AppBuilder) -> AppBuilder {
    wired(place).publishes::<Announcements>()
}

#[tokio::test]
async fn what_happened_is_told_in_the_words_of_the_contract() {
    let app = office(App::in_memory().clock(Clock::by_hand()))
        .source("urn:example:box-office")
        .build()
        .unwrap();
    sell(&app, "s1", "ann", 2).await;
    sell(&app, "s2", "ann", 0).await;
    cancel(&app, "s1").await;
    app.settle().await;
    let told = messages(&app).await;
    insta::assert_debug_snapshot!("published", told);
    // A domain event is nowhere among them.
    assert_eq!(said(&told), ["tickets-sold s1", "sale-cancelled s1"]);
}

#[tokio::test]
async fn a_message_is_made_once_whatever_is_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let mut seen: Vec<Message> = vec![];
    for (n, keep_views) in [(0, true), (1, true), (2, false), (3, false)] {
        let app = office(App::in_folder(dir.path())).build().unwrap();
        app.settle().await;
        assert_eq!(messages(&app).await, seen, "after restart {n}");
        sell(&app, &format!("a{n}"), "ann", 1).await;
        sell(&app, &format!("b{n}"), "bo", 0).await;
        app.settle().await;
        seen = messages(&app).await;
        assert_eq!(seen.len(), n + 1);
        app.stop().await;
        drop(app);
        if !keep_views {
            for file in ["views.db", "views.db-wal", "views.db-shm"] {
                let _ = std::fs::remove_file(dir.path().join(file));
            }
        }
    }
}

#[tokio::test]
async fn a_lost_answer_and_a_lost_append_change_nothing() {
    for (lose, before) in [(3, true), (3, false), (1, false), (1, true)] {
        let store = Arc::new(Memory::default());
        let app = wired(App::on(store.clone())).build().unwrap();
        for n in 0..9 {
            sell(&app, &format!("s{n}"), "ann", 1 + n % 2).await;
        }
        app.stop().await;
        let faulty = Faulty::new(store.clone(), lose, before);
        let app = office(App::on(faulty.clone()))
            .begins("announcements", Begin::FromStart)
            .build()
            .unwrap();
        faulty.begin();
        for n in 9..20 {
            sell(&app, &format!("s{n}"), "ann", 1).await;
            app.settle().await;
        }
        assert!(faulty.lost() > 0, "something was lost");
        let expected: Vec<String> = (0..20).map(|n| format!("tickets-sold s{n}")).collect();
        assert_eq!(said(&messages(&app).await), expected);
    }
}

#[tokio::test]
async fn two_programs_on_one_log_do_it_once_and_in_order() {
    let store = Arc::new(Memory::default());
    let one = office(App::on(store.clone())).build().unwrap();
    let two = office(App::on(store.clone())).build().unwrap();
    for n in 0..300 {
        let app = if n % 3 == 0 { &one } else { &two };
        sell(app, &format!("s{n}"), "ann", 1).await;
    }
    one.settle().await;
    two.settle().await;
    let expected: Vec<String> = (0..300).map(|n| format!("tickets-sold s{n}")).collect();
    assert_eq!(said(&messages(&one).await), expected);
}

#[tokio::test]
async fn a_new_publication_begins_now_and_another_with_all_that_was() {
    for (begin, expected) in [
        (None, vec!["tickets-sold new"]),
        (Some(Begin::FromNow), vec!["tickets-sold new"]),
        (
            Some(Begin::FromStart),
            vec!["tickets-sold old", "tickets-sold new"],
        ),
    ] {
        let store = Arc::new(Memory::default());
        let app = wired(App::on(store.clone())).build().unwrap();
        sell(&app, "old", "ann", 2).await;
        app.stop().await;
        let begun = |place: AppBuilder| match begin {
            Some(begin) => office(place).begins("announcements", begin),
            None => office(place),
        };
        let app = begun(App::on(store.clone())).build().unwrap();
        sell(&app, "new", "ann", 3).await;
        app.settle().await;
        assert_eq!(said(&messages(&app).await), expected, "{begin:?}");
        let last = messages(&app).await.pop().unwrap();
        assert_eq!(
            data(&last),
            json!({"sale": "new", "tickets": 3, "of_guest": 5})
        );
        app.stop().await;
        // It is recorded: what is said later changes nothing.
        let app = office(App::on(store.clone()))
            .begins("announcements", Begin::FromStart)
            .build()
            .unwrap();
        app.settle().await;
        assert_eq!(said(&messages(&app).await), expected, "{begin:?}");
    }
}

#[tokio::test]
async fn what_the_past_is_told_with_is_what_was_known_then() {
    let store = Arc::new(Memory::default());
    let app = wired(App::on(store.clone())).build().unwrap();
    for n in 1..=3 {
        sell(&app, &format!("s{n}"), "ann", n).await;
    }
    app.stop().await;
    let app = office(App::on(store))
        .begins("announcements", Begin::FromStart)
        .build()
        .unwrap();
    app.settle().await;
    let totals: Vec<_> = messages(&app)
        .await
        .into_iter()
        .map(|m| data(&m)["of_guest"].clone())
        .collect();
    assert_eq!(totals, [1, 3, 6]);
}

#[tokio::test]
async fn what_is_erased_takes_its_messages_along() {
    let store = Arc::new(Memory::default());
    let app = office(App::on(store.clone())).build().unwrap();
    sell(&app, "s1", "ann", 2).await;
    sell(&app, "s2", "bo", 2).await;
    app.settle().await;
    let erase = |n: u128| Erase {
        tag: Tag::raw("guest:ann"),
        keep: Keep::default(),
        tombstone: Append {
            events: vec![raw(n, "GuestForgotten", &["guest:ann"], "{}")],
            conditions: vec![],
            command: None,
            recorded_at: Time(1),
        },
    };
    app.erase(erase(1)).await.unwrap();
    app.settle().await;
    assert_eq!(said(&messages(&app).await), ["tickets-sold s2"]);
    let everything = store
        .read(&Query::all(), Range::after(0, 100))
        .await
        .unwrap();
    let left = |e: &fait::event::StoredEvent| String::from_utf8_lossy(&e.data).contains("s1");
    assert!(!everything.events.iter().any(left), "nothing of it is left");
    app.stop().await;
    // Nor is it told again by a program that has lost its checkpoints.
    let app = office(App::on(store)).build().unwrap();
    app.settle().await;
    assert_eq!(said(&messages(&app).await), ["tickets-sold s2"]);
}

#[tokio::test]
async fn a_publication_that_panics_stops_there_and_the_others_go_on() {
    let store = Arc::new(Memory::default());
    let app = wired(App::on(store.clone()))
        .publishes::<Careless>()
        .publishes::<Counts>()
        .build()
        .unwrap();
    sell(&app, "s1", "ann", 1).await;
    sell(&app, "s2", "ann", UNLUCKY).await;
    sell(&app, "s3", "ann", 3).await;
    app.settle().await;
    let told = said(&messages(&app).await);
    assert_eq!(
        told,
        ["tickets-sold s1", "counted -", "counted -", "counted -"]
    );
    let bus = app.bus().await.unwrap();
    let stopped = bus.publications[0].stopped.clone().unwrap();
    let event = app.event_at(stopped.position).await.unwrap().unwrap();
    assert_eq!(event.json().unwrap()["sale"], "s2");
    assert!(
        stopped.reason.contains("nobody publishes thirteen"),
        "{stopped:?}"
    );
    assert!(bus.publications[0].lag_events > 0);
    assert_eq!(bus.publications[1].stopped, None);
    app.stop().await;
    // The fixed program goes on where it stopped; nothing is lost and nothing is out of order.
    let app = wired(App::on(store))
        .publishes::<Announcements>()
        .publishes::<Counts>()
        .build()
        .unwrap();
    app.settle().await;
    let told = said(&messages(&app).await);
    assert_eq!(told[4..], ["tickets-sold s2", "tickets-sold s3"]);
    assert_eq!(told.len(), 6);
}

#[tokio::test]
async fn an_event_that_cannot_be_read_stops_its_publication() {
    let store = Arc::new(Memory::default());
    let app = office(App::on(store.clone())).build().unwrap();
    let bad = raw(7, TicketsSold::TYPE, &["sale:s1"], "{\"sale\": 1}");
    let append = Append {
        events: vec![bad],
        conditions: vec![],
        command: None,
        recorded_at: Time(1),
    };
    store.append(append).await.unwrap();
    sell(&app, "s2", "ann", 1).await;
    app.settle().await;
    assert_eq!(said(&messages(&app).await), Vec::<String>::new());
    let stopped = app.bus().await.unwrap().publications[0].stopped.clone();
    let reason = stopped.unwrap().reason;
    assert!(reason.contains("cannot be read"), "{reason}");
}

#[tokio::test]
async fn messages_are_read_page_by_page_by_type_and_waited_for() {
    let app = office(App::in_memory()).build().unwrap();
    for n in 0..60 {
        sell(&app, &format!("s{n}"), "ann", 1).await;
    }
    cancel(&app, "s7").await;
    app.settle().await;
    let (mut after, mut all) = (0, vec![]);
    loop {
        let page = app.published(after, 25, &[]).await.unwrap();
        assert!(page.messages.len() <= 25 && page.upto >= after);
        if page.messages.is_empty() {
            assert_eq!(page.upto, app.head().await.unwrap());
            break;
        }
        after = page.upto;
        all.extend(page.messages);
    }
    assert_eq!(all, messages(&app).await);
    assert_eq!(all.len(), 61);
    let types = ["com.example.box-office.sale-cancelled.v1".to_string()];
    let some = app.published(0, 25, &types).await.unwrap();
    assert_eq!(said(&some.messages), ["sale-cancelled s7"]);
    let last = all.last().unwrap().position;
    let zero = Duration::ZERO;
    assert!(app.wait_published(last - 1, zero).await.unwrap());
    assert!(!app.wait_published(last, zero).await.unwrap());
    let waits = tokio::spawn({
        let app = app.clone();
        async move { app.wait_published(last, Duration::from_secs(60)).await }
    });
    sell(&app, "more", "bo", 0).await;
    sell(&app, "most", "bo", 1).await;
    assert!(waits.await.unwrap().unwrap());
}

#[tokio::test]
async fn what_is_published_is_in_the_manifest() {
    let manifest = office(App::in_memory()).manifest();
    let entry = &manifest.publishes["announcements"];
    assert_eq!(entry.types, [TicketsSold::TYPE, SaleCancelled::TYPE]);
    let types: Vec<&String> = entry.publishes.keys().collect();
    let expected = [
        "com.example.box-office.sale-cancelled.v1",
        "com.example.box-office.tickets-sold.v2",
    ];
    assert_eq!(types, expected);
    let app = office(App::in_memory()).build().unwrap();
    assert_eq!(app.manifest(), manifest);
}

#[test]
fn the_guide_shows_this_code() {
    let code = include_str!("box_office.rs");
    let guide = include_str!("../../../../docs/guide/publishing.md");
    let blocks = guide
        .split("```rust,from=crates/fait/tests/it/box_office.rs\n")
        .skip(1);
    let blocks: Vec<&str> = blocks
        .filter_map(|b| Some(b.split_once("```")?.0))
        .collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        assert!(code.contains(block), "{block}");
    }
}

/// The words of another contract under the same name.
#[published(name = "com.example.box-office.tickets-sold", version = 2)]
struct OtherWords {
    seats: u32,
}

struct Other;

impl Publish for Other {
    const NAME: &'static str = "other";
    type Events = TicketsSold;
    type Model = ();
    type Publishes = OtherWords;
    fn about(_: &TicketsSold) {}
    fn publish(e: &TicketsSold, (): &(), _: &Meta) -> Vec<OtherWords> {
        vec![OtherWords { seats: e.tickets }]
    }
}

#[tokio::test]
async fn wiring_mistakes_are_named() {
    let wrong = |place: AppBuilder| match place.build() {
        Err(BuildError::Wiring(message)) => message,
        other => panic!("{other:?}"),
    };
    let builder = || office(App::in_memory());
    insta::assert_snapshot!(
        [
            wrong(builder().publishes::<Other>()),
            wrong(builder().publishes::<Announcements>()),
            wrong(builder().begins("announcements", Begin::Adopt)),
            wrong(builder().begins("news", Begin::FromStart)),
            wrong(builder().source("tickets")),
        ]
        .join("\n"),
        @r"
    two different types are published as `com.example.box-office.tickets-sold.v2`: give one of them another name or version
    process or publication `announcements` is wired twice
    `announcements` is a publication: it has no state to adopt
    process `news` begins, and is not wired
    `tickets` is no source: write a URI, as in `urn:example:tickets` or `https://tickets.example.com`
    "
    );
}

fn raw(id: u128, ty: &str, tags: &[&str], data: &str) -> NewEvent {
    NewEvent {
        id: Uuid::from_u128(id),
        ty: ty.into(),
        version: 1,
        tags: tags.iter().map(|t| Tag::raw(*t)).collect(),
        data: data.as_bytes().to_vec().into(),
        origin: Origin::default(),
    }
}
