//! The restaurant does what the examples on its board say.

use fait::App;
use fait::board::Verdict;
use restaurant::BOARD;
use restaurant::card::Terminal;

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
            "A ticket is used once: `Meal ticket redeemed` is planned, and not in the program yet",
            "The other system is silent: `Sponsor onboarded` is of `Sponsorship`, which runs elsewhere",
        ]
    );
    assert_eq!(report.passed(), report.examples.len() - 2);
}
