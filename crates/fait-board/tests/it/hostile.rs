//! Whatever is written: the board is read, every place lies inside the text, nothing panics.

use fait_board::note::Level;
use fait_board::{
    DrawOptions, LintOptions, Linted, Look, Parsed, Rule, draw, json, lint, outline, parse, report,
    sarif, summary,
};
use proptest::prelude::*;

use crate::boards::{BROKEN, RESTAURANT};
use crate::geometry::sound;
use crate::layout::lasts;
use crate::picture::well_formed;

/// One way to spoil a text.
#[derive(Clone, Debug)]
enum Spoil {
    Cut(usize, usize),
    Put(usize, String),
    Swap(usize, usize),
    Repeat(usize),
}

fn spoil() -> impl Strategy<Value = Spoil> {
    let pieces = prop_oneof![
        Just("\t".to_owned()),
        Just("\r\n".to_owned()),
        Just("\n    ".to_owned()),
        Just(", ".to_owned()),
        Just(" with ".to_owned()),
        Just(" when ".to_owned()),
        Just(" #".to_owned()),
        Just(" is ".to_owned()),
        "\\PC{0,8}",
    ];
    prop_oneof![
        (any::<usize>(), 0..80_usize).prop_map(|(at, len)| Spoil::Cut(at, len)),
        (any::<usize>(), pieces).prop_map(|(at, piece)| Spoil::Put(at, piece)),
        (any::<usize>(), any::<usize>()).prop_map(|(one, other)| Spoil::Swap(one, other)),
        any::<usize>().prop_map(Spoil::Repeat),
    ]
}

fn spoiled(text: &str, spoils: &[Spoil]) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for spoil in spoils {
        let size = letters.len().max(1);
        match spoil {
            Spoil::Cut(at, len) => {
                let start = (at % size).min(letters.len());
                let end = (start + len).min(letters.len());
                letters.drain(start..end);
            }
            Spoil::Put(at, piece) => {
                let at = (at % size).min(letters.len());
                letters.splice(at..at, piece.chars());
            }
            Spoil::Swap(one, other) if !letters.is_empty() => {
                letters.swap(one % size, other % size);
            }
            Spoil::Repeat(at) => {
                let start = (at % size).min(letters.len());
                let piece: Vec<char> = letters.iter().skip(start).take(200).copied().collect();
                letters.splice(start..start, piece);
            }
            Spoil::Swap(..) => {}
        }
    }
    letters.into_iter().collect()
}

fn holds(text: &str) {
    let parsed = parse(text);
    for problem in &parsed.problems {
        assert!(text.get(problem.span.bytes()).is_some(), "{problem:?}");
    }
    for (kind, note) in parsed.board.notes() {
        let line = text.get(note.span.bytes()).unwrap_or_default();
        assert!(line.starts_with(kind.keyword()), "{line}");
    }
    lasts(text);
    judged(text, &parsed);
    let few = parsed.problems.get(..5).unwrap_or(&parsed.problems);
    let _ = report(text, "any.board", few, Look::Plain);
    well_formed(&draw(&parsed.board, &DrawOptions::default()));
    let _ = outline(&parsed.board);
}

/// Rules of the last level: each problem has a rule, a place in the text, and what cannot be read
/// is never lost.
fn judged(text: &str, parsed: &Parsed) {
    let options = LintOptions {
        level: Some(Level::Design),
        ..LintOptions::default()
    };
    let problems = lint(parsed, &options);
    for problem in &problems {
        assert!(text.get(problem.span.bytes()).is_some(), "{problem:?}");
        assert!(Rule::of(problem.code).is_some(), "{problem:?}");
    }
    for problem in &parsed.problems {
        assert!(problems.contains(problem), "{problem:?}");
    }
    let linted = Linted {
        path: "any.board",
        source: text,
        notes: parsed.board.note_count(),
        problems: &problems,
    };
    let _ = (
        json(&[linted]),
        sarif(&[linted]),
        summary(linted.notes, &problems),
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_spoiled_restaurant_is_read(spoils in prop::collection::vec(spoil(), 1..12)) {
        holds(&spoiled(RESTAURANT, &spoils));
    }

    #[test]
    fn a_spoiled_broken_board_is_read(spoils in prop::collection::vec(spoil(), 1..30)) {
        holds(&spoiled(BROKEN, &spoils));
    }

    #[test]
    fn any_text_is_read(text in "(?s).{0,300}") {
        holds(&text);
    }
}

proptest! {
    // Fewer, because each picture is measured from end to end.
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: 40,
        ..Default::default()
    })]

    #[test]
    fn the_picture_of_a_spoiled_board_is_sound(
        spoils in prop::collection::vec(spoil(), 1..20),
        of in prop::sample::select(vec![RESTAURANT, BROKEN]),
    ) {
        sound(&spoiled(of, &spoils));
    }
}
