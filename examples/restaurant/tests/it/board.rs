//! The restaurant does what the examples on its board say.

use fait::App;
use fait::board::{Examples, Verdict};
use restaurant::BOARD;
use restaurant::card::Terminal;
use std::process::Command;

fn wired() -> fait::app::AppBuilder {
    restaurant::wired(App::in_memory(), Terminal::new(false))
}

#[test]
fn the_examples_of_the_board_hold() {
    fait::board::examples(BOARD, wired).assert();
}

#[test]
fn only_what_is_planned_or_runs_elsewhere_is_skipped() {
    let report = fait::board::examples(BOARD, wired);
    let skipped: Vec<String> = report
        .examples
        .iter()
        .filter_map(|e| match &e.verdict {
            Verdict::Skipped { why, .. } => Some(format!("{}: {why}", e.name)),
            Verdict::Passed | Verdict::Failed(_) => None,
        })
        .collect();
    assert_eq!(
        skipped,
        [
            "A ticket is used once: `Meal tickets issued` is planned, and not in the program yet",
            "The other system is silent: `Sponsor onboarded` is of `Sponsorship`, which runs elsewhere",
        ]
    );
    assert_eq!(report.passed(), report.examples.len() - 2);
}

#[test]
fn the_program_answers_for_itself() {
    let board = concat!(env!("CARGO_MANIFEST_DIR"), "/restaurant.board");
    let run = |board: &str| {
        let program = Command::new(env!("CARGO_BIN_EXE_restaurant"))
            .args(["--board-test", board, "--json"])
            .output()
            .unwrap();
        (program.status.code(), program.stdout)
    };
    let (code, told) = run(board);
    assert_eq!(code, Some(0));
    let report: Examples = serde_json::from_slice(&told).unwrap();
    assert_eq!(report, fait::board::examples(BOARD, wired).named(board));
    let folder = tempfile::tempdir().unwrap();
    let spoilt = folder.path().join("spoilt.board");
    std::fs::write(
        &spoilt,
        BOARD.replace("  then Cooking timed out", "  then Order spiked"),
    )
    .unwrap();
    let (code, told) = run(spoilt.to_str().unwrap());
    assert_eq!(code, Some(1));
    let report: Examples = serde_json::from_slice(&told).unwrap();
    assert_eq!(report.failed(), 1, "{report}");
    assert_eq!(run("no-such.board").0, Some(3));
}
