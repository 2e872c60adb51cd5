//! How the bus stands.

use super::{App, Stopped};
use fait_core::event::{Position, Time};
use fait_core::store::StoreError;
use serde::{Deserialize, Serialize};

/// How everything between this system and others stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BusStatus {
    /// Who this system is to others: the `source` of its messages.
    pub source: String,
    /// The head of the log.
    pub head: Position,
    /// What makes messages of what happens, in the order in which it is wired.
    pub publications: Vec<PublicationStatus>,
    /// Why no message is recorded just now; it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
}

/// Something that is tried again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trouble {
    /// Since when.
    pub since: Time,
    /// What is wrong, as it was the last time.
    pub error: String,
}

/// How a publication stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PublicationStatus {
    /// Its name.
    pub name: String,
    /// Everything up to here is published, or others need not know of it.
    pub position: Position,
    /// Events behind.
    pub lag_events: u64,
    /// That it cannot go on by itself; it is tried again when the program starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
}

impl App {
    /// How the bus stands: what is published, handed over and received.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn bus(&self) -> Result<BusStatus, StoreError> {
        let core = &self.core;
        let head = core.store.head().await?;
        let publications = core.publications.iter().map(|p| PublicationStatus {
            name: p.def.name.clone(),
            position: p.at(),
            lag_events: head.saturating_sub(p.at()),
            stopped: p.stopped(),
        });
        let trouble = core.publications.trouble();
        Ok(BusStatus {
            source: core.source.clone(),
            head,
            publications: publications.collect(),
            trouble: trouble.map(|(since, error)| Trouble { since, error }),
        })
    }
}
