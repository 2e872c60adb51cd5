//! The two boards everyone knows: one without a mistake, one full of them.

use fait_board::note::{Kind, Level};
use fait_board::notes::{Process, Trigger};
use fait_board::{LintOptions, Look, Parsed, Problem, lint, parse, report};

/// A copy of the restaurant, so that a change of the example changes no golden file here.
pub(crate) const RESTAURANT: &str = include_str!("boards/restaurant.board");
/// The restaurant as its program uses it.
pub(crate) const EXAMPLE: &str = include_str!("../../../../examples/restaurant/restaurant.board");
/// A board with mistakes of every sort.
pub(crate) const BROKEN: &str = include_str!("boards/broken.board");

#[test]
fn the_restaurant_is_read_without_a_problem() {
    let parsed = parse(RESTAURANT);
    assert_eq!(
        report(
            RESTAURANT,
            "restaurant.board",
            &parsed.problems,
            Look::Plain
        ),
        ""
    );
    let board = &parsed.board;
    assert_eq!((board.name(), board.level), ("Restaurant", Level::Design));
    assert_eq!(
        (board.words.len(), board.actors.len(), board.systems.len()),
        (16, 6, 1)
    );
    assert_eq!(
        (board.tasks.len(), board.events.len(), board.models.len()),
        (14, 17, 5)
    );
    assert_eq!((board.policies.len(), board.processes.len()), (2, 4));
    assert_eq!((board.examples.len(), board.ideas.len()), (7, 1));
    assert_eq!(board.open_questions().len(), 3);
    let spans_fit = board.notes().iter().all(|(kind, note)| {
        RESTAURANT
            .get(note.span.bytes())
            .is_some_and(|line| line.starts_with(kind.keyword()))
    });
    assert!(spans_fit);
}

#[test]
fn the_example_is_read_without_a_problem() {
    let problems = parse(EXAMPLE).problems;
    assert_eq!(
        report(EXAMPLE, "restaurant.board", &problems, Look::Plain),
        ""
    );
}

/// The boards of other domains, by the names of their files.
pub(crate) fn examples() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/boards");
    let mut all: Vec<(String, String)> = std::fs::read_dir(folder)
        .expect("the folder of the example boards")
        .map(|entry| entry.expect("an example board").path())
        .map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let text = std::fs::read_to_string(&path).expect("the text of an example board");
            (name.into_owned(), text)
        })
        .collect();
    all.sort();
    all
}

#[test]
fn the_boards_of_other_domains_keep_every_rule() {
    let boards = examples();
    let names: Vec<&str> = boards.iter().map(|(name, _)| name.as_str()).collect();
    let expected = ["hotel", "insurance", "library", "parcels", "tickets"];
    assert_eq!(names, expected.map(|name| format!("{name}.board")));
    for (name, text) in &boards {
        let board = &keeps_every_rule(name, text).board;
        assert_eq!(board.level, Level::Design, "{name}");
        assert!(!board.open_questions().is_empty(), "{name}");
        assert!(
            board.notes().iter().any(|(_, note)| note.planned.is_some()),
            "{name}"
        );
    }
}

#[test]
fn the_boards_of_two_systems_keep_every_rule() {
    let tickets = include_str!("../../../../examples/tickets/tickets.board");
    keeps_every_rule("tickets.board", tickets);
    let sponsorship = include_str!("../../../../examples/sponsorship/sponsorship.board");
    keeps_every_rule("sponsorship.board", sponsorship);
}

/// An open question breaks no rule.
fn keeps_every_rule(name: &str, text: &str) -> Parsed {
    let parsed = parse(text);
    let problems = lint(&parsed, &LintOptions::default());
    let broken = problems.into_iter().filter(|p| p.code != "B900");
    let broken: Vec<Problem> = broken.collect();
    assert_eq!(report(text, name, &broken, Look::Plain), "");
    parsed
}

#[test]
fn every_name_on_the_restaurant_board_stands_for_something() {
    let board = parse(RESTAURANT).board;
    let heard = board
        .processes
        .iter()
        .flat_map(|process| &process.reactions)
        .chain(board.policies.iter().flat_map(|policy| &policy.reactions))
        .flat_map(|reaction| reaction.trigger.events());
    let shown = board
        .views
        .iter()
        .flat_map(|view| view.from.iter().chain(&view.shows));
    let tasks = board
        .tasks
        .iter()
        .flat_map(|task| task.sees.iter().chain(&task.asks));
    for mention in heard.chain(shown).chain(tasks) {
        assert!(mention.target.is_some(), "{}", mention.text());
    }
    let waits = |process: &Process| {
        process
            .reactions
            .iter()
            .filter(|r| matches!(r.trigger, Trigger::Tries(..)))
            .count()
    };
    assert_eq!(board.processes.iter().map(waits).sum::<usize>(), 3);
    assert!(board.notes().iter().any(|(kind, note)| {
        *kind == Kind::Task && note.name.text == "Redeem meal ticket" && note.planned.is_some()
    }));
}

#[test]
fn the_broken_board_is_reported_with_codes_and_places() {
    let parsed = parse(BROKEN);
    let places: Vec<_> = parsed
        .problems
        .iter()
        .map(|p| (p.code, p.span.line, p.span.column))
        .collect();
    assert_eq!(places, [("P002", 64, 1), ("B101", 35, 8)]);
    insta::assert_snapshot!(report(
        BROKEN,
        "broken.board",
        &parsed.problems,
        Look::Plain
    ));
}
