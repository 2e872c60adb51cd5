//! What drives the pure words: it reads and appends, keeps views, steps processes, waits.

pub(crate) mod flaw;
pub(crate) mod db;
pub(crate) mod feeds;
pub(crate) mod turns;
pub(crate) mod models;
pub(crate) mod snapshots;
pub(crate) mod token;
mod receipt;
mod spanned;
pub(crate) mod note;
pub(crate) mod decide;
mod recorded;
pub(crate) mod view;
pub(crate) mod index;
pub(crate) mod flows;
pub(crate) mod lanes;
pub(crate) mod step;
pub(crate) mod route;
mod compose;
#[cfg(feature = "sim")]
mod flawed;
pub(crate) mod definitions;
pub(crate) mod begin;
mod backlog;
mod works;
pub(crate) mod dispatch;
pub(crate) mod bulk;
pub(crate) mod hear;
pub(crate) mod bus;

use crate::clock::Clock;
use fait_core::decision::CommandDef;
use fait_core::event::{EventCode, EventDef, Position, Tag};
use fait_core::process::ProcessDef;
use fait_core::projection::ProjectionDef;
use fait_core::store::{Store, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Everything that a running system consists of.
pub(crate) struct Core {
    pub(crate) name: String,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Clock,
    pub(crate) db: Arc<db::Db>,
    pub(crate) turns: Arc<turns::Turns>,
    pub(crate) shelf: Arc<snapshots::Shelf>,
    pub(crate) commands: BTreeMap<String, CommandDef>,
    pub(crate) views: BTreeMap<String, Arc<view::ViewState>>,
    pub(crate) processes: BTreeMap<String, Arc<step::Runner>>,
    pub(crate) received: BTreeMap<String, (EventDef, String)>,
    pub(crate) retired: BTreeMap<String, String>,
    /// Commands whose words are not recorded.
    pub(crate) unrecorded: BTreeSet<String>,
    pub(crate) systems: BTreeMap<String, dispatch::system::Adapter>,
    /// Who hears other systems, by name.
    pub(crate) hearings: BTreeMap<String, Arc<hear::Hearing>>,
    pub(crate) publications: bus::publication::Publications,
    pub(crate) outlets: Vec<Arc<bus::outlet::Relay>>,
    /// Who this system is to others: a URI.
    pub(crate) source: String,
    pub(crate) index: Feed,
    pub(crate) recent: index::Recent,
    pub(crate) flows: flows::Indexing,
    pub(crate) dispatch: dispatch::Dispatch,
    pub(crate) pulse: Pulse,
    pub(crate) bulks: bulk::Bulks,
    pub(crate) readers: Arc<feeds::Readers>,
    /// What the program can do with each event, by its stored names.
    pub(crate) codes: BTreeMap<String, EventCode>,
    /// Threads that fold one view at the same time.
    pub(crate) view_threads: usize,
    pub(crate) sizes: view::Sizes,
    /// Rebuilt views wait for the word to serve.
    pub(crate) hold_switches: bool,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

/// How far a reader of the log has come.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    position: AtomicU64,
}

impl Feed {
    pub(crate) fn at(&self) -> Position {
        self.position.load(Ordering::Acquire)
    }

    pub(crate) fn set(&self, position: Position) {
        self.position.store(position, Ordering::Release);
    }
}

/// Wakes whoever waits for any reader to get on. Those who run the system are woken in the order
/// in which they wait, so that a simulated run is the same each time; a `watch` wakes in any order.
#[derive(Debug)]
pub(crate) struct Pulse {
    beats: Arc<(AtomicU64, Notify)>,
    outside: watch::Sender<u64>,
}

impl Default for Pulse {
    fn default() -> Self {
        Pulse {
            beats: Arc::default(),
            outside: watch::Sender::new(0),
        }
    }
}

impl Pulse {
    pub(crate) fn beat(&self) {
        self.beats.0.fetch_add(1, Ordering::AcqRel);
        self.beats.1.notify_waiters();
        self.outside.send_modify(|n| *n += 1);
    }

    pub(crate) fn listen(&self) -> Listening {
        let beats = self.beats.clone();
        let seen = beats.0.load(Ordering::Acquire);
        Listening { beats, seen }
    }

    /// For whoever looks from outside.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.outside.subscribe()
    }
}

/// Somebody who listens to the pulse.
#[derive(Debug)]
pub(crate) struct Listening {
    beats: Arc<(AtomicU64, Notify)>,
    seen: u64,
}

impl Listening {
    /// What came until now is known.
    pub(crate) fn mark_unchanged(&mut self) {
        self.seen = self.beats.0.load(Ordering::Acquire);
    }

    /// Resolves when there was a beat since.
    pub(crate) async fn changed(&mut self) {
        loop {
            let beat = self.beats.1.notified();
            let now = self.beats.0.load(Ordering::Acquire);
            if now != self.seen {
                self.seen = now;
                return;
            }
            beat.await;
        }
    }
}

impl Core {
    pub(crate) fn view(&self, name: &str) -> Option<&Arc<view::ViewState>> {
        self.views.get(name)
    }

    pub(crate) fn process(&self, name: &str) -> Option<&ProcessDef> {
        self.processes.get(name).map(|r| &r.def)
    }

    /// Forgets the instances of processes that are about something that was erased.
    pub(crate) fn forget_about(&self, tag: &Tag) -> Result<(), StoreError> {
        for runner in self.processes.values() {
            runner.forget();
        }
        self.recent.forget();
        self.db.forget_about(tag.as_str())
    }

    pub(crate) fn view_defs(&self) -> impl Iterator<Item = &ProjectionDef> {
        self.views.values().map(|v| &v.def)
    }
}

/// Counts events that were appended.
pub(crate) fn count_appended(events: usize) {
    metrics::counter!("fait_events_appended_total").increment(events as u64);
}

/// The nearest of some names, if it is near.
pub(crate) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a String>) -> Option<String> {
    let name = name.to_lowercase();
    names
        .map(|n| (strsim::levenshtein(&name, &n.to_lowercase()), n))
        .filter(|(d, n)| *d <= n.len().max(name.len()) / 3 + 1)
        .min()
        .map(|(_, n)| n.clone())
}
