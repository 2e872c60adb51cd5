//! Models of long histories on disk, for those that ask for it: read when a model is not in
//! memory, written behind the answer. What cannot be read, or does not belong here, is not used.

use super::db::{Db, i64_of, u64_of};
use super::models::{Folded, Models};
use super::turns::Turn;
use fait_core::decision::{Deciding, Form};
use fait_core::event::Position;
use fait_core::store::StoreError;
use rusqlite::{OptionalExtension, params};
use serde_json::Value;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// Most snapshots that are kept on disk; the oldest go.
pub const MAX_SNAPSHOTS: usize = 10_000;

/// Most bytes of all snapshots together; the oldest go.
pub const MAX_SNAPSHOTS_BYTES: usize = 256 << 20;

/// Largest snapshot. A larger model is not kept on disk.
pub const MAX_SNAPSHOT_BYTES: usize = 4 << 20;

/// Written at the same time. A model whose turn it would be waits for its next decision.
const WRITES_AT_ONCE: usize = 4;

/// What becomes of models between decisions.
pub(crate) struct Shelf {
    pub(crate) models: Models,
    db: Arc<Db>,
    store: Uuid,
    tasks: TaskTracker,
    runtime: Handle,
    writes: Arc<Semaphore>,
}

/// A row of the table.
struct Row {
    version: String,
    position: Position,
    seal: String,
    body: Vec<u8>,
}

impl Shelf {
    pub(crate) fn new(
        models: Models,
        db: Arc<Db>,
        store: Uuid,
        tasks: TaskTracker,
        runtime: Handle,
    ) -> Arc<Shelf> {
        Arc::new(Shelf {
            models,
            db,
            store,
            tasks,
            runtime,
            writes: Arc::new(Semaphore::new(WRITES_AT_ONCE)),
        })
    }

    /// Gives a decision what is known of its boundary, from memory or from disk.
    pub(crate) async fn recall(&self, deciding: &mut dyn Deciding) -> Folded {
        let kept = self.models.take(&deciding.boundary());
        if let Some((model, folded)) = kept
            && deciding.give(model)
        {
            return folded;
        }
        self.recall_from_disk(deciding).await
    }

    /// The same from disk only: what is in memory stays there, for the next decision.
    pub(crate) async fn recall_from_disk(&self, deciding: &mut dyn Deciding) -> Folded {
        let nothing = Folded {
            epoch: self.models.epoch(),
            ..Folded::default()
        };
        let Some(form) = deciding.form() else {
            return nothing;
        };
        let (db, store, keys) = (self.db.clone(), self.store, deciding.boundary());
        // Another task may hold the file for long: no thread of the runtime waits for it.
        let read = self
            .runtime
            .spawn_blocking(move || read(&db, store, &form, keys.keys()));
        let Ok(Some((to, bytes, kept))) = read.await else {
            return nothing;
        };
        let used = catch_unwind(AssertUnwindSafe(|| deciding.use_snapshot(kept)));
        if !matches!(used, Ok(Ok(()))) {
            tracing::warn!("a snapshot does not fit its model, and is not used: new version?");
            drop(deciding.take());
            return nothing;
        }
        metrics::counter!("fait_snapshots_read_total").increment(1);
        Folded {
            to,
            bytes,
            ..nothing
        }
    }

    /// Keeps a model for the next decision; on disk too when it is time. Nobody waits for the
    /// disk, and the next on the same boundary at most until the model is written as JSON.
    pub(crate) fn keep(
        self: &Arc<Self>,
        mut deciding: Box<dyn Deciding>,
        folded: Folded,
        turn: Option<Turn>,
    ) {
        if !folded.whole {
            return;
        }
        let due = deciding.form().filter(|f| folded.since >= f.every);
        match due.zip(self.writes.clone().try_acquire_owned().ok()) {
            Some((form, permit)) => {
                let shelf = self.clone();
                let job = move || shelf.write(deciding, folded, form, turn, permit);
                self.tasks.spawn_blocking_on(job, &self.runtime);
            }
            None => self.put(&mut *deciding, folded),
        }
    }

    fn put(&self, deciding: &mut dyn Deciding, folded: Folded) {
        let id = deciding.boundary();
        // The keys stand in two maps.
        let keys = 2 * id.keys().len();
        let holds = deciding.holds(folded.bytes).saturating_add(keys);
        self.models.put(id, deciding.take(), folded, holds);
    }

    fn write(
        &self,
        mut deciding: Box<dyn Deciding>,
        mut folded: Folded,
        form: Form,
        turn: Option<Turn>,
        permit: OwnedSemaphorePermit,
    ) {
        let keys = deciding.boundary();
        let body = deciding.to_snapshot().and_then(|v| serde_json::to_vec(&v));
        // Tried, whatever comes of it: not again at once.
        folded.since = 0;
        self.put(&mut *deciding, folded);
        drop((deciding, turn));
        let written = match body {
            Err(e) => Err(StoreError::new(e)),
            Ok(body) if size(keys.keys(), &body) > MAX_SNAPSHOT_BYTES => {
                let bytes = size(keys.keys(), &body);
                Err(StoreError::new(format_args!(
                    "it has {bytes} bytes; at most {MAX_SNAPSHOT_BYTES} fit"
                )))
            }
            Ok(body) => self.write_row(&form, keys.keys(), folded, &body),
        };
        drop(permit);
        match written {
            Ok(true) => metrics::counter!("fait_snapshots_written_total").increment(1),
            Ok(false) => {}
            Err(e) => tracing::warn!(models = form.models, error = %e, "no snapshot is written"),
        }
    }

    /// Says whether it was written: not when everything was forgotten meanwhile.
    fn write_row(
        &self,
        form: &Form,
        keys: &str,
        folded: Folded,
        body: &[u8],
    ) -> Result<bool, StoreError> {
        let seal = seal(self.store, form, keys, folded.to, body);
        self.db.write_over(|tx| {
            // Under the lock of the file: what was begun before a forgetting ends before it, or
            // sees it.
            if self.models.epoch() != folded.epoch {
                return Ok(false);
            }
            tx.prepare_cached(
                "INSERT OR REPLACE INTO fait_snapshots VALUES (?1,?2,?3,?4,?5,?6,?7)",
            )?
            .execute(params![
                form.models,
                keys,
                form.version,
                i64_of(folded.to),
                seal,
                i64_of(size(keys, body) as u64),
                body
            ])?;
            let too_many = "DELETE FROM fait_snapshots WHERE rowid IN (SELECT place FROM
                (SELECT rowid AS place, row_number() OVER newer AS n, sum(bytes) OVER newer AS size
                 FROM fait_snapshots WINDOW newer AS (ORDER BY rowid DESC))
                WHERE n > ?1 OR size > ?2)";
            tx.prepare_cached(too_many)?.execute(params![
                i64_of(MAX_SNAPSHOTS as u64),
                i64_of(MAX_SNAPSHOTS_BYTES as u64)
            ])?;
            Ok(true)
        })
    }

    /// Forgets all models, in memory and on disk.
    ///
    /// # Errors
    /// Those on disk could not be deleted.
    pub(crate) fn forget(&self) -> Result<(), StoreError> {
        self.models.forget();
        self.db
            .write_over(|tx| tx.execute("DELETE FROM fait_snapshots", []).map(|_| ()))?;
        self.db.empty_log()
    }
}

/// A snapshot that can be trusted, with its position and size.
fn read(db: &Db, store: Uuid, form: &Form, keys: &str) -> Option<(Position, usize, Value)> {
    let row = db.read(|c| {
        let sql = "SELECT version, position, seal, body FROM fait_snapshots
            WHERE model = ?1 AND keys = ?2";
        c.prepare_cached(sql)?
            .query_row(params![form.models, keys], |r| {
                Ok(Row {
                    version: r.get(0)?,
                    position: u64_of(r.get(1)?),
                    seal: r.get(2)?,
                    body: r.get(3)?,
                })
            })
            .optional()
    });
    let row = row
        .inspect_err(|e| tracing::warn!(error = %e, "a snapshot cannot be read"))
        .ok()??;
    if row.version != form.version {
        return None;
    }
    if row.seal != seal(store, form, keys, row.position, &row.body) {
        tracing::warn!(
            models = form.models,
            "a snapshot is damaged, and is not used"
        );
        return None;
    }
    let kept = serde_json::from_slice(&row.body).ok()?;
    Some((row.position, row.body.len(), kept))
}

fn size(keys: &str, body: &[u8]) -> usize {
    keys.len() + body.len()
}

/// Binds a snapshot to its history, its boundary and its position; finds damage.
fn seal(store: Uuid, form: &Form, keys: &str, position: Position, body: &[u8]) -> String {
    let (models, version) = (&form.models, &form.version);
    let about = format!("{models}\n{keys}\n{version}\n{position}\n");
    let sealed = Uuid::new_v5(&store, about.as_bytes());
    Uuid::new_v5(&sealed, body).to_string()
}
