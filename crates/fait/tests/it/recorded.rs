//! What was asked is recorded beside what came of it, and erased with it.

#![expect(unreachable_pub, reason = "written as an application would be")]

use crate::kitchen::*;
use fait::app::{App, Envelope};
use fait::decision::{Context, Decide, Model, RecordedCommand, recorded};
use fait::event::{Never, StoredEvent, Tag, Time};
use fait::query::Query;
use fait::reexport::serde_json::json;
use fait::reexport::uuid::Uuid;
use fait::store::{Append, Erase, Keep, Range};
use fait::{Clock, EventSet, command, entity_ids, event};

async fn log(app: &App) -> Vec<StoredEvent> {
    app.events(&Query::all(), Range::after(0, 1000))
        .await
        .unwrap()
        .events
}

/// Events that say what was asked, with the name of the command.
async fn told(app: &App) -> Vec<(String, RecordedCommand)> {
    let said = |e: StoredEvent| Some((e.ty.clone(), RecordedCommand::of(&e).unwrap()?));
    log(app).await.into_iter().filter_map(said).collect()
}

#[tokio::test]
async fn it_stands_in_the_event_that_has_all_tags() {
    let app = open();
    app.send(soup(3)).by("cook:tom").await.unwrap();
    let told = told(&app).await;
    let said = RecordedCommand {
        at: app.clock().now(),
        name: Some("PreparePortions".into()),
        body: json!({"dish": "soup", "portions": 3}),
        seen: None,
    };
    assert_eq!(told, [("PortionsPrepared".to_string(), said)]);
    let event = log(&app).await.remove(1);
    assert!(event.meta.origin.pairs.contains_key(recorded::PAIR));
    let shown = event.to_json();
    assert_eq!(shown["type"], "PortionsPrepared");
    assert!(shown.get("pairs").is_none(), "{shown}");
}

#[tokio::test]
async fn where_no_event_has_all_tags_it_is_an_event_behind_them_and_of_no_receipt() {
    let app = open();
    app.send(soup(3)).await.unwrap();
    let id = Uuid::from_u128(7);
    let receipt = app.send(place("1", 4, "soup", 2)).id(id).await.unwrap();
    let types: Vec<&str> = receipt.events.iter().map(|e| e.ty.as_str()).collect();
    assert_eq!(types, ["OrderPlaced", "PortionsReserved"]);
    let again = app.send(place("1", 4, "soup", 2)).id(id).await.unwrap();
    assert!(again.repeated);
    assert_eq!(
        (again.events, again.position),
        (receipt.events, receipt.position)
    );
    let last = log(&app)
        .await
        .into_iter()
        .find(|e| e.ty == recorded::TYPE)
        .unwrap();
    assert_eq!(last.meta.position, receipt.position);
    let tags: Vec<&str> = last.tags.iter().map(Tag::as_str).collect();
    assert_eq!(tags, ["order:1", "table:4", "dish:soup"]);
    let said = RecordedCommand::of(&last).unwrap().unwrap();
    assert_eq!(said.name.as_deref(), Some("PlaceOrder"));
    assert_eq!(said.body["dishes"], json!({"soup": 2}));
}

#[tokio::test]
async fn whichever_tag_is_erased_the_words_are_gone() {
    for tag in ["order:1", "table:4", "dish:soup"] {
        let app = open();
        app.send(soup(3)).await.unwrap();
        app.send(place("1", 4, "soup", 2)).await.unwrap();
        app.send(AcceptOrder { order: "1".into() }).await.unwrap();
        let tag = Tag::raw(tag);
        let tombstone = fait::event::Draft {
            ty: "Forgotten".into(),
            version: 1,
            tags: vec![tag.clone()],
            data: "{}".into(),
        };
        let tombstone = Append {
            events: vec![tombstone.with(Uuid::from_u128(9), Default::default())],
            conditions: vec![],
            command: None,
            recorded_at: Time(0),
        };
        let keep = Keep::default();
        let erase = Erase {
            tag: tag.clone(),
            keep,
            tombstone,
        };
        app.erase(erase).await.unwrap();
        let left = told(&app).await;
        let names: Vec<_> = left.iter().filter_map(|(_, c)| c.name.as_deref()).collect();
        assert!(!names.contains(&"PlaceOrder"), "{tag}: {names:?}");
        assert_eq!(names.contains(&"AcceptOrder"), tag.kind() != "order");
    }
}

#[tokio::test]
async fn of_what_a_process_issued_only_the_time_is_told_again() {
    let app = open();
    app.send(soup(3)).await.unwrap();
    app.send(place("1", 4, "soup", 2)).await.unwrap();
    app.advance(fait::event::minutes(15)).await;
    let told = told(&app).await;
    let (ty, said) = told.last().unwrap();
    assert_eq!((ty.as_str(), &said.name), ("OrderCancelled", &None));
    assert_eq!(said.at, app.clock().now());
    assert!(said.body.is_null());
}

entity_ids! { PaperId(number) => "paper" }

/// A paper was filed. What it says is not kept.
#[event]
pub struct PaperFiled {
    #[tag]
    pub papers: Vec<PaperId>,
}

#[event]
pub struct ShelfTouched {
    #[tag]
    pub papers: Vec<PaperId>,
}

#[derive(EventSet, Debug, PartialEq)]
pub enum Filed {
    Filed(PaperFiled),
    Touched(ShelfTouched),
}

#[derive(Default)]
pub struct Shelf;

impl Model for Shelf {
    type Key = PaperId;
    type Events = PaperFiled;
    fn evolve(&mut self, _: PaperFiled) {}
}

/// File papers
#[command(by = "Clerk")]
pub struct FilePapers {
    pub from: u64,
    pub to: u64,
    pub and: u64,
    pub text: String,
}

impl Decide for FilePapers {
    type Model = Shelf;
    type Emits = Filed;
    type Refusal = Never;
    fn boundary(&self) -> PaperId {
        PaperId(self.from)
    }
    fn decide(&self, _: &Shelf, _: &Context) -> Result<Vec<Filed>, Never> {
        let papers = |from, to| (from..to).map(PaperId).collect();
        let filed = PaperFiled {
            papers: papers(self.from, self.to),
        };
        let touched = ShelfTouched {
            papers: papers(self.to, self.and),
        };
        Ok(vec![filed.into(), touched.into()])
    }
    fn guard(&self, _: Query) -> Query {
        Query::default()
    }
}

fn file(to: u64, and: u64, bytes: usize) -> FilePapers {
    let text = "x".repeat(bytes);
    FilePapers {
        from: 0,
        to,
        and,
        text,
    }
}

fn office() -> fait::app::AppBuilder {
    App::in_memory()
        .clock(Clock::by_hand())
        .task::<FilePapers>()
}

#[tokio::test]
async fn what_does_not_fit_into_an_origin_is_an_event_and_what_fits_nowhere_is_not_recorded() {
    let app = office().build().unwrap();
    for (to, and, bytes, told) in [
        (3, 3, 100, Some("PaperFiled")),
        (3, 3, 17 << 10, Some(recorded::TYPE)),
        (32, 64, 100, Some(recorded::TYPE)),
        (33, 65, 100, None),
        (3, 3, 1 << 20, None),
    ] {
        let before = app.head().await.unwrap();
        app.send(file(to, and, bytes)).await.unwrap();
        let new = app
            .events(&Query::all(), Range::after(before, 10))
            .await
            .unwrap()
            .events;
        let found: Vec<&str> = (new.iter())
            .filter(|e| RecordedCommand::of(e).unwrap().is_some())
            .map(|e| e.ty.as_str())
            .collect();
        assert_eq!(
            found,
            told.into_iter().collect::<Vec<_>>(),
            "{to} {and} {bytes}"
        );
    }
}

#[tokio::test]
async fn how_far_a_decision_looked_is_told_where_its_guard_lets_others_pass() {
    let app = office().build().unwrap();
    app.send(file(1, 1, 1)).await.unwrap();
    app.send(file(1, 1, 2)).await.unwrap();
    let seen: Vec<_> = told(&app).await.into_iter().map(|(_, c)| c.seen).collect();
    assert_eq!(seen, [Some(0), Some(2)]);
}

#[tokio::test]
async fn a_secret_is_not_recorded() {
    let app = office().unrecorded::<FilePapers>().build().unwrap();
    let body = json!({"from": 0, "to": 1, "and": 1, "text": "a secret"});
    app.send_json("FilePapers", body, Envelope::default())
        .await
        .unwrap();
    let told = told(&app).await;
    assert_eq!((told.len(), &told[0].1.name), (1, &None));
    let secret = |e: &StoredEvent| format!("{e:?}").contains("a secret");
    assert!(!log(&app).await.iter().any(secret));
    let unwired = App::in_memory().unrecorded::<FilePapers>().build();
    assert_eq!(
        unwired.unwrap_err().to_string(),
        "command `FilePapers` is not to be recorded, and is not wired: add `.task::<FilePapers>()`"
    );
}
