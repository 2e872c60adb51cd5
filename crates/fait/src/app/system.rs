//! Outside systems.

use super::{App, Limits, SystemStatus, TellError, Told, Uncertain};
use crate::runtime::dispatch::system::Adapter;
use fait_core::store::{BoxFuture, StoreError};
use std::sync::Arc;

/// An outside system that processes tell what to do.
pub trait System: Send + Sync + 'static {
    /// Hands a message over. The id is the same however often it is told: the system on the other
    /// side uses it to act once. What comes back is given to [`App::receive`].
    ///
    /// It is told no longer than [`Limits::within`]; a time-out and a panic count as
    /// [`TellError::Unknown`].
    ///
    /// # Errors
    /// [`TellError::Later`]: it is told again, later and later, for up to
    /// [`Limits::for_up_to`]; then the process hears that it failed. [`TellError::Never`]: the
    /// process hears at once that it failed. [`TellError::Refused`]: the process hears that it was
    /// refused. [`TellError::Unknown`]: see [`System::on_uncertain`].
    fn tell(&self, message: Told, app: App) -> BoxFuture<'_, Result<(), TellError>>;

    /// What is done when nobody knows whether it has acted. There is no default: only who knows
    /// the other side can say whether it acts once for an id.
    fn on_uncertain(&self) -> Uncertain;

    /// How much it is asked at once, and for how long.
    fn limits(&self) -> Limits {
        Limits::default()
    }
}

/// A system that takes what it is told, and of which nothing is heard.
#[cfg(feature = "board")]
pub(super) struct Silent;

#[cfg(feature = "board")]
impl System for Silent {
    fn tell(&self, _: Told, _: App) -> BoxFuture<'_, Result<(), TellError>> {
        Box::pin(async { Ok(()) })
    }

    fn on_uncertain(&self) -> Uncertain {
        Uncertain::Retry
    }
}

/// The system as the runtime tells it.
pub(super) fn adapter(system: impl System) -> Adapter {
    let system = Arc::new(system);
    let (on_uncertain, limits) = (system.on_uncertain(), system.limits());
    Adapter {
        tell: Arc::new(move |core, told| {
            let system = system.clone();
            Box::pin(async move { system.tell(told, App { core }).await })
        }),
        on_uncertain,
        limits,
    }
}

impl App {
    /// How the outside systems stand: what is under way and waits, which are down and since when.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn systems(&self) -> Result<Vec<SystemStatus>, StoreError> {
        self.core.system_statuses()
    }
}
