//! Reading rows.

use super::column::{self, Column};
use super::past::{AsOf, Past, has_rows};
use super::select::Select;
use super::{Shown, ViewState, sql};
use crate::runtime::Core;
use crate::runtime::db::{Db, i64_of, quoted, u64_of};
use crate::sql::{Sql, SqlDef};
use fait_core::event::{DecodeError, Position};
use fait_core::projection::ProjectionDef;
use fait_core::store::StoreError;
use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::str::FromStr;

/// Most rows that are read at once.
pub const MAX_ROWS: usize = 1000;

/// Most filters of one query.
pub const MAX_FILTERS: usize = 32;

/// Most values of a filter with `in`.
pub const MAX_IN: usize = 100;

/// Most columns that rows are sorted by.
pub const MAX_SORTS: usize = 8;

/// A row of a view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewRow<R = Value> {
    /// What it is about.
    pub key: String,
    /// The row.
    pub row: R,
    /// The event that last changed it.
    pub position: Position,
    /// Why it does not follow any more, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale: Option<String>,
}

/// Some rows of a view, all of the same moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rows<R = Value> {
    /// The rows, in the order that was asked for.
    pub rows: Vec<ViewRow<R>>,
    /// What [`RowsQuery::after`] is for the rows behind these; none when there are none.
    pub next: Option<String>,
    /// With every event up to this one taken in.
    pub position: Position,
    /// Why the view as a whole does not follow any more, if so.
    pub stale: Option<String>,
    /// How many rows the filters let through, on all pages; when asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}

/// Which rows to read, in which order. By default the first 100 in the order of keys.
///
/// A filter is a column, or a column and how it is compared, such as `placed_at.ge`; and a value,
/// as JSON or as text. Filters hold all at once.
///
/// | word | means |
/// |---|---|
/// | `eq`, or nothing | the same; `null` is nothing |
/// | `ne` | not the same; also rows that have nothing there |
/// | `lt`, `le`, `gt`, `ge` | less, at most, more, at least |
/// | `in` | one of a list of up to 100, or of a text with commas |
/// | `starts` | the text starts so, to the letter |
/// | `contains` | the text is in it; `A` to `Z` are the same as `a` to `z` |
/// | `null` | with `true`: there is nothing; with `false`: something |
///
/// Besides the fields of the row there are the columns `key`, `position` (the event that last
/// changed the row) and `stale` (why it does not follow any more). Amounts, times and numbers are
/// compared as such. Texts are compared by their bytes in UTF-8, keys too: `B` is before `a`, and
/// `10` before `9`. Nothing is before everything: first when sorted up, last when sorted down.
#[derive(Clone, Debug, PartialEq)]
pub struct RowsQuery {
    /// Conditions, all of which hold; at most 32.
    pub filter: Vec<(String, Value)>,
    /// Columns to sort by, with `-` before those that go down; at most 8. Where they are the
    /// same, the key decides.
    pub sort: Vec<String>,
    /// [`Rows::next`] of the rows before these. It says where they ended, so that rows that come
    /// and go meanwhile neither repeat nor hide others.
    pub after: Option<String>,
    /// At most so many, from 1 to 1,000.
    pub limit: usize,
    /// Whether to count how many there are in all, which looks at each of them.
    pub count: bool,
}

impl Default for RowsQuery {
    fn default() -> Self {
        RowsQuery {
            filter: vec![],
            sort: vec![],
            after: None,
            limit: 100,
            count: false,
        }
    }
}

impl RowsQuery {
    /// One more condition: `.filter("table", 4)`, `.filter("placed_at.ge", time)`.
    #[must_use]
    pub fn filter(mut self, word: &str, value: impl Serialize) -> Self {
        // What is no JSON is no value of any column, and is refused as such.
        let value = serde_json::to_value(value).unwrap_or_else(|e| Value::String(e.to_string()));
        self.filter.push((word.into(), value));
        self
    }

    /// The order: columns with commas, such as `-placed_at,table`.
    #[must_use]
    pub fn sort(mut self, columns: &str) -> Self {
        let columns = columns.split(',').map(|c| c.trim().to_string());
        self.sort.extend(columns.filter(|c| !c.is_empty()));
        self
    }

    /// The rows behind those before.
    #[must_use]
    pub fn after(mut self, next: impl Into<String>) -> Self {
        self.after = Some(next.into());
        self
    }

    /// At most so many, from 1 to 1,000.
    #[must_use]
    pub fn limit(mut self, most: usize) -> Self {
        self.limit = most;
        self
    }

    /// Also how many there are in all.
    #[must_use]
    pub fn count(mut self) -> Self {
        self.count = true;
        self
    }
}

/// Why a view was not read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It does not show yet what the reader wants to see; read again, or without `at_least`.
    #[error("view `{view}` is catching up: it is at {at}, wanted is {wanted}")]
    CatchingUp {
        /// The view.
        view: String,
        /// How far it has come.
        at: Position,
        /// How far it must come.
        wanted: Position,
    },
    /// What the token is for is not in this history: it is of another store, or of a time that
    /// went with an older backup. No waiting brings it; look at what is there.
    #[error("the token is of another history: {0}; read without it, and look what is recorded")]
    OtherHistory(String),
    /// There is no such view; the sentence names the nearest.
    #[error("{0}")]
    NoView(String),
    /// What was asked for does not fit the view.
    #[error("{why}")]
    Query {
        /// The word that does not fit.
        word: String,
        /// A sentence that says what would.
        why: String,
    },
    /// An event cannot be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The store or the views cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ReadError {
    pub(super) fn query(word: &str, why: impl Into<String>) -> ReadError {
        ReadError::Query {
            word: word.into(),
            why: why.into(),
        }
    }

    /// The same, said of another word.
    pub(super) fn of(self, word: &str) -> ReadError {
        match self {
            ReadError::Query { why, .. } => ReadError::query(word, why),
            other => other,
        }
    }
}

impl FromStr for AsOf {
    type Err = String;
    /// A position such as `17`, a time, or a day, which is its beginning in UTC.
    fn from_str(text: &str) -> Result<AsOf, String> {
        if let Ok(position) = text.parse() {
            return Ok(AsOf::Position(position));
        }
        let day = (text.len() == 10).then(|| format!("{text}T00:00:00Z"));
        let time = day.as_deref().unwrap_or(text).parse();
        time.map(AsOf::Time).map_err(|_| {
            "a position such as 17, a time such as 2026-11-23T18:05:00Z, or a day".to_string()
        })
    }
}

/// Where rows are read from: a table with its notes, or the SQL view over them.
pub(super) struct Tables<'a> {
    pub(super) view: &'a str,
    /// The columns that can be named.
    pub(super) columns: Vec<Column>,
    /// Behind `FROM`; the rows are `v`.
    pub(super) from: String,
    /// Why a row does not follow, in SQL.
    pub(super) stale: &'a str,
    /// What the first `?` stand for.
    pub(super) given: Vec<SqlValue>,
}

impl Tables<'_> {
    /// Some rows, whether more come behind them, and how many there are.
    pub(super) fn rows(self, c: &Connection, q: &RowsQuery) -> rusqlite::Result<Found> {
        let (from, stale) = (self.from, self.stale);
        let select = match Select::new(self.view, self.columns, stale, self.given, q) {
            Ok(select) => select,
            Err(e) => return Ok(Err(e)),
        };
        let sql = select.sql(&from, stale, q.limit + 1);
        let mut rows: Vec<(ViewRow, Vec<SqlValue>)> = c
            .prepare_cached(&sql)?
            .query_map(params_from_iter(&select.values), |r| {
                let sorts = (0..select.sorts()).map(|n| r.get(4 + n));
                Ok((read_row(r)?, sorts.collect::<rusqlite::Result<_>>()?))
            })?
            .collect::<rusqlite::Result<_>>()?;
        let more = rows.len() > q.limit;
        rows.truncate(q.limit);
        let last = rows.last().filter(|_| more);
        let next = last.map(|(_, values)| select.cursor(values));
        let total = match q.count {
            true => {
                let conditions = select.conditions(true);
                let sql = format!("SELECT count(*) FROM {from} WHERE {conditions}");
                let mut counting = c.prepare_cached(&sql)?;
                let values = &select.values[..counting.parameter_count()];
                Some(counting.query_row(params_from_iter(values), |r| r.get(0))?)
            }
            false => None,
        };
        Ok(Ok(Rows {
            rows: rows.into_iter().map(|(row, _)| row).collect(),
            next,
            position: 0,
            stale: None,
            total: total.map(u64_of),
        }))
    }
}

/// Rows, or why what was asked for does not fit.
pub(super) type Found = Result<Rows, ReadError>;

/// Why a row does not follow: the view does not, its key does not, or an event could not be read
/// that may be about any row.
const STALE: &str = "coalesce(?3, p.reason, (SELECT reason FROM fait_unread u
    WHERE u.view = ?1 AND u.gen = ?2 ORDER BY u.position LIMIT 1))";

fn joined(table: &str) -> String {
    format!(
        "{} v LEFT JOIN fait_parked_keys p ON p.view = ?1 AND p.gen = ?2 AND p.key = v.key",
        quoted(table)
    )
}

/// One row.
fn row(
    db: &Db,
    def: &ProjectionDef,
    shown: &Shown,
    key: &str,
) -> Result<Option<ViewRow>, StoreError> {
    let from = joined(&shown.table);
    let sql = format!("SELECT v.key, v.\"row\", v.position, {STALE} FROM {from} WHERE v.key = ?4");
    let values = params![def.name, i64_of(shown.number), shown.frozen, key];
    db.read(|c| {
        c.prepare_cached(&sql)?
            .query_row(values, read_row)
            .optional()
    })
}

/// Some rows, with how far the view had come when they were read.
pub(super) fn rows(
    db: &Db,
    def: &ProjectionDef,
    shown: &Shown,
    q: &RowsQuery,
) -> Result<Rows, ReadError> {
    let (name, number) = (&def.name, i64_of(shown.number));
    let own = column::columns(&def.row);
    db.read(|c| {
        // One transaction, so that all is of the same moment.
        let c = &*c.unchecked_transaction()?;
        let mut columns = column::columns_of(c, &shown.table)?;
        for column in &mut columns {
            let same = own.iter().find(|o| o.name == column.name);
            column.choices = same.map(|o| o.choices.clone()).unwrap_or_default();
        }
        let tables = Tables {
            view: name,
            columns,
            from: joined(&shown.table),
            stale: STALE,
            given: vec![
                name.clone().into(),
                number.into(),
                shown.frozen.clone().into(),
            ],
        };
        let mut found = match tables.rows(c, q)? {
            Ok(found) => found,
            Err(e) => return Ok(Err(e)),
        };
        let sql = "SELECT position, coalesce(?3, (SELECT reason FROM fait_unread u
            WHERE u.view = ?1 AND u.gen = ?2 ORDER BY u.position LIMIT 1))
            FROM fait_views WHERE name = ?1 AND gen = ?2";
        (found.position, found.stale) = c
            .prepare_cached(sql)?
            .query_row(params![name, number, shown.frozen], |r| {
                Ok((u64_of(r.get(0)?), r.get(1)?))
            })?;
        Ok(Ok(found))
    })?
}

impl Core {
    /// Reads the tables of a projection that writes SQL itself.
    pub(crate) fn read_sql<T>(
        &self,
        view: &ViewState,
        read: impl FnOnce(&Sql<'_>) -> T,
    ) -> Result<T, StoreError> {
        let own = SqlDef::in_def(&view.def);
        let tables = own.map_or(vec![], |own| sql::tables(own, view.shown().number));
        self.db.read(|c| Ok(read(&Sql::new(c, tables))))
    }

    /// One row, as of now.
    pub(crate) async fn view_row(
        &self,
        view: &ViewState,
        key: &str,
    ) -> Result<Option<ViewRow>, StoreError> {
        has_rows(&view.def)?;
        if view.is_live() {
            let live = self.live(view).await?;
            return live
                .as_ref()
                .map_or(Ok(None), |p| row(p.db(), &view.def, &p.shown(), key));
        }
        row(&self.db, &view.def, &view.shown(), key)
    }

    /// Some rows, as of now.
    pub(crate) async fn view_rows(
        &self,
        view: &ViewState,
        q: &RowsQuery,
    ) -> Result<Rows, ReadError> {
        has_rows(&view.def)?;
        if view.is_live() {
            let live = self.live(view).await?;
            let read = |p: &Past| rows(p.db(), &view.def, &p.shown(), q);
            let nothing = || Err(StoreError::new("the view was not folded").into());
            return live.as_ref().map_or_else(nothing, read);
        }
        loop {
            let shown = view.shown();
            let read = rows(&self.db, &view.def, &shown, q);
            // Tables that are dropped in the middle of it were of another generation by then.
            if read.is_ok() || view.shown().number == shown.number {
                return read;
            }
        }
    }
}

pub(super) fn read_row(r: &rusqlite::Row<'_>) -> rusqlite::Result<ViewRow> {
    let row: String = r.get(1)?;
    Ok(ViewRow {
        key: r.get(0)?,
        row: serde_json::from_str(&row).unwrap_or(Value::String(row)),
        position: u64_of(r.get(2)?),
        stale: r.get(3)?,
    })
}

#[cfg(test)]
mod tests;
