//! The program on the folder of a system that is stopped.

use crate::called::{begun, fait, spawned, within};
use crate::kitchen::{Running, history, id};
use fait_store::Disk;
use insta::assert_snapshot;
use std::io::Read;
use std::process::Stdio;
use tempfile::TempDir;

fn made() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    history(folder.path());
    folder
}

/// A folder that a system has run on.
fn used() -> TempDir {
    let folder = made();
    drop(Running::on(folder.path()));
    folder
}

#[test]
fn events_are_listed() {
    let folder = made();
    assert_snapshot!(within(folder.path(), &["events", "list"]));
}

#[test]
fn events_are_chosen() {
    let folder = made();
    let newest = ["events", "list", "--newest", "--limit", "2"];
    assert_snapshot!("newest", within(folder.path(), &newest));
    let limit = ["events", "list", "--limit", "2", "--after", "3"];
    assert_snapshot!("limit", within(folder.path(), &limit));
    let both = [
        "events",
        "list",
        "--type",
        "OrderPlaced",
        "--type",
        "OrderCooked",
    ];
    let tagged = [&both[..], &["--tag", "order:7"]].concat();
    assert_snapshot!("type_and_tag", within(folder.path(), &tagged));
    let none = ["events", "list", "--type", "OrderLost"];
    assert_snapshot!("none", within(folder.path(), &none));
}

#[test]
fn events_are_json() {
    let folder = made();
    let words = ["events", "list", "--limit", "1", "--json"];
    assert_snapshot!(within(folder.path(), &words));
}

#[test]
fn one_event_is_shown() {
    let folder = made();
    let (first, third) = (id(1).to_string(), "3");
    let first = within(folder.path(), &["events", "show", &first]);
    assert_snapshot!("an_event", first);
    let third = within(folder.path(), &["events", "show", third]);
    assert_snapshot!("a_fact", third);
    let hostile = within(folder.path(), &["events", "show", "8"]);
    assert!(!hostile.contains('\u{1b}'), "{hostile}");
    let missing = within(folder.path(), &["events", "show", "99"]);
    assert_snapshot!("no_event", missing);
}

#[test]
fn a_folder_is_followed_to_its_end() {
    let folder = made();
    assert_snapshot!(within(folder.path(), &["events", "follow", "--after", "9"]));
}

#[test]
fn a_flow_is_a_tree() {
    let folder = made();
    assert_snapshot!(within(folder.path(), &["trace", "4"]));
}

#[test]
fn a_flow_that_goes_over_midnight_says_the_day() {
    let folder = made();
    assert_snapshot!(within(folder.path(), &["trace", "10"]));
}

#[test]
fn a_flow_is_found_by_every_id_in_it() {
    let folder = made();
    let by_event = within(folder.path(), &["trace", "1"]).replace("  ← this", "");
    // The command from outside, which is the flow's id too; and one that the process issued.
    for n in [100, 200, 201] {
        let by_id = within(folder.path(), &["trace", &id(n).to_string()]);
        assert_eq!(by_id, by_event, "{n}");
    }
    let nothing = within(folder.path(), &["trace", &id(999).to_string()]);
    assert_snapshot!(nothing);
}

#[test]
fn a_flow_as_json_is_nested() {
    let folder = made();
    let text = within(folder.path(), &["trace", "10", "--json"]);
    let tree: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(tree["events"], 4);
    let mut below = &tree["causes"][0];
    for position in [10, 11, 12, 13] {
        assert_eq!(below["event"]["position"], position);
        below = &below["led_to"][0];
    }
}

#[test]
fn views_are_listed_and_marked_until_the_next_start() {
    let folder = used();
    let list = || within(folder.path(), &["view", "list"]);
    assert_snapshot!("views", list());
    let rebuilt = within(folder.path(), &["view", "rebuild", "table-plan"]);
    assert_snapshot!("view_marked", rebuilt);
    assert!(list().contains("rebuilt at the next start"), "{}", list());
    drop(Running::on(folder.path()));
    assert!(!list().contains("next start"), "{}", list());
}

#[test]
fn looking_changes_nothing_in_the_folder() {
    let folder = used();
    let names = || {
        let entries = std::fs::read_dir(folder.path()).unwrap();
        let entries = entries.map(|e| e.unwrap());
        let all = entries.map(|e| (e.file_name(), std::fs::read(e.path()).unwrap()));
        let mut all: Vec<_> = all.collect();
        all.sort();
        all
    };
    let before = names();
    for words in [["view", "list"], ["process", "list"], ["events", "list"]] {
        within(folder.path(), &words);
    }
    assert_eq!(names(), before);
}

#[test]
fn rows_of_a_folder_are_those_of_now() {
    let folder = used();
    let told = |words: &[&str]| within(folder.path(), &[&["view"], words].concat());
    assert_snapshot!("rows", told(&["rows", "table-plan", "--count"]));
    let then = told(&["row", "table-plan", "3", "--as-of", "2"]);
    assert_snapshot!("no_rows_as_of", then);
    assert_snapshot!("rows_of_none", told(&["rows", "tableplan"]));
    assert_snapshot!("rows_odd", told(&["rows", "table-plan", "--limit", "1001"]));
    let unused = within(made().path(), &["view", "rows", "table-plan"]);
    assert_snapshot!("rows_without_views", unused);
}

#[test]
fn an_unknown_view_has_a_near_name() {
    let folder = used();
    let words = ["view", "rebuild", "tableplan"];
    assert_snapshot!(within(folder.path(), &words));
}

#[test]
fn a_folder_without_views_says_so() {
    let folder = made();
    assert_snapshot!("no_views", within(folder.path(), &["view", "list"]));
    let words = ["view", "rebuild", "table-plan"];
    assert_snapshot!("no_view_to_rebuild", within(folder.path(), &words));
}

#[test]
fn processes_are_folded_from_the_log() {
    let folder = made();
    assert_snapshot!("processes", within(folder.path(), &["process", "list"]));
    let show = ["process", "show", "serve-then-bill"];
    assert_snapshot!("instances", within(folder.path(), &show));
    let parked = [&show[..], &["--status", "parked"]].concat();
    assert_snapshot!("parked_instances", within(folder.path(), &parked));
    let ended = [&show[..], &["--status", "ended"]].concat();
    assert_snapshot!("ended_instances", within(folder.path(), &ended));
    let words = ["process", "show", "serve-bill"];
    assert_snapshot!("unknown_process", within(folder.path(), &words));
}

#[test]
fn an_instance_is_told_with_its_history() {
    let folder = made();
    let show = |key| within(folder.path(), &["process", "show", "serve-then-bill", key]);
    assert_snapshot!("parked_instance", show("7"));
    assert_snapshot!("running_instance", show("8"));
    assert_snapshot!("no_instance", show("9"));
}

#[test]
fn a_folder_resumes_nothing() {
    let folder = made();
    let go = [
        "process",
        "resume",
        "serve-then-bill",
        "7",
        "--skip",
        "--reason",
        "x",
    ];
    assert_snapshot!(within(folder.path(), &go));
}

#[test]
fn a_held_folder_names_the_way_out() {
    let folder = made();
    let _held = Disk::open(folder.path()).unwrap();
    assert_snapshot!(within(folder.path(), &["events", "list"]));
}

#[test]
fn a_newer_format_is_left_alone() {
    let folder = made();
    let file = folder.path().join("meta");
    let mut meta = std::fs::read(&file).unwrap();
    meta[8] = 9;
    std::fs::write(&file, meta).unwrap();
    assert_snapshot!(within(folder.path(), &["events", "list"]));
}

#[test]
fn a_damaged_database_of_views_is_named() {
    let folder = used();
    std::fs::write(folder.path().join("views.db"), "no database").unwrap();
    assert_snapshot!(within(folder.path(), &["view", "list"]));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = made();
    let place = folder.path().display().to_string();
    for words in [
        vec!["events", "list", "--json"],
        vec!["trace", "1"],
        vec!["--help"],
    ] {
        let mut command = fait(&words);
        command.env("FAIT_AT", &place);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = spawned(&mut command);
        drop(child.stdout.take());
        let mut notes = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut notes)
            .unwrap();
        assert_eq!(notes, "", "{words:?}");
        assert_eq!(child.wait().unwrap().code(), Some(0), "{words:?}");
    }
    let mut child = begun(&place, &["events", "follow"]);
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
