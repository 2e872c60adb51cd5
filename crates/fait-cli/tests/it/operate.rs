//! What operators do, from the command line.

use crate::called::{at, within};
use crate::kitchen::{Running, history};
use insta::assert_snapshot;
use tempfile::TempDir;

const WHY: [&str; 4] = ["--reason", "the guests have left", "--by", "operator:eve"];

fn running() -> (TempDir, Running) {
    let folder = tempfile::tempdir().unwrap();
    history(folder.path());
    let running = Running::on(folder.path());
    (folder, running)
}

fn act(running: &Running, verb: &str, key: &str, more: &[&str]) -> String {
    let words = [&["process", verb, "serve-then-bill", key], more, &WHY[..]].concat();
    at(&running.address, &words)
}

/// The command that is open in the second order, and asked of the cook.
const ASKED: &str = "019b76da-a800-7000-8000-0000000000cb";

#[test]
fn what_is_stuck_is_listed_in_a_folder_and_at_an_address() {
    let (folder, running) = running();
    assert_snapshot!("stuck", at(&running.address, &["process", "stuck"]));
    let json = at(
        &running.address,
        &["process", "stuck", "serve-then-bill", "--json"],
    );
    let found: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&found[0]["instance"]["key"], &found[0]["backlog"]),
        (&"7".into(), &0.into())
    );
    drop(running);
    let text = within(folder.path(), &["process", "stuck"]);
    assert_snapshot!("stuck_in_a_folder", text);
    let words = ["process", "retry", "serve-then-bill", "7", "--reason", "x"];
    let text = within(folder.path(), &words);
    assert!(text.contains("start the system"), "{text}");
    assert!(text.ends_with("-- exit 2\n"), "{text}");
}

#[test]
fn a_parked_instance_is_skipped_once() {
    let (_folder, running) = running();
    assert_snapshot!("skip", act(&running, "skip", "7", &[]));
    assert_snapshot!("skip_again", act(&running, "skip", "7", &[]));
    assert_snapshot!("skip_unknown", act(&running, "skip", "70", &[]));
    assert_snapshot!("retry_running", act(&running, "retry", "8", &[]));
}

#[test]
fn deadlines_are_moved_and_fired() {
    let (_folder, running) = running();
    let to = [
        "--deadline",
        "KitchenSilent",
        "--to",
        "2026-12-24T18:00:00Z",
    ];
    assert_snapshot!("postpone", act(&running, "postpone", "8", &to));
    let odd = ["--deadline", "KitchenSilent", "--to", "tomorrow"];
    assert_snapshot!("postpone_odd", act(&running, "postpone", "8", &odd));
    let none = ["--deadline", "Silence"];
    assert_snapshot!("fire_unknown", act(&running, "fire", "8", &none));
    let named = ["--deadline", "KitchenSilent"];
    assert_snapshot!("fire", act(&running, "fire", "8", &named));
}

#[test]
fn commands_are_amended_settled_and_skipped() {
    let (_folder, running) = running();
    let body = ["--body", r#"{"order": 9}"#];
    let amended = act(&running, "amend", "8", &[&[ASKED], &body[..]].concat());
    assert_snapshot!("amend", amended);
    let new = amended.rsplit(' ').next().unwrap().trim();
    let odd = ["--body", r#"{"odrer": 9}"#];
    assert_snapshot!(
        "amend_odd",
        act(&running, "amend", "8", &[&[new], &odd[..]].concat())
    );
    assert_snapshot!("settle", act(&running, "settle", "8", &[new, "--done"]));
    assert_snapshot!(
        "settle_again",
        act(&running, "settle", "8", &[new, "--failed"])
    );
    let text = act(&running, "settle", "8", &[new]);
    assert!(text.contains("--done|--failed"), "{text}");
}

#[test]
fn an_open_command_is_skipped() {
    let (_folder, running) = running();
    assert_snapshot!("skip_command", act(&running, "skip-command", "8", &[ASKED]));
    let other = "019b76da-a800-7000-8000-000000000001";
    assert_snapshot!(
        "skip_command_unknown",
        act(&running, "skip-command", "8", &[other])
    );
}

#[test]
fn an_instance_is_cancelled_or_declared_done() {
    let (_folder, running) = running();
    assert_snapshot!("complete", act(&running, "complete", "7", &[]));
    assert_snapshot!("cancel", act(&running, "cancel", "8", &[]));
    let by = ["--reason", "x", "--by", "operator:max"];
    let words = [&["process", "cancel", "serve-then-bill", "7"], &by[..]].concat();
    assert_snapshot!("cancel_ended", at(&running.address, &words));
}

#[test]
fn taking_back_is_shown_first() {
    let (_folder, running) = running();
    assert_snapshot!("compensate", act(&running, "compensate", "7", &[]));
    assert_snapshot!(
        "compensate_nothing",
        act(&running, "compensate", "7", &["--yes"])
    );
}

#[test]
fn many_are_shown_first_and_then_done() {
    let (_folder, running) = running();
    let all = |verb: &str, more: &[&str]| {
        let words = [
            &["process", verb, "serve-then-bill", "--all"],
            more,
            &WHY[..],
        ]
        .concat();
        at(&running.address, &words)
    };
    assert_snapshot!(
        "many_shown",
        all("skip", &["--class", "asked", "--text", "CARD"])
    );
    assert_snapshot!("many_none", all("skip", &["--class", "defect"]));
    assert_snapshot!("many_done", all("cancel", &["--rate", "1000", "--yes"]));
    let json = all("cancel", &["--yes", "--json"]);
    let ended: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&ended["state"], &ended["found"]),
        (&"done".into(), &0.into())
    );
    let words = ["process", "skip", "serve-then-bill", "--reason", "x"];
    let neither = at(&running.address, &words);
    assert!(neither.ends_with("-- exit 2\n"), "{neither}");
    let words = ["events", "list", "--type", "$ProcessOperated", "--json"];
    let found: serde_json::Value = serde_json::from_str(&at(&running.address, &words)).unwrap();
    let events = found["events"].as_array().unwrap();
    assert_eq!(events.len(), 2, "one line for each");
    for event in events {
        assert_eq!(event["actor"], "operator:eve");
        assert_eq!(event["data"]["reason"], "the guests have left");
    }
}
