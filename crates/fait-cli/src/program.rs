//! Asking an application's own program for a report, since only it knows its definitions.

use crate::failure::Failure;
use serde::de::DeserializeOwned;
use std::path::Path;
use std::process::{Command, Stdio};

/// Calls a program for its report, which it writes as one JSON document, ending with 0, or with 1
/// when there is something to be seen to. What it says of its progress goes to our stderr.
/// `understands` is what it has to.
pub(crate) fn asked<T: DeserializeOwned>(
    program: &Path,
    mut command: Command,
    understands: &str,
) -> Result<T, Failure> {
    let name = program.display();
    let called = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output();
    let called = called.map_err(|e| Failure::NotReady(format!("{name} cannot be called: {e}")))?;
    if !matches!(called.status.code(), Some(0 | 1)) {
        return Err(Failure::NotReady(format!(
            "{name} could not look at it: {}",
            called.status
        )));
    }
    serde_json::from_slice(&called.stdout).map_err(|e| {
        Failure::NotReady(format!(
            "{name} answers with something else than a report ({e}); it has to understand \
             {understands}"
        ))
    })
}
