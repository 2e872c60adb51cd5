//! The rules that no other tool knows, each a check that reads files and gives findings.

mod directions;
mod spine;
mod sizes;
mod calls;
mod words;
mod hygiene;
mod documents;
mod metrics;

use crate::finding::Finding;
use crate::source::Source;
use crate::tree::{self, Text};

pub(crate) const HELP: &str = "\
Usage: cargo xtask tidy [--remarks]

Checks every file that git tracks or could track:
  directions  which crate may depend on which (architecture)
  spine       a module uses only modules that its lib.rs or main.rs declares before it
  sizes       functions of at most 70 lines, files of at most 800, lines of at most 100 columns
  calls       no clock, random number, file, network or thread where the code must be pure
  words       no unfinished code, no silenced lint, no glob re-export, no worn-out name
  hygiene     no path of somebody's machine, no host of a package registry
  documents   links lead somewhere; Rust in the README and the guide is compiled by a test
  metrics     what is emitted is listed in docs/operating.md, and the other way round

Each finding says `file:line: what is wrong; what to do`.

  --remarks   also what is only worth a thought, such as files of more than 500 lines";

/// What the checks look at.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Every text file.
    pub(crate) texts: Vec<Text>,
    /// The Rust files among them.
    pub(crate) sources: Vec<Source>,
    /// Every file, pictures included.
    pub(crate) paths: Vec<String>,
}

impl Tree {
    /// From texts; files that are modules for tests only are marked as tests.
    pub(crate) fn new(texts: Vec<Text>, paths: Vec<String>) -> Tree {
        let rust = texts.iter().filter(|t| t.path.ends_with(".rs"));
        let mut sources: Vec<Source> = rust.map(|t| Source::new(&t.path, &t.text)).collect();
        let stems: Vec<String> = sources.iter().flat_map(test_modules).collect();
        for source in &mut sources {
            let belongs = |stem: &String| {
                let rest = source.path.strip_prefix(stem.as_str());
                rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            };
            if stems.iter().any(belongs) {
                source.set_test();
            }
        }
        Tree {
            texts,
            sources,
            paths,
        }
    }
}

/// The files, without `.rs`, of the modules that a source declares for tests only.
fn test_modules(source: &Source) -> Vec<String> {
    let (folder, file) = source.path.rsplit_once('/').unwrap_or(("", &source.path));
    let base = match file {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
        _ => source.path.trim_end_matches(".rs").to_owned(),
    };
    let declared = source.modules().into_iter();
    let tests = declared.filter(|(line, _, body)| !body && source.is_test(*line));
    tests.map(|(_, name, _)| format!("{base}/{name}")).collect()
}

/// Every finding of every check, in the order of the files.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let checks = [
        directions::check,
        spine::check,
        sizes::check,
        calls::check,
        words::check,
        hygiene::check,
        documents::check,
        metrics::check,
    ];
    let mut found: Vec<Finding> = checks.iter().flat_map(|check| check(tree)).collect();
    found.sort();
    found.dedup();
    found
}

/// Checks the repository and prints what is wrong.
pub(crate) fn run(remarks: bool) -> Result<bool, String> {
    let root = tree::root()?;
    let paths = tree::paths(&root)?;
    let tree = Tree::new(tree::texts(&root, &paths)?, paths);
    let found = check(&tree);
    for finding in found.iter().filter(|f| remarks || !f.remark) {
        println!("{finding}");
    }
    let wrong = found.iter().filter(|f| !f.remark).count();
    let noted = found.len() - wrong;
    println!(
        "tidy: {} files, {wrong} findings, {noted} remarks",
        tree.texts.len()
    );
    Ok(wrong == 0)
}

/// The verb `tidy`.
pub(crate) fn verb(args: &[String]) -> Result<bool, String> {
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => run(false),
        ["--remarks"] => run(true),
        _ => Err(format!("options not understood\n\n{HELP}")),
    }
}

/// A tree of given files, and the findings of one check as text.
#[cfg(test)]
fn findings(check: fn(&Tree) -> Vec<Finding>, files: &[(&str, &str)]) -> Vec<String> {
    let text = |(path, text): &(&str, &str)| Text {
        path: path.to_string(),
        text: text.to_string(),
    };
    let paths = files.iter().map(|(path, _)| path.to_string()).collect();
    let found = check(&Tree::new(files.iter().map(text).collect(), paths));
    found.iter().map(Finding::to_string).collect()
}
