//! A feed reads what a query selects from a position on, catches up, and then goes on live.

use super::{Range, Slice, Store, StoreError};
use crate::event::Position;
use crate::query::Query;

/// Reads on and on. It is nothing but repeated reads of consistent snapshots, so that between
/// catching up and going on live no gap can be and nothing comes twice; a slow reader costs the
/// writer nothing, and any number of feeds may read at once.
///
/// Keep [`Feed::position`] with what was made of the events, and begin there the next time.
#[derive(Clone, Debug)]
pub struct Feed<S> {
    store: S,
    query: Query,
    position: Position,
}

impl<S: Store> Feed<S> {
    /// A feed of what a query selects behind a position.
    pub fn new(store: S, query: Query, after: Position) -> Feed<S> {
        Feed {
            store,
            query,
            position: after,
        }
    }

    /// How far it has come: everything up to here was given, or did not match.
    pub fn position(&self) -> Position {
        self.position
    }

    /// What comes next, at most `limit` events; waits until there is something behind the
    /// position. The slice may hold no event when nothing of what came matches; the position has
    /// moved on nevertheless. Dropping the future loses nothing.
    ///
    /// # Errors
    /// The store cannot read, or the position lies beyond its head: it belongs to another store,
    /// or to this one before an older copy was restored.
    pub async fn next(&mut self, limit: usize) -> Result<Slice, StoreError> {
        let head = self.store.head().await?;
        if self.position > head {
            return Err(StoreError::new(format_args!(
                "a feed stands at position {}, but the store ends at {head}: what it fed was made \
                 from another history; make it anew",
                self.position
            )));
        }
        self.store.wait(self.position).await?;
        let limit = limit.max(1);
        let range = Range::after(self.position, limit);
        let slice = self.store.read(&self.query, range).await?;
        self.position = match slice.events.last() {
            Some(last) if slice.events.len() >= limit => last.meta.position,
            _ => slice.head,
        };
        Ok(slice)
    }
}
