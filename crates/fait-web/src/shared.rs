//! What every route needs.

use fait::App;
use fait_board::Board;
use std::sync::Arc;

/// Largest body of a request, in bytes.
pub(crate) const MAX_BODY: usize = 2 << 20;

/// A running system with the board it was built from.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) app: App,
    pub(crate) board: Option<Arc<Drawn>>,
}

/// A board that was read once.
pub(crate) struct Drawn {
    /// The text as written.
    pub(crate) source: String,
    /// What it says.
    pub(crate) board: Board,
}
