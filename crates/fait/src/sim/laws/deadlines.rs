//! L8: a deadline is reached or cancelled, one of the two and once, or still set.

use super::{Found, Law, broken, facts};
use crate::sim::ending::instances;
use fait_core::event::{Position, StoredEvent, Time};
use fait_core::process::{Action, Awaited, Deadline, Fact, InputRef, Outcome, Step};
use std::collections::BTreeMap;
use std::time::Duration;

/// The deadlines of one instance.
#[derive(Default)]
struct One {
    name: String,
    set: BTreeMap<String, Deadline>,
    awaiting: Vec<Awaited>,
    generations: BTreeMap<String, u32>,
    /// The deadline that it is parked at.
    stumbled: Option<Deadline>,
    until_settled: bool,
    ended: bool,
}

pub(super) fn check(log: &[StoredEvent]) -> Found {
    let mut found = vec![];
    let mut all: BTreeMap<(String, String), One> = BTreeMap::new();
    for (event, fact) in facts(log) {
        let (process, key) = fact.instance();
        let one = all.entry((process.into(), key.into())).or_default();
        one.name = format!("{process}/{key}");
        one.take(
            event.meta.position,
            event.meta.recorded_at,
            &fact,
            &mut found,
        );
    }
    for (name, instance) in instances(log) {
        let Some(one) = all.get(&name) else { continue };
        let live: BTreeMap<String, Deadline> = instance
            .deadlines
            .iter()
            .map(|(name, (deadline, _))| (name.clone(), deadline.clone()))
            .collect();
        // An end that comes of everything being settled is the instance's to see.
        if live != one.set && !instance.ended {
            let why = format!("of {} is set {:?}, expected {:?}", one.name, live, one.set);
            found.push(broken(Law::Deadlines, instance.moved, why));
        }
    }
    found
}

impl One {
    fn take(&mut self, at: Position, now: Time, fact: &Fact, found: &mut Found) {
        match fact {
            Fact::Stepped(step) => self.step(at, now, step, found),
            Fact::Settled(s) if s.outcome == Outcome::Accepted => self.accepted(s.command, now),
            Fact::Settled(s) => self.awaiting.retain(|a| a.command != s.command),
            Fact::Claimed(c) => self.accepted(c.command, now),
            Fact::Parked(p) => {
                self.stumbled = match &p.input {
                    InputRef::Deadline(d) => Some(d.clone()),
                    _ => None,
                };
            }
            Fact::Resumed(r) => {
                if let Some(d) = self.stumbled.take().filter(|_| !r.retry) {
                    self.gone(&d);
                }
            }
            Fact::Operated(o) => {
                for id in &o.withdrawn {
                    self.awaiting.retain(|a| a.command != *id);
                }
                self.put(&o.set);
                let ends = [Action::Cancel, Action::Complete, Action::Compensate];
                if ends.contains(&o.action) {
                    self.clear();
                }
            }
            Fact::Tried(_) | Fact::Withdrawn(_) => {}
        }
    }

    fn step(&mut self, at: Position, now: Time, step: &Step, found: &mut Found) {
        if let InputRef::Deadline(d) = &step.input {
            let name = &self.name;
            let wrong = match self.set.get(&d.name) {
                None => Some(format!("{name} reaches {}, which is not set", d.name)),
                Some(set) if set != d => Some(format!("{name} reaches {d:?}; set is {set:?}")),
                Some(set) if set.due > now => Some(format!("{name} reaches {d:?} too early")),
                Some(_) => None,
            };
            found.extend(wrong.map(|why| broken(Law::Deadlines, at, why)));
            self.gone(d);
        }
        if step.late {
            return;
        }
        for name in &step.cancelled {
            self.set.remove(name);
            self.awaiting.retain(|a| a.name != *name);
        }
        for id in &step.withdrawn {
            self.awaiting.retain(|a| a.command != *id);
        }
        self.put(&step.set);
        for awaited in &step.awaiting {
            self.set.remove(&awaited.name);
            self.awaiting.retain(|a| a.name != awaited.name);
            self.awaiting.push(awaited.clone());
        }
        self.until_settled |= step.until_settled;
        if step.again {
            self.ended = false;
        }
        if step.ended {
            self.clear();
        }
    }

    fn gone(&mut self, deadline: &Deadline) {
        if self.set.get(&deadline.name) == Some(deadline) {
            self.set.remove(&deadline.name);
        }
    }

    fn clear(&mut self) {
        self.ended = true;
        self.set.clear();
        self.awaiting.clear();
    }

    fn put(&mut self, deadlines: &[Deadline]) {
        for d in deadlines {
            self.awaiting.retain(|a| a.name != d.name);
            self.generations.insert(d.name.clone(), d.generation);
            self.set.insert(d.name.clone(), d.clone());
        }
    }

    fn accepted(&mut self, command: uuid::Uuid, now: Time) {
        let (mine, rest) = std::mem::take(&mut self.awaiting)
            .into_iter()
            .partition(|a| a.command == command);
        self.awaiting = rest;
        for Awaited { name, after_ms, .. } in mine {
            let generation = self.generations.entry(name.clone()).or_insert(0);
            *generation += 1;
            let deadline = Deadline {
                name: name.clone(),
                generation: *generation,
                due: now + Duration::from_millis(after_ms),
            };
            self.set.insert(name, deadline);
        }
    }
}
