//! SQLite, tuned for these workloads: WAL, a cache of 256 MiB, prepared statements. Every commit is
//! synced (`synchronous=FULL`). Reads by tag share the connection of the writer: that of another
//! one would have to fill its cache anew after every commit, and would be three times slower.

use super::group::{Engine, Group};
use super::{Append, Condition, Each, Fault, Mode, Outcome, Peer, Row};
use rusqlite::{Connection, OptionalExtension, Params, params};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS events (
        position INTEGER PRIMARY KEY, id BLOB NOT NULL, type TEXT NOT NULL,
        tags TEXT NOT NULL, data BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS tags (
        tag TEXT NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (tag, position)
    ) WITHOUT ROWID;";

/// The order of the tables is the order of the tags: callers give the rarer tag first.
const BY_TWO: &str = "
    SELECT e.position, e.id, e.type, e.data FROM tags a
    CROSS JOIN tags b ON b.tag = ?2 AND b.position = a.position
    CROSS JOIN events e ON e.position = a.position
    WHERE a.tag = ?1 AND a.position > ?3 ORDER BY a.position";
const BY_ONE: &str = "
    SELECT e.position, e.id, e.type, e.data FROM tags a
    CROSS JOIN events e ON e.position = a.position
    WHERE a.tag = ?1 AND a.position > ?2 ORDER BY a.position";
const BEHIND: &str =
    "SELECT position, id, type, data FROM events WHERE position > ?1 ORDER BY position";
const ANY_OF_TWO: &str = "
    SELECT 1 FROM tags a CROSS JOIN tags b ON b.tag = ?2 AND b.position = a.position
    WHERE a.tag = ?1 AND a.position > ?3 LIMIT 1";
const ANY_OF_ONE: &str = "SELECT 1 FROM tags WHERE tag = ?1 AND position > ?2 LIMIT 1";

struct Writer {
    connection: Connection,
    head: u64,
}

struct Sqlite {
    group: Group<Writer>,
    /// For scans: it must not keep the writer waiting.
    scanner: Mutex<Connection>,
}

pub(crate) fn open(folder: &Path, mode: Mode) -> Result<Box<dyn Peer>, Fault> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join("events.sqlite");
    let connection = connect(&path)?;
    let synchronous = match mode {
        Mode::Load => "OFF",
        Mode::Measure => "FULL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.execute_batch(SCHEMA)?;
    let newest = "SELECT coalesce(max(position), 0) FROM events";
    let head: u64 = connection.query_row(newest, [], |row| row.get(0))?;
    Ok(Box::new(Sqlite {
        group: Group::start(Writer { connection, head }, head)?,
        scanner: Mutex::new(connect(&path)?),
    }))
}

fn connect(path: &Path) -> Result<Connection, Fault> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "cache_size", -262_144)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // Of 1,000 (its default), 4,000, 10,000 and 20,000 pages, this was the best for W1 and W2.
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

impl Engine for Writer {
    fn commit(&mut self, appends: Vec<Append>) -> Result<Vec<Outcome>, Fault> {
        let before = self.head;
        self.connection
            .prepare_cached("BEGIN IMMEDIATE")?
            .execute([])?;
        let outcomes: Result<Vec<Outcome>, Fault> =
            appends.iter().map(|append| self.append(append)).collect();
        let ended = outcomes.and_then(|outcomes| {
            self.connection.prepare_cached("COMMIT")?.execute([])?;
            Ok(outcomes)
        });
        if ended.is_err() {
            self.head = before;
            self.connection.execute_batch("ROLLBACK").ok();
        }
        ended
    }
}

impl Writer {
    fn append(&mut self, append: &Append) -> Result<Outcome, Fault> {
        if let Some(condition) = &append.condition
            && self.breaks(condition)?
        {
            return Ok(Outcome::Conflict);
        }
        let mut event = self
            .connection
            .prepare_cached("INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5)")?;
        let mut tag = self
            .connection
            .prepare_cached("INSERT INTO tags VALUES (?1, ?2)")?;
        for e in &append.events {
            self.head += 1;
            let tags = e.tags.join("\n");
            event.execute(params![self.head, e.id.as_bytes(), e.ty, tags, e.data])?;
            for name in &e.tags {
                tag.execute(params![name, self.head])?;
            }
        }
        Ok(Outcome::At(self.head))
    }

    fn breaks(&self, condition: &Condition) -> Result<bool, Fault> {
        let Condition { tags, after } = condition;
        let found = match tags.as_slice() {
            [] => return Ok(self.head > *after),
            [one] => self.any(ANY_OF_ONE, params![one, after]),
            [one, other, ..] => self.any(ANY_OF_TWO, params![one, other, after]),
        };
        Ok(found?)
    }

    fn any(&self, sql: &str, params: impl Params) -> rusqlite::Result<bool> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_row(params, |_| Ok(())).optional()?;
        Ok(found.is_some())
    }
}

fn rows(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    each: Each<'_>,
) -> Result<u64, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut last = 0;
    while let Some(row) = rows.next()? {
        last = row.get(0)?;
        each(Row {
            position: last,
            id: Uuid::from_slice(row.get_ref(1)?.as_blob()?)?,
            ty: row.get_ref(2)?.as_str()?,
            data: row.get_ref(3)?.as_blob()?,
        });
    }
    Ok(last)
}

impl Peer for Sqlite {
    fn append_alone(&self, append: Append) -> Result<Outcome, Fault> {
        self.group.alone(append)
    }

    fn append(&self, append: Append) -> Result<Outcome, Fault> {
        self.group.together(append)
    }

    fn scan(&self, each: &mut dyn FnMut(u64, &[u8])) -> Result<(), Fault> {
        let connection = self.scanner.lock();
        let connection = connection.unwrap_or_else(PoisonError::into_inner);
        let all = "SELECT position, data FROM events ORDER BY position";
        let mut statement = connection.prepare_cached(all)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            each(row.get(0)?, row.get_ref(1)?.as_blob()?);
        }
        Ok(())
    }

    fn read(&self, tags: &[String], after: u64, each: Each<'_>) -> Result<u64, Fault> {
        // The head is asked for first: whatever matches behind it moves it, so nothing is missed.
        let head = self.group.bell().head();
        let engine = self.group.engine();
        let connection = &engine.connection;
        let last = match tags {
            [] => rows(connection, BEHIND, params![after], each),
            [one] => rows(connection, BY_ONE, params![one, after], each),
            [one, other, ..] => rows(connection, BY_TWO, params![one, other, after], each),
        }?;
        Ok(head.max(last))
    }

    fn wait(&self, after: u64) -> Result<u64, Fault> {
        Ok(self.group.bell().wait(after))
    }

    fn head(&self) -> Result<u64, Fault> {
        Ok(self.group.bell().head())
    }

    fn settle(&self) -> Result<(), Fault> {
        let engine = self.group.engine();
        engine.connection.execute_batch("PRAGMA optimize;")?;
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        engine.connection.query_row(checkpoint, [], |_| Ok(()))?;
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<(), Fault> {
        // The last connection that is closed writes the WAL back.
        Ok(())
    }
}
