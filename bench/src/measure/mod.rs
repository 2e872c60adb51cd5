//! The workloads, one measurement of one store each.

mod write;
mod read;
mod decide;
mod follow;
mod open;

pub(crate) use open::{disk, open_here, open_in_child};

use crate::history::{CUSTOMERS, Event, History, mix};
use crate::peer::{Fault, Peer};
use clap::ValueEnum;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// What was measured, by name. Names end in their unit; `_per_s` is better when it is larger.
pub(crate) type Values = BTreeMap<&'static str, f64>;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, serde::Serialize)]
#[value(rename_all = "UPPER")]
pub(crate) enum Workload {
    /// One writer, one durable append.
    W1,
    /// 64 writers, each with conditional appends to its own stream.
    W2,
    /// One writer, 100 events in each append.
    W3,
    /// A scan of everything, raw bytes to a closure.
    W4,
    /// Loading one stream.
    W5,
    /// One decision: read what two tags select, then append under a condition.
    W6,
    /// 16 deciders on one boundary; who loses reads all of it again.
    #[value(name = "W6c")]
    #[serde(rename = "W6c")]
    W6c,
    /// The same behind a queue in the process, with the state kept.
    #[value(name = "W6l")]
    #[serde(rename = "W6l")]
    W6l,
    /// From the start of an append to the code that follows the store.
    W7,
    /// A rebuild: every event decoded and folded into rows in memory.
    W8,
    /// Opening, in a process of its own.
    W9,
    /// Bytes on disk for each event, after a clean close.
    W10,
}

impl Workload {
    /// Its short name.
    pub(crate) fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |v| v.get_name().to_owned())
    }

    /// What it is, in a few words.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Workload::W1 => "one writer, one durable append",
            Workload::W2 => "64 writers, one conditional append each, own streams",
            Workload::W3 => "100 events in each append",
            Workload::W4 => "scan of everything, raw bytes to a closure",
            Workload::W5 => "load one stream",
            Workload::W6 => "decision: read two tags, append under a condition",
            Workload::W6c => "16 deciders on one boundary, optimistic: all is read again",
            Workload::W6l => "16 deciders on one boundary, queued in the process",
            Workload::W7 => "from the start of an append to whoever follows",
            Workload::W8 => "fold all JSON events into 10,000 rows in memory",
            Workload::W9 => "open, in a process of its own",
            Workload::W10 => "on disk after a clean close",
        }
    }

    /// Whether it is measured with the store open, in rounds.
    pub(crate) fn needs_open(self) -> bool {
        !matches!(self, Workload::W9 | Workload::W10)
    }
}

/// What the workloads have in common.
pub(crate) struct Plan<'a> {
    pub(crate) history: &'a History,
    pub(crate) quick: bool,
    next: AtomicU64,
}

impl<'a> Plan<'a> {
    /// Measurements behind a history of so many events.
    pub(crate) fn new(history: &'a History, events: usize, quick: bool) -> Plan<'a> {
        Plan {
            history,
            quick,
            next: AtomicU64::new(events as u64),
        }
    }

    /// How often something is done.
    fn times(&self, full: usize, quick: usize) -> usize {
        if self.quick { quick } else { full }
    }

    /// A number that no event has had.
    fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// A new event of an order.
    fn event(&self, order: &str, customer: u64) -> Event {
        Event::new(self.number(), order, customer)
    }

    /// The name of an order that no event has had, and its customer. Names do not ascend: an index
    /// that is sorted by tag gets them at random places, as it does where many orders are alive.
    fn order(&self) -> (String, u64) {
        let chance = mix(self.number());
        (format!("n{chance:016x}"), mix(chance) % CUSTOMERS)
    }

    /// The first event of a new order.
    fn first(&self) -> Event {
        let (order, customer) = self.order();
        self.event(&order, customer)
    }
}

/// Measures one workload on an open store, once.
///
/// # Errors
/// The store has failed, or has answered what cannot be.
pub(crate) fn measure(
    workload: Workload,
    plan: &Plan<'_>,
    peer: &dyn Peer,
) -> Result<Values, Fault> {
    match workload {
        Workload::W1 => write::alone(plan, peer),
        Workload::W2 => write::many(plan, peer),
        Workload::W3 => write::batches(plan, peer),
        Workload::W4 => read::scan(plan, peer),
        Workload::W5 => read::streams(plan, peer),
        Workload::W6 => decide::uncontended(plan, peer),
        Workload::W6c => decide::contended(plan, peer),
        Workload::W6l => decide::queued(plan, peer),
        Workload::W7 => follow::latency(plan, peer),
        Workload::W8 => read::rebuild(plan, peer),
        Workload::W9 | Workload::W10 => Ok(Values::new()),
    }
}
