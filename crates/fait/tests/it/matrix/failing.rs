//! A store whose appends fail now and then: before anything is written, or after everything is.

use fait::query::Query;
use fait::reexport::uuid::Uuid;
use fait::store::{
    Append, AppendError, Appended, BoxFuture, CommandKey, Erase, Erased, Memory, Range, Slice,
    Store, StoreError,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum When {
    /// Nothing is written: a full disk.
    Before,
    /// Everything is written, and the answer says that nobody knows.
    After,
    /// In turns.
    Both,
}

/// Every so many appends, one fails.
pub(crate) struct Failing {
    store: Arc<Memory>,
    when: When,
    every: u64,
    appends: AtomicU64,
    failed: AtomicU64,
}

impl Failing {
    pub(crate) fn new(store: &Arc<Memory>, when: When, every: u64) -> Arc<Failing> {
        Arc::new(Failing {
            store: store.clone(),
            when,
            every,
            appends: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        })
    }

    /// How many appends failed.
    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}

impl Store for Failing {
    fn id(&self) -> Uuid {
        self.store.id()
    }
    fn append(&self, append: Append) -> BoxFuture<'_, Result<Appended, AppendError>> {
        let n = self.appends.fetch_add(1, Ordering::Relaxed) + 1;
        if !n.is_multiple_of(self.every) {
            return self.store.append(append);
        }
        let turn = self.failed.fetch_add(1, Ordering::Relaxed);
        let before = match self.when {
            When::Before => true,
            When::After => false,
            When::Both => turn.is_multiple_of(2),
        };
        Box::pin(async move {
            if before {
                return Err(StoreError::new("the disk is full").into());
            }
            self.store.append(append).await?;
            Err(StoreError::new("the disk did not answer").into())
        })
    }
    fn read<'a>(&'a self, q: &'a Query, r: Range) -> BoxFuture<'a, Result<Slice, StoreError>> {
        self.store.read(q, r)
    }
    fn command(
        &self,
        id: Uuid,
    ) -> BoxFuture<'_, Result<Option<(CommandKey, Appended)>, StoreError>> {
        self.store.command(id)
    }
    fn event(&self, id: Uuid) -> BoxFuture<'_, Result<Option<u64>, StoreError>> {
        self.store.event(id)
    }
    fn head(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.store.head()
    }
    fn wait(&self, after: u64) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.store.wait(after)
    }
    fn erase(&self, erase: Erase) -> BoxFuture<'_, Result<Erased, AppendError>> {
        self.store.erase(erase)
    }
}
