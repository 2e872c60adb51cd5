//! `fait feed`: on a running system and in its folder.

use crate::called::{at, told, within};
use crate::kitchen::{Running, history};
use fait::app::App;
use fait::event;
use fait::query::Query;
use insta::assert_snapshot;
use std::path::Path;

/// A card was declined, as a program would have it that asks for more than there was.
#[event("CardDeclined")]
struct Declined {
    number: u32,
}

/// A reader takes in what is behind its checkpoint, and sets aside what it cannot read.
async fn read(app: &App, name: &str) {
    let mut feed = app.feed_of::<Declined>().named(name).open().await.unwrap();
    while let Some(mut batch) = feed.next_now().await.unwrap() {
        if batch.unreadable().is_some() {
            batch.set_aside("cards of a test").await.unwrap();
        }
        batch.done().await.unwrap();
    }
}

fn list(folder: &Path) -> String {
    within(folder, &["feed", "list"])
}

#[test]
fn feeds_are_listed_and_reset_in_a_folder_and_at_an_address() {
    let folder = tempfile::tempdir().unwrap();
    history(folder.path());
    assert_snapshot!("none", list(folder.path()));
    let running = Running::on(folder.path());
    running.wait(read(running.app(), "ledger"));
    let from_address = at(&running.address, &["feed", "list"]);
    let (table, aside) = from_address.trim_end().rsplit_once('\n').unwrap();
    assert_snapshot!("listed", table);
    let begin = "ledger has set aside: event CardDeclined version 1 at position 8 cannot be read: ";
    assert!(aside.starts_with(begin), "{aside}");
    assert!(aside.ends_with("; because: cards of a test"), "{aside}");
    let words = ["feed", "reset", "ledger", "--to", "5"];
    assert_snapshot!("reset", at(&running.address, &words));
    let reading = running.app().feed(Query::all()).named("ledger");
    let reading = running.wait(reading.open()).unwrap();
    assert_snapshot!("reset_while_read", at(&running.address, &words));
    drop(reading);
    let json = at(&running.address, &["feed", "list", "--json"]);
    drop(running);
    assert_eq!(json, within(folder.path(), &["feed", "list", "--json"]));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[0]["position"], 5);
    assert_snapshot!(
        "reset_unknown",
        within(folder.path(), &["feed", "reset", "leger", "--to", "0"])
    );
    assert_snapshot!(
        "reset_beyond",
        within(folder.path(), &["feed", "reset", "ledger", "--to", "99"])
    );
    assert_snapshot!(
        "reset_in_folder",
        within(folder.path(), &["feed", "reset", "ledger", "--to", "0"])
    );
    let running = Running::on(folder.path());
    let feed = running.app().feed(Query::all()).named("ledger");
    let mut feed = running.wait(feed.open()).unwrap();
    let first = running.wait(async { feed.next().await.unwrap().unwrap().take_events() });
    assert_eq!(first[0].meta.position, 1);
}

/// What is restored from a backup is another history; what was fed from the lost part is found.
#[test]
fn a_feed_that_is_ahead_of_a_restored_log_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (data, backup) = (folder.path().join("data"), folder.path().join("backup"));
    let restored = folder.path().join("restored");
    history(&data);
    let path = |p: &Path| p.display().to_string();
    told(&["store", "backup", &path(&data), "--to", &path(&backup)]);
    let running = Running::on(&data);
    running.cook(9);
    running.wait(read(running.app(), "ledger"));
    drop(running);
    told(&["store", "restore", &path(&backup), "--to", &path(&restored)]);
    std::fs::copy(data.join("views.db"), restored.join("views.db")).unwrap();
    let told = list(&restored);
    let (table, aside) = told.trim_end().rsplit_once('\n').unwrap();
    assert_snapshot!("ahead", table);
    assert!(aside.starts_with("ledger has set aside: "), "{aside}");
    let running = Running::on(&restored);
    let opened = running.wait(running.app().feed(Query::all()).named("ledger").open());
    let e = opened.unwrap_err().to_string();
    assert!(e.contains("`fait feed reset ledger --to N`"), "{e}");
    assert_eq!(
        at(&running.address, &["feed", "reset", "ledger", "--to", "3"]),
        "feed `ledger` goes on behind 3\n"
    );
    running.wait(read(running.app(), "ledger"));
}
