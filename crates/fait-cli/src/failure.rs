//! Why the program did not do what was asked, and the exit codes that tell it to scripts.

use fait::store::StoreError;
use fait_store::OpenError;
use fait_store::tools::ToolError;
use std::io;

/// The exit codes, as every `--help` shows them.
pub(crate) const CODES: &str = "\
Exit codes:
  0   done
  1   looked, and it is not there or not well: no such event, view or process, a failed rebuild
  2   the command line is wrong
  3   the folder or the address cannot be used now
  4   a conflict: the state does not allow it any more
  5   a file of the store is damaged
  70  an error of this program itself";

/// Why the program did not do what was asked. The text is for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// It was looked for, and is not there or not well.
    #[error("{0}")]
    Finding(String),
    /// The command line asks for something that makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The folder or the address cannot be used now.
    #[error("{0}")]
    NotReady(String),
    /// The state does not allow it any more.
    #[error("{0}")]
    Conflict(String),
    /// A file of the store is not what was written.
    #[error("{0}")]
    Damage(String),
    /// Our own mistake.
    #[error("{0}")]
    Internal(String),
    /// Whoever read the output has gone, for example `head`. That is no error.
    #[error("nobody reads the output any more")]
    Closed,
}

impl Failure {
    /// The exit code; see [`CODES`].
    pub(crate) fn code(&self) -> u8 {
        match self {
            Failure::Closed => 0,
            Failure::Finding(_) => 1,
            Failure::Usage(_) => 2,
            Failure::NotReady(_) => 3,
            Failure::Conflict(_) => 4,
            Failure::Damage(_) => 5,
            Failure::Internal(_) => INTERNAL,
        }
    }

    /// An error in writing what was found.
    pub(crate) fn writing(e: io::Error) -> Failure {
        match e.kind() {
            io::ErrorKind::BrokenPipe => Failure::Closed,
            _ => Failure::Internal(format!("the output cannot be written: {e}")),
        }
    }

    /// Something that should be there is not, with the nearest name that is.
    pub(crate) fn unknown(what: &str, name: &str, known: &[String]) -> Failure {
        let hint = match (nearest(name, known), known) {
            (Some(near), _) => format!("; did you mean `{near}`?"),
            (None, []) => format!("; there is no {what} at all"),
            (None, known) => format!("; there is {}", quoted(known)),
        };
        Failure::Finding(format!("there is no {what} `{name}`{hint}"))
    }
}

/// The exit code of a mistake of our own.
pub(crate) const INTERNAL: u8 = 70;

impl From<StoreError> for Failure {
    fn from(e: StoreError) -> Self {
        Failure::NotReady(e.to_string())
    }
}

impl From<OpenError> for Failure {
    fn from(e: OpenError) -> Self {
        Failure::NotReady(match e {
            OpenError::InUse { path } => format!(
                "{} is in use by a running system; use `--at http://…` with the address of that \
                 system, or stop it first",
                path.display()
            ),
            other => other.to_string(),
        })
    }
}

impl From<ToolError> for Failure {
    fn from(e: ToolError) -> Self {
        match e {
            e if e.is_damage() => Failure::Damage(e.to_string()),
            ToolError::Output(e) => Failure::writing(e),
            e @ ToolError::Line { .. } => Failure::Finding(e.to_string()),
            e => Failure::NotReady(e.to_string()),
        }
    }
}

fn quoted(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
    quoted.join(", ")
}

/// The nearest of some names, if it is near.
pub(crate) fn nearest<'a>(name: &str, names: &'a [String]) -> Option<&'a String> {
    let name = name.to_lowercase();
    let near = names
        .iter()
        .map(|n| (strsim::levenshtein(&name, &n.to_lowercase()), n))
        .filter(|(d, n)| *d <= n.chars().count().max(name.chars().count()) / 3 + 1);
    near.min().map(|(_, n)| n)
}
