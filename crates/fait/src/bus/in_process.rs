//! The shortest way between two systems: they run in one program.

use super::{BusError, Delivery, Inlet, Mark, Messages, STRUCTURED};
use fait_core::event::Position;
use fait_core::store::BoxFuture;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Messages that are given at once.
const AT_ONCE: usize = 100;

/// How long is waited for the first.
const A_WHILE: Duration = Duration::from_secs(1);

/// A system whose messages can be read: an `App`.
pub trait Publishing: Send + Sync + 'static {
    /// Which history its log is, and how far that goes.
    ///
    /// # Errors
    /// The store cannot be read.
    fn at(&self) -> BoxFuture<'_, Result<(String, Position), BusError>>;
    /// What was published behind a position: at most so many. When there is nothing, it is waited
    /// for no longer than `within`.
    ///
    /// # Errors
    /// The store cannot be read.
    fn next(
        &self,
        after: Position,
        most: usize,
        within: Duration,
    ) -> BoxFuture<'_, Result<Messages, BusError>>;
}

/// An [`Inlet`] for the messages of another system in the same program. A mark of it is the id of
/// that system's log and a position in there.
///
/// It can be wired before the other system runs: until [`connect`](InProcess::connect) was called
/// nobody is there, and the receiver waits. Its clones are the same way.
#[derive(Clone, Default)]
pub struct InProcess {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    from: Mutex<Option<Arc<dyn Publishing>>>,
    connected: Notify,
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").finish_non_exhaustive()
    }
}

impl InProcess {
    /// A way from nobody, yet.
    pub fn new() -> InProcess {
        InProcess::default()
    }

    /// A way from a system that runs.
    pub fn from(system: impl Publishing) -> InProcess {
        let way = InProcess::new();
        way.connect(system);
        way
    }

    /// From now on it comes from this system; for example after that was started again.
    pub fn connect(&self, system: impl Publishing) {
        let system: Arc<dyn Publishing> = Arc::new(system);
        *self.lock() = Some(system);
        self.shared.connected.notify_waiters();
    }

    /// From now on nobody is there.
    pub fn disconnect(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<dyn Publishing>>> {
        let from = &self.shared.from;
        from.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn there(&self) -> Result<Arc<dyn Publishing>, BusError> {
        let connected = self.shared.connected.notified();
        let there = self.lock().clone();
        if let Some(system) = there {
            return Ok(system);
        }
        let _ = tokio::time::timeout(A_WHILE, connected).await;
        let there = self.lock().clone();
        there.ok_or_else(|| BusError::Later("the other system is not connected yet".into()))
    }
}

impl Inlet for InProcess {
    fn take(&self, after: Option<Mark>) -> BoxFuture<'_, Result<Vec<Delivery>, BusError>> {
        Box::pin(async move {
            let system = self.there().await?;
            let (history, head) = system.at().await?;
            let after = match after {
                None => 0,
                Some(mark) if mark.history != history => {
                    return Err(BusError::Other(format!(
                        "the log is {history}, and was {} before",
                        mark.history
                    )));
                }
                Some(mark) if mark.sequence > head => {
                    return Err(BusError::Other(format!(
                        "the log {history} ends at {head}, and went to {} before",
                        mark.sequence
                    )));
                }
                Some(mark) => mark.sequence,
            };
            let next = system.next(after, AT_ONCE, A_WHILE).await?;
            let delivery = |m: super::Message| Delivery {
                mark: Mark {
                    history: history.clone(),
                    sequence: m.position,
                },
                headers: vec![("content-type".into(), STRUCTURED.into())],
                body: m.event.to_bytes(),
            };
            Ok(next.messages.into_iter().map(delivery).collect())
        })
    }
}
