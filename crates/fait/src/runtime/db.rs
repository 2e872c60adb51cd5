//! The SQLite file that holds views, checkpoints, the index of processes and snapshots of models.
//! All of it can be thrown away, since it is made again from the log, but the checkpoints of named
//! feeds: what was made of their events is not here, so nothing but an operator moves them back.

use fait_core::event::{Position, Time};
use fait_core::store::StoreError;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// The format of `fait`'s own tables; another one means that the file is made anew.
const FORMAT: i64 = 3;

const META: &str =
    "CREATE TABLE IF NOT EXISTS fait_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);";

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS fait_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS fait_feeds (name TEXT PRIMARY KEY, position INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS fait_named_feeds (
  name TEXT PRIMARY KEY, store TEXT NOT NULL, position INTEGER NOT NULL, reader INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS fait_set_aside (
  feed TEXT NOT NULL, position INTEGER NOT NULL, error TEXT NOT NULL, reason TEXT NOT NULL,
  PRIMARY KEY (feed, position)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fait_views (
  name TEXT NOT NULL, gen INTEGER NOT NULL, version INTEGER NOT NULL, shape TEXT NOT NULL,
  state TEXT NOT NULL, hold INTEGER NOT NULL DEFAULT 0, paused INTEGER NOT NULL DEFAULT 0,
  wanted INTEGER NOT NULL DEFAULT 0, position INTEGER NOT NULL, events INTEGER NOT NULL,
  tables TEXT NOT NULL, PRIMARY KEY (name, gen));
CREATE TABLE IF NOT EXISTS fait_parked_keys (
  view TEXT NOT NULL, gen INTEGER NOT NULL, key TEXT NOT NULL, position INTEGER NOT NULL,
  reason TEXT NOT NULL, PRIMARY KEY (view, gen, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fait_unread (
  view TEXT NOT NULL, gen INTEGER NOT NULL, position INTEGER NOT NULL, reason TEXT NOT NULL,
  PRIMARY KEY (view, gen, position)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fait_instances (
  process TEXT NOT NULL, key TEXT NOT NULL, status TEXT NOT NULL, body TEXT NOT NULL,
  started_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, PRIMARY KEY (process, key));
CREATE INDEX IF NOT EXISTS fait_instances_status ON fait_instances (status, process);
CREATE TABLE IF NOT EXISTS fait_open (
  command TEXT PRIMARY KEY, process TEXT NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL,
  target TEXT NOT NULL, name TEXT NOT NULL, due INTEGER, since INTEGER NOT NULL,
  position INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS fait_open_target ON fait_open (kind, target, position);
CREATE INDEX IF NOT EXISTS fait_open_instance ON fait_open (process, key);
CREATE TABLE IF NOT EXISTS fait_expiries (
  command TEXT PRIMARY KEY, process TEXT NOT NULL, key TEXT NOT NULL, due INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS fait_expiries_due ON fait_expiries (due);
CREATE INDEX IF NOT EXISTS fait_expiries_instance ON fait_expiries (process, key);
CREATE TABLE IF NOT EXISTS fait_deadlines (
  process TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL, generation INTEGER NOT NULL,
  due INTEGER NOT NULL, PRIMARY KEY (process, key, name));
CREATE TABLE IF NOT EXISTS fait_held (
  process TEXT NOT NULL, waits TEXT NOT NULL, position INTEGER NOT NULL, until INTEGER NOT NULL,
  PRIMARY KEY (process, waits, position));
CREATE TABLE IF NOT EXISTS fait_backlog (
  process TEXT NOT NULL, key TEXT NOT NULL, position INTEGER NOT NULL, held INTEGER NOT NULL,
  PRIMARY KEY (process, key, position)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS fait_deadlines_due ON fait_deadlines (process, due);
CREATE TABLE IF NOT EXISTS fait_flows (
  flow BLOB NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (flow, position)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fait_inlets (
  receiver TEXT PRIMARY KEY, history TEXT NOT NULL, sequence INTEGER NOT NULL,
  position INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS fait_snapshots (
  model TEXT NOT NULL, keys TEXT NOT NULL, version TEXT NOT NULL, position INTEGER NOT NULL,
  seal TEXT NOT NULL, bytes INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (model, keys));
";

/// Connections for reading, so that a long look keeps nobody waiting.
const READERS: usize = 3;

/// One writer and some readers on the same file.
#[derive(Debug)]
pub(crate) struct Db {
    writer: Mutex<Connection>,
    /// None in memory, where a second connection would see another database.
    readers: Vec<Mutex<Connection>>,
}

/// An SQLite error with what was being done.
pub(crate) fn broken(what: &str) -> impl Fn(rusqlite::Error) -> StoreError + '_ {
    move |e| StoreError::new(format_args!("the view database cannot {what}: {e}"))
}

impl Db {
    /// Opens the file, or a database in memory. A file of another store or format is made anew,
    /// but for named feeds.
    pub(crate) fn open(path: Option<&Path>, store: Uuid) -> Result<Db, StoreError> {
        let Some(path) = path else {
            let writer = Connection::open_in_memory().map_err(broken("be opened"))?;
            let db = Db {
                writer: Mutex::new(writer),
                readers: vec![],
            };
            db.prepare(store)?;
            return Ok(db);
        };
        let place = path.display().to_string();
        let open = || {
            let c = Connection::open(path)?;
            c.pragma_update(None, "journal_mode", "WAL")?;
            // Views can be made again from the log, so a commit need not wait for the disk.
            c.pragma_update(None, "synchronous", "NORMAL")?;
            c.busy_timeout(std::time::Duration::from_secs(5))?;
            Ok(c)
        };
        let named =
            |e: rusqlite::Error| StoreError::new(format_args!("{place} cannot be opened: {e}"));
        let db = Db {
            writer: Mutex::new(open().map_err(named)?),
            readers: (0..READERS)
                .map(|_| open().map(Mutex::new))
                .collect::<Result<_, _>>()
                .map_err(named)?,
        };
        db.prepare(store)?;
        Ok(db)
    }

    /// A database that is gone with the program; what does not fit into memory goes to a file
    /// without a name.
    pub(crate) fn scratch(store: Uuid) -> Result<Db, StoreError> {
        let writer = Connection::open("").map_err(broken("be opened"))?;
        let db = Db {
            writer: Mutex::new(writer),
            readers: vec![],
        };
        db.prepare(store)?;
        Ok(db)
    }

    fn prepare(&self, store: Uuid) -> Result<(), StoreError> {
        self.write(|tx| {
            tx.execute_batch(META)?;
            let sql = "SELECT value FROM fait_meta WHERE name = 'store'";
            let known: Option<String> = tx.query_row(sql, [], |r| r.get(0)).optional()?;
            let mine = format!("{store} {FORMAT}");
            if known.as_ref().is_some_and(|k| *k != mine) {
                tracing::warn!("the views belong to another store or format: made anew");
                forget_everything(tx)?;
            } else {
                tx.execute_batch(SCHEMA)?;
            }
            tx.execute(
                "INSERT OR REPLACE INTO fait_meta VALUES ('store', ?1)",
                [mine],
            )?;
            Ok(())
        })
    }

    /// Forgets everything when the log is shorter than what was taken from it.
    pub(crate) fn check_head(&self, head: Position) -> Result<(), StoreError> {
        self.write(|tx| {
            let sql = "SELECT max(p) FROM (SELECT max(position) AS p FROM fait_feeds
                UNION SELECT max(position) FROM fait_views
                UNION SELECT max(position) FROM fait_inlets)";
            let seen: Option<i64> = tx.query_row(sql, [], |r| r.get(0))?;
            if seen.unwrap_or(0) > i64_of(head) {
                tracing::warn!(head, "the views are ahead of the log: made anew");
                forget_everything(tx)?;
            }
            let ahead = "DELETE FROM fait_snapshots WHERE position > ?1";
            tx.execute(ahead, [i64_of(head)]).map(|_| ())
        })
    }

    /// Runs one transaction: all of it or nothing.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        transact(&mut lock(&self.writer), work)
    }

    /// The same, and what is deleted or replaced is written over in the file.
    pub(crate) fn write_over<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let mut c = lock(&self.writer);
        let over = |c: &Connection, on: bool| c.pragma_update(None, "secure_delete", on);
        over(&c, true).map_err(broken("be written"))?;
        let done = transact(&mut c, work);
        // Views need not pay for it. When it stays on, nothing is lost but time.
        let _ = over(&c, false);
        done
    }

    /// Moves what was written into the file itself, and empties the log beside it, so that what
    /// was written over is gone from both.
    pub(crate) fn empty_log(&self) -> Result<(), StoreError> {
        lock(&self.writer)
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .map_err(broken("empty its log"))
    }

    /// Reads.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let free = self.readers.iter().find_map(|c| c.try_lock().ok());
        let c = free.unwrap_or_else(|| lock(self.readers.first().unwrap_or(&self.writer)));
        work(&c).map_err(broken("be read"))
    }

    /// How far a feed has come.
    pub(crate) fn feed(&self, name: &str) -> Result<Position, StoreError> {
        self.read(|c| {
            let sql = "SELECT position FROM fait_feeds WHERE name = ?1";
            let position: Option<i64> = c.query_row(sql, [name], |r| r.get(0)).optional()?;
            Ok(u64_of(position.unwrap_or(0)))
        })
    }

    /// Whether a feed, or a part of it, has ever come anywhere.
    pub(crate) fn knows_feed(&self, name: &str) -> Result<bool, StoreError> {
        self.read(|c| {
            let sql = "SELECT EXISTS (SELECT 1 FROM fait_feeds
                WHERE name = ?1 OR substr(name, 1, length(?1) + 1) = ?1 || ':')";
            c.query_row(sql, [name], |r| r.get(0))
        })
    }
}

fn transact<T>(
    c: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> Result<T, StoreError> {
    // One that began by reading would not wait for another program that writes right now.
    let tx = c
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(broken("be written"))?;
    let out = work(&tx).map_err(broken("be written"))?;
    tx.commit().map_err(broken("be written"))?;
    Ok(out)
}

fn forget_everything(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    // Also what another format made: all but the tables of SQLite itself goes, and the checkpoints
    // of named feeds, which cannot be made again.
    let mut made = tx.prepare(
        "SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view')
         AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
         AND name NOT IN ('fait_named_feeds', 'fait_set_aside') ORDER BY type DESC",
    )?;
    let made: Vec<(String, String)> = made
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (kind, name) in made {
        let kind = if kind == "view" { "VIEW" } else { "TABLE" };
        tx.execute_batch(&format!("DROP {kind} IF EXISTS {}", quoted(&name)))?;
    }
    tx.execute_batch(SCHEMA)
}

/// Notes how far a feed has come, in the transaction of what it fed.
pub(crate) fn set_feed(tx: &Transaction<'_>, name: &str, at: Position) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO fait_feeds VALUES (?1, ?2)";
    tx.prepare_cached(sql)?
        .execute(params![name, i64_of(at)])
        .map(|_| ())
}

/// A name as an SQL identifier.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// SQLite has signed integers only; positions and times stay far below their limit.
pub(crate) fn i64_of(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub(crate) fn u64_of(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

pub(crate) fn time_of(n: i64) -> Time {
    Time(u64_of(n))
}

fn lock(c: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    // A panic inside a transaction rolls it back, so the connection stays whole.
    c.lock().unwrap_or_else(PoisonError::into_inner)
}
