//! Looking at a running system: events, causes, processes, health.

use super::build::AppBuilder;
use super::{App, Ignored, ProcessCount};
use crate::runtime::view::ViewState;
use crate::trace::{Cause, Flow};
use fait_core::event::{Position, StoredEvent, Time};
use fait_core::manifest::{Edge, Manifest};
use fait_core::process::Instance;
use fait_core::query::Query;
use fait_core::store::{Range, Slice, StoreError};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How a process stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessStatus {
    /// The name in records.
    pub name: String,
    /// The name in plain words.
    pub title: String,
    /// Whether it is a policy.
    pub policy: bool,
    /// How far it has come.
    pub position: Position,
    /// Events behind.
    pub lag_events: u64,
    /// How its instances stand.
    pub instances: ProcessCount,
    /// The next deadline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due: Option<Time>,
    /// Events that found no instance and were ignored, since the program was started.
    #[serde(default)]
    pub ignored: Ignored,
    /// Events that are held until their instance begins.
    #[serde(default)]
    pub held: usize,
}

/// The state of the system, in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// Whether everything has caught up to within a thousand events and nothing is in trouble.
    pub ready: bool,
    /// What is not ready.
    pub reasons: Vec<String>,
    /// The head of the log.
    pub head: Position,
    /// Now, by the system's clock.
    pub now: Time,
}

impl AppBuilder {
    /// What is wired, as data: the manifest that the system will have. Nothing is opened.
    pub fn manifest(&self) -> Manifest {
        let mut commands: Vec<_> = self.commands.iter().collect();
        commands.sort_by(|a, b| a.name.cmp(&b.name));
        let (views, processes) = (self.views.iter(), self.processes.iter());
        let mut m = Manifest::of(&self.name, commands.into_iter(), views, processes);
        for (def, system) in &self.received {
            m.receive(def, system);
        }
        self.publications.iter().for_each(|p| m.publish(p));
        self.hears.iter().for_each(|h| m.hear(&h.name, &h.def));
        m.retired = self.retired.iter().cloned().collect();
        m
    }
}

impl App {
    /// Reads events.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn events(&self, query: &Query, range: Range) -> Result<Slice, StoreError> {
        self.core.store.read(query, range).await
    }

    /// One event by its id.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn event(&self, id: Uuid) -> Result<Option<StoredEvent>, StoreError> {
        let Some(position) = self.core.store.event(id).await? else {
            return Ok(None);
        };
        self.event_at(position).await
    }

    /// One event by its position.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn event_at(&self, position: Position) -> Result<Option<StoredEvent>, StoreError> {
        let after = position.saturating_sub(1);
        let slice = self
            .core
            .store
            .read(&Query::all(), Range::after(after, 1))
            .await?;
        Ok(slice
            .events
            .into_iter()
            .next()
            .filter(|e| e.meta.position == position))
    }

    /// The first event that a command raised, by the id of the command.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn event_of(&self, command: Uuid) -> Result<Option<StoredEvent>, StoreError> {
        match self.core.store.command(command).await? {
            Some((_, done)) => self.event_at(done.first).await,
            None => Ok(None),
        }
    }

    /// The last position.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn head(&self) -> Result<Position, StoreError> {
        self.core.store.head().await
    }

    /// Waits until something happens behind a position; gives the head.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn wait(&self, after: Position) -> Result<Position, StoreError> {
        self.core.store.wait(after).await
    }

    /// Resolves whenever a view or a process has come further.
    pub fn pulse(&self) -> tokio::sync::watch::Receiver<u64> {
        self.core.pulse.watch()
    }

    /// The whole system as data.
    pub fn manifest(&self) -> Manifest {
        let core = &self.core;
        let processes = core.processes.values().map(|p| &p.def);
        let mut m = Manifest::of(
            &core.name,
            core.commands.values(),
            core.view_defs(),
            processes,
        );
        for (def, system) in core.received.values() {
            m.receive(def, system);
        }
        core.publications.iter().for_each(|p| m.publish(&p.def));
        core.hearings.values().for_each(|h| m.hear(&h.name, &h.def));
        m.retired = core.retired.clone();
        m
    }

    /// Every arrow of the system, sorted.
    pub fn graph(&self) -> Vec<Edge> {
        self.manifest().edges()
    }

    /// The flow that an event belongs to, as a tree of causes: events in order, with their depth.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn trace(&self, event: &StoredEvent) -> Result<Vec<Cause>, StoreError> {
        crate::trace::trace(&*self.core.store, event).await
    }

    /// What this system knows of a flow: its events behind a position, `most` of them, and what
    /// waits in it. The flow is named by its id, `correlation` in the origin of each event.
    ///
    /// The index by flow is brought up to date for that. In a long log the first who asks may
    /// find that it has not come to the end within some seconds; [`Flow::read`] says how far.
    ///
    /// # Errors
    /// The store or the index cannot be read.
    pub async fn flow(
        &self,
        correlation: Uuid,
        after: Position,
        most: usize,
    ) -> Result<Flow, StoreError> {
        let core = &self.core;
        let read = core.index_flows().await?;
        let events = core.flow_events(correlation, after, most).await?;
        let next = events.last().filter(|_| events.len() == most);
        Ok(Flow {
            system: core.name.clone(),
            correlation,
            next: next.map(|e| e.meta.position),
            events,
            open: core.db.open_in(correlation)?,
            parked: core.db.parked_in(correlation)?,
            read,
            head: core.store.head().await?,
        })
    }

    /// A process's or policy's name in plain words.
    pub fn process_title(&self, name: &str) -> Option<String> {
        self.core.process(name).map(|p| p.title.clone())
    }

    /// How every process and policy stands.
    ///
    /// # Errors
    /// The store or the index cannot be read.
    pub async fn processes(&self) -> Result<Vec<ProcessStatus>, StoreError> {
        let head = self.core.store.head().await?;
        let status = |p: &std::sync::Arc<crate::runtime::step::Runner>| {
            Ok(ProcessStatus {
                name: p.def.name.clone(),
                title: p.def.title.clone(),
                policy: p.def.policy,
                position: p.feed.at(),
                lag_events: head.saturating_sub(p.feed.at()),
                instances: self.core.db.count(&p.def.name)?,
                next_due: self.core.db.next_due(Some(&p.def.name))?,
                ignored: p.waiting.ignored(),
                held: p.waiting.len(),
            })
        };
        self.core.processes.values().map(status).collect()
    }

    /// Instances, the latest first; `status` is `running`, `parked` or `ended`.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn instances(
        &self,
        process: Option<&str>,
        status: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Instance>, StoreError> {
        self.core.db.instances(process, status, limit)
    }

    /// One instance, as the log has it now; none when it has not begun.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn instance(&self, process: &str, key: &str) -> Result<Option<Instance>, StoreError> {
        Ok(Some(self.core.instance(process, key).await?).filter(Instance::exists))
    }

    /// Instances that wait for an operator.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn parked(&self) -> Result<Vec<Instance>, StoreError> {
        self.core.db.instances(None, Some("parked"), 1000)
    }

    /// Whether the system is ready, and if not, why.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn health(&self) -> Result<Health, StoreError> {
        const BEHIND: u64 = 1000;
        let head = self.core.store.head().await?;
        let mut reasons = vec![];
        if self.core.stop.is_cancelled() {
            reasons.push("the system is stopping".to_string());
        }
        let far = |at: Position| head.saturating_sub(at) > BEHIND;
        let waits = |v: &&std::sync::Arc<ViewState>| far(v.feed.at()) && !v.settled(head);
        for v in self.core.views.values().filter(waits) {
            let behind = head - v.feed.at();
            reasons.push(format!("view `{}` is {behind} events behind", v.def.name));
        }
        for p in self.core.processes.values().filter(|p| far(p.feed.at())) {
            let behind = head - p.feed.at();
            reasons.push(format!(
                "process `{}` is {behind} events behind",
                p.def.name
            ));
        }
        let going = self.core.publications.iter();
        let going = going.filter(|p| p.stopped().is_none() && far(p.at()));
        reasons.extend(going.map(|p| {
            let (name, behind) = (&p.def.name, head - p.at());
            format!("publication `{name}` is {behind} events behind")
        }));
        let now = self.core.clock.now();
        Ok(Health {
            ready: reasons.is_empty(),
            reasons,
            head,
            now,
        })
    }
}
