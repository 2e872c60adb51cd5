//! Models on disk: they save reading, and are never believed.

use crate::counted::Counted;
use crate::till::{CountTwice, count, look, look_into_two, wired};
use fait::app::App;
use proptest::prelude::*;
use rusqlite::Connection;
use rusqlite::types::Value;
use std::path::{Path, PathBuf};

struct Place {
    folder: tempfile::TempDir,
    store: Counted,
}

impl Place {
    fn new() -> Place {
        Place {
            folder: tempfile::tempdir().unwrap(),
            store: Counted::new(),
        }
    }

    fn views(&self) -> PathBuf {
        self.folder.path().join("views.db")
    }

    /// Without models in memory, so that those on disk are used.
    fn open(&self) -> App {
        let place = App::on(self.store.clone()).views_in(self.views());
        wired(place).models_in_memory(0).build().unwrap()
    }

    /// Thirty events, with the model kept after the twentieth or later.
    async fn fill(&self) {
        let place = App::on(self.store.clone()).views_in(self.views());
        let app = wired(place).build().unwrap();
        for n in 0..30 {
            app.send(count("a", n)).await.unwrap();
        }
        app.settle().await;
        app.stop().await;
    }
}

fn rows(views: &Path) -> Vec<Vec<Value>> {
    let c = Connection::open(views).unwrap();
    let mut all = c
        .prepare("SELECT * FROM fait_snapshots ORDER BY model, keys")
        .unwrap();
    let row = |r: &rusqlite::Row<'_>| (0..7).map(|i| r.get(i)).collect();
    all.query_map([], row)
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

fn replace(views: &Path, row: &[Value]) {
    let c = Connection::open(views).unwrap();
    let sql = "INSERT OR REPLACE INTO fait_snapshots VALUES (?1,?2,?3,?4,?5,?6,?7)";
    c.execute(sql, rusqlite::params_from_iter(row)).unwrap();
}

#[tokio::test]
async fn a_snapshot_survives_a_restart_and_only_what_came_after_it_is_read() {
    let place = Place::new();
    place.fill().await;
    assert_eq!(rows(&place.views()).len(), 1);
    let app = place.open();
    app.settle().await;
    place.store.events_read();
    let seen = look(&app, "a").await;
    let read = place.store.events_read();
    assert!(read < 20, "{read} events read");
    app.forget_models().unwrap();
    assert_eq!(look(&app, "a").await, seen);
    assert_eq!(place.store.events_read(), 30);
    app.stop().await;
}

#[tokio::test]
async fn a_snapshot_of_another_version_is_not_used_and_is_written_anew() {
    let place = Place::new();
    place.fill().await;
    let mut row = rows(&place.views()).remove(0);
    let written = row.clone();
    row[2] = Value::Text("2 Counted".into());
    replace(&place.views(), &row);
    let app = place.open();
    app.settle().await;
    place.store.events_read();
    look(&app, "a").await;
    assert_eq!(place.store.events_read(), 30);
    app.stop().await;
    let anew = rows(&place.views()).remove(0);
    assert_eq!(anew[2], written[2]);
    assert_eq!(anew[3], Value::Integer(30));
}

#[tokio::test]
async fn a_snapshot_beyond_the_head_is_not_used() {
    let (long, short) = (Place::new(), Place::new());
    long.fill().await;
    let app = short.open();
    for _ in 0..5 {
        app.send(count("a", 1)).await.unwrap();
    }
    let row = rows(&long.views()).remove(0);
    // While it runs, and then while it does not.
    replace(&short.views(), &row);
    let seen = look(&app, "a").await;
    assert!(seen.contains("cents: 5"), "{seen}");
    app.stop().await;
    replace(&short.views(), &row);
    let app = short.open();
    assert_eq!(look(&app, "a").await, seen);
    app.stop().await;
    assert!(rows(&short.views()).is_empty());
}

#[tokio::test]
async fn several_models_are_kept_when_all_of_them_ask_for_it() {
    let place = Place::new();
    place.fill().await;
    let app = place.open();
    let seen = look_into_two(&app, "a", "b").await;
    for n in 0..12 {
        let twice = CountTwice {
            till: "b".into(),
            clerk: format!("c{n}").as_str().into(),
            cents: 1,
        };
        app.send(twice).await.unwrap();
    }
    app.stop().await;
    let kept = rows(&place.views());
    let models = |row: &Vec<Value>| match &row[0] {
        Value::Text(models) => models.clone(),
        other => panic!("{other:?}"),
    };
    let kept: Vec<String> = kept.iter().map(models).collect();
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(!kept.iter().any(|k| k.contains("Clerk")));
    let app = place.open();
    app.settle().await;
    place.store.events_read();
    let again = look_into_two(&app, "a", "b").await;
    assert_eq!(place.store.events_read(), 12);
    assert_ne!(again, seen);
    app.forget_models().unwrap();
    assert_eq!(look_into_two(&app, "a", "b").await, again);
    app.stop().await;
}

/// Something else in one column of a snapshot.
fn damaged(mut row: Vec<Value>, column: usize, at: usize, with: u8) -> Vec<Value> {
    match &mut row[column] {
        Value::Integer(n) => *n ^= i64::from(with),
        Value::Text(text) => {
            let at = at % (text.len() + 1);
            text.insert(at, char::from(b'a' + with % 26));
        }
        Value::Blob(bytes) => {
            let at = at % bytes.len();
            bytes[at] ^= with;
            bytes.truncate(if with.is_multiple_of(5) {
                at
            } else {
                bytes.len()
            });
        }
        _ => {}
    }
    row
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_damaged_snapshot_gives_the_same_decisions_as_none(
        damage in prop::collection::vec((2..7usize, any::<usize>(), 1..255u8), 1..8)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let place = Place::new();
            place.fill().await;
            let row = rows(&place.views()).remove(0);
            let app = place.open();
            app.forget_models().unwrap();
            let whole = look(&app, "a").await;
            app.stop().await;
            for (column, at, with) in damage {
                // Anew each time, since what is found damaged is written again behind the answer.
                replace(&place.views(), &damaged(row.clone(), column, at, with));
                let app = place.open();
                assert_eq!(look(&app, "a").await, whole);
                app.stop().await;
            }
        });
    }
}
