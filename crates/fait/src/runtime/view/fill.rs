//! Filling the tables of one generation: events are folded into rows in memory, each changed row
//! is written once, and the checkpoint moves in the same transaction.

use super::catalog::{self, Generation};
use super::refold::{Refold, Refolded, refold};
use super::{Sizes, sql, table};
use crate::runtime::db::{Db, i64_of, u64_of};
use crate::sql::SqlDef;
use fait_core::event::{Position, StoredEvent};
use fait_core::projection::{Hurt, Part, ProjectionDef, Rows, Sorted, Unread};
use fait_core::store::{Store, StoreError};
use rusqlite::{Transaction, params};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

/// Bytes of JSON that these rows come to at most.
pub(crate) const MAX_BYTES: usize = 64 << 20;

/// What is to be written of a key that follows no more.
pub(super) struct Parked {
    pub(super) key: String,
    pub(super) position: Position,
    pub(super) reason: String,
}

impl Parked {
    /// Notes it, in the transaction of what it belongs to.
    pub(super) fn write(
        &self,
        tx: &Transaction<'_>,
        view: &str,
        number: u64,
    ) -> rusqlite::Result<()> {
        let (number, at) = (i64_of(number), i64_of(self.position));
        tx.prepare_cached("INSERT OR REPLACE INTO fait_parked_keys VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![view, number, self.key, at, self.reason])
            .map(|_| ())
    }
}

/// The rows of one generation, as far as they are in memory.
pub(crate) struct Filler {
    def: ProjectionDef,
    sizes: Sizes,
    pub(crate) number: u64,
    pub(crate) table: String,
    parts: Vec<Box<dyn Rows>>,
    parked: Vec<Parked>,
    unread: Vec<Unread>,
    mended: Vec<Refolded>,
    /// What a projection that writes SQL itself takes when it is written.
    pending: Vec<StoredEvent>,
    /// How far it has taken events in, and how far that is written.
    pub(crate) position: Position,
    written: Position,
    events: u64,
    /// Every stored row is in memory, so that none has to be looked for.
    whole: bool,
    bytes: usize,
}

impl Filler {
    /// Goes on with a generation where it stands, as it is written now: whoever asks for it may
    /// have looked before something more was.
    pub(crate) fn open(
        db: &Db,
        def: &ProjectionDef,
        g: &Generation,
        (threads, sizes): (usize, Sizes),
    ) -> Result<Filler, StoreError> {
        let mut parts: Vec<Box<dyn Rows>> = (0..threads.max(1)).map(|_| def.code.rows()).collect();
        let (position, parked) = db.read(|c| {
            let of = params![def.name, i64_of(g.number)];
            let position = c
                .prepare_cached("SELECT position FROM fait_views WHERE name = ?1 AND gen = ?2")?
                .query_row(of, |r| r.get(0).map(u64_of))?;
            let parked: Vec<String> = c
                .prepare_cached("SELECT key FROM fait_parked_keys WHERE view = ?1 AND gen = ?2")?
                .query_map(of, |r| r.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            Ok((position, parked))
        })?;
        for key in parked {
            if let Some(part) = def.code.part_of(&key, parts.len()) {
                parts[part].park(&key);
            }
        }
        Ok(Filler {
            def: def.clone(),
            sizes,
            number: g.number,
            table: g.table().to_string(),
            parts,
            parked: vec![],
            unread: vec![],
            mended: vec![],
            pending: vec![],
            position,
            written: position,
            events: 0,
            whole: position == 0,
            bytes: 0,
        })
    }

    /// Takes events in, up to a position; writes nothing yet.
    pub(crate) async fn take(
        mut self,
        db: &Arc<Db>,
        store: &dyn Store,
        events: Arc<Vec<StoredEvent>>,
        to: Position,
    ) -> Result<Filler, StoreError> {
        if self.parts.len() > 1 && events.len() >= self.sizes.parallel {
            let (db, events) = (db.clone(), events.clone());
            let fold = move || self.fold(&db, &events).map(|()| self);
            self = tokio::task::spawn_blocking(fold)
                .await
                .map_err(|e| StoreError::new(format_args!("a view broke off: {e}")))??;
        } else {
            self.fold(db, &events)?;
        }
        self.mend(db, store).await?;
        self.position = to;
        self.events += events.len() as u64;
        Ok(self)
    }

    /// The same on this thread and those that it starts.
    pub(crate) async fn take_here(
        &mut self,
        db: &Db,
        store: &dyn Store,
        events: &[StoredEvent],
        to: Position,
    ) -> Result<(), StoreError> {
        self.fold(db, events)?;
        self.mend(db, store).await?;
        self.position = to;
        self.events += events.len() as u64;
        Ok(())
    }

    fn fold(&mut self, db: &Db, events: &[StoredEvent]) -> Result<(), StoreError> {
        if SqlDef::in_def(&self.def).is_some() {
            self.pending.extend_from_slice(events);
            return Ok(());
        }
        let threads = if events.len() < self.sizes.parallel {
            1
        } else {
            self.parts.len()
        };
        let (code, parts) = (&self.def.code, self.parts.len());
        let slices: Vec<&[StoredEvent]> = events
            .chunks(events.len().div_ceil(threads).max(1))
            .collect();
        let sorted: Vec<Sorted> = each(threads, slices.clone(), |s| code.sort(s, parts))?;
        let mut work: Vec<Vec<(Part, &[StoredEvent])>> = (0..parts).map(|_| vec![]).collect();
        for (sorted, slice) in sorted.into_iter().zip(slices) {
            for u in sorted.unread {
                let (view, error) = (&self.def.name, &u.why);
                tracing::error!(view, %error, "an event cannot be read, and any row may lack it");
                self.unread.push(u);
            }
            for (n, part) in sorted.parts.into_iter().enumerate() {
                if !part.is_empty() {
                    self.load(db, n, &part)?;
                    work[n].push((part, slice));
                }
            }
        }
        let work: Vec<_> = self.parts.iter_mut().zip(work).collect();
        each(threads, work, |(rows, taken)| {
            for (part, slice) in taken {
                rows.take(part, slice, false);
            }
        })?;
        Ok(())
    }

    /// Brings the rows into memory that a part is about.
    fn load(&mut self, db: &Db, part: usize, changes: &Part) -> Result<(), StoreError> {
        let rows = &mut self.parts[part];
        let missing = rows.missing(changes);
        if missing.is_empty() {
            return Ok(());
        }
        let table = &self.table;
        let whole = self.whole;
        let found: Vec<(String, Option<(String, Position)>)> = if whole {
            missing.into_iter().map(|key| (key, None)).collect()
        } else {
            db.read(|c| {
                let look = |key: String| Ok((key.clone(), table::stored(c, table, &key)?));
                missing.into_iter().map(look).collect()
            })?
        };
        for (key, row) in found {
            let row = row.as_ref().map(|(text, at)| (text.as_str(), *at));
            if let Err(why) = rows.give(&key, row) {
                tracing::error!(
                    view = self.def.name,
                    key,
                    error = why,
                    "its row cannot be read"
                );
                self.parked.push(Parked {
                    position: self.written + 1,
                    reason: format!("its row cannot be read: {why}"),
                    key: key.clone(),
                });
                rows.park(&key);
            }
        }
        Ok(())
    }

    /// Notes the rows that were hurt; those that were lost in the middle of it are made again up
    /// to the event that hurt them, from what is stored.
    async fn mend(&mut self, db: &Db, store: &dyn Store) -> Result<(), StoreError> {
        let hurt: Vec<Hurt> = self.parts.iter_mut().flat_map(|p| p.hurt()).collect();
        let mut torn = BTreeMap::new();
        let mut until = self.written;
        for h in hurt {
            tracing::error!(view = self.def.name, key = h.key, error = %h.why, "the key is parked");
            if h.torn {
                until = until.max(h.position);
                torn.insert(h.key, h.why.to_string());
            } else {
                self.parked.push(Parked {
                    key: h.key,
                    position: h.position,
                    reason: h.why.to_string(),
                });
            }
        }
        if torn.is_empty() {
            return Ok(());
        }
        let after = self.written;
        let lost = db.read(|c| {
            let lost = |key: &String| {
                let (key, base) = (key.clone(), table::stored(c, &self.table, key)?);
                Ok(Refold { key, base, after })
            };
            torn.keys().map(lost).collect::<rusqlite::Result<_>>()
        })?;
        // Each comes to the event that hurt it, and is parked there, with the row as it was before.
        let again = refold(store, &self.def, self.sizes, lost, until).await?;
        for r in &again {
            let key = r.key.clone();
            // Code that is not the same each time may take now what it could not take.
            let (position, reason) = r
                .parked
                .clone()
                .unwrap_or_else(|| (until + 1, torn[&key].clone()));
            self.parked.push(Parked {
                key,
                position,
                reason,
            });
        }
        self.mended.extend(again);
        Ok(())
    }

    /// Rows that were changed and are not written.
    pub(crate) fn dirty(&self) -> usize {
        self.pending.len() + self.parts.iter().map(|p| p.dirty()).sum::<usize>()
    }

    /// Writes what was taken in, with the checkpoint. When the transaction fails, this filler
    /// must be opened again.
    pub(crate) fn write(&mut self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        let (mut failed, mut bytes, mut count) = (None, 0, 0);
        let (table, since, parked) = (&self.table, self.written + 1, &mut self.parked);
        let view = &self.def.name;
        for rows in &mut self.parts {
            let mut unwritable = vec![];
            rows.changed(&mut |key, row, position| {
                let done = match row {
                    Ok(row) => {
                        bytes += row.map_or(0, str::len);
                        count += 1;
                        table::write(tx, table, key, row, position)
                    }
                    Err(why) => {
                        tracing::error!(view, key, error = why, "its row cannot be written");
                        unwritable.push(key.to_string());
                        let (key, reason) =
                            (key.into(), format!("its row cannot be written: {why}"));
                        parked.push(Parked {
                            key,
                            position: since,
                            reason,
                        });
                        Ok(())
                    }
                };
                failed = failed.take().or(done.err());
            });
            unwritable.iter().for_each(|key| rows.park(key));
        }
        if let Some(e) = failed {
            return Err(e);
        }
        for again in self.mended.drain(..) {
            if let Some((row, position)) = &again.changed {
                table::write(tx, &self.table, &again.key, row.as_deref(), *position)?;
            }
        }
        self.run_sql(tx)?;
        self.note(tx)?;
        let (view, number) = (&self.def.name, self.number);
        catalog::advance(
            tx,
            view,
            number,
            (self.written, self.position),
            std::mem::take(&mut self.events),
        )?;
        self.written = self.position;
        self.bound_memory(bytes, count);
        Ok(())
    }

    /// Lets a projection that writes SQL itself take its events, in order.
    fn run_sql(&mut self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        let Some(own) = SqlDef::in_def(&self.def) else {
            return Ok(());
        };
        let mut runner = sql::Runner {
            def: &self.def,
            sql: own,
            number: self.number,
            blocked: sql::blocked(tx, &self.def.name, self.number)?,
        };
        for event in self.pending.drain(..) {
            runner.take(tx, &event)?;
        }
        let known = self.written;
        let fresh = runner.blocked.into_values().filter(|p| p.position > known);
        self.parked.extend(fresh);
        Ok(())
    }

    /// Writes what cannot follow, and what could not be read.
    fn note(&mut self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        let number = i64_of(self.number);
        for p in self.parked.drain(..) {
            p.write(tx, &self.def.name, self.number)?;
        }
        for u in self.unread.drain(..) {
            let (at, why) = (i64_of(u.position), u.why.to_string());
            tx.prepare_cached("INSERT OR REPLACE INTO fait_unread VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![self.def.name, number, at, why])?;
        }
        Ok(())
    }

    fn bound_memory(&mut self, bytes: usize, count: usize) {
        let rows: usize = self.parts.iter().map(|p| p.len()).sum();
        self.bytes = bytes.checked_div(count).unwrap_or(self.bytes);
        if rows > self.sizes.rows || rows.saturating_mul(self.bytes) > MAX_BYTES {
            self.parts.iter_mut().for_each(|p| p.forget());
            self.whole = false;
        }
    }

    /// Takes over what became of keys that were tried again, when it is written.
    pub(crate) fn retried(&mut self, again: &[Refolded]) {
        // Rows that changed in the table are looked for there.
        self.whole = false;
        for r in again {
            let Some(part) = self.def.code.part_of(&r.key, self.parts.len()) else {
                continue;
            };
            let rows = &mut self.parts[part];
            match r.parked {
                Some(_) => rows.park(&r.key),
                None => rows.unpark(&r.key),
            }
        }
    }
}

/// The parked keys of a generation and since when, in the order in which they were parked.
pub(crate) fn parked_keys(
    db: &Db,
    view: &str,
    number: u64,
) -> Result<Vec<(String, Position)>, StoreError> {
    db.read(|c| {
        let sql = "SELECT key, position FROM fait_parked_keys WHERE view = ?1 AND gen = ?2
            ORDER BY position, key";
        c.prepare_cached(sql)?
            .query_map(params![view, i64_of(number)], |r| {
                Ok((r.get(0)?, u64_of(r.get(1)?)))
            })?
            .collect()
    })
}

/// Does something with each, on so many threads; the order of what comes out is that of what
/// went in.
fn each<T: Send, R: Send>(
    threads: usize,
    work: Vec<T>,
    does: impl Fn(T) -> R + Sync,
) -> Result<Vec<R>, StoreError> {
    if threads <= 1 || work.len() <= 1 {
        return Ok(work.into_iter().map(does).collect());
    }
    let broke = |_| StoreError::new("a thread that folds a view broke off");
    let does = &does;
    thread::scope(|scope| {
        let started: Vec<_> = work
            .into_iter()
            .map(|one| scope.spawn(move || does(one)))
            .collect();
        started
            .into_iter()
            .map(|t| t.join().map_err(broke))
            .collect()
    })
}
