//! Steps of processes: what each process hears, page by page, and the deadlines that have come.
//!
//! One task reads for each process; the inputs of a page are taken by [`works`](super::works),
//! each instance in the order of positions. How far it came is kept now and then: an input that
//! is offered again was taken before, and nothing comes of it.

use super::backlog::Backlog;
use super::begin::Begun;
use super::flaw::{Flaw, flaw};
use super::index::Due;
use super::lanes::Lanes;
use super::route::{Routing, Waiting};
use super::works::{Input, Works};
use super::{Core, Feed};
use fait_core::event::{Position, StoredEvent};
use fait_core::process::{
    Action, Alias, Fact, Instance, ProcessDef, Unmatched, instance_tag, process_tag, types,
};
use fait_core::query::{Query, QueryItem};
use fait_core::store::{AppendCondition, Range, StoreError};
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// Most commands that one step may issue.
pub const MAX_ISSUED: usize = 40;

/// Inputs read at once.
pub(super) const PAGE: usize = 500;

/// Deadlines taken at once.
const DUE_AT_ONCE: usize = 256;

/// How far a process came is kept at least so often while it hears something.
const KEPT_EVERY: Duration = Duration::from_millis(250);

/// Or after so many events.
const KEPT_AFTER: u64 = 5000;

/// A process or policy with how far it has come.
#[derive(Debug)]
pub(crate) struct Runner {
    pub(crate) def: ProcessDef,
    /// Older definitions, for the instances that began with them.
    pub(crate) also: Vec<ProcessDef>,
    pub(crate) feed: Feed,
    pub(super) lanes: Lanes,
    pub(crate) waiting: Waiting,
    pub(crate) backlog: Backlog,
    /// Steps that were taken here and not read back yet.
    taken_here: Mutex<HashSet<Uuid>>,
    /// How far was kept, and when.
    kept: AtomicU64,
    kept_at: Mutex<Option<Instant>>,
    /// Where it begins.
    begun: Mutex<Begun>,
}

/// One input of one instance.
#[derive(Clone, Copy, Debug)]
pub(super) enum Taken<'a> {
    Event(&'a StoredEvent, Heard),
    Deadline(&'a Due),
}

impl Taken<'_> {
    pub(super) fn heard(&self) -> Heard {
        match self {
            Taken::Event(_, heard) => *heard,
            Taken::Deadline(_) => Heard::fact(),
        }
    }
}

/// What an event may do with the instance that hears it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    /// Begin it.
    pub(super) start: bool,
    /// End it.
    pub(super) ends: bool,
    /// Begin it anew.
    pub(super) again: bool,
    /// It comes late, because it had been held.
    pub(super) held: bool,
    /// What happens when the instance has not begun.
    pub(super) unmatched: Unmatched,
}

impl Heard {
    /// A fact of the instance itself, such as a command that is settled.
    pub(super) fn fact() -> Heard {
        Heard {
            start: false,
            ends: false,
            again: false,
            held: false,
            unmatched: Unmatched::Ignore,
        }
    }

    /// An operator cancelled it, whether it has begun or not.
    fn cancel() -> Heard {
        Heard {
            start: true,
            ..Heard::fact()
        }
    }
}

impl Runner {
    pub(crate) fn new(def: ProcessDef, also: Vec<ProcessDef>) -> Self {
        Runner {
            def,
            also,
            feed: Feed::default(),
            lanes: Lanes::default(),
            waiting: Waiting::default(),
            backlog: Backlog::default(),
            taken_here: Mutex::default(),
            kept: AtomicU64::new(0),
            kept_at: Mutex::new(None),
            begun: Mutex::default(),
        }
    }

    /// Where it begins.
    pub(super) fn begun(&self) -> MutexGuard<'_, Begun> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn aliases(&self) -> impl Iterator<Item = &Alias> {
        self.defs().flat_map(|def| &def.aliases)
    }

    pub(super) fn feed_name(&self) -> String {
        format!("process:{}", self.def.name)
    }

    /// What the process hears, and what others record of its instances. Events that only give
    /// an alias are heard too: something may be waiting for them.
    pub(super) fn query(&self) -> Query {
        // Steps too: another program on the same store may have taken them, and an instance in
        // memory that heard of what came behind such a step would pass for up to date.
        const FACTS: [&str; 7] = [
            types::STEPPED,
            types::SETTLED,
            types::RESUMED,
            types::OPERATED,
            types::PARKED,
            types::CLAIMED,
            types::TRIED,
        ];
        let own = QueryItem::of(&FACTS, vec![process_tag(&self.def.name)]);
        let mut heard = self.types();
        heard.extend(self.aliases().map(|a| a.ty.clone()));
        Query::types(&heard).or(own)
    }

    /// The same, and the steps themselves: another program on the same store may take some.
    fn query_with_steps(&self) -> Query {
        let tag = vec![process_tag(&self.def.name)];
        self.query().or(QueryItem::of(&[types::STEPPED], tag))
    }

    fn taken_here(&self) -> MutexGuard<'_, HashSet<Uuid>> {
        self.taken_here
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a step that its instance in memory has heard of.
    pub(super) fn note_step(&self, step: Uuid) {
        self.taken_here().insert(step);
    }

    /// Forgets the instances in memory; they are read from the log when they are needed.
    pub(crate) fn forget(&self) {
        self.lanes.forget();
    }
}

impl Core {
    pub(crate) fn open_runner(&self, runner: &Runner, begun: Begun) -> Result<(), StoreError> {
        *runner.begun() = begun;
        let at = self.db.feed(&runner.feed_name())?.max(begun.after);
        runner.feed.set(at);
        runner.kept.store(at, Ordering::Relaxed);
        Ok(())
    }

    /// Steps the instances of one process until the system stops.
    pub(crate) async fn run_process(self: Arc<Self>, runner: Arc<Runner>) {
        if !self.adopt_past(&runner).await {
            return;
        }
        let mut pulse = self.pulse.listen();
        let mut offered = false;
        loop {
            let result = tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                result = self.offer_held(&runner), if !offered => result.map(|()| offered = true),
                result = self.store.wait(runner.feed.at()), if offered => match result {
                    Ok(head) => self.drain_and_reach(&runner, head).await,
                    Err(e) => Err(e),
                },
                result = self.next_deadline(&runner, &mut pulse), if offered => match result {
                    Ok(()) => self.reach_deadlines(&runner).await,
                    Err(e) => Err(e),
                },
            };
            if let Err(e) = result {
                tracing::error!(process = runner.def.name, error = %e, "the process waits");
                // Something may have been let go of that was not taken.
                offered = false;
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
        if !offered {
            return;
        }
        if let Err(e) = self.keep(&runner) {
            tracing::warn!(process = runner.def.name, error = %e, "it is heard once more");
        }
    }

    /// Offers what was held when the program stopped: what it waits for may have come just then.
    async fn offer_held(self: &Arc<Self>, runner: &Arc<Runner>) -> Result<(), StoreError> {
        let mut works = Works::default();
        for (waits, held) in self.held_before(runner)? {
            let Some(key) = self.key_waited_for(runner, &waits).await? else {
                runner.waiting.hold(waits, held);
                continue;
            };
            if let Some(event) = self.event_at(held.position).await?
                && let Some(input) = self.released_to(runner, &key, event)
            {
                works.push(&key, input);
            }
        }
        self.take(runner, works).await.map(drop)
    }

    /// Waits until some deadline has come.
    async fn next_deadline(
        &self,
        runner: &Runner,
        pulse: &mut super::Listening,
    ) -> Result<(), StoreError> {
        loop {
            pulse.mark_unchanged();
            match self.db.next_due(Some(&runner.def.name))? {
                Some(due) => tokio::select! {
                    biased;
                    () = self.clock.sleep_until(due) => return Ok(()),
                    _ = pulse.changed() => {}
                },
                None => pulse.changed().await,
            }
        }
    }

    /// Steps on inputs, and on the deadlines that have come meanwhile: under steady load there is
    /// always another input, and deadlines must not wait for a pause.
    async fn drain_and_reach(
        self: &Arc<Self>,
        runner: &Arc<Runner>,
        head: Position,
    ) -> Result<(), StoreError> {
        self.drain(runner, head).await?;
        let due = self.db.next_due(Some(&runner.def.name))?;
        if due.is_some_and(|due| due <= self.clock.now()) {
            self.reach_deadlines(runner).await?;
        }
        Ok(())
    }

    /// Steps on every input up to a position, and on those that are read along with it.
    async fn drain(
        self: &Arc<Self>,
        runner: &Arc<Runner>,
        until: Position,
    ) -> Result<(), StoreError> {
        let query = runner.query_with_steps();
        loop {
            let (at, now) = (runner.feed.at(), self.clock.now());
            let slice = self.store.read(&query, Range::after(at, PAGE)).await?;
            let full = slice.events.len() == PAGE;
            let (last, heard_until) = match slice.events.last() {
                Some(last) if full => (last.meta.position, last.meta.recorded_at),
                _ => (at, now),
            };
            self.take_page(runner, slice.events).await?;
            self.expire_held(runner, heard_until);
            runner.feed.set(if full { last } else { slice.head });
            self.keep_now_and_then(runner)?;
            self.pulse.beat();
            if !full || runner.feed.at() >= until || self.stop.is_cancelled() {
                return Ok(());
            }
        }
    }

    fn keep_now_and_then(&self, runner: &Runner) -> Result<(), StoreError> {
        let kept_at = *runner
            .kept_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let far = runner.feed.at() - runner.kept.load(Ordering::Relaxed) >= KEPT_AFTER;
        let old = kept_at.is_none_or(|at| at.elapsed() >= KEPT_EVERY);
        let more = runner.waiting.has_changed() || runner.backlog.has_changed();
        if far || old || more {
            return self.keep(runner);
        }
        Ok(())
    }

    /// Keeps how far a process came, and what it holds.
    fn keep(&self, runner: &Runner) -> Result<(), StoreError> {
        let (name, at) = (runner.feed_name(), runner.feed.at());
        self.db.write(|tx| {
            runner.waiting.keep(tx, &runner.def.name)?;
            runner.backlog.keep(tx, &runner.def.name)?;
            super::db::set_feed(tx, &name, at)
        })?;
        runner.kept.store(at, Ordering::Relaxed);
        *runner
            .kept_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        Ok(())
    }

    async fn take_page(
        self: &Arc<Self>,
        runner: &Arc<Runner>,
        events: Vec<StoredEvent>,
    ) -> Result<(), StoreError> {
        let mut works = Works::default();
        for event in events {
            if event.ty == types::STEPPED && runner.taken_here().remove(&event.meta.id) {
                continue;
            }
            let event = Arc::new(event);
            match Fact::read(&event) {
                Ok(Some(fact)) => {
                    // Instances in memory hear of all facts of the page before they step.
                    if fact.instance().0 == runner.def.name {
                        runner.lanes.absorb(&fact, &event.meta, &event.tags);
                        works.fact(&fact, &event);
                    }
                }
                Ok(None) => self.route_one(runner, &event, &mut works).await?,
                Err(e) => tracing::error!(error = %e, "a process fact cannot be read"),
            }
        }
        self.take(runner, works).await.map(drop)
    }

    /// Sends an event to the instances that hear it, and with it what waited for it.
    pub(super) async fn route_one(
        &self,
        runner: &Runner,
        event: &Arc<StoredEvent>,
        works: &mut Works,
    ) -> Result<(), StoreError> {
        for (key, held) in self.released_by(runner, event) {
            if let Some(event) = self.event_at(held.position).await?
                && let Some(input) = self.released_to(runner, &key, event)
            {
                works.push(&key, input);
            }
        }
        // Also what only an older definition hears: some instance may go on with that.
        if !runner.defs().any(|def| def.types.contains(&event.ty)) {
            return Ok(());
        }
        match self.route(runner, event).await? {
            Routing::To(all) => {
                for hearing in all {
                    works.push(&hearing.key, Input::Event(event.clone(), hearing.heard));
                }
            }
            Routing::Unreadable(keys, why) => {
                for key in keys {
                    works.push(&key, Input::Bad(event.clone(), why.to_string()));
                }
            }
        }
        Ok(())
    }

    /// Steps on the deadlines that have come, each after everything that was recorded before it:
    /// an answer that is in the log already beats the deadline that waited for it.
    async fn reach_deadlines(self: &Arc<Self>, runner: &Arc<Runner>) -> Result<(), StoreError> {
        loop {
            self.drain(runner, self.store.head().await?).await?;
            let due = self
                .db
                .due(&runner.def.name, self.clock.now(), DUE_AT_ONCE)?;
            if due.is_empty() || self.stop.is_cancelled() {
                return Ok(());
            }
            let mut works = Works::default();
            for d in due {
                works.push(&d.key.clone(), Input::Due(d));
            }
            // Something else came first for some of them: they are offered again behind it.
            self.take(runner, works).await?;
            // The index must see these steps before it is asked again.
            let head = self.store.head().await?;
            self.wait_for_index(head).await;
        }
    }

    async fn wait_for_index(&self, position: Position) {
        let mut pulse = self.pulse.listen();
        while self.index.at() < position && !self.stop.is_cancelled() {
            // The time-out covers a beat between look and wait.
            let _ = tokio::time::timeout(Duration::from_millis(50), pulse.changed()).await;
        }
    }

    /// One event by its position.
    pub(super) async fn event_at(
        &self,
        position: Position,
    ) -> Result<Option<StoredEvent>, StoreError> {
        let after = position.saturating_sub(1);
        let slice = self
            .store
            .read(&Query::all(), Range::after(after, 1))
            .await?;
        let mut events = slice.events.into_iter();
        Ok(events.next().filter(|e| e.meta.position == position))
    }
}

/// The part of an instance's own facts that is input.
pub(super) fn fact_input(fact: &Fact, event: &Arc<StoredEvent>) -> Option<Input> {
    match fact {
        Fact::Settled(_) => Some(Input::Event(event.clone(), Heard::fact())),
        Fact::Operated(o) if o.action == Action::Cancel => {
            Some(Input::Event(event.clone(), Heard::cancel()))
        }
        Fact::Resumed(_) => Some(Input::Backlog(event.meta.position, 0)),
        _ => None,
    }
}

/// Nothing came meanwhile that moved it, and nobody took a task of it, with which a deadline may
/// have begun.
pub(super) fn unmoved(instance: &Instance) -> AppendCondition {
    let tag = instance_tag(&instance.process, &instance.key);
    let kinds = [types::MOVES, &[types::CLAIMED]].concat();
    let mut fail_if_events_match = Query::default();
    if !flaw(Flaw::Unguarded) {
        fail_if_events_match = fail_if_events_match.or(QueryItem::of(&kinds, vec![tag]));
    }
    AppendCondition {
        fail_if_events_match,
        after: instance.moved.max(instance.claimed),
    }
}
