//! L3 and L9: inputs are taken once and in order, and an end is an end.

use super::{Found, Law, broken, facts};
use fait_core::event::{Position, StoredEvent};
use fait_core::process::{Fact, InputRef, Step};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
struct One {
    last: Position,
    held: BTreeSet<Position>,
    ended: bool,
}

pub(super) fn check(log: &[StoredEvent]) -> Found {
    let mut found = vec![];
    let mut all: BTreeMap<(String, String), One> = BTreeMap::new();
    for (event, fact) in facts(log) {
        let (process, key) = fact.instance();
        let one = all.entry((process.into(), key.into())).or_default();
        if let Fact::Stepped(step) = &fact {
            one.step(event.meta.position, step, &mut found);
        }
    }
    found
}

impl One {
    fn step(&mut self, at: Position, step: &Step, found: &mut Found) {
        let name = format!("{}/{}", step.process, step.key);
        if let InputRef::Event { position, .. } = step.input {
            let fresh = match step.held {
                true => self.held.insert(position),
                false => position > self.last,
            };
            if !fresh {
                let why = format!("{name} takes {position} after {}", self.last);
                found.push(broken(Law::Once, at, why));
            }
            if position >= at {
                let why = format!("{name} takes {position}, which comes later");
                found.push(broken(Law::Once, at, why));
            }
            if !step.held {
                self.last = self.last.max(position);
            }
        }
        self.last = self.last.max(step.seen);
        let acts = !(step.issued.is_empty() && step.set.is_empty() && step.awaiting.is_empty());
        if self.ended && !step.again && acts {
            let why = format!("{name} had ended, and does something");
            found.push(broken(Law::EndIsEnd, at, why));
        }
        if step.again {
            self.ended = false;
        }
        self.ended |= step.ended;
    }
}
