//! The board is sound, the program does what its examples say, and both say the same.

use fait::App;
use fait::bus::InProcess;
use sponsorship::{BOARD, TOKEN, door_at};

fn wired() -> fait::app::AppBuilder {
    let tickets = door_at("http://127.0.0.1:7080", TOKEN).unwrap();
    sponsorship::wired(App::in_memory(), tickets, InProcess::new())
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

#[test]
fn every_event_that_was_ever_written_can_be_read() {
    fait::test::fixtures("tests/events").keep(&wired());
}
