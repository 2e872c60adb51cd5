//! A store at whose gate two appends meet, so that both were decided before either is made.

use fait::event::Position;
use fait::query::Query;
use fait::reexport::uuid::Uuid;
use fait::store::{
    Append, AppendError, Appended, BoxFuture, CommandKey, Erase, Erased, Memory, Range, Slice,
    Store, StoreError,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::Barrier;

/// Once closed it lets the next two appends through together, and counts the conflicts.
#[derive(Clone)]
pub(crate) struct Gate(Arc<Inner>);

struct Inner {
    store: Memory,
    meeting: Barrier,
    waited_for: AtomicU32,
    conflicts: AtomicU32,
}

impl Gate {
    pub(crate) fn open() -> Gate {
        Gate(Arc::new(Inner {
            store: Memory::default(),
            meeting: Barrier::new(2),
            waited_for: AtomicU32::new(0),
            conflicts: AtomicU32::new(0),
        }))
    }

    pub(crate) fn close(&self) {
        self.0.waited_for.store(2, Ordering::SeqCst);
    }

    pub(crate) fn conflicts(&self) -> u32 {
        self.0.conflicts.load(Ordering::SeqCst)
    }

    async fn pass(&self, append: Append) -> Result<Appended, AppendError> {
        let one_less = |n: u32| n.checked_sub(1);
        let waited_for = &self.0.waited_for;
        if waited_for
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
            .is_ok()
        {
            self.0.meeting.wait().await;
        }
        let done = self.0.store.append(append).await;
        if matches!(done, Err(AppendError::Conflict { .. })) {
            self.0.conflicts.fetch_add(1, Ordering::SeqCst);
        }
        done
    }
}

impl Store for Gate {
    fn id(&self) -> Uuid {
        self.0.store.id()
    }
    fn append(&self, append: Append) -> BoxFuture<'_, Result<Appended, AppendError>> {
        Box::pin(self.pass(append))
    }
    fn read<'a>(
        &'a self,
        query: &'a Query,
        range: Range,
    ) -> BoxFuture<'a, Result<Slice, StoreError>> {
        self.0.store.read(query, range)
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
