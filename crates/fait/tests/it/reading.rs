//! Reading what was written: tokens of receipts, views that hang, inline views.

use crate::kitchen;
use fait::app::{App, AppBuilder, Envelope, ReadError, Receipt, SendError, Token};
use fait::decision::{Context, Decide};
use fait::event::{Meta, minutes};
use fait::projection::{Mode, Projection};
use fait::reexport::serde_json::{self, json};
use fait::reexport::uuid::Uuid;
use fait::store::{Memory, StoreError};
use fait::{EventSet, Refusal, command, data, entity_ids, event};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

entity_ids! { NoteId(text) => "note" }

#[event]
pub(crate) struct Noted {
    #[tag]
    pub(crate) note: NoteId,
}

#[derive(EventSet, Clone, Debug, PartialEq)]
pub(crate) enum Notes {
    Noted(Noted),
}

#[derive(Clone, Debug, PartialEq, Refusal)]
pub(crate) enum No {
    #[refused("it has no words")]
    Empty,
}

/// Note
#[command(by = "Writer")]
pub(crate) struct Note {
    pub(crate) note: NoteId,
}

/// Whether it was noted before.
#[derive(Default)]
pub(crate) struct Before(bool);

impl fait::decision::Model for Before {
    type Key = NoteId;
    type Events = Notes;
    fn evolve(&mut self, _: Notes) {
        self.0 = true;
    }
}

impl Decide for Note {
    type Model = Before;
    type Emits = Noted;
    type Refusal = No;
    fn boundary(&self) -> NoteId {
        self.note.clone()
    }
    fn decide(&self, before: &Before, _: &Context) -> Result<Vec<Noted>, No> {
        match (self.note.0 == "nothing", before.0) {
            (true, _) => Err(No::Empty),
            (_, true) => Ok(vec![]),
            _ => Ok(vec![Noted {
                note: self.note.clone(),
            }]),
        }
    }
}

/// Keys on which projections hang.
static HUNG: (Mutex<BTreeSet<String>>, Condvar) = (Mutex::new(BTreeSet::new()), Condvar::new());

/// A key on which projections hang, until this is dropped; also by a test that fails.
pub(crate) struct Hung(&'static str);

fn hang(key: &'static str) -> Hung {
    HUNG.0.lock().unwrap().insert(key.into());
    Hung(key)
}

impl Drop for Hung {
    fn drop(&mut self) {
        HUNG.0.lock().unwrap().remove(self.0);
        HUNG.1.notify_all();
    }
}

fn pass(key: &NoteId) {
    let mut hung = HUNG.0.lock().unwrap();
    while hung.contains(&key.0) {
        hung = HUNG.1.wait(hung).unwrap();
    }
}

#[data]
pub(crate) struct Line {
    pub(crate) note: NoteId,
}

/// Follows.
#[derive(Debug)]
pub(crate) struct Book;

impl Projection for Book {
    const NAME: &'static str = "book";
    type Key = NoteId;
    type Events = Notes;
    type Row = Line;
    fn project(row: &mut Option<Line>, key: &NoteId, _: Notes, _: &Meta) {
        pass(key);
        *row = Some(Line { note: key.clone() });
    }
}

/// Is there when the answer is.
#[derive(Debug)]
pub(crate) struct Wall;

impl Projection for Wall {
    const NAME: &'static str = "wall";
    const MODE: Mode = Mode::Inline;
    type Key = NoteId;
    type Events = Notes;
    type Row = Line;
    fn project(row: &mut Option<Line>, key: &NoteId, _: Notes, _: &Meta) {
        pass(key);
        *row = Some(Line { note: key.clone() });
    }
}

fn wired(place: AppBuilder) -> AppBuilder {
    place.name("Notes").task::<Note>().projection::<Book>()
}

fn open(folder: &Path) -> App {
    wired(App::in_folder(folder)).build().unwrap()
}

async fn note(app: &App, key: &str) -> Receipt {
    app.send(Note { note: key.into() }).await.unwrap()
}

async fn read(app: &App, token: impl Into<Token>, key: &str) -> Result<Option<Line>, ReadError> {
    let view = app.view::<Book>().at_least(token);
    view.get(&key.into()).await
}

/// Everything of a folder, as a backup that is nothing but a copy has it.
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
async fn a_token_is_good_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let app = open(folder.path());
    let first = note(&app, "a").await;
    let nothing = note(&app, "a").await;
    assert_eq!((nothing.events.len(), nothing.repeated), (0, false));
    let now = app.token().await.unwrap();
    assert_eq!(now, first.token());
    let refused = app.send_json("Note", json!({"note": "nothing"}), Envelope::default());
    assert!(matches!(refused.await, Err(SendError::Refused(_))));
    app.stop().await;
    drop(app);
    let app = open(folder.path());
    for token in [first.token(), nothing.token(), now] {
        let text = token.to_string();
        let token: Token = text.parse().unwrap();
        let line = read(&app, &token, "a").await.unwrap();
        assert_eq!(line.unwrap().note, "a".into());
        assert_eq!(app.position_of(&token).await, Ok(first.position));
    }
    let kept = serde_json::to_string(&first).unwrap();
    let kept: Receipt = serde_json::from_str(&kept).unwrap();
    assert_eq!(kept, first);
    let row = read(&app, &kept, "a").await.unwrap();
    assert!(row.is_some());
    app.stop().await;
}

#[tokio::test]
async fn the_receipt_of_a_repeated_command_has_the_token_of_the_first() {
    let app = wired(App::in_memory()).build().unwrap();
    let (id, note_b) = (Uuid::from_u128(7), Note { note: "b".into() });
    let first = app.send(note_b.clone()).id(id).await.unwrap();
    note(&app, "c").await;
    let again = app.send(note_b).id(id).await.unwrap();
    assert!(again.repeated);
    assert_eq!(again.token(), first.token());
    let event = app.event_at(first.position).await.unwrap().unwrap();
    assert_eq!(app.event_of(id).await.unwrap().unwrap(), event);
}

#[tokio::test]
async fn a_token_of_another_store_is_not_waited_for() {
    let here = wired(App::in_memory()).build().unwrap();
    note(&here, "a").await;
    let named = Memory::with_id(Uuid::from_u128(2));
    for (there, why) in [
        (App::on(named), "it is of store 00000000-"),
        // All stores in memory have one id; what happened in them is another thing.
        (App::in_memory(), "another event is at position 1 now"),
    ] {
        let there = note(&wired(there).build().unwrap(), "a").await;
        let said = read(&here, &there, "a").await.unwrap_err();
        assert!(
            matches!(&said, ReadError::OtherHistory(w) if w.starts_with(why)),
            "{said}"
        );
    }
}

#[tokio::test]
async fn what_an_older_backup_has_taken_back_is_not_waited_for() {
    let (folder, backup) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let app = open(folder.path());
    let kept = note(&app, "kept").await;
    app.stop().await;
    drop(app);
    copy(folder.path(), backup.path());
    let app = open(folder.path());
    let lost = note(&app, "lost").await;
    let nothing = note(&app, "lost").await;
    app.stop().await;
    drop(app);

    // A bare copy has the identity of what it was copied from.
    let app = open(backup.path());
    assert_eq!(app.token().await.unwrap(), kept.token());
    for token in [lost.token(), nothing.token()] {
        let said = read(&app, token, "lost").await.unwrap_err();
        assert!(
            said.to_string().contains("the last is 1; read without it"),
            "{said}"
        );
    }
    // The position comes again, with something else.
    let other = note(&app, "other").await;
    assert_eq!(other.position, lost.position);
    let said = read(&app, &lost, "lost").await.unwrap_err();
    assert!(matches!(&said, ReadError::OtherHistory(why) if why.starts_with("another event")));
    assert!(read(&app, &kept, "kept").await.unwrap().is_some());
    assert!(read(&app, &other, "other").await.unwrap().is_some());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_view_that_hangs_says_how_far_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let app = open(folder.path());
    let before = note(&app, "before").await;
    assert!(read(&app, &before, "before").await.unwrap().is_some());
    let hung = hang("stuck");
    let stuck = note(&app, "stuck").await;
    let view = app.view::<Book>().at_least(&stuck);
    let view = view.wait_at_most(Duration::from_millis(20));
    let said = view.get(&"stuck".into()).await;
    let catching_up = ReadError::CatchingUp {
        view: "book".into(),
        at: before.position,
        wanted: stuck.position,
    };
    assert_eq!(said, Err(catching_up.clone()));
    assert_eq!(view.rows().await, Err(catching_up));
    // What is not asked for is read.
    assert!(read(&app, &before, "before").await.unwrap().is_some());
    drop(hung);
    assert!(read(&app, &stuck, "stuck").await.unwrap().is_some());
    app.stop().await;
}

#[tokio::test]
async fn an_inline_view_shows_it_when_the_answer_is_there() {
    let app = wired(App::in_memory())
        .projection::<Wall>()
        .build()
        .unwrap();
    for n in 0..50 {
        let key = format!("n{n}");
        let receipt = note(&app, &key).await;
        let line = app.view::<Wall>().get(&key.as_str().into()).await.unwrap();
        assert_eq!(line.map(|l| l.note), Some(key.as_str().into()));
        assert!(receipt.behind.is_empty());
        let json = serde_json::to_value(&receipt).unwrap();
        assert_eq!(json.get("behind"), None);
    }
}

/// Orders that wait, there when the answer is.
#[derive(Debug)]
pub(crate) struct AtOnce;

impl Projection for AtOnce {
    const NAME: &'static str = "at-once";
    const MODE: Mode = Mode::Inline;
    type Key = kitchen::TableId;
    type Events = kitchen::TableLoad;
    type Row = kitchen::OpenRow;
    fn project(
        row: &mut Option<kitchen::OpenRow>,
        key: &kitchen::TableId,
        event: kitchen::TableLoad,
        meta: &Meta,
    ) {
        kitchen::OpenOrders::project(row, key, event, meta);
    }
}

#[tokio::test]
async fn an_inline_view_is_in_nobodys_way_when_a_process_sends_and_time_stands_still() {
    let app = kitchen::wired(App::in_memory()).projection::<AtOnce>();
    let app = app.build().unwrap();
    let prepared = app.send(kitchen::soup(9)).await.unwrap();
    assert!(prepared.behind.is_empty());
    let table = kitchen::TableId(1);
    let order = kitchen::place("o1", 1, "soup", 1);
    assert!(app.send(order).await.unwrap().behind.is_empty());
    let row = app.view::<AtOnce>().get(&table).await.unwrap();
    assert_eq!(row.unwrap().open, ["o1".into()]);
    app.advance(minutes(16)).await; // the kitchen stays silent: the process cancels
    assert_eq!(app.view::<AtOnce>().get(&table).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_inline_view_that_is_behind_is_named_and_what_was_said_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let app = wired(App::in_folder(folder.path()))
        .projection::<Wall>()
        .build()
        .unwrap();
    let late = hang("late");
    let receipt = note(&app, "late").await;
    assert_eq!(receipt.behind, ["wall"]);
    assert_eq!(receipt.events.len(), 1);
    assert_eq!(app.head().await, Ok(receipt.position));
    // Whoever stops the system does not wait for what does not follow any more.
    let later = hang("later");
    let sending = tokio::spawn({
        let app = app.clone();
        async move { note(&app, "later").await }
    });
    while app.head().await.unwrap() == receipt.position {
        tokio::task::yield_now().await;
    }
    app.begin_stop();
    assert_eq!(sending.await.unwrap().behind, ["wall"]);
    drop((late, later));
    app.stop().await;
    let app = wired(App::in_folder(folder.path()))
        .projection::<Wall>()
        .build()
        .unwrap();
    let next = note(&app, "next").await;
    assert!(next.behind.is_empty());
    for key in ["late", "later", "next"] {
        let line = app.view::<Wall>().get(&key.into()).await.unwrap();
        assert!(line.is_some(), "{key}");
    }
    app.stop().await;
}

#[tokio::test]
async fn lists_and_processes_are_waited_for_by_name() {
    let app = kitchen::open();
    app.send(kitchen::soup(9)).await.unwrap();
    let placed = app.send(kitchen::place("o1", 1, "soup", 1)).await.unwrap();
    let (position, long) = (placed.position, Duration::MAX);
    assert_eq!(
        app.wait_for_process("handover", position, long).await,
        Ok(true)
    );
    let running = app.instances(Some("handover"), Some("running"), 10);
    assert_eq!(running.unwrap()[0].key, "o1");
    let beyond = app.head().await.unwrap() + 1;
    let short = Duration::from_millis(5);
    assert_eq!(
        app.wait_for_process("handover", beyond, short).await,
        Ok(false)
    );
    assert!(app.wait_for_tasks(position, long).await);
    assert!(!app.wait_for_tasks(beyond, short).await);
    let none = app.wait_for_process("handovr", 0, short).await;
    let why = "there is no process `handovr`; did you mean `handover`?";
    assert_eq!(none, Err(StoreError::new(why)));
}
