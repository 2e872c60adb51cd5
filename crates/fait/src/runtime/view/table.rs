//! The tables of a view: one SQL column for each field of the row, and the SQL view under the
//! view's own name, which always shows the generation that serves.

use super::catalog::Generation;
use super::{column, sql};
use crate::runtime::db::{i64_of, quoted, u64_of};
use crate::sql::SqlDef;
use fait_core::event::Position;
use fait_core::projection::ProjectionDef;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

/// `table-plan` is `table_plan` in SQL.
pub(crate) fn sql_name(view: &str) -> String {
    view.replace('-', "_")
}

/// The table of one generation.
pub(crate) fn table_name(view: &str, number: u64) -> String {
    format!("{}__{number}", sql_name(view))
}

/// The tables of one generation.
pub(crate) fn tables(def: &ProjectionDef, number: u64) -> Vec<String> {
    match SqlDef::in_def(def) {
        None => vec![table_name(&def.name, number)],
        Some(own) => sql::tables(own, number).into_iter().map(|t| t.1).collect(),
    }
}

/// Makes the tables of a generation.
pub(crate) fn make(
    tx: &Transaction<'_>,
    def: &ProjectionDef,
    g: &Generation,
) -> rusqlite::Result<()> {
    match SqlDef::in_def(def) {
        None => create(tx, def, g.table()),
        Some(own) => sql::create(tx, own, g.number),
    }
}

/// Makes the table of a generation, with its indexes.
pub(crate) fn create(
    tx: &Transaction<'_>,
    def: &ProjectionDef,
    table: &str,
) -> rusqlite::Result<()> {
    let mut fields = String::new();
    for column in column::columns(&def.row) {
        fields.push_str(&format!(
            ", {} {} GENERATED ALWAYS AS ({}) VIRTUAL",
            quoted(&column.name),
            column.kind.sql(),
            column::expression(&column)
        ));
    }
    tx.execute_batch(&format!(
        "DROP TABLE IF EXISTS {table};
         CREATE TABLE {table} (key TEXT PRIMARY KEY, \"row\" TEXT NOT NULL,
         position INTEGER NOT NULL{fields}) WITHOUT ROWID",
        table = quoted(table)
    ))?;
    index(tx, def, table)
}

/// Makes the indexes that are declared, and drops those that are not any more.
pub(crate) fn index(
    tx: &Transaction<'_>,
    def: &ProjectionDef,
    table: &str,
) -> rusqlite::Result<()> {
    if SqlDef::in_def(def).is_some() {
        return Ok(());
    }
    let wanted = |columns: &Vec<String>| {
        let quoted: Vec<String> = columns.iter().map(|c| quoted(c)).collect();
        (format!("{table}__{}", columns.join(",")), quoted.join(", "))
    };
    let wanted: Vec<(String, String)> = def.indexes.iter().map(wanted).collect();
    let sql = "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ?1
        AND sql IS NOT NULL";
    let there: Vec<String> = tx
        .prepare(sql)?
        .query_map([table], |r| r.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for name in there.iter().filter(|n| wanted.iter().all(|(w, _)| w != *n)) {
        tx.execute_batch(&format!("DROP INDEX {}", quoted(name)))?;
    }
    for (name, columns) in wanted.iter().filter(|(n, _)| !there.contains(n)) {
        let (name, table) = (quoted(name), quoted(table));
        tx.execute_batch(&format!("CREATE INDEX {name} ON {table} ({columns})"))?;
    }
    Ok(())
}

/// Makes the view's own name show a generation, and says on each row why it does not follow.
pub(crate) fn show(
    tx: &Transaction<'_>,
    def: &ProjectionDef,
    g: &Generation,
    frozen: Option<&str>,
) -> rusqlite::Result<()> {
    if let Some(own) = SqlDef::in_def(def) {
        return sql::show(tx, own, g.number);
    }
    let text = |t: &str| format!("'{}'", t.replace('\'', "''"));
    let (view, number) = (text(&def.name), g.number);
    let frozen = frozen.map_or("NULL".into(), text);
    let stale = format!(
        "coalesce({frozen}, (SELECT reason FROM fait_parked_keys p WHERE p.view = {view}
         AND p.gen = {number} AND p.key = t.key), (SELECT reason FROM fait_unread u
         WHERE u.view = {view} AND u.gen = {number} ORDER BY u.position LIMIT 1))"
    );
    // The columns that its table has, which an older program may have made.
    let mut fields = String::new();
    for column in column::columns_of(tx, g.table())? {
        fields.push_str(&format!(", t.{}", quoted(&column.name)));
    }
    tx.execute_batch(&format!(
        "DROP VIEW IF EXISTS {name};
         CREATE VIEW {name} AS SELECT t.key{fields}, t.position, {stale} AS stale, t.\"row\"
         FROM {table} t",
        name = quoted(&sql_name(&def.name)),
        table = quoted(g.table())
    ))
}

/// One stored row.
pub(crate) fn stored(
    c: &Connection,
    table: &str,
    key: &str,
) -> rusqlite::Result<Option<(String, Position)>> {
    let sql = format!(
        "SELECT \"row\", position FROM {} WHERE key = ?1",
        quoted(table)
    );
    c.prepare_cached(&sql)?
        .query_row([key], |r| Ok((r.get(0)?, u64_of(r.get(1)?))))
        .optional()
}

/// Writes one row, or takes it away.
pub(crate) fn write(
    tx: &Transaction<'_>,
    table: &str,
    key: &str,
    row: Option<&str>,
    position: Position,
) -> rusqlite::Result<()> {
    let table = quoted(table);
    match row {
        Some(row) => {
            let sql = format!(
                "INSERT INTO {table} (key, \"row\", position) VALUES (?1, ?2, ?3)
                 ON CONFLICT (key) DO UPDATE SET \"row\" = ?2, position = ?3"
            );
            tx.prepare_cached(&sql)?
                .execute(params![key, row, i64_of(position)])?;
        }
        None => {
            let sql = format!("DELETE FROM {table} WHERE key = ?1");
            tx.prepare_cached(&sql)?.execute([key])?;
        }
    }
    Ok(())
}
