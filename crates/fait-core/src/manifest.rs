//! The manifest: the whole system as sorted JSON, and nothing that is not in the program.

use crate::bus::{Expects, PublishDef, PublishedDef, ReceiveDef};
use crate::command::{FieldDef, PageDef};
use crate::decision::CommandDef;
use crate::event::EventDef;
use crate::process::ProcessDef;
use crate::projection::ProjectionDef;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A system as data. The board is held against it; console and clients read only it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The system's name.
    pub name: String,
    /// Event types by stored name.
    pub events: BTreeMap<String, EventDef>,
    /// Commands by name.
    pub commands: BTreeMap<String, CommandEntry>,
    /// Views by name.
    pub views: BTreeMap<String, ViewEntry>,
    /// Processes by name.
    pub processes: BTreeMap<String, ProcessEntry>,
    /// Policies by name.
    pub policies: BTreeMap<String, ProcessEntry>,
    /// Roles that may do something, with what.
    pub roles: BTreeMap<String, Vec<String>>,
    /// Outside systems: what they are told.
    pub systems: BTreeMap<String, Vec<String>>,
    /// Outside systems: the event types that are received from them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub receives: BTreeMap<String, Vec<String>>,
    /// Publications by name: what they look at and what others are told.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub publishes: BTreeMap<String, PublicationEntry>,
    /// Other systems that are listened to: what is read of their messages.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hears: BTreeMap<String, Vec<Expects>>,
    /// Who hears them, by name: what their messages may become.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub receivers: BTreeMap<String, ReceiverEntry>,
    /// Event types that history has and no code reads any more: why, by stored name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub retired: BTreeMap<String, String>,
}

/// A command in the manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommandEntry {
    /// The instruction.
    pub title: String,
    /// The rest of the documentation.
    pub doc: String,
    /// The fields in the order of the form.
    pub fields: Vec<FieldDef>,
    /// How it appears to people.
    pub page: PageDef,
    /// What it may raise.
    pub emits: Vec<String>,
    /// What it is decided on.
    pub reads: Vec<String>,
    /// Sentences of its refusals by code.
    pub refusals: BTreeMap<String, String>,
}

/// Somebody who hears another system, in the manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReceiverEntry {
    /// The other system.
    pub system: String,
    /// The commands that its messages may become.
    pub sends: Vec<String>,
    /// The events that its messages may become.
    pub records: Vec<String>,
}

/// A view in the manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewEntry {
    /// The version of its code.
    pub version: u32,
    /// The kind of thing that a row is about.
    pub key: String,
    /// What it listens to.
    pub types: Vec<String>,
    /// JSON Schema of a row.
    pub row: Value,
}

/// A process or policy in the manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessEntry {
    /// The name in plain words.
    pub title: String,
    /// The version of its state.
    pub version: u32,
    /// The kind of thing that an instance is about.
    pub key: String,
    /// What it hears.
    pub types: Vec<String>,
    /// What it sends or asks for.
    pub sends: Vec<String>,
    /// What it raises itself.
    pub raises: Vec<String>,
}

/// A publication in the manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PublicationEntry {
    /// What it looks at.
    pub types: Vec<String>,
    /// What it may publish, by the type on the bus.
    pub publishes: BTreeMap<String, PublishedDef>,
}

/// One arrow of the system.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "from")]
pub enum Edge {
    /// A command may raise an event.
    Command {
        /// The command.
        name: String,
        /// The event.
        raises: String,
    },
    /// A view listens to an event.
    View {
        /// The view.
        name: String,
        /// The event.
        hears: String,
    },
    /// A process or policy hears events, sends commands and raises events.
    Process {
        /// The process.
        name: String,
        /// What it hears.
        reads: Vec<String>,
        /// What it sends or asks for.
        sends: Vec<String>,
        /// What it raises itself.
        raises: Vec<String>,
    },
}

impl Manifest {
    /// A manifest of some definitions.
    pub fn of<'a>(
        name: &str,
        commands: impl Iterator<Item = &'a CommandDef>,
        views: impl Iterator<Item = &'a ProjectionDef>,
        processes: impl Iterator<Item = &'a ProcessDef>,
    ) -> Manifest {
        let mut m = Manifest {
            name: name.into(),
            ..Manifest::default()
        };
        commands.for_each(|c| m.command(c));
        views.for_each(|v| m.view(v));
        processes.for_each(|p| m.process(p));
        m
    }

    /// Adds an event type that is received from an outside system.
    pub fn receive(&mut self, def: &EventDef, system: &str) {
        let name = self.event(def);
        self.systems.entry(system.into()).or_default();
        let from = self.receives.entry(system.into()).or_default();
        from.push(name);
        from.sort();
    }

    /// Adds a publication.
    pub fn publish(&mut self, def: &PublishDef) {
        let types = def.publishes.iter().map(|t| (t.ty.clone(), t.clone()));
        let entry = PublicationEntry {
            types: def.types.clone(),
            publishes: types.collect(),
        };
        self.publishes.insert(def.name.clone(), entry);
    }

    /// Adds who hears another system, and what is read of its messages.
    pub fn hear(&mut self, receiver: &str, def: &ReceiveDef) {
        let entry = ReceiverEntry {
            system: def.system.clone(),
            sends: def.sends.clone(),
            records: def.records.iter().map(|e| self.event(e)).collect(),
        };
        self.receivers.insert(receiver.into(), entry);
        self.systems.entry(def.system.clone()).or_default();
        let from = self.hears.entry(def.system.clone()).or_default();
        for expects in &def.expects {
            if !from.contains(expects) {
                from.push(expects.clone());
            }
        }
        from.sort_by(|a, b| a.ty.cmp(&b.ty));
    }

    fn event(&mut self, def: &EventDef) -> String {
        self.events.insert(def.name.clone(), def.clone());
        def.name.clone()
    }

    fn command(&mut self, def: &CommandDef) {
        let emits = def.emits.iter().map(|e| self.event(e)).collect();
        for role in &def.page.by {
            self.roles
                .entry(role.clone())
                .or_default()
                .push(def.name.clone());
        }
        if let Some(system) = &def.page.to {
            self.systems
                .entry(system.clone())
                .or_default()
                .push(def.name.clone());
        }
        let entry = CommandEntry {
            title: def.title.clone(),
            doc: def.doc.clone(),
            fields: def.fields.clone(),
            page: def.page.clone(),
            emits,
            reads: def.reads.clone(),
            refusals: def.refusals.iter().cloned().collect(),
        };
        self.commands.insert(def.name.clone(), entry);
    }

    fn view(&mut self, def: &ProjectionDef) {
        let entry = ViewEntry {
            version: def.version,
            key: def.key_kind.clone(),
            types: def.types.clone(),
            row: def.row.clone(),
        };
        self.views.insert(def.name.clone(), entry);
    }

    fn process(&mut self, def: &ProcessDef) {
        let raises = def.raises.iter().map(|e| self.event(e)).collect();
        let entry = ProcessEntry {
            title: def.title.clone(),
            version: def.version,
            key: def.key_kind.clone(),
            types: def.types.clone(),
            sends: def.sends.clone(),
            raises,
        };
        let kind = if def.policy {
            &mut self.policies
        } else {
            &mut self.processes
        };
        kind.insert(def.name.clone(), entry);
    }

    /// Every arrow, sorted.
    pub fn edges(&self) -> Vec<Edge> {
        let mut edges = vec![];
        for (name, c) in &self.commands {
            edges.extend(c.emits.iter().map(|e| Edge::Command {
                name: name.clone(),
                raises: e.clone(),
            }));
        }
        for (name, v) in &self.views {
            edges.extend(v.types.iter().map(|e| Edge::View {
                name: name.clone(),
                hears: e.clone(),
            }));
        }
        for (name, p) in self.processes.iter().chain(&self.policies) {
            edges.push(Edge::Process {
                name: name.clone(),
                reads: p.types.clone(),
                sends: p.sends.clone(),
                raises: p.raises.clone(),
            });
        }
        edges.sort();
        edges
    }
}
