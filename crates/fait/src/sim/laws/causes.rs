//! L10: from every event, causes lead back to an input from outside, along earlier positions.

use super::{Found, Law, broken};
use fait_core::event::StoredEvent;
use fait_core::process::types;
use std::collections::BTreeSet;
use uuid::Uuid;

/// What only comes of something else.
const CAUSED: &[&str] = &[types::STEPPED, types::SETTLED, types::PARKED, types::TRIED];

/// `elsewhere` are the events of other systems: a cause may stand in their logs.
pub(super) fn check(log: &[StoredEvent], elsewhere: &BTreeSet<Uuid>) -> Found {
    let mut found = vec![];
    let mut known: BTreeSet<Uuid> = BTreeSet::new();
    for event in log {
        let (at, origin) = (event.meta.position, &event.meta.origin);
        let wrong = match origin.causation {
            // Whatever stands before has a cause, so this has one too.
            Some(cause) if known.contains(&cause) || elsewhere.contains(&cause) => None,
            Some(cause) => Some(format!("{} comes of {cause}, which is not there", event.ty)),
            None if CAUSED.contains(&event.ty.as_str()) && !by_hand(event) => {
                Some(format!("{} comes of nothing", event.ty))
            }
            None if origin.actor.as_deref().is_some_and(of_process) => {
                Some(format!("{} is a process's, and comes of nothing", event.ty))
            }
            None => None,
        };
        found.extend(wrong.map(|why| broken(Law::Causes, at, why)));
        if origin.correlation.is_nil() && event.ty != types::BEGAN {
            let why = format!("{} belongs to no flow", event.ty);
            found.push(broken(Law::Causes, at, why));
        }
        known.insert(event.meta.id);
    }
    found
}

fn of_process(actor: &str) -> bool {
    actor.starts_with("process:")
}

/// An operator is outside.
fn by_hand(event: &StoredEvent) -> bool {
    let actor = event.meta.origin.actor.as_deref();
    actor.is_some_and(|actor| !of_process(actor))
}
