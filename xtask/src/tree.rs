//! The repository: where it is, which files it has, what they say.

use std::path::{Path, PathBuf};
use std::process::Command;

/// No text of ours is larger; what is larger is not read.
const LARGEST_TEXT: u64 = 4 << 20;

/// One text file.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    /// What it says.
    pub(crate) text: String,
}

/// The folder that holds the workspace.
pub(crate) fn root() -> Result<PathBuf, String> {
    let here = std::env::current_dir().map_err(|e| format!("no current folder: {e}"))?;
    let is_root = |dir: &&Path| dir.join("xtask/Cargo.toml").is_file();
    let found = here.ancestors().find(is_root).map(Path::to_owned);
    found.ok_or_else(|| format!("{} is not inside the repository", here.display()))
}

/// Every file that is tracked, or could be: ignored ones are left out.
pub(crate) fn paths(root: &Path) -> Result<Vec<String>, String> {
    let args = [
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ];
    let out = Command::new("git").args(args).current_dir(root).output();
    let out = out.map_err(|e| format!("git cannot be run: {e}"))?;
    if !out.status.success() {
        let why = String::from_utf8_lossy(&out.stderr);
        return Err(format!("git ls-files failed: {}", why.trim()));
    }
    let listed = String::from_utf8_lossy(&out.stdout);
    let mut paths: Vec<String> = listed
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect();
    paths.sort();
    paths.dedup();
    Ok(paths)
}

/// Every text file among them; a file that was deleted but is still tracked is passed over.
pub(crate) fn texts(root: &Path, paths: &[String]) -> Result<Vec<Text>, String> {
    let mut texts = Vec::new();
    for path in paths {
        let file = root.join(path);
        let small = file
            .metadata()
            .is_ok_and(|m| m.is_file() && m.len() <= LARGEST_TEXT);
        if !small {
            continue;
        }
        let bytes = std::fs::read(&file).map_err(|e| format!("{path} cannot be read: {e}"))?;
        if let Ok(text) = String::from_utf8(bytes)
            && !text.contains('\0')
        {
            texts.push(Text {
                path: path.clone(),
                text,
            });
        }
    }
    Ok(texts)
}

/// Whether git tracks the lock file, so that cargo must keep to it.
pub(crate) fn lock_is_tracked(root: &Path) -> bool {
    let args = ["ls-files", "--error-unmatch", "Cargo.lock"];
    let out = Command::new("git").args(args).current_dir(root).output();
    out.is_ok_and(|out| out.status.success())
}

/// Where cargo puts what it builds: this program lies in `<target>/<profile>/`.
pub(crate) fn target(root: &Path) -> PathBuf {
    let exe = std::env::current_exe().ok();
    let target = exe
        .as_deref()
        .and_then(|exe| exe.ancestors().nth(2))
        .map(Path::to_owned);
    target.unwrap_or_else(|| root.join("target"))
}
