//! The next program: what it makes of a folder, and how operators let instances go on with it.

use crate::called::{at, no_child_begins, told, within};
use crate::kitchen::{Running, history, kitchen, next_kitchen};
use crate::laundry::{BringLoad, LoadId, NoteWish, TORN, mended, torn};
use fait::app::{App, AppBuilder};
use fait::process::Status;
use fait::reexport::serde_json::{Value, from_str, json, to_string};
use insta::assert_snapshot;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const WHY: [&str; 4] = ["--reason", "the program is mended", "--by", "operator:max"];

fn wired(wire: fn(AppBuilder) -> AppBuilder) -> AppBuilder {
    wire(App::in_memory())
}

/// The kitchen's folder, and a place for programs beside it.
fn stopped() -> (TempDir, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    history(folder.path());
    (folder, tempfile::tempdir().unwrap())
}

/// A program that answers as it should, and only when it is called as it should be.
fn program(place: &Path, words: &[&str], report: &str, code: u8) -> PathBuf {
    let report_file = place.join("report.json");
    fs::write(&report_file, report).unwrap();
    let (words, report_file) = (words.join(" "), report_file.display());
    let text =
        format!("#!/bin/sh\n[ \"$*\" = \"{words}\" ] || exit 70\ncat {report_file}\nexit {code}\n");
    let file = place.join("next");
    // A child of another test that begins while the file is open for writing would keep it so.
    let _quiet = no_child_begins();
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    file
}

/// What was told, without the names of places.
fn check(folder: &Path, by: [&str; 2], more: &[&str]) -> String {
    let data = folder.to_str().unwrap();
    let words = [&["process", "check"], &by[..], &["--data", data], more].concat();
    told(&words).replace(by[1], "NEXT").replace(data, "FOLDER")
}

/// Asks a program for what it really makes of the folder.
fn asked(name: &str, folder: &Path, next: &AppBuilder, code: u8) {
    let place = tempfile::tempdir().unwrap();
    let report = to_string(&next.preflight(folder).unwrap()).unwrap();
    let words = ["--preflight", folder.to_str().unwrap(), "--json"];
    let file = program(place.path(), &words, &report, code);
    let by = ["--program", file.to_str().unwrap()];
    assert_snapshot!(name, check(folder, by, &[]));
    let json = check(folder, by, &["--json"]);
    let (json, notes) = json.split_once("-- stderr").unwrap_or((&json, ""));
    let told: Value = from_str(json).unwrap();
    assert_eq!(told, from_str::<Value>(&report).unwrap());
    assert_eq!(code == 1, notes.ends_with("-- exit 1\n"), "{notes}");
}

#[test]
fn the_next_program_says_whether_it_can_go_on() {
    let (folder, _place) = stopped();
    asked("check_trouble", folder.path(), &wired(next_kitchen), 1);
    asked("check_gone", folder.path(), &App::in_memory(), 1);
    let folder = tempfile::tempdir().unwrap();
    let running = Running::wired(folder.path(), torn);
    for load in [1, TORN].map(LoadId) {
        running.send(BringLoad { load }, "guest:kim");
    }
    drop(running);
    asked("check_well", folder.path(), &wired(mended), 0);
}

#[test]
fn a_program_that_gives_no_report_is_told_apart() {
    let (folder, place) = stopped();
    let data = folder.path().to_str().unwrap();
    let words = ["--preflight", data, "--json"];
    let file = program(place.path(), &words, "hello", 0);
    let by = ["--program", file.to_str().unwrap()];
    assert_snapshot!("check_chatter", check(folder.path(), by, &[]));
    let file = program(place.path(), &["something else"], "{}", 0);
    let by = ["--program", file.to_str().unwrap()];
    assert_snapshot!("check_failed", check(folder.path(), by, &[]));
    let none = check(folder.path(), ["--program", "/nowhere/next"], &[]);
    assert_snapshot!("check_no_program", none);
    let neither = told(&["process", "check", "--data", data]);
    assert!(neither.ends_with("-- exit 2\n"), "{neither}");
}

#[test]
fn names_are_compared_where_there_is_only_a_manifest() {
    let (folder, place) = stopped();
    let by = |name: &str, manifest: &str| {
        let file = place.path().join(name);
        fs::write(&file, manifest).unwrap();
        check(folder.path(), ["--manifest", file.to_str().unwrap()], &[])
    };
    let manifest = |wire| {
        let _quiet = no_child_begins();
        let app = wired(wire).build();
        to_string(&app.unwrap().manifest()).unwrap()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _within = runtime.enter();
    assert_snapshot!("check_names", by("same.json", &manifest(kitchen)));
    assert_snapshot!("check_names_gone", by("other.json", &manifest(mended)));
    assert_snapshot!("check_no_manifest", by("odd.json", "{}"));
    let words = ["--manifest", "/nowhere/manifest.json"];
    assert_snapshot!("check_manifest_away", check(folder.path(), words, &[]));
}

/// A folder in which the orders have ended.
fn ended() -> (TempDir, TempDir) {
    let (folder, place) = stopped();
    let running = Running::on(folder.path());
    for key in ["7", "8"] {
        let words = [&["process", "complete", "serve-then-bill", key], &WHY[..]].concat();
        let text = at(&running.address, &words);
        assert!(!text.contains("exit"), "{text}");
    }
    drop(running);
    (folder, place)
}

#[test]
fn what_the_next_program_would_have_decided_is_told() {
    let (folder, place) = ended();
    let data = folder.path().to_str().unwrap();
    let look = |file: &Path, limit: &str| {
        let file = file.to_str().unwrap();
        let words = ["process", "shadow", "serve-then-bill", "--program", file];
        let words = [&words[..], &["--data", data, "--limit", limit]].concat();
        told(&words).replace(file, "NEXT").replace(data, "FOLDER")
    };
    let asked = ["--shadow", "serve-then-bill", "--data", data, "--limit"];
    // The history was not made by the kitchen's process: all steps are different.
    let report = wired(kitchen).shadow(folder.path(), "serve-then-bill", 10);
    let report = to_string(&report.unwrap()).unwrap();
    let words = [&asked[..], &["10", "--json"]].concat();
    let file = program(place.path(), &words, &report, 1);
    assert_snapshot!("shadow_otherwise", look(&file, "10"));
    assert_snapshot!("shadow_called_otherwise", look(&file, "11"));
    let odd = told(&["process", "shadow", "serve-then-bill", "--data", data]);
    assert!(odd.ends_with("-- exit 2\n"), "{odd}");
}

#[test]
fn a_shadow_that_differs_in_nothing_is_well() {
    let (folder, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let running = Running::wired(folder.path(), mended);
    running.send(BringLoad { load: LoadId(1) }, "guest:kim");
    let words = [&["process", "complete", "washing", "1"], &WHY[..]].concat();
    at(&running.address, &words);
    drop(running);
    let data = folder.path().to_str().unwrap();
    let report = wired(mended).shadow(folder.path(), "washing", 100).unwrap();
    assert!(report.steps > 0, "{report}");
    let asked = ["--shadow", "washing", "--data", data];
    let asked = [&asked[..], &["--limit", "100", "--json"]].concat();
    let file = program(place.path(), &asked, &to_string(&report).unwrap(), 0);
    let file = file.to_str().unwrap();
    let words = ["process", "shadow", "washing", "--program", file];
    assert_snapshot!(
        "shadow_same",
        told(&[&words[..], &["--data", data]].concat())
    );
}

#[test]
fn an_instance_is_migrated_where_the_newest_definition_agrees() {
    let (folder, _place) = stopped();
    let running = Running::wired(folder.path(), next_kitchen);
    let act = |key: &str, more: &[&str]| {
        let words = ["process", "migrate", "serve-then-bill", key];
        at(&running.address, &[&words[..], more, &WHY[..]].concat())
    };
    assert_snapshot!("migrate_shown", act("8", &["--dry-run"]));
    let json = act("8", &["--dry-run", "--json"]);
    let plan: Value = from_str(&json).unwrap();
    let after = json!({"stage": "waiting", "billed": false});
    assert_eq!((&plan["to"], &plan["after"]), (&json!(2), &after));
    assert_snapshot!("migrate_many_shown", act("--all", &["--status", "running"]));
    assert_snapshot!("migrate", act("8", &[]));
    assert_snapshot!("migrate_again", act("8", &[]));
    assert_snapshot!("migrate_refused", act("7", &[]));
    assert_snapshot!("migrate_unknown", act("70", &["--dry-run"]));
    assert_snapshot!("migrate_many", act("--all", &["--yes"]));
    let both = act("--all", &["--dry-run"]);
    assert!(both.ends_with("-- exit 2\n"), "{both}");
}

#[test]
fn one_load_stumbles_and_goes_on_in_order_once_the_program_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::wired(folder.path(), torn);
    for load in (1..=5).map(LoadId) {
        running.send(BringLoad { load }, "guest:kim");
    }
    for n in 1..=3 {
        let load = LoadId(TORN);
        running.send(NoteWish { load, n }, "guest:kim");
    }
    assert_snapshot!("torn", at(&running.address, &["process", "list"]));
    assert_snapshot!("torn_stuck", at(&running.address, &["process", "stuck"]));
    drop(running);
    let running = Running::wired(folder.path(), mended);
    let stuck = at(&running.address, &["process", "stuck", "--json"]);
    let stuck: Value = from_str(&stuck).unwrap();
    assert_eq!(stuck.as_array().unwrap().len(), 1, "nobody has said so yet");
    let words = [&["process", "retry", "washing", "3"], &WHY[..]].concat();
    assert_snapshot!("torn_retry", at(&running.address, &words));
    let washing = || async {
        let app = running.app();
        app.settle().await;
        app.instance("washing", "3").await.unwrap().unwrap()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let now = runtime.block_on(washing());
    assert_eq!(now.status, Status::Running);
    let (_, state) = now.state.unwrap();
    assert_eq!(state, json!({"begun": true, "wishes": [1, 2, 3]}));
    let text = at(&running.address, &["process", "stuck"]);
    assert!(text.contains("nothing waits"), "{text}");
}

#[test]
fn what_was_done_is_taken_back_once_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::wired(folder.path(), mended);
    running.send(BringLoad { load: LoadId(1) }, "guest:kim");
    let act = |more: &[&str]| {
        let words = ["process", "compensate", "washing", "1"];
        at(&running.address, &[&words[..], more, &WHY[..]].concat())
    };
    assert_snapshot!("compensate_shown", act(&[]));
    assert_snapshot!("compensate_done", act(&["--yes"]));
    assert_snapshot!("compensate_again", act(&["--yes"]));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(running.app().settle());
    let text = within(
        Path::new(&running.address),
        &["events", "list", "--type", "MachineStopped"],
    );
    assert!(text.contains("load:1"), "{text}");
}

#[test]
fn the_next_program_is_run_over_the_whole_history() {
    let (folder, place) = stopped();
    let loads = tempfile::tempdir().unwrap();
    let running = Running::wired(loads.path(), torn);
    for load in [1, 2].map(LoadId) {
        running.send(BringLoad { load }, "guest:kim");
    }
    drop(running);
    let look = |folder: &TempDir, next: &AppBuilder, code: u8, more: &[&str]| {
        let data = folder.path().to_str().unwrap();
        let report = next.check_history(folder.path(), &mut |_| {}).unwrap();
        assert_eq!(report.ok(), code == 0, "{report}");
        let words = ["--history", data, "--json"];
        let file = program(place.path(), &words, &to_string(&report).unwrap(), code);
        let file = file.to_str().unwrap();
        let words = ["history", "check", "--program", file, "--data", data];
        told(&[&words[..], more].concat()).replace(file, "NEXT")
    };
    let next = wired(kitchen).retired("CardDeclined", "guests pay in cash");
    assert_snapshot!("history_poison", look(&folder, &next, 1, &[]));
    assert_snapshot!("history_gone", look(&folder, &App::in_memory(), 1, &[]));
    assert_snapshot!("history_well", look(&loads, &wired(mended), 0, &[]));
    let json = look(&loads, &wired(mended), 0, &["--json"]);
    let report: Value = from_str(&json).unwrap();
    assert_eq!(report["commands"]["otherwise"], 0);
    assert!(report["commands"]["same"].as_u64() >= Some(2), "{report}");
    let data = folder.path().to_str().unwrap();
    let file = program(place.path(), &["something else"], "{}", 0);
    let file = file.to_str().unwrap();
    let words = ["history", "check", "--program", file, "--data", data];
    let odd = told(&words);
    assert!(odd.ends_with("-- exit 3\n"), "{odd}");
    let file = program(place.path(), &["--history", data, "--json"], "hello", 0);
    let odd = told(&[
        "history",
        "check",
        "--program",
        file.to_str().unwrap(),
        "--data",
        data,
    ]);
    assert!(
        odd.contains("it has to understand `--history FOLDER --json`"),
        "{odd}"
    );
    assert!(told(&["history", "check", "--data", data]).ends_with("-- exit 2\n"));
}
