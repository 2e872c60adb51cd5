//! All that a board says of a program, as a test of one line.

use super::check::strict;
use super::examples::{Examples, examples};
use crate::app::AppBuilder;
use fait_board::{LintOptions, Look, Severity, lint, parse, report};

/// Fails a test when a board breaks a rule of boards, when it and the program differ, or when the
/// program does not do what its examples say. As a test it is one line:
///
/// ```
/// # use fait::app::{App, AppBuilder};
/// # const BOARD: &str = "event Lamp lit\nevent Lamp lit twice\n";
/// # fn wired(place: AppBuilder) -> AppBuilder { place }
/// # fn test() {
/// fait::board::holds(BOARD, || wired(App::in_memory()));
/// # }
/// ```
///
/// Of the rules, errors count and warnings do not, as with `fait board lint`; what is broken on
/// purpose is for [`strict`] and [`examples`], which ask for no rules. The program is held
/// against the board as by [`strict`], and the examples are run as by [`examples`]. What came of
/// them is given back, for a test that says which of them are skipped.
///
/// # Panics
/// Anything of that is not so; the text says what, and where on the board.
#[track_caller]
pub fn holds(board: &str, wired: impl Fn() -> AppBuilder + Sync) -> Examples {
    let mut broken = lint(&parse(board), &LintOptions::default());
    broken.retain(|problem| problem.severity == Severity::Error);
    assert!(
        broken.is_empty(),
        "{}",
        report(board, "board", &broken, Look::Plain)
    );
    if let Err(drift) = strict(&wired(), board) {
        panic!("{drift}");
    }
    let examples = examples(board, wired);
    examples.assert();
    examples
}
