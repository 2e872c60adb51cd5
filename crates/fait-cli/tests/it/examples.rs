//! `fait board test`, and the guide to it as it stands: its code is in the restaurant, and what the
//! program prints is what is shown. See `guide`.

use crate::called::{no_child_begins, told_in};
use crate::guide::{fits, split, stands_in};
use fait::App;
use fait::board::examples;
use fait::reexport::serde_json::{Value, from_str, to_string};
use restaurant::BOARD;
use restaurant::card::Terminal;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const GUIDE: &str = include_str!("../../../../docs/guide/board-tests.md");

#[test]
fn the_guide_to_examples_works_as_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    place(folder.path(), BOARD);
    let (mut excerpts, mut calls) = (0, 0);
    let mut lines = GUIDE.lines();
    while let Some(line) = lines.next() {
        if line == "<!-- the board says Tom -->" {
            place(folder.path(), &spoilt());
        }
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match info.split_once(",from=") {
            Some((_, file)) => excerpts += stands_in(&block, file),
            None => {
                called(folder.path(), &block);
                calls += 1;
            }
        }
    }
    assert_eq!((excerpts, calls), (4, 2));
}

#[test]
fn the_exit_code_says_whether_they_hold() {
    let folder = tempfile::tempdir().unwrap();
    let test = [
        "board",
        "test",
        "restaurant.board",
        "--program",
        "./restaurant",
    ];
    let with = |more: &[&str]| told_in(folder.path(), &[&test, more].concat());
    place(folder.path(), BOARD);
    let all = with(&[]);
    assert!(all.ends_with("2 skipped\n"), "{all}");
    let none = with(&["--only", "Paying thrice"]);
    assert!(
        none.contains("no example has `Paying thrice` in its name"),
        "{none}"
    );
    assert!(none.ends_with("-- exit 1\n"), "{none}");
    place(folder.path(), &spoilt());
    let one = with(&[]);
    assert!(one.ends_with("1 example fails\n-- exit 1\n"), "{one}");
    let other = with(&["--only", "SLOW"]);
    assert!(
        other.ends_with("1 passed, 0 failed, 0 skipped\n"),
        "{other}"
    );
    place(
        folder.path(),
        &BOARD.replace("  when 30 minutes pass", "  wehn 30 minutes pass"),
    );
    let unread = with(&[]);
    assert!(unread.contains("cannot be read (P003)"), "{unread}");
    assert!(
        unread.ends_with("the examples could not be run\n-- exit 1\n"),
        "{unread}"
    );
}

#[test]
fn it_is_told_as_json() {
    let folder = tempfile::tempdir().unwrap();
    place(folder.path(), BOARD);
    for how in [["--format", "json"].as_slice(), &["--json"]] {
        let test = [
            "board",
            "test",
            "restaurant.board",
            "--program",
            "./restaurant",
        ];
        let json: Value = from_str(&told_in(folder.path(), &[&test, how].concat())).unwrap();
        assert_eq!(json["file"], "restaurant.board");
        assert_eq!(json["examples"][0]["name"], "An order needs a dish");
        assert_eq!(json["examples"][0]["verdict"], "passed");
    }
}

#[test]
fn a_program_that_cannot_answer_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let test = ["board", "test", "restaurant.board", "--program", "./nobody"];
    let missing = told_in(folder.path(), &test);
    assert!(
        missing.contains("there is no file restaurant.board"),
        "{missing}"
    );
    assert!(missing.ends_with("-- exit 2\n"), "{missing}");
    place(folder.path(), BOARD);
    let nobody = told_in(folder.path(), &test);
    assert!(nobody.contains("./nobody cannot be called"), "{nobody}");
    assert!(nobody.ends_with("-- exit 3\n"), "{nobody}");
    let test = [
        "board",
        "test",
        "restaurant.board",
        "--program",
        "/bin/echo",
    ];
    let odd = told_in(folder.path(), &test);
    assert!(
        odd.contains("it has to understand `--board-test FILE --json`"),
        "{odd}"
    );
    assert!(odd.ends_with("-- exit 3\n"), "{odd}");
}

#[test]
fn without_a_program_the_board_itself_is_played() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("restaurant.board"), BOARD).unwrap();
    let test = ["board", "test", "restaurant.board"];
    let played = told_in(folder.path(), &test);
    assert!(played.contains("7 pass"), "{played}");
    // What nothing on the board leads to cannot come of it.
    let wrong = BOARD.replace(
        "then Cooking timed out with order 7\n",
        "then Order paid with order 7\n",
    );
    assert_ne!(wrong, BOARD);
    fs::write(folder.path().join("restaurant.board"), wrong).unwrap();
    let failed = told_in(folder.path(), &test);
    assert!(failed.ends_with("-- exit 1\n"), "{failed}");
    fs::write(folder.path().join("restaurant.board"), "task\n").unwrap();
    let unread = told_in(folder.path(), &test);
    assert!(
        unread.contains("restaurant.board cannot be played"),
        "{unread}"
    );
    assert!(unread.contains("error[P005]"), "{unread}");
}

/// The board says that Tom cooked both plates.
fn spoilt() -> String {
    let (harry, tom) = (
        "twice with order 7, cooked by Harry",
        "twice with order 7, cooked by Tom",
    );
    assert!(BOARD.contains(harry));
    BOARD.replace(harry, tom)
}

/// A board in a folder, and a program beside it that answers with what the restaurant really
/// finds.
fn place(folder: &Path, board: &str) {
    let wired = || restaurant::wired(App::in_memory(), Terminal::new(false));
    let report = examples(board, wired).named("restaurant.board");
    let failed = u8::from(!report.ok());
    let _quiet = no_child_begins();
    fs::write(folder.join("restaurant.board"), board).unwrap();
    fs::write(folder.join("report.json"), to_string(&report).unwrap()).unwrap();
    let file = folder.join("restaurant");
    let text = format!(
        "#!/bin/sh\n[ \"$*\" = \"--board-test restaurant.board --json\" ] || exit 70\n\
         cat report.json\nexit {failed}\n"
    );
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
}

fn called(folder: &Path, block: &[&str]) {
    let (line, shown) = block.split_first().unwrap();
    let words = split(line.strip_prefix("$ fait ").unwrap());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let out = told_in(folder, &words);
    let notes = out.find("-- stderr").unwrap_or(out.len());
    let printed: Vec<&str> = out[..notes].lines().collect();
    assert!(fits(&printed, shown), "`{line}` prints\n{out}");
}
