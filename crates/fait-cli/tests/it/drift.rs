//! `fait board check`: against a manifest, a folder, a running system.

use crate::called::{at, told, told_in};
use crate::kitchen::{Running, history};
use insta::assert_snapshot;
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

/// The board of the kitchen whose history the tests look at.
const KITCHEN: &str = "\
board Kitchen
  level process

actor Cook

view Table plan
  from Order placed

event Order placed
  records order, table, dishes

task Cook food
  by Cook
  raises Order cooked

event Order cooked
  records order

process Serve, then bill
  one per order
  starts on Order cooked
    ask Cook to Cook food
";

/// A folder with the history of the kitchen and its board.
fn kitchen(board: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    history(&data);
    fs::write(folder.path().join("kitchen.board"), board).unwrap();
    folder
}

fn restaurant(file: &str) -> String {
    format!(
        "{}/../../examples/restaurant/{file}",
        env!("CARGO_MANIFEST_DIR")
    )
}

#[test]
fn the_restaurant_agrees_with_its_manifest() {
    let (board, manifest) = (restaurant("restaurant.board"), restaurant("manifest.json"));
    let words = ["board", "check", &board, "--manifest", &manifest];
    assert_snapshot!(told(&words));
}

#[test]
fn a_difference_is_told_with_its_line_and_ends_with_one() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(restaurant("restaurant.board")).unwrap();
    let text = text.replace("  raises Order spiked\n", "");
    fs::write(folder.path().join("restaurant.board"), text).unwrap();
    let manifest = restaurant("manifest.json");
    let words = [
        "board",
        "check",
        "restaurant.board",
        "--manifest",
        &manifest,
    ];
    assert_snapshot!(told_in(folder.path(), &words));
}

#[test]
fn what_happened_in_a_folder_is_compared() {
    let folder = kitchen(KITCHEN);
    let words = ["board", "check", "kitchen.board", "--at", "data"];
    assert_snapshot!("folder", told_in(folder.path(), &words));
    let json = [&words[..], &["--format", "json"]].concat();
    let json = told_in(folder.path(), &json);
    let (document, _) = json.split_once("-- stderr").unwrap();
    let found: Value = serde_json::from_str(document).unwrap();
    assert_eq!(found["board"], "Kitchen");
    assert_eq!(found["counted"]["up_to"], found["counted"]["head"]);
    let entries = found["entries"].as_array().unwrap();
    let placed = entries.iter().find(|e| e["name"] == "Order placed");
    assert_snapshot!("entry", serde_json::to_string_pretty(&placed).unwrap());
    let also = [&["--json"], &words[..]].concat();
    assert_eq!(told_in(folder.path(), &also), json);
}

#[test]
fn what_is_denied_is_a_difference() {
    let folder = kitchen("board Kitchen\nevent Order placed\nevent Order eaten\n");
    let manifest = r#"{"name": "Kitchen", "events": {
        "OrderPlaced": {"name": "OrderPlaced", "version": 1, "doc": "", "schema": {}},
        "OrderCooked": {"name": "OrderCooked", "version": 1, "doc": "", "schema": {}},
        "CardDeclined": {"name": "CardDeclined", "version": 1, "doc": "", "schema": {}},
        "OrderEaten": {"name": "OrderEaten", "version": 1, "doc": "", "schema": {}}},
        "commands": {}, "views": {}, "processes": {}, "policies": {}, "roles": {},
        "systems": {}}"#;
    fs::write(folder.path().join("manifest.json"), manifest).unwrap();
    let board = fs::read_to_string(folder.path().join("kitchen.board")).unwrap();
    let board = format!("{board}event Order cooked\nevent Card declined\n");
    fs::write(folder.path().join("kitchen.board"), board).unwrap();
    let words = ["board", "check", "kitchen.board", "--at", "data"];
    let words = [&words[..], &["--manifest", "manifest.json"]].concat();
    assert_snapshot!("remark", told_in(folder.path(), &words));
    let denied = [&words[..], &["--deny", "never-happened"]].concat();
    assert_snapshot!("denied", told_in(folder.path(), &denied));
}

#[test]
fn a_running_system_is_compared_with_its_own_manifest() {
    let folder = kitchen(KITCHEN);
    let board = folder.path().join("kitchen.board");
    let board = board.display().to_string();
    let running = Running::on(&folder.path().join("data"));
    let words = ["board", "check", &board];
    assert_snapshot!(at(&running.address, &words));
}

#[test]
fn what_cannot_be_held_against_anything_is_said() {
    let folder = kitchen(KITCHEN);
    let place = |words: &[&str]| told_in(folder.path(), words);
    assert_snapshot!("nothing", place(&["board", "check", "kitchen.board"]));
    let manifest = ["board", "check", "kitchen.board", "--manifest"];
    let none = [&manifest[..], &["none.json"]].concat();
    assert_snapshot!("no_file", place(&none));
    let other = [&manifest[..], &["kitchen.board"]].concat();
    assert_snapshot!("no_manifest", place(&other));
    fs::write(
        folder.path().join("kitchen.board"),
        "board Kitchen\n\tactor Cook\n",
    )
    .unwrap();
    let words = ["board", "check", "kitchen.board", "--at", "data"];
    assert_snapshot!("mistakes", place(&words));
}
