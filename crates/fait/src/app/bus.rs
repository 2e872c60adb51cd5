//! How the bus stands.

use super::{App, Halted, InletStatus, Stopped};
use crate::bus::Reached;
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
    /// The brokers that messages are handed to, in the order in which they are wired.
    pub outlets: Vec<OutletStatus>,
    /// Those who hear other systems, by name.
    pub inlets: Vec<InletStatus>,
}

/// Messages that wait are counted up to here.
pub const MAX_COUNTED: usize = 1000;

/// How a broker that messages are handed to stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutletStatus {
    /// Its name.
    pub name: String,
    /// All messages up to here are there, or need not be.
    pub position: Position,
    /// Messages that wait, counted up to [`MAX_COUNTED`].
    pub waiting: u64,
    /// What the other side had, as it was last heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<Reached>,
    /// Why nothing is handed over just now; it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
    /// When it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try: Option<Time>,
    /// That it does not go on by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halted: Option<Halted>,
}

/// Something that is tried again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trouble {
    /// Since when.
    pub since: Time,
    /// What is wrong, as it was the last time.
    pub error: String,
}

impl Trouble {
    fn of((since, error): (Time, String)) -> Trouble {
        Trouble { since, error }
    }
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
        let mut outlets = vec![];
        for relay in &core.outlets {
            let waiting = core.waiting_for(relay, MAX_COUNTED).await?;
            let state = relay.state();
            outlets.push(OutletStatus {
                name: relay.name.clone(),
                position: state.at,
                waiting,
                reached: state.reached,
                trouble: state.trouble.map(Trouble::of),
                next_try: state.next_try,
                halted: state.halted,
            });
        }
        Ok(BusStatus {
            outlets,
            inlets: self.inlets().await?,
            source: core.source.clone(),
            head,
            publications: publications.collect(),
            trouble: trouble.map(Trouble::of),
        })
    }
}
