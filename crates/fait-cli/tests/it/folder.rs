//! Looking into the folder of a system that is not running.

use crate::asked::{command, fait_in, run};
use crate::history::{History, history, id};
use insta::assert_snapshot;
use serde_json::Value;
use std::io::pipe;

fn said(history: &History, words: &str) -> String {
    fait_in(&history.path, words).all(&history.path.display().to_string())
}

#[test]
fn events_are_listed_with_facts_in_words() {
    let h = history().closed();
    assert_snapshot!("events_list", said(&h, "events list"));
    assert_snapshot!(
        "events_list_newest",
        said(
            &h,
            "events list --newest --limit 1 --type OrderPlaced --type FoodCooked"
        )
    );
    assert_snapshot!("events_list_tag", said(&h, "events list --tag table:4"));
    assert_snapshot!("events_list_nothing", said(&h, "events list --tag table:9"));
}

#[test]
fn an_event_is_shown_by_position_and_by_id() {
    let h = history().closed();
    let shown = said(&h, "events show 1");
    assert_snapshot!("events_show", shown);
    assert_eq!(said(&h, &format!("events show {}", id(1))), shown);
    assert_snapshot!("events_show_unknown", said(&h, "events show 99"));
}

#[test]
fn following_a_folder_ends_at_its_head() {
    let h = history().closed();
    assert_snapshot!("events_follow", said(&h, "events follow --after 8"));
    let lines = fait_in(&h.path, "events follow --json").out;
    let positions: Vec<u64> = lines
        .lines()
        .map(|l| {
            serde_json::from_str::<Value>(l).unwrap()["position"]
                .as_u64()
                .unwrap()
        })
        .collect();
    assert_eq!(positions, (1..=10).collect::<Vec<u64>>());
}

#[test]
fn a_flow_is_drawn_as_a_tree() {
    let h = history().closed();
    assert_snapshot!("trace", said(&h, "trace 4"));
    assert_snapshot!("trace_over_midnight", said(&h, "trace 7"));
    let json: Value = serde_json::from_str(&fait_in(&h.path, "trace 4 --json").out).unwrap();
    assert_eq!(json["events"][1]["depth"], 1);
    assert_eq!(json["events"][1]["event"]["position"], 2);
}

#[test]
fn processes_are_folded_from_the_log() {
    let h = history().closed();
    assert_snapshot!("process_list", said(&h, "process list"));
    assert_snapshot!("process_show", said(&h, "process show serve-then-bill"));
    assert_snapshot!(
        "process_show_ended",
        said(&h, "process show serve-then-bill o1")
    );
    assert_snapshot!(
        "process_show_parked",
        said(&h, "process show serve-then-bill o2")
    );
    assert_snapshot!(
        "process_show_status",
        said(&h, "process show serve-then-bill --status running")
    );
    assert_snapshot!("process_unknown", said(&h, "process show serve-than-bill"));
    assert_snapshot!(
        "process_resume",
        said(&h, "process resume p k --skip --reason no")
    );
}

#[test]
fn views_are_listed_and_marked_for_their_rebuild() {
    let h = history().with_views().closed();
    assert_snapshot!("view_list", said(&h, "view list"));
    assert_snapshot!("view_unknown", said(&h, "view rebuild table-plam"));
    assert_snapshot!("view_rebuild", said(&h, "view rebuild table-plan"));
    let db = rusqlite::Connection::open(h.path.join("views.db")).unwrap();
    let sql = "SELECT rebuild FROM fait_views";
    let marked: i64 = db.query_row(sql, [], |r| r.get(0)).unwrap();
    assert_eq!(marked, 1);
}

#[test]
fn json_is_one_document() {
    let h = history().with_views().closed();
    let words = ["events list", "events show 2", "view list", "process list"];
    for words in words.into_iter().chain(["process show serve-then-bill o2"]) {
        let said = fait_in(&h.path, &format!("{words} --json"));
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{words}");
        serde_json::from_str::<Value>(&said.out).unwrap();
    }
}

#[test]
fn a_folder_that_is_held_is_left_alone() {
    let h = history();
    let held = fait_in(&h.path, "events list");
    assert_snapshot!("held", held.all(&h.path.display().to_string()));
}

#[test]
fn nobody_reading_is_no_error() {
    let h = history().closed();
    for words in ["events list", "events follow --json", "trace 1", "--help"] {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let mut command = command();
        command
            .args(words.split(' '))
            .env("FAIT_AT", &h.path)
            .stdout(writer);
        let status = command.status().unwrap();
        assert_eq!(status.code(), Some(0), "{words}");
    }
}

#[test]
fn what_is_no_store_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("letter.txt"), "dear").unwrap();
    let said = fait_in(folder.path(), "events list");
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.err.contains("is not a store"), "{said:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let mut nowhere = command();
    nowhere.args(["--at", "no/such/folder", "events", "list"]);
    assert_eq!(run(nowhere).code, 3);
}
