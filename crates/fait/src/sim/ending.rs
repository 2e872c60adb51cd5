//! How a run ended, to be looked at.

use super::place::Operation;
use super::show;
use crate::app::App;
use fait_core::event::StoredEvent;
use fait_core::process::{Fact, Instance};
use fait_core::store::StoreError;
use rusqlite::types::ValueRef;
use std::collections::BTreeMap;

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    /// The whole log.
    pub log: Vec<StoredEvent>,
    /// Every operation, over all lives of the system.
    pub trail: Vec<Operation>,
    /// What the database of views and indexes held in the end, a line for each row.
    pub database: Vec<String>,
}

impl Ending {
    /// What happened in the words of the business, in order: type and data of each event that is
    /// not `fait`'s own.
    pub fn happened(&self) -> Vec<String> {
        let own = |e: &&StoredEvent| !e.ty.starts_with('$');
        self.log.iter().filter(own).map(show::event).collect()
    }

    /// How often an event of this type happened.
    pub fn count(&self, ty: &str) -> usize {
        self.log.iter().filter(|e| e.ty == ty).count()
    }

    /// Every instance of every process, read back from the log.
    pub fn instances(&self) -> BTreeMap<(String, String), Instance> {
        instances(&self.log)
    }

    /// The log as text, a line for each event.
    pub fn text(&self) -> String {
        show::log(&self.log)
    }
}

/// Every instance of every process, read back from a log.
pub(super) fn instances(log: &[StoredEvent]) -> BTreeMap<(String, String), Instance> {
    let mut all: BTreeMap<(String, String), Instance> = BTreeMap::new();
    for event in log {
        if let Ok(Some(fact)) = Fact::read(event) {
            let (process, key) = fact.instance();
            let name = (process.to_string(), key.to_string());
            let new = || Instance::new(process, key);
            let instance = all.entry(name).or_insert_with(new);
            instance.absorb(&fact, &event.meta, &event.tags);
        }
    }
    all
}

/// What the database of a system holds: instances, what is open and due, and the rows of views.
pub(super) fn database(app: &App) -> Result<Vec<String>, StoreError> {
    let own = [
        ("fait_instances", "fait_instances".to_string()),
        ("fait_open", "fait_open".to_string()),
        ("fait_deadlines", "fait_deadlines".to_string()),
    ];
    app.core.db.read(|c| {
        let mut tables = own.to_vec();
        let mut views =
            c.prepare("SELECT name, tables FROM fait_views WHERE state = 'serving' ORDER BY name")?;
        let mut views = views.query([])?;
        while let Some(row) = views.next()? {
            let (name, table): (String, String) = (row.get(0)?, row.get(1)?);
            tables.push(("", format!("{name}\n{table}")));
        }
        let mut lines = vec![];
        for (name, table) in tables {
            // A view made anew has a table of another name.
            let (name, table) = table.split_once('\n').unwrap_or((name, &table));
            let sql = format!("SELECT * FROM {}", crate::runtime::db::quoted(table));
            let mut select = c.prepare(&sql)?;
            let columns = select.column_count();
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                let cells: Result<Vec<String>, _> =
                    (0..columns).map(|n| row.get_ref(n).map(cell)).collect();
                lines.push(format!("{name}: {}", cells?.join(" | ")));
            }
        }
        lines.sort();
        Ok(lines)
    })
}

fn cell(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".into(),
        ValueRef::Integer(n) => n.to_string(),
        ValueRef::Real(n) => n.to_string(),
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into_owned(),
    }
}
