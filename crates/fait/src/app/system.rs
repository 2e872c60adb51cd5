//! Outside systems.

use super::{App, Told};
use crate::runtime::dispatch::Tell;
use fait_core::store::BoxFuture;
use std::sync::Arc;

/// An outside system that processes tell what to do.
pub trait System: Send + Sync + 'static {
    /// Hands a message over. The id is the same however often it is told: the system on the other
    /// side uses it to act once. What comes back is given to [`App::receive`].
    ///
    /// # Errors
    /// A sentence; it is told again, later and later, up to [`MAX_TELLS`](super::MAX_TELLS) times.
    fn tell(&self, message: Told, app: App) -> BoxFuture<'_, Result<(), String>>;
}

/// The system as the runtime tells it.
pub(super) fn told(system: impl System) -> Tell {
    let system = Arc::new(system);
    Arc::new(move |core, told| {
        let system = system.clone();
        Box::pin(async move { system.tell(told, App { core }).await })
    })
}
