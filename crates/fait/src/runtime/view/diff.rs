//! What differs between two makings of a view, or between two moments of it: rows that were
//! added, that are gone, that changed, and the events that did it.

use super::catalog::{self, State};
use super::status::RebuildState;
use super::{ViewError, ViewState};
use crate::runtime::Core;
use crate::runtime::db::{Db, quoted, u64_of};
use crate::sql::SqlDef;
use fait_core::event::{Position, Tag, Time};
use fait_core::projection::ProjectionDef;
use fait_core::query::{Query, QueryItem};
use fait_core::store::{Range, Store, StoreError};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// Events that are named for one row; the newest.
const EVENTS: usize = 5;

/// One of two that are compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// Which making of the view; none for a moment of its past.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// The version of the code.
    pub version: u32,
    /// How far it had come.
    pub position: Position,
}

/// What differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewDiff {
    /// The view.
    pub view: String,
    /// What serves, or the earlier moment.
    pub before: Side,
    /// What was rebuilt, or the later moment.
    pub after: Side,
    /// Rows that are only in the later.
    pub added: u64,
    /// Rows that are only in the earlier.
    pub gone: u64,
    /// Rows that differ.
    pub changed: u64,
    /// Rows that are the same.
    pub same: u64,
    /// The first of those that differ, in the order of keys.
    pub rows: Vec<RowDiff>,
}

/// How a row differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Differs {
    /// It was not there before.
    Added,
    /// It is not there any more.
    Gone,
    /// It is another.
    Changed,
}

/// One row that differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowDiff {
    /// What it is about.
    pub key: String,
    /// How it differs.
    pub differs: Differs,
    /// The row before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The row after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// The fields that differ.
    pub fields: Vec<String>,
    /// The events about it that are responsible, the newest first; at most five. Between two
    /// moments those that lie between them, else those that the rows are made of.
    pub events: Vec<Responsible>,
    #[serde(skip)]
    last: Position,
}

/// An event that made a row what it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Responsible {
    /// Where it stands.
    pub position: Position,
    /// Its stored name.
    #[serde(rename = "type")]
    pub ty: String,
    /// When it was recorded.
    pub recorded_at: Time,
}

impl ViewDiff {
    /// Whether there is no difference.
    pub fn is_empty(&self) -> bool {
        self.added + self.gone + self.changed == 0
    }
}

/// What a comparison found.
#[derive(Default)]
pub(super) struct Found {
    added: u64,
    gone: u64,
    changed: u64,
    same: u64,
    rows: Vec<RowDiff>,
}

impl Found {
    pub(super) fn of(self, view: &str, before: Side, after: Side) -> ViewDiff {
        let Found {
            added,
            gone,
            changed,
            same,
            rows,
        } = self;
        let view = view.to_string();
        ViewDiff {
            view,
            before,
            after,
            added,
            gone,
            changed,
            same,
            rows,
        }
    }

    fn add(&mut self, row: RowDiff, limit: usize) {
        match row.differs {
            Differs::Added => self.added += 1,
            Differs::Gone => self.gone += 1,
            Differs::Changed => self.changed += 1,
        }
        if self.rows.len() < limit {
            self.rows.push(row);
        }
    }
}

/// A row as it is stored.
type Stored = (String, String, Position);

/// Compares two tables of one database, away from the threads that answer people.
pub(super) async fn compare(
    db: Arc<Db>,
    before: String,
    after: String,
    limit: usize,
) -> Result<Found, StoreError> {
    let work = move || db.read(|c| compared(c, &before, &after, limit));
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|e| Err(StoreError::new(format_args!("comparing broke off: {e}"))))
}

/// Both tables are in the order of keys, so one walk along both finds everything.
fn compared(c: &Connection, before: &str, after: &str, limit: usize) -> rusqlite::Result<Found> {
    let select = |table: &str| {
        let table = quoted(table);
        format!("SELECT key, \"row\", position FROM {table} ORDER BY key")
    };
    let (mut old, mut new) = (c.prepare(&select(before))?, c.prepare(&select(after))?);
    let read = |r: &rusqlite::Row<'_>| -> rusqlite::Result<Stored> {
        Ok((r.get(0)?, r.get(1)?, u64_of(r.get(2)?)))
    };
    let (mut old, mut new) = (old.query_map([], read)?, new.query_map([], read)?);
    let mut found = Found::default();
    let (mut a, mut b) = (old.next().transpose()?, new.next().transpose()?);
    loop {
        match (a.take(), b.take()) {
            (None, None) => return Ok(found),
            (Some(x), Some(y)) if x.0 == y.0 => {
                match differing(Some(&x), Some(&y)) {
                    Some(row) => found.add(row, limit),
                    None => found.same += 1,
                }
                (a, b) = (old.next().transpose()?, new.next().transpose()?);
            }
            (Some(x), y) if y.as_ref().is_none_or(|y| x.0 < y.0) => {
                differing(Some(&x), None)
                    .into_iter()
                    .for_each(|row| found.add(row, limit));
                (a, b) = (old.next().transpose()?, y);
            }
            (x, Some(y)) => {
                differing(None, Some(&y))
                    .into_iter()
                    .for_each(|row| found.add(row, limit));
                (a, b) = (x, new.next().transpose()?);
            }
            (x, None) => (a, b) = (x, None),
        }
    }
}

/// How two rows differ; nothing when they say the same, also in another order of fields.
fn differing(before: Option<&Stored>, after: Option<&Stored>) -> Option<RowDiff> {
    if let (Some(x), Some(y)) = (before, after)
        && x.1 == y.1
    {
        return None;
    }
    let value = |row: Option<&Stored>| -> Option<Value> {
        let (_, text, _) = row?;
        Some(serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone())))
    };
    let (old, new) = (value(before), value(after));
    let (differs, either) = match (before, after) {
        (Some(x), Some(_)) => (Differs::Changed, x),
        (None, Some(y)) => (Differs::Added, y),
        (Some(x), None) => (Differs::Gone, x),
        (None, None) => return None,
    };
    if old == new {
        return None;
    }
    Some(RowDiff {
        key: either.0.clone(),
        differs,
        fields: fields(old.as_ref(), new.as_ref()),
        before: old,
        after: new,
        events: vec![],
        last: before.map_or(0, |r| r.2).max(after.map_or(0, |r| r.2)),
    })
}

fn fields(before: Option<&Value>, after: Option<&Value>) -> Vec<String> {
    let (Some(Value::Object(x)), Some(Value::Object(y))) = (before, after) else {
        return vec![];
    };
    let mut names: Vec<&String> = x.keys().chain(y.keys()).collect();
    names.sort();
    names.dedup();
    let differs = |name: &&String| x.get(*name) != y.get(*name);
    names.into_iter().filter(differs).cloned().collect()
}

/// Finds the events that made the rows what they are, behind a position.
pub(super) async fn responsible(
    store: &dyn Store,
    def: &ProjectionDef,
    diff: &mut ViewDiff,
    behind: Position,
) -> Result<(), StoreError> {
    let until = diff.after.position.max(diff.before.position);
    for row in &mut diff.rows {
        // Where rows are not found by tags, the one that changed the row last is known.
        let (tags, after, before) = if def.by_tags {
            (vec![Tag::new(&def.key_kind, &row.key)], behind, until + 1)
        } else {
            (vec![], row.last.saturating_sub(1), row.last + 1)
        };
        let query = Query {
            items: vec![QueryItem {
                types: def.types.clone(),
                tags,
            }],
        };
        let range = Range {
            after,
            before: Some(before),
            ..Range::newest(EVENTS)
        };
        let events = store.read(&query, range).await?.events;
        let named = events.into_iter().map(|e| Responsible {
            position: e.meta.position,
            ty: e.ty,
            recorded_at: e.meta.recorded_at,
        });
        row.events = named.collect();
    }
    Ok(())
}

impl Core {
    /// What would change if the rebuilt generation took the place of the one that serves.
    pub(crate) async fn view_diff(
        &self,
        view: &ViewState,
        limit: usize,
    ) -> Result<ViewDiff, ViewError> {
        if SqlDef::in_def(&view.def).is_some() {
            return Err(ViewError::NotNow(format!(
                "view `{}` writes SQL itself: compare its tables by SQL",
                view.def.name
            )));
        }
        let build = view.build();
        let Some(build) = build.filter(|b| b.state() == RebuildState::Ready) else {
            return Err(ViewError::NotNow(
                "nothing is ready to be compared: rebuild the view and hold it, and wait until it \
                 has caught up"
                    .into(),
            ));
        };
        let name = &view.def.name;
        let all = self.db.read(|c| catalog::generations(c, name))?;
        let serving = all.iter().find(|g| g.state == State::Serving);
        let ready = all.iter().find(|g| g.number == build.number);
        let (Some(serving), Some(ready)) = (serving, ready) else {
            return Err(ViewError::NotNow("what was rebuilt is gone".into()));
        };
        let side = |g: &catalog::Generation| Side {
            generation: Some(g.number),
            version: g.version,
            position: g.position,
        };
        let (before, after) = (serving.table().into(), ready.table().into());
        let found = compare(self.db.clone(), before, after, limit).await?;
        let mut diff = found.of(name, side(serving), side(ready));
        responsible(&*self.store, &view.def, &mut diff, 0).await?;
        Ok(diff)
    }
}
