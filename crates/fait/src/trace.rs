//! Causation trees: what led to what in one flow.

use crate::runtime::index::OpenCommand;
use fait_core::event::{Position, StoredEvent};
use fait_core::process::Instance;
use fait_core::query::Query;
use fait_core::store::{Range, Store, StoreError};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

/// Events of a flow that are looked at, at most.
pub const MAX_FLOW: usize = 10_000;

/// Kinds of tags that say nothing of a flow: what carries one of them has nothing in common.
const BROAD: &[&str] = &[
    "process",
    "publication",
    "published",
    "outlet",
    "inlet",
    "unread",
];

/// An event in a causation tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    /// The event.
    pub event: StoredEvent,
    /// How deep it stands: 0 for what came from outside.
    pub depth: usize,
}

/// The flow of an event, as a tree in order. A flow lies near its events, so it is looked for
/// by the things that its events are about.
///
/// # Errors
/// The store cannot be read.
pub async fn trace(store: &dyn Store, event: &StoredEvent) -> Result<Vec<Cause>, StoreError> {
    let flow = event.meta.origin.correlation;
    let mut found: BTreeMap<u64, StoredEvent> = BTreeMap::new();
    let mut looked: Vec<fait_core::event::Tag> = vec![];
    found.insert(event.meta.position, event.clone());
    let mut frontier = event.tags.clone();
    while let Some(tag) = frontier.pop() {
        if looked.contains(&tag) || BROAD.contains(&tag.kind()) || found.len() > MAX_FLOW {
            continue;
        }
        let query = Query::tags(vec![tag.clone()]);
        looked.push(tag);
        let mut after = 0;
        loop {
            let slice = store.read(&query, Range::after(after, 1000)).await?;
            for e in slice
                .events
                .iter()
                .filter(|e| e.meta.origin.correlation == flow)
            {
                if found.insert(e.meta.position, e.clone()).is_none() {
                    frontier.extend(e.tags.iter().filter(|t| !looked.contains(t)).cloned());
                }
            }
            match slice.events.last() {
                Some(last) if slice.events.len() == 1000 => after = last.meta.position,
                _ => break,
            }
        }
    }
    Ok(tree(found.into_values().collect()))
}

fn tree(events: Vec<StoredEvent>) -> Vec<Cause> {
    let order = depths(&events.iter().collect::<Vec<_>>());
    let mut events: Vec<Option<StoredEvent>> = events.into_iter().map(Some).collect();
    let caused = |(i, depth): (usize, usize)| {
        let event = events[i].take()?;
        Some(Cause { event, depth })
    };
    order.into_iter().filter_map(caused).collect()
}

/// The order of events in a tree, each with its depth: what came of an event stands behind it.
fn depths(events: &[&StoredEvent]) -> Vec<(usize, usize)> {
    let ids = events.iter().enumerate().map(|(i, e)| (e.meta.id, i));
    let known: HashMap<Uuid, usize> = ids.collect();
    let mut children: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
    for (i, e) in events.iter().enumerate() {
        let parent = e.meta.origin.causation.and_then(|id| known.get(&id));
        let parent = parent.filter(|p| **p != i);
        children.entry(parent.copied()).or_default().push(i);
    }
    let mut out = vec![];
    let mut left: Vec<bool> = vec![true; events.len()];
    let roots = children.get(&None).cloned().unwrap_or_default();
    // What nothing leads to would be a circle, which no system records; it is shown all the same.
    for root in roots.into_iter().chain(0..events.len()) {
        let mut stack = vec![(root, 0)];
        while let Some((i, depth)) = stack.pop() {
            if !std::mem::take(&mut left[i]) {
                continue;
            }
            out.push((i, depth));
            let below = children.get(&Some(i)).into_iter().flatten().rev();
            stack.extend(below.map(|c| (*c, depth + 1)));
        }
    }
    out
}

/// What one system knows of a flow. As JSON it is what `GET /api/flows/{correlation}` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// The system's name.
    pub system: String,
    /// The flow's id.
    pub correlation: Uuid,
    /// Its events in this system, in order; facts of processes and of the bus are among them.
    #[serde(serialize_with = "written", deserialize_with = "read")]
    pub events: Vec<StoredEvent>,
    /// What was asked or told and is not done.
    pub open: Vec<OpenCommand>,
    /// The instances that wait for an operator.
    pub parked: Vec<Instance>,
    /// How far the index by flow has come; events behind that are not given.
    pub read: Position,
    /// The head of the log.
    pub head: Position,
    /// Behind which position there may be more, where not all were given.
    pub next: Option<Position>,
}

fn written<S: Serializer>(events: &[StoredEvent], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(events.iter().map(StoredEvent::to_json))
}

fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<StoredEvent>, D::Error> {
    let values = Vec::<Value>::deserialize(from)?;
    let event = |value| StoredEvent::from_json(value).ok_or_else(|| D::Error::custom("no event"));
    values.into_iter().map(event).collect()
}

/// An event in a causation tree over several systems.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// In which of the systems, counted from 0.
    pub system: usize,
    /// The event.
    pub event: StoredEvent,
    /// How deep it stands: 0 for what came from outside of all of them.
    pub depth: usize,
}

/// One tree of what several systems know of a flow. What came of the same cause is in the order
/// of time, as each system's clock has it.
pub fn merge(flows: &[Flow]) -> Vec<Step> {
    let mut all: Vec<(usize, &StoredEvent)> = vec![];
    for (n, flow) in flows.iter().enumerate() {
        all.extend(flow.events.iter().map(|e| (n, e)));
    }
    all.sort_by_key(|(n, e)| (e.meta.recorded_at, *n, e.meta.position));
    let events: Vec<&StoredEvent> = all.iter().map(|(_, e)| *e).collect();
    let step = |(i, depth): (usize, usize)| Step {
        system: all[i].0,
        event: all[i].1.clone(),
        depth,
    };
    depths(&events).into_iter().map(step).collect()
}

/// The same in one line: each system's events in their order, and the systems beside each other by
/// their clocks, except that nothing stands before what led to it, however the clocks differ.
pub fn timeline(steps: Vec<Step>) -> Vec<Step> {
    let count = steps.len();
    let mut left: HashSet<Uuid> = steps.iter().map(|s| s.event.meta.id).collect();
    let mut systems: BTreeMap<usize, Vec<Step>> = BTreeMap::new();
    for step in steps {
        systems.entry(step.system).or_default().push(step);
    }
    for of_one in systems.values_mut() {
        // The first stands last, where it is taken from.
        of_one.sort_by_key(|s| std::cmp::Reverse(s.event.meta.position));
    }
    let mut line = Vec::with_capacity(count);
    while let Some(next) = next_of(&systems, &left) {
        let Some(step) = systems.get_mut(&next).and_then(Vec::pop) else {
            break;
        };
        left.remove(&step.event.meta.id);
        line.push(step);
    }
    line
}

/// The system whose first event comes next: the earliest of which no cause is left. In a circle,
/// which no system records, it is the earliest of all.
fn next_of(systems: &BTreeMap<usize, Vec<Step>>, left: &HashSet<Uuid>) -> Option<usize> {
    let firsts = systems
        .iter()
        .filter_map(|(n, of_one)| Some((*n, of_one.last()?)));
    let waits = |s: &Step| {
        s.event
            .meta
            .origin
            .causation
            .is_some_and(|c| left.contains(&c))
    };
    firsts
        .min_by_key(|(n, s)| (waits(s), s.event.meta.recorded_at, *n))
        .map(|(n, _)| n)
}
