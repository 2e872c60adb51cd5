//! What operators do to instances, and from where on processes hear.

use super::fact::{Deadline, Issued, json_bytes, process_tag, types};
use crate::event::{Draft, Position, StoredEvent};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// What an operator can do to an instance, beside letting it go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing more is to be done; the process hears it and may clear up.
    Cancel,
    /// It is done, whatever the process thinks.
    Complete,
    /// What a command says was corrected.
    Amend,
    /// A deadline comes later, or earlier.
    Postpone,
    /// A deadline comes now.
    Fire,
    /// What was done is taken back by the opposite commands, the last first.
    Compensate,
    /// It goes on with another definition.
    Migrate,
}

impl Action {
    /// The name, as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Action::Cancel => "cancel",
            Action::Complete => "complete",
            Action::Amend => "amend",
            Action::Postpone => "postpone",
            Action::Fire => "fire",
            Action::Compensate => "compensate",
            Action::Migrate => "migrate",
        }
    }
}

/// An operator did something to an instance. Who it was stands in the event's origin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operated {
    /// The process.
    pub process: String,
    /// The instance.
    pub key: String,
    /// What was done.
    pub action: Action,
    /// Why, in the operator's words.
    pub reason: String,
    /// Commands taken back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdrawn: Vec<Uuid>,
    /// Commands issued.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issued: Vec<Issued>,
    /// Deadlines set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<Deadline>,
    /// The new state with its version, after a migration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<(u32, Value)>,
    /// The new definition, after a migration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<u32>,
}

/// From where on processes hear what happens. The latest one that names a process holds for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Began {
    /// Name and last position that each does not hear.
    pub processes: BTreeMap<String, Position>,
    /// The definition of each that is wired, where it is not the first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub definitions: BTreeMap<String, u32>,
    /// Those that first make instances of what was before; a later one without says that this is
    /// done.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub adopting: BTreeSet<String>,
}

impl Began {
    /// Reads it; `None` when the event is something else, or newer than this program.
    pub fn read(event: &StoredEvent) -> Option<Began> {
        let mine = event.ty == types::BEGAN && event.version == 1;
        mine.then(|| serde_json::from_slice(&event.data).ok())
            .flatten()
    }

    /// The definition of a process that it names.
    pub fn definition(&self, process: &str) -> u32 {
        self.definitions.get(process).copied().unwrap_or(1)
    }

    /// The fact as an event.
    pub fn draft(&self) -> Draft {
        Draft {
            ty: types::BEGAN.into(),
            version: 1,
            tags: self
                .processes
                .keys()
                .map(|name| process_tag(name))
                .collect(),
            data: json_bytes(self).into(),
        }
    }
}
