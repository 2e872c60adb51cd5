//! What the program says of itself, and of a wrong command line.

use crate::called::{fait, told};
use insta::assert_snapshot;

#[test]
fn the_help_has_examples_and_exit_codes() {
    assert_snapshot!(told(&["--help"]));
}

#[test]
fn every_verb_has_examples() {
    for verb in [
        "events list",
        "events show",
        "events follow",
        "trace",
        "view list",
        "view rows",
        "view row",
        "view status",
        "view rebuild",
        "view pause",
        "view resume",
        "view cancel",
        "view switch",
        "view rollback",
        "view forget",
        "view retry",
        "view parked",
        "view diff",
        "feed list",
        "feed reset",
        "process list",
        "process show",
        "process stuck",
        "process resume",
        "process check",
        "process shadow",
        "process retry",
        "process skip",
        "process skip-command",
        "process amend",
        "process settle",
        "process cancel",
        "process complete",
        "process postpone",
        "process fire",
        "process compensate",
        "board draw",
        "history check",
        "board fmt",
        "store verify",
        "store info",
        "store backup",
        "store restore",
        "store export",
        "store import",
        "board lint",
        "board test",
        "board check",
        "api openapi",
        "token new",
        "play",
    ] {
        let words: Vec<&str> = verb.split(' ').chain(["--help"]).collect();
        let text = told(&words);
        assert!(text.contains("Examples:"), "{text}");
        assert!(text.contains(&format!("  fait {verb}")), "{text}");
        assert!(text.contains("--json"), "{text}");
        assert!(!text.contains("-- "), "{text}");
    }
}

#[test]
fn the_version_is_one_line() {
    let expected = format!("fait {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(told(&["--version"]), expected);
}

#[test]
fn wrong_words_are_refused() {
    let cases: [(&str, &[&str]); 6] = [
        ("no_verb", &["events"]),
        ("odd_tag", &["events", "list", "--tag", "table3"]),
        ("odd_event", &["events", "show", "first"]),
        ("no_limit", &["events", "list", "--limit", "0"]),
        (
            "no_way_on",
            &["process", "resume", "a", "b", "--reason", "x"],
        ),
        ("odd_verb", &["view", "rebild", "x"]),
    ];
    for (name, words) in cases {
        let text = told(words);
        assert!(text.ends_with("-- exit 2\n"), "{text}");
        assert_snapshot!(name, text);
    }
}

#[test]
fn colours_are_for_terminals() {
    let out = fait(&["--help"]).env("NO_COLOR", "1").output().unwrap();
    assert!(!String::from_utf8_lossy(&out.stdout).contains('\u{1b}'));
}
