//! Views: rows in SQLite with the checkpoint in the same transaction, and rebuilding beside the
//! one that serves.

use super::db::{i64_of, quoted, u64_of};
use super::{Core, Feed};
use fait_core::event::{DecodeError, Position, StoredEvent};
use fait_core::projection::ProjectionDef;
use fait_core::query::Query;
use fait_core::store::{Range, StoreError};
use rusqlite::{OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Events taken into a view in one transaction.
const BATCH: usize = 500;

/// A view of this system, with how far it has come.
#[derive(Debug)]
pub(crate) struct ViewState {
    pub(crate) def: ProjectionDef,
    pub(crate) feed: Feed,
    /// The table that serves.
    table: Mutex<String>,
    pub(crate) rebuild: Rebuild,
    wanted: tokio::sync::Notify,
}

/// A rebuild under way.
#[derive(Debug, Default)]
pub(crate) struct Rebuild {
    running: AtomicBool,
    at: AtomicU64,
    until: AtomicU64,
    finished: AtomicU64,
    failed: Mutex<Option<String>>,
}

/// How a view stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewStatus {
    /// The view.
    pub name: String,
    /// The SQLite table to query.
    pub table: String,
    /// The version of its code.
    pub version: u32,
    /// How far it has come.
    pub position: Position,
    /// The head of the log.
    pub head: Position,
    /// Events behind; of all types, also those it does not listen to.
    pub lag_events: u64,
    /// Rows.
    pub rows: u64,
    /// Keys that wait because of an event that could not be projected, with the reason.
    pub parked: BTreeMap<String, String>,
    /// A rebuild, when one runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rebuild: Option<RebuildStatus>,
    /// How many rebuilds were finished since the program started.
    pub rebuilds_finished: u64,
    /// Why the last rebuild failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rebuild_failed: Option<String>,
}

/// How far a rebuild has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RebuildStatus {
    /// Events passed.
    pub position: Position,
    /// The head when it was last looked at.
    pub until: Position,
}

/// A row of a view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewRow {
    /// What it is about.
    pub key: String,
    /// The row.
    pub row: Value,
    /// The event that last changed it.
    pub position: Position,
    /// Why it does not follow any more, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale: Option<String>,
}

/// Which rows to read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RowsQuery {
    /// Columns that must have these values.
    pub filter: BTreeMap<String, String>,
    /// Only rows behind this key, in the order of keys.
    pub after: Option<String>,
    /// At most so many, up to 1,000.
    pub limit: usize,
}

impl Default for RowsQuery {
    fn default() -> Self {
        RowsQuery {
            filter: BTreeMap::new(),
            after: None,
            limit: 100,
        }
    }
}

impl ViewState {
    pub(crate) fn new(def: ProjectionDef) -> Self {
        ViewState {
            table: Mutex::new(table_name(&def.name)),
            def,
            feed: Feed::default(),
            rebuild: Rebuild::default(),
            wanted: tokio::sync::Notify::new(),
        }
    }

    pub(crate) fn table(&self) -> String {
        self.table
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn query(&self) -> Query {
        Query::types(&self.def.types)
    }

    /// What must be the same for stored rows to be of use.
    fn shape(&self) -> String {
        let text = format!(
            "{} {:?} {}",
            self.def.row, self.def.types, self.def.key_kind
        );
        uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, text.as_bytes()).to_string()
    }

    pub(crate) fn ask_for_rebuild(&self) {
        self.wanted.notify_one();
    }
}

/// `table-plan` is the table `table_plan`.
fn table_name(view: &str) -> String {
    view.replace('-', "_")
}

/// Makes a table with one SQL column for each top-level field of the row.
fn create(tx: &Transaction<'_>, table: &str, row: &Value) -> rusqlite::Result<()> {
    let mut columns = String::new();
    let fields = row["properties"].as_object().into_iter().flatten();
    for (field, schema) in fields {
        if ["key", "row", "position"].contains(&field.to_ascii_lowercase().as_str()) {
            continue;
        }
        let kind = match schema["type"].as_str() {
            Some("integer" | "boolean") => "INTEGER",
            Some("number") => "REAL",
            _ => "TEXT",
        };
        let path = field.replace('\'', "''");
        columns.push_str(&format!(
            ", {} {kind} GENERATED ALWAYS AS (json_extract(\"row\", '$.\"{path}\"')) VIRTUAL",
            quoted(field)
        ));
    }
    tx.execute_batch(&format!(
        "CREATE TABLE {} (key TEXT PRIMARY KEY, \"row\" TEXT NOT NULL,
         position INTEGER NOT NULL{columns}) WITHOUT ROWID",
        quoted(table)
    ))
}

impl Core {
    /// Makes a view's table ready; says whether it must be rebuilt.
    pub(crate) fn prepare_view(&self, view: &ViewState) -> Result<bool, StoreError> {
        let (name, shape) = (view.def.name.clone(), view.shape());
        let (table, position, stale) = self.db.write(|tx| {
            let sql = "SELECT tbl, position, version, shape, rebuild FROM fait_views
                WHERE name = ?1";
            let known = tx
                .query_row(sql, [&name], |r| {
                    let table: String = r.get(0)?;
                    let old: (i64, String, bool) = (r.get(2)?, r.get(3)?, r.get(4)?);
                    let same = old == (i64::from(view.def.version), shape.clone(), false);
                    Ok((table, r.get::<_, i64>(1)?, !same))
                })
                .optional()?;
            if let Some(known) = known {
                return Ok(known);
            }
            let table = table_name(&name);
            tx.execute_batch(&format!("DROP TABLE IF EXISTS {}", quoted(&table)))?;
            create(tx, &table, &view.def.row)?;
            let sql = "INSERT INTO fait_views (name, version, shape, tbl, position, events)
                VALUES (?1, ?2, ?3, ?4, 0, 0)";
            tx.execute(sql, params![name, view.def.version, shape, table])?;
            Ok((table, 0, false))
        })?;
        *view.table.lock().unwrap_or_else(PoisonError::into_inner) = table;
        view.feed.set(u64_of(position));
        Ok(stale)
    }

    /// Keeps one view up to date until the system stops.
    pub(crate) async fn run_view(self: Arc<Self>, view: Arc<ViewState>, mut rebuild: bool) {
        let query = view.query();
        loop {
            if rebuild {
                self.rebuild(&view).await;
            }
            rebuild = false;
            let step = self.follow(&view, &query);
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                () = view.wanted.notified() => rebuild = true,
                result = step => if let Err(e) = result {
                    tracing::error!(view = view.def.name, error = %e, "the view waits");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                },
            }
        }
    }

    async fn follow(&self, view: &ViewState, query: &Query) -> Result<(), StoreError> {
        loop {
            let at = view.feed.at();
            self.store.wait(at).await?;
            let slice = self.store.read(query, Range::after(at, BATCH)).await?;
            let to = reached(&slice.events, slice.head);
            self.take_in(view, &view.table(), &slice.events, Some(to))?;
            view.feed.set(to);
            self.pulse.beat();
        }
    }

    /// Takes events into a table, with the checkpoint when it is the one that serves.
    fn take_in(
        &self,
        view: &ViewState,
        table: &str,
        events: &[StoredEvent],
        checkpoint: Option<Position>,
    ) -> Result<(), StoreError> {
        let name = &view.def.name;
        self.db.write(|tx| {
            let owner = if checkpoint.is_some() {
                name.clone()
            } else {
                table.to_string()
            };
            let mut parked = parked_keys(tx, &owner)?;
            for event in events {
                project(tx, view, (table, &owner), event, &mut parked)?;
            }
            if let Some(to) = checkpoint {
                let sql = "UPDATE fait_views SET position = ?2, events = events + ?3
                    WHERE name = ?1";
                tx.prepare_cached(sql)?.execute(params![
                    name,
                    i64_of(to),
                    i64_of(events.len() as u64)
                ])?;
            }
            Ok(())
        })
    }

    async fn rebuild(&self, view: &ViewState) {
        let name = &view.def.name;
        tracing::info!(view = name, "rebuilding");
        view.rebuild.running.store(true, Ordering::Release);
        let result = self.rebuild_beside(view).await;
        view.rebuild.running.store(false, Ordering::Release);
        let failed = match result {
            Ok(()) => {
                tracing::info!(view = name, "rebuilt");
                None
            }
            Err(e) => {
                tracing::error!(view = name, error = %e, "rebuild failed; the old view serves on");
                Some(e.to_string())
            }
        };
        *view
            .rebuild
            .failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = failed;
        view.rebuild.finished.fetch_add(1, Ordering::AcqRel);
        self.pulse.beat();
    }

    /// Folds all of history into a second table while the first one serves, then switches.
    async fn rebuild_beside(&self, view: &ViewState) -> Result<(), StoreError> {
        let old = view.table();
        let base = table_name(&view.def.name);
        let new = if old == base {
            format!("{base}__2")
        } else {
            base
        };
        self.db.write(|tx| {
            tx.execute_batch(&format!("DROP TABLE IF EXISTS {}", quoted(&new)))?;
            tx.execute("DELETE FROM fait_parked_keys WHERE view = ?1", [&new])?;
            create(tx, &new, &view.def.row)
        })?;
        let query = view.query();
        let mut at = 0;
        loop {
            let slice = self.store.read(&query, Range::after(at, BATCH)).await?;
            let to = reached(&slice.events, slice.head);
            self.take_in(view, &new, &slice.events, None)?;
            at = to;
            view.rebuild.at.store(at, Ordering::Release);
            view.rebuild.until.store(slice.head, Ordering::Release);
            if at >= slice.head {
                break;
            }
            tokio::task::yield_now().await;
            if self.stop.is_cancelled() {
                return Err(StoreError::new(
                    "the system stops; it starts over next time",
                ));
            }
        }
        self.switch(view, &old, &new, at)
    }

    fn switch(
        &self,
        view: &ViewState,
        old: &str,
        new: &str,
        at: Position,
    ) -> Result<(), StoreError> {
        let name = &view.def.name;
        self.db.write(|tx| {
            let sql = "UPDATE fait_views SET tbl = ?2, position = ?3, version = ?4, shape = ?5,
                rebuild = 0 WHERE name = ?1";
            let version = view.def.version;
            tx.execute(sql, params![name, new, i64_of(at), version, view.shape()])?;
            tx.execute("DELETE FROM fait_parked_keys WHERE view = ?1", [name])?;
            let sql = "UPDATE fait_parked_keys SET view = ?1 WHERE view = ?2";
            tx.execute(sql, params![name, new]).map(|_| ())
        })?;
        // The old table stays until the next rebuild: somebody may be reading it.
        tracing::debug!(view = name, old, new, "switched");
        *view.table.lock().unwrap_or_else(PoisonError::into_inner) = new.to_string();
        view.feed.set(at);
        Ok(())
    }

    /// How a view stands.
    pub(crate) fn view_status(
        &self,
        view: &ViewState,
        head: Position,
    ) -> Result<ViewStatus, StoreError> {
        let table = view.table();
        let (rows, parked) = self.db.read(|c| {
            let sql = format!("SELECT count(*) FROM {}", quoted(&table));
            let rows: i64 = c.query_row(&sql, [], |r| r.get(0))?;
            let sql = "SELECT key, reason FROM fait_parked_keys WHERE view = ?1";
            let mut parked = c.prepare_cached(sql)?;
            let parked = parked
                .query_map([&view.def.name], |r| Ok((r.get(0)?, r.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            Ok((rows, parked))
        })?;
        let r = &view.rebuild;
        let position = view.feed.at();
        Ok(ViewStatus {
            name: view.def.name.clone(),
            table,
            version: view.def.version,
            position,
            head,
            lag_events: head.saturating_sub(position),
            rows: u64_of(rows),
            parked,
            rebuild: r.running.load(Ordering::Acquire).then(|| RebuildStatus {
                position: r.at.load(Ordering::Acquire),
                until: r.until.load(Ordering::Acquire),
            }),
            rebuilds_finished: r.finished.load(Ordering::Acquire),
            rebuild_failed: r
                .failed
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        })
    }

    /// One row.
    pub(crate) fn view_row(
        &self,
        view: &ViewState,
        key: &str,
    ) -> Result<Option<ViewRow>, StoreError> {
        let sql = select(&view.table(), "v.key = ?2");
        self.db.read(|c| {
            c.prepare_cached(&sql)?
                .query_row(params![view.def.name, key], read_row)
                .optional()
        })
    }

    /// Some rows in the order of keys.
    pub(crate) fn view_rows(
        &self,
        view: &ViewState,
        q: &RowsQuery,
    ) -> Result<Vec<ViewRow>, StoreError> {
        let mut sql = select(&view.table(), "v.key > ?2");
        let mut values = vec![view.def.name.clone(), q.after.clone().unwrap_or_default()];
        for (column, value) in &q.filter {
            // SQLite's JSON functions give yes and no as 1 and 0.
            let flag = view.def.row["properties"][column]["type"] == "boolean";
            values.push(match value.as_str() {
                "true" if flag => "1".into(),
                "false" if flag => "0".into(),
                _ => value.clone(),
            });
            let n = values.len();
            sql.push_str(&format!(" AND CAST(v.{} AS TEXT) = ?{n}", quoted(column)));
        }
        sql.push_str(&format!(" ORDER BY v.key LIMIT {}", q.limit.clamp(1, 1000)));
        self.db.read(|c| {
            c.prepare_cached(&sql)?
                .query_map(rusqlite::params_from_iter(values), read_row)?
                .collect()
        })
    }
}

fn select(table: &str, condition: &str) -> String {
    format!(
        "SELECT v.key, v.\"row\", v.position, p.reason FROM {} v LEFT JOIN fait_parked_keys p
         ON p.view = ?1 AND p.key = v.key WHERE {condition}",
        quoted(table)
    )
}

fn read_row(r: &rusqlite::Row<'_>) -> rusqlite::Result<ViewRow> {
    let row: String = r.get(1)?;
    Ok(ViewRow {
        key: r.get(0)?,
        row: serde_json::from_str(&row).unwrap_or(Value::String(row)),
        position: u64_of(r.get(2)?),
        stale: r.get(3)?,
    })
}

/// How far a reader is that has read this slice: to the head, unless the limit cut it short.
pub(crate) fn reached(events: &[StoredEvent], head: Position) -> Position {
    match events.last() {
        Some(last) if events.len() >= BATCH => last.meta.position,
        _ => head,
    }
}

fn parked_keys(tx: &Transaction<'_>, owner: &str) -> rusqlite::Result<HashSet<String>> {
    tx.prepare_cached("SELECT key FROM fait_parked_keys WHERE view = ?1")?
        .query_map([owner], |r| r.get(0))?
        .collect()
}

/// Takes one event into the rows that it touches; what cannot be taken in parks its key.
fn project(
    tx: &Transaction<'_>,
    view: &ViewState,
    (table, owner): (&str, &str),
    event: &StoredEvent,
    parked: &mut HashSet<String>,
) -> rusqlite::Result<()> {
    let def = &view.def;
    let park = |parked: &mut HashSet<String>, key: &str, why: &DecodeError| {
        tracing::error!(view = def.name, key, error = %why, "the key is parked");
        parked.insert(key.to_string());
        let sql = "INSERT OR REPLACE INTO fait_parked_keys VALUES (?1, ?2, ?3, ?4)";
        let position = i64_of(event.meta.position);
        tx.execute(sql, params![owner, key, position, why.to_string()])
            .map(|_| ())
    };
    let keys = match guarded(event, || (def.keys)(event)) {
        Ok(keys) => keys,
        Err(why) => {
            return def
                .tagged_keys(event)
                .iter()
                .try_for_each(|key| park(parked, key, &why));
        }
    };
    for key in keys {
        if parked.contains(&key) {
            continue;
        }
        let sql = format!("SELECT \"row\" FROM {} WHERE key = ?1", quoted(table));
        let row: Option<String> = tx
            .prepare_cached(&sql)?
            .query_row([&key], |r| r.get(0))
            .optional()?;
        let row = row.and_then(|text| serde_json::from_str(&text).ok());
        match guarded(event, || (def.project)(row, &key, event)) {
            Ok(row) => put(tx, table, &key, row, event.meta.position)?,
            Err(why) => park(parked, &key, &why)?,
        }
    }
    Ok(())
}

fn put(
    tx: &Transaction<'_>,
    table: &str,
    key: &str,
    row: Option<Value>,
    position: Position,
) -> rusqlite::Result<()> {
    let table = quoted(table);
    match row {
        Some(row) => {
            let sql = format!(
                "INSERT INTO {table} (key, \"row\", position) VALUES (?1, ?2, ?3)
                 ON CONFLICT (key) DO UPDATE SET \"row\" = ?2, position = ?3"
            );
            tx.prepare_cached(&sql)?
                .execute(params![key, row.to_string(), i64_of(position)])?;
        }
        None => {
            let sql = format!("DELETE FROM {table} WHERE key = ?1");
            tx.prepare_cached(&sql)?.execute([key])?;
        }
    }
    Ok(())
}

/// A panic in the application's projection is an error of that event, not the end of the view.
fn guarded<T>(
    event: &StoredEvent,
    work: impl FnOnce() -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(event.unreadable(panic_text(&*panic))))
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|s| s.to_string())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a message".into());
    format!("the program panicked: {text}")
}
