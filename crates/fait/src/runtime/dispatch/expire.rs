//! Open commands and asked tasks whose time is over: they are settled as expired.

use super::{Dispatch, answer};
use crate::runtime::Core;
use crate::runtime::decide::SendError;
use fait_core::event::{Position, Time};
use fait_core::process::Outcome;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

/// Most that are looked up at once.
const AT_ONCE: usize = 1024;

/// What is known of when something is over.
#[derive(Debug, Default)]
pub(super) struct Expiry {
    /// When the time of some open command is over next, or before that.
    pub(super) next: Option<Time>,
    /// What is over is being looked up.
    looking: bool,
}

impl Expiry {
    pub(super) fn is_busy(&self, now: Time) -> bool {
        self.looking || self.next.is_some_and(|at| at <= now)
    }
}

impl Dispatch {
    pub(super) fn expiry(&self) -> MutexGuard<'_, Expiry> {
        self.expiry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time of something is over then.
    pub(super) fn expires_at(&self, at: Time) {
        let mut expiry = self.expiry();
        if expiry.next.is_none_or(|next| at < next) {
            expiry.next = Some(at);
            drop(expiry);
            self.wake_expiry.notify_one();
        }
    }
}

impl Core {
    /// Settles what is not done in time until the system stops.
    pub(crate) async fn run_expiry(self: Arc<Self>) {
        // What was due while nobody ran is found at once.
        self.dispatch.expires_at(Time(0));
        loop {
            let next = self.dispatch.expiry().next;
            let over = async {
                match next {
                    Some(at) => self.clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                () = self.dispatch.wake_expiry.notified() => {}
                () = over => if let Err(e) = self.expire().await {
                    tracing::error!(error = %e, "what is not done in time waits");
                    self.dispatch.expires_at(Time(0));
                    if self.pause_or_stop().await {
                        return;
                    }
                },
            }
        }
    }

    /// Settles everything whose time is over, but for what is under way.
    async fn expire(&self) -> Result<(), SendError> {
        loop {
            let now = self.clock.now();
            *self.dispatch.expiry() = Expiry {
                next: None,
                looking: true,
            };
            let over = self.db.expired(now, AT_ONCE)?;
            let mut last = None;
            for command in &over {
                if self.dispatch.waiting().is_under_way(command) {
                    continue;
                }
                let at = self.settle(&answer(command), Outcome::Expired).await?;
                self.dispatch.waiting().expired(command, at);
                last = Some(at);
            }
            if let Some(last) = last {
                // The index must see these before it is asked again.
                self.wait_for_index_at(last).await;
                if self.stop.is_cancelled() {
                    return Ok(());
                }
                continue;
            }
            let next = self.db.next_expiry(now)?;
            let mut expiry = self.dispatch.expiry();
            expiry.next = expiry.next.into_iter().chain(next).min();
            expiry.looking = false;
            return Ok(());
        }
    }

    async fn wait_for_index_at(&self, position: Position) {
        let mut pulse = self.pulse.listen();
        while self.index.at() < position && !self.stop.is_cancelled() {
            // The time-out covers a beat between look and wait.
            let _ = tokio::time::timeout(Duration::from_millis(50), pulse.changed()).await;
        }
    }
}
