//! Runs the program and keeps what it said.

use std::path::Path;
use std::process::{Command, Stdio};

/// What the program said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// Everything it said, for golden files; the place is not the same on every machine.
    pub(crate) fn all(&self, place: &str) -> String {
        let Said { code, out, err } = self;
        format!("{out}--- stderr\n{err}--- exit code {code}\n").replace(place, "PLACE")
    }
}

/// The program with these words, asked about a place.
pub(crate) fn fait(place: &str, words: &str) -> Said {
    let mut command = command();
    command.args(words.split(' ')).env("FAIT_AT", place);
    run(command)
}

/// The program asked about a folder.
pub(crate) fn fait_in(folder: &Path, words: &str) -> Said {
    fait(&folder.display().to_string(), words)
}

/// The program without a place.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fait"));
    command.env_remove("FAIT_AT").stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub(crate) fn run(mut command: Command) -> Said {
    let output = command.output().unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
