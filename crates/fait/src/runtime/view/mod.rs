//! Views: rows in SQLite with the checkpoint in the same transaction, and rebuilding beside the
//! one that serves.

mod act;
mod build;
mod diff;
pub(crate) mod catalog;
pub(crate) mod column;
pub(crate) mod fill;
mod file;
mod follow;
mod past;
pub(crate) mod read;
pub(crate) mod refold;
mod select;
mod sizes;
mod status;
mod sql;
pub(crate) mod table;

pub use act::{ViewAction, ViewDone, ViewError};
pub use diff::{Differs, Responsible, RowDiff, Side, ViewDiff};
pub use file::ViewsFile;
pub use past::AsOf;
pub use read::{MAX_FILTERS, MAX_IN, MAX_ROWS, MAX_SORTS, ReadError, Rows, RowsQuery, ViewRow};
pub use sizes::Sizes;
pub use status::{KeptStatus, ParkedKey, RebuildState, RebuildStatus, Unplaced, ViewStatus};

use super::{Core, Feed};
use act::Asked;
use build::Build;
use catalog::{Generation, State};
use fait_core::event::{Position, StoredEvent};
use fait_core::projection::{Mode, ProjectionDef};
use fait_core::query::Query;
use fait_core::store::StoreError;
use past::Past;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// A view of this system, with how far it has come.
#[derive(Debug)]
pub(crate) struct ViewState {
    pub(crate) def: ProjectionDef,
    pub(crate) feed: Feed,
    shown: Mutex<Shown>,
    /// The generation that is made beside the one that serves.
    build: Mutex<Option<Arc<Build>>>,
    finished: AtomicU64,
    failed: Mutex<Option<String>>,
    /// It does not follow, and will not by itself.
    still: AtomicBool,
    /// What waited from before was taken up.
    begun: AtomicBool,
    /// What a view that is folded on read came to the last time.
    live: tokio::sync::Mutex<Option<Past>>,
    ask: mpsc::UnboundedSender<Asked>,
    asked: Mutex<Option<mpsc::UnboundedReceiver<Asked>>>,
}

/// What is read of a view right now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    pub(crate) number: u64,
    pub(crate) table: String,
    pub(crate) version: u32,
    /// Why it does not follow, when it does not.
    pub(crate) frozen: Option<String>,
}

impl ViewState {
    pub(crate) fn new(def: ProjectionDef) -> Self {
        let (ask, asked) = mpsc::unbounded_channel();
        ViewState {
            def,
            feed: Feed::default(),
            shown: Mutex::default(),
            build: Mutex::default(),
            finished: AtomicU64::default(),
            failed: Mutex::default(),
            still: AtomicBool::default(),
            begun: AtomicBool::default(),
            live: Default::default(),
            ask,
            asked: Mutex::new(Some(asked)),
        }
    }

    pub(crate) fn shown(&self) -> Shown {
        lock(&self.shown).clone()
    }

    /// Whether nothing more is to be waited for, up to the head.
    pub(crate) fn settled(&self, head: Position) -> bool {
        let rests = || self.feed.at() >= head || self.still.load(Ordering::Acquire);
        self.is_live() || (self.begun.load(Ordering::Acquire) && rests())
    }

    /// Whether it is folded when it is read.
    pub(crate) fn is_live(&self) -> bool {
        self.def.mode == Mode::Live
    }

    fn query(&self) -> Query {
        Query::types(&self.def.types)
    }

    fn build(&self) -> Option<Arc<Build>> {
        lock(&self.build).clone()
    }

    /// What must be the same for stored rows to be of use.
    pub(crate) fn shape(&self) -> String {
        let d = &self.def;
        let text = format!("{} {:?} {} {}", d.row, d.types, d.key_kind, d.by_tags);
        uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, text.as_bytes()).to_string()
    }

    /// Whether this program can go on with a generation.
    fn fits(&self, g: &Generation) -> bool {
        g.version == self.def.version && g.shape == self.shape()
    }

    /// Why a generation does not follow, if it does not.
    fn frozen(&self, g: &Generation, others: &[Generation]) -> Option<String> {
        if self.fits(g) {
            return None;
        }
        let (was, at) = (g.version, g.position);
        let gone_back = others
            .iter()
            .any(|o| o.state == State::Rejected && self.fits(o));
        let now = self.def.version;
        Some(if gone_back {
            format!(
                "somebody went back to version {was} of this view, which stopped at event {at}; \
                 this program has version {now}"
            )
        } else {
            format!(
                "it was made by version {was} of this view, which stopped at event {at}; what this \
                 program makes by version {now} does not serve yet"
            )
        })
    }

    fn show(&self, g: &Generation, frozen: Option<String>) {
        *lock(&self.shown) = Shown {
            number: g.number,
            table: g.table().to_string(),
            version: g.version,
            frozen,
        };
        self.feed.set(g.position);
    }
}

impl Core {
    /// Makes a view's tables ready before anything runs.
    pub(crate) fn prepare_view(&self, view: &ViewState) -> Result<(), StoreError> {
        let name = &view.def.name;
        let (serving, frozen) = self.db.write(|tx| {
            catalog::sweep(tx, name)?;
            let mut all = catalog::generations(tx, name)?;
            if !all.iter().any(|g| g.state == State::Serving) {
                let first =
                    self.fresh(view, all.last().map_or(1, |g| g.number + 1), State::Serving);
                table::make(tx, &view.def, &first)?;
                catalog::put(tx, name, &first)?;
                all.push(first);
            }
            let serving = all.iter().find(|g| g.state == State::Serving).cloned();
            let serving = serving.unwrap_or_else(|| self.fresh(view, 1, State::Serving));
            let frozen = view.frozen(&serving, &all);
            if frozen.is_none() {
                table::index(tx, &view.def, serving.table())?;
            }
            table::show(tx, &view.def, &serving, frozen.as_deref())?;
            Ok((serving, frozen))
        })?;
        view.show(&serving, frozen);
        Ok(())
    }

    /// A generation of this program's code that has taken nothing in yet.
    fn fresh(&self, view: &ViewState, number: u64, state: State) -> Generation {
        Generation {
            number,
            version: view.def.version,
            shape: view.shape(),
            state,
            hold: false,
            paused: false,
            wanted: false,
            position: 0,
            events: 0,
            tables: table::tables(&view.def, number),
        }
    }
}

/// How far a reader is that has read this slice: to the head, unless the limit cut it short.
pub(crate) fn reached(events: &[StoredEvent], head: Position, limit: usize) -> Position {
    match events.last() {
        Some(last) if events.len() >= limit => last.meta.position,
        _ => head,
    }
}

fn lock<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}
