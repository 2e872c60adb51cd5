//! A store that counts what is read and what conflicts.

use fait::event::Position;
use fait::query::Query;
use fait::reexport::uuid::Uuid;
use fait::store::{
    Append, AppendError, Appended, BoxFuture, CommandKey, Erase, Erased, Memory, Range, Slice,
    Store, StoreError,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;

/// A store in memory that several systems can share.
#[derive(Clone)]
pub(crate) struct Counted(Arc<Inner>);

struct Inner {
    store: Memory,
    appends: AtomicUsize,
    conflicts: AtomicUsize,
    events_read: AtomicUsize,
    /// An append needs one to pass.
    gate: Semaphore,
}

impl Counted {
    pub(crate) fn new() -> Counted {
        Counted(Arc::new(Inner {
            store: Memory::default(),
            appends: AtomicUsize::new(0),
            conflicts: AtomicUsize::new(0),
            events_read: AtomicUsize::new(0),
            gate: Semaphore::new(1_000_000),
        }))
    }

    /// Lets no append pass any more.
    pub(crate) fn close_gate(&self) {
        self.0.gate.forget_permits(usize::MAX >> 3);
    }

    pub(crate) fn let_pass(&self, appends: usize) {
        self.0.gate.add_permits(appends);
    }

    pub(crate) fn appends(&self) -> usize {
        self.0.appends.load(Ordering::SeqCst)
    }

    pub(crate) fn conflicts(&self) -> usize {
        self.0.conflicts.load(Ordering::SeqCst)
    }

    /// Events read since the last time that this was asked.
    pub(crate) fn events_read(&self) -> usize {
        self.0.events_read.swap(0, Ordering::SeqCst)
    }

    async fn counted(&self, append: Append) -> Result<Appended, AppendError> {
        self.0.appends.fetch_add(1, Ordering::SeqCst);
        let pass = self.0.gate.acquire().await;
        pass.map_err(StoreError::new)?.forget();
        // Others get a chance to come between a decision and its append.
        tokio::task::yield_now().await;
        let done = self.0.store.append(append).await;
        if matches!(done, Err(AppendError::Conflict { .. })) {
            self.0.conflicts.fetch_add(1, Ordering::SeqCst);
        }
        done
    }
}

impl Store for Counted {
    fn id(&self) -> Uuid {
        self.0.store.id()
    }
    fn append(&self, append: Append) -> BoxFuture<'_, Result<Appended, AppendError>> {
        Box::pin(self.counted(append))
    }
    fn read<'a>(
        &'a self,
        query: &'a Query,
        range: Range,
    ) -> BoxFuture<'a, Result<Slice, StoreError>> {
        Box::pin(async move {
            let slice = self.0.store.read(query, range).await?;
            let count = &self.0.events_read;
            count.fetch_add(slice.events.len(), Ordering::SeqCst);
            Ok(slice)
        })
    }
    fn command(
        &self,
        id: Uuid,
    ) -> BoxFuture<'_, Result<Option<(CommandKey, Appended)>, StoreError>> {
        self.0.store.command(id)
    }
    fn event(&self, id: Uuid) -> BoxFuture<'_, Result<Option<Position>, StoreError>> {
        self.0.store.event(id)
    }
    fn head(&self) -> BoxFuture<'_, Result<Position, StoreError>> {
        self.0.store.head()
    }
    fn wait(&self, after: Position) -> BoxFuture<'_, Result<Position, StoreError>> {
        self.0.store.wait(after)
    }
    fn erase(&self, erase: Erase) -> BoxFuture<'_, Result<Erased, AppendError>> {
        self.0.store.erase(erase)
    }
}
