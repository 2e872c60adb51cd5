//! From where on a process hears what happens. It is recorded in the log, so that a process that
//! was there from the start is never taken for a new one, whatever becomes of the views.

use super::definitions::routed_by;
use super::step::Runner;
use super::{Core, count_appended};
use fait_core::event::panic_text;
use fait_core::event::{NewEvent, Origin, Position, StoredEvent, Tag};
use fait_core::process::{
    Began, Class, Fact, InputRef, Instance, May, Parked, ProcessDef, Routed, Step, Way,
    instance_tag, process_tag, types,
};
use fait_core::query::{Query, QueryItem};
use fait_core::store::{Append, AppendCondition, AppendError, Range, StoreError};
use rusqlite::{OptionalExtension, Transaction, params};
use serde_json::Value;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Where a process begins that is new in a system with a history. One that has been there before,
/// and every process of a system that has no history yet, goes on where it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Begin {
    /// It hears what happens from now on, and nothing of what was before.
    #[default]
    FromNow,
    /// Before it hears anything, an instance is made of what was before for every key that it
    /// would have begun with: with the state that [`Process::adopt`] gives, without what it would
    /// have done. Then it hears what happens from now on.
    ///
    /// [`Process::adopt`]: fait_core::process::Process::adopt
    Adopt,
    /// It hears the whole past as if it happened now. **Everything that it sends is sent, for
    /// everything that ever happened**: each mail, each payment, each task in an inbox.
    FromStart,
}

/// Most past events that one instance is made of by [`Begin::Adopt`]; with more it is parked.
pub const MAX_ADOPTED_EVENTS: usize = 10_000;

/// Processes that one fact names; an event has only so many tags.
const AT_ONCE: usize = 60;

/// How long a store may take to answer while a system starts.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Events, or keys, that adoption goes through at once.
const PAGE: usize = 500;

/// Where one process begins.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Begun {
    /// The last position that it does not hear.
    pub(crate) after: Position,
    /// Whether instances are to be made of what is up to there first.
    pub(crate) adopting: bool,
}

impl Begun {
    /// Up to where instances are to be made of what was before.
    fn adopts(self) -> Option<Position> {
        self.adopting.then_some(self.after)
    }
}

impl Core {
    /// Where each process begins. What is new is recorded before anything else can be.
    pub(crate) fn begin_processes(
        &self,
        wished: &BTreeMap<String, Begin>,
    ) -> Result<BTreeMap<String, Begun>, StoreError> {
        loop {
            let (known, new, head) = at_once(self.look_back(wished))?;
            if new.processes.is_empty() {
                return Ok(known);
            }
            match at_once(self.record_began(&new, head)) {
                // Another program on the same store was faster.
                Err(AppendError::Conflict { .. }) => {}
                Err(AppendError::Store(e)) => return Err(e),
                Err(e) => return Err(StoreError::new(e)),
                Ok(()) => tracing::info!(began = ?new.processes, "processes begin"),
            }
        }
    }

    /// What the log says, and what it does not say yet.
    async fn look_back(
        &self,
        wished: &BTreeMap<String, Begin>,
    ) -> Result<(BTreeMap<String, Begun>, Began, Position), StoreError> {
        let head = self.store.head().await?;
        let (mut known, mut new) = (BTreeMap::new(), Began::default());
        for runner in self.processes.values() {
            let (name, definition) = (&runner.def.name, runner.def.definition);
            let heard = self.db.feed(&runner.feed_name())?;
            let (after, adopt, is_new) = match self.last_began(name).await? {
                Some(began) => {
                    let after = began.processes.get(name).copied().unwrap_or(0);
                    let adopting = began.adopting.contains(name);
                    known.insert(name.clone(), Begun { after, adopting });
                    // What an older definition has heard is never heard again by a newer one,
                    // even when the views are lost.
                    let other = began.definition(name) != definition && !adopting;
                    (heard.max(after), false, other)
                }
                None if head == 0 || self.was_there(runner).await? => (0, false, true),
                None => match wished.get(name).copied().unwrap_or_default() {
                    Begin::FromNow => (head, false, true),
                    Begin::Adopt => (head, true, true),
                    Begin::FromStart => (0, false, true),
                },
            };
            if is_new {
                new.processes.insert(name.clone(), after);
                if definition != 1 {
                    new.definitions.insert(name.clone(), definition);
                }
                if adopt {
                    new.adopting.insert(name.clone());
                }
            }
        }
        Ok((known, new, head))
    }

    async fn last_began(&self, process: &str) -> Result<Option<Began>, StoreError> {
        let tag = process_tag(process);
        let query = Query::default().or(QueryItem::of(&[types::BEGAN], vec![tag]));
        let newest = self.store.read(&query, Range::newest(1)).await?;
        let Some(event) = newest.events.first() else {
            return Ok(None);
        };
        let newer = || StoreError::new("where processes begin cannot be read; it is newer");
        Began::read(event).ok_or_else(newer).map(Some)
    }

    /// Whether a process has been there before it was recorded where it begins.
    async fn was_there(&self, runner: &Runner) -> Result<bool, StoreError> {
        let tag = process_tag(&runner.def.name);
        let facts = Query::default().or(QueryItem::of(types::ALL, vec![tag]));
        Ok(self.db.knows_feed(&runner.feed_name())? || self.store.last(&facts).await? > 0)
    }

    /// Records where processes begin, unless another has done so behind a position.
    async fn record_began(&self, new: &Began, after: Position) -> Result<(), AppendError> {
        let names: Vec<&String> = new.processes.keys().collect();
        let mut conditions = vec![];
        let mut events = vec![];
        for some in names.chunks(AT_ONCE) {
            let mut part = Began::default();
            let mut known = Query::default();
            for name in some.iter().copied() {
                part.processes.insert(name.clone(), new.processes[name]);
                if let Some(definition) = new.definitions.get(name) {
                    part.definitions.insert(name.clone(), *definition);
                }
                if new.adopting.contains(name) {
                    part.adopting.insert(name.clone());
                }
                let tag = process_tag(name);
                known = known.or(QueryItem::of(&[types::BEGAN], vec![tag]));
            }
            conditions.push(AppendCondition {
                fail_if_events_match: known,
                after,
            });
            // Not from the clock: where it is moved by hand, ids are counted.
            let draft = part.draft();
            let id = Uuid::new_v5(
                &self.store.id(),
                &[&after.to_be_bytes()[..], &draft.data].concat(),
            );
            let origin = Origin {
                actor: Some("program".into()),
                correlation: id,
                ..Origin::default()
            };
            events.push(draft.with(id, origin));
        }
        self.append_all(events, conditions).await
    }

    async fn append_all(
        &self,
        events: Vec<NewEvent>,
        conditions: Vec<AppendCondition>,
    ) -> Result<(), AppendError> {
        let n = events.len();
        let append = Append {
            events,
            conditions,
            command: None,
            recorded_at: self.clock.now(),
        };
        self.store.append(append).await?;
        count_appended(n);
        Ok(())
    }

    /// Makes instances of what was there before the process, when it is to begin so. Gives `false`
    /// when the system stops before that is done; it then goes on at the next start.
    pub(crate) async fn adopt_past(self: &Arc<Self>, runner: &Runner) -> bool {
        loop {
            let adopts = runner.begun().adopts();
            let Some(until) = adopts else { return true };
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return false,
                done = self.adopt_until(runner, until) => match done {
                    Ok(()) => runner.begun().adopting = false,
                    Err(e) => {
                        tracing::error!(process = runner.def.name, error = %e, "adoption waits");
                        tokio::time::sleep(Duration::from_millis(500)).await;
                    }
                },
            }
        }
    }

    async fn adopt_until(&self, runner: &Runner, until: Position) -> Result<(), StoreError> {
        let def = &runner.def;
        let head = self.store.head().await?;
        self.list_past(def, until).await?;
        let mut after: Option<String> = None;
        loop {
            let keys = self
                .db
                .write(|tx| keys_behind(tx, &def.name, after.as_deref()))?;
            for key in &keys {
                self.adopt_one(def, key, until).await?;
            }
            match keys.last() {
                Some(last) => after = Some(last.clone()),
                None => break,
            }
        }
        let mut done = Began::default();
        done.processes.insert(def.name.clone(), until);
        if def.definition != 1 {
            done.definitions.insert(def.name.clone(), def.definition);
        }
        match self.record_began(&done, head).await {
            // Another program was faster; what it did is what would have been done.
            Ok(()) | Err(AppendError::Conflict { .. }) => {}
            Err(AppendError::Store(e)) => return Err(e),
            Err(e) => return Err(StoreError::new(e)),
        }
        self.db.write(|tx| forget_past(tx, &def.name))
    }

    /// Notes which events belong to which key, in a table that is gone with the program.
    async fn list_past(&self, def: &ProcessDef, until: Position) -> Result<(), StoreError> {
        self.db.write(|tx| {
            tx.execute_batch(PAST)?;
            forget_past(tx, &def.name)
        })?;
        let aliases = def.aliases.iter().map(|a| a.ty.clone());
        let types: Vec<String> = def.types.iter().cloned().chain(aliases).collect();
        let query = Query::types(&types);
        let mut after = 0;
        loop {
            let slice = self.store.read(&query, Range::after(after, PAGE)).await?;
            let past = slice.events.iter().take_while(|e| e.meta.position <= until);
            let past: Vec<&StoredEvent> = past.collect();
            self.db
                .write(|tx| past.iter().try_for_each(|event| note_past(tx, def, event)))?;
            match past.last() {
                Some(last) if past.len() == PAGE => after = last.meta.position,
                _ => return Ok(()),
            }
            tokio::task::yield_now().await;
        }
    }

    async fn adopt_one(
        &self,
        def: &ProcessDef,
        key: &str,
        until: Position,
    ) -> Result<(), StoreError> {
        let instance = self.instance(&def.name, key).await?;
        if instance.exists() {
            return Ok(());
        }
        let positions = self.db.write(|tx| positions_of(tx, &def.name, key))?;
        let mut past = vec![];
        for position in positions.iter().take(MAX_ADOPTED_EVENTS) {
            let range = Range::after(position - 1, 1);
            let slice = self.store.read(&Query::all(), range).await?;
            past.extend(
                slice
                    .events
                    .into_iter()
                    .filter(|e| e.meta.position == *position),
            );
        }
        let Some(last) = past.last().cloned() else {
            return Ok(());
        };
        let adopted = match positions.len() > MAX_ADOPTED_EVENTS {
            true => Err((
                Class::Limit,
                format!("its past has more than {MAX_ADOPTED_EVENTS} events"),
            )),
            false => catch_unwind(AssertUnwindSafe(|| (def.adopt)(key, &past)))
                .unwrap_or_else(|panic| Err(panic_text(&*panic)))
                .map_err(|why| (Class::Defect, why)),
        };
        let fact = match adopted {
            Ok(None) => return Ok(()),
            Ok(Some(state)) => Fact::Stepped(adopted_step(def, key, state, until)),
            Err((class, reason)) => Fact::Parked(Parked {
                process: def.name.clone(),
                key: key.into(),
                input: InputRef::Operator,
                class,
                reason: format!("its past cannot be adopted: {reason}"),
                attempts: 1,
                seen: until,
            }),
        };
        self.append_adopted(&instance, def, &fact, &last).await
    }

    async fn append_adopted(
        &self,
        instance: &Instance,
        def: &ProcessDef,
        fact: &Fact,
        last: &StoredEvent,
    ) -> Result<(), StoreError> {
        let origin = Origin {
            actor: Some(format!("process:{}", def.name)),
            correlation: last.meta.origin.correlation,
            causation: Some(last.meta.id),
            ..Origin::default()
        };
        let about = [Tag::new(&def.key_kind, &instance.key)];
        let event = fact.draft(&about).with(self.clock.id(), origin);
        let tag = instance_tag(&def.name, &instance.key);
        let unmoved = AppendCondition {
            fail_if_events_match: Query::default().or(QueryItem::of(types::MOVES, vec![tag])),
            after: 0,
        };
        match self.append_all(vec![event], vec![unmoved]).await {
            Ok(()) | Err(AppendError::Conflict { .. }) => Ok(()),
            Err(AppendError::Store(e)) => Err(e),
            Err(e) => {
                let key = &instance.key;
                tracing::error!(process = def.name, key, error = %e, "it cannot be adopted");
                Ok(())
            }
        }
    }
}

/// A step that only says how it stands: nothing is sent and no deadline is set.
fn adopted_step(def: &ProcessDef, key: &str, state: Value, until: Position) -> Step {
    Step {
        version: def.version,
        definition: def.definition,
        state,
        seen: until,
        ..Step::of(&def.name, key, InputRef::Operator)
    }
}

const PAST: &str = "
CREATE TEMP TABLE IF NOT EXISTS past (
  process TEXT NOT NULL, key TEXT NOT NULL, position INTEGER NOT NULL, start INTEGER NOT NULL,
  PRIMARY KEY (process, key, position)) WITHOUT ROWID;
CREATE TEMP TABLE IF NOT EXISTS past_ids (
  process TEXT NOT NULL, alias TEXT NOT NULL, id TEXT NOT NULL, key TEXT NOT NULL,
  PRIMARY KEY (process, alias, id)) WITHOUT ROWID;
";

fn forget_past(tx: &Transaction<'_>, process: &str) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM temp.past WHERE process = ?1", [process])?;
    tx.execute("DELETE FROM temp.past_ids WHERE process = ?1", [process])
        .map(drop)
}

fn note_past(tx: &Transaction<'_>, def: &ProcessDef, event: &StoredEvent) -> rusqlite::Result<()> {
    for alias in def.aliases.iter().filter(|a| a.ty == event.ty) {
        let pairs = catch_unwind(AssertUnwindSafe(|| (alias.pairs)(event)));
        for (id, key) in pairs.ok().and_then(Result::ok).unwrap_or_default() {
            tx.prepare_cached("INSERT OR REPLACE INTO temp.past_ids VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![def.name, alias.name, id, key])?;
        }
    }
    // What cannot be read is in the past of those that its tags name, and stops them there.
    let routed = routed_by(def, event).unwrap_or_else(|_| {
        let named = event.tags.iter().filter(|t| t.kind() == def.key_kind);
        named.map(|t| Routed::to(t.value())).collect()
    });
    for r in routed {
        let key = match &r.way {
            Way::Key(key) => Some(key.clone()),
            Way::Alias(alias, id) => tx
                .prepare_cached(
                    "SELECT key FROM temp.past_ids WHERE process = ?1 AND alias = ?2 AND id = ?3",
                )?
                .query_row([&def.name, alias, id], |row| row.get(0))
                .optional()?,
        };
        if let Some(key) = key {
            let start = r.may == May::Start;
            let position = super::db::i64_of(event.meta.position);
            tx.prepare_cached("INSERT OR REPLACE INTO temp.past VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![def.name, key, position, start])?;
        }
    }
    Ok(())
}

/// Some keys that something began for, in their order.
fn keys_behind(
    tx: &Transaction<'_>,
    process: &str,
    after: Option<&str>,
) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT DISTINCT key FROM temp.past WHERE process = ?1 AND start
        AND (?2 IS NULL OR key > ?2) ORDER BY key LIMIT ?3";
    let limit = super::db::i64_of(PAGE as u64);
    tx.prepare_cached(sql)?
        .query_map(params![process, after, limit], |row| row.get(0))?
        .collect()
}

fn positions_of(tx: &Transaction<'_>, process: &str, key: &str) -> rusqlite::Result<Vec<Position>> {
    let sql = "SELECT position FROM temp.past WHERE process = ?1 AND key = ?2
        ORDER BY position LIMIT ?3";
    let limit = super::db::i64_of(MAX_ADOPTED_EVENTS as u64 + 1);
    tx.prepare_cached(sql)?
        .query_map(params![process, key, limit], |row| {
            row.get(0).map(super::db::u64_of)
        })?
        .collect()
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for a store on this thread. A store answers by itself, or from threads of its own.
pub(crate) fn at_once<T, E: From<StoreError>>(
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let mut work = pin!(work);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let until = Instant::now() + ANSWER_WITHIN;
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
            return done;
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(StoreError::new("the store does not answer").into());
        }
        std::thread::park_timeout(left);
    }
}
