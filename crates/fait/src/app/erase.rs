//! Erasing what is known of somebody, and forgetting what was folded from it.

use super::App;
use crate::runtime::count_appended;
use fait_core::store::{AppendError, Erase, Erased, StoreError};

impl App {
    /// Erases everything under a tag, as [`Store::erase`](fait_core::store::Store::erase) says,
    /// and forgets all models in memory and on disk, since any may hold what is erased. Instances
    /// of processes that are about it are gone with their facts: their deadlines and what they
    /// asked for too. It is carried on when nobody waits for it any more.
    ///
    /// Rows of views are not changed: rebuild those that show it, and then
    /// [`Forget`](super::ViewAction::Forget) what is kept of them. Another program or `App` on
    /// the same store forgets its own models by [`App::forget_models`].
    ///
    /// # Errors
    /// As for [`Store::erase`](fait_core::store::Store::erase). When the store has erased and the
    /// models on disk cannot be deleted, it says so: ask again with the same erasure.
    pub async fn erase(&self, erase: Erase) -> Result<Erased, AppendError> {
        let core = self.core.clone();
        let work = async move {
            let appended = erase.tombstone.events.len();
            let tag = erase.tag.clone();
            let alone = core.publications.erasing.write().await;
            let erased = core.store.erase(erase).await;
            drop(alone);
            if let Ok(done) = &erased
                && !done.tombstone.repeated
            {
                count_appended(appended);
            }
            // Also after an error: it may have come when the events were gone.
            let forgotten = core.shelf.forget();
            let forgotten = forgotten.and_then(|()| core.forget_about(&tag));
            let erased = erased?;
            forgotten.map_err(|e| {
                StoreError::new(format_args!(
                    "the events are erased, but models or processes on disk are not: {e}; erase \
                     again"
                ))
            })?;
            Ok(erased)
        };
        let done = self.core.tasks.spawn(work).await;
        done.unwrap_or_else(|e| Err(StoreError::new(format_args!("erasing broke off: {e}")).into()))
    }

    /// Forgets all models that are kept between decisions, in memory and on disk. The next
    /// decision on each thing folds it again from its events. Nothing else changes.
    ///
    /// # Errors
    /// Those on disk cannot be deleted; those in memory are forgotten.
    pub fn forget_models(&self) -> Result<(), StoreError> {
        self.core.shelf.forget()
    }

    /// How many models are kept in memory for their next decision.
    pub fn models_kept(&self) -> usize {
        self.core.shelf.models.len()
    }
}
