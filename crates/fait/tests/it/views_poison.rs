//! Keys that cannot take an event, and events that cannot be read: what waits, what goes on, and
//! that nothing is lost or taken twice when it is tried again.

use crate::items::*;
use fait::app::{App, ViewAction, ViewDone, ViewRow, ViewSizes};
use fait::data;
use fait::event::{Meta, NewEvent, Tag, Time};
use fait::projection::Projection;
use fait::reexport::serde::{Serializer, ser::Error};
use fait::reexport::serde_json::json;
use fait::store::{Append, Erase, Keep, Memory};
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

thread_local! {
    /// What is poison is taken below this number: a program that is mended while it runs. Tests
    /// fold on their own thread.
    static MENDED: Cell<u64> = const { Cell::new(0) };
    /// The same for events that do not say their keys.
    static KEYS_MENDED: Cell<u64> = const { Cell::new(0) };
}

struct Moody<const KEYED: bool>;

impl<const KEYED: bool> Moody<KEYED> {
    fn keys(event: &Touched) -> Vec<ItemId> {
        let keyless = event.how == How::Keyless && event.n >= KEYS_MENDED.get();
        assert!(!keyless, "no keys");
        event.items.clone()
    }
}

impl<const KEYED: bool> Projection for Moody<KEYED> {
    const NAME: &'static str = "moody";
    const KEYS: Option<fn(&Touched) -> Vec<ItemId>> = if KEYED { Some(Self::keys) } else { None };
    type Key = ItemId;
    type Events = Touched;
    type Row = Item;
    fn project(row: &mut Option<Item>, key: &ItemId, event: Touched, _: &Meta) {
        let poison = match event.how {
            How::Poison(item, _) => item == key.0,
            How::Keyless => true,
            _ => false,
        };
        row.get_or_insert_default().seen.push(event.n);
        assert!(!poison || event.n < MENDED.get(), "{} is poison", event.n);
    }
}

struct Place {
    store: Arc<Memory>,
    app: App,
    n: u64,
}

impl Place {
    fn new<P: Projection>() -> Place {
        let store = Arc::<Memory>::default();
        let app = App::on(store.clone()).view_threads(1).projection::<P>();
        let app = app.build().unwrap();
        Place { store, app, n: 0 }
    }

    fn next(&mut self, items: &[u64], how: How) -> NewEvent {
        self.n += 1;
        new_event(&Touched::new(items, self.n - 1, how))
    }

    /// All in one append, so that they are taken in at once.
    async fn happen(&mut self, events: &[(&[u64], How)]) {
        let events = events.iter().map(|(items, how)| self.next(items, *how));
        let events = events.collect();
        append(&*self.store, events).await;
        self.settle().await;
    }

    async fn settle(&self) {
        // Not a bound on speed: what hangs would hang the test.
        let settles = tokio::time::timeout(Duration::from_secs(60), self.app.settle());
        settles.await.expect("it hangs");
    }

    async fn retry(&self, key: Option<&str>) -> (u64, u64) {
        let key = key.map(String::from);
        let done = self
            .app
            .act_on_view("moody", ViewAction::Retry { key })
            .await;
        let ViewDone { retried, well } = done.unwrap();
        (retried, well)
    }

    async fn row(&self, key: u64) -> Option<ViewRow> {
        self.app.view_row("moody", &key.to_string()).await.unwrap()
    }

    /// What a row has seen, and whether it says that it is stale.
    async fn seen(&self, key: u64) -> (Vec<u64>, bool) {
        let row = self.row(key).await.expect("there is no such row");
        let seen = row.row["seen"].as_array().unwrap();
        let seen = seen.iter().map(|n| n.as_u64().unwrap()).collect();
        (seen, row.stale.is_some())
    }
}

use How::{Keyless, Put};

fn poison(item: u64) -> How {
    How::Poison(item, true)
}

#[tokio::test]
async fn a_row_that_was_lost_half_way_keeps_what_it_had_taken_in_the_same_batch() {
    let mut place = Place::new::<Moody<false>>();
    place.happen(&[(&[1], Put)]).await;
    let batch: [(&[u64], How); 5] = [
        (&[1], Put),
        (&[1, 2], Put),
        (&[1], poison(1)),
        (&[1, 2], Put),
        (&[2], Put),
    ];
    place.happen(&batch).await;
    assert_eq!(place.seen(1).await, (vec![0, 1, 2], true));
    assert_eq!(place.row(1).await.unwrap().position, 3);
    assert_eq!(place.seen(2).await, (vec![2, 4, 5], false));
    assert_eq!(place.retry(None).await, (1, 0), "it is poison still");
    assert_eq!(place.seen(1).await, (vec![0, 1, 2], true));
    MENDED.set(9);
    assert_eq!(place.retry(None).await, (1, 1));
    assert_eq!(place.seen(1).await, (vec![0, 1, 2, 3, 4], false));
    place.happen(&[(&[1], Put)]).await;
    assert_eq!(place.seen(1).await, (vec![0, 1, 2, 3, 4, 6], false));
}

#[tokio::test]
async fn two_rows_of_one_event_wait_each_for_itself() {
    let mut place = Place::new::<Moody<false>>();
    let batch: [(&[u64], How); 4] = [
        (&[1, 2, 3], Put),
        (&[1, 2], Keyless),
        (&[2, 3], Put),
        (&[1], Put),
    ];
    place.happen(&batch).await;
    assert_eq!(place.seen(1).await, (vec![0], true));
    assert_eq!(place.seen(2).await, (vec![0], true));
    assert_eq!(place.seen(3).await, (vec![0, 2], false), "it goes on");
    MENDED.set(9);
    assert_eq!(place.retry(Some("2")).await, (1, 1));
    assert_eq!(place.seen(1).await, (vec![0], true), "nobody tried it");
    assert_eq!(place.seen(2).await, (vec![0, 1, 2], false));
    let none = ViewAction::Retry {
        key: Some("7".into()),
    };
    let none = place.app.act_on_view("moody", none).await.unwrap_err();
    assert_eq!(none.to_string(), "nothing of `7` is parked: it follows");
    assert_eq!(place.retry(None).await, (1, 1));
    assert_eq!(place.seen(1).await, (vec![0, 1, 3], false));
    assert_eq!(place.seen(3).await, (vec![0, 2], false));
}

#[tokio::test]
async fn a_retry_that_fails_at_a_later_event_keeps_what_it_came_to() {
    let mut place = Place::new::<Moody<false>>();
    let batch: [(&[u64], How); 5] = [
        (&[1], Put),
        (&[1], poison(1)),
        (&[1], Put),
        (&[1], poison(1)),
        (&[1], Put),
    ];
    place.happen(&batch).await;
    MENDED.set(2);
    assert_eq!(place.retry(None).await, (1, 0));
    assert_eq!(place.seen(1).await, (vec![0, 1, 2], true));
    let why = place.row(1).await.unwrap().stale.unwrap();
    assert!(why.contains("position 4"), "{why}");
    MENDED.set(9);
    assert_eq!(place.retry(None).await, (1, 1));
    assert_eq!(place.seen(1).await, (vec![0, 1, 2, 3, 4], false));
}

/// What hurt it is erased, so that nothing is left to be taken, and the row goes on from where the
/// retry before had brought it.
#[tokio::test]
async fn a_key_whose_poison_was_erased_goes_on_with_the_row_that_is_stored() {
    let mut place = Place::new::<Moody<false>>();
    let batch: [(&[u64], How); 3] = [(&[1], Put), (&[1], poison(1)), (&[1], Put)];
    place.happen(&batch).await;
    let odd = Tag::raw("odd:1");
    let mut bad = place.next(&[1], poison(1));
    bad.tags.push(odd.clone());
    append(&*place.store, vec![bad]).await;
    place.settle().await;
    MENDED.set(2);
    assert_eq!(place.retry(None).await, (1, 0));
    assert_eq!(place.seen(1).await, (vec![0, 1, 2], true));
    let mut tombstone = new_event(&Touched::new(&[], 100, Put));
    tombstone.ty = "Forgotten".into();
    tombstone.tags = vec![odd.clone()];
    let tombstone = Append {
        events: vec![tombstone],
        conditions: vec![],
        command: None,
        recorded_at: Time(1_767_225_600_000),
    };
    let erase = Erase {
        tag: odd,
        keep: Keep::default(),
        tombstone,
    };
    place.app.erase(erase).await.unwrap();
    place.settle().await;
    assert_eq!(place.retry(None).await, (1, 1));
    place.happen(&[(&[1], Put)]).await;
    assert_eq!(place.seen(1).await, (vec![0, 1, 2, 4], false));
}

#[tokio::test]
async fn an_event_that_says_no_keys_makes_every_row_stale_until_it_is_taken_in_its_place() {
    let mut place = Place::new::<Moody<true>>();
    let batch: [(&[u64], How); 4] = [(&[1], Put), (&[1], Keyless), (&[1, 2], Put), (&[2], Put)];
    place.happen(&batch).await;
    let status = place.app.view_status("moody").await.unwrap();
    assert_eq!((status.parked_keys, status.unplaced.len()), (0, 1));
    assert_eq!(status.unplaced[0].position, 2);
    assert_eq!(place.seen(1).await, (vec![0, 2], true));
    assert_eq!(
        place.seen(2).await,
        (vec![2, 3], true),
        "nobody knows whether it lacks something"
    );
    assert_eq!(place.retry(None).await, (1, 0));
    // It says its keys now, and their rows cannot take it yet.
    KEYS_MENDED.set(9);
    assert_eq!(place.retry(None).await, (2, 1));
    assert_eq!(place.seen(1).await, (vec![0], true));
    assert_eq!(place.seen(2).await, (vec![2, 3], false));
    MENDED.set(9);
    assert_eq!(place.retry(None).await, (1, 1));
    assert_eq!(place.seen(1).await, (vec![0, 1, 2], false));
    place.happen(&[(&[1, 2], Put)]).await;
    assert_eq!(place.seen(1).await, (vec![0, 1, 2, 4], false));
}

/// The first event about a row is one that the row cannot take when it is read at last.
#[tokio::test]
async fn a_row_that_was_made_without_its_first_event_is_not_kept_when_that_is_read() {
    let mut place = Place::new::<Moody<true>>();
    place.happen(&[(&[1], Keyless), (&[1], Put)]).await;
    assert_eq!(place.seen(1).await, (vec![1], true));
    KEYS_MENDED.set(9);
    assert_eq!(place.retry(None).await, (2, 1));
    assert_eq!(place.row(1).await, None, "nothing over a gap");
    let status = place.app.view_status("moody").await.unwrap();
    assert_eq!((status.parked_keys, status.unplaced.len()), (1, 0));
    MENDED.set(9);
    assert_eq!(place.retry(None).await, (1, 1));
    assert_eq!(place.seen(1).await, (vec![0, 1], false));
}

/// Some numbers cannot be written.
#[data]
struct Number {
    #[serde(serialize_with = "not_unlucky")]
    last: u64,
    seen: Vec<u64>,
}

fn not_unlucky<S: Serializer>(n: &u64, to: S) -> Result<S::Ok, S::Error> {
    match n % 10 {
        3 => Err(S::Error::custom("it is unlucky")),
        4 => panic!("it is very unlucky"),
        _ => to.serialize_u64(*n),
    }
}

struct Numbers;

impl Projection for Numbers {
    const NAME: &'static str = "moody";
    type Key = ItemId;
    type Events = Touched;
    type Row = Number;
    fn project(row: &mut Option<Number>, _: &ItemId, event: Touched, _: &Meta) {
        let mut seen = row.take().map(|r| r.seen).unwrap_or_default();
        seen.push(event.n);
        let last = event.n;
        *row = Some(Number { last, seen });
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_written_waits_and_takes_everything_when_it_can() {
    for unlucky in [3, 4] {
        let mut place = Place::new::<Numbers>();
        place.happen(&[(&[1], Put), (&[2], Put)]).await;
        place.n = unlucky - 1;
        place.happen(&[(&[1], Put), (&[1, 3], Put)]).await;
        assert_eq!(place.seen(1).await, (vec![0], true), "what was written");
        let why = place.row(1).await.unwrap().stale.unwrap();
        assert!(
            why.contains("cannot be written") && why.contains("unlucky"),
            "{why}"
        );
        assert_eq!(place.row(3).await, None);
        assert_eq!(place.retry(None).await, (2, 0));
        assert_eq!(place.seen(1).await, (vec![0], true));
        place.n = 8;
        place.happen(&[(&[1, 2, 3], Put)]).await;
        assert_eq!(place.seen(2).await, (vec![1, 8], false), "others go on");
        assert_eq!(place.retry(None).await, (2, 2));
        assert_eq!(
            place.seen(1).await,
            (vec![0, unlucky - 1, unlucky, 8], false)
        );
        assert_eq!(place.seen(3).await, (vec![unlucky, 8], false));
    }
}

/// A row that was lost in the middle of an event is made again; when what it comes to cannot be
/// written, what it took since it was written is not lost either.
#[tokio::test]
async fn a_lost_row_that_cannot_be_written_is_taken_up_where_it_is_stored() {
    struct Both;
    impl Projection for Both {
        const NAME: &'static str = "moody";
        type Key = ItemId;
        type Events = Touched;
        type Row = Number;
        fn project(row: &mut Option<Number>, key: &ItemId, event: Touched, meta: &Meta) {
            let poison = event.how == poison(key.0) && event.n >= MENDED.get();
            Numbers::project(row, key, event, meta);
            assert!(!poison, "poison");
        }
    }
    let mut place = Place::new::<Both>();
    place.happen(&[(&[1], Put)]).await;
    place.n = 2;
    let batch: [(&[u64], How); 3] = [(&[1], Put), (&[1], Put), (&[1], poison(1))];
    place.happen(&batch).await;
    assert_eq!(place.seen(1).await, (vec![0], true));
    MENDED.set(99);
    place.n = 5;
    place.happen(&[(&[1], Put)]).await;
    assert_eq!(place.retry(None).await, (1, 1));
    assert_eq!(place.seen(1).await, (vec![0, 2, 3, 4, 5], false));
}

#[tokio::test]
async fn a_stored_row_that_cannot_be_read_any_more_is_folded_from_the_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("views.db");
    let store = Arc::<Memory>::default();
    let open = || {
        let sizes = ViewSizes {
            rows: 0,
            ..ViewSizes::default()
        };
        let app = App::on(store.clone()).views_in(&file).view_threads(1);
        let app = app.view_sizes(sizes).projection::<Moody<false>>();
        app.build().unwrap()
    };
    let mut place = Place {
        app: open(),
        store: store.clone(),
        n: 0,
    };
    place.happen(&[(&[1, 2], Put), (&[1], Put)]).await;
    let c = rusqlite::Connection::open(&file).unwrap();
    let spoil = || {
        let sql = r#"UPDATE moody__1 SET "row" = '{"seen": "much"}' WHERE key = '1'"#;
        assert_eq!(c.execute(sql, []).unwrap(), 1);
    };
    spoil();
    place.happen(&[(&[1, 2], Put)]).await;
    let row = place.row(1).await.unwrap();
    assert_eq!(row.row, json!({"seen": "much"}));
    let why = row.stale.unwrap();
    assert!(why.contains("cannot be read"), "{why}");
    assert_eq!(place.seen(2).await, (vec![0, 2], false), "others go on");
    place.happen(&[(&[1], Put)]).await;
    assert_eq!(place.retry(None).await, (1, 1));
    assert_eq!(place.seen(1).await, (vec![0, 1, 2, 3], false));
    // The same while the program is not there, and no retry was asked for.
    spoil();
    place.happen(&[(&[1], Put)]).await;
    place.app.stop().await;
    place.app = open();
    place.settle().await;
    assert_eq!(place.seen(1).await, (vec![0, 1, 2, 3, 4], false));
    place.app.stop().await;
}
