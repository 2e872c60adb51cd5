//! How much is done at once. Tests make these small, so that few events reach every path.

/// How much of a view is read, folded and written at once.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Events read at once while a view follows closely, and while it is far behind.
    pub follow: (usize, usize),
    /// Events read at once by a rebuild, at first and at most.
    pub rebuild: (usize, usize),
    /// Events read at once when single rows are folded again.
    pub refold: usize,
    /// With more keys than this, all events of the view are read rather than those of the keys.
    pub by_tags: usize,
    /// Fewer events than this are folded on one thread.
    pub parallel: usize,
    /// Rows of a generation that stay in memory at most between two transactions.
    pub rows: usize,
    /// Changed rows from which on they are written while a view is rebuilt; a transaction stays
    /// short.
    pub dirty: usize,
    /// Parked keys that are tried again in one transaction.
    pub together: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Sizes {
            follow: (500, 8192),
            rebuild: (1024, 16_384),
            refold: 1000,
            by_tags: 64,
            parallel: 1024,
            rows: 65_536,
            dirty: 16_384,
            together: 1000,
        }
    }
}
