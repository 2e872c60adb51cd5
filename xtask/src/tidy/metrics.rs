//! The metrics that are emitted are those that the operator's page lists, under names that say
//! what they are.

use super::Tree;
use crate::finding::Finding;

/// Where they are listed: a table whose lines begin with the name.
const LIST: &str = "docs/operating.md";

/// What emits one, with its name right behind.
const MACROS: &[&str] = &["counter!(", "gauge!(", "histogram!("];

/// What sets a gauge whose name comes first.
const SETS: &str = "set(\"fait_";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let emitted = emitted(tree);
    let Some(list) = tree.texts.iter().find(|t| t.path == LIST) else {
        let first = emitted.first().map(|(path, line, ..)| (path, *line));
        let missing = |(path, line): (&String, usize)| {
            let wrong = format!("a metric is emitted, and there is no {LIST}");
            Finding::new(path, line, wrong, "list it there")
        };
        return first.map(missing).into_iter().collect();
    };
    let listed: Vec<(usize, &str)> = (1..).zip(list.text.lines()).filter_map(row).collect();
    let mut found = vec![];
    for (path, line, kind, name) in &emitted {
        if !listed.iter().any(|(_, listed)| listed == name) {
            let wrong = format!("the metric `{name}` is not in {LIST}");
            found.push(Finding::new(path, *line, wrong, "add a line to its table"));
        }
        let counter = *kind == MACROS[0];
        if counter != name.ends_with("_total") {
            let wrong = format!("the metric `{name}` is no name for what it is");
            let remedy = "counters end in `_total`, and nothing else does";
            found.push(Finding::new(path, *line, wrong, remedy));
        }
    }
    for (line, name) in listed {
        if !emitted.iter().any(|(.., emitted)| emitted == name) {
            let wrong = format!("nothing emits the metric `{name}`");
            found.push(Finding::new(LIST, line, wrong, "take it out of the table"));
        }
    }
    found
}

/// A name at the beginning of a line of a table.
fn row((n, line): (usize, &str)) -> Option<(usize, &str)> {
    let name = line.strip_prefix("| `")?.split('`').next()?;
    name.starts_with("fait_").then_some((n, name))
}

/// Each metric that is emitted outside of tests: where, by what, and its name.
fn emitted(tree: &Tree) -> Vec<(String, usize, &'static str, String)> {
    let mut all = vec![];
    let sources = tree.texts.iter();
    for text in sources.filter(|t| t.path.starts_with("crates/") && t.path.contains("/src/")) {
        for kind in MACROS.iter().chain(&[SETS]).copied() {
            for (at, _) in text.text.match_indices(kind) {
                let behind = match kind {
                    SETS => &text.text[at + "set(".len()..],
                    _ => text.text[at + kind.len()..].trim_start(),
                };
                let name = behind.strip_prefix('"').and_then(|n| n.split('"').next());
                if let Some(name) = name.filter(|n| n.starts_with("fait_")) {
                    let line = 1 + text.text[..at].matches('\n').count();
                    all.push((text.path.clone(), line, kind, name.to_string()));
                }
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::findings;

    #[test]
    fn metrics_are_listed_and_named() {
        let code = |name: &str| format!("metrics::counter!(\n    \"{name}\", \"of\" => of\n)");
        let list = "| metric | what |\n|---|---|\n| `fait_told_total` | … |\n";
        let files = |name: &str, list: &str| {
            let files = [
                ("crates/fait/src/a.rs", &*code(name)),
                ("docs/operating.md", list),
            ];
            findings(check, &files).len()
        };
        assert_eq!(files("fait_told_total", list), 0);
        // Not listed, and what is listed is not there.
        assert_eq!(files("fait_heard_total", list), 2);
        // A counter that does not say so.
        assert_eq!(files("fait_told", &list.replace("_total", "")), 1);
        let gauge = "let x = |v| set(\"fait_lag_events\", v);";
        assert_eq!(findings(check, &[("crates/fait/src/a.rs", gauge)]).len(), 1);
    }
}
