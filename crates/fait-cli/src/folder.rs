//! The data folder of a system that is not running: its log, and its views.

use crate::trouble::Trouble;
use crate::wanted::{Wanted, Which};
use fait::app::{ProcessCount, ViewStatus};
use fait::event::{Position, StoredEvent};
use fait::process::{Fact, Instance, Status, instance_tag, types};
use fait::query::{Query, QueryItem};
use fait::store::{Range, Slice, Store};
use fait::trace::Cause;
use fait_store::{Disk, OpenError};
use rusqlite::{Connection, OpenFlags, params};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const BATCH: usize = 1000;

/// An open folder. No program can write to it while it is open.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    log: Disk,
}

impl Folder {
    /// Opens a folder that no program is using.
    pub(crate) fn open(path: &Path) -> Result<Folder, Trouble> {
        let shown = path.display();
        if !path.is_dir() {
            return Err(Trouble::Unreachable(format!(
                "there is no folder {shown}; start the program that keeps its data there, \
                 or name its address: --at http://HOST:PORT"
            )));
        }
        let log = Disk::open_read_only(path).map_err(|e| match e {
            OpenError::InUse { .. } => Trouble::Unreachable(format!(
                "{shown} is in use by a running program; use --at http://HOST:PORT with the \
                 program's address"
            )),
            e => Trouble::Unreachable(e.to_string()),
        })?;
        Ok(Folder {
            path: path.to_path_buf(),
            log,
        })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Some events.
    pub(crate) async fn events(&self, wanted: &Wanted) -> Result<Slice, Trouble> {
        Ok(self.log.read(&wanted.query(), wanted.range).await?)
    }

    /// One event, if there is such a one.
    pub(crate) async fn event(&self, which: Which) -> Result<Option<StoredEvent>, Trouble> {
        let position = match which {
            Which::Position(position) => position,
            Which::Id(id) => match self.log.event(id).await? {
                Some(position) => position,
                None => return Ok(None),
            },
        };
        let range = Range::after(position.saturating_sub(1), 1);
        let slice = self.log.read(&Query::all(), range).await?;
        let mut events = slice.events.into_iter();
        Ok(events.next().filter(|e| e.meta.position == position))
    }

    /// The flow of an event.
    pub(crate) async fn trace(&self, event: &StoredEvent) -> Result<Vec<Cause>, Trouble> {
        Ok(fait::trace::trace(&self.log, event).await?)
    }

    /// All instances of all processes, or of one, or one, folded from the log.
    pub(crate) async fn instances(
        &self,
        process: Option<&str>,
        key: Option<&str>,
    ) -> Result<Vec<Instance>, Trouble> {
        let tags = match (process, key) {
            (Some(process), Some(key)) => vec![instance_tag(process, key)],
            (Some(process), None) => vec![fait::process::process_tag(process)],
            _ => vec![],
        };
        let query = Query::default().or(QueryItem::of(types::ALL, tags));
        let mut found: BTreeMap<(String, String), Instance> = BTreeMap::new();
        let mut after = 0;
        loop {
            let slice = self.log.read(&query, Range::after(after, BATCH)).await?;
            for event in &slice.events {
                let fact = Fact::read(event).map_err(|e| Trouble::Internal(e.to_string()))?;
                let Some(fact) = fact else { continue };
                let (process, key) = fact.instance();
                let id = (process.to_string(), key.to_string());
                let new = || Instance::new(process, key);
                let instance = found.entry(id).or_insert_with(new);
                instance.absorb(&fact, &event.meta, &event.tags);
            }
            match slice.events.last() {
                Some(last) if slice.events.len() == BATCH => after = last.meta.position,
                _ => break,
            }
        }
        let mut found: Vec<Instance> = found.into_values().filter(Instance::exists).collect();
        found.sort_by_key(|i| std::cmp::Reverse((i.updated_at, i.moved)));
        Ok(found)
    }

    /// The views as the program left them.
    pub(crate) async fn views(&self) -> Result<Vec<ViewStatus>, Trouble> {
        let head = self.log.head().await?;
        let Some(db) = self.database(false)? else {
            return Ok(vec![]);
        };
        read_views(&db, head).map_err(|e| self.broken(&e))
    }

    /// Has a view rebuilt at the program's next start; says whether there is such a view.
    pub(crate) fn mark_for_rebuild(&self, view: &str) -> Result<bool, Trouble> {
        let Some(db) = self.database(true)? else {
            return Ok(false);
        };
        let sql = "UPDATE fait_views SET rebuild = 1 WHERE name = ?1";
        let marked = db
            .execute(sql, params![view])
            .map_err(|e| self.broken(&e))?;
        Ok(marked > 0)
    }

    fn database(&self, write: bool) -> Result<Option<Connection>, Trouble> {
        let file = self.path.join("views.db");
        if !file.exists() {
            return Ok(None);
        }
        let flags = match write {
            true => OpenFlags::SQLITE_OPEN_READ_WRITE,
            false => OpenFlags::SQLITE_OPEN_READ_ONLY,
        };
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(&file, flags).map_err(|e| self.broken(&e))?;
        Ok(Some(db))
    }

    fn broken(&self, e: &rusqlite::Error) -> Trouble {
        let file = self.path.join("views.db");
        Trouble::Unreachable(format!(
            "the views in {} cannot be read: {e}; when they are damaged, remove the file: the \
             program makes it again from the log",
            file.display()
        ))
    }
}

/// How many instances stand how, by process.
pub(crate) fn count(instances: &[Instance]) -> BTreeMap<String, ProcessCount> {
    let mut counts: BTreeMap<String, ProcessCount> = BTreeMap::new();
    for instance in instances {
        let count = counts.entry(instance.process.clone()).or_default();
        match instance.status {
            Status::Running => count.running += 1,
            Status::Parked { .. } => count.parked += 1,
            Status::Ended => count.ended += 1,
        }
    }
    counts
}

fn read_views(db: &Connection, head: Position) -> rusqlite::Result<Vec<ViewStatus>> {
    let sql = "SELECT name, tbl, version, position FROM fait_views ORDER BY name";
    let mut views = db
        .prepare(sql)?
        .query_map([], |r| {
            let position = u64::try_from(r.get::<_, i64>(3)?).unwrap_or(0);
            Ok(ViewStatus {
                name: r.get(0)?,
                table: r.get(1)?,
                version: r.get(2)?,
                position,
                head,
                lag_events: head.saturating_sub(position),
                rows: 0,
                parked: BTreeMap::new(),
                rebuild: None,
                rebuilds_finished: 0,
                rebuild_failed: None,
            })
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    for view in &mut views {
        let table = view.table.replace('"', "\"\"");
        let sql = format!("SELECT count(*) FROM \"{table}\"");
        let rows: i64 = db.query_row(&sql, [], |r| r.get(0))?;
        view.rows = u64::try_from(rows).unwrap_or(0);
        let sql = "SELECT key, reason FROM fait_parked_keys WHERE view = ?1";
        view.parked = db
            .prepare(sql)?
            .query_map([&view.name], |r| Ok((r.get(0)?, r.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
    }
    Ok(views)
}
