//! Running this program over a whole history before it is let at it: whether it reads every event
//! and would decide every command as it was decided. Nothing is written.

mod again;
mod report;
mod views;
mod walk;
mod written;

pub use report::{Commands, Finding, Finds, History, MAX_POSITIONS};

use super::build::{AppBuilder, BuildError};
use super::preflight::Reading;
use fait_core::event::Position;
use std::fmt;
use std::io::{IsTerminal, Write};
use std::path::Path;
use walk::Walk;

/// How far a look at history has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Everything up to here was looked at.
    pub done: Position,
    /// The last position.
    pub head: Position,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = self.done.saturating_mul(100) / self.head.max(1);
        write!(
            f,
            "looked at {} of {} events ({percent} %)",
            self.done, self.head
        )
    }
}

/// Tells on stderr how far a look has come, for programs that answer `--history`: on a terminal on
/// one line, else at each tenth of it. Of a short history nothing is told.
pub fn on_stderr() -> impl FnMut(Progress) {
    let terminal = std::io::stderr().is_terminal();
    let (step, mut told) = (if terminal { 1 } else { 10 }, 0);
    move |progress: Progress| {
        let percent = progress.done.saturating_mul(100) / progress.head.max(1);
        let ends = progress.done >= progress.head;
        // If stderr is closed there is nobody to tell.
        let mut stderr = std::io::stderr();
        let _ = match (terminal, ends) {
            (true, true) => write!(stderr, "\r\u{1b}[K"),
            (false, true) => Ok(()),
            _ if percent / step == told / step => Ok(()),
            (true, false) => write!(stderr, "\r{progress}"),
            (false, false) => writeln!(stderr, "{progress}"),
        };
        told = percent;
    }
}

impl AppBuilder {
    /// Runs what is wired here over the history in a folder. Every event is read by all code that
    /// reads its type, through its upcasters, and taken into every view, whose rows are folded in
    /// a place of their own. Every command that was recorded is decided again, on
    /// what stood before its events, with the time, the person and the ids of then, and what comes
    /// of it is compared with what was recorded. Nothing is written, nothing is sent, and the
    /// system is not started. For a folder in use, see [`preflight`](Self::preflight).
    ///
    /// The log is read once from its beginning, and for each command what its decision reads that
    /// is new since the last one on the same models: it takes about as long as deciding all of it
    /// took, without the syncs. Models in memory are limited as in a running system. `progress` is
    /// called after each page of events.
    ///
    /// # Errors
    /// Something is wired wrongly, or the folder cannot be read.
    pub fn check_history(
        &self,
        folder: impl AsRef<Path>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<History, BuildError> {
        self.check()?;
        let reading = Reading::open(folder.as_ref())?;
        let mut walk = Walk::new(self, &*reading.store)?;
        walk.all(progress)?;
        Ok(walk.report(reading.is_copy()))
    }
}
