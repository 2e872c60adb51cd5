//! The system as data, kept as a file.

#[cfg(test)]
mod tests;

use crate::app::AppBuilder;
use fait_core::manifest::Manifest;
use std::fs;
use std::path::Path;

/// Fails a test when the manifest of a system is not the one in a file of the repository, so that
/// a change of the system is seen in review.
///
/// ```no_run
/// # use fait::app::{App, AppBuilder};
/// # fn wired(place: AppBuilder) -> AppBuilder { place }
/// # fn main() {
/// fait::test::manifest(&wired(App::in_memory()), "manifest.json");
/// # }
/// ```
///
/// With `UPDATE_MANIFEST=1` in the environment the file is written first. It is named from the
/// place of the package, where Cargo runs its tests.
///
/// # Panics
/// They differ, or the file cannot be read; the text says from which line on, and what to do.
#[track_caller]
pub fn manifest(system: &AppBuilder, file: impl AsRef<Path>) {
    let update = std::env::var_os("UPDATE_MANIFEST").is_some();
    if let Err(wrong) = kept(&system.manifest(), file.as_ref(), update) {
        panic!("{wrong}; run the tests with UPDATE_MANIFEST=1 and look at the change");
    }
}

fn kept(manifest: &Manifest, file: &Path, update: bool) -> Result<(), String> {
    let shown = file.display();
    let today = serde_json::to_string_pretty(manifest).map_err(|e| e.to_string())? + "\n";
    if update {
        fs::write(file, &today).map_err(|e| format!("{shown} cannot be written: {e}"))?;
    }
    let kept = fs::read_to_string(file).map_err(|e| format!("{shown} cannot be read: {e}"))?;
    if kept == today {
        return Ok(());
    }
    let same = kept.lines().zip(today.lines()).take_while(|(a, b)| a == b);
    let at = same.count();
    let line = |text: &str| text.lines().nth(at).unwrap_or_default().trim().to_string();
    Err(format!(
        "the system is not as in {shown}, from line {} on:\n  kept: {}\n  now:  {}\n",
        at + 1,
        line(&kept),
        line(&today)
    ))
}
