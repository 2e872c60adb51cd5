//! How far a feed has come, kept in the reader's own database: moved in the transaction of what
//! was made of the events, so that each is taken in exactly once.
//!
//! The statements are the same for SQLite and PostgreSQL, and are text, so that any client can
//! run them: parameters are `$1`, `$2` … in the order in which they stand. For `rusqlite` there are
//! functions. See the guide to feeds for both.

pub use rusqlite;

use fait_core::event::Position;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use uuid::Uuid;

/// Makes the table of checkpoints, if it is not there.
pub const TABLE: &str = "CREATE TABLE IF NOT EXISTS fait_checkpoints (
    feed TEXT PRIMARY KEY,
    store TEXT NOT NULL,
    position BIGINT NOT NULL CHECK (position >= 0))";

/// Notes where a feed begins, if nothing is noted of it: feed, store, position.
pub const BEGIN: &str = "INSERT INTO fait_checkpoints (feed, store, position) VALUES ($1, $2, $3)
    ON CONFLICT (feed) DO NOTHING";

/// Store and position of a feed: feed.
pub const READ: &str = "SELECT store, position FROM fait_checkpoints WHERE feed = $1";

/// Moves a checkpoint from where a batch begins to where it ends: position, feed, store, after;
/// [`Step`] has them. It must change one row; see [`Step::check`].
pub const ADVANCE: &str = "UPDATE fait_checkpoints SET position = $1
    WHERE feed = $2 AND store = $3 AND position = $4";

/// How far a feed has come, as the reader's database says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The feed's name.
    pub feed: String,
    /// The history that it reads; [`App::store_id`](crate::App::store_id).
    pub store: String,
    /// Everything up to here was taken in.
    pub position: Position,
}

impl Checkpoint {
    /// From a row that [`READ`] gives; databases have signed numbers.
    pub fn new(feed: &str, store: &str, position: i64) -> Checkpoint {
        Checkpoint {
            feed: feed.into(),
            store: store.into(),
            position: u64::try_from(position).unwrap_or(0),
        }
    }

    /// Reads it from an SQLite database, where the table and the row are made if they are not
    /// there. A feed of which nothing is noted begins behind `begin`: 0 for the first event.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub fn open(
        db: &Connection,
        feed: &str,
        store: Uuid,
        begin: Position,
    ) -> Result<Checkpoint, CheckpointError> {
        db.execute(TABLE, [])?;
        let begin = i64::try_from(begin).unwrap_or(i64::MAX);
        db.execute(BEGIN, params![feed, store.to_string(), begin])?;
        let row = db.query_row(READ, [feed], |r| {
            Ok((r.get::<_, String>(0)?, r.get::<_, i64>(1)?))
        });
        let (store, position) = row
            .optional()?
            .ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        Ok(Checkpoint::new(feed, &store, position))
    }
}

/// The move of a checkpoint that goes with one batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where the batch ends: what the checkpoint is to say then.
    pub position: i64,
    /// The feed's name.
    pub feed: String,
    /// The history that it reads.
    pub store: String,
    /// Where the batch begins: what the checkpoint must say before.
    pub after: i64,
}

impl Step {
    /// Moves the checkpoint in the reader's transaction on an SQLite database. Nothing is moved
    /// until the reader commits. After an error let the transaction go: it rolls back.
    ///
    /// # Errors
    /// [`CheckpointError::Stale`]: the checkpoint does not stand where the batch begins. The
    /// database cannot be written.
    pub fn advance(&self, tx: &Transaction<'_>) -> Result<(), CheckpointError> {
        let parameters = params![self.position, self.feed, self.store, self.after];
        let rows = tx.prepare_cached(ADVANCE)?.execute(parameters)?;
        self.check(rows as u64)
    }

    /// Says whether [`ADVANCE`] has moved the checkpoint, by the number of rows that it changed.
    /// After an error roll the transaction back.
    ///
    /// # Errors
    /// [`CheckpointError::Stale`], unless it is one row.
    pub fn check(&self, rows: u64) -> Result<(), CheckpointError> {
        match rows {
            1 => Ok(()),
            _ => Err(CheckpointError::Stale {
                feed: self.feed.clone(),
                after: self.after,
            }),
        }
    }
}

/// A checkpoint in the reader's database cannot be read or moved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Somebody else has moved it since this reader read it.
    #[error(
        "the checkpoint of feed `{feed}` does not stand at {after} any more: another reader has \
         moved it, or the database was restored; roll back, read the checkpoint and open the feed \
         again"
    )]
    Stale {
        /// The feed.
        feed: String,
        /// Where the reader took it to stand.
        after: i64,
    },
    /// The database.
    #[error("the database of a checkpoint cannot be used: {0}")]
    Database(#[from] rusqlite::Error),
}
