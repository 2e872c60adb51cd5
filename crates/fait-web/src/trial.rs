//! The examples of the board, run once beside the running system against fresh ones in memory.

use fait::app::AppBuilder;
use fait::board::{Examples, examples};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;

/// How a system of the same wiring is built.
type Wired = dyn Fn() -> AppBuilder + Send + Sync;

/// The examples, how they are run, and what came of them.
pub(crate) struct Trial {
    wired: Arc<Wired>,
    begun: AtomicBool,
    done: watch::Sender<Option<Arc<Examples>>>,
}

impl fmt::Debug for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trial")
            .field("begun", &self.begun)
            .finish_non_exhaustive()
    }
}

impl Trial {
    pub(crate) fn new(wired: impl Fn() -> AppBuilder + Send + Sync + 'static) -> Trial {
        Trial {
            wired: Arc::new(wired),
            begun: AtomicBool::new(false),
            done: watch::Sender::new(None),
        }
    }

    /// Runs them beside everything else, if nobody has before. Neither the board nor the program
    /// changes while it runs, so that once is enough.
    pub(crate) fn begin(&self, board: &str) {
        if self.begun.swap(true, Ordering::SeqCst) {
            return;
        }
        let (wired, done, board) = (self.wired.clone(), self.done.clone(), board.to_string());
        tokio::task::spawn_blocking(move || {
            let tried = examples(&board, || wired());
            done.send_replace(Some(Arc::new(tried)));
        });
    }

    /// What came of them, once that is known.
    pub(crate) fn known(&self) -> Option<Arc<Examples>> {
        self.done.borrow().clone()
    }

    /// Resolves when it is known what came of them.
    pub(crate) async fn finished(&self) {
        // The sender is here: it cannot be gone.
        let _ = self.done.subscribe().wait_for(Option::is_some).await;
    }
}
