//! The tests that the documents name are there.

use std::fs;
use std::path::Path;

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");
const GUARANTEES: &str = include_str!("../../../../docs/guarantees.md");

#[test]
fn every_promise_names_tests_that_exist() {
    let mut named = 0;
    for section in GUARANTEES.split("\n## ").skip(1) {
        let (promise, text) = section.split_once('\n').unwrap();
        let before = named;
        for link in text.split("[`").skip(1) {
            let (test, rest) = link.split_once("`](").unwrap();
            let (path, _) = rest.split_once(')').unwrap();
            let code = fs::read_to_string(Path::new(DOCS).join(path)).unwrap();
            let there = [format!("fn {test}("), format!("fn {test}<")];
            assert!(
                there.iter().any(|t| code.contains(t)),
                "{path} has no test `{test}`"
            );
            named += 1;
        }
        let shown = named > before || promise == "What is not promised";
        assert!(shown, "nothing shows that *{promise}*");
    }
    assert!(named > 20);
}
