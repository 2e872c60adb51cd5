//! Folding a history into views that nobody sees: in memory, and beyond that in a file without a
//! name.

use super::report::{Finds, Gathered};
use super::written::Written;
use crate::sql::SqlDef;
use fait_core::event::{Position, StoredEvent};
use fait_core::projection::{ProjectionDef, Rows};
use fait_core::store::StoreError;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{BTreeMap, BTreeSet};

/// Most rows of one view in memory.
const MAX_ROWS: usize = 10_000;

const TABLE: &str = "CREATE TABLE rows (view TEXT, key TEXT, row TEXT, position INTEGER, \
                     PRIMARY KEY (view, key)) WITHOUT ROWID";

/// The views of a program.
pub(super) struct Views<'a> {
    views: Vec<View<'a>>,
    written: Vec<Written<'a>>,
    file: Connection,
}

struct View<'a> {
    def: &'a ProjectionDef,
    types: BTreeSet<&'a str>,
    rows: Box<dyn Rows>,
}

impl<'a> Views<'a> {
    pub(super) fn new(defs: &'a [ProjectionDef]) -> Result<Self, StoreError> {
        let file = Connection::open("").map_err(unusable)?;
        file.execute_batch(TABLE).map_err(unusable)?;
        let view = |def: &'a ProjectionDef| View {
            def,
            types: def.types.iter().map(String::as_str).collect(),
            rows: def.code.rows(),
        };
        let (mut views, mut written) = (vec![], vec![]);
        for def in defs {
            match SqlDef::in_def(def) {
                Some(sql) => written.push(Written::new(def, sql)?),
                None => views.push(view(def)),
            }
        }
        Ok(Views {
            views,
            written,
            file,
        })
    }

    /// Takes some events in. What is unreadable was told already; its rows are given up here too.
    pub(super) fn take(
        &mut self,
        events: &[StoredEvent],
        unreadable: &BTreeSet<Position>,
        found: &mut Gathered,
    ) -> Result<(), StoreError> {
        for view in &mut self.written {
            view.take(events, unreadable, found)?;
        }
        for view in &mut self.views {
            if !events.iter().any(|e| view.types.contains(e.ty.as_str())) {
                continue;
            }
            let name = &view.def.name;
            let mut trouble = |at: Position, ty: &str, why: &str| {
                if !unreadable.contains(&at) {
                    let what = format!("{ty}: {why}");
                    found.add((Finds::View, name), &what, at, &what);
                }
            };
            let sorted = view.def.code.sort(events, 1);
            for unread in &sorted.unread {
                trouble(unread.position, &unread.why.ty, &unread.why.message);
            }
            for part in sorted.parts {
                for key in view.rows.missing(&part) {
                    let kept = kept(&self.file, name, &key).map_err(unusable)?;
                    let kept = kept.as_ref().map(|(row, at)| (row.as_str(), *at));
                    if let Err(why) = view.rows.give(&key, kept) {
                        let (at, what) = (kept.map_or(0, |k| k.1), "a row of its own");
                        trouble(at, what, &why);
                        view.rows.park(&key);
                    }
                }
                view.rows.take(part, events, false);
            }
            for hurt in view.rows.hurt() {
                trouble(hurt.position, &hurt.why.ty, &hurt.why.message);
            }
            if view.rows.len() > MAX_ROWS {
                view.keep(&mut self.file, found)?;
            }
        }
        Ok(())
    }

    /// How many rows each view has.
    pub(super) fn rows(
        &mut self,
        found: &mut Gathered,
    ) -> Result<BTreeMap<String, u64>, StoreError> {
        let mut rows = BTreeMap::new();
        for view in &mut self.views {
            view.keep(&mut self.file, found)?;
            let sql = "SELECT count(*) FROM rows WHERE view = ?1";
            let count: i64 = self
                .file
                .query_row(sql, [&view.def.name], |r| r.get(0))
                .map_err(unusable)?;
            rows.insert(view.def.name.clone(), u64::try_from(count).unwrap_or(0));
        }
        for view in &self.written {
            rows.insert(view.name().into(), view.rows()?);
        }
        Ok(rows)
    }
}

impl View<'_> {
    /// Writes what has changed to the file, and forgets all rows.
    fn keep(&mut self, file: &mut Connection, found: &mut Gathered) -> Result<(), StoreError> {
        let view = &self.def.name;
        let mut work = || {
            let tx = file.transaction()?;
            let mut done = Ok(());
            let mut put = tx.prepare("INSERT OR REPLACE INTO rows VALUES (?1, ?2, ?3, ?4)")?;
            let mut gone = tx.prepare("DELETE FROM rows WHERE view = ?1 AND key = ?2")?;
            self.rows.changed(&mut |key, row, at| {
                let written = match row {
                    Ok(Some(row)) => put.execute(params![view, key, row, at.cast_signed()]),
                    Ok(None) => gone.execute(params![view, key]),
                    Err(why) => {
                        let what = format!("row {key} cannot be written: {why}");
                        found.add((Finds::View, view), &why, at, what);
                        Ok(0)
                    }
                };
                if let Err(e) = written
                    && done.is_ok()
                {
                    done = Err(e);
                }
            });
            drop((put, gone));
            done?;
            tx.commit()
        };
        work().map_err(unusable)?;
        self.rows.forget();
        Ok(())
    }
}

fn kept(file: &Connection, view: &str, key: &str) -> rusqlite::Result<Option<(String, Position)>> {
    let sql = "SELECT row, position FROM rows WHERE view = ?1 AND key = ?2";
    let mut read = file.prepare_cached(sql)?;
    let row = read.query_row(params![view, key], |r| {
        Ok((r.get(0)?, r.get::<_, i64>(1)?.cast_unsigned()))
    });
    row.optional()
}

pub(super) fn unusable(e: rusqlite::Error) -> StoreError {
    StoreError::new(format_args!(
        "rows that do not fit into memory cannot be kept in the folder for temporary files: {e}"
    ))
}
