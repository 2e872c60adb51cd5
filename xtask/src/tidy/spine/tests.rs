use super::check;
use crate::tidy::findings;

const LIB: &str = "pub mod event;\npub mod query;\nmod store;\npub use store::{Store, Log};\n";

fn found(path: &str, text: &str) -> Vec<String> {
    findings(check, &[("crates/x/src/lib.rs", LIB), (path, text)])
}

#[test]
fn a_later_module_is_refused_in_each_spelling() {
    let spellings = [
        "use crate::store::Log;\n",
        "use crate::{event::Event, store};\n",
        "fn f() -> crate::store::Log {}\n",
        "use super::store::Log;\n",
        "use crate::Store;\n",
        "fn f(x: &crate::Log) {}\n",
    ];
    for text in spellings {
        let said = found("crates/x/src/query.rs", text);
        assert_eq!(said.len(), 1, "{text}");
        assert!(
            said[0].starts_with("crates/x/src/query.rs:1: `query` uses `store`"),
            "{said:?}"
        );
    }
    let deep = "use super::super::store::Log;\n";
    assert_eq!(found("crates/x/src/query/item.rs", deep).len(), 1);
    assert_eq!(
        found("crates/x/src/query/mod.rs", "use super::store::Log;\n").len(),
        1
    );
}

#[test]
fn earlier_ones_and_its_own_are_free() {
    let text = "use crate::event::Event;\nuse crate::query::Item;\nuse self::item::X;\n";
    assert_eq!(found("crates/x/src/query.rs", text).len(), 0);
    assert_eq!(
        found("crates/x/src/query/item.rs", "use super::store;\n").len(),
        0
    );
}

#[test]
fn tests_comments_and_macros_are_free() {
    let text =
        "//! See [`crate::store`].\n#[cfg(test)]\nmod tests {\n    use crate::store::Log;\n}\n";
    assert_eq!(found("crates/x/src/query.rs", text).len(), 0);
    assert_eq!(
        found("crates/x/src/query/tests.rs", "use crate::store::Log;\n").len(),
        0
    );
    assert_eq!(
        found(
            "crates/x/src/query.rs",
            "macro_rules! m { () => { $crate::store::X } }\n"
        )
        .len(),
        0
    );
}

#[test]
fn the_words_keep_their_order() {
    let said = findings(
        check,
        &[(
            "crates/x/src/lib.rs",
            "mod store;\nmod other;\nmod event;\n",
        )],
    );
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with("crates/x/src/lib.rs:3: the module `event` stands after `store`"));
}
