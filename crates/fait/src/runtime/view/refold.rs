//! Folding a few rows again from the log, in order: those that were parked, those that were lost
//! in the middle of an event, and those that somebody wants to see as they were.

use super::Sizes;
use fait_core::event::{Position, Tag};
use fait_core::projection::ProjectionDef;
use fait_core::query::{Query, QueryItem};
use fait_core::store::{Range, Store, StoreError};
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
    mut wanted: Vec<Refold>,
    until: Position,
) -> Result<Vec<Refolded>, StoreError> {
    let mut rows = def.code.rows();
    let nothing = |r: &Refold| {
        let (key, changed, parked) = (r.key.clone(), None, None);
        (
            r.key.clone(),
            Refolded {
                key,
                changed,
                parked,
            },
        )
    };
    let mut done: BTreeMap<String, Refolded> = wanted.iter().map(nothing).collect();
    // A stored row that this program cannot read is folded from the beginning.
    for r in &mut wanted {
        let unreadable =
            |(text, at): &(String, Position)| rows.give(&r.key, Some((text, *at))).is_err();
        if r.base.as_ref().is_some_and(unreadable) {
            (r.base, r.after) = (None, 0);
        }
    }
    rows.forget();
    wanted.sort_by(|a, b| b.after.cmp(&a.after));
    let query = query(def, &wanted, sizes.by_tags);
    let mut at = wanted.last().map_or(until, |r| r.after);
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
        let mut rest = &events[..];
        while let Some(first) = rest.first() {
            // Rows join in where they had come to.
            while let Some(r) = wanted.pop_if(|r| r.after < first.meta.position) {
                let base = r.base.as_ref().map(|(text, at)| (text.as_str(), *at));
                rows.give(&r.key, base).map_err(StoreError::new)?;
            }
            let joins = wanted.last().map_or(Position::MAX, |r| r.after);
            let now = rest.partition_point(|e| e.meta.position <= joins);
            let (taken, later) = rest.split_at(now);
            for part in def.code.sort(taken, 1).parts {
                rows.take(part, taken, true);
            }
            rest = later;
        }
    }
    for hurt in rows.hurt() {
        if let Some(done) = done.get_mut(&hurt.key) {
            done.parked = Some((hurt.position, hurt.why.to_string()));
        }
    }
    rows.changed(&mut |key, row, position| {
        let Some(done) = done.get_mut(key) else {
            return;
        };
        match row {
            Ok(row) => done.changed = Some((row.map(String::from), position)),
            Err(why) => {
                done.parked = Some((position, format!("its row cannot be written: {why}")));
            }
        }
    });
    Ok(done.into_values().collect())
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
