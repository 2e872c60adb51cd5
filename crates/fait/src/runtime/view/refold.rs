//! Folding a few rows again from the log, in order: those that were parked, those that were lost
//! in the middle of an event, and those that somebody wants to see as they were.

use super::Sizes;
use fait_core::event::{Position, StoredEvent, Tag};
use fait_core::projection::{ProjectionDef, Rows};
use fait_core::query::{Query, QueryItem};
use fait_core::store::{Range, Store, StoreError};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// A row to be folded on.
#[derive(Clone, Debug)]
pub(crate) struct Refold {
    pub(crate) key: String,
    /// The row as it was …
    pub(crate) base: Option<(String, Position)>,
    /// … when it had taken everything up to here.
    pub(crate) after: Position,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refolded {
    pub(crate) key: String,
    /// The row, or that there is none any more, with the event that last changed it; nothing, when
    /// no event did.
    pub(crate) changed: Option<(Option<String>, Position)>,
    /// The event that it could not take, if any, and why.
    pub(crate) parked: Option<(Position, String)>,
}

/// Folds rows on, up to a position, each as far as it goes.
pub(crate) async fn refold(
    store: &dyn Store,
    def: &ProjectionDef,
    sizes: Sizes,
    wanted: Vec<Refold>,
    until: Position,
) -> Result<Vec<Refolded>, StoreError> {
    let mut folding = Folding::new(def, wanted);
    let query = query(def, &folding.wanted, sizes.by_tags);
    let mut at = folding.wanted.last().map_or(until, |r| r.after);
    while at < until {
        let range = Range {
            before: until.checked_add(1),
            ..Range::after(at, sizes.refold)
        };
        let events = store.read(&query, range).await?.events;
        at = match events.last() {
            Some(last) if events.len() == sizes.refold => last.meta.position,
            _ => until,
        };
        folding.take(def, &events);
    }
    Ok(folding.end())
}

/// Rows while they are folded on.
struct Folding {
    rows: Box<dyn Rows>,
    /// Those that have not joined in, the first to do so last.
    wanted: Vec<Refold>,
    /// What has become of each, and since when it was to be folded.
    done: BTreeMap<String, (Position, Refolded)>,
}

impl Folding {
    fn new(def: &ProjectionDef, mut wanted: Vec<Refold>) -> Folding {
        let mut rows = def.code.rows();
        // A stored row that this program cannot read is folded from the beginning.
        for r in &mut wanted {
            let unreadable =
                |(text, at): &(String, Position)| rows.give(&r.key, Some((text, *at))).is_err();
            if r.base.as_ref().is_some_and(unreadable) {
                (r.base, r.after) = (None, 0);
            }
        }
        rows.forget();
        let nothing = |r: &Refold| {
            // What is folded from the beginning does not keep what was there.
            let changed = (r.after == 0 && r.base.is_none()).then_some((None, 0));
            let (key, parked) = (r.key.clone(), None);
            let folded = Refolded {
                key,
                changed,
                parked,
            };
            (r.key.clone(), (r.after, folded))
        };
        let done = wanted.iter().map(nothing).collect();
        wanted.sort_by_key(|r| Reverse(r.after));
        Folding { rows, wanted, done }
    }

    /// Takes events in; rows join in where they had come to.
    fn take(&mut self, def: &ProjectionDef, events: &[StoredEvent]) {
        let mut rest = events;
        while let Some(first) = rest.first() {
            let joins = |r: &mut Refold| r.after < first.meta.position;
            while let Some(r) = self.wanted.pop_if(joins) {
                let base = r.base.as_ref().map(|(text, at)| (text.as_str(), *at));
                let given = self.rows.give(&r.key, base);
                if let (Err(why), Some((_, done))) = (given, self.done.get_mut(&r.key)) {
                    done.parked = Some((r.after + 1, why));
                }
            }
            let joins = self.wanted.last().map_or(Position::MAX, |r| r.after);
            let now = rest.partition_point(|e| e.meta.position <= joins);
            let (taken, later) = rest.split_at(now);
            for part in def.code.sort(taken, 1).parts {
                self.rows.take(part, taken, true);
            }
            rest = later;
        }
    }

    fn end(mut self) -> Vec<Refolded> {
        let done = &mut self.done;
        for hurt in self.rows.hurt() {
            if let Some((_, done)) = done.get_mut(&hurt.key) {
                done.parked = Some((hurt.position, hurt.why.to_string()));
            }
        }
        self.rows.changed(&mut |key, row, position| {
            let Some((after, done)) = done.get_mut(key) else {
                return;
            };
            match row {
                Ok(row) => done.changed = Some((row.map(String::from), position)),
                // What is stored stays as it was, so all that it took is to be taken again.
                Err(why) => {
                    done.parked = Some((*after + 1, format!("its row cannot be written: {why}")));
                }
            }
        });
        self.done.into_values().map(|(_, done)| done).collect()
    }
}

fn query(def: &ProjectionDef, wanted: &[Refold], by_tags: usize) -> Query {
    if !def.by_tags || wanted.len() > by_tags {
        return Query::types(&def.types);
    }
    let item = |r: &Refold| QueryItem {
        types: def.types.clone(),
        tags: vec![Tag::new(&def.key_kind, &r.key)],
    };
    Query {
        items: wanted.iter().map(item).collect(),
    }
}
