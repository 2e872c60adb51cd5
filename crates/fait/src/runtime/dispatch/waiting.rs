//! Issued commands that wait in memory to be carried out: a row per target, in it a lane per
//! instance, so that each instance's commands keep their order and no instance holds up another.
//! Pure: time is given, and nothing here is true but the log.

#[cfg(test)]
mod tests;

use super::pace::Pace;
use super::system::Limits;
use crate::runtime::index::OpenCommand;
use fait_core::event::{Position, Time};
use fait_core::process::Target;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use uuid::Uuid;

/// Most commands that wait in memory for one target. Others are found in the database once half
/// of these are done.
pub const MAX_WAITING: usize = 4096;

/// Process and key.
type Key = Arc<(String, String)>;

/// Everything that waits and is under way.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    rows: Vec<Row>,
    names: BTreeMap<Option<String>, usize>,
    lanes: HashMap<(Key, usize), Lane>,
    known: HashSet<Uuid>,
    /// Settled, which the index has not heard of yet.
    settled: HashSet<Uuid>,
    settled_at: BTreeSet<(Position, Uuid)>,
    /// Instances that were parked here, until the index has heard of it.
    parked: HashMap<Key, Position>,
}

/// What waits for one target.
#[derive(Debug)]
pub(super) struct Row {
    at_once: usize,
    /// Whether each takes long.
    pub(super) under_way: HashMap<Uuid, bool>,
    ready: VecDeque<Key>,
    later: BTreeSet<(Time, Key)>,
    waiting: usize,
    /// The database may have more of them.
    more: bool,
    /// Something came while it was looked there.
    missed: bool,
    pub(super) pace: Pace,
}

#[derive(Debug, Default)]
struct Lane {
    queue: VecDeque<OpenCommand>,
    place: Place,
    tries: Tries,
    /// What is under way is not wanted back.
    gone: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Idle,
    Ready,
    Later(Time),
    UnderWay,
}

/// What is remembered of a command that was tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tries {
    pub(super) n: u32,
    pub(super) first: Option<Time>,
    /// Where the last try was recorded, of which is known that nothing came.
    pub(super) recorded: Option<Position>,
}

/// A command that is to be carried out now.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) command: OpenCommand,
    pub(super) tries: Tries,
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Ended {
    /// It is settled or taken back; the log says so up to there.
    Settled(Position),
    /// Its instance waits for a person.
    Parked(Position),
    /// It is tried again.
    Again(Time, Tries, Box<OpenCommand>),
}

impl Waiting {
    /// The row of a target. What the database has of it is looked up first.
    pub(super) fn row(&mut self, target: Option<&str>, limits: Limits, now: Time) -> usize {
        let next = self.rows.len();
        let at = *self.names.entry(target.map(str::to_owned)).or_insert(next);
        if at == next {
            self.rows.push(Row {
                at_once: limits.at_once.max(1),
                under_way: HashMap::new(),
                ready: VecDeque::new(),
                later: BTreeSet::new(),
                waiting: 0,
                more: true,
                missed: false,
                pace: Pace::new(limits, now),
            });
        }
        at
    }

    pub(super) fn known_row(&self, target: &Target) -> Option<usize> {
        self.names
            .get(&name_of(target)?.map(str::to_owned))
            .copied()
    }

    pub(super) fn get(&mut self, row: usize) -> Option<&mut Row> {
        self.rows.get_mut(row)
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = (Option<&str>, &Row)> {
        let named = self.names.iter();
        named.filter_map(|(name, at)| Some((name.as_deref(), self.rows.get(*at)?)))
    }

    /// Takes a command in, unless it is known or there is no room. Says whether something is to
    /// be done.
    pub(super) fn offer(&mut self, row: usize, command: OpenCommand) -> bool {
        let Some(of) = self.rows.get_mut(row) else {
            return false;
        };
        let id = command.open.issued.id;
        if self.known.contains(&id) || self.settled.contains(&id) {
            return false;
        }
        if of.more || of.waiting >= MAX_WAITING {
            (of.more, of.missed) = (true, true);
            return of.waiting <= MAX_WAITING / 2;
        }
        self.put(row, command);
        true
    }

    fn put(&mut self, row: usize, command: OpenCommand) {
        let Some(of) = self.rows.get_mut(row) else {
            return;
        };
        let key = Arc::new((command.process.clone(), command.key.clone()));
        self.known.insert(command.open.issued.id);
        of.waiting += 1;
        let lane = self.lanes.entry((key.clone(), row)).or_default();
        let place = (command.open.position, command.open.ordinal);
        let before = |c: &OpenCommand| (c.open.position, c.open.ordinal) <= place;
        lane.queue
            .insert(lane.queue.partition_point(before), command);
        if lane.place == Place::Idle {
            lane.place = Place::Ready;
            of.ready.push_back(key);
        }
    }

    /// The rows of which the database may have more, and how many are to be read.
    pub(super) fn wants_more(&mut self) -> Vec<(Option<String>, usize, usize)> {
        let mut wants = vec![];
        for (name, at) in &self.names {
            let Some(row) = self.rows.get_mut(*at) else {
                continue;
            };
            if row.more && row.waiting <= MAX_WAITING / 2 {
                row.missed = false;
                wants.push((name.clone(), *at, MAX_WAITING + row.under_way.len()));
            }
        }
        wants
    }

    /// Takes in what the database has, oldest first; `all` when there is nothing behind it.
    pub(super) fn found(&mut self, row: usize, commands: Vec<OpenCommand>, all: bool) {
        for command in commands {
            let id = command.open.issued.id;
            let parked = !self.parked.is_empty()
                && self
                    .parked
                    .contains_key(&(command.process.clone(), command.key.clone()));
            if !parked && !self.known.contains(&id) && !self.settled.contains(&id) {
                self.put(row, command);
            }
        }
        if let Some(of) = self.rows.get_mut(row) {
            of.more = !all || of.missed;
        }
    }

    /// How an instance stands, as the index knows: what is not open any more is forgotten.
    pub(super) fn indexed(&mut self, process: &str, key: &str, open: &HashSet<Uuid>, to: Position) {
        let key = Arc::new((process.to_owned(), key.to_owned()));
        for row in 0..self.rows.len() {
            if let Some(lane) = self.lanes.get_mut(&(key.clone(), row)) {
                lane.gone = open.is_empty();
                self.keep(&key, row, |c| {
                    c.open.position > to || open.contains(&c.open.issued.id)
                });
            }
        }
    }

    /// Forgets what waits in a lane and does not stay.
    fn keep(&mut self, key: &Key, row: usize, stays: impl Fn(&OpenCommand) -> bool) {
        let (Some(lane), Some(of)) = (
            self.lanes.get_mut(&(key.clone(), row)),
            self.rows.get_mut(row),
        ) else {
            return;
        };
        let first_goes = lane.queue.front().is_some_and(|c| !stays(c));
        lane.queue.retain(|c| {
            let stays = stays(c);
            if !stays {
                self.known.remove(&c.open.issued.id);
                of.waiting = of.waiting.saturating_sub(1);
            }
            stays
        });
        if first_goes && lane.place != Place::UnderWay {
            // The next one does not wait for a try of the one before.
            lane.tries = Tries::default();
            if let Place::Later(at) = lane.place {
                of.later.remove(&(at, key.clone()));
                lane.place = Place::Ready;
                of.ready.push_back(key.clone());
            }
        }
        self.tidy(key, row);
    }

    /// Whether an instance's state is older than what was recorded here.
    pub(super) fn is_old(&self, process: &str, key: &str, moved: Position) -> bool {
        let key = (process.to_owned(), key.to_owned());
        !self.parked.is_empty() && self.parked.get(&key).is_some_and(|at| moved < *at)
    }

    /// The index has come so far.
    pub(super) fn indexed_to(&mut self, to: Position) {
        while let Some((at, id)) = self.settled_at.first().copied()
            && at <= to
        {
            self.settled_at.pop_first();
            self.settled.remove(&id);
        }
        self.parked.retain(|_, at| *at > to);
    }

    /// Forgets a lane of which nothing is left.
    fn tidy(&mut self, key: &Key, row: usize) {
        let entry = (key.clone(), row);
        let Some(lane) = self.lanes.get(&entry) else {
            return;
        };
        if !lane.queue.is_empty() || lane.place == Place::UnderWay {
            return;
        }
        if let (Place::Later(at), Some(of)) = (lane.place, self.rows.get_mut(row)) {
            of.later.remove(&(at, key.clone()));
        }
        // A place among those that are ready is found empty when its turn comes.
        self.lanes.remove(&entry);
    }

    /// What may begin now.
    pub(super) fn take(&mut self, now: Time) -> Vec<Begun> {
        let mut begun = vec![];
        for row in 0..self.rows.len() {
            while let Some(one) = self.take_one(row, now) {
                begun.push(one);
            }
        }
        begun
    }

    fn take_one(&mut self, row: usize, now: Time) -> Option<Begun> {
        let of = self.rows.get_mut(row)?;
        while let Some((at, key)) = of.later.first().cloned()
            && at <= now
        {
            of.later.pop_first();
            of.ready.push_back(key.clone());
            if let Some(lane) = self.lanes.get_mut(&(key, row)) {
                lane.place = Place::Ready;
            }
        }
        while of.under_way.len() < of.at_once && of.pace.is_open(now) {
            let key = of.ready.pop_front()?;
            let Some(lane) = self.lanes.get_mut(&(key.clone(), row)) else {
                continue;
            };
            if lane.place != Place::Ready {
                continue;
            }
            let Some(command) = lane.queue.pop_front() else {
                continue;
            };
            if let Err(at) = of.pace.begin(lane.tries.n > 0, now) {
                lane.queue.push_front(command);
                lane.place = Place::Later(at);
                of.later.insert((at, key));
                continue;
            }
            lane.place = Place::UnderWay;
            of.waiting = of.waiting.saturating_sub(1);
            of.under_way.insert(command.open.issued.id, false);
            let tries = lane.tries;
            return Some(Begun { command, tries });
        }
        None
    }

    /// Whether a command is being carried out.
    pub(super) fn is_under_way(&self, command: &OpenCommand) -> bool {
        let row = self.known_row(&command.open.issued.to);
        let row = row.and_then(|row| self.rows.get(row));
        row.is_some_and(|row| row.under_way.contains_key(&command.open.issued.id))
    }

    /// What waits for a time that is over is not carried out any more.
    pub(super) fn expired(&mut self, command: &OpenCommand, at: Position) {
        let id = command.open.issued.id;
        self.known.remove(&id);
        self.settled.insert(id);
        self.settled_at.insert((at, id));
        let key = Arc::new((command.process.clone(), command.key.clone()));
        if let Some(row) = self.known_row(&command.open.issued.to) {
            self.keep(&key, row, |c| c.open.issued.id != id);
        }
    }

    /// A command is not under way any more.
    pub(super) fn finish(
        &mut self,
        row: usize,
        (process, key): (&str, &str),
        id: Uuid,
        end: Ended,
    ) {
        let key = Arc::new((process.to_owned(), key.to_owned()));
        let Some(of) = self.rows.get_mut(row) else {
            return;
        };
        of.under_way.remove(&id);
        let Some(lane) = self.lanes.get_mut(&(key.clone(), row)) else {
            return;
        };
        (lane.place, lane.tries) = (Place::Idle, Tries::default());
        let gone = std::mem::take(&mut lane.gone);
        match end {
            Ended::Again(at, tries, command) if !gone => {
                lane.tries = tries;
                lane.queue.push_front(*command);
                lane.place = Place::Later(at);
                of.waiting += 1;
                of.later.insert((at, key));
                return;
            }
            Ended::Again(..) => {
                self.known.remove(&id);
            }
            Ended::Settled(at) => {
                self.known.remove(&id);
                self.settled.insert(id);
                self.settled_at.insert((at, id));
            }
            Ended::Parked(at) => {
                self.known.remove(&id);
                self.parked.insert(key.clone(), at);
                let (process, key) = (&key.0, &key.1);
                self.indexed(process, key, &HashSet::new(), Position::MAX);
                return;
            }
        }
        if let Some(lane) = self.lanes.get_mut(&(key.clone(), row))
            && !lane.queue.is_empty()
        {
            lane.place = Place::Ready;
            if let Some(of) = self.rows.get_mut(row) {
                of.ready.push_back(key);
            }
        } else {
            self.tidy(&key, row);
        }
    }

    /// When something may begin that waits for its time; none while all places are taken.
    pub(super) fn next(&self) -> Option<Time> {
        self.rows.iter().filter_map(Row::next).min()
    }
}

impl Row {
    fn next(&self) -> Option<Time> {
        if self.under_way.len() >= self.at_once || self.pace.is_probing() {
            return None;
        }
        let later = self.later.first().map(|(at, _)| *at);
        match self.pace.not_before() {
            None => later,
            Some(probe) if !self.ready.is_empty() => Some(probe),
            Some(probe) => later.map(|at| at.max(probe)),
        }
    }

    /// When something is tried next.
    pub(super) fn next_try(&self) -> Option<Time> {
        self.next()
    }

    /// Whether something could begin at once.
    pub(super) fn could_begin(&self, now: Time) -> bool {
        let place = self.under_way.len() < self.at_once && self.pace.is_open(now);
        let due = self.later.first().is_some_and(|(at, _)| *at <= now);
        let more = self.more && self.waiting <= MAX_WAITING / 2;
        more || place && (due || !self.ready.is_empty())
    }
}

/// A target that is carried out by the program: none is this system itself. Not people.
pub(super) fn name_of(target: &Target) -> Option<Option<&str>> {
    match target {
        Target::Here => Some(None),
        Target::System(name) => Some(Some(name)),
        Target::Role(_) => None,
    }
}
