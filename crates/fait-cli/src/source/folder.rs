//! The data folder of a system that is stopped: its log, and the database of its views.

mod feeds;
mod views;

use super::look::PAGE;
use super::{
    Each, Look, Name, Page, Process, Rebuild, Resume, Source, Stuck, View, Wanted, standing,
};
use crate::failure::Failure;
use fait::app::{
    AsOf, Cause, FeedStatus, Flow, OpenCommand, ParkedKey, ReadError, Rows, RowsQuery, ViewRow,
    ViewsFile,
};
use fait::board::happened::{Happened, Tally};
use fait::event::{StoredEvent, Tag};
use fait::manifest::Manifest;
use fait::process::{Fact, Instance, Status, instance_tag, process_tag, types};
use fait::query::{Query, QueryItem};
use fait::store::{Range, Store};
use fait_store::Disk;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::runtime::Runtime;
use uuid::Uuid;

/// The database beside the log that holds the views.
const VIEWS: &str = "views.db";

/// A folder that nobody else uses while we look.
pub(super) struct Folder {
    store: Box<dyn Store>,
    path: PathBuf,
    runtime: Runtime,
}

impl Folder {
    /// Opens the folder to read it; nothing in it is changed.
    pub(super) fn open(path: &Path, runtime: Runtime) -> Result<Folder, Failure> {
        if !path.is_dir() {
            return Err(Failure::NotReady(format!(
                "there is no folder {}",
                path.display()
            )));
        }
        Ok(Folder {
            store: Box::new(Disk::open_read_only(path)?),
            path: path.to_path_buf(),
            runtime,
        })
    }

    fn at(&self, position: u64) -> Result<Option<StoredEvent>, Failure> {
        let range = Range::after(position.saturating_sub(1), 1);
        let events = self.read(&Wanted::all(range))?.events;
        Ok(events
            .into_iter()
            .next()
            .filter(|e| e.meta.position == position))
    }

    /// Folds the instances of one process, or of all, from their facts.
    fn fold(&self, tags: Vec<Tag>) -> Result<BTreeMap<(String, String), Instance>, Failure> {
        let query = Query::default().or(QueryItem::of(types::ALL, tags));
        let mut instances: BTreeMap<(String, String), Instance> = BTreeMap::new();
        let mut after = 0;
        loop {
            let range = Range::after(after, PAGE);
            let slice = self.runtime.block_on(self.store.read(&query, range))?;
            for event in &slice.events {
                let fact = Fact::read(event).map_err(|e| Failure::NotReady(e.to_string()))?;
                let Some(fact) = fact else { continue };
                let (process, key) = fact.instance();
                instances
                    .entry((process.into(), key.into()))
                    .or_insert_with(|| Instance::new(process, key))
                    .absorb(&fact, &event.meta, &event.tags);
            }
            match slice.events.last() {
                Some(last) if slice.events.len() == PAGE => after = last.meta.position,
                _ => return Ok(instances),
            }
        }
    }

    fn head(&self) -> Result<u64, Failure> {
        Ok(self.runtime.block_on(self.store.head())?)
    }

    fn views_file(&self) -> PathBuf {
        self.path.join(VIEWS)
    }

    /// The database of the views, to read; none when there is no such file.
    fn database(&self) -> Result<Option<Connection>, Failure> {
        let file = self.views_file();
        if !file.exists() {
            return Ok(None);
        }
        // Without a journal nothing needs to be made beside the file, also where we cannot write.
        let journal = self.path.join(format!("{VIEWS}-wal")).exists();
        let opened = if journal {
            Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_ONLY)
        } else {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            let uri = format!("file:{}?immutable=1", for_uri(&file));
            Connection::open_with_flags(uri, flags)
        };
        opened.map(Some).map_err(|e| self.unreadable(&e))
    }

    /// The file of the views, if there is one; it knows of now only.
    fn views_now(&self, as_of: Option<AsOf>) -> Result<Option<ViewsFile>, Failure> {
        if as_of.is_some() {
            return Err(Failure::Usage(
                "a folder knows its views as they are now, since only the program can fold \
                 them again: start it, and ask at its address with `--at http://…`"
                    .into(),
            ));
        }
        let file = self.views_file();
        match file.exists() {
            true => Ok(Some(ViewsFile::open(file)?)),
            false => Ok(None),
        }
    }

    fn unreadable(&self, e: &rusqlite::Error) -> Failure {
        let file = self.views_file();
        Failure::NotReady(format!(
            "{} cannot be read: {e}; it can be deleted, the program makes it again from the log",
            file.display()
        ))
    }

    /// How far each process has come.
    fn feeds(&self) -> Result<BTreeMap<String, u64>, Failure> {
        let Some(c) = self.database()? else {
            return Ok(BTreeMap::new());
        };
        let read = || -> rusqlite::Result<BTreeMap<String, u64>> {
            let sql = "SELECT substr(name, 9), position FROM fait_feeds
                WHERE name LIKE 'process:%'";
            c.prepare(sql)?
                .query_map([], |r| Ok((r.get(0)?, unsigned(r.get(1)?))))?
                .collect()
        };
        read().map_err(|e| self.unreadable(&e))
    }
}

impl Source for Folder {
    fn read(&self, wanted: &Wanted) -> Result<Page, Failure> {
        let query = wanted.query();
        let slice = self
            .runtime
            .block_on(self.store.read(&query, wanted.range))?;
        Ok(Page {
            events: slice.events,
            head: slice.head,
        })
    }

    fn event(&self, name: Name) -> Result<Option<StoredEvent>, Failure> {
        let position = match name {
            Name::Position(position) => Some(position),
            Name::Id(id) => self.runtime.block_on(self.store.event(id))?,
        };
        position.map_or(Ok(None), |p| self.at(p))
    }

    fn command(&self, id: Uuid) -> Result<Option<StoredEvent>, Failure> {
        let known = self.runtime.block_on(self.store.command(id))?;
        known.map_or(Ok(None), |(_, receipt)| self.at(receipt.first))
    }

    fn begin(&self) -> Result<u64, Failure> {
        Ok(0)
    }

    fn follow(&self, wanted: &Wanted, each: Each<'_>) -> Result<(), Failure> {
        let mut after = wanted.range.after;
        loop {
            let mut next = wanted.clone();
            next.range = Range::after(after, PAGE);
            let page = self.read(&next)?;
            page.events.iter().try_for_each(&mut *each)?;
            match page.events.last() {
                Some(last) if page.events.len() == PAGE => after = last.meta.position,
                _ => break,
            }
        }
        crate::output::note(format_args!(
            "that is the end of the log at {}: a folder that nobody holds does not grow",
            self.head()?
        ));
        Ok(())
    }

    fn flow(&self, event: &StoredEvent) -> Result<Vec<Cause>, Failure> {
        let flow = fait::trace::trace(&*self.store, event);
        Ok(self.runtime.block_on(flow)?)
    }

    fn whole(&self, flow: Uuid) -> Result<Flow, Failure> {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        let head = self.head()?;
        let (mut events, mut instances) = (vec![], BTreeMap::new());
        let mut wanted = Wanted::all(Range::after(0, PAGE));
        loop {
            let page = self.read(&wanted)?.events;
            let (last, full) = (page.last().map(|e| e.meta.position), page.len() == PAGE);
            let of_flow = |e: &StoredEvent| e.meta.origin.correlation == flow;
            for event in page.into_iter().filter(of_flow) {
                if let Ok(Some(fact)) = Fact::read(&event) {
                    let (process, key) = fact.instance();
                    let name = (process.to_string(), key.to_string());
                    if let Entry::Vacant(new) = instances.entry(name) {
                        new.insert(self.instance(process, key)?);
                    }
                }
                events.push(event);
            }
            match last {
                Some(last) if full => wanted.range.after = last,
                _ => break,
            }
        }
        let instances = instances.into_values().flatten();
        let instances: Vec<Instance> = instances.filter(|i| i.correlation == flow).collect();
        Ok(Flow {
            system: name.to_string_lossy().into_owned(),
            correlation: flow,
            events,
            open: instances.iter().flat_map(open_of).collect(),
            parked: instances.into_iter().filter(is_parked).collect(),
            read: head,
            head,
            next: None,
        })
    }

    fn views(&self) -> Result<Vec<View>, Failure> {
        let head = self.head()?;
        let Some(c) = self.database()? else {
            return Ok(vec![]);
        };
        views::read(&c, head).map_err(|e| self.unreadable(&e))
    }

    fn view(&self, name: &str) -> Result<Option<View>, Failure> {
        Ok(self.views()?.into_iter().find(|v| v.status.name == name))
    }

    fn rows(
        &self,
        view: &str,
        query: &RowsQuery,
        as_of: Option<AsOf>,
    ) -> Result<Option<Rows>, Failure> {
        let found = self.views_now(as_of)?.map(|v| v.rows(view, query));
        match found.transpose() {
            Err(ReadError::NoView(_)) => Ok(None),
            Err(e @ ReadError::Query { .. }) => Err(Failure::Usage(e.to_string())),
            found => found.map_err(|e| Failure::NotReady(e.to_string())),
        }
    }

    fn row(&self, view: &str, key: &str, as_of: Option<AsOf>) -> Result<Option<ViewRow>, Failure> {
        match self.views_now(as_of)?.map(|v| v.row(view, key)).transpose() {
            Err(ReadError::NoView(_)) => Ok(None),
            found => Ok(found
                .map_err(|e| Failure::NotReady(e.to_string()))?
                .flatten()),
        }
    }

    fn parked(
        &self,
        view: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<ParkedKey>, Failure> {
        let Some(c) = self.database()? else {
            return Ok(vec![]);
        };
        views::parked(&c, view, after, limit).map_err(|e| self.unreadable(&e))
    }

    fn rebuild(&self, view: &View, _: &Value) -> Result<Rebuild, Failure> {
        // The log is held for reading meanwhile, so that no program can start on the folder.
        let mark = || {
            let c =
                Connection::open_with_flags(self.views_file(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            let sql = "UPDATE fait_views SET wanted = 1 WHERE name = ?1 AND state = 'serving'";
            c.execute(sql, [&view.status.name])
        };
        mark().map_err(|e| {
            let file = self.views_file();
            Failure::NotReady(format!("{} cannot be written: {e}", file.display()))
        })?;
        Ok(Rebuild::Marked)
    }

    fn feeds(&self) -> Result<Vec<FeedStatus>, Failure> {
        let (head, store) = (self.head()?, self.store.id());
        let Some(c) = self.database()? else {
            return Ok(vec![]);
        };
        feeds::read(&c, head, store).map_err(|e| self.unreadable(&e))
    }

    fn reset_feed(&self, name: &str, to: u64) -> Result<(), Failure> {
        let head = self.head()?;
        if to > head {
            return Err(Failure::Usage(format!(
                "feed `{name}` cannot be put at {to}: the log ends at {head}"
            )));
        }
        // The log is held for reading meanwhile, so that no program can start on the folder.
        feeds::reset(&self.views_file(), name, self.store.id(), to).map_err(|e| {
            let file = self.views_file();
            Failure::NotReady(format!("{} cannot be written: {e}", file.display()))
        })
    }

    fn processes(&self) -> Result<Vec<Process>, Failure> {
        let head = self.head()?;
        let mut processes: BTreeMap<String, Process> = BTreeMap::new();
        for (name, at) in self.feeds()? {
            let mut process = named(&name);
            process.position = Some(at);
            process.lag_events = Some(head.saturating_sub(at));
            processes.insert(name, process);
        }
        for ((name, _), instance) in self.fold(vec![])? {
            let process = processes.entry(name).or_insert_with_key(|name| named(name));
            let n = &mut process.instances;
            match instance.status {
                Status::Running => n.running += 1,
                Status::Parked { .. } => n.parked += 1,
                Status::Ended => n.ended += 1,
            }
            if !matches!(instance.status, Status::Parked { .. }) {
                let due = instance.deadlines.values().map(|(d, _)| d.due);
                process.next_due = due.chain(process.next_due).min();
            }
        }
        Ok(processes.into_values().collect())
    }

    fn instances(
        &self,
        process: &str,
        status: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Instance>, Failure> {
        let all = self.fold(vec![process_tag(process)])?.into_values();
        let mut found: Vec<Instance> = all
            .filter(|i| status.is_none_or(|s| s == standing(&i.status)))
            .collect();
        found.sort_by_key(|i| std::cmp::Reverse((i.updated_at, i.moved)));
        found.truncate(limit);
        Ok(found)
    }

    fn instance(&self, process: &str, key: &str) -> Result<Option<Instance>, Failure> {
        let one = self.fold(vec![instance_tag(process, key)])?;
        Ok(one.into_values().next())
    }

    fn resume(&self, _: &str, _: &str, _: &Resume) -> Result<(), Failure> {
        Err(stands_still())
    }

    fn stuck(&self, process: Option<&str>, limit: usize) -> Result<Vec<Stuck>, Failure> {
        let names = match process {
            Some(name) => vec![name.to_string()],
            None => self.processes()?.into_iter().map(|p| p.name).collect(),
        };
        let mut stuck = vec![];
        for name in names {
            stuck.extend(self.instances(&name, Some("parked"), limit)?);
        }
        stuck.sort_by_key(|i| std::cmp::Reverse((i.updated_at, i.moved)));
        stuck.truncate(limit);
        let stuck = stuck.into_iter().map(|instance| Stuck {
            instance,
            backlog: None,
        });
        Ok(stuck.collect())
    }

    fn ask(&self, _: &[&str], _: &Value) -> Result<Value, Failure> {
        Err(stands_still())
    }

    fn look(&self, _: &[&str], _: &[(&str, String)]) -> Result<Value, Failure> {
        Err(stands_still())
    }

    fn bulk(&self, _: &str) -> Result<Value, Failure> {
        Err(stands_still())
    }

    fn watch(&self, _: Duration, _: Look<'_>) -> Result<(), Failure> {
        Err(stands_still())
    }

    fn manifest(&self) -> Result<Option<Manifest>, Failure> {
        Ok(None)
    }

    fn happened(&self) -> Result<Happened, Failure> {
        let mut tally = Tally::default();
        loop {
            let range = Range::after(tally.up_to(), PAGE);
            let slice = self
                .runtime
                .block_on(self.store.read(&Query::all(), range))?;
            slice.events.iter().for_each(|event| tally.take(event));
            if slice.events.len() < PAGE {
                return Ok(tally.happened());
            }
        }
    }

    fn pause(&self, time: Duration) {
        self.runtime
            .block_on(async { tokio::time::sleep(time).await });
    }
}

fn stands_still() -> Failure {
    Failure::Usage(
        "a folder cannot go on by itself: start the system, and use `--at http://…` with its \
         address"
            .into(),
    )
}

/// A process of which only the name is known so far.
fn named(name: &str) -> Process {
    Process {
        name: name.into(),
        ..Process::default()
    }
}

/// SQLite has signed integers only.
fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

/// A path as a part of an SQLite URI.
fn for_uri(path: &Path) -> String {
    let mut out = String::new();
    for c in path.to_string_lossy().chars() {
        match c {
            '%' => out.push_str("%25"),
            '?' => out.push_str("%3f"),
            '#' => out.push_str("%23"),
            c => out.push(c),
        }
    }
    out
}

fn is_parked(instance: &Instance) -> bool {
    matches!(instance.status, Status::Parked { .. })
}

fn open_of(instance: &Instance) -> Vec<OpenCommand> {
    let open = instance.open.values().map(|open| OpenCommand {
        process: instance.process.clone(),
        key: instance.key.clone(),
        open: open.clone(),
        correlation: instance.correlation,
        about: instance.about.clone(),
    });
    open.collect()
}
