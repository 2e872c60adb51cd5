//! Outlets: brokers that messages are handed to, and how each stands.

use crate::bus::{Outlet, Reached};
use fait_core::event::{Position, Time};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The first wait after a failure; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Whoever waits for everything to be done does not wait longer for a broker that does not answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// What an outlet that has stopped waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "wants", rename_all = "kebab-case")]
pub enum Wants {
    /// An operator says from where on messages are handed over.
    Replay,
    /// An operator skips a message, or it is tried again.
    Skip {
        /// The place of the message in the log.
        position: Position,
    },
    /// The broker is changed; that is looked for now and then.
    Change,
}

/// An outlet that does not go on by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Halted {
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Time,
    /// What it waits for.
    #[serde(flatten)]
    pub wants: Wants,
}

/// An outlet with how it stands.
pub(crate) struct Relay {
    pub(crate) name: String,
    pub(super) outlet: Arc<dyn Outlet>,
    state: Mutex<State>,
    /// An operator did something.
    pub(super) poke: Notify,
    /// Held by who asks the outlet or hands over.
    pub(super) turn: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// How an outlet stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// What the other side had, as it was last heard.
    pub(crate) reached: Option<Reached>,
    /// All messages up to here are there, or need not be.
    pub(crate) at: Position,
    /// The newest fact about it that is heeded.
    pub(super) facts: Position,
    /// Failures in a row.
    pub(super) failures: u32,
    pub(crate) trouble: Option<(Time, String)>,
    /// When it is tried again.
    pub(crate) next_try: Option<Time>,
    pub(crate) halted: Option<Halted>,
    /// Since when the other side is waited for.
    asked: Option<Instant>,
}

impl Relay {
    pub(crate) fn new(name: String, outlet: Arc<dyn Outlet>) -> Relay {
        Relay {
            name,
            outlet,
            state: Mutex::default(),
            poke: Notify::new(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    pub(super) fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody asks it or hands over, and keeps it so.
    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// It is tried at once.
    pub(crate) fn wake(&self) {
        self.locked().failures = 0;
        self.poke.notify_one();
    }

    pub(crate) fn state(&self) -> State {
        self.locked().clone()
    }

    /// Whether nothing more comes of it by itself for now.
    pub(crate) fn settled(&self, head: Position, now: Time) -> bool {
        let state = self.locked();
        state.at >= head
            || state.halted.is_some()
            || state.next_try.is_some_and(|at| at > now)
            || state.asked.is_some_and(|at| at.elapsed() > PATIENCE)
    }

    pub(super) fn knows(&self, facts: Position) {
        self.locked().facts = facts;
    }

    pub(super) fn asks(&self, asks: bool) {
        self.locked().asked = asks.then(Instant::now);
    }

    /// The other side was asked, and stands there. That it answers ends no trouble of handing over:
    /// only that it has come on does, by whomever.
    pub(super) fn stands(&self, reached: &Reached, at: Position) {
        let mut state = self.locked();
        let same = state.reached.as_ref() == Some(reached);
        if same && state.trouble.is_some() {
            state.at = at;
            state.halted = None;
            return;
        }
        drop(state);
        self.came(reached, at);
    }

    /// There is nothing to hand over up to there, whatever becomes of what follows.
    pub(super) fn passed(&self, at: Position) {
        self.locked().at = at;
    }

    /// The other side has come so far.
    pub(super) fn came(&self, reached: &Reached, at: Position) {
        let mut state = self.locked();
        state.reached = Some(reached.clone());
        state.at = at;
        state.failures = 0;
        state.trouble = None;
        state.next_try = None;
        state.halted = None;
    }

    /// It is tried again; gives when. `chance` is any number.
    pub(super) fn failed(&self, error: String, now: Time, chance: u128) -> Time {
        let mut state = self.locked();
        state.failures = state.failures.saturating_add(1);
        let since = state.trouble.as_ref().map_or(now, |(since, _)| *since);
        state.trouble = Some((since, error));
        let factor = 1u32.checked_shl(state.failures - 1).unwrap_or(u32::MAX);
        let most = FIRST_WAIT.saturating_mul(factor).min(LONGEST_WAIT);
        let micros = chance % (most.as_micros() / 2 + 1);
        let part = Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX));
        let next = now + most / 2 + part;
        state.next_try = Some(next);
        next
    }

    /// It does not go on by itself.
    pub(super) fn halts(&self, reason: String, wants: Wants, now: Time) {
        let mut state = self.locked();
        state.trouble = None;
        state.next_try = (wants == Wants::Change).then(|| now + LONGEST_WAIT);
        let same = state.halted.as_ref().filter(|h| h.reason == reason);
        let since = same.map_or(now, |h| h.since);
        if same.is_none() {
            tracing::error!(
                outlet = self.name,
                reason,
                "nothing is handed over any more"
            );
        }
        state.halted = Some(Halted {
            reason,
            since,
            wants,
        });
    }
}
