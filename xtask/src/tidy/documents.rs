//! Documents: their links lead somewhere, and a test compiles their Rust.

use super::Tree;
use crate::finding::Finding;
use crate::tree::Text;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let documents = tree.texts.iter().filter(|t| t.path.ends_with(".md"));
    documents
        .flat_map(|document| check_document(tree, document))
        .collect()
}

fn check_document(tree: &Tree, document: &Text) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut fence: Option<&str> = None;
    let mut rust = None;
    for (i, line) in document.text.lines().enumerate() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            rust = rust.or((fence.is_none() && language.starts_with("rust")).then_some(i + 1));
            fence = if fence.is_none() {
                Some(language)
            } else {
                None
            };
            continue;
        }
        if fence.is_some() {
            continue;
        }
        for link in links(line).filter(|link| !leads_somewhere(tree, &document.path, link)) {
            let wrong = format!("the link `{link}` leads nowhere");
            found.push(Finding::new(
                &document.path,
                i + 1,
                wrong,
                "correct or remove it",
            ));
        }
    }
    let shown = document.path == "README.md" || document.path.starts_with("docs/guide/");
    if let Some(line) = rust.filter(|_| shown && !is_compiled(tree, &document.path)) {
        let wrong = "Rust that no test compiles";
        let remedy = "include the file in a crate's documentation tests with `include_str!`";
        found.push(Finding::new(&document.path, line, wrong, remedy));
    }
    found
}

/// Whether a crate includes the document, which makes its Rust documentation tests.
fn is_compiled(tree: &Tree, path: &str) -> bool {
    let end = format!("/{path}\"");
    let includes = |line: &String| line.contains("include_str!") && line.contains(&end);
    tree.sources
        .iter()
        .any(|source| source.raw.iter().any(includes))
}

/// The targets of the links in a line that lead to files of ours.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ']).next());
    targets
        .filter(|to| !to.contains("://") && !to.starts_with(['#', '<']) && !to.contains("mailto:"))
}

fn leads_somewhere(tree: &Tree, from: &str, link: &str) -> bool {
    let link = link.split('#').next().unwrap_or(link);
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_none() => return false,
            ".." => {}
            _ => parts.push(part),
        }
    }
    let path = parts.join("/");
    let inside = format!("{path}/");
    tree.paths
        .iter()
        .any(|p| *p == path || p.starts_with(&inside))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::findings;

    #[test]
    fn links_lead_somewhere() {
        let files = |link: &str| findings(check, &[("docs/a.md", link), ("docs/guide/b.md", "")]);
        assert_eq!(
            files("[b](guide/b.md#top), [c](../docs), [d](https://example.org)").len(),
            0
        );
        assert_eq!(files("[b](guide/c.md)").len(), 1);
        assert_eq!(files("[b](../../x.md)").len(), 1);
        assert_eq!(files("```\n[b](guide/c.md)\n```\n").len(), 0);
    }

    #[test]
    fn the_rust_of_the_readme_is_compiled() {
        let readme = ("README.md", "# x\n```rust\nfn main() {}\n```\n");
        assert_eq!(findings(check, &[readme]).len(), 1);
        let lib = (
            "crates/x/src/lib.rs",
            "#[doc = include_str!(\"../../../README.md\")]\n",
        );
        assert_eq!(findings(check, &[readme, lib]).len(), 0);
        assert_eq!(findings(check, &[("docs/why.md", readme.1)]).len(), 0);
    }
}
