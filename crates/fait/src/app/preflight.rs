//! Looking at a folder with this program before it is let at it: what is in flight there, and
//! whether this program can go on with it. No step is taken and nothing is written.

use super::build::{AppBuilder, BuildError, runners};
use crate::clock::Clock;
use crate::runtime::begin::at_once;
use crate::runtime::db::Db;
use crate::runtime::definitions::routed_by;
use crate::runtime::index::read_facts;
use crate::runtime::step::Runner;
use fait_core::event::panic_text;
use fait_core::event::{Position, Tag};
use fait_core::process::{Class, Instance, Issued, ProcessDef, Status, Target};
use fait_core::query::{Query, QueryItem};
use fait_core::store::{Range, Store, StoreError};
use fait_store::tools::{backup, restore};
use fait_store::{Disk, OpenError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Most findings that a report lists; it counts all of them.
pub const MAX_FINDINGS: usize = 200;

/// Instances looked at together.
const PAGE: usize = 200;

/// Most events behind an instance's last input that are read for it.
const MAX_BACKLOG: usize = 1000;

/// What kind of thing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Finds {
    /// This program has no such process.
    ProcessGone,
    /// The recorded state cannot be read.
    State,
    /// A command that was issued, and whose outcome this program cannot hear.
    Command,
    /// A command that was issued and is not wired.
    NotWired,
    /// A deadline that is set and not known any more.
    Deadline,
    /// An event that it may still hear, and that cannot be read.
    Event,
    /// It waits for an operator already.
    Parked,
    /// It goes on with another definition than the one of its last step.
    Definition,
}

impl Finds {
    /// Whether it keeps the instance from going on.
    pub fn is_trouble(self) -> bool {
        !matches!(self, Finds::Parked | Finds::Definition)
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Finds::ProcessGone => (
                "its process is gone",
                "wire the process again, or cancel these instances before",
            ),
            Finds::State => (
                "its state cannot be read",
                "raise VERSION and write `upcast` for what was recorded",
            ),
            Finds::Command => (
                "what becomes of a command cannot be heard",
                "keep the command among what the process sends, under its name and with its \
                 fields, until these are settled",
            ),
            Finds::NotWired => (
                "a command is not wired",
                "add `.task::<…>()` or `.tells::<…>()` for it, until these are settled",
            ),
            Finds::Deadline => (
                "a deadline is not known any more",
                "keep the name of the timer; a new name can stand beside it",
            ),
            Finds::Event => (
                "an event cannot be read",
                "raise the event's version and write an upcast for what was recorded",
            ),
            Finds::Parked => (
                "it is parked",
                "nothing; an operator looks at it either way",
            ),
            Finds::Definition => (
                "it goes on with another definition",
                "nothing, if that is meant; else wire the older one with `.also::<…>()`",
            ),
        }
    }
}

/// Something found with one instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The process.
    pub process: String,
    /// The instance.
    pub key: String,
    /// What kind of thing it is.
    pub finds: Finds,
    /// What exactly.
    pub what: String,
}

/// What is in flight in a folder, and whether a program can go on with it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Preflight {
    /// The last position that was looked at.
    pub head: Position,
    /// Whether a running program held the folder, so that a copy was looked at.
    pub copied: bool,
    /// Instances in flight, by process.
    pub in_flight: BTreeMap<String, u64>,
    /// How many findings there are, by kind.
    pub counts: BTreeMap<Finds, u64>,
    /// The first [`MAX_FINDINGS`] of them, trouble before the rest.
    pub findings: Vec<Finding>,
}

impl Preflight {
    /// Whether every instance can go on.
    pub fn ok(&self) -> bool {
        self.counts.keys().all(|finds| !finds.is_trouble())
    }

    pub(super) fn add(&mut self, i: &Instance, finds: Finds, what: impl fmt::Display) {
        *self.counts.entry(finds).or_insert(0) += 1;
        let same = |f: &&Finding| f.finds.is_trouble() == finds.is_trouble();
        // What is only worth knowing does not take the place of trouble.
        if self.findings.iter().filter(same).count() < MAX_FINDINGS {
            self.findings.push(Finding {
                process: i.process.clone(),
                key: i.key.clone(),
                finds,
                what: what.to_string(),
            });
        }
    }

    fn sorted(mut self) -> Self {
        let first = |f: &Finding| (!f.finds.is_trouble(), f.finds);
        self.findings.sort_by(|a, b| {
            first(a)
                .cmp(&first(b))
                .then_with(|| a.process.cmp(&b.process))
        });
        self.findings.truncate(MAX_FINDINGS);
        self
    }
}

impl fmt::Display for Preflight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n: u64 = self.in_flight.values().sum();
        writeln!(f, "{n} instances in flight, up to event {}", self.head)?;
        for (process, n) in &self.in_flight {
            writeln!(f, "  {process}: {n}")?;
        }
        for (finds, count) in &self.counts {
            let (what, remedy) = finds.words();
            let kind = if finds.is_trouble() {
                "trouble"
            } else {
                "note"
            };
            writeln!(f, "\n{kind}: {what} ({count})")?;
            writeln!(f, "  what to do: {remedy}")?;
            let mut shown = 0;
            for one in self.findings.iter().filter(|one| one.finds == *finds) {
                writeln!(f, "  {} {}: {}", one.process, one.key, one.what)?;
                shown += 1;
            }
            if *count > shown {
                writeln!(f, "  … and {} more", count - shown)?;
            }
        }
        match self.ok() {
            true => write!(f, "\nThis program can go on with all of them."),
            false => write!(f, "\nThis program cannot go on with all of them."),
        }
    }
}

/// A folder that is read: itself, or a copy of it while a program uses it.
pub(super) struct Reading {
    pub(super) store: Arc<Disk>,
    copy: Option<PathBuf>,
}

impl Reading {
    pub(super) fn open(folder: &Path) -> Result<Reading, BuildError> {
        match Disk::open_read_only(folder) {
            Ok(disk) => Ok(Reading {
                store: Arc::new(disk),
                copy: None,
            }),
            Err(OpenError::InUse { .. }) => Reading::copied(folder),
            Err(e) => Err(e.into()),
        }
    }

    fn copied(folder: &Path) -> Result<Reading, BuildError> {
        let place = std::env::temp_dir().join(format!("fait-{}", Clock::machine().id()));
        let work = || {
            let (kept, copy) = (place.join("backup"), place.join("copy"));
            std::fs::create_dir_all(&place).map_err(StoreError::new)?;
            backup(folder, &kept, &mut |_| {}).map_err(StoreError::new)?;
            restore(&kept, &copy, &mut |_| {}).map_err(StoreError::new)?;
            let _ = std::fs::remove_dir_all(&kept);
            Ok(Arc::new(Disk::open_read_only(&copy)?))
        };
        match work() {
            Ok(store) => Ok(Reading {
                store,
                copy: Some(place),
            }),
            Err(e) => {
                let _ = std::fs::remove_dir_all(&place);
                Err(e)
            }
        }
    }

    pub(super) fn is_copy(&self) -> bool {
        self.copy.is_some()
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if let Some(copy) = &self.copy {
            // What is left in the folder for temporary files is nobody's loss.
            let _ = std::fs::remove_dir_all(copy);
        }
    }
}

impl AppBuilder {
    /// Reads every instance that is in flight in a folder with the definitions that are wired
    /// here, and says which of them this program could not go on with. No step is taken, nothing
    /// is written, and the system is not started. While a program uses the folder, a copy of its
    /// log is made in the folder for temporary files, looked at, and deleted.
    ///
    /// # Errors
    /// Something is wired wrongly, or the folder cannot be read.
    pub fn preflight(&self, folder: impl AsRef<Path>) -> Result<Preflight, BuildError> {
        self.check()?;
        let reading = Reading::open(folder.as_ref())?;
        let store: &dyn Store = &*reading.store;
        let db = Db::scratch(store.id())?;
        let head = at_once(read_facts(store, &db))?;
        let mut report = Preflight {
            head,
            copied: reading.is_copy(),
            ..Preflight::default()
        };
        let look = Look {
            store,
            commands: self.commands.iter().map(|c| c.name.as_str()).collect(),
            runners: runners(self.processes.clone(), &self.older),
        };
        let mut after: Option<(String, String)> = None;
        loop {
            let page = db.in_flight(after.as_ref(), PAGE)?;
            for instance in &page {
                look.at(instance, &mut report)?;
            }
            match page.last() {
                Some(last) => after = Some((last.process.clone(), last.key.clone())),
                None => return Ok(report.sorted()),
            }
        }
    }
}

struct Look<'a> {
    store: &'a dyn Store,
    commands: BTreeSet<&'a str>,
    runners: BTreeMap<String, Arc<Runner>>,
}

impl Look<'_> {
    fn at(&self, i: &Instance, report: &mut Preflight) -> Result<(), StoreError> {
        *report.in_flight.entry(i.process.clone()).or_insert(0) += 1;
        if let Status::Parked { reason, class, .. } = &i.status {
            report.add(i, Finds::Parked, format_args!("{}: {reason}", class.name()));
            // It never began; there is nothing to go on with.
            if *class == Class::Unmatched && !i.has_begun() {
                return Ok(());
            }
        }
        let Some(runner) = self.runners.get(&i.process) else {
            report.add(
                i,
                Finds::ProcessGone,
                "this program does not know its process",
            );
            return Ok(());
        };
        let def = runner.def_for(i);
        if i.has_begun() && i.definition != def.definition {
            let (from, to) = (i.definition, def.definition);
            let what = format!("it began with definition {from} and goes on with {to}");
            report.add(i, Finds::Definition, what);
        }
        if let Some((version, state)) = &i.state
            && let Err(why) = guarded(|| (def.reads.state)(*version, state))
        {
            report.add(i, Finds::State, why);
        }
        for open in i.open.values().map(|o| &o.issued) {
            if !self.commands.contains(open.name.as_str()) {
                report.add(i, Finds::NotWired, format_args!("`{}`", open.name));
            }
            self.command(def, i, open, report);
        }
        for settled in i.unheard.values() {
            self.command(def, i, settled, report);
        }
        let waits = i.awaiting.iter().map(|a| &a.name);
        for name in i.deadlines.keys().chain(waits) {
            if let Err(why) = guarded(|| (def.reads.timer)(name)) {
                report.add(i, Finds::Deadline, why);
            }
        }
        self.backlog(def, i, report)
    }

    fn command(&self, def: &ProcessDef, i: &Instance, issued: &Issued, report: &mut Preflight) {
        let known = match issued.to {
            Target::Role(_) if def.sends.contains(&issued.name) => Ok(()),
            Target::Role(_) => Err(format!("it does not ask for `{}` any more", issued.name)),
            _ => guarded(|| (def.reads.command)(&issued.name, &issued.body)),
        };
        if let Err(why) = known {
            report.add(i, Finds::Command, why);
        }
    }

    /// What came behind its last input, and was not taken yet or had nothing to do with it.
    fn backlog(
        &self,
        def: &ProcessDef,
        i: &Instance,
        report: &mut Preflight,
    ) -> Result<(), StoreError> {
        if def.policy {
            return Ok(());
        }
        let tag = vec![Tag::new(&def.key_kind, &i.key)];
        let query = Query::default().or(QueryItem::of(&def.types, tag));
        let range = Range::after(i.last_input, MAX_BACKLOG);
        for event in at_once(self.store.read(&query, range))?.events {
            let read = guarded(|| (def.reads.event)(&event).map_err(|e| e.to_string()))
                .and_then(|()| routed_by(def, &event).map_err(|e| e.to_string()).map(drop));
            if let Err(why) = read {
                report.add(i, Finds::Event, why);
            }
        }
        Ok(())
    }
}

/// The application's own code; what it panics with is what is wrong.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(panic_text(&*panic)))
}
