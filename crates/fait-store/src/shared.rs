//! What readers, the writer and the keeper share.

use crate::file::{Folder, LogFile};
use crate::format::Meta;
use crate::options::Options;
use crate::pages::Pages;
use crate::stretch::Stretch;
use event_listener::Event as Wake;
use fait_core::event::Position;
use fait_core::store::{Append, AppendError, StoreError, validate};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

/// What readers, the writer and the keeper share.
pub(crate) struct Shared {
    pub(crate) folder: Arc<dyn Folder>,
    pub(crate) meta: Meta,
    pub(crate) options: Options,
    pub(crate) pages: Arc<Pages>,
    /// The log, oldest first; the last stretch grows.
    stretches: RwLock<Arc<Vec<Arc<Stretch>>>>,
    /// The last position that is durable.
    head: AtomicU64,
    /// Woken when the head has moved.
    pub(crate) grown: Wake,
    /// Appends that wait for the writer.
    pub(crate) waiting: AtomicUsize,
    /// Woken when there is room for more of them.
    pub(crate) room: Wake,
    /// Several appends come at once: they go through the writer's thread.
    pub(crate) busy: AtomicBool,
    /// Groups that were committed.
    pub(crate) commits: AtomicU64,
    /// Why appends are refused from now on.
    pub(crate) trouble: OnceLock<StoreError>,
    /// What the keeper could not do, for each of its chores; nothing is lost by it.
    notices: Mutex<[Option<StoreError>; 2]>,
    /// The next segment's file, made ahead.
    pub(crate) spare: Mutex<Spare>,
    /// The store is being closed: what can wait is left.
    pub(crate) closing: AtomicBool,
    /// Held while files of old segments are made or replaced.
    pub(crate) keeping: Mutex<()>,
}

/// What the keeper does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Chore {
    /// The next segment's file is made ahead.
    Spare,
    /// Full segments get their index files.
    Index,
}

/// A file that waits to become a segment.
#[derive(Debug, Default)]
pub(crate) enum Spare {
    #[default]
    None,
    /// Zeros up to a length, durably.
    Ready(Arc<dyn LogFile>, u64),
    /// It could not be made; not tried again before the next segment.
    Failed,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for dyn LogFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LogFile")
    }
}

/// Locks that guard no invariant over several steps: a panic elsewhere leaves them usable.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(
        folder: Arc<dyn Folder>,
        meta: Meta,
        options: Options,
        pages: Arc<Pages>,
        stretches: Vec<Arc<Stretch>>,
        head: Position,
    ) -> Shared {
        Shared {
            folder,
            meta,
            options,
            pages,
            stretches: RwLock::new(Arc::new(stretches)),
            head: head.into(),
            grown: Wake::new(),
            waiting: AtomicUsize::new(0),
            room: Wake::new(),
            busy: AtomicBool::new(false),
            commits: AtomicU64::new(0),
            trouble: OnceLock::new(),
            notices: Mutex::default(),
            spare: Mutex::default(),
            closing: AtomicBool::new(false),
            keeping: Mutex::default(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn head(&self) -> Position {
        self.head.load(Ordering::Acquire)
    }

    /// Refuses an append of no form before room is made for it. How far its conditions may look
    /// is judged later, when the head is known.
    pub(crate) fn refuse_form(&self, append: &Append) -> Result<(), AppendError> {
        validate(append, Position::MAX)
    }

    /// Everything up to here is durable: readers may see it.
    pub(crate) fn publish(&self, head: Position) {
        self.head.store(head, Ordering::Release);
        self.grown.notify(usize::MAX);
    }

    /// The log as it is. Load the head before, so that all of it is in here.
    pub(crate) fn stretches(&self) -> Arc<Vec<Arc<Stretch>>> {
        self.stretches
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Replaces the list of stretches by another that covers the same, or more at the end.
    pub(crate) fn replace(&self, with: impl FnOnce(&mut Vec<Arc<Stretch>>)) {
        let mut stretches = self
            .stretches
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let mut list = Vec::clone(&stretches);
        with(&mut list);
        *stretches = Arc::new(list);
    }

    /// The stretch that a position is in.
    pub(crate) fn stretch_of(&self, position: Position) -> Option<Arc<Stretch>> {
        let stretches = self.stretches();
        let below = stretches.partition_point(|s| s.first() <= position);
        stretches.get(below.checked_sub(1)?).cloned()
    }

    /// Refuses appends from now on. Nothing clever is tried: after a failed sync nobody knows
    /// what the disk holds, and only opening the store again finds out.
    pub(crate) fn poison(&self, trouble: StoreError) -> StoreError {
        self.trouble.get_or_init(|| trouble).clone()
    }

    /// Notes what could not be done of a chore, or that it is done at last.
    pub(crate) fn note(&self, chore: Chore, notice: Option<StoreError>) {
        lock(&self.notices)[chore as usize] = notice;
    }

    pub(crate) fn notice(&self) -> Option<StoreError> {
        lock(&self.notices).iter().flatten().next().cloned()
    }

    /// The writer has come to an end that it should not have come to.
    pub(crate) fn stopped(&self) -> StoreError {
        StoreError::new(format_args!(
            "the store in {} has stopped after an internal error; open it again: what was \
             acknowledged is safe",
            self.path().display()
        ))
    }
}
