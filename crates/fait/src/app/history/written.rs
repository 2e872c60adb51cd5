//! Folding a history into the tables of a projection that writes SQL itself: in a database of its
//! own, without a name.

use super::report::{Finds, Gathered};
use super::views::unusable;
use crate::app::preflight::guarded;
use crate::sql::{Sql, SqlDef};
use fait_core::event::{Position, StoredEvent, Tag};
use fait_core::projection::ProjectionDef;
use fait_core::store::StoreError;
use rusqlite::Connection;
use std::collections::BTreeSet;

pub(super) struct Written<'a> {
    def: &'a ProjectionDef,
    sql: &'a SqlDef,
    tables: Vec<(String, String)>,
    file: Connection,
    /// What an event was about that could not be taken in: the rest of that is passed over.
    parked: BTreeSet<Tag>,
}

impl<'a> Written<'a> {
    pub(super) fn new(def: &'a ProjectionDef, sql: &'a SqlDef) -> Result<Self, StoreError> {
        let file = Connection::open("").map_err(unusable)?;
        let name = |(name, _): &(&str, &str)| (name.to_string(), name.to_string());
        for (name, columns) in sql.tables {
            let name = name.replace('"', "\"\"");
            let create = format!("CREATE TABLE \"{name}\" ({columns})");
            file.execute_batch(&create).map_err(unusable)?;
        }
        Ok(Written {
            def,
            sql,
            tables: sql.tables.iter().map(name).collect(),
            file,
            parked: BTreeSet::new(),
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.def.name
    }

    /// Takes some events in. What is unreadable was told already.
    pub(super) fn take(
        &mut self,
        events: &[StoredEvent],
        unreadable: &BTreeSet<Position>,
        found: &mut Gathered,
    ) -> Result<(), StoreError> {
        let mine = |e: &&StoredEvent| self.def.types.contains(&e.ty);
        let events: Vec<&StoredEvent> = events.iter().filter(mine).collect();
        self.run("BEGIN")?;
        for event in events {
            let about = event.tags.iter().filter(|t| t.kind() == self.def.key_kind);
            let about: Vec<Tag> = about.cloned().collect();
            if about.iter().any(|tag| self.parked.contains(tag)) {
                continue;
            }
            self.run("SAVEPOINT fait_event")?;
            let sql = Sql::new(&self.file, self.tables.clone());
            let done = guarded(|| (self.sql.project)(&sql, event).map_err(|e| e.to_string()));
            let Err(why) = done else {
                self.run("RELEASE fait_event")?;
                continue;
            };
            self.run("ROLLBACK TO fait_event; RELEASE fait_event")?;
            self.parked.extend(about);
            let at = event.meta.position;
            if !unreadable.contains(&at) {
                let what = format!("{}: {why}", event.ty);
                found.add((Finds::View, &self.def.name), &what, at, &what);
            }
        }
        self.run("COMMIT")
    }

    /// How many rows all of its tables have.
    pub(super) fn rows(&self) -> Result<u64, StoreError> {
        let mut rows = 0;
        for (name, _) in &self.tables {
            let sql = format!("SELECT count(*) FROM \"{}\"", name.replace('"', "\"\""));
            let count: i64 = self
                .file
                .query_row(&sql, [], |r| r.get(0))
                .map_err(unusable)?;
            rows += u64::try_from(count).unwrap_or(0);
        }
        Ok(rows)
    }

    fn run(&self, sql: &str) -> Result<(), StoreError> {
        self.file.execute_batch(sql).map_err(unusable)
    }
}
