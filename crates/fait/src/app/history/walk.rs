//! Going through a log, event by event: each is read by its code, and those that came of one
//! command are handed on together.

use super::again::{Again, Asked};
use super::report::{Finds, Gathered, History};
use super::views::Views;
use super::{AppBuilder, Progress};
use crate::app::preflight::guarded;
use crate::runtime::begin::at_once;
use fait_core::bus::fact;
use fait_core::decision::{RecordedCommand, recorded};
use fait_core::event::{EventDef, Position, RESERVED_PREFIX, StoredEvent};
use fait_core::process::{Fact, Issued, Outcome, types};
use fait_core::query::Query;
use fait_core::store::{ERASED, Range, Store, StoreError};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// Events read at once.
const PAGE: usize = 1000;

/// A log on its way through a program.
pub(super) struct Walk<'a> {
    store: &'a dyn Store,
    /// The code of each event type, by its stored name and its older ones.
    readers: BTreeMap<&'a str, Vec<&'a EventDef>>,
    received: BTreeSet<&'a str>,
    retired: BTreeSet<&'a str>,
    /// Commands that processes issued, and that are open.
    issued: HashMap<Uuid, Issued>,
    /// What came of one command, as far as it was read.
    group: Group,
    again: Again<'a>,
    views: Views<'a>,
    /// Events of the page that cannot be read.
    unreadable: BTreeSet<Position>,
    erased: Lost,
    found: Gathered,
    report: History,
}

/// What came of one command.
#[derive(Default)]
struct Group {
    command: Option<Uuid>,
    events: Vec<StoredEvent>,
}

/// What is known of erased events.
#[derive(Default)]
struct Lost {
    types: BTreeSet<String>,
    unknown: bool,
}

impl Lost {
    /// Whether a decision that reads some types may have looked at what was erased.
    fn may_concern(&self, reads: &[String]) -> bool {
        self.unknown || reads.iter().any(|ty| self.types.contains(ty))
    }
}

impl<'a> Walk<'a> {
    pub(super) fn new(app: &'a AppBuilder, store: &'a dyn Store) -> Result<Self, StoreError> {
        let mut readers: BTreeMap<&str, Vec<&EventDef>> = BTreeMap::new();
        for def in app.event_defs() {
            for name in std::iter::once(&def.name).chain(&def.was) {
                readers.entry(name).or_default().push(def);
            }
        }
        Ok(Walk {
            store,
            readers,
            received: app.received.iter().map(|(d, _)| d.name.as_str()).collect(),
            retired: app.retired_events().map(|(name, _)| name).collect(),
            issued: HashMap::new(),
            group: Group::default(),
            again: Again::new(app, store),
            views: Views::new(&app.views)?,
            unreadable: BTreeSet::new(),
            erased: Lost::default(),
            found: Gathered::default(),
            report: History::default(),
        })
    }

    pub(super) fn all(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<(), StoreError> {
        let (everything, mut done) = (Query::all(), 0);
        let head = at_once(self.store.head())?;
        loop {
            let slice = at_once(self.store.read(&everything, Range::after(done, PAGE)))?;
            let Some(last) = slice.events.last() else {
                break;
            };
            done = last.meta.position;
            self.unreadable.clear();
            for event in &slice.events {
                self.take(event)?;
            }
            let (views, found) = (&mut self.views, &mut self.found);
            views.take(&slice.events, &self.unreadable, found)?;
            progress(Progress { done, head });
        }
        self.close()?;
        self.report.head = done;
        self.report.views = self.views.rows(&mut self.found)?;
        Ok(())
    }

    pub(super) fn report(mut self, copied: bool) -> History {
        self.report.copied = copied;
        self.found.into_report(&mut self.report);
        self.report
    }

    fn take(&mut self, event: &StoredEvent) -> Result<(), StoreError> {
        let command = event.meta.origin.command;
        if command.is_none() || command != self.group.command {
            self.close()?;
        }
        match event.ty.starts_with(RESERVED_PREFIX) {
            true => self.own(event),
            false => self.read(event),
        }
        if command.is_some() {
            self.group.command = command;
            self.group.events.push(event.clone());
        }
        Ok(())
    }

    /// An event of the application, by all code that reads its type.
    fn read(&mut self, event: &StoredEvent) {
        let (ty, at) = (event.ty.as_str(), event.meta.position);
        self.report.count(ty, event.version);
        if self.is_retired(ty) {
            *self.report.retired.entry(ty.into()).or_insert(0) += 1;
            return;
        }
        let readers = self.readers.get(ty);
        for def in readers.into_iter().flatten() {
            if let Err((alike, what)) = reading(def, event) {
                self.found.add((Finds::Event, ty), &alike, at, what);
                self.unreadable.insert(at);
                return;
            }
        }
        if readers.is_none() {
            let what = "nothing that is wired reads or writes it";
            self.found.add((Finds::Unread, ty), "", at, what);
        }
    }

    /// An event of `fait` itself.
    fn own(&mut self, event: &StoredEvent) {
        if event.ty == ERASED {
            self.report.erased += 1;
            match event
                .json()
                .ok()
                .as_ref()
                .and_then(|data| data["type"].as_str())
            {
                Some(ty) => drop(self.erased.types.insert(ty.into())),
                None => self.erased.unknown = true,
            }
            return;
        }
        let fact = match Fact::read(event) {
            Ok(fact) => fact,
            Err(e) => {
                let alike = e.field.as_deref().unwrap_or_default();
                let name = (Finds::Event, event.ty.as_str());
                self.found.add(name, alike, event.meta.position, &e.message);
                return;
            }
        };
        let ty = event.ty.as_str();
        let known = [recorded::TYPE, types::BEGAN].contains(&ty) || fact::ALL.contains(&ty);
        match fact {
            None if !known => {
                let what = "this version of `fait` does not know it";
                let name = (Finds::Unread, event.ty.as_str());
                self.found.add(name, "", event.meta.position, what);
            }
            None => {}
            // Who settles by hand sends no command.
            Some(Fact::Settled(s)) if event.meta.origin.command.is_none() => {
                self.issued.remove(&s.command);
            }
            Some(fact) => {
                let new = fact.issued().iter().map(|i| (i.id, i.clone()));
                self.issued.extend(new);
                for id in fact.withdrawn() {
                    self.issued.remove(id);
                }
            }
        }
    }

    /// Decides the command again of which the events came that were read last.
    fn close(&mut self) -> Result<(), StoreError> {
        let group = std::mem::take(&mut self.group);
        let Some(command) = group.command else {
            return Ok(());
        };
        let Some(first) = group.events.first() else {
            return Ok(());
        };
        let own = |e: &&StoredEvent| !e.ty.starts_with(RESERVED_PREFIX);
        let mut issued = None;
        for event in &group.events {
            if let Ok(Some(Fact::Settled(s))) = Fact::read(event) {
                issued = self.issued.remove(&s.command);
                if s.outcome != Outcome::Accepted {
                    return Ok(());
                }
            }
        }
        let said = group
            .events
            .iter()
            .find_map(|e| RecordedCommand::of(e).transpose());
        let said = match said {
            None => None,
            Some(Ok(said)) => Some(said),
            Some(Err(e)) => {
                let name = (Finds::Command, first.ty.as_str());
                self.found.add(name, "", e.position, &e.message);
                return Ok(());
            }
        };
        let Some(asked) = Asked::of(said, issued, (command, first)) else {
            let recorded = |e: &StoredEvent| own(&e) && !self.is_received(e);
            let unrecorded = group.events.iter().any(recorded);
            self.report.commands.unrecorded += u64::from(unrecorded);
            return Ok(());
        };
        // What is retired comes of nothing any more, on purpose.
        let was = group.events.iter().filter(own);
        let was: Vec<&StoredEvent> = was.filter(|e| !self.is_retired(&e.ty)).collect();
        let commands = &mut self.report.commands;
        let Some((finds, alike, what)) = self.again.decide(&asked, &was, &self.readers)? else {
            commands.same += 1;
            return Ok(());
        };
        commands.otherwise += 1;
        let changed = matches!(finds, Finds::Refused | Finds::Outcome);
        let finds = match changed && self.erased.may_concern(self.again.reads(&asked.name)) {
            true => Finds::Erased,
            false => finds,
        };
        let at = first.meta.position;
        self.found.add((finds, &asked.name), &alike, at, what);
        Ok(())
    }

    fn is_retired(&self, ty: &str) -> bool {
        self.retired.contains(ty)
    }

    fn is_received(&self, event: &StoredEvent) -> bool {
        let by = event.meta.origin.actor.as_deref().unwrap_or_default();
        by.starts_with("system:") && self.received.contains(event.ty.as_str())
    }
}

/// Reads an event by one definition: what those have in common that fail alike, and why.
fn reading(def: &EventDef, event: &StoredEvent) -> Result<(), (String, String)> {
    let read = guarded(|| Ok(def.code.map(|code| code.read(event))));
    match read {
        Ok(Some(Err(e))) => {
            let version = event.version;
            let alike = match &e.field {
                Some(field) => format!("{version} {field}"),
                None => format!("{version} {}", e.message),
            };
            Err((alike, format!("version {version}: {}", e.message)))
        }
        Ok(_) => Ok(()),
        Err(panic) => Err((panic.clone(), panic)),
    }
}
