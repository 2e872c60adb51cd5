//! The board is sound, the program does what its examples say, and both say the same.

use fait::App;
use tickets::BOARD;

fn wired() -> fait::app::AppBuilder {
    tickets::wired(App::in_memory())
}

#[test]
fn the_board_and_the_program_say_the_same() {
    let ran = fait::board::holds(BOARD, wired);
    assert_eq!(ran.skipped(), 0, "{ran}");
}

/// The system as data is a file in the repository, so that a change of it is seen in review.
#[test]
fn the_manifest_is_the_committed_file() {
    fait::test::manifest(&wired(), "manifest.json");
}

/// What others read is a promise; what changes it is refused here, with those whom it would break.
#[test]
fn what_was_promised_to_others_is_kept() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/contract");
    if std::env::var_os("UPDATE_MANIFEST").is_some() {
        let today = fait::Clock::machine().now();
        fait::contract::write(&wired().manifest(), folder, today).unwrap();
    }
    fait::contract::is_written(&wired().manifest(), folder);
}

#[test]
fn every_event_that_was_ever_written_can_be_read() {
    fait::test::fixtures("tests/events").keep(&wired());
}
