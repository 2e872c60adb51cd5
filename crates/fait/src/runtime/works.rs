//! Taking inputs: many instances at once, each in order. Steps of different instances that are
//! ready together become durable together; each of them under its own condition.

use super::backlog::Part;
use super::compose::Prepared;
#[cfg(feature = "sim")]
use super::flaw::{Flaw, flaw};
use super::index::{Due, OpenCommand};
use super::lanes::{Known, partition};
use super::route::{Held, Routing};
use super::step::{Heard, PAGE, Runner, Taken, fact_input, unmoved};
use super::{Core, count_appended};
use fait_core::event::{Meta, Position, StoredEvent, Tag};
use fait_core::process::{Class, Fact, Instance, Status, Unmatched};
use fait_core::query::{Query, QueryItem};
use fait_core::store::{Append, AppendCondition, AppendError, StoreError};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Most steps that are appended together. A deadline has two conditions, and an append takes 64.
const TOGETHER: usize = 32;

/// And most bytes of their events.
const TOGETHER_BYTES: usize = 1 << 20;

/// Fewer inputs than this are taken by one task.
const WORTH_SHARING: usize = 64;

/// One input of one instance.
#[derive(Clone, Debug)]
pub(super) enum Input {
    /// It hears of something.
    Event(Arc<StoredEvent>, Heard),
    /// It was meant, and this program cannot read the event.
    Bad(Arc<StoredEvent>, String),
    /// A deadline has come.
    Due(Due),
    /// What waited before this position, while it was parked, comes first; the second is where
    /// the part before ended.
    Backlog(Position, Position),
}

/// What one instance has to take.
#[derive(Debug)]
pub(super) struct Work {
    key: String,
    inputs: VecDeque<Input>,
    known: Option<Known>,
    /// A step of it was refused for its form: its steps are appended alone.
    alone: bool,
}

/// What many instances have to take, in the order of their first inputs.
#[derive(Debug, Default)]
pub(super) struct Works {
    all: Vec<Work>,
    by_key: HashMap<String, usize>,
}

impl Works {
    pub(super) fn push(&mut self, key: &str, input: Input) {
        let n = match self.by_key.get(key) {
            Some(n) => *n,
            None => {
                self.by_key.insert(key.into(), self.all.len());
                self.all.push(Work {
                    key: key.into(),
                    inputs: VecDeque::new(),
                    known: None,
                    alone: false,
                });
                self.all.len() - 1
            }
        };
        self.all[n].inputs.push_back(input);
    }

    /// A fact of an instance, where that is input.
    pub(super) fn fact(&mut self, fact: &Fact, event: &Arc<StoredEvent>) {
        if let Some(input) = fact_input(fact, event) {
            self.push(fact.instance().1, input);
        }
    }

    fn len(&self) -> usize {
        self.all.iter().map(|w| w.inputs.len()).sum()
    }

    /// The same work in so many parts, whole partitions in each.
    fn shared_out(self, parts: usize) -> Vec<Vec<Work>> {
        let mut shared: Vec<Vec<Work>> = (0..parts).map(|_| vec![]).collect();
        for work in self.all {
            let n = partition(&work.key) % parts;
            shared[n].push(work);
        }
        shared
    }
}

/// What one input came to, before anything is appended.
enum Next {
    Nothing,
    Step(Box<Prepared>),
}

/// A step that is ready, with the place of its conditions.
struct Ready {
    work: usize,
    prepared: Box<Prepared>,
    conditions: std::ops::Range<usize>,
}

impl Core {
    /// Takes inputs. Says whether all were taken; a deadline is not when something else came
    /// first.
    pub(super) async fn take(
        self: &Arc<Self>,
        runner: &Arc<Runner>,
        works: Works,
    ) -> Result<bool, StoreError> {
        let parts = match works.len() {
            0 => return Ok(true),
            n if n < WORTH_SHARING => 1,
            _ => std::thread::available_parallelism().map_or(1, |n| n.get().min(8)),
        };
        if parts == 1 || self.clock.is_by_hand() {
            return self.take_part(runner, works.all).await;
        }
        let mut tasks = tokio::task::JoinSet::new();
        for part in works.shared_out(parts) {
            let (core, runner) = (self.clone(), runner.clone());
            tasks.spawn(async move { core.take_part(&runner, part).await });
        }
        let mut all = true;
        while let Some(done) = tasks.join_next().await {
            let done = done.map_err(|e| StoreError::new(format_args!("a task broke off: {e}")))?;
            all &= done?;
        }
        Ok(all)
    }

    async fn take_part(&self, runner: &Runner, mut works: Vec<Work>) -> Result<bool, StoreError> {
        let taken = self.take_works(runner, &mut works).await;
        // After an error nobody knows what was appended: what was in hand is read again.
        for known in works.into_iter().filter_map(|w| w.known) {
            if taken.is_ok() {
                runner.lanes.put(known);
            }
        }
        taken
    }

    async fn take_works(&self, runner: &Runner, works: &mut [Work]) -> Result<bool, StoreError> {
        let mut all = true;
        let mut from = 0;
        loop {
            let mut ready: Vec<(usize, Box<Prepared>)> = vec![];
            let mut bytes = 0;
            let mut turn = 0;
            while turn < works.len() && ready.len() < TOGETHER && bytes < TOGETHER_BYTES {
                let n = (from + turn) % works.len();
                turn += 1;
                if works[n].alone && !ready.is_empty() {
                    continue;
                }
                if let Some(prepared) = self.next_step(runner, &mut works[n]).await? {
                    bytes += prepared.events.iter().map(|e| e.data.len()).sum::<usize>();
                    ready.push((n, prepared));
                    if works[n].alone {
                        break;
                    }
                }
            }
            if ready.is_empty() {
                return Ok(all);
            }
            from = (from + turn) % works.len();
            all &= self.append_steps(runner, works, ready).await?;
        }
    }

    /// The next input of an instance of which something comes. Those before are taken with that.
    async fn next_step(
        &self,
        runner: &Runner,
        work: &mut Work,
    ) -> Result<Option<Box<Prepared>>, StoreError> {
        while let Some(input) = work.inputs.front().cloned() {
            let mut known = match work.known.take() {
                Some(known) => known,
                None => self.known(runner, &work.key).await?,
            };
            let next = match &input {
                Input::Backlog(until, cursor) => {
                    work.inputs.pop_front();
                    // Parked again in the middle of it, the rest goes on waiting.
                    if !matches!(known.instance.status, Status::Parked { .. }) {
                        let place = (*until, *cursor);
                        self.backlog(runner, work, &mut known, place).await?;
                    }
                    work.known = Some(known);
                    continue;
                }
                Input::Event(event, _) | Input::Bad(event, _)
                    if waits_behind(&known, event.meta.position) =>
                {
                    let first = known.instance.resumed.min(event.meta.position);
                    work.inputs.push_front(Input::Backlog(first, 0));
                    work.known = Some(known);
                    continue;
                }
                Input::Event(..)
                    if known.instance.has_begun() && runner.waiting.holds(&work.key) =>
                {
                    // Another program began it: what was held here comes first here too.
                    let began = self.event_at(known.instance.began).await?;
                    let at = began.map_or(known.instance.started_at, |e| e.meta.recorded_at);
                    let (process, waiting) = (&runner.def.name, &runner.waiting);
                    let released = waiting.release_key(process, &work.key, at);
                    work.known = Some(known);
                    self.put_first(runner, work, released).await?;
                    continue;
                }
                Input::Event(event, heard) => self.hear(runner, &mut known, event, *heard).await?,
                Input::Bad(event, why) => self.bad(runner, &mut known, event, why),
                Input::Due(due) => self.due(runner, &mut known, due).await?,
            };
            work.known = Some(known);
            match next {
                Next::Step(prepared) => return Ok(Some(prepared)),
                Next::Nothing => drop(work.inputs.pop_front()),
            }
        }
        Ok(None)
    }

    async fn known(&self, runner: &Runner, key: &str) -> Result<Known, StoreError> {
        match runner.lanes.take(key) {
            Some(known) => Ok(known),
            None => Ok(Known::new(self.instance(&runner.def.name, key).await?)),
        }
    }

    /// Whether an event came before the one that its instance began with, and was to be held.
    async fn came_too_early(
        &self,
        instance: &Instance,
        event: &StoredEvent,
        heard: Heard,
    ) -> Result<bool, StoreError> {
        let Unmatched::Hold(time) = heard.unmatched else {
            return Ok(false);
        };
        let first = instance.has_begun() && instance.again == 0;
        if !first || event.meta.position >= instance.began {
            return Ok(false);
        }
        let until = event.meta.recorded_at + time;
        let begun = self.event_at(instance.began).await?;
        Ok(begun.is_some_and(|begun| begun.meta.recorded_at <= until))
    }

    async fn hear(
        &self,
        runner: &Runner,
        known: &mut Known,
        event: &Arc<StoredEvent>,
        mut heard: Heard,
    ) -> Result<Next, StoreError> {
        let position = event.meta.position;
        heard = match runner.hears(&known.instance, event, heard) {
            Ok(Some(heard)) => heard,
            Ok(None) => return Ok(Next::Nothing),
            Err(why) => return Ok(self.bad(runner, known, event, &why.to_string())),
        };
        let instance = &known.instance;
        let running = instance.status == Status::Running && instance.cancelled.is_none();
        if running && !instance.has_begun() && !heard.start {
            if heard.unmatched == Unmatched::Park {
                let why = format!("`{}` came, and nothing has begun for it", event.ty);
                let taken = Taken::Event(event, heard);
                let input = super::compose::event_ref(event);
                let parked = self.parked(instance, taken, input, (Class::Unmatched, why));
                return Ok(Next::Step(Box::new(parked)));
            }
            let rule = (known.instance.key.as_str(), heard.unmatched);
            self.unmatched_key(runner, event, rule);
            return Ok(Next::Nothing);
        }
        heard.held |= self.came_too_early(instance, event, heard).await?;
        if let Status::Parked { .. } = instance.status {
            if !instance.has_taken(position, heard.held) {
                runner.backlog.add(&instance.key, position, heard.held);
            }
            return Ok(Next::Nothing);
        }
        let prepared = self.prepare(runner, instance, Taken::Event(event, heard));
        if !heard.held {
            known.offered = known.offered.max(position);
        }
        Ok(prepared.map_or(Next::Nothing, |p| Next::Step(Box::new(p))))
    }

    fn bad(&self, runner: &Runner, known: &mut Known, event: &Arc<StoredEvent>, why: &str) -> Next {
        let (instance, position) = (&known.instance, event.meta.position);
        if let Status::Parked { .. } = instance.status
            && !instance.has_taken(position, false)
        {
            runner.backlog.add(&instance.key, position, false);
        }
        if instance.status != Status::Running || instance.has_taken(position, false) {
            return Next::Nothing;
        }
        let (taken, input) = (
            Taken::Event(event, Heard::fact()),
            super::compose::event_ref(event),
        );
        let parked = self.parked(instance, taken, input, (Class::Defect, why.into()));
        Next::Step(Box::new(parked))
    }

    /// A deadline, unless something came that is not taken yet.
    async fn due(&self, runner: &Runner, known: &mut Known, due: &Due) -> Result<Next, StoreError> {
        if !is_set(&known.instance, due) {
            // The index may have heard of what another program did before it was heard here.
            *known = Known::new(self.instance(&runner.def.name, &due.key).await?);
        }
        let instance = &known.instance;
        if instance.moved > runner.feed.at() && self.store.head().await? > runner.feed.at() {
            return Ok(Next::Nothing);
        }
        if !is_set(instance, due) {
            // The index knows of an instance that was erased, or is about to learn better.
            self.db.drop_deadline(&runner.def.name, due)?;
        }
        let prepared = self.prepare(runner, instance, Taken::Deadline(due));
        Ok(prepared.map_or(Next::Nothing, |p| Next::Step(Box::new(p))))
    }

    /// Puts first what waited of an instance before a position.
    async fn backlog(
        &self,
        runner: &Runner,
        work: &mut Work,
        known: &mut Known,
        (until, cursor): (Position, Position),
    ) -> Result<(), StoreError> {
        let part = Part {
            offered: known.offered,
            cursor,
            until,
            limit: PAGE,
        };
        let waits = self.backlog_part(runner, &work.key, part)?;
        let mut inputs = vec![];
        for one in &waits {
            let Some(event) = self.event_at(one.position).await? else {
                continue;
            };
            inputs.extend(match one.held {
                true => self.released_to(runner, &work.key, event),
                false => self.inputs_of(runner, &work.key, &Arc::new(event)).await?,
            });
        }
        match waits.last() {
            // There may be more: what comes of these is taken before.
            Some(last) if waits.len() == PAGE => {
                inputs.push(Input::Backlog(until, last.position));
            }
            _ => {
                known.offered = known.offered.max(until.saturating_sub(1));
                runner.backlog.taken(&work.key, until);
            }
        }
        for input in inputs.into_iter().rev() {
            work.inputs.push_front(input);
        }
        Ok(())
    }

    /// What an event is to one instance.
    async fn inputs_of(
        &self,
        runner: &Runner,
        key: &str,
        event: &Arc<StoredEvent>,
    ) -> Result<Option<Input>, StoreError> {
        match Fact::read(event) {
            Ok(Some(fact)) => {
                let mine = fact.instance() == (runner.def.name.as_str(), key);
                let input = mine.then(|| fact_input(&fact, event)).flatten();
                return Ok(input.filter(|i| !matches!(i, Input::Backlog(..))));
            }
            Err(_) => return Ok(None),
            Ok(None) => {}
        }
        Ok(match self.route(runner, event).await? {
            Routing::To(all) => all
                .into_iter()
                .find(|h| h.key == key)
                .map(|h| Input::Event(event.clone(), h.heard)),
            Routing::Unreadable(keys, why) => keys
                .iter()
                .any(|k| k == key)
                .then(|| Input::Bad(event.clone(), why.to_string())),
        })
    }

    /// Appends steps together. Says whether all of them stand; after a conflict, the instance
    /// that moved is read again and its input is offered again.
    async fn append_steps(
        &self,
        runner: &Runner,
        works: &mut [Work],
        steps: Vec<(usize, Box<Prepared>)>,
    ) -> Result<bool, StoreError> {
        let mut conditions = vec![];
        let mut ready: Vec<Ready> = vec![];
        #[cfg_attr(not(feature = "sim"), expect(unused_mut, reason = "for a planted bug"))]
        for (work, mut prepared) in steps {
            #[cfg(feature = "sim")]
            if flaw(Flaw::SentFirst) {
                self.send_first(&mut prepared).await;
            }
            let from = conditions.len();
            conditions.extend(conditions_of(runner, &works[work]));
            ready.push(Ready {
                work,
                prepared,
                conditions: from..conditions.len(),
            });
        }
        let append = Append {
            events: ready
                .iter()
                .flat_map(|r| r.prepared.events.clone())
                .collect(),
            conditions,
            command: None,
            recorded_at: self.clock.now(),
        };
        let count = append.events.len();
        match self.store.append(append).await {
            Ok(done) => {
                count_appended(count);
                self.appended(runner, works, ready, done).await?;
                Ok(true)
            }
            Err(AppendError::Conflict { condition, .. }) => {
                let moved = ready.iter().find(|r| r.conditions.contains(&condition));
                let Some(moved) = moved else { return Ok(true) };
                let work = &mut works[moved.work];
                let heard_first = condition > moved.conditions.start;
                let due = matches!(work.inputs.front(), Some(Input::Due(_)));
                work.known = None;
                if due {
                    // What came first is taken first; then the deadline is offered again.
                    work.inputs.pop_front();
                }
                Ok(!due && !heard_first)
            }
            Err(AppendError::Store(e)) => Err(e),
            Err(other) => {
                self.refused(runner, works, &ready, other).await?;
                Ok(true)
            }
        }
    }

    /// Steps stand in the log: their instances hear of it, and what they issued is begun.
    async fn appended(
        &self,
        runner: &Runner,
        works: &mut [Work],
        ready: Vec<Ready>,
        done: fait_core::store::Appended,
    ) -> Result<(), StoreError> {
        let mut position = done.first;
        for Ready { work, prepared, .. } in ready {
            let work = &mut works[work];
            let Some(known) = &mut work.known else {
                continue;
            };
            let event = &prepared.events[0];
            let meta = Meta {
                position,
                id: event.id,
                recorded_at: done.recorded_at,
                origin: event.origin.clone(),
            };
            position += prepared.events.len() as Position;
            let before = known.instance.has_begun();
            known.absorb(&prepared.fact, &meta, &event.tags);
            let input = work.inputs.pop_front();
            let at = match &input {
                Some(Input::Event(event, _)) => event.meta.recorded_at,
                _ => done.recorded_at,
            };
            if let (Fact::Parked(_), Some(Input::Event(event, _) | Input::Bad(event, _))) =
                (&prepared.fact, &input)
            {
                let position = event.meta.position;
                let held = matches!(&input, Some(Input::Event(_, heard)) if heard.held);
                let held = held || position <= known.instance.last_input;
                runner.backlog.add(&work.key, position, held);
            }
            if let Fact::Stepped(step) = &prepared.fact {
                runner.note_step(event.id);
                known.stepped(event.data.len());
                // It is begun without waiting for the index.
                let instance = &known.instance;
                let open = step.issued.iter().filter_map(|i| instance.open.get(&i.id));
                let commands = open.map(|o| OpenCommand::of(instance, o)).collect();
                self.dispatch.issued(commands);
            }
            if !before && known.instance.has_begun() {
                let (process, waiting) = (&runner.def.name, &runner.waiting);
                let released = waiting.release_key(process, &work.key, at);
                self.put_first(runner, work, released).await?;
            }
        }
        Ok(())
    }

    /// What was held for an instance is heard before everything else.
    async fn put_first(
        &self,
        runner: &Runner,
        work: &mut Work,
        released: Vec<Held>,
    ) -> Result<(), StoreError> {
        for held in released.into_iter().rev() {
            if let Some(event) = self.event_at(held.position).await?
                && let Some(input) = self.released_to(runner, &work.key, event)
            {
                work.inputs.push_front(input);
            }
        }
        Ok(())
    }

    /// Steps break a limit of the store: the one to blame is found, and a person must look at it.
    async fn refused(
        &self,
        runner: &Runner,
        works: &mut [Work],
        ready: &[Ready],
        error: AppendError,
    ) -> Result<(), StoreError> {
        let [one] = ready else {
            for r in ready {
                works[r.work].alone = true;
            }
            return Ok(());
        };
        let work = &mut works[one.work];
        let input = work.inputs.pop_front();
        let Some(known) = &work.known else {
            return Ok(());
        };
        let parked = match (&one.prepared.fact, &input) {
            (Fact::Stepped(step), Some(Input::Event(event, heard))) => {
                let taken = Taken::Event(event, *heard);
                let trouble = (Class::Limit, error.to_string());
                self.parked(&known.instance, taken, step.input.clone(), trouble)
            }
            (Fact::Stepped(step), Some(Input::Due(due))) => {
                let taken = Taken::Deadline(due);
                let trouble = (Class::Limit, error.to_string());
                self.parked(&known.instance, taken, step.input.clone(), trouble)
            }
            _ => {
                // One instance must not hold up all others.
                let (process, key) = (&runner.def.name, &work.key);
                tracing::error!(process, key, %error, "it cannot be parked");
                return Ok(());
            }
        };
        let append = Append {
            events: parked.events,
            conditions: vec![unmoved(&known.instance)],
            command: None,
            recorded_at: self.clock.now(),
        };
        work.known = None;
        if let Some(Input::Event(event, heard)) = &input {
            runner
                .backlog
                .add(&work.key, event.meta.position, heard.held);
        }
        match self.store.append(append).await {
            Ok(_) | Err(AppendError::Conflict { .. }) => Ok(()),
            Err(AppendError::Store(e)) => Err(e),
            Err(error) => {
                let (process, key) = (&runner.def.name, &work.key);
                tracing::error!(process, key, %error, "it cannot be parked");
                Ok(())
            }
        }
    }
}

/// Whether this deadline of an instance is set.
fn is_set(instance: &Instance, due: &Due) -> bool {
    let set = instance.deadlines.get(&due.name);
    set.is_some_and(|(deadline, _)| deadline.due == due.due)
}

/// Whether an instance that was parked must hear something else before what stands here.
fn waits_behind(known: &Known, position: Position) -> bool {
    let instance = &known.instance;
    let goes_on = instance.status == Status::Running && instance.cancelled.is_none();
    // Between what was offered and where it was let go on, or this, there may be something.
    goes_on && instance.resumed > known.offered + 1 && position > known.offered + 1
}

/// Its instance has not moved; and before a deadline, nothing is in the log that it hears.
fn conditions_of(runner: &Runner, work: &Work) -> Vec<AppendCondition> {
    let Some(known) = &work.known else {
        return vec![];
    };
    let mut conditions = vec![unmoved(&known.instance)];
    if let Some(Input::Due(_)) = work.inputs.front() {
        let about = vec![Tag::new(&runner.def.key_kind, &work.key)];
        let heard = QueryItem::of(&runner.types(), about);
        conditions.push(AppendCondition {
            fail_if_events_match: Query::default().or(heard),
            after: runner.feed.at(),
        });
    }
    conditions
}
