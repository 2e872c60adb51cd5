//! The AsyncAPI documents that `fait` makes, read by the official parser of others.

use crate::browser;
use crate::machine;
use crate::tree;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const HELP: &str = "\
Usage: cargo xtask asyncapi

Makes AsyncAPI documents with `fait contract asyncapi`, of tests/asyncapi/manifest.json and of the
manifests of the examples, and reads each with the official parser, @asyncapi/parser. Then breaks
each on purpose, and fails when the parser does not complain. Node is installed when this runs as
root on Debian; elsewhere the error says what to install. Documents: target/asyncapi/.";

/// The verb `asyncapi`.
pub(crate) fn verb(args: &[String]) -> Result<bool, String> {
    match args.first() {
        Some(arg) => Err(format!("`{arg}` is not an option\n\n{HELP}")),
        None => run(),
    }
}

/// Makes the documents and reads them; the answer is whether all are well.
pub(crate) fn run() -> Result<bool, String> {
    let root = tree::root()?;
    machine::ensure()?;
    let tests = root.join("tests/asyncapi");
    browser::packages(&tests)?;
    let results = tree::target(&root).join("asyncapi");
    fs::create_dir_all(&results).map_err(|e| format!("{}: {e}", results.display()))?;
    let mut documents = vec![];
    for manifest in manifests(&root)? {
        let name = manifest
            .parent()
            .and_then(Path::file_name)
            .unwrap_or_default();
        let document = results.join(name).with_extension("json");
        make(&root, &manifest, &document)?;
        documents.push(document);
    }
    let read = Command::new("node")
        .arg("check.mjs")
        .args(documents)
        .current_dir(&tests)
        .status();
    let read = read.map_err(|e| format!("node cannot be run: {e}"))?;
    Ok(read.success())
}

/// The manifests that documents are made of, sorted.
fn manifests(root: &Path) -> Result<Vec<PathBuf>, String> {
    let examples = root.join("examples");
    let trouble = |e: std::io::Error| format!("{}: {e}", examples.display());
    let mut all = vec![root.join("tests/asyncapi/manifest.json")];
    for entry in fs::read_dir(&examples).map_err(trouble)? {
        let manifest = entry.map_err(trouble)?.path().join("manifest.json");
        if manifest.is_file() {
            all.push(manifest);
        }
    }
    all.sort();
    Ok(all)
}

/// Makes the document of one manifest.
fn make(root: &Path, manifest: &Path, document: &Path) -> Result<(), String> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["run", "--quiet", "--package", "fait-cli"]);
    if tree::lock_is_tracked(root) {
        command.arg("--locked");
    }
    command
        .args(["--", "contract", "asyncapi", "--manifest"])
        .arg(manifest);
    let made = command.current_dir(root).output();
    let made = made.map_err(|e| format!("cargo cannot be run: {e}"))?;
    if !made.status.success() {
        let said = String::from_utf8_lossy(&made.stderr);
        return Err(format!("{}: {said}", manifest.display()));
    }
    fs::write(document, made.stdout).map_err(|e| format!("{}: {e}", document.display()))
}

#[cfg(test)]
mod tests {
    use super::manifests;
    use crate::tree;

    #[test]
    fn there_is_something_to_be_read() {
        let root = tree::root().unwrap();
        let all = manifests(&root).unwrap();
        assert!(all.contains(&root.join("tests/asyncapi/manifest.json")));
        assert!(all.contains(&root.join("examples/restaurant/manifest.json")));
    }
}
