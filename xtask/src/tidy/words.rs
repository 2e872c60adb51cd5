//! What must not be written: unfinished code, silenced lints, glob re-exports, worn-out names.

use super::Tree;
use crate::finding::Finding;
use crate::source::{Source, says};

/// What is refused everywhere, tests included, with what to do.
const REFUSED: &[(&str, &str)] = &[
    ("todo!(", "write it, or leave the whole function out"),
    (
        "unimplemented!(",
        "write it, or leave the whole function out",
    ),
    ("dbg!(", "remove it"),
    ("#[allow(", "fix it, or use `#[expect(…, reason = \"…\")]`"),
    (
        "#![allow(",
        "fix it, or use `#![expect(…, reason = \"…\")]`",
    ),
    ("#[ignore", "make the test pass, or remove it"),
];

/// Names that say nothing, or say it in another vocabulary.
const WORN: &[&str] = &[
    "Handler",
    "Handlers",
    "Consumer",
    "Consumers",
    "Saga",
    "Sagas",
    "Reactor",
    "Reactors",
    "Manager",
    "Managers",
    "Service",
    "Services",
    "Util",
    "Utils",
    "Impl",
    "Impls",
];

const RENAME: &str = "name it by what it is in the words of the project (see ARCHITECTURE.md)";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for source in &tree.sources {
        found.extend(check_refused(source));
        found.extend(check_globs(source));
        found.extend(check_types(source));
        found.extend(check_modules(source));
        found.extend(check_purpose(source));
    }
    found
}

fn check_refused(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    for (i, line) in source.lines.iter().enumerate() {
        for (what, remedy) in REFUSED.iter().filter(|(what, _)| says(line, what)) {
            let wrong = format!(
                "`{}` is not for code that stays",
                what.trim_end_matches('(')
            );
            found.push(Finding::new(&source.path, i + 1, wrong, *remedy));
        }
        if line.contains("cfg_attr(") && says(line, "allow(") {
            let wrong = "a lint is silenced under a condition";
            found.push(Finding::new(
                &source.path,
                i + 1,
                wrong,
                "fix it, or use `expect(…)`",
            ));
        }
    }
    found
}

fn check_globs(source: &Source) -> Vec<Finding> {
    let uses = source.uses().into_iter();
    let globs = uses.filter(|u| u.public && u.path.ends_with("::*") && !source.is_test(u.line));
    let finding = |u: crate::source::Use| {
        let wrong = format!("`{}` is re-exported as a whole", u.path);
        Finding::new(&source.path, u.line, wrong, "name what is re-exported")
    };
    globs.map(finding).collect()
}

fn check_types(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    for (line, code) in source.code() {
        let Some(name) = public_type(code) else {
            continue;
        };
        if let Some(worn) = WORN.iter().find(|worn| name.ends_with(*worn)) {
            let wrong = format!("the type `{name}` ends in `{worn}`");
            found.push(Finding::new(&source.path, line, wrong, RENAME));
        }
    }
    found
}

/// The name of the type that a line makes public.
fn public_type(code: &str) -> Option<&str> {
    let rest = code.trim_start().strip_prefix("pub")?;
    let rest = match rest.strip_prefix('(') {
        Some(scope) => scope.split_once(')')?.1,
        None => rest,
    };
    let mut words = rest
        .split_whitespace()
        .skip_while(|w| matches!(*w, "unsafe" | "auto"));
    if !matches!(
        words.next()?,
        "struct" | "enum" | "union" | "trait" | "type"
    ) {
        return None;
    }
    words
        .next()?
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .next()
}

fn check_modules(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    for (line, name, _) in source.modules() {
        let last = name.rsplit('_').next().unwrap_or(&name);
        if WORN.iter().any(|worn| worn.eq_ignore_ascii_case(last)) {
            let wrong = format!("the module `{name}` has a name that says nothing");
            found.push(Finding::new(&source.path, line, wrong, RENAME));
        }
    }
    found
}

/// Every file of code says in its first line what it is for.
fn check_purpose(source: &Source) -> Option<Finding> {
    let code = source.path.contains("/src/") && !source.tests.iter().all(|test| *test);
    let first = source.raw.first().map_or("", String::as_str);
    if !code
        || first
            .strip_prefix("//!")
            .is_some_and(|text| !text.trim().is_empty())
    {
        return None;
    }
    let remedy = "begin with one line `//! …` that says what it is for";
    Some(Finding::new(
        &source.path,
        1,
        "the file does not say what it is for",
        remedy,
    ))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::findings;

    fn found(code: &str) -> Vec<String> {
        findings(
            check,
            &[("crates/x/src/a.rs", &format!("//! For this.\n{code}\n"))],
        )
    }

    #[test]
    fn unfinished_code_and_silenced_lints_are_refused() {
        let bad = [
            "fn f() { todo!() }",
            "fn f() { unimplemented!(\"later\") }",
            "fn f() { dbg!(1); }",
            "#[allow(dead_code)]",
            "#![allow(dead_code)]",
            "#[ignore]",
            "#[ignore = \"slow\"]",
            "#[cfg_attr(windows, allow(dead_code))]",
            "#[cfg(test)]\nmod tests {\n    #[ignore]\n    fn f() {}\n}",
        ];
        for code in bad {
            assert_eq!(found(code).len(), 1, "{code}");
        }
        assert_eq!(
            found("#[expect(dead_code, reason = \"todo!(\")] // dbg!(").len(),
            0
        );
    }

    #[test]
    fn globs_are_not_re_exported() {
        assert_eq!(found("pub use a::*;").len(), 1);
        assert_eq!(found("pub use a::{b, c::*};").len(), 1);
        assert_eq!(found("use a::*;\npub use a::b;").len(), 0);
    }

    #[test]
    fn worn_out_names_are_refused() {
        let bad = [
            "pub struct OrderHandler;",
            "pub(crate) enum ProcessManager {}",
            "pub trait StoreService: Send {}",
            "pub type StoreImpl<T> = T;",
            "mod util;",
            "pub mod string_utils {}",
            "mod event_handlers;",
        ];
        for code in bad {
            assert_eq!(found(code).len(), 1, "{code}");
        }
        assert_eq!(
            found("pub struct Implement;\nstruct MyHandler;\nmod process;").len(),
            0
        );
    }

    #[test]
    fn a_file_says_what_it_is_for() {
        let said = |path, text| findings(check, &[(path, text)]).len();
        assert_eq!(said("crates/x/src/a.rs", "fn f() {}\n"), 1);
        assert_eq!(said("crates/x/src/a.rs", "//!\n//! Late.\n"), 1);
        assert_eq!(said("crates/x/src/a.rs", "//! For this.\n"), 0);
        assert_eq!(said("crates/x/src/a/tests.rs", "fn f() {}\n"), 0);
    }
}
