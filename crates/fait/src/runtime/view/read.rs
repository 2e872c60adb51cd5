//! Reading rows.

use super::past::{Past, has_rows};
use super::{Shown, ViewState, sql};
use crate::runtime::Core;
use crate::runtime::db::{Db, i64_of, quoted, u64_of};
use crate::sql::{Sql, SqlDef};
use fait_core::event::Position;
use fait_core::projection::ProjectionDef;
use fait_core::store::StoreError;
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A row of a view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewRow {
    /// What it is about.
    pub key: String,
    /// The row.
    pub row: Value,
    /// The event that last changed it.
    pub position: Position,
    /// Why it does not follow any more, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale: Option<String>,
}

/// Which rows to read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RowsQuery {
    /// Columns that must have these values.
    pub filter: BTreeMap<String, String>,
    /// Only rows behind this key, in the order of keys.
    pub after: Option<String>,
    /// At most so many, up to 1,000.
    pub limit: usize,
}

impl Default for RowsQuery {
    fn default() -> Self {
        RowsQuery {
            filter: BTreeMap::new(),
            after: None,
            limit: 100,
        }
    }
}

/// One row.
pub(crate) fn row(
    db: &Db,
    def: &ProjectionDef,
    shown: &Shown,
    key: &str,
) -> Result<Option<ViewRow>, StoreError> {
    let sql = select(&shown.table, "v.key = ?4");
    let values = params![def.name, i64_of(shown.number), shown.frozen, key];
    db.read(|c| {
        c.prepare_cached(&sql)?
            .query_row(values, read_row)
            .optional()
    })
}

/// Some rows in the order of keys.
pub(crate) fn rows(
    db: &Db,
    def: &ProjectionDef,
    shown: &Shown,
    q: &RowsQuery,
) -> Result<Vec<ViewRow>, StoreError> {
    let mut sql = select(&shown.table, "v.key > ?4");
    let mut values: Vec<rusqlite::types::Value> = vec![
        def.name.clone().into(),
        i64_of(shown.number).into(),
        shown.frozen.clone().into(),
        q.after.clone().unwrap_or_default().into(),
    ];
    for (column, value) in &q.filter {
        // SQLite's JSON functions give yes and no as 1 and 0.
        let flag = def.row["properties"][column]["type"] == "boolean";
        let value = match value.as_str() {
            "true" if flag => "1".into(),
            "false" if flag => "0".into(),
            _ => value.clone(),
        };
        values.push(value.into());
        let n = values.len();
        sql.push_str(&format!(" AND CAST(v.{} AS TEXT) = ?{n}", quoted(column)));
    }
    sql.push_str(&format!(" ORDER BY v.key LIMIT {}", q.limit.clamp(1, 1000)));
    db.read(|c| {
        c.prepare_cached(&sql)?
            .query_map(rusqlite::params_from_iter(values), read_row)?
            .collect()
    })
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

    /// Some rows in the order of keys, as of now.
    pub(crate) async fn view_rows(
        &self,
        view: &ViewState,
        q: &RowsQuery,
    ) -> Result<Vec<ViewRow>, StoreError> {
        has_rows(&view.def)?;
        if view.is_live() {
            let live = self.live(view).await?;
            let read = |p: &Past| rows(p.db(), &view.def, &p.shown(), q);
            return live.as_ref().map_or(Ok(vec![]), read);
        }
        rows(&self.db, &view.def, &view.shown(), q)
    }
}

/// Rows with why they do not follow: the view does not, their key does not, or an event could not
/// be read that may be about any of them.
fn select(table: &str, condition: &str) -> String {
    format!(
        "SELECT v.key, v.\"row\", v.position, coalesce(?3, p.reason, (SELECT reason FROM fait_unread u
         WHERE u.view = ?1 AND u.gen = ?2 ORDER BY u.position LIMIT 1)) FROM {} v
         LEFT JOIN fait_parked_keys p ON p.view = ?1 AND p.gen = ?2 AND p.key = v.key
         WHERE {condition}",
        quoted(table)
    )
}

fn read_row(r: &rusqlite::Row<'_>) -> rusqlite::Result<ViewRow> {
    let row: String = r.get(1)?;
    Ok(ViewRow {
        key: r.get(0)?,
        row: serde_json::from_str(&row).unwrap_or(Value::String(row)),
        position: u64_of(r.get(2)?),
        stale: r.get(3)?,
    })
}
