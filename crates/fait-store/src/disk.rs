//! The store on disk.

use crate::ahead;
use crate::commit::command;
use crate::erase;
use crate::error::OpenError;
use crate::file::{Folder, RealFolder};
use crate::flaw::Planted;
use crate::folder::{
    FolderLock, Holds, inspect, lock as lock_folder, lock_for_reading, make, not_a_store,
    segment_name, sweep, write_meta,
};
use crate::format::{Meta, SEGMENT_HEADER, SegmentHeader, VERSION};
use crate::index::Tail as TailIndex;
use crate::keeper;
use crate::load::{LoadError, Loaded};
use crate::log::{Log, Tail, begin};
use crate::options::Options;
use crate::pages::Pages;
use crate::read::{self, EventRef};
use crate::recover::{Recovered, Recovery, recover};
use crate::shared::{Shared, Spare, lock};
use crate::stretch::{Segment, Stretch};
use crate::writer::{Answer, Job, MAX_WAITING, Thread, Writer};
use fait_core::event::Position;
use fait_core::query::Query;
use fait_core::store::{
    Append, AppendError, Appended, BoxFuture, CommandKey, Durability, Erase, Erased, Range, Slice,
    Store, StoreError,
};
use futures_channel::oneshot;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use uuid::Uuid;

/// A store in a folder of this machine, used by one process at a time.
///
/// Appends that wait at the same time are written together, with one sync; at most
/// [`MAX_WAITING`] wait for the writer, more wait for room. One that comes while no other is
/// under way is written by the thread that polls it, which takes as long as one sync of the disk.
/// Reads use the calling thread for as long as the disk needs, and hold as many events in memory
/// as their limit allows.
///
/// After a write or a sync has failed, appends are refused until the store is opened again; reads
/// go on. A full disk refuses appends until there is room. Dropping the store waits for its
/// threads, and writes the index of the newest segment.
#[derive(Debug)]
pub struct Disk {
    shared: Arc<Shared>,
    recovery: Recovery,
    held: Mutex<Held>,
}

/// What is let go of when the store is closed.
#[derive(Default)]
struct Held {
    /// None when the store was opened to be read, or is closed.
    writer: Option<Arc<Mutex<Writer>>>,
    jobs: Option<Sender<Job>>,
    keep: Option<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
    to_read: bool,
    /// Dropped last: the folder is ours until the threads have ended.
    lock: Option<FolderLock>,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held")
            .field("to_read", &self.to_read)
            .finish_non_exhaustive()
    }
}

/// How large a store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Events.
    pub events: u64,
    /// Bytes of the log, without what is made ahead.
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
        self.shared.path()
    }

    /// What opening found at the end of the log.
    pub fn recovery(&self) -> Recovery {
        self.recovery
    }

    /// Why appends are refused; nothing while all is well.
    pub fn trouble(&self) -> Option<StoreError> {
        self.shared.trouble.get().cloned()
    }

    /// What could not be done beside the writing: an index file, or the next segment's. Nothing
    /// is lost by it; the store is slower to open, or to write.
    pub fn notice(&self) -> Option<StoreError> {
        self.shared.notice()
    }

    /// How large the store is.
    pub fn stats(&self) -> Stats {
        let stretches = self.shared.stretches();
        let mut last_of_each = stretches.chunk_by(|a, b| a.segment.number == b.segment.number);
        let (mut bytes, mut segments) = (0, 0);
        for of_segment in &mut last_of_each {
            bytes += of_segment.last().map_or(0, |s| s.end());
            segments += 1;
        }
        Stats {
            events: self.shared.head(),
            bytes,
            segments,
        }
    }

    /// Goes through what a query selects and shows each event as it lies in the log, until
    /// `each` breaks off; many times faster than making events of them. Gives the head up to
    /// which it looked. Uses the calling thread all the while, and for many events a second one
    /// that reads ahead; appends go on beside it.
    ///
    /// # Errors
    /// A file cannot be read, or is damaged; the message says which, and where.
    pub fn scan(
        &self,
        query: &Query,
        range: Range,
        each: impl FnMut(&EventRef<'_>) -> ControlFlow<()>,
    ) -> Result<Position, StoreError> {
        ahead::scan(&self.shared, query, range, each)
    }

    pub(crate) fn open_with(path: &Path, options: Options) -> Result<Disk, OpenError> {
        let folder: Arc<dyn Folder> = Arc::new(RealFolder::new(path, true));
        RealFolder::make(path).map_err(OpenError::io("make", path))?;
        // Before the lock is made: what is not a store stays as it is.
        inspect(&*folder)?;
        let lock = lock_folder(path)?;
        Disk::start(folder, options, Some(lock))
    }

    pub(crate) fn read_with(path: &Path, options: Options) -> Result<Disk, OpenError> {
        let folder: Arc<dyn Folder> = Arc::new(RealFolder::new(path, false));
        inspect(&*folder)?;
        let lock = lock_for_reading(path)?;
        Disk::look(folder, options, lock)
    }

    /// Opens the store in a folder to read it.
    pub(crate) fn look(
        folder: Arc<dyn Folder>,
        options: Options,
        lock: Option<FolderLock>,
    ) -> Result<Disk, OpenError> {
        let Holds::Store(meta) = inspect(&*folder)? else {
            return Err(not_a_store(folder.path(), "it is empty"));
        };
        let pages = Arc::new(Pages::new(options.cache_bytes));
        let found = recover(&*folder, &pages, meta.store)?;
        let shared = Shared::new(folder, meta, options, pages, found.stretches, found.head);
        Ok(Disk {
            shared: Arc::new(shared),
            recovery: found.recovery,
            held: Mutex::new(Held {
                to_read: true,
                lock,
                ..Held::default()
            }),
        })
    }

    /// Opens the store in a folder that is ours.
    pub(crate) fn start(
        folder: Arc<dyn Folder>,
        options: Options,
        lock: Option<FolderLock>,
    ) -> Result<Disk, OpenError> {
        let path = folder.path().to_path_buf();
        let meta = match inspect(&*folder)? {
            Holds::Store(meta) => meta,
            Holds::Nothing => make(&*folder)?,
        };
        let pages = Arc::new(Pages::new(options.cache_bytes));
        let mut found = recover(&*folder, &pages, meta.store)?;
        sweep(&*folder)?;
        let meta = renew(&*folder, meta)?;
        let recovery = found.recovery;
        let (log, last_time) = resume(&folder, &meta, options, &pages, &mut found)?;
        let Recovered {
            stretches, head, ..
        } = found;
        let Some(active) = stretches.last().cloned() else {
            return Err(OpenError::corrupt(&path, 0, "there is no segment"));
        };
        let shared = Arc::new(Shared::new(folder, meta, options, pages, stretches, head));
        let writer = Writer::new(shared.clone(), log, active, last_time);
        let disk = Disk {
            shared,
            recovery,
            held: Mutex::new(Held {
                writer: Some(Arc::new(Mutex::new(writer))),
                lock,
                ..Held::default()
            }),
        };
        disk.finish_erasure()?;
        if !options.inline {
            disk.start_threads()
                .map_err(OpenError::io("start a thread for", &path))?;
        }
        Ok(disk)
    }

    fn finish_erasure(&self) -> Result<(), OpenError> {
        let Some(writer) = self.held().writer.clone() else {
            return Ok(());
        };
        let keeping = lock(&self.shared.keeping);
        let finished = erase::finish(&self.shared, &writer, &keeping);
        finished.map_err(|e| OpenError::Io {
            doing: "finish erasing in",
            path: self.path().to_path_buf(),
            source: std::io::Error::other(e),
        })
    }

    fn start_threads(&self) -> std::io::Result<()> {
        let mut held = self.held();
        let Some(writer) = held.writer.clone() else {
            return Ok(());
        };
        let (jobs, receiver) = mpsc::channel();
        let (keep, kept) = mpsc::channel();
        let thread = Thread {
            shared: self.shared.clone(),
            writer,
            jobs: receiver,
            calm: 0,
        };
        let shared = self.shared.clone();
        let name = |name: &str| thread::Builder::new().name(name.into());
        let planted = Planted::here();
        let writing = name("fait-store").spawn(move || {
            planted.plant();
            thread.run();
        });
        held.threads.push(writing?);
        let keeping = name("fait-keeper").spawn(move || {
            planted.plant();
            keep_on(&shared, &kept);
        });
        held.threads.push(keeping?);
        (held.jobs, held.keep) = (Some(jobs), Some(keep));
        Ok(())
    }

    /// Does one piece of the work beside the writing; says whether there was any. Only needed
    /// where no thread does it.
    #[cfg(any(test, feature = "sim"))]
    pub(crate) fn tend(&self) -> Result<bool, StoreError> {
        keeper::tend(&self.shared)
    }

    /// Commits appends as one group.
    #[cfg(any(test, feature = "sim"))]
    pub(crate) fn append_together(&self, appends: &[Append]) -> Vec<Answer> {
        match self.held().writer.clone() {
            Some(writer) => lock(&writer).commit(appends.iter()),
            None => vec![],
        }
    }

    /// Puts events as they once were behind the last one.
    pub(crate) fn load(&self, events: &[Loaded]) -> Result<(), LoadError> {
        let writer = {
            let held = self.held();
            held.writer.clone().ok_or_else(|| self.not_open(&held))?
        };
        lock(&writer).load(events)?;
        self.wake_keeper();
        Ok(())
    }

    async fn append_async(&self, append: Append) -> Answer {
        self.shared.refuse_form(&append)?;
        let (writer, jobs) = {
            let held = self.held();
            match &held.writer {
                Some(writer) => (writer.clone(), held.jobs.clone()),
                None => return Err(self.not_open(&held).into()),
            }
        };
        let Some(jobs) = jobs else {
            // No threads: whoever asks, writes.
            let answer = lock(&writer).commit([&append].into_iter()).pop();
            return answer.unwrap_or_else(|| Err(self.shared.stopped().into()));
        };
        if let Some(answer) = self.commit_here(&writer, &jobs, &append) {
            return answer;
        }
        // Closing waits until nobody can send to the writer's thread any more. Nobody may keep it
        // waiting who waits himself: one thread may have both in hand.
        drop((writer, jobs));
        self.room().await?;
        let answered = self.send(append)?;
        self.wake_keeper();
        answered
            .await
            .unwrap_or_else(|_| Err(self.shared.stopped().into()))
    }

    /// Gives an append to the writer's thread.
    fn send(&self, append: Append) -> Result<oneshot::Receiver<Answer>, StoreError> {
        let held = self.held();
        let jobs = held.jobs.as_ref().ok_or_else(|| self.not_open(&held))?;
        let (answer, answered) = oneshot::channel();
        let sent = jobs.send(Job::Append(append, answer));
        sent.map_err(|_| self.shared.stopped())?;
        Ok(answered)
    }

    /// Commits on this thread, when nobody else is about to.
    fn commit_here(
        &self,
        writer: &Mutex<Writer>,
        jobs: &Sender<Job>,
        append: &Append,
    ) -> Option<Answer> {
        let shared = &self.shared;
        let group = matches!(shared.options.durability, Durability::Group(_));
        let alone = !shared.busy.load(Ordering::Acquire)
            && shared.waiting.load(Ordering::Acquire) == 0
            && shared.options.on_caller
            && !group;
        let mut writer = alone.then(|| writer.try_lock().ok()).flatten()?;
        let sealed = writer.log.is_sealed();
        let answer = writer.commit([append].into_iter()).pop();
        drop(writer);
        if sealed {
            // When the thread is gone, the store says so on the next append.
            let _ = jobs.send(Job::Unsealed);
        }
        self.wake_keeper();
        answer
    }

    /// The keeper looks when half a segment is full.
    fn wake_keeper(&self) {
        if keeper::has_work(&self.shared)
            && let Some(keep) = &self.held().keep
        {
            let _ = keep.send(());
        }
    }

    fn not_open(&self, held: &Held) -> StoreError {
        let why = match held.to_read {
            true => "was opened to be read; open it for writing to append",
            false => "is closed; open it again to append",
        };
        StoreError::new(format_args!("the store in {} {why}", self.path().display()))
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

    /// Erases on a thread of its own: it may take long.
    async fn erase_async(&self, erase: Erase) -> Result<Erased, AppendError> {
        if self.shared.options.inline {
            let held = self.held();
            let writer = held.writer.clone().ok_or_else(|| self.not_open(&held))?;
            drop(held);
            return erase::erase(&self.shared, &writer, &erase);
        }
        let answered = self.start_erasing(erase)?;
        answered
            .await
            .unwrap_or_else(|_| Err(self.shared.stopped().into()))
    }

    /// Starts the thread in one step: whoever closes the store finds it and waits for it, or has
    /// been before.
    fn start_erasing(
        &self,
        erase: Erase,
    ) -> Result<oneshot::Receiver<Result<Erased, AppendError>>, StoreError> {
        let mut held = self.held();
        let writer = held.writer.clone().ok_or_else(|| self.not_open(&held))?;
        let (shared, jobs) = (self.shared.clone(), held.jobs.clone());
        let (answer, answered) = oneshot::channel();
        let work = move || {
            let erased = erase::erase(&shared, &writer, &erase);
            if let Some(jobs) = jobs {
                let _ = jobs.send(Job::Unsealed);
            }
            // A caller that has gone away wants no answer.
            let _ = answer.send(erased);
        };
        let thread = thread::Builder::new().name("fait-erase".into()).spawn(work);
        let thread = thread
            .map_err(|e| StoreError::new(format_args!("cannot start a thread to erase: {e}")))?;
        held.threads.retain(|thread| !thread.is_finished());
        held.threads.push(thread);
        Ok(answered)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        lock(&self.held)
    }

    fn let_go(&self) {
        let held = std::mem::take(&mut *self.held());
        let Held {
            writer,
            jobs,
            keep,
            threads,
            to_read,
            lock: folder_lock,
        } = held;
        self.held().to_read = to_read;
        self.shared.closing.store(true, Ordering::Relaxed);
        drop((jobs, keep));
        for thread in threads {
            // A thread that panicked has nothing left to do; what was answered is durable.
            let _ = thread.join();
        }
        if let Some(writer) = writer {
            keeper::close(&self.shared, &mut lock(&writer));
        }
        drop(folder_lock);
    }
}

/// The keeper's thread.
fn keep_on(shared: &Shared, kept: &Receiver<()>) {
    keeper::warm(shared);
    // A segment that lost its index is given one at once.
    loop {
        while let Ok(true) = keeper::tend(shared) {}
        if kept.recv().is_err() {
            return;
        }
        while kept.try_recv().is_ok() {}
    }
}

/// A store that an older program made says from now on that a newer one has written to it.
fn renew(folder: &dyn Folder, meta: Meta) -> Result<Meta, OpenError> {
    if meta.version == VERSION {
        return Ok(meta);
    }
    let meta = Meta {
        version: VERSION,
        ..meta
    };
    write_meta(folder, &meta)?;
    Ok(meta)
}

/// Goes on at the end of the log, or begins one.
fn resume(
    folder: &Arc<dyn Folder>,
    meta: &Meta,
    options: Options,
    pages: &Arc<Pages>,
    found: &mut Recovered,
) -> Result<(Log, fait_core::event::Time), OpenError> {
    if found.tail.is_none() {
        let header = SegmentHeader {
            version: VERSION,
            store: meta.store,
            number: 1,
            first: 1,
            chain: 0,
            rewritten: None,
        };
        let path = folder.path().join(segment_name(1));
        // Whoever made the store may have failed to make its name durable; no segment may be
        // there without it.
        folder
            .sync()
            .map_err(OpenError::io("write", folder.path()))?;
        let made = begin(&**folder, Spare::None, &header);
        let (file, size) = made.map_err(OpenError::io("make", &path))?;
        let end = SEGMENT_HEADER as u64;
        let segment = Segment {
            number: 1,
            first: 1,
            path,
            file: pages.number(file.clone()),
        };
        let stretch = Stretch::growing(Arc::new(segment), TailIndex::new(0), end);
        found.stretches.push(Arc::new(stretch));
        found.tail = Some(Tail {
            file,
            header,
            end,
            size,
            torn: false,
            last: None,
            chain: 0,
        });
    }
    let Some(tail) = found.tail.take() else {
        return Err(OpenError::corrupt(folder.path(), 0, "there is no segment"));
    };
    let log = Log::resume(folder.clone(), tail, options)?;
    Ok((log, found.last_time))
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
        Disk::read_with(path.as_ref(), self)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.let_go();
    }
}

impl Store for Disk {
    fn id(&self) -> Uuid {
        self.shared.meta.history
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
            // What is not durable yet is known to the index, and to nobody else.
            let head = self.shared.head();
            let known = command(&self.shared, id, head, &read::none_pending)?;
            Ok(known.map(|known| (known.key, known.receipt)))
        })
    }

    fn event(&self, id: Uuid) -> BoxFuture<'_, Result<Option<Position>, StoreError>> {
        Box::pin(async move {
            let head = self.shared.head();
            read::event_by_id(&self.shared, id, head, &read::none_pending)
        })
    }

    fn head(&self) -> BoxFuture<'_, Result<Position, StoreError>> {
        Box::pin(async move { Ok(self.shared.head()) })
    }

    fn erase(&self, erase: Erase) -> BoxFuture<'_, Result<Erased, AppendError>> {
        Box::pin(self.erase_async(erase))
    }

    fn wait(&self, after: Position) -> BoxFuture<'_, Result<Position, StoreError>> {
        Box::pin(async move {
            loop {
                let grown = self.shared.grown.listen();
                let head = self.shared.head();
                if head > after {
                    return Ok(head);
                }
                grown.await;
            }
        })
    }
}
