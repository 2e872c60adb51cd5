//! The examples of a board against a program: what holds, and what is said when it does not.

mod shop;

use fait::App;
use fait::app::AppBuilder;
use fait::board::{Examples, Verdict, examples, examples_in};

const HOLDS: &str = include_str!("examples/holds.board");
const FAILS: &str = include_str!("examples/fails.board");

fn bicycles() -> AppBuilder {
    shop::wired(App::in_memory())
}

#[test]
fn what_the_board_says_holds() {
    let report = examples(HOLDS, bicycles);
    report.assert();
    assert_eq!(report.skipped(), 1, "{report}");
    let planned = report.of("It is planned").unwrap();
    assert!(matches!(planned.verdict, Verdict::Skipped { .. }));
}

#[test]
fn what_does_not_hold_is_said_as_the_board_says_it() {
    insta::assert_snapshot!(examples(FAILS, bicycles).named("fails.board"));
}

/// A failing example that passes for another reason than its own would not be seen above.
#[test]
fn each_kind_of_failure_fails() {
    let report = examples(FAILS, bicycles);
    assert_eq!((report.passed(), report.skipped()), (0, 0), "{report}");
}

#[test]
fn it_is_told_as_data() {
    let report = examples(FAILS, bicycles).only("a WORD has");
    let json = serde_json::to_string_pretty(&report).unwrap();
    insta::assert_snapshot!(json);
    for report in [report, examples(HOLDS, bicycles)] {
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Examples>(&json).unwrap(), report);
    }
}

#[test]
fn a_board_that_cannot_be_read_is_not_run() {
    let board = HOLDS.replace("  when Mend bicycle with", "  wen Mend bicycle with");
    insta::assert_snapshot!(examples(&board, bicycles));
}

#[test]
fn a_system_that_cannot_be_built_is_said() {
    let report = examples(HOLDS, || bicycles().task::<shop::MendBicycle>());
    insta::assert_snapshot!(report);
    assert!(!report.ok());
}

#[test]
#[should_panic(expected = "there is no example on the board `Board`")]
fn a_board_without_examples_proves_nothing() {
    examples("event Bicycle taken\n", bicycles).assert();
}

#[test]
#[should_panic(expected = "`mended by` is Harry, not Tom")]
fn the_one_line_of_a_test_fails_with_what_is_wrong() {
    let board = FAILS.split("example Several").next().unwrap();
    examples(board, bicycles).assert();
}

#[test]
fn it_runs_in_memory_wherever_the_system_would_be_kept() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("data");
    examples(HOLDS, || shop::wired(App::in_folder(&place))).assert();
    assert!(!place.exists());
}

#[tokio::test]
async fn it_can_be_called_inside_a_runtime_and_reads_a_file() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/examples/holds.board");
    examples_in(file, bicycles).unwrap().assert();
    let missing = examples_in("no-such.board", bicycles).unwrap_err();
    assert!(
        missing.starts_with("no-such.board cannot be read"),
        "{missing}"
    );
}

/// A system that is made from the board alone: what comes of a task is chosen as the example says.
#[test]
fn a_board_that_is_played_does_what_its_own_examples_say() {
    let board = include_str!("../../../../examples/restaurant/restaurant.board");
    let played = fait::board::play::read(board).unwrap();
    let report = examples(board, || played.onto(App::in_memory()));
    report.assert();
    assert_eq!(report.skipped(), 0, "{report}");
    let other = board.replace(
        "then Order cooked twice with order 7, cooked by Harry",
        "then Order cooked with order 7, cooked by Harry",
    );
    assert_ne!(other, board);
    examples(&other, || played.onto(App::in_memory())).assert();
}

/// Their examples and the rest of them can both be true.
#[test]
fn the_boards_of_the_examples_do_what_they_say() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/boards");
    let mut wrong = vec![];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let board = std::fs::read_to_string(&path).unwrap();
        let played = fait::board::play::read(&board).unwrap();
        let report = examples(&board, || played.onto(App::in_memory()));
        assert!(report.passed() > 5, "{report}");
        let failed = report.examples.iter();
        let failed = failed.filter(|e| matches!(e.verdict, fait::board::Verdict::Failed(_)));
        wrong.extend(failed.map(|e| e.name.clone()));
    }
    assert_eq!(wrong, Vec::<String>::new());
}
