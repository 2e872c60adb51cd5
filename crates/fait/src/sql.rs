//! The way out of rows by key: a projection that gets the open transaction and writes SQL itself.
//!
//! What it writes and how far it has come are one transaction, as for every view, and it is
//! rebuilt beside the tables that serve. It runs on one thread. What it costs: its past cannot be
//! read, two makings of it are not compared row by row, and an event that it cannot take parks the
//! things that the event happened to, which its own tables do not say; the view's status does.

use fait_core::event::{EntityId, EventSet, Meta, Position, StoredEvent};
use fait_core::projection::{Code, Hurt, Mode, Part, ProjectionDef, Rows, Sorted, Tell};
use rusqlite::{Connection, Params, Row};
use serde_json::Value;
use std::any::Any;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

pub use rusqlite;

/// A projection that writes SQL itself, into SQLite.
pub trait SqlProjection: Send + Sync + 'static {
    /// The view's name, in kebab case.
    const NAME: &'static str;
    /// Raise it when anything of it changes: it is then rebuilt beside the one that serves.
    const VERSION: u32 = 1;
    /// Its tables: for each the name and what stands between the brackets of `CREATE TABLE`. Under
    /// this name an SQL view shows the tables that serve.
    const TABLES: &'static [(&'static str, &'static str)];
    /// What its events are about. When an event cannot be taken in, those about the same things
    /// wait, so that order is kept; all others go on.
    type Key: EntityId;
    /// What it listens to.
    type Events: EventSet;
    /// Takes one event in. It has the recorded time in `meta` and must use no other clock; nothing
    /// but what it writes in `sql` may come of it, since it is run again on a rebuild.
    ///
    /// # Errors
    /// It cannot be done: what this event wrote is taken back, and its keys are parked with the
    /// reason. When the disk is full or broken, everything waits instead.
    fn project(sql: &Sql<'_>, event: Self::Events, meta: &Meta) -> Result<(), SqlError>;
}

/// The open transaction. In its SQL, `{name}` stands for the projection's table of that name.
pub struct Sql<'a> {
    connection: &'a Connection,
    tables: Vec<(String, String)>,
}

impl fmt::Debug for Sql<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sql").field(&self.tables).finish()
    }
}

impl<'a> Sql<'a> {
    pub(crate) fn new(connection: &'a Connection, tables: Vec<(String, String)>) -> Sql<'a> {
        Sql { connection, tables }
    }

    /// The SQL with the names of the tables of today.
    pub fn text(&self, sql: &str) -> String {
        let mut out = sql.to_string();
        for (name, table) in &self.tables {
            out = out.replace(&format!("{{{name}}}"), &format!("\"{table}\""));
        }
        out
    }

    /// Runs a statement; says how many rows it changed.
    ///
    /// # Errors
    /// The database refuses.
    pub fn execute(&self, sql: &str, params: impl Params) -> Result<usize, SqlError> {
        let text = self.text(sql);
        Ok(self.connection.prepare_cached(&text)?.execute(params)?)
    }

    /// The rows of a query.
    ///
    /// # Errors
    /// The database refuses, or a row cannot be read.
    pub fn rows<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, SqlError> {
        let text = self.text(sql);
        let mut select = self.connection.prepare_cached(&text)?;
        let rows = select.query_map(params, read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The connection, in its transaction. Leave that open, and make no other.
    pub fn connection(&self) -> &Connection {
        self.connection
    }
}

/// Why an event could not be taken in.
pub struct SqlError(Box<dyn Error + Send + Sync>);

impl SqlError {
    /// The database's own error, if it is one.
    pub fn database(&self) -> Option<&rusqlite::Error> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for SqlError {
    fn from(e: E) -> SqlError {
        SqlError(e.into())
    }
}

/// What runs one event.
type Project = Arc<dyn Fn(&Sql<'_>, &StoredEvent) -> Result<(), SqlError> + Send + Sync>;

/// A projection that writes SQL, as data.
#[derive(Clone)]
pub(crate) struct SqlDef {
    pub(crate) tables: &'static [(&'static str, &'static str)],
    pub(crate) project: Project,
}

impl fmt::Debug for SqlDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SqlDef").field(&self.tables).finish()
    }
}

impl SqlDef {
    pub(crate) fn of<P: SqlProjection>() -> ProjectionDef {
        let project: Project = Arc::new(|sql, stored| match P::Events::decode(stored)? {
            Some(event) => P::project(sql, event, &stored.meta),
            None => Ok(()),
        });
        let tables = P::TABLES;
        ProjectionDef {
            name: P::NAME.into(),
            version: P::VERSION,
            mode: Mode::Behind,
            key_kind: P::Key::KIND.into(),
            by_tags: true,
            types: P::Events::TYPES.iter().map(|t| t.to_string()).collect(),
            event_defs: P::Events::defs(),
            row: Value::Null,
            indexes: vec![],
            code: Arc::new(SqlDef { tables, project }),
        }
    }

    /// The SQL of a projection that writes it itself.
    pub(crate) fn in_def(def: &ProjectionDef) -> Option<&SqlDef> {
        def.code.as_any()?.downcast_ref()
    }
}

/// It has no rows by key.
impl Code for SqlDef {
    fn sort(&self, _: &[StoredEvent], _: usize) -> Sorted {
        let (parts, unread) = (vec![], vec![]);
        Sorted { parts, unread }
    }
    fn rows(&self) -> Box<dyn Rows> {
        Box::new(NoRows)
    }
    fn part_of(&self, _: &str, _: usize) -> Option<usize> {
        None
    }
    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

struct NoRows;

impl Rows for NoRows {
    fn missing(&self, _: &Part) -> Vec<String> {
        vec![]
    }
    fn give(&mut self, _: &str, _: Option<(&str, Position)>) -> Result<(), String> {
        Err("this view has no rows by key".into())
    }
    fn park(&mut self, _: &str) {}
    fn unpark(&mut self, _: &str) {}
    fn take(&mut self, _: Part, _: &[StoredEvent], _: bool) {}
    fn hurt(&mut self) -> Vec<Hurt> {
        vec![]
    }
    fn changed(&mut self, _: &mut Tell<'_>) {}
    fn dirty(&self) -> usize {
        0
    }
    fn len(&self) -> usize {
        0
    }
    fn forget(&mut self) {}
}
