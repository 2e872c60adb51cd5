//! `fait board lint`: what it says, in which form, and when it fails.

use crate::called::{fait, spawned, told_in};
use insta::assert_snapshot;
use serde_json::Value;
use std::io::Write;
use std::process::Stdio;
use tempfile::TempDir;

/// One error, two warnings and one question at the level that it has.
const DRAFT: &str = "board A draft
  level process

actor Cook

task Update order
  public
  raises Order plated, Serve order

event Order plated
  public

event Serve order
  public

hotspot Who pays for a second plate?
";
const FINE: &str = "board Fine\n\nevent Order placed\n";

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("draft.board", DRAFT), ("fine.board", FINE)] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    std::fs::write(folder.path().join("odd.board"), [b'a', 0xff]).unwrap();
    folder
}

fn lint(words: &[&str]) -> String {
    let folder = folder();
    let words: Vec<&str> = ["board", "lint"].iter().chain(words).copied().collect();
    told_in(folder.path(), &words)
}

#[test]
fn a_report_ends_with_one_line_that_counts() {
    assert_snapshot!(lint(&["draft.board"]));
}

#[test]
fn remarks_and_questions_are_shown_when_wanted() {
    let text = lint(&["draft.board", "--remarks"]);
    assert!(
        text.contains("note[B900]: open question: Who pays"),
        "{text}"
    );
    assert!(!text.contains("shows them"), "{text}");
}

#[test]
fn a_clean_board_is_no_finding() {
    let clean = "2 notes on the board: 0 errors, 0 warnings, 0 remarks\n";
    assert_eq!(lint(&["fine.board"]), clean);
}

#[test]
fn many_boards_are_counted_each() {
    let text = lint(&["fine.board", "draft.board", "--level", "big-picture"]);
    assert!(text.starts_with("fine.board: 2 notes"), "{text}");
    assert!(
        text.contains("\ndraft.board: 6 notes on the board: 1 error, 0 warnings"),
        "{text}"
    );
    assert!(
        text.ends_with("-- stderr\nerror: 1 error\n-- exit 1\n"),
        "{text}"
    );
}

#[test]
fn warnings_fail_when_they_are_denied() {
    let allowed = ["draft.board", "--allow", "B201"];
    let text = lint(&allowed);
    assert!(
        text.contains("0 errors, 2 warnings") && !text.contains("exit"),
        "{text}"
    );
    for denied in [["--deny", "warnings"], ["--deny", "B204,b318"]] {
        let text = lint(&[&allowed[..], &denied[..]].concat());
        assert!(text.contains("2 errors, 0 warnings"), "{text}");
        assert!(text.ends_with("-- exit 1\n"), "{text}");
    }
    let text = lint(&[&allowed[..], &["--no-hotspots"]].concat());
    assert!(text.contains("error[B900]"), "{text}");
    assert!(text.ends_with("-- exit 1\n"), "{text}");
}

#[test]
fn a_wrong_command_line_is_not_a_finding() {
    let cases: [(&str, &[&str]); 5] = [
        ("no_board", &[]),
        ("no_such_board", &["fine.board", "none.board"]),
        ("no_text", &["odd.board"]),
        ("no_such_rule", &["fine.board", "--deny", "B3O4"]),
        (
            "unreadable_is_never_allowed",
            &["fine.board", "--allow", "P002"],
        ),
    ];
    for (name, words) in cases {
        let text = lint(words);
        assert!(text.ends_with("-- exit 2\n"), "{text}");
        assert_snapshot!(name, text);
    }
}

#[test]
fn other_programs_get_data() {
    let data = |words: &[&str]| -> Value {
        let text = lint(words);
        let (data, rest) = text.split_once("-- stderr\n").unwrap();
        assert_eq!(rest, "error: 1 error\n-- exit 1\n");
        serde_json::from_str(data).unwrap()
    };
    let json = data(&["fine.board", "draft.board", "--format", "json"]);
    assert_eq!(json, data(&["fine.board", "draft.board", "--json"]));
    assert_eq!(json["files"][1]["path"], "draft.board");
    assert_eq!(json["files"][1]["remarks"], 1);
    let codes = json["files"][1]["problems"].as_array().unwrap().iter();
    let codes: Vec<&str> = codes.map(|p| p["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["B318", "B204", "B201", "B900"]);
    let sarif = data(&["draft.board", "--format", "sarif"]);
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 4);
}

#[test]
fn a_board_may_come_from_elsewhere() {
    let mut command = fait(&["board", "lint", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = spawned(&mut command);
    child
        .stdin
        .take()
        .unwrap()
        .write_all(FINE.as_bytes())
        .unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success());
    assert!(String::from_utf8_lossy(&out.stdout).starts_with("2 notes"));
}

#[test]
fn rules_are_explained_and_listed() {
    assert_snapshot!("explained", lint(&["--explain", "b304"]));
    assert_snapshot!("listed", lint(&["--rules"]));
}
