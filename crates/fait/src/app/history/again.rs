//! Deciding a recorded command again, on what stood before its events, and comparing what comes
//! of it with what was recorded.

use super::AppBuilder;
use super::report::Finds;
use crate::app::preflight::guarded;
use crate::runtime::begin::at_once;
use crate::runtime::models::{Folded, MAX_MODELS, Models};
use fait_core::decision::{CommandDef, Context, Deciding, RecordedCommand, Verdict};
use fait_core::event::{Draft, EventDef, Position, StoredEvent, Time};
use fait_core::process::{Issued, Target};
use fait_core::store::{Range, Store, StoreError};
use serde_json::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Events read at once for one decision.
const PAGE: usize = 1000;

/// Longest value that is shown of a difference, in bytes.
const SHOWN: usize = 120;

/// What is otherwise: what kind of thing, what those that are alike have in common, and in words.
pub(super) type Otherwise = (Finds, String, String);

/// The code of each event type, by its stored name.
pub(super) type Readers<'a> = BTreeMap<&'a str, Vec<&'a EventDef>>;

/// A command as it was asked.
pub(super) struct Asked {
    pub(super) name: String,
    body: Value,
    at: Time,
    command: Uuid,
    actor: Option<String>,
    /// What stands behind this was not seen.
    until: Position,
}

impl Asked {
    /// From what its first event says of it, or from what a process issued. None when neither
    /// says enough.
    pub(super) fn of(
        said: Option<RecordedCommand>,
        issued: Option<Issued>,
        (command, first): (Uuid, &StoredEvent),
    ) -> Option<Asked> {
        let (at, seen) = match &said {
            Some(said) => (said.at, said.seen),
            None => (first.meta.recorded_at, None),
        };
        let told = said.is_some();
        let (name, body) = match (said.and_then(|s| Some((s.name?, s.body))), issued) {
            (Some(both), _) => both,
            (None, Some(i)) if is_decided_here(&i.to, told) => (i.name, i.body),
            (None, _) => return None,
        };
        Some(Asked {
            name,
            body,
            at,
            command,
            actor: first.meta.origin.actor.clone(),
            until: seen.unwrap_or(first.meta.position - 1),
        })
    }
}

/// What a process issued says all that was asked; of what a person was asked for only when the
/// events say that the person put nothing into it.
fn is_decided_here(to: &Target, told: bool) -> bool {
    match to {
        Target::Here => true,
        Target::Role(_) => told,
        Target::System(_) => false,
    }
}

/// Decides commands again, with models that are kept from one to the next.
pub(super) struct Again<'a> {
    store: &'a dyn Store,
    commands: BTreeMap<&'a str, &'a CommandDef>,
    models: Models,
}

impl<'a> Again<'a> {
    pub(super) fn new(app: &'a AppBuilder, store: &'a dyn Store) -> Self {
        Again {
            store,
            commands: app.commands.iter().map(|c| (c.name.as_str(), c)).collect(),
            models: Models::new(MAX_MODELS),
        }
    }

    /// The event types that a command is decided on.
    pub(super) fn reads(&self, command: &str) -> &[String] {
        self.commands.get(command).map_or(&[], |c| &c.reads)
    }

    /// What is otherwise now; none when the same comes of it.
    pub(super) fn decide(
        &self,
        asked: &Asked,
        was: &[&StoredEvent],
        readers: &Readers<'_>,
    ) -> Result<Option<Otherwise>, StoreError> {
        let cannot = |why: String| Ok(Some((Finds::Command, why.clone(), why)));
        let Some(def) = self.commands.get(asked.name.as_str()) else {
            return cannot("this program has no such command".into());
        };
        let Some(begin) = &def.begin else {
            return cannot("this program has no decision for it".into());
        };
        let begun = guarded(|| begin(&asked.body).map_err(|e| e.to_string()));
        let mut deciding = match begun {
            Ok(deciding) => deciding,
            Err(why) => return cannot(why),
        };
        let folded = match self.fold(&mut *deciding, asked.until)? {
            Ok(folded) => folded,
            Err(otherwise) => return Ok(Some(otherwise)),
        };
        let context = Context::new(asked.at, asked.actor.clone(), asked.command);
        let verdict = guarded(|| Ok(deciding.decide(&context)));
        let otherwise = match verdict {
            Err(why) => return Ok(Some((Finds::Panic, why.clone(), why))),
            Ok(Verdict::Defect(e)) => Some((Finds::Outcome, e.to_string(), e.to_string())),
            Ok(Verdict::Refused(no)) => {
                let what = format!("{}: {}", no.code, no.message);
                Some((Finds::Refused, no.code, what))
            }
            Ok(Verdict::Events(now)) => {
                difference(was, &now, readers).map(|(alike, what)| (Finds::Outcome, alike, what))
            }
        };
        let (id, holds) = (deciding.boundary(), deciding.holds(folded.bytes));
        self.models.put(id, deciding.take(), folded, holds);
        Ok(otherwise)
    }

    /// Takes in what stands up to a position, beginning with a model that was kept, if there is
    /// one that has not looked further.
    fn fold(
        &self,
        deciding: &mut dyn Deciding,
        until: Position,
    ) -> Result<Result<Folded, Otherwise>, StoreError> {
        let mut folded = Folded::default();
        if let Some((model, kept)) = self.models.take(&deciding.boundary())
            && kept.to <= until
            && deciding.give(model)
        {
            folded = kept;
        }
        loop {
            let range = Range {
                before: Some(until.saturating_add(1)),
                ..Range::after(folded.to, PAGE)
            };
            let events = at_once(self.store.read(deciding.query(), range))?.events;
            for event in &events {
                let absorbed = guarded(|| Ok(deciding.absorb(event)));
                match absorbed {
                    Ok(Ok(())) => folded.bytes = folded.bytes.saturating_add(event.data.len()),
                    Ok(Err(e)) => {
                        let alike = format!("{} {}", e.ty, e.field.as_deref().unwrap_or_default());
                        let what = format!("what it is decided on cannot be read: {e}");
                        return Ok(Err((Finds::Command, alike, what)));
                    }
                    Err(why) => {
                        let (ty, at) = (&event.ty, event.meta.position);
                        let what = format!("its model at {ty} at position {at}: {why}");
                        return Ok(Err((Finds::Panic, format!("{ty} {why}"), what)));
                    }
                }
            }
            match events.last() {
                Some(last) if events.len() == PAGE => folded.to = last.meta.position,
                _ => {
                    (folded.to, folded.whole) = (until, true);
                    return Ok(Ok(folded));
                }
            }
        }
    }
}

/// Whether other events come of it now; first what those that are alike have in common.
fn difference(
    was: &[&StoredEvent],
    now: &[Draft],
    readers: &Readers<'_>,
) -> Option<(String, String)> {
    let was: Vec<(String, Value)> = was.iter().map(|e| of_today(e, readers)).collect();
    let json = |d: &Draft| serde_json::from_slice(&d.data).unwrap_or_default();
    let now: Vec<(String, Value)> = now.iter().map(|d| (d.ty.clone(), json(d))).collect();
    let types = |events: &[(String, Value)]| match events {
        [] => "nothing".to_string(),
        some => {
            let types: Vec<&str> = some.iter().map(|(ty, _)| ty.as_str()).collect();
            types.join(", ")
        }
    };
    let (types_was, types_now) = (types(&was), types(&now));
    if types_was != types_now {
        let what = format!("was {}, now {}", short(types_was), short(types_now));
        return Some((what.clone(), what));
    }
    let differ = was.iter().zip(&now).find(|(was, now)| was != now);
    differ.map(|((ty, was), (_, now))| {
        let (path, was, now) = first_difference(String::new(), was, now);
        let what = format!("{ty}{path}: was {}, now {}", short(was), short(now));
        (format!("{ty}{path}"), what)
    })
}

/// A recorded event as it would be written today; as it is, where nothing reads it.
fn of_today(event: &StoredEvent, readers: &Readers<'_>) -> (String, Value) {
    let reader = readers.get(event.ty.as_str()).and_then(|defs| defs.first());
    let code = reader.and_then(|def| def.code);
    let draft = code.and_then(|code| guarded(|| Ok(code.rewrite(event))).ok());
    match draft {
        Some(Ok(d)) => (d.ty, serde_json::from_slice(&d.data).unwrap_or_default()),
        _ => (event.ty.clone(), event.json().unwrap_or_default()),
    }
}

/// The path to the first place where two values differ, with what stands there.
fn first_difference(path: String, was: &Value, now: &Value) -> (String, String, String) {
    if let (Value::Object(a), Value::Object(b)) = (was, now) {
        let mut names = a.keys().chain(b.keys());
        if let Some(name) = names.find(|name| a.get(*name) != b.get(*name)) {
            let path = format!("{path}.{name}");
            let told = |v: Option<&Value>| v.map_or("not there".into(), Value::to_string);
            return match (a.get(name), b.get(name)) {
                (Some(was), Some(now)) => first_difference(path, was, now),
                (was, now) => (path, told(was), told(now)),
            };
        }
    }
    (path, was.to_string(), now.to_string())
}

fn short(mut text: String) -> String {
    if text.len() > SHOWN {
        text.truncate(text.floor_char_boundary(SHOWN));
        text.push('…');
    }
    text
}
