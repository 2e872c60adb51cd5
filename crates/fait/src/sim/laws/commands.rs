//! L7: whatever was issued is settled once, or taken back, or open for a reason; and what it
//! raised stands in one piece with its receipt.

use super::{Found, Law, broken, facts};
use crate::sim::ending::instances;
use fait_core::event::{Position, StoredEvent};
use fait_core::process::{Fact, Issued, Status, Target};
use std::collections::BTreeMap;
use uuid::Uuid;

struct Command {
    issued: Issued,
    instance: (String, String),
    at: Position,
    closed: Option<(&'static str, Position)>,
}

pub(super) fn check(log: &[StoredEvent]) -> Found {
    let mut found = vec![];
    let mut all: BTreeMap<Uuid, Command> = BTreeMap::new();
    for (event, fact) in facts(log) {
        let at = event.meta.position;
        let (process, key) = fact.instance();
        let instance = (process.to_string(), key.to_string());
        let (issued, withdrawn): (&[Issued], &[Uuid]) = match &fact {
            Fact::Stepped(s) => (&s.issued, &s.withdrawn),
            Fact::Operated(o) => (&o.issued, &o.withdrawn),
            Fact::Settled(s) => {
                close(&mut all, s.command, "settled", at, &mut found);
                continue;
            }
            _ => continue,
        };
        for id in withdrawn {
            close(&mut all, *id, "taken back", at, &mut found);
        }
        for issued in issued {
            let command = Command {
                issued: issued.clone(),
                instance: instance.clone(),
                at,
                closed: None,
            };
            if let Some(first) = all.insert(issued.id, command) {
                let why = format!("`{}` was issued at {} already", issued.name, first.at);
                found.push(broken(Law::Settled, at, why));
            }
        }
    }
    still_open(log, &all, &mut found);
    in_one_piece(log, &all, &mut found);
    found
}

fn close(
    all: &mut BTreeMap<Uuid, Command>,
    id: Uuid,
    how: &'static str,
    at: Position,
    found: &mut Found,
) {
    let Some(command) = all.get_mut(&id) else {
        let why = format!("{id} is {how} and was never issued");
        found.push(broken(Law::Settled, at, why));
        return;
    };
    if let Some((first, position)) = command.closed.replace((how, at)) {
        let name = &command.issued.name;
        let why = format!("`{name}` is {how}, and was {first} at {position}");
        found.push(broken(Law::Settled, at, why));
    }
}

/// People may take their time, other systems may not answer, and what is parked waits. What is to
/// be done here is done, once everything has settled.
fn still_open(log: &[StoredEvent], all: &BTreeMap<Uuid, Command>, found: &mut Found) {
    let instances = instances(log);
    for (id, command) in all {
        let instance = instances.get(&command.instance);
        let known = instance.is_some_and(|i| i.open.contains_key(id));
        let name = &command.issued.name;
        let wrong = match (command.closed, known) {
            (Some((how, at)), true) => format!("`{name}` was {how} at {at} and still open"),
            (None, false) => format!("`{name}` is neither settled nor open"),
            (Some(_), false) => continue,
            (None, true) => {
                let parked = |s: &Status| matches!(s, Status::Parked { .. });
                let waits = instance.is_some_and(|i| parked(&i.status));
                if waits || command.issued.to != Target::Here {
                    continue;
                }
                format!("`{name}` is to be done here, and is not")
            }
        };
        found.push(broken(Law::Settled, command.at, wrong));
    }
}

/// What an issued command raised here was appended together with its receipt: right before it.
fn in_one_piece(log: &[StoredEvent], all: &BTreeMap<Uuid, Command>, found: &mut Found) {
    for (n, event) in log.iter().enumerate() {
        let of = event.meta.origin.command;
        let here = |c: &Command| c.issued.to == Target::Here;
        let Some(id) = of.filter(|id| all.get(id).is_some_and(here)) else {
            continue;
        };
        if event.ty.starts_with('$') {
            continue;
        }
        let next = log.get(n + 1);
        if next.is_none_or(|next| next.meta.origin.command != Some(id)) {
            let at = event.meta.position;
            let why = format!("{} has no receipt behind it", event.ty);
            found.push(broken(Law::Settled, at, why));
        }
    }
}
