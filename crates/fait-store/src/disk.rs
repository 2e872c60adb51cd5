//! The store on disk.

use crate::error::OpenError;
use crate::file::{Folder, RealFolder};
use crate::folder::{Holds, inspect, lock, lock_for_reading, make, not_a_store};
use crate::log::Log;
use crate::options::Options;
use crate::read;
use crate::recover::{Recovered, Recovery, recover};
use crate::shared::Shared;
use crate::writer::{Job, MAX_WAITING, Writer};
use fait_core::event::Position;
use fait_core::query::Query;
use fait_core::store::{
    Append, AppendError, Appended, BoxFuture, CommandKey, Erase, Erased, Range, Slice, Store,
    StoreError,
};
use futures_channel::oneshot;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use uuid::Uuid;

/// A store in a folder of this machine, used by one process at a time.
///
/// Appends that wait at the same time are written together, with one sync; at most
/// [`MAX_WAITING`] wait for the writer, more wait for room. Reads use the calling thread for as
/// long as the disk needs, and hold as many events in memory as their limit allows.
///
/// After a write or a sync has failed, appends are refused until the store is opened again; reads
/// go on. Dropping the store waits for the writer, which takes at most one write and one sync.
#[derive(Debug)]
pub struct Disk {
    shared: Arc<Shared>,
    recovery: Recovery,
    to_read: bool,
    held: Mutex<Held>,
}

/// What is let go of when the store is closed.
#[derive(Debug, Default)]
struct Held {
    /// None when the store was opened to be read.
    jobs: Option<Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    /// Dropped last: the folder is ours until the writer has ended.
    lock: Option<File>,
}

/// How large a store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Events.
    pub events: u64,
    /// Bytes of all segments.
    pub bytes: u64,
    /// Segments.
    pub segments: usize,
}

impl Disk {
    /// Opens the store in a folder, and makes both when they are not there.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(path: impl AsRef<Path>) -> Result<Disk, OpenError> {
        Options::default().open(path)
    }

    /// Opens a store that nobody is using, to read it; see [`Options::open_read_only`].
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Disk, OpenError> {
        Options::default().open_read_only(path)
    }

    /// How a store is opened, to be changed before it is.
    pub fn options() -> Options {
        Options::default()
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// What opening found at the end of the log.
    pub fn recovery(&self) -> Recovery {
        self.recovery
    }

    /// Why appends are refused; nothing while all is well.
    pub fn trouble(&self) -> Option<StoreError> {
        self.shared.trouble.get().cloned()
    }

    /// How large the store is.
    ///
    /// # Errors
    /// The store has stopped after an internal error.
    pub fn stats(&self) -> Result<Stats, StoreError> {
        let published = self.shared.read()?;
        Ok(Stats {
            events: published.index.head(),
            bytes: published.bytes,
            segments: published.segments.len(),
        })
    }

    pub(crate) fn open_with(path: &Path, options: Options) -> Result<Disk, OpenError> {
        let folder: Arc<dyn Folder> = Arc::new(RealFolder::new(path, true));
        RealFolder::make(path).map_err(OpenError::io("make", path))?;
        // Before the lock is made: what is not a store stays as it is.
        inspect(&*folder)?;
        let lock = lock(path)?;
        Disk::start(folder, options, Some(lock))
    }

    pub(crate) fn read_with(path: &Path) -> Result<Disk, OpenError> {
        let folder = RealFolder::new(path, false);
        inspect(&folder)?;
        let lock = lock_for_reading(path)?;
        let Holds::Store(meta) = inspect(&folder)? else {
            return Err(not_a_store(path, "it is empty"));
        };
        let Recovered {
            published,
            recovery,
            ..
        } = recover(&folder, meta.store)?;
        Ok(Disk {
            shared: Arc::new(Shared::new(path, meta.store, published)),
            recovery,
            to_read: true,
            held: Mutex::new(Held {
                lock,
                ..Held::default()
            }),
        })
    }

    /// Opens the store in a folder that is ours.
    pub(crate) fn start(
        folder: Arc<dyn Folder>,
        options: Options,
        lock: Option<File>,
    ) -> Result<Disk, OpenError> {
        let path = folder.path().to_path_buf();
        let meta = match inspect(&*folder)? {
            Holds::Store(meta) => meta,
            Holds::Nothing => make(&*folder)?,
        };
        let Recovered {
            mut published,
            recovery,
            tail,
        } = recover(&*folder, meta.store)?;
        let log = match tail {
            Some(tail) => Log::resume(folder, tail, options)?,
            None => {
                let log = Log::begin(folder, meta.store, options)?;
                published.segments.push(log.segment().clone());
                published.bytes = log.end();
                log
            }
        };
        let shared = Arc::new(Shared::new(&path, meta.store, published));
        let (jobs, receiver) = mpsc::channel();
        let writer = Writer {
            shared: shared.clone(),
            log,
            jobs: receiver,
            buffer: Vec::new(),
        };
        #[cfg(any(test, feature = "sim"))]
        let planted = crate::flaw::Planted::here();
        let writer = thread::Builder::new()
            .name("fait-store".into())
            .spawn(move || {
                #[cfg(any(test, feature = "sim"))]
                planted.plant();
                writer.run();
            })
            .map_err(OpenError::io("start a thread for", &path))?;
        Ok(Disk {
            shared,
            recovery,
            to_read: false,
            held: Mutex::new(Held {
                jobs: Some(jobs),
                writer: Some(writer),
                lock,
            }),
        })
    }

    async fn append_async(&self, append: Append) -> Result<Appended, AppendError> {
        let jobs = self.held().jobs.clone();
        let jobs = jobs.ok_or_else(|| {
            let why = if self.to_read {
                "was opened to be read; open it for writing to append"
            } else {
                "is closed; open it again to append"
            };
            StoreError::new(format_args!("the store in {} {why}", self.path().display()))
        })?;
        self.room().await?;
        let (answer, answered) = oneshot::channel();
        jobs.send(Job { append, answer })
            .map_err(|_| self.shared.stopped())?;
        answered
            .await
            .unwrap_or_else(|_| Err(self.shared.stopped().into()))
    }

    /// Waits until one more append may wait, and is taken at all.
    async fn room(&self) -> Result<(), StoreError> {
        loop {
            let room = self.shared.room.listen();
            if let Some(trouble) = self.trouble() {
                return Err(trouble);
            }
            let more = |n| (n < MAX_WAITING).then_some(n + 1);
            let waiting = &self.shared.waiting;
            if waiting
                .fetch_update(Ordering::AcqRel, Ordering::Acquire, more)
                .is_ok()
            {
                return Ok(());
            }
            room.await;
        }
    }
}

impl Options {
    /// Opens the store in a folder, and makes both when they are not there.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(self, path: impl AsRef<Path>) -> Result<Disk, OpenError> {
        Disk::open_with(path.as_ref(), self)
    }

    /// Opens a store that nobody is using, to read it. Nothing is made, cut or written; appends
    /// are refused. Several readers may do so at once, and keep writers away.
    ///
    /// # Errors
    /// See [`OpenError`]. A folder without a store is [`OpenError::NotAStore`].
    pub fn open_read_only(self, path: impl AsRef<Path>) -> Result<Disk, OpenError> {
        Disk::read_with(path.as_ref())
    }
}

impl Disk {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn let_go(&self) {
        let Held { jobs, writer, lock } = std::mem::take(&mut *self.held());
        drop(jobs);
        if let Some(writer) = writer {
            // A writer that panicked has nothing left to do; what it had answered is durable.
            let _ = writer.join();
        }
        drop(lock);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.let_go();
    }
}

impl Store for Disk {
    fn id(&self) -> Uuid {
        self.shared.store
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async { self.let_go() })
    }

    fn append(&self, append: Append) -> BoxFuture<'_, Result<Appended, AppendError>> {
        Box::pin(self.append_async(append))
    }

    fn read<'a>(
        &'a self,
        query: &'a Query,
        range: Range,
    ) -> BoxFuture<'a, Result<Slice, StoreError>> {
        Box::pin(async move { read::slice(&self.shared, query, range) })
    }

    fn command(
        &self,
        id: Uuid,
    ) -> BoxFuture<'_, Result<Option<(CommandKey, Appended)>, StoreError>> {
        Box::pin(async move {
            let published = self.shared.read()?;
            Ok(published
                .index
                .command(id)
                .map(|known| (known.key, known.receipt)))
        })
    }

    fn event(&self, id: Uuid) -> BoxFuture<'_, Result<Option<Position>, StoreError>> {
        Box::pin(async move { Ok(self.shared.read()?.index.event(id)) })
    }

    fn head(&self) -> BoxFuture<'_, Result<Position, StoreError>> {
        Box::pin(async move { self.shared.head() })
    }

    fn erase(&self, erase: Erase) -> BoxFuture<'_, Result<Erased, AppendError>> {
        let why = format!("nothing can be erased under `{}` yet", erase.tag);
        Box::pin(async move { Err(AppendError::Store(StoreError::new(why))) })
    }

    fn wait(&self, after: Position) -> BoxFuture<'_, Result<Position, StoreError>> {
        Box::pin(async move {
            loop {
                let grown = self.shared.grown.listen();
                let head = self.shared.head()?;
                if head > after {
                    return Ok(head);
                }
                grown.await;
            }
        })
    }
}
