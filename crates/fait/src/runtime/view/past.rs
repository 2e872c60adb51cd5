//! A view as it was at a position: folded again from the log, one row or all of them, and kept
//! beside nothing. Views that are folded when they are read live here too, up to the head.

use super::catalog::{self, State};
use super::diff::{Side, ViewDiff, compare, responsible};
use super::fill::Filler;
use super::read::{self, ReadError, Rows, RowsQuery, ViewRow};
use super::refold::{Refold, refold};
use super::{Shown, ViewState, reached, table};
use crate::runtime::Core;
use crate::runtime::db::Db;
use crate::sql::SqlDef;
use fait_core::event::{Position, Time};
use fait_core::projection::ProjectionDef;
use fait_core::query::Query;
use fait_core::store::{Range, StoreError};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::sync::MutexGuard;

/// Events read at once.
const PAGE: usize = 8192;

/// A moment of history.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AsOf {
    /// With everything up to and with this event.
    Position(Position),
    /// With everything that was recorded up to this time.
    Time(Time),
}

impl From<Time> for AsOf {
    fn from(time: Time) -> AsOf {
        AsOf::Time(time)
    }
}

/// A view in a database of its own, which is gone with it. What does not fit into memory goes to
/// a file without a name.
pub(crate) struct Past {
    db: Arc<Db>,
    filler: Filler,
}

impl std::fmt::Debug for Past {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Past").field(&self.filler.position).finish()
    }
}

impl Past {
    pub(crate) fn shown(&self) -> Shown {
        Shown {
            number: self.filler.number,
            table: self.filler.table.clone(),
            ..Shown::default()
        }
    }

    pub(crate) fn db(&self) -> &Db {
        &self.db
    }

    pub(crate) fn position(&self) -> Position {
        self.filler.position
    }
}

impl Core {
    /// The position of a moment; a moment that has not come yet is the head.
    pub(crate) async fn position_of(&self, moment: AsOf) -> Result<Position, StoreError> {
        let head = self.store.head().await?;
        let time = match moment {
            AsOf::Position(position) => return Ok(position.min(head)),
            AsOf::Time(time) => time,
        };
        // Recorded times never run backwards, but for those that an erasure took away.
        let (mut low, mut high) = (0, head);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            match self.recorded_until(middle).await? {
                Some(at) if at > time => high = middle - 1,
                _ => low = middle,
            }
        }
        Ok(low)
    }

    /// The time of the last event up to a position whose time is known.
    async fn recorded_until(&self, position: Position) -> Result<Option<Time>, StoreError> {
        const SOME: usize = 16;
        let mut before = position + 1;
        loop {
            let range = Range {
                before: Some(before),
                ..Range::newest(SOME)
            };
            let events = self.store.read(&Query::all(), range).await?.events;
            if let Some(e) = events.iter().find(|e| e.meta.recorded_at > Time(0)) {
                return Ok(Some(e.meta.recorded_at));
            }
            match events.last() {
                Some(last) if last.meta.position > 1 => before = last.meta.position,
                _ => return Ok(None),
            }
        }
    }

    /// A view with nothing in it, in a database of its own.
    pub(crate) fn nothing_yet(&self, view: &ViewState) -> Result<Past, StoreError> {
        has_rows(&view.def)?;
        let db = Arc::new(Db::scratch(self.store.id())?);
        let g = self.fresh(view, 1, State::Serving);
        db.write(|tx| {
            table::create(tx, &view.def, g.table())?;
            catalog::put(tx, &view.def.name, &g)
        })?;
        let filler = Filler::open(&db, &view.def, &g, (self.view_threads, self.sizes))?;
        Ok(Past { db, filler })
    }

    /// Folds it on up to a position.
    pub(crate) async fn fold_on(
        &self,
        view: &ViewState,
        mut past: Past,
        until: Position,
    ) -> Result<Past, StoreError> {
        let query = view.query();
        while past.filler.position < until {
            let range = Range {
                before: Some(until + 1),
                ..Range::after(past.filler.position, PAGE)
            };
            let events = self.store.read(&query, range).await?.events;
            let to = reached(&events, until, PAGE);
            let (db, store) = (past.db.clone(), &*self.store);
            let mut filler = past.filler.take(&db, store, Arc::new(events), to).await?;
            db.write(|tx| filler.write(tx))?;
            past = Past { db, filler };
            tokio::task::yield_now().await;
        }
        Ok(past)
    }

    /// A view that is folded when it is read, up to the head of now.
    pub(crate) async fn live<'a>(
        &self,
        view: &'a ViewState,
    ) -> Result<MutexGuard<'a, Option<Past>>, StoreError> {
        let mut live = view.live.lock().await;
        let past = match live.take() {
            Some(past) => past,
            None => self.nothing_yet(view)?,
        };
        let head = self.store.head().await?;
        let past = self.fold_on(view, past, head).await?;
        view.feed.set(past.position());
        *live = Some(past);
        Ok(live)
    }

    /// One row as it was.
    pub(crate) async fn past_row(
        &self,
        view: &ViewState,
        key: &str,
        at: Position,
    ) -> Result<Option<ViewRow>, StoreError> {
        has_rows(&view.def)?;
        let wanted = Refold {
            key: key.into(),
            base: None,
            after: 0,
        };
        let mut rows = refold(&*self.store, &view.def, self.sizes, vec![wanted], at).await?;
        let Some(row) = rows.pop() else {
            return Ok(None);
        };
        let stale = row.parked.map(|(_, why)| why);
        Ok(match row.changed {
            Some((Some(text), position)) => Some(ViewRow {
                key: row.key,
                row: serde_json::from_str(&text).map_err(StoreError::new)?,
                position,
                stale,
            }),
            _ => None,
        })
    }

    /// Some rows as they were.
    pub(crate) async fn past_rows(
        &self,
        view: &ViewState,
        query: &RowsQuery,
        at: Position,
    ) -> Result<Rows, ReadError> {
        let past = self.fold_on(view, self.nothing_yet(view)?, at).await?;
        read::rows(&past.db, &view.def, &past.shown(), query)
    }

    /// What changed between two positions, with the events that changed it.
    pub(crate) async fn view_between(
        &self,
        view: &ViewState,
        (from, to): (Position, Position),
        limit: usize,
    ) -> Result<ViewDiff, StoreError> {
        let (from, to) = (from.min(to), from.max(to));
        let past = self.fold_on(view, self.nothing_yet(view)?, from).await?;
        let before = table::table_name(&view.def.name, 2);
        past.db.write(|tx| {
            table::create(tx, &view.def, &before)?;
            tx.execute_batch(&format!(
                "INSERT INTO \"{before}\" (key, \"row\", position)
                 SELECT key, \"row\", position FROM \"{}\"",
                past.filler.table
            ))
        })?;
        let past = self.fold_on(view, past, to).await?;
        let side = |position| Side {
            generation: None,
            version: view.def.version,
            position,
        };
        let (db, after) = (past.db.clone(), past.filler.table.clone());
        let found = compare(db, before, after, limit).await?;
        let mut diff = found.of(&view.def.name, side(from), side(to));
        responsible(&*self.store, &view.def, &mut diff, from).await?;
        Ok(diff)
    }
}

/// A projection that writes SQL itself keeps what it likes.
pub(super) fn has_rows(def: &ProjectionDef) -> Result<(), StoreError> {
    let Some(own) = SqlDef::in_def(def) else {
        return Ok(());
    };
    let names: Vec<&str> = own.tables.iter().map(|t| t.0).collect();
    Err(StoreError::new(format_args!(
        "view `{}` writes SQL itself and has no rows by key: read its tables ({}) with SQL, or \
         with `read_sql`",
        def.name,
        names.join(", ")
    )))
}
