//! The direction of modules: each uses only those that stand before it.

#[cfg(test)]
mod tests;

use super::Tree;
use crate::finding::Finding;
use crate::source::{Source, is_name, positions};

/// The words of `fait` in the order in which they build on each other.
const WORDS: [&str; 11] = [
    "event",
    "query",
    "command",
    "decision",
    "store",
    "feed",
    "projection",
    "process",
    "bus",
    "task",
    "manifest",
];

/// The table of contents of one crate.
struct Contents<'a> {
    root: &'a Source,
    /// The folder that the modules lie in, with its `/`.
    folder: &'a str,
    modules: Vec<String>,
    /// Names at the root, with the module that each comes from.
    names: Vec<(String, usize)>,
}

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for root in &tree.sources {
        let Some(contents) = Contents::of(root) else {
            continue;
        };
        found.extend(contents.order_of_words());
        let files = tree
            .sources
            .iter()
            .filter(|s| s.path.starts_with(contents.folder));
        for source in files {
            found.extend(contents.check_file(source));
        }
    }
    found
}

impl<'a> Contents<'a> {
    /// Of `src/lib.rs` or `src/main.rs`.
    fn of(root: &'a Source) -> Option<Contents<'a>> {
        let (folder, file) = root.path.rsplit_once('/')?;
        if !folder.ends_with("src") || file != "lib.rs" && file != "main.rs" {
            return None;
        }
        let folder = &root.path[..=folder.len()];
        let declared = root.modules().into_iter();
        let modules: Vec<String> = declared.map(|(_, name, _)| name).collect();
        let mut names = Vec::new();
        for brought in root.uses() {
            let path = brought
                .path
                .trim_start_matches("crate::")
                .trim_start_matches("self::");
            if let Some((module, rest)) = path.split_once("::")
                && let Some(at) = modules.iter().position(|m| m == module)
            {
                let name = rest.rsplit("::").next().unwrap_or(rest);
                names.push((name.to_owned(), at));
            }
        }
        Some(Contents {
            root,
            folder,
            modules,
            names,
        })
    }

    /// The modules that bear a word of the spine must stand in its order.
    fn order_of_words(&self) -> Vec<Finding> {
        let declared = self.root.modules().into_iter();
        let words: Vec<(usize, String, usize)> = declared
            .filter_map(|(line, name, _)| {
                let place = WORDS.iter().position(|word| *word == name)?;
                Some((line, name, place))
            })
            .collect();
        let mut found = Vec::new();
        for pair in words.windows(2) {
            if pair[1].2 < pair[0].2 {
                let wrong = format!("the module `{}` stands after `{}`", pair[1].1, pair[0].1);
                let remedy = format!("keep the order of the words: {}", WORDS.join(", "));
                found.push(Finding::new(&self.root.path, pair[1].0, wrong, remedy));
            }
        }
        found
    }

    fn check_file(&self, source: &Source) -> Vec<Finding> {
        let inside = source.path[self.folder.len()..].trim_end_matches(".rs");
        let parts: Vec<&str> = inside.split('/').collect();
        let Some(own) = self.modules.iter().position(|m| m == parts[0]) else {
            return Vec::new();
        };
        let depth = parts.len() - usize::from(parts.last() == Some(&"mod"));
        let to_root = "super::".repeat(depth);
        let mut used: Vec<(usize, String)> = Vec::new();
        for (line, code) in source.code() {
            for start in ["crate::", to_root.as_str()] {
                let after = positions(code, start).filter(|at| is_start(&code[..*at]));
                used.extend(after.map(|at| (line, first_name(&code[at + start.len()..]))));
            }
        }
        for brought in source
            .uses()
            .into_iter()
            .filter(|u| !source.is_test(u.line))
        {
            let path = &brought.path;
            let rest = path.strip_prefix("crate::").or(path.strip_prefix(&to_root));
            used.extend(rest.map(|rest| (brought.line, first_name(rest))));
        }
        used.sort();
        used.dedup();
        used.iter()
            .filter_map(|(line, name)| self.judge(source, own, *line, name))
            .collect()
    }

    fn judge(&self, source: &Source, own: usize, line: usize, name: &str) -> Option<Finding> {
        let named = self
            .names
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, at)| *at);
        let at = self.modules.iter().position(|m| m == name).or(named)?;
        if at <= own {
            return None;
        }
        let (here, there) = (&self.modules[own], &self.modules[at]);
        let wrong = format!(
            "`{here}` uses `{there}`, which {} declares later",
            self.root.path
        );
        let remedy = "move what is shared to an earlier module, or pass it in";
        Some(Finding::new(&source.path, line, wrong, remedy))
    }
}

/// Whether a path starts here: `$crate` and `a::super` do not count, nor does `pub(in crate::a)`.
fn is_start(before: &str) -> bool {
    let before = before.trim_end();
    !before.ends_with(['$', ':']) && !before.ends_with("(in")
}

fn first_name(path: &str) -> String {
    path.chars().take_while(|c| is_name(*c)).collect()
}
