//! Calls that would make pure code depend on the machine that it runs on.

use super::Tree;
use crate::finding::Finding;
use crate::source::{Source, says};

/// The crates whose code depends on its arguments only.
const PURE: &[&str] = &[
    "crates/fait-core/",
    "crates/fait-board/",
    "crates/fait-macros/",
];

/// The crate that runs, waits and writes, but takes time and ids from its clock.
const RUNTIME: &str = "crates/fait/";

/// The crates that take the time from that clock.
const TIMED: &[&str] = &[RUNTIME, "crates/fait-web/"];

/// The one module that asks the machine for the time and for new ids.
const CLOCK: &str = "crates/fait/src/clock.rs";

/// The machine's time of day.
const TIME: &[&str] = &[
    "SystemTime::now",
    "Utc::now",
    "Local::now",
    "OffsetDateTime::now_utc",
    "Timestamp::now",
    "Zoned::now",
];

/// Ids made of it, or of chance.
const IDS: &[&str] = &["Uuid::new_v4", "Uuid::now_v6", "Uuid::now_v7"];

/// What pure code must not do beyond that.
const EFFECTS: &[&str] = &[
    "Instant::now",
    "std::fs",
    "std::net",
    "std::env::var",
    "std::process",
    "thread::spawn",
    "rand::",
    "getrandom::",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for source in &tree.sources {
        found.extend(check_source(source));
    }
    found
}

fn check_source(source: &Source) -> Vec<Finding> {
    let under = |crates: &[&str]| crates.iter().any(|c| source.path.starts_with(c));
    let pure = under(PURE);
    let clock = source.path == CLOCK;
    let timed = pure || under(TIMED) && !clock;
    let named = pure || under(&[RUNTIME]) && !clock;
    let rules: &[(bool, &[&str], &str)] = &[
        (
            timed,
            TIME,
            "take the time as an argument; only the clock asks the machine for it",
        ),
        (
            named,
            IDS,
            "take the id as an argument; only the clock makes new ones",
        ),
        (
            pure,
            EFFECTS,
            "this crate is pure: let the caller do it and pass the result in",
        ),
        (
            true,
            &["thread::sleep"],
            "wait for what is to happen, with a limit",
        ),
    ];
    let mut found = Vec::new();
    let mut judge = |text: &str, line: usize| {
        for (_, calls, remedy) in rules.iter().filter(|(here, _, _)| *here) {
            for call in calls.iter().filter(|call| says(text, call)) {
                let wrong = format!("`{call}` is used");
                found.push(Finding::new(&source.path, line, wrong, *remedy));
            }
        }
    };
    for (line, code) in source.code() {
        judge(code, line);
    }
    for brought in source.uses().iter().filter(|u| !source.is_test(u.line)) {
        judge(&brought.path, brought.line);
    }
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::{EFFECTS, IDS, TIME, check};
    use crate::tidy::findings;

    fn found(path: &str, text: &str) -> Vec<String> {
        findings(check, &[(path, text)])
    }

    #[test]
    fn every_call_is_refused_in_pure_code() {
        for call in [TIME, IDS, EFFECTS].concat() {
            let text = format!("fn f() {{\n    {call}(1);\n}}\n").replace("::(", "::x(");
            for path in ["crates/fait-core/src/a.rs", "crates/fait-board/src/b/c.rs"] {
                let said = found(path, &text);
                assert_eq!(said.len(), 1, "{call}");
                assert!(said[0].starts_with(&format!("{path}:2: `{call}` is used")));
            }
        }
    }

    #[test]
    fn a_module_brought_in_is_seen() {
        let text = "use std::{collections::BTreeMap, fs};\nuse std::thread::sleep;\n";
        assert_eq!(found("crates/fait-macros/src/a.rs", text).len(), 2);
    }

    #[test]
    fn the_clock_may_ask_and_others_take_it_from_there() {
        let text = "fn f() {\n    SystemTime::now();\n}\n";
        assert_eq!(found("crates/fait/src/clock.rs", text).len(), 0);
        assert_eq!(found("crates/fait/src/runtime/mod.rs", text).len(), 1);
        assert_eq!(found("crates/fait-web/src/page.rs", text).len(), 1);
        assert_eq!(found("crates/fait-cli/src/main.rs", text).len(), 0);
    }

    #[test]
    fn pages_make_tokens_and_the_runtime_makes_no_ids() {
        let text = "fn f() {\n    Uuid::new_v4();\n}\n";
        assert_eq!(found("crates/fait-web/src/login.rs", text).len(), 0);
        assert_eq!(found("crates/fait/src/runtime/mod.rs", text).len(), 1);
    }

    #[test]
    fn files_and_durations_are_free_where_code_runs() {
        let text = "use std::fs::File;\nfn f() {\n    Instant::now();\n}\n";
        assert_eq!(found("crates/fait-store/src/a.rs", text).len(), 0);
    }

    #[test]
    fn nothing_sleeps_but_tests() {
        let text = "fn f() {\n    std::thread::sleep(x);\n}\n";
        assert_eq!(found("crates/fait-cli/src/main.rs", text).len(), 1);
        assert_eq!(found("crates/fait-cli/tests/it/main.rs", text).len(), 0);
    }
}
