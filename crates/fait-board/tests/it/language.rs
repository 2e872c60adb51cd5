//! The reference of the board language as it stands: its first board is complete for its level, and
//! the pieces that follow are one board together, which keeps every rule and has every kind of
//! note and every clause.

use fait_board::note::{Kind, Level};
use fait_board::{LintOptions, Look, Problem, format, lint, name, parse, report};

use crate::boards::examples;

const PAGE: &str = include_str!("../../../../docs/board.md");

/// The blocks of code that are introduced by `info`.
fn blocks(info: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut lines = PAGE.lines();
    while let Some(line) = lines.next() {
        let Some(found) = line.strip_prefix("```") else {
            continue;
        };
        let block = lines.by_ref().take_while(|line| *line != "```");
        let block: String = block.map(|line| format!("{line}\n")).collect();
        if found == info {
            all.push(block);
        }
    }
    all
}

#[track_caller]
fn keeps_every_rule(board: &str, level: Level) {
    let parsed = parse(board);
    let problems = lint(&parsed, &LintOptions::default()).into_iter();
    let broken: Vec<Problem> = problems.filter(|p| p.code != "B900").collect();
    assert_eq!(report(board, "board.md", &broken, Look::Plain), "");
    assert_eq!(parsed.board.level, level);
    assert_eq!(format(board), board);
}

#[test]
fn the_first_board_is_complete() {
    let boards = blocks("board");
    let [board] = boards.as_slice() else {
        panic!("there is one whole board");
    };
    keeps_every_rule(board, Level::Process);
    assert_eq!(
        parse(board).board.notes().len() + 1,
        10,
        "it is called ten notes long"
    );
}

#[test]
fn the_pieces_are_one_board_with_everything_in_it() {
    let board = blocks("board,part").join("\n");
    keeps_every_rule(&board, Level::Design);
    for kind in Kind::ALL {
        let line = format!("{} ", kind.keyword());
        assert!(board.lines().any(|l| l.starts_with(&line)), "{line}");
        let heading = |l: &str| l.starts_with("### ") && l.contains(kind.keyword());
        assert!(PAGE.lines().any(heading), "{line}");
    }
    for clause in [
        "about",
        "level",
        "hotspot",
        "takes",
        "sends",
        "runs elsewhere",
        "from",
        "shows",
        "for",
        "one row per",
        "by",
        "sees",
        "asks",
        "works out",
        "on",
        "raises",
        "or raises",
        "refused when",
        "undone by",
        "public",
        "records",
        "pivotal",
        "was",
        "one per",
        "remembers",
        "rule",
        "whenever",
        "starts on",
        "after",
        "ends on",
        "given",
        "and",
        "when",
        "then",
    ] {
        let said = |l: &str| l.strip_prefix("  ").is_some_and(|l| l.starts_with(clause));
        assert!(board.lines().any(said), "{clause}");
    }
    for clause in ["also known by", "gives up on", "planned", "one row per"] {
        assert!(PAGE.contains(&format!("`{clause}")), "{clause}");
    }
}

#[test]
fn the_names_in_rust_are_as_the_page_says() {
    let mut rows = 0;
    for line in PAGE.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let ["", note, rust, address, ""] = cells.as_slice() else {
            continue;
        };
        let plain = |cell: &str| cell.trim_matches('`').to_owned();
        let note = plain(note);
        let Some((keyword, called)) = note.split_once(' ') else {
            continue;
        };
        if !Kind::ALL.iter().any(|kind| kind.keyword() == keyword) {
            continue;
        }
        let expected = match rust.strip_prefix("field ") {
            Some(field) => (name::field_name(called), plain(field)),
            None => (name::rust_name(called), plain(rust)),
        };
        assert_eq!(expected.0, expected.1);
        assert_eq!(name::kebab_name(called), plain(address));
        rows += 1;
    }
    assert_eq!(rows, 4);
}

#[test]
fn the_other_boards_are_named() {
    for (name, _) in examples() {
        assert!(
            PAGE.contains(&format!("(../examples/boards/{name})")),
            "{name}"
        );
    }
}
