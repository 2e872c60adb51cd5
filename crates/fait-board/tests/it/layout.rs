//! The canonical layout: what it changes, and that it says the same.

use fait_board::{format, parse};

use crate::boards::{RESTAURANT, examples};

/// What is written, and what becomes of it.
const TABLE: &[(&str, &str)] = &[
    ("", ""),
    ("\n\n \n", ""),
    ("event A", "event A\n"),
    ("\u{feff}event A\r\n  pivotal\r\n", "event A\n  pivotal\n"),
    // The second one is a letter that does not show, which is for whoever wrote it to take out.
    ("\u{feff}\u{feff}event A\n", "\u{feff}\u{feff}event A\n"),
    (" \u{feff}event A\n", " \u{feff}event A\n"),
    ("\n\u{feff}event A\n", "\u{feff}\u{feff}event A\n"),
    ("event   Order  placed  \n", "event Order placed\n"),
    ("event A # why\n", "event A  # why\n"),
    (
        "#one\n   # two\n      #  three\n",
        "#one\n  # two\n    #  three\n",
    ),
    ("event A\n\n\n\nevent B\n\n", "event A\n\nevent B\n"),
    ("event A\nevent B\n", "event A\nevent B\n"),
    (
        "event A\n  pivotal\nevent B\nevent C\n  public\n",
        "event A\n  pivotal\n\nevent B\n\nevent C\n  public\n",
    ),
    (
        "event A\n  pivotal\n# of B\n# and more\nevent B\n",
        "event A\n  pivotal\n\n# of B\n# and more\nevent B\n",
    ),
    (
        "event A\n  pivotal\n  # of A\nevent B\n",
        "event A\n  pivotal\n  # of A\n\nevent B\n",
    ),
    (
        "event A\n  pivotal\n# ----\n\nevent B\n",
        "event A\n  pivotal\n# ----\n\nevent B\n",
    ),
    (
        "actor A\n  about x\nactor B\n",
        "actor A\n  about x\nactor B\n",
    ),
    (
        "word a is text\nword long name is  an id\n  about x\nword b is text\n\nword c is text\n",
        "word a         is text\nword long name is an id\n  about x\nword b         is text\n\n\
         word c is text\n",
    ),
    (
        "word a is text\nword a name that is far too long to wait for it is an id\n",
        "word a is text\nword a name that is far too long to wait for it is an id\n",
    ),
    (
        "word d is is text\nword efgh is text\n",
        "word d is is text\nword efgh is text\n",
    ),
    (
        "word a\nword bc is\nword d is mony\n",
        "word a\nword bc is\nword d is mony\n",
    ),
    // Indented wrongly, and understood all the same.
    ("event A\n\tpivotal\n", "event A\n  pivotal\n"),
    (
        "event A\n   pivotal\n public\n",
        "event A\n  pivotal\n  public\n",
    ),
    ("\u{a0}event\u{a0}A\n", "event A\n"),
    (
        "policy P\n\twhenever A\n\t\tdo  B\n",
        "policy P\n  whenever A\n    do B\n",
    ),
    ("word\ta\t\tis\ttext\n", "word a is text\n"),
    // Not understood, and kept.
    (
        "exampel  E\n   given   X\n\n\nevent A\n",
        "exampel  E\n   given   X\n\nevent A\n",
    ),
    (
        "event A\n  rcords  x   \n    y  z\n",
        "event A\n  rcords  x\n    y  z\n",
    ),
    ("exampel\tE\n", "exampel\tE\n"),
    ("event A\u{1}  B  \n", "event A\u{1}  B  \n"),
    ("event A\r\r\n", "event A\r\r\n"),
    ("event A\r\r", "event A\r\r\n"),
    ("event A  # \u{202e}x  \n", "event A  # \u{202e}x  \n"),
];

#[test]
fn every_line_finds_its_place() {
    for (before, after) in TABLE {
        assert_eq!(format(before), *after, "of:\n{before:?}");
        assert_eq!(format(after), *after, "again, of:\n{before:?}");
    }
}

#[test]
fn the_layout_says_the_same() {
    for (before, after) in TABLE {
        if !before.contains('\t') {
            assert_eq!(meaning(before), meaning(after), "of:\n{before:?}");
        }
    }
}

#[test]
fn the_boards_of_the_project_are_laid_out() {
    let restaurant = ("restaurant.board".to_owned(), RESTAURANT.to_owned());
    for (name, text) in examples().into_iter().chain([restaurant]) {
        assert_eq!(format(&text), text, "{name}");
    }
}

/// Formatting once is enough, and whatever could be read is read as before.
#[track_caller]
pub(crate) fn lasts(text: &str) {
    let once = format(text);
    assert_eq!(format(&once), once);
    let spaced = text.replace('\t', " ");
    assert_eq!(meaning(&spaced), meaning(&format(&spaced)));
}

/// What a text says and what is wrong with it, without the places. The repaired indentation is no
/// problem any more, so it is not compared.
fn meaning(text: &str) -> [String; 3] {
    let parsed = parse(text);
    let comments = parsed.comments.iter().map(|c| (&c.text.text, c.alone));
    let problems = parsed.problems.iter().filter(|p| p.code != "P001");
    let problems = problems.map(|p| (p.code, &p.message));
    [
        placeless(&format!("{:?}", parsed.board)),
        format!("{:?}", comments.collect::<Vec<_>>()),
        format!("{:?}", problems.collect::<Vec<_>>()),
    ]
}

/// A debug text without its spans and numbers of lines.
fn placeless(text: &str) -> String {
    let mut out = String::new();
    for (at, piece) in text.split("Span {").enumerate() {
        let rest = if at == 0 {
            piece
        } else {
            piece.split_once('}').map_or("", |(_, rest)| rest)
        };
        for (at, piece) in rest.split("last_line: ").enumerate() {
            let number = if at == 0 { "" } else { "0123456789" };
            out.push_str(piece.trim_start_matches(|c| number.contains(c)));
        }
    }
    out
}
