//! Reading what was written: tokens, and waiting for what is to show it.

use super::{App, Receipt, Token};
pub use crate::runtime::view::ReadError;
use crate::runtime::view::ViewState;
use fait_core::event::Position;
use fait_core::projection::Mode;
use fait_core::query::Query;
use fait_core::store::{Range, StoreError};
use std::time::Duration;
use tokio::time::Instant;

/// How long a reader waits at most for a view to show what the reader has written, unless it says
/// otherwise; and how long the answer to a command waits for inline views.
pub const MAX_WAIT: Duration = Duration::from_secs(5);

impl App {
    /// The token of now: who reads with it is shown everything that has happened.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn token(&self) -> Result<Token, StoreError> {
        let core = &self.core;
        let newest = core.store.read(&Query::all(), Range::newest(1)).await?;
        let last = newest.events.first().map(|e| e.meta.id);
        Ok(core.token(newest.head, last))
    }

    /// The position that a token stands for.
    ///
    /// # Errors
    /// It is of another history, or the store cannot be read.
    pub async fn position_of(&self, token: &Token) -> Result<Position, ReadError> {
        let (store, position) = (&self.core.store, token.position);
        let other = |why: String| Err(ReadError::OtherHistory(why));
        if token.history != store.id() {
            return other(format!("it is of store {}", token.history));
        }
        let head = store.head().await?;
        if position > head {
            return other(format!("it is for position {position}, the last is {head}"));
        }
        if !token.event.is_nil() && store.event(token.event).await? != Some(position) {
            return other(format!("another event is at position {position} now"));
        }
        Ok(position)
    }

    /// Waits until the lists of what is asked show a position; says whether they do.
    pub async fn wait_for_tasks(&self, position: Position, at_most: Duration) -> bool {
        self.wait_until(at_most, || self.core.index.at() >= position)
            .await
    }

    /// Waits until a process has taken everything up to a position, and the lists of instances
    /// and of what is asked show what it made of it; says whether that is so.
    ///
    /// # Errors
    /// There is no such process, or the store cannot be read.
    pub async fn wait_for_process(
        &self,
        name: &str,
        position: Position,
        at_most: Duration,
    ) -> Result<bool, StoreError> {
        let began = Instant::now();
        let Some(runner) = self.core.processes.get(name) else {
            let near = crate::runtime::nearest(name, self.core.processes.keys());
            let near = near.map(|n| format!("; did you mean `{n}`?"));
            let near = near.unwrap_or_default();
            return Err(StoreError::new(format_args!(
                "there is no process `{name}`{near}"
            )));
        };
        let taken = || runner.feed.at() >= position;
        if !self.wait_until(at_most, taken).await {
            return Ok(false);
        }
        // What it made of it stands behind the position, and no further than the head is now.
        let made = match position {
            0 => 0,
            _ => self.core.store.head().await?,
        };
        let left = at_most.saturating_sub(began.elapsed());
        Ok(self.wait_for_tasks(made, left).await)
    }

    /// Waits for what only readers of the log can bring about. The time is the machine's: they
    /// follow in it, also when the clock of the system is moved by hand.
    pub(super) async fn wait_until(&self, at_most: Duration, is_so: impl Fn() -> bool) -> bool {
        let mut pulse = self.core.pulse.listen();
        let wait = async {
            while !is_so() {
                pulse.mark_unchanged();
                if !is_so() {
                    pulse.changed().await;
                }
            }
        };
        tokio::time::timeout(at_most, wait).await.is_ok()
    }

    /// Waits, at most [`MAX_WAIT`], until the inline views that listen to what was recorded show
    /// it. Gives those that do not: also when the system stops, since nothing follows then.
    pub(super) async fn behind(&self, receipt: &Receipt) -> Vec<String> {
        let listens = |view: &ViewState| {
            let types = &view.def.types;
            view.def.mode == Mode::Inline && receipt.events.iter().any(|e| types.contains(&e.ty))
        };
        let mut behind: Vec<_> = self.core.views.values().filter(|v| listens(v)).collect();
        if behind.is_empty() {
            return vec![];
        }
        let shown = |view: &ViewState| view.feed.at() >= receipt.position;
        // One that stands still until somebody lets it go on is not waited for either.
        let come = |view: &ViewState| view.settled(receipt.position);
        tokio::select! {
            biased;
            () = self.core.stop.cancelled() => {}
            _ = self.wait_until(MAX_WAIT, || behind.iter().all(|v| come(v))) => {}
        }
        behind.retain(|v| !shown(v));
        behind.into_iter().map(|v| v.def.name.clone()).collect()
    }
}
