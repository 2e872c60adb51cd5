//! The program does what the examples on its board say, and both say the same.

use courses::BOARD;
use fait::App;
use fait::app::AppBuilder;
use fait::board::check::strict;
use fait_board::{LintOptions, Severity, lint, parse};

fn wired() -> AppBuilder {
    courses::wired(App::in_memory())
}

#[test]
fn the_board_breaks_no_rule() {
    let problems = lint(&parse(BOARD), &LintOptions::default());
    let weighty: Vec<_> = problems
        .iter()
        .filter(|p| p.severity != Severity::Remark)
        .collect();
    assert!(weighty.is_empty(), "{weighty:#?}");
}

#[test]
fn the_board_and_the_program_say_the_same() {
    if let Err(drift) = strict(&wired(), BOARD) {
        panic!("{drift}");
    }
}

#[test]
fn the_examples_of_the_board_hold() {
    let ran = fait::board::examples(BOARD, wired);
    ran.assert();
    assert_eq!(ran.skipped(), 0, "{ran}");
}
