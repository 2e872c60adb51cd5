//! Views, as operators keep them: on a running system and in its folder.

use crate::called::{at, within};
use crate::kitchen::{Running, counting_kitchen, history};
use insta::assert_snapshot;
use tempfile::TempDir;

/// A system whose view has a new version, which is ready and waits.
fn upgraded() -> (TempDir, Running) {
    let folder = tempfile::tempdir().unwrap();
    history(folder.path());
    drop(Running::on(folder.path()));
    let next = Running::wired(folder.path(), counting_kitchen);
    while !view(&next, &["status", "table-plan"]).contains("rebuilt: diff") {}
    (folder, next)
}

fn view(on: &Running, words: &[&str]) -> String {
    at(&on.address, &[&["view"], words].concat())
}

#[test]
fn a_new_version_is_compared_and_let_to_serve() {
    let (folder, next) = upgraded();
    let view = |words: &[&str]| view(&next, words);
    assert_snapshot!("ready_list", view(&["list"]));
    assert_snapshot!("ready_status", view(&["status", "table-plan"]));
    assert_snapshot!("ready_diff", view(&["diff", "table-plan"]));
    assert_snapshot!("diff_cut", view(&["diff", "table-plan", "--limit", "1"]));
    assert_snapshot!("rebuild_twice", view(&["rebuild", "table-plan"]));
    // Nobody is there to be asked.
    assert_snapshot!("switch_unasked", view(&["switch", "table-plan"]));
    assert_snapshot!("cancel_unasked", view(&["cancel", "table-plan"]));
    let switched = view(&["switch", "table-plan", "--yes", "--reason", "it is right"]);
    assert!(switched.contains("`table-plan` serves"), "{switched}");
    while !view(&["status", "table-plan"]).contains("generation 2 by version 2, table") {}
    assert_snapshot!("switched_status", view(&["status", "table-plan"]));
    assert_snapshot!("rollback_unasked", view(&["rollback", "table-plan"]));
    assert_snapshot!("rolled_back", view(&["rollback", "table-plan", "--yes"]));
    assert_snapshot!("rolled_back_status", view(&["status", "table-plan"]));
    drop(next);
    // The folder knows that it was gone back, though not by which program.
    let words = ["view", "status", "table-plan"];
    assert_snapshot!("rolled_back_folder", within(folder.path(), &words));
    let again = Running::on(folder.path());
    let forgotten = at(&again.address, &["view", "forget", "table-plan", "--yes"]);
    assert_snapshot!("forgotten", forgotten);
    let nothing = at(&again.address, &["view", "forget", "table-plan", "--yes"]);
    assert_snapshot!("nothing_to_forget", nothing);
}

#[test]
fn a_folder_tells_what_is_ready_and_says_what_it_cannot_do() {
    let (folder, next) = upgraded();
    drop(next);
    let folder = |words: &[&str]| within(folder.path(), &[&["view"], words].concat());
    assert_snapshot!("folder_ready", folder(&["status", "table-plan"]));
    assert_snapshot!("folder_parked", folder(&["parked", "table-plan"]));
    assert_snapshot!("folder_diff", folder(&["diff", "table-plan"]));
    let still = folder(&["diff", "table-plan"]);
    for words in [
        vec!["pause", "table-plan"],
        vec!["switch", "table-plan", "--yes"],
        vec!["retry", "table-plan"],
    ] {
        assert_eq!(folder(&words), still, "{words:?}");
    }
}

#[test]
fn what_is_held_ends_the_wait_and_says_what_is_next() {
    let folder = tempfile::tempdir().unwrap();
    history(folder.path());
    let on = Running::on(folder.path());
    let text = view(&on, &["rebuild", "table-plan", "--hold"]);
    let (before, after) = text.split_once(", in ").unwrap();
    assert_eq!(before, "view `table-plan` is rebuilt and waits");
    let (_, after) = after.split_once(" s; ").unwrap();
    assert_snapshot!("held", after);
    assert_snapshot!("no_difference", view(&on, &["diff", "table-plan"]));
    assert_snapshot!("cancelled", view(&on, &["cancel", "table-plan", "--yes"]));
    assert_snapshot!("nothing_ready", view(&on, &["diff", "table-plan"]));
    assert_snapshot!("nothing_to_pause", view(&on, &["pause", "table-plan"]));
    let begun = view(&on, &["rebuild", "table-plan", "--no-wait"]);
    assert!(
        begun.contains("`fait view status table-plan` tells"),
        "{begun}"
    );
}

#[test]
fn what_waits_is_listed_and_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    history(folder.path());
    let on = Running::on(folder.path());
    assert_snapshot!("parked", view(&on, &["parked", "table-plan"]));
    let folder_says = |words: &[&str]| within(folder.path(), words);
    assert_snapshot!("retried", view(&on, &["retry", "table-plan"]));
    assert_snapshot!("retried_other", view(&on, &["retry", "table-plan", "3"]));
    let json = view(&on, &["parked", "table-plan", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json[0]["key"], &json[0]["position"]),
        (&"4".into(), &10.into())
    );
    drop(on);
    let words = ["view", "parked", "table-plan"];
    assert!(folder_says(&words).contains("this dish is poison"));
}

#[test]
fn what_changed_between_two_moments() {
    let folder = tempfile::tempdir().unwrap();
    history(folder.path());
    let on = Running::on(folder.path());
    assert_snapshot!("between", view(&on, &["diff", "table-plan", "0", "14"]));
    let times = ["2026-11-23T18:00:00Z", "2026-11-23T23:59:00Z"];
    let by_time = view(&on, &["diff", "table-plan", times[0], times[1]]);
    assert!(by_time.contains("1 added"), "{by_time}");
    assert_snapshot!(
        "odd_moment",
        view(&on, &["diff", "table-plan", "soon", "14"])
    );
    assert_snapshot!("no_such_view", view(&on, &["diff", "tableplan"]));
}
