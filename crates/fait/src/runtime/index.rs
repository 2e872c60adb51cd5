//! The index of process instances: what is open, due, parked. It is read back from facts, in the
//! same database as the views, and can be thrown away like them.

use super::Core;
use super::db::{Db, i64_of, set_feed, time_of, u64_of};
use super::view::reached;
use fait_core::event::{Position, StoredEvent, Tag, Time};
use fait_core::process::{Fact, Instance, Open, Status, Target, types};
use fait_core::query::Query;
use fait_core::store::{Range, Store, StoreError};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use uuid::Uuid;

const FEED: &str = "processes";

/// Facts that the index takes at once.
const BATCH: usize = 4000;

/// So many facts in one batch mean that there is much to do.
const BUSY: usize = 16;

/// How long the index waits then before it looks again. What pages show lags behind by that.
const BREATH: Duration = Duration::from_millis(20);

/// An open command with the instance that issued it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenCommand {
    /// The process.
    pub process: String,
    /// The instance.
    pub key: String,
    /// The command and its claim.
    #[serde(flatten)]
    pub open: Open,
    /// The flow.
    pub correlation: Uuid,
    /// The tags of what the instance is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<Tag>,
}

impl OpenCommand {
    /// What an instance issued and is open.
    pub(crate) fn of(instance: &Instance, open: &Open) -> OpenCommand {
        OpenCommand {
            process: instance.process.clone(),
            key: instance.key.clone(),
            open: open.clone(),
            correlation: instance.correlation,
            about: instance.about.clone(),
        }
    }
}

/// A deadline that has come.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Due {
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) due: Time,
}

/// Instances that facts of one batch change, by process and key.
type Changed = BTreeMap<(String, String), Instance>;

/// Most instances that the index keeps in memory; then it forgets all of them.
const MAX_RECENT: usize = 4096;

/// Instances that the index saved last, as they stand in the database.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<Changed>);

impl Recent {
    fn lock(&self) -> MutexGuard<'_, Changed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, name: &(String, String)) -> Option<Instance> {
        self.lock().remove(name)
    }

    fn put(&self, saved: Changed) {
        let mut recent = self.lock();
        if recent.len() + saved.len() > MAX_RECENT {
            recent.clear();
        }
        let running = |i: &Instance| i.status == Status::Running;
        recent.extend(saved.into_iter().filter(|(_, i)| running(i)));
    }

    pub(crate) fn forget(&self) {
        self.lock().clear();
    }
}

/// How many instances of a process stand how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProcessCount {
    /// Waiting for input.
    pub running: u64,
    /// Waiting for an operator.
    pub parked: u64,
    /// Ended.
    pub ended: u64,
}

impl Core {
    /// Keeps the index up to date until the system stops.
    pub(crate) async fn run_index(self: Arc<Self>) {
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                result = self.follow_facts() => if let Err(e) = result {
                    tracing::error!(error = %e, "the index of processes waits");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                },
            }
        }
    }

    async fn follow_facts(&self) -> Result<(), StoreError> {
        let query = Query::types(types::ALL);
        loop {
            let at = self.index.at();
            self.store.wait(at).await?;
            let facts = self.index_once(&query).await?;
            if facts >= BUSY && !self.clock.is_by_hand() {
                // Under load an instance changes again and again; it is saved once for all of that.
                tokio::time::sleep(BREATH).await;
            }
        }
    }

    /// Takes one batch into the index; says how many facts it had.
    async fn index_once(&self, query: &Query) -> Result<usize, StoreError> {
        let slice = self
            .store
            .read(query, Range::after(self.index.at(), BATCH))
            .await?;
        let to = reached(&slice.events, slice.head, BATCH);
        let mut changed = Changed::default();
        self.db.write(|tx| {
            for event in &slice.events {
                absorb_into(tx, event, &mut changed, &self.recent)?;
            }
            for instance in changed.values() {
                save(tx, instance)?;
            }
            set_feed(tx, FEED, to)
        })?;
        // Before the index says that it has come so far: then nothing issued is unheard of.
        self.dispatch.indexed(changed.values(), to);
        self.recent.put(changed);
        self.index.set(to);
        self.pulse.beat();
        Ok(slice.events.len())
    }

    pub(crate) fn open_index(&self) -> Result<(), StoreError> {
        self.index.set(self.db.feed(FEED)?);
        Ok(())
    }

    /// An instance as the log has it now: the index, and what came since.
    pub(crate) async fn instance(&self, process: &str, key: &str) -> Result<Instance, StoreError> {
        let query = Query::tags(vec![fait_core::process::instance_tag(process, key)]);
        let known = self.db.instance(process, key)?;
        let mut instance = known.unwrap_or_else(|| Instance::new(process, key));
        // The last fact that the index knows of is read along: when it is not there any more, the
        // instance was erased, and what the index says of it was too.
        let mut after = instance.moved.saturating_sub(1);
        let mut erased = instance.moved > 0;
        loop {
            let slice = self.store.read(&query, Range::after(after, 500)).await?;
            let first = slice.events.first().map(|e| e.meta.position);
            if std::mem::take(&mut erased) && first != Some(instance.moved) {
                instance = Instance::new(process, key);
                after = 0;
                continue;
            }
            for event in &slice.events {
                absorb(&mut instance, event)?;
            }
            match slice.events.last() {
                Some(last) if slice.events.len() == 500 => after = last.meta.position,
                _ => return Ok(instance),
            }
        }
    }
}

/// Lets the instance of a fact hear of it; it is saved with the others of the batch, once.
fn absorb_into(
    tx: &Transaction<'_>,
    event: &StoredEvent,
    changed: &mut Changed,
    recent: &Recent,
) -> rusqlite::Result<()> {
    let fact = match Fact::read(event) {
        Ok(Some(fact)) => fact,
        Ok(None) => return Ok(()),
        Err(e) => {
            tracing::error!(error = %e, "a process fact cannot be read; its instance waits");
            return Ok(());
        }
    };
    let (process, key) = fact.instance();
    let name = (process.to_string(), key.to_string());
    let instance = match changed.entry(name) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(place) => {
            let known = match recent.take(place.key()) {
                Some(known) => Some(known),
                None => read_instance(tx, process, key)?,
            };
            place.insert(known.unwrap_or_else(|| Instance::new(process, key)))
        }
    };
    instance.absorb(&fact, &event.meta, &event.tags);
    Ok(())
}

/// Reads what is recorded of processes into a database; gives the head.
pub(crate) async fn read_facts(store: &dyn Store, db: &Db) -> Result<Position, StoreError> {
    let (query, recent) = (Query::types(types::ALL), Recent::default());
    let mut after = 0;
    loop {
        let slice = store.read(&query, Range::after(after, 500)).await?;
        let mut changed = Changed::default();
        db.write(|tx| {
            for event in &slice.events {
                absorb_into(tx, event, &mut changed, &recent)?;
            }
            changed.values().try_for_each(|instance| save(tx, instance))
        })?;
        recent.put(changed);
        match slice.events.last() {
            Some(last) if slice.events.len() == 500 => after = last.meta.position,
            _ => return Ok(slice.head),
        }
    }
}

fn absorb(instance: &mut Instance, event: &StoredEvent) -> Result<(), StoreError> {
    match Fact::read(event) {
        Ok(Some(fact)) => instance.absorb(&fact, &event.meta, &event.tags),
        Ok(None) => {}
        Err(e) => return Err(StoreError::new(e)),
    }
    Ok(())
}

fn save(tx: &Transaction<'_>, i: &Instance) -> rusqlite::Result<()> {
    let status = match i.status {
        Status::Running => "running",
        Status::Parked { .. } => "parked",
        Status::Ended => "ended",
    };
    let body = serde_json::to_string(i).unwrap_or_default();
    tx.prepare_cached("INSERT OR REPLACE INTO fait_instances VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![
            i.process,
            i.key,
            status,
            body,
            i64_of(i.started_at.0),
            i64_of(i.updated_at.0)
        ])?;
    tx.prepare_cached("DELETE FROM fait_open WHERE process = ?1 AND key = ?2")?
        .execute(params![i.process, i.key])?;
    tx.prepare_cached("DELETE FROM fait_deadlines WHERE process = ?1 AND key = ?2")?
        .execute(params![i.process, i.key])?;
    tx.prepare_cached("DELETE FROM fait_expiries WHERE process = ?1 AND key = ?2")?
        .execute(params![i.process, i.key])?;
    if status == "parked" {
        // Nothing of a parked instance moves: neither its commands nor its deadlines.
        return Ok(());
    }
    for open in i.open.values() {
        save_open(tx, i, open)?;
    }
    for (deadline, _) in i.deadlines.values() {
        tx.prepare_cached("INSERT OR REPLACE INTO fait_deadlines VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![
                i.process,
                i.key,
                deadline.name,
                deadline.generation,
                i64_of(deadline.due.0)
            ])?;
    }
    Ok(())
}

fn save_open(tx: &Transaction<'_>, i: &Instance, open: &Open) -> rusqlite::Result<()> {
    let (kind, target) = match &open.issued.to {
        Target::Here => ("here", ""),
        Target::Role(role) => ("role", role.as_str()),
        Target::System(system) => ("system", system.as_str()),
    };
    let body = OpenCommand::of(i, open);
    let sql = "INSERT OR REPLACE INTO fait_open VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    tx.prepare_cached(sql)?.execute(params![
        open.issued.id.to_string(),
        i.process,
        i.key,
        kind,
        target,
        open.issued.name,
        open.issued.due.map(|t| i64_of(t.0)),
        i64_of(open.since.0),
        i64_of(open.position),
        serde_json::to_string(&body).unwrap_or_default()
    ])?;
    if let Some(due) = expires(open) {
        let sql = "INSERT OR REPLACE INTO fait_expiries VALUES (?1, ?2, ?3, ?4)";
        let id = open.issued.id.to_string();
        tx.prepare_cached(sql)?
            .execute(params![id, i.process, i.key, i64_of(due.0)])?;
    }
    Ok(())
}

/// When an open command is not to be done any more.
pub(crate) fn expires(open: &Open) -> Option<Time> {
    open.issued.due.filter(|_| open.issued.expires)
}

fn read_instance(c: &Connection, process: &str, key: &str) -> rusqlite::Result<Option<Instance>> {
    let body: Option<String> = c
        .prepare_cached("SELECT body FROM fait_instances WHERE process = ?1 AND key = ?2")?
        .query_row([process, key], |r| r.get(0))
        .optional()?;
    Ok(body.and_then(|b| serde_json::from_str(&b).ok()))
}

impl Db {
    fn instance(&self, process: &str, key: &str) -> Result<Option<Instance>, StoreError> {
        self.read(|c| read_instance(c, process, key))
    }

    /// Open commands for a kind of target, oldest first.
    pub(crate) fn open_for(
        &self,
        kind: &str,
        target: Option<&str>,
        limit: usize,
    ) -> Result<Vec<OpenCommand>, StoreError> {
        self.read(|c| {
            let sql = "SELECT body FROM fait_open WHERE kind = ?1 AND (?2 IS NULL OR target = ?2)
                ORDER BY position LIMIT ?3";
            bodies(c, sql, params![kind, target, i64_of(limit as u64)])
        })
    }

    /// Open commands of one instance.
    pub(crate) fn open_of(&self, process: &str, key: &str) -> Result<Vec<OpenCommand>, StoreError> {
        let sql = "SELECT body FROM fait_open WHERE process = ?1 AND key = ?2 ORDER BY position";
        self.read(|c| bodies(c, sql, params![process, key]))
    }

    /// One open command.
    pub(crate) fn open_one(&self, command: Uuid) -> Result<Option<OpenCommand>, StoreError> {
        let sql = "SELECT body FROM fait_open WHERE command = ?1";
        self.read(|c| bodies(c, sql, params![command.to_string()]))
            .map(|mut v| v.pop())
    }

    /// The systems for which something is open.
    pub(crate) fn told_systems(&self) -> Result<Vec<String>, StoreError> {
        self.read(|c| {
            let sql = "SELECT DISTINCT target FROM fait_open WHERE kind = 'system'";
            c.prepare(sql)?.query_map([], |r| r.get(0))?.collect()
        })
    }

    /// How many commands are open for a system.
    pub(crate) fn count_told(&self, system: &str) -> Result<u64, StoreError> {
        self.read(|c| {
            let sql = "SELECT count(*) FROM fait_open WHERE kind = 'system' AND target = ?1";
            c.prepare_cached(sql)?
                .query_row([system], |r| r.get(0))
                .map(u64_of)
        })
    }

    /// Open commands and tasks whose time is over, the earliest first.
    pub(crate) fn expired(&self, now: Time, limit: usize) -> Result<Vec<OpenCommand>, StoreError> {
        self.read(|c| {
            let sql = "SELECT o.body FROM fait_expiries e JOIN fait_open o USING (command)
                WHERE e.due <= ?1 ORDER BY e.due LIMIT ?2";
            bodies(c, sql, params![i64_of(now.0), i64_of(limit as u64)])
        })
    }

    /// When the time of an open command or task is over next, after a time.
    pub(crate) fn next_expiry(&self, after: Time) -> Result<Option<Time>, StoreError> {
        self.read(|c| {
            let sql = "SELECT min(due) FROM fait_expiries WHERE due > ?1";
            let due: Option<i64> = c
                .prepare_cached(sql)?
                .query_row([i64_of(after.0)], |r| r.get(0))?;
            Ok(due.map(time_of))
        })
    }

    /// Instances, newest first.
    pub(crate) fn instances(
        &self,
        process: Option<&str>,
        status: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Instance>, StoreError> {
        self.read(|c| {
            let sql = "SELECT body FROM fait_instances WHERE (?1 IS NULL OR process = ?1)
                AND (?2 IS NULL OR status = ?2) ORDER BY updated_at DESC LIMIT ?3";
            bodies(c, sql, params![process, status, i64_of(limit as u64)])
        })
    }

    /// Instances that have not ended, in the order of their names, behind one of them.
    pub(crate) fn in_flight(
        &self,
        after: Option<&(String, String)>,
        limit: usize,
    ) -> Result<Vec<Instance>, StoreError> {
        let (process, key) = after.map_or(("", ""), |(p, k)| (p.as_str(), k.as_str()));
        self.read(|c| {
            let sql = "SELECT body FROM fait_instances
                WHERE status != 'ended' AND (process, key) > (?1, ?2)
                ORDER BY process, key LIMIT ?3";
            bodies(c, sql, params![process, key, i64_of(limit as u64)])
        })
    }

    /// How many instances of a process stand how.
    pub(crate) fn count(&self, process: &str) -> Result<ProcessCount, StoreError> {
        self.read(|c| {
            let sql = "SELECT status, count(*) FROM fait_instances WHERE process = ?1
                GROUP BY status";
            let mut count = ProcessCount::default();
            let mut rows = c.prepare_cached(sql)?;
            let mut rows = rows.query([process])?;
            while let Some(row) = rows.next()? {
                let n = u64_of(row.get(1)?);
                match row.get_ref(0)?.as_str()? {
                    "running" => count.running = n,
                    "parked" => count.parked = n,
                    _ => count.ended = n,
                }
            }
            Ok(count)
        })
    }

    /// Deadlines of a process that have come.
    pub(crate) fn due(
        &self,
        process: &str,
        now: Time,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        self.read(|c| {
            let sql = "SELECT key, name, due FROM fait_deadlines
                WHERE process = ?1 AND due <= ?2 ORDER BY due, key LIMIT ?3";
            c.prepare_cached(sql)?
                .query_map(params![process, i64_of(now.0), i64_of(limit as u64)], |r| {
                    Ok(Due {
                        key: r.get(0)?,
                        name: r.get(1)?,
                        due: time_of(r.get(2)?),
                    })
                })?
                .collect()
        })
    }

    /// Forgets the instances that are about something.
    pub(crate) fn forget_about(&self, tag: &str) -> Result<(), StoreError> {
        self.write_over(|tx| {
            let sql = "SELECT process, key FROM fait_instances WHERE EXISTS
                (SELECT 1 FROM json_each(body, '$.about') WHERE value = ?1)";
            let mut about = tx.prepare(sql)?;
            let found: Vec<(String, String)> = about
                .query_map([tag], |r| Ok((r.get(0)?, r.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            for (process, key) in found {
                for table in [
                    "fait_instances",
                    "fait_open",
                    "fait_deadlines",
                    "fait_expiries",
                ] {
                    let sql = format!("DELETE FROM {table} WHERE process = ?1 AND key = ?2");
                    tx.execute(&sql, [&process, &key])?;
                }
            }
            Ok(())
        })
    }

    /// Forgets a deadline that its instance does not have.
    pub(crate) fn drop_deadline(&self, process: &str, due: &Due) -> Result<(), StoreError> {
        self.write(|tx| {
            let sql = "DELETE FROM fait_deadlines
                WHERE process = ?1 AND key = ?2 AND name = ?3 AND due = ?4";
            tx.prepare_cached(sql)?
                .execute(params![process, due.key, due.name, i64_of(due.due.0)])
                .map(|_| ())
        })
    }

    /// The next deadline of a process, or of all.
    pub(crate) fn next_due(&self, process: Option<&str>) -> Result<Option<Time>, StoreError> {
        self.read(|c| {
            let sql = "SELECT min(due) FROM fait_deadlines WHERE ?1 IS NULL OR process = ?1";
            let due: Option<i64> = c.prepare_cached(sql)?.query_row([process], |r| r.get(0))?;
            Ok(due.map(time_of))
        })
    }
}

pub(super) fn bodies<T: serde::de::DeserializeOwned>(
    c: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
) -> rusqlite::Result<Vec<T>> {
    let mut rows = c.prepare_cached(sql)?;
    let texts = rows.query_map(params, |r| r.get::<_, String>(0))?;
    let mut out = vec![];
    for text in texts {
        match serde_json::from_str(&text?) {
            Ok(value) => out.push(value),
            Err(e) => tracing::error!(error = %e, "a row of the process index cannot be read"),
        }
    }
    Ok(out)
}
