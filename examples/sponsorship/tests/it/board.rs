//! The board is sound, the program does what its examples say, and both say the same.

use fait::App;
use fait::board::check::strict;
use fait::bus::InProcess;
use fait_board::{LintOptions, Problem, Severity, lint, parse};
use sponsorship::{BOARD, TOKEN, door_at};

fn wired() -> fait::app::AppBuilder {
    let tickets = door_at("http://127.0.0.1:7080", TOKEN).unwrap();
    sponsorship::wired(App::in_memory(), tickets, InProcess::new())
}

#[test]
fn the_board_has_no_problems() {
    let parsed = parse(BOARD);
    let options = LintOptions {
        deny_warnings: true,
        ..LintOptions::default()
    };
    let problems = lint(&parsed, &options);
    let errors = problems.iter().filter(|p| p.severity == Severity::Error);
    assert_eq!(errors.collect::<Vec<_>>(), Vec::<&Problem>::new());
}

#[test]
fn the_board_and_the_program_say_the_same() {
    if let Err(drift) = strict(&wired(), BOARD) {
        panic!("{drift}");
    }
}

#[test]
fn the_examples_of_the_board_hold() {
    let report = fait::board::examples(BOARD, wired);
    report.assert();
    assert_eq!(report.passed(), report.examples.len(), "{report}");
}

/// The system as data is a file in the repository, so that a change of it is seen in review.
#[test]
fn the_manifest_is_the_committed_file() {
    let mut manifest = serde_json::to_string_pretty(&wired().manifest()).unwrap();
    manifest.push('\n');
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/manifest.json");
    if std::env::var_os("UPDATE_MANIFEST").is_some() {
        std::fs::write(file, &manifest).unwrap();
    }
    let committed = std::fs::read_to_string(file).unwrap();
    assert_eq!(
        manifest, committed,
        "run the tests with UPDATE_MANIFEST=1 and look at the change"
    );
}

#[test]
fn every_event_that_was_ever_written_can_be_read() {
    fait::test::fixtures("tests/events").keep(&wired());
}
