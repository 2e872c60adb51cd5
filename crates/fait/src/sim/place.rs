//! Where a simulated system lives: a store, a clock and other systems that outlive its crashes,
//! and a count of everything that lasts.

use super::chance::Chance;
use super::plan::{Plan, Side};
use crate::app::{App, AppBuilder};
use crate::clock::Clock;
use fait_core::event::{Position, Time};
use fait_core::query::Query;
use fait_core::store::{
    Append, AppendError, Appended, BoxFuture, CommandKey, Erase, Erased, Memory, Range, Slice,
    Store, StoreError,
};
use rusqlite::Connection;
use std::fmt;
use std::future::pending;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::watch;
use uuid::Uuid;

/// Numbers the databases in memory that survive a crash: their names belong to the whole program.
static DATABASES: AtomicU64 = AtomicU64::new(0);

/// Most turns that a slow operation leaves to other tasks.
const SLOW_TURNS: u64 = 12;

/// An operation that lasts, or that another system hears of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// In which life of the program, from 1.
    pub life: u64,
    /// Which one in that life, from 1.
    pub number: u64,
    /// What it was, as a text for people.
    pub what: String,
    /// What the world outside knew when it began: how often it heard an answer or another system
    /// did something, and the time.
    pub(super) known: (u64, Time),
    /// Its place among the operations of all systems on this clock.
    pub(super) order: u64,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "life {} operation {}: {}",
            self.life, self.number, self.what
        )
    }
}

/// Where a simulated system lives. Cheap to clone; all clones are the same place.
#[derive(Clone)]
pub struct Place(pub(super) Arc<Inside>);

pub(super) struct Inside {
    pub(super) store: Arc<Memory>,
    pub(super) clock: Clock,
    plan: Plan,
    now: Mutex<Now>,
    /// Counts the crashes; wakes whoever waits for an answer that will not come.
    crashes: watch::Sender<u64>,
    /// The running system; none between a crash and the next start.
    running: watch::Sender<Option<Running>>,
    /// Counts the operations of all systems on this clock.
    order: Arc<AtomicU64>,
}

/// A system that runs, and the machine on which it does.
#[derive(Clone)]
pub(super) struct Running {
    pub(super) app: App,
    pub(super) machine: Handle,
}

struct Now {
    life: u64,
    done: u64,
    /// Operations over all lives.
    ever: u64,
    heard: u64,
    down: bool,
    /// Nothing yields or fails while a system starts: it asks the store without waiting.
    up: bool,
    chance: Chance,
    trail: Vec<Operation>,
    appends: Vec<Append>,
    database: Option<(String, Connection)>,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place")
            .field("plan", &self.0.plan)
            .finish_non_exhaustive()
    }
}

/// What a fault does to one operation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Before,
    After,
}

impl Place {
    /// An empty place where this will go wrong.
    pub fn new(plan: Plan) -> Place {
        Place::on(Memory::default(), Clock::by_hand(), plan)
    }

    pub(super) fn on(store: Memory, clock: Clock, plan: Plan) -> Place {
        Place::beside(store, clock, plan, Arc::default())
    }

    /// Two places on one clock, as different as their plans.
    pub(super) fn two([first, second]: [Plan; 2]) -> [Place; 2] {
        let (clock, order) = (Clock::by_hand(), Arc::<AtomicU64>::default());
        [first, second]
            .map(|plan| Place::beside(Memory::default(), clock.clone(), plan, order.clone()))
    }

    fn beside(store: Memory, clock: Clock, plan: Plan, order: Arc<AtomicU64>) -> Place {
        let now = Now {
            life: 0,
            done: 0,
            ever: 0,
            heard: 0,
            down: false,
            up: false,
            chance: Chance::of(plan.seed),
            trail: vec![],
            appends: vec![],
            database: None,
        };
        Place(Arc::new(Inside {
            store: Arc::new(store),
            clock,
            plan,
            now: Mutex::new(now),
            crashes: watch::Sender::new(0),
            running: watch::Sender::new(None),
            order,
        }))
    }

    /// A system to be wired here: on the store of this place, with its clock.
    pub fn app(&self) -> AppBuilder {
        // Threads would end in another order each time.
        let app = App::on(self.clone())
            .clock(self.0.clock.clone())
            .view_threads(1);
        match self.database() {
            Some(name) => app.views_in(name),
            None => app,
        }
    }

    /// The clock: moved by hand, and not set back by a crash.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// What goes wrong here.
    pub fn plan(&self) -> &Plan {
        &self.0.plan
    }

    /// Every operation so far.
    pub fn trail(&self) -> Vec<Operation> {
        self.now().trail.clone()
    }

    /// How many operations there were so far.
    pub(super) fn operations(&self) -> u64 {
        self.now().ever
    }

    /// Every append that took effect, in order.
    pub fn appends(&self) -> Vec<Append> {
        self.now().appends.clone()
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.0.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The name of the database that survives, kept by one connection of the place's own.
    fn database(&self) -> Option<String> {
        if !self.0.plan.database_survives {
            return None;
        }
        let mut now = self.now();
        if now.database.is_none() {
            let n = DATABASES.fetch_add(1, Ordering::Relaxed);
            let name = format!("file:fait-sim-{n}?mode=memory&cache=shared");
            let kept = Connection::open(&name).ok()?;
            now.database = Some((name, kept));
        }
        now.database.as_ref().map(|(name, _)| name.clone())
    }

    /// Begins the next life of the system.
    pub(super) fn rise(&self) {
        let mut now = self.now();
        now.life += 1;
        now.done = 0;
        now.down = false;
        now.up = false;
    }

    /// The system has started.
    pub(super) fn started(&self, app: App) {
        self.now().up = true;
        let machine = Handle::current();
        self.0.running.send_replace(Some(Running { app, machine }));
    }

    /// The system, when it runs now.
    pub(super) fn runs(&self) -> Option<Running> {
        self.0.running.borrow().clone()
    }

    /// Whether the system has stopped at an operation of the plan.
    pub(super) fn is_down(&self) -> bool {
        self.now().down
    }

    pub(super) fn crash_count(&self) -> u64 {
        *self.0.crashes.borrow()
    }

    /// Resolves once there were more crashes than this.
    pub(super) async fn crashed_after(&self, count: u64) {
        let mut crashes = self.0.crashes.subscribe();
        // The sender lives in `self`.
        let _ = crashes.wait_for(|n| *n > count).await;
    }

    /// The running system, as soon as there is one.
    pub(super) async fn running(&self) -> Running {
        let mut running = self.0.running.subscribe();
        loop {
            let runs = running.borrow_and_update().clone();
            if let Some(runs) = runs {
                return runs;
            }
            let _ = running.changed().await;
        }
    }

    /// Lets go of the system, so that nothing of it is left.
    pub(super) fn let_go(&self) {
        self.now().up = false;
        self.0.running.send_replace(None);
    }

    /// The world outside heard an answer.
    pub(super) fn heard(&self) {
        self.now().heard += 1;
    }

    /// Whether chance says so, for a fault of one in `n`.
    pub(super) fn happens(&self, n: u64) -> bool {
        n > 0 && self.now().chance.one_in(n)
    }

    /// A number from 0 to `n` - 1 by chance.
    pub(super) fn below(&self, n: u64) -> u64 {
        self.now().chance.below(n)
    }

    pub(super) fn shuffle<T>(&self, things: &mut [T]) {
        self.now().chance.shuffle(things);
    }

    fn stop_here(&self) {
        self.now().down = true;
        self.0.running.send_replace(None);
        self.0.crashes.send_modify(|n| *n += 1);
    }

    /// Nothing happens any more once the system has stopped.
    pub(super) async fn alive(&self) {
        let gone = {
            let now = self.now();
            now.down && now.up
        };
        if gone {
            pending::<()>().await;
        }
    }

    /// Leaves some turns to other tasks, when the plan says that this takes long.
    async fn dawdle(&self) {
        let turns = {
            let mut now = self.now();
            let slow = now.up && now.chance.one_in(self.0.plan.faults.slow);
            if slow {
                now.chance.below(SLOW_TURNS)
            } else {
                0
            }
        };
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        self.alive().await;
    }

    /// Counts an operation; says whether the system stops there, and on which side.
    fn begin(&self, what: String) -> Option<Side> {
        let mut now = self.now();
        now.done += 1;
        now.ever += 1;
        let order = self.0.order.fetch_add(1, Ordering::Relaxed) + 1;
        let others = order - now.ever;
        let operation = Operation {
            life: now.life,
            number: now.done,
            what,
            known: (now.heard + others, self.0.clock.now()),
            order,
        };
        now.trail.push(operation);
        let life = usize::try_from(now.life).unwrap_or(usize::MAX);
        let crash = self.0.plan.crashes.get(life.saturating_sub(1))?;
        (crash.at == now.done).then_some(crash.side)
    }

    /// Does something that lasts, unless the system stops before; nobody hears of it when the
    /// system stops after.
    pub(super) async fn operation<T, E>(
        &self,
        what: String,
        one_in: u64,
        failed: impl Fn() -> E,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        if self.broke_off() {
            return Err(failed());
        }
        self.dawdle().await;
        let crash = self.begin(what);
        if crash == Some(Side::Before) {
            self.stop_here();
            return self.silence(failed()).await;
        }
        let fault = self.fault(one_in);
        if fault == Fault::Before {
            return Err(failed());
        }
        let done = work.await;
        if crash == Some(Side::After) {
            self.stop_here();
            return self.silence(failed()).await;
        }
        if fault == Fault::After && done.is_ok() {
            return Err(failed());
        }
        done
    }

    /// A system that starts waits for the store on its thread, which must go on: it hears an error.
    fn broke_off(&self) -> bool {
        let now = self.now();
        now.down && !now.up
    }

    /// No answer, or for a system that starts an error.
    async fn silence<T, E>(&self, error: E) -> Result<T, E> {
        if self.broke_off() {
            return Err(error);
        }
        pending().await
    }

    fn fault(&self, one_in: u64) -> Fault {
        let mut now = self.now();
        if !now.up || !now.chance.one_in(one_in) {
            return Fault::None;
        }
        match now.chance.one_in(2) {
            true => Fault::Before,
            false => Fault::After,
        }
    }
}

fn named(append: &Append) -> String {
    let names: Vec<&str> = append.events.iter().map(|e| e.ty.as_str()).collect();
    format!("append {}", names.join(" + "))
}

fn failed() -> StoreError {
    StoreError::new("the simulated store failed; whether it took effect is not known")
}

impl Store for Place {
    fn id(&self) -> Uuid {
        self.0.store.id()
    }

    fn append(&self, append: Append) -> BoxFuture<'_, Result<Appended, AppendError>> {
        Box::pin(async move {
            let one_in = self.0.plan.faults.store;
            let work = async {
                let kept = append.clone();
                let done = self.0.store.append(append.clone()).await;
                if done.as_ref().is_ok_and(|done| !done.repeated) {
                    self.now().appends.push(kept);
                }
                done
            };
            self.operation(named(&append), one_in, || failed().into(), work)
                .await
        })
    }

    fn read<'a>(
        &'a self,
        query: &'a Query,
        range: Range,
    ) -> BoxFuture<'a, Result<Slice, StoreError>> {
        Box::pin(async move {
            self.alive().await;
            self.dawdle().await;
            self.0.store.read(query, range).await
        })
    }

    fn command(
        &self,
        id: Uuid,
    ) -> BoxFuture<'_, Result<Option<(CommandKey, Appended)>, StoreError>> {
        Box::pin(async move {
            self.alive().await;
            self.0.store.command(id).await
        })
    }

    fn event(&self, id: Uuid) -> BoxFuture<'_, Result<Option<Position>, StoreError>> {
        self.0.store.event(id)
    }

    fn head(&self) -> BoxFuture<'_, Result<Position, StoreError>> {
        Box::pin(async move {
            self.alive().await;
            self.0.store.head().await
        })
    }

    fn wait(&self, after: Position) -> BoxFuture<'_, Result<Position, StoreError>> {
        Box::pin(async move {
            self.alive().await;
            let head = self.0.store.wait(after).await?;
            self.alive().await;
            Ok(head)
        })
    }

    fn last<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Position, StoreError>> {
        Box::pin(async move {
            self.alive().await;
            self.0.store.last(query).await
        })
    }

    fn erase(&self, erase: Erase) -> BoxFuture<'_, Result<Erased, AppendError>> {
        Box::pin(async move {
            let one_in = self.0.plan.faults.store;
            let what = format!("erase {}", erase.tag);
            let work = self.0.store.erase(erase);
            self.operation(what, one_in, || failed().into(), work).await
        })
    }
}
