//! Calling the program.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A child has a copy of all our files until its own program begins, the lock of a folder among
/// them. So nothing is begun while a store is closed: the folder would seem to be in use.
pub(crate) fn no_child_begins() -> MutexGuard<'static, ()> {
    static QUIET: Mutex<()> = Mutex::new(());
    QUIET.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins a program.
pub(crate) fn spawned(command: &mut Command) -> Child {
    let _quiet = no_child_begins();
    command.spawn().unwrap()
}

fn output(command: &mut Command) -> Output {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    spawned(command).wait_with_output().unwrap()
}

/// The program with these words, and nothing of our own environment that it would heed.
pub(crate) fn fait(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fait"));
    command.args(words);
    for name in ["FAIT_AT", "NO_COLOR", "HTTP_PROXY", "http_proxy"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// What came of a call, as one text: what was written where, and the exit code.
pub(crate) fn told(words: &[&str]) -> String {
    text(&output(&mut fait(words)))
}

/// The same, called from a folder.
pub(crate) fn told_in(folder: &Path, words: &[&str]) -> String {
    text(&output(fait(words).current_dir(folder)))
}

/// The same, looking at a place whose name is not the same each time.
pub(crate) fn at(place: &str, words: &[&str]) -> String {
    let out = output(fait(words).env("FAIT_AT", place));
    text(&out).replace(place, "PLACE")
}

/// The same, in a folder.
pub(crate) fn within(folder: &Path, words: &[&str]) -> String {
    at(&folder.display().to_string(), words)
}

/// Begins to look at a place; what is written is read by the test.
pub(crate) fn begun(place: &str, words: &[&str]) -> Child {
    let mut command = fait(words);
    command.env("FAIT_AT", place).stdout(Stdio::piped());
    spawned(command.stderr(Stdio::null()))
}

fn text(out: &Output) -> String {
    let mut text = String::from_utf8_lossy(&out.stdout).into_owned();
    let notes = String::from_utf8_lossy(&out.stderr);
    if !notes.is_empty() {
        text.push_str(&format!("-- stderr\n{notes}"));
    }
    match out.status.code() {
        Some(0) => text,
        Some(code) => format!("{text}-- exit {code}\n"),
        None => format!("{text}-- killed\n"),
    }
}
