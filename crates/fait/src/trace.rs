//! Causation trees: what led to what in one flow.

use fait_core::event::StoredEvent;
use fait_core::query::Query;
use fait_core::store::{Range, Store, StoreError};
use std::collections::{BTreeMap, HashMap};
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
    let known: HashMap<Uuid, usize> = events
        .iter()
        .enumerate()
        .map(|(i, e)| (e.meta.id, i))
        .collect();
    let mut children: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
    for (i, e) in events.iter().enumerate() {
        let parent = e
            .meta
            .origin
            .causation
            .and_then(|id| known.get(&id))
            .filter(|p| **p < i);
        children.entry(parent.copied()).or_default().push(i);
    }
    let mut out = vec![];
    let mut stack: Vec<(usize, usize)> = children
        .get(&None)
        .into_iter()
        .flatten()
        .rev()
        .map(|i| (*i, 0))
        .collect();
    while let Some((i, depth)) = stack.pop() {
        out.push(Cause {
            event: events[i].clone(),
            depth,
        });
        let below = children.get(&Some(i)).into_iter().flatten().rev();
        stack.extend(below.map(|c| (*c, depth + 1)));
    }
    out
}
