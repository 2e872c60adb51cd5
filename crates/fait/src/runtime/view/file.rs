//! The file of the views, read from outside of the system that keeps it.

use super::column;
use super::read::{ReadError, Rows, RowsQuery, Tables, ViewRow, read_row};
use super::table::sql_name;
use crate::runtime::db::{broken, quoted, u64_of};
use crate::runtime::nearest;
use fait_core::store::StoreError;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use std::path::Path;
use std::time::Duration;

/// The views of a system in their SQLite file, to read, while the system runs or after: rows of
/// one moment each, as JSON. What people read with SQL is the same.
#[derive(Debug)]
pub struct ViewsFile {
    connection: Connection,
}

impl ViewsFile {
    /// Opens the file, as a rule `views.db` in the folder of the system; nothing is changed.
    ///
    /// # Errors
    /// There is no such file, or it cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<ViewsFile, StoreError> {
        let path = path.as_ref();
        let name = path.display();
        if !path.is_file() {
            return Err(StoreError::new(format_args!("there is no file {name}")));
        }
        let mut journal = path.as_os_str().to_owned();
        journal.push("-wal");
        // Without a journal nothing needs to be made beside the file, also where we cannot write.
        let opened = if Path::new(&journal).exists() {
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
        } else {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            let plain = path.display().to_string();
            let escaped = plain.replace('%', "%25").replace('?', "%3f");
            let uri = format!("file:{}?immutable=1", escaped.replace('#', "%23"));
            Connection::open_with_flags(uri, flags)
        };
        let prepared = opened.and_then(|c| {
            c.busy_timeout(Duration::from_secs(5))?;
            Ok(c)
        });
        match prepared {
            Ok(connection) => Ok(ViewsFile { connection }),
            Err(e) => Err(StoreError::new(format_args!("{name} cannot be read: {e}"))),
        }
    }

    /// The names of the views.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn views(&self) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT DISTINCT name FROM fait_views WHERE state = 'serving' ORDER BY name";
        let read = || -> rusqlite::Result<Vec<String>> {
            let mut all = self.connection.prepare_cached(sql)?;
            all.query_map([], |r| r.get(0))?.collect()
        };
        read().map_err(broken("be read"))
    }

    /// The fields of a view's rows that have a column.
    ///
    /// # Errors
    /// There is no such view, or the file cannot be read.
    pub fn columns(&self, view: &str) -> Result<Vec<String>, ReadError> {
        let (table, _) = self.serving(view)?;
        let columns = column::columns_of(&self.connection, &table).map_err(broken("be read"))?;
        Ok(columns.into_iter().map(|c| c.name).collect())
    }

    /// Some rows of a view.
    ///
    /// # Errors
    /// There is no such view or column, or the file cannot be read.
    pub fn rows(&self, view: &str, query: &RowsQuery) -> Result<Rows, ReadError> {
        let read = || -> rusqlite::Result<Result<Rows, ReadError>> {
            let c = &*self.connection.unchecked_transaction()?;
            let (table, position) = match self.serving(view) {
                Ok(serving) => serving,
                Err(e) => return Ok(Err(e)),
            };
            let tables = Tables {
                view,
                columns: column::columns_of(c, &table)?,
                from: format!("{} v", quoted(&sql_name(view))),
                stale: "v.stale",
                given: vec![],
            };
            let found = tables.rows(c, query)?;
            Ok(found.map(|rows| Rows { position, ..rows }))
        };
        read().map_err(broken("be read"))?
    }

    /// One row of a view.
    ///
    /// # Errors
    /// There is no such view, or the file cannot be read.
    pub fn row(&self, view: &str, key: &str) -> Result<Option<ViewRow>, ReadError> {
        self.serving(view)?;
        let sql = format!(
            "SELECT key, \"row\", position, stale FROM {} WHERE key = ?1",
            quoted(&sql_name(view))
        );
        let read = || {
            let mut one = self.connection.prepare_cached(&sql)?;
            one.query_row(params![key], read_row).optional()
        };
        Ok(read().map_err(broken("be read"))?)
    }

    fn serving(&self, view: &str) -> Result<(String, u64), ReadError> {
        let serving = column::serving(&self.connection, view).map_err(broken("be read"))?;
        let Some((table, position)) = serving else {
            let names = self.views()?;
            let near = nearest(view, names.iter());
            let near = near.map_or(String::new(), |n| format!("; did you mean `{n}`?"));
            return Err(ReadError::NoView(format!(
                "there is no view `{view}`{near}"
            )));
        };
        let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'view' AND name = ?1)";
        let shown = self.connection.query_row(sql, [sql_name(view)], |r| r.get(0));
        if !shown.map_err(broken("be read"))? {
            let why = format!(
                "view `{view}` writes SQL itself and has no rows by key: read its tables with SQL"
            );
            return Err(ReadError::query(view, why));
        }
        Ok((table, u64_of(position)))
    }
}
