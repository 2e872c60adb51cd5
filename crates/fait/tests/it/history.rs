//! A program is run over a history before it is let at it.

use crate::kitchen;
use fait::app::history::{Commands, Finding, Finds, History};
use fait::app::{App, AppBuilder};
use fait::event::{Meta, minutes};
use fait::reexport::serde_json::{self, json};
use fait::reexport::uuid::Uuid;
use fait::sql::{Sql, SqlError, SqlProjection};
use fait::store::{Append, Erase, Keep, Store};
use std::path::Path;

/// A library that lends books, in its first year.
mod first {
    use fait::app::AppBuilder;
    use fait::decision::{Context, Decide, Model};
    use fait::event::{Meta, Time};
    use fait::projection::Projection;
    use fait::query::Query;
    use fait::reexport::uuid::Uuid;
    use fait::{EventSet, Refusal, command, data, entity_ids, event};

    entity_ids! { BookId(text) => "book", ReaderId(text) => "reader" }

    #[event]
    pub(super) struct BookLent {
        #[tag]
        pub(super) book: BookId,
        #[tag]
        pub(super) reader: ReaderId,
        pub(super) slip: Uuid,
        pub(super) at: Time,
        pub(super) by: String,
        pub(super) days: u32,
    }

    #[event]
    pub(super) struct BookReturned {
        #[tag]
        pub(super) book: BookId,
    }

    #[event]
    pub(super) struct ShelfDusted {
        pub(super) shelf: u32,
    }

    #[derive(EventSet, Debug, PartialEq)]
    pub(super) enum BookHistory {
        Lent(BookLent),
        Returned(BookReturned),
    }

    #[derive(Default)]
    pub(super) struct Book {
        pub(super) lent: bool,
    }

    impl Model for Book {
        type Key = BookId;
        type Events = BookHistory;
        fn evolve(&mut self, e: BookHistory) {
            self.lent = matches!(e, BookHistory::Lent(_));
        }
    }

    #[derive(Clone, Debug, PartialEq, Refusal)]
    pub(super) enum No {
        #[refused("somebody has it")]
        Lent,
        #[refused("nobody has it")]
        NotLent,
    }

    /// Lend a book
    #[command(by = "Librarian")]
    pub(super) struct LendBook {
        pub(super) book: BookId,
        pub(super) reader: ReaderId,
    }

    impl Decide for LendBook {
        type Model = Book;
        type Emits = BookLent;
        type Refusal = No;
        fn boundary(&self) -> BookId {
            self.book.clone()
        }
        fn decide(&self, book: &Book, context: &Context) -> Result<Vec<BookLent>, No> {
            if book.lent {
                return Err(No::Lent);
            }
            Ok(vec![BookLent {
                book: self.book.clone(),
                reader: self.reader.clone(),
                slip: context.fresh(),
                at: context.now,
                by: context.actor.clone().unwrap_or_default(),
                days: 14,
            }])
        }
    }

    /// Return a book
    #[command(by = "Librarian")]
    pub(super) struct ReturnBook {
        pub(super) book: BookId,
    }

    impl Decide for ReturnBook {
        type Model = Book;
        type Emits = BookReturned;
        type Refusal = No;
        fn boundary(&self) -> BookId {
            self.book.clone()
        }
        fn decide(&self, book: &Book, _: &Context) -> Result<Vec<BookReturned>, No> {
            if !book.lent {
                return Err(No::NotLent);
            }
            let book = self.book.clone();
            Ok(vec![BookReturned { book }])
        }
    }

    /// Dust a shelf
    #[command(by = "Librarian")]
    pub(super) struct DustShelf {
        pub(super) shelf: u32,
    }

    #[derive(Default)]
    pub(super) struct Dusted(u32);

    impl Model for Dusted {
        type Key = ();
        type Events = ShelfDusted;
        fn evolve(&mut self, _: ShelfDusted) {
            self.0 += 1;
        }
    }

    impl Decide for DustShelf {
        type Model = Dusted;
        type Emits = ShelfDusted;
        type Refusal = No;
        fn boundary(&self) {}
        fn decide(&self, dusted: &Dusted, _: &Context) -> Result<Vec<ShelfDusted>, No> {
            let shelf = self.shelf + dusted.0;
            Ok(vec![ShelfDusted { shelf }])
        }
        fn guard(&self, _: Query) -> Query {
            Query::default()
        }
    }

    /// Books that are lent, and how often they were since they were returned.
    pub(super) struct LentBooks;

    #[data]
    pub(super) struct LentRow {
        times: u32,
    }

    impl Projection for LentBooks {
        const NAME: &'static str = "lent-books";
        type Key = BookId;
        type Events = BookHistory;
        type Row = LentRow;
        fn project(row: &mut Option<LentRow>, book: &BookId, e: BookHistory, _: &Meta) {
            assert!(book.0 != "torn", "this book is torn");
            match e {
                BookHistory::Returned(_) => *row = None,
                BookHistory::Lent(e) => {
                    let times = row.as_ref().map_or(0, |r| r.times);
                    let known = e.days > 1 || times == e.days;
                    assert!(known, "a row of before is gone");
                    *row = Some(LentRow { times: times + 1 });
                }
            }
        }
    }

    pub(super) fn wired(place: AppBuilder) -> AppBuilder {
        place
            .task::<LendBook>()
            .task::<ReturnBook>()
            .task::<DustShelf>()
    }
}

/// The next program, where everything is otherwise.
mod next {
    use super::first::{BookId, BookReturned, ReaderId};
    use fait::app::AppBuilder;
    use fait::decision::{Context, Decide, Model};
    use fait::event::{Never, Time};
    use fait::reexport::serde_json::{Value, json};
    use fait::reexport::uuid::Uuid;
    use fait::{EventSet, Refusal, command, event};

    #[event(version = 2, upcast = in_weeks)]
    pub(super) struct BookLent {
        #[tag]
        book: BookId,
        #[tag]
        reader: ReaderId,
        slip: Uuid,
        at: Time,
        by: String,
        weeks: u32,
    }

    fn in_weeks(_: u32, mut old: Value) -> Result<Value, String> {
        if old["reader"] == "nobody" {
            return Err("nobody reads".into());
        }
        old["weeks"] = json!(old["days"].as_u64().map(|days| days / 7));
        Ok(old)
    }

    #[derive(EventSet, Debug, PartialEq)]
    pub(super) enum BookHistory {
        Lent(BookLent),
        Returned(BookReturned),
    }

    #[derive(Default)]
    pub(super) struct Book {
        times: u32,
        lent: bool,
    }

    impl Model for Book {
        type Key = BookId;
        type Events = BookHistory;
        fn evolve(&mut self, e: BookHistory) {
            self.lent = matches!(e, BookHistory::Lent(_));
            self.times += u32::from(self.lent);
        }
    }

    #[derive(Clone, Debug, PartialEq, Refusal)]
    pub(super) enum No {
        #[refused("it was lent {0} times, and is worn")]
        Worn(u32),
    }

    /// Lend a book
    #[command(by = "Librarian")]
    pub(super) struct LendBook {
        book: BookId,
        reader: ReaderId,
    }

    impl Decide for LendBook {
        type Model = Book;
        type Emits = BookLent;
        type Refusal = No;
        fn boundary(&self) -> BookId {
            self.book.clone()
        }
        fn decide(&self, book: &Book, context: &Context) -> Result<Vec<BookLent>, No> {
            if self.book.0 == "cursed" {
                panic!("this book is cursed");
            }
            if book.times > 1 {
                return Err(No::Worn(book.times));
            }
            let short = self.book.0 == "short";
            Ok(vec![BookLent {
                book: self.book.clone(),
                reader: self.reader.clone(),
                slip: context.fresh(),
                at: context.now,
                by: context.actor.clone().unwrap_or_default(),
                weeks: if short { 1 } else { 2 },
            }])
        }
    }

    /// Return a book
    #[command(by = "Librarian")]
    pub(super) struct ReturnBook {
        book: BookId,
        to: String,
    }

    impl Decide for ReturnBook {
        type Model = Book;
        type Emits = BookReturned;
        type Refusal = Never;
        fn boundary(&self) -> BookId {
            self.book.clone()
        }
        fn decide(&self, _: &Book, _: &Context) -> Result<Vec<BookReturned>, Never> {
            Ok(vec![])
        }
    }

    pub(super) fn wired(place: AppBuilder) -> AppBuilder {
        place.task::<LendBook>().task::<ReturnBook>()
    }
}

async fn lend(app: &App, book: &str, reader: &str) {
    let (book, reader) = (book.into(), reader.into());
    let lend = first::LendBook { book, reader };
    app.send(lend).by("librarian:bo").await.unwrap();
}

async fn bring(app: &App, book: &str) {
    let book = book.into();
    app.send(first::ReturnBook { book }).await.unwrap();
}

async fn library(folder: &Path) -> App {
    let app = first::wired(App::in_folder(folder)).build().unwrap();
    for (book, reader) in [("plain", "ann"), ("cursed", "ann"), ("short", "bo")] {
        lend(&app, book, reader).await;
    }
    app
}

fn check(next: &AppBuilder, folder: &Path) -> History {
    let mut pages = vec![];
    let report = next.check_history(folder, &mut |p| pages.push(p)).unwrap();
    let last = pages.last().unwrap();
    assert_eq!((last.done, last.head), (report.head, report.head));
    let again: History = serde_json::from_value(json!(report)).unwrap();
    assert_eq!(again, report);
    report
}

fn library_of(next: fn(AppBuilder) -> AppBuilder, folder: &Path) -> History {
    check(&next(App::in_memory()), folder)
}

#[track_caller]
fn found<'a>(report: &'a History, finds: Finds, name: &str) -> &'a Finding {
    let mut all = report.findings.iter();
    let one = all.find(|f| f.finds == finds && f.name == name);
    one.unwrap_or_else(|| panic!("no {finds:?} of {name} in\n{report}"))
}

#[tokio::test]
async fn the_program_that_wrote_it_makes_the_same_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let app = library(folder.path()).await;
    bring(&app, "plain").await;
    lend(&app, "plain", "cy").await;
    for shelf in 0..3 {
        app.send(first::DustShelf { shelf }).await.unwrap();
    }
    let report = library_of(first::wired, folder.path());
    assert!(report.ok() && report.copied, "{report}");
    let (same, otherwise, unrecorded) = (8, 0, 0);
    let commands = Commands {
        same,
        otherwise,
        unrecorded,
    };
    assert_eq!(report.commands, commands);
    assert_eq!(report.events["BookLent"], [(1, 4)].into());
    app.stop().await;
    drop(app);
    assert!(!library_of(first::wired, folder.path()).copied);
}

#[tokio::test]
async fn what_processes_issue_is_decided_again_too() {
    let folder = tempfile::tempdir().unwrap();
    let app = kitchen::wired(App::in_folder(folder.path()))
        .build()
        .unwrap();
    app.send(kitchen::soup(9)).await.unwrap();
    app.send(kitchen::place("1", 4, "soup", 2)).await.unwrap();
    app.send(kitchen::place("2", 4, "soup", 2)).await.unwrap();
    let accept = kitchen::AcceptOrder { order: "2".into() };
    app.send(accept).await.unwrap();
    app.advance(minutes(15)).await;
    app.stop().await;
    let report = check(&kitchen::wired(App::in_memory()), folder.path());
    assert!(report.ok(), "{report}");
    assert_eq!(report.commands.same, 5);
    assert_eq!(report.events["OrderCancelled"], [(1, 1)].into());
    // Table 4 has an open order.
    assert_eq!(report.views["open-orders"], 1);
}

/// A view that cannot take what was put on a table, and one of names that nobody else reads.
#[tokio::test]
async fn every_view_is_folded() {
    let folder = tempfile::tempdir().unwrap();
    let app = first::wired(App::in_folder(folder.path())).build().unwrap();
    for (book, reader) in [("a", "ann"), ("b", "bo"), ("c", "ann"), ("torn", "cy")] {
        lend(&app, book, reader).await;
    }
    bring(&app, "b").await;
    bring(&app, "torn").await;
    app.stop().await;
    let next = first::wired(App::in_memory()).projection::<first::LentBooks>();
    let report = check(&next, folder.path());
    assert_eq!(report.views["lent-books"], 2);
    let view = found(&report, Finds::View, "lent-books");
    assert_eq!(
        view.what,
        "BookLent: the program panicked: this book is torn"
    );
    assert_eq!((view.count, view.positions[0]), (1, 4));
    assert_eq!(report.counts.len(), 1, "{report}");
    // A program in which only a view reads them.
    let only = App::in_memory().projection::<first::LentBooks>();
    let report = check(&only, folder.path());
    assert_eq!(report.views["lent-books"], 2);
    assert!(!report.counts.contains_key(&Finds::Unread), "{report}");
}

/// A projection that writes SQL itself, and stumbles over one book.
struct Shelves;

impl SqlProjection for Shelves {
    const NAME: &'static str = "shelves";
    const TABLES: &'static [(&'static str, &'static str)] = &[("shelf", "book TEXT PRIMARY KEY")];
    type Key = first::BookId;
    type Events = first::BookHistory;
    fn project(sql: &Sql<'_>, e: first::BookHistory, _: &Meta) -> Result<(), SqlError> {
        match e {
            first::BookHistory::Lent(e) => {
                sql.execute("INSERT INTO {shelf} VALUES (?1)", [&e.book.0])?;
                if e.book.0 == "torn" {
                    return Err("this book is torn".into());
                }
            }
            first::BookHistory::Returned(e) => {
                assert_ne!(e.book.0, "torn", "it is passed over");
                sql.execute("DELETE FROM {shelf} WHERE book = ?1", [&e.book.0])?;
            }
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_projection_that_writes_sql_is_run_too() {
    let folder = tempfile::tempdir().unwrap();
    let app = first::wired(App::in_folder(folder.path())).build().unwrap();
    for book in ["a", "b", "torn", "c"] {
        lend(&app, book, "ann").await;
    }
    bring(&app, "b").await;
    bring(&app, "torn").await;
    app.stop().await;
    let next = first::wired(App::in_memory()).sql_projection::<Shelves>();
    let report = check(&next, folder.path());
    assert_eq!(report.views["shelves"], 2);
    let view = found(&report, Finds::View, "shelves");
    assert_eq!(
        (view.what.as_str(), view.count),
        ("BookLent: this book is torn", 1)
    );
    assert_eq!(report.findings.len(), 1, "{report}");
}

/// More rows than are kept in memory at once.
#[tokio::test]
async fn rows_beyond_what_fits_into_memory_are_folded_too() {
    let folder = tempfile::tempdir().unwrap();
    let store = fait_store::Disk::open(folder.path()).unwrap();
    let books: Vec<String> = (0..11_000).map(|n| format!("book{n}")).collect();
    let lent = |n: usize, book: &String| {
        let tag = format!("book:{book}");
        let data = json!({
            "book": book, "reader": "ann", "slip": Uuid::nil(), "by": "",
            "at": fait::event::Time(5), "days": n,
        });
        by_hand("BookLent", &[&tag], &data)
    };
    for some in books.chunks(4000) {
        let events = some.iter().map(|book| lent(0, book)).collect();
        store.append(append(events)).await.unwrap();
    }
    let again = books.iter().take(10).map(|book| lent(1, book)).collect();
    store.append(append(again)).await.unwrap();
    let returned = |book: &String| {
        let data = json!({ "book": book });
        by_hand("BookReturned", &[&format!("book:{book}")], &data)
    };
    let back = books.iter().skip(10).take(5).map(returned).collect();
    store.append(append(back)).await.unwrap();
    store.close().await;
    let only = App::in_memory().projection::<first::LentBooks>();
    let report = check(&only, folder.path());
    assert!(report.ok(), "{report}");
    assert_eq!(report.views["lent-books"], 10_995);
}

#[tokio::test]
async fn changed_outcomes_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let app = library(folder.path()).await;
    for reader in ["cy", "di"] {
        bring(&app, "plain").await;
        lend(&app, "plain", reader).await;
    }
    app.send(first::DustShelf { shelf: 1 }).await.unwrap();
    app.stop().await;
    let report = library_of(next::wired, folder.path());
    assert!(!report.ok());
    let refused = found(&report, Finds::Refused, "LendBook");
    assert_eq!(refused.what, "Worn: it was lent 2 times, and is worn");
    assert_eq!((refused.count, refused.positions.len()), (1, 1));
    let other = found(&report, Finds::Outcome, "LendBook");
    assert_eq!(other.what, "BookLent.weeks: was 2, now 1");
    let panic = found(&report, Finds::Panic, "LendBook");
    assert!(
        panic.what.ends_with("this book is cursed"),
        "{}",
        panic.what
    );
    let unread = found(&report, Finds::Command, "ReturnBook");
    assert_eq!(
        (unread.what.as_str(), unread.count),
        ("field `to`: is missing", 2)
    );
    let gone = found(&report, Finds::Command, "DustShelf");
    assert_eq!(gone.what, "this program has no such command");
    assert_eq!(found(&report, Finds::Unread, "ShelfDusted").count, 1);
    assert_eq!(report.findings.len(), 6);
    let (same, otherwise, unrecorded) = (2, 6, 0);
    assert_eq!(
        report.commands,
        Commands {
            same,
            otherwise,
            unrecorded
        }
    );

    let retired = |place| next::wired(place).retired("ShelfDusted", "a robot does it");
    let report = library_of(retired, folder.path());
    assert!(!report.counts.contains_key(&Finds::Unread), "{report}");
    assert_eq!(report.retired["ShelfDusted"], 1);
    let text = report.to_string();
    for part in [
        "ShelfDusted: 1 of version 1 (retired)",
        "commands: 8 decided again, 2 of them alike",
        "trouble: commands that were accepted would be refused now (1)",
        "LendBook: Worn: it was lent 2 times, and is worn",
        "This program makes something else of this history.",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[tokio::test]
async fn events_that_cannot_be_read_are_grouped_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let app = library(folder.path()).await;
    for n in 0..7 {
        lend(&app, &format!("book{n}"), "nobody").await;
    }
    bring(&app, "book3").await;
    lend(&app, "book3", "ann").await;
    app.stop().await;
    let report = library_of(next::wired, folder.path());
    let event = found(&report, Finds::Event, "BookLent");
    assert_eq!((event.count, event.positions.len()), (7, 5));
    assert_eq!(
        event.what,
        "version 1: it cannot be upcasted from version 1 to 2: nobody reads"
    );
    // Only the last command was decided on one of them.
    let command = found(&report, Finds::Command, "LendBook");
    assert_eq!(command.count, 1);
    assert!(
        command
            .what
            .starts_with("what it is decided on cannot be read: event BookLent")
    );
}

fn by_hand(ty: &str, tags: &[&str], data: &serde_json::Value) -> fait::event::NewEvent {
    let draft = fait::event::Draft {
        ty: ty.into(),
        version: 1,
        tags: tags.iter().map(|t| fait::event::Tag::raw(*t)).collect(),
        data: data.to_string().into(),
    };
    draft.with(Uuid::from_u128(rand(data)), Default::default())
}

fn rand(data: &serde_json::Value) -> u128 {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, data.to_string().as_bytes()).as_u128()
}

fn append(events: Vec<fait::event::NewEvent>) -> Append {
    Append {
        events,
        conditions: vec![],
        command: None,
        recorded_at: fait::event::Time(5),
    }
}

/// Two decisions at once whose guards let each other pass: the second has not seen the first.
#[tokio::test]
async fn a_decision_is_made_again_on_what_it_had_seen() {
    let folder = tempfile::tempdir().unwrap();
    let store = fait_store::Disk::open(folder.path()).unwrap();
    for (n, seen) in [(1, 0), (2, 0), (3, 2)] {
        let said = json!({
            "at": fait::event::Time(5), "name": "DustShelf", "body": {"shelf": 0}, "seen": seen
        });
        let mut event = by_hand("ShelfDusted", &[], &json!({ "shelf": seen, "n": n }));
        event.origin.command = Some(Uuid::from_u128(n));
        event.origin.pairs = [("$command".to_string(), said.to_string())].into();
        store.append(append(vec![event])).await.unwrap();
    }
    store.close().await;
    let report = library_of(first::wired, folder.path());
    assert!(report.ok(), "{report}");
    assert_eq!(report.commands.same, 3);
}

#[tokio::test]
async fn what_was_recorded_before_commands_were_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let store = fait_store::Disk::open(folder.path()).unwrap();
    let mut event = by_hand("BookReturned", &["book:x"], &json!({"book": "x"}));
    event.origin.command = Some(Uuid::from_u128(1));
    store.append(append(vec![event])).await.unwrap();
    store.close().await;
    let report = library_of(first::wired, folder.path());
    assert!(report.ok(), "{report}");
    let (same, otherwise, unrecorded) = (0, 0, 1);
    assert_eq!(
        report.commands,
        Commands {
            same,
            otherwise,
            unrecorded
        }
    );
    assert!(
        report
            .to_string()
            .contains("0 of them alike, 1 not recorded")
    );
}

#[tokio::test]
async fn an_outcome_that_an_erasure_may_explain_is_a_note() {
    for (types, notes) in [(false, true), (true, true)] {
        let folder = tempfile::tempdir().unwrap();
        let app = first::wired(App::in_folder(folder.path())).build().unwrap();
        lend(&app, "plain", "ann").await;
        bring(&app, "plain").await;
        let tag = fait::event::Tag::raw("reader:ann");
        let tombstone = by_hand("Forgotten", &["reader:ann"], &json!({}));
        let tombstone = append(vec![tombstone]);
        let keep = Keep {
            types,
            times: false,
        };
        app.erase(Erase {
            tag,
            keep,
            tombstone,
        })
        .await
        .unwrap();
        app.stop().await;
        let wired = |place| first::wired(place).retired("Forgotten", "nothing hears it");
        let report = library_of(wired, folder.path());
        // Nobody had lent it, as far as is known now.
        let note = found(&report, Finds::Erased, "ReturnBook");
        assert_eq!(note.what, "NotLent: nobody has it");
        assert_eq!((report.ok(), report.erased), (notes, 1), "{report}");
    }
}

#[tokio::test]
async fn an_erasure_of_other_types_explains_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = fait_store::Disk::open(folder.path()).unwrap();
    let other = by_hand("Sneezed", &["reader:ann"], &json!({}));
    store.append(append(vec![other])).await.unwrap();
    let tombstone = by_hand("Sneezed", &["reader:ann"], &json!({"again": 1}));
    let erase = Erase {
        tag: fait::event::Tag::raw("reader:ann"),
        keep: Keep {
            types: true,
            times: false,
        },
        tombstone: append(vec![tombstone]),
    };
    store.erase(erase).await.unwrap();
    let mut event = by_hand("BookReturned", &["book:x"], &json!({"book": "x"}));
    event.origin.command = Some(Uuid::from_u128(1));
    let said = json!({"at": fait::event::Time(5), "name": "ReturnBook", "body": {"book": "x"}});
    event.origin.pairs = [("$command".to_string(), said.to_string())].into();
    store.append(append(vec![event])).await.unwrap();
    store.close().await;
    let report = library_of(first::wired, folder.path());
    let refused = found(&report, Finds::Refused, "ReturnBook");
    assert_eq!(refused.positions, [3]);
    assert!(!report.ok());
}
