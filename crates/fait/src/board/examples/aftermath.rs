//! What happened in an example, as data and as the board would say it.

use super::known::Known;
use super::program::{Program, Shape, plain};
use super::value;
use crate::app::{App, Asked};
use fait_board::Board;
use fait_board::name;
use fait_board::note::Mention;
use fait_board::notes::{Period, Unit};
use fait_board::place::Span;
use fait_core::event::{Position, RESERVED_PREFIX, StoredEvent, Time};
use fait_core::process::{Fact as Record, Issued, Outcome, Target};
use fait_core::query::Query;
use fait_core::store::{Range, StoreError};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// Events read at once.
const PAGE: usize = 1000;

/// A refusal of a task that the example did.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    pub(super) line: usize,
    /// As the board calls the task.
    pub(super) task: String,
    pub(super) code: String,
    pub(super) reason: String,
}

/// What happened from the first `when` on, and what had happened before.
#[derive(Default)]
pub(super) struct Aftermath {
    /// Events of the application, those that the example itself recorded left out.
    pub(super) events: Vec<StoredEvent>,
    /// Events before, all of them.
    pub(super) before: Vec<StoredEvent>,
    /// What processes issued, and when.
    pub(super) issued: Vec<(Issued, Time)>,
    /// What people were asked before, and are still.
    pub(super) asked_before: Vec<Asked>,
    /// What people are asked at the end.
    pub(super) asked: Vec<Asked>,
    /// All of it, as the board would say it.
    pub(super) told: Vec<String>,
    /// What was refused of what the example did.
    pub(super) refused: Vec<Refused>,
}

/// Says what happened as the board would.
#[derive(Clone, Copy)]
pub(super) struct Teller<'a> {
    pub(super) board: &'a Board,
    pub(super) program: &'a Program,
    pub(super) known: &'a Known,
}

impl Aftermath {
    /// Reads what happened behind `mark`; `ours` is what the example recorded itself.
    pub(super) async fn of(
        app: &App,
        teller: Teller<'_>,
        mark: Position,
        ours: &BTreeSet<Position>,
        refused: Vec<Refused>,
    ) -> Result<Aftermath, StoreError> {
        let mut all = Aftermath {
            refused,
            ..Aftermath::default()
        };
        for refused in &all.refused {
            let Refused { task, reason, .. } = refused;
            all.told.push(format!("{task} was refused: {reason}"));
        }
        let mut after = 0;
        loop {
            let slice = app.events(&Query::all(), Range::after(after, PAGE)).await?;
            let Some(last) = slice.events.last() else {
                break;
            };
            after = last.meta.position;
            for event in slice.events {
                all.take(app, teller, event, mark, ours);
            }
        }
        let open = app.waiting(PAGE)?;
        let asked = open
            .into_iter()
            .filter(|a| matches!(a.open.issued.to, Target::Role(_)));
        all.asked = asked.collect();
        let before = all.asked.iter().filter(|a| a.open.position <= mark);
        all.asked_before = before.cloned().collect();
        Ok(all)
    }

    fn take(
        &mut self,
        app: &App,
        teller: Teller<'_>,
        event: StoredEvent,
        mark: Position,
        ours: &BTreeSet<Position>,
    ) {
        let at = event.meta.position;
        if !event.ty.starts_with(RESERVED_PREFIX) {
            match (at <= mark, ours.contains(&at)) {
                (true, _) => self.before.push(event),
                (false, true) => {}
                (false, false) => {
                    self.told.push(teller.event(&event));
                    self.events.push(event);
                }
            }
            return;
        }
        match Record::read(&event) {
            // What went wrong before the `when` is said, too.
            Ok(Some(Record::Stepped(_))) if at <= mark => {}
            Ok(Some(Record::Stepped(step))) => {
                for issued in step.issued {
                    self.told.push(teller.step(&issued, event.meta.recorded_at));
                    self.issued.push((issued, event.meta.recorded_at));
                }
            }
            Ok(Some(Record::Settled(settled))) => {
                let task = teller.task(&settled.name);
                match settled.outcome {
                    Outcome::Refused { reason, .. } => {
                        self.told.push(format!("{task} was refused: {reason}"));
                    }
                    Outcome::Failed { error } => self.told.push(format!("{task} failed: {error}")),
                    Outcome::Accepted | Outcome::Expired | Outcome::Skipped { .. } => {}
                }
            }
            Ok(Some(Record::Parked(parked))) => {
                let process = app.process_title(&parked.process).unwrap_or(parked.process);
                self.told
                    .push(format!("{process} waits for help: {}", parked.reason));
            }
            _ => {}
        }
    }
}

impl Teller<'_> {
    /// An event with its words.
    pub(super) fn event(&self, event: &StoredEvent) -> String {
        let known = self.board.events.iter();
        let note = known
            .clone()
            .find(|e| name::same(&e.note.name.text, &event.ty));
        let title = note.map_or_else(|| plain(&event.ty), |e| e.note.name.text.clone());
        let shape = self.program.manifest.events.get(&event.ty);
        let shape = shape
            .map(|def| Shape::of_schema(&def.schema))
            .unwrap_or_default();
        let order = note.map(|e| &e.records[..]).unwrap_or_default();
        let data = event.json().unwrap_or_default();
        with(title, &self.words(&shape, &data, order))
    }

    /// A step of a process, as it was issued.
    pub(super) fn step(&self, issued: &Issued, at: Time) -> String {
        let task = self.task(&issued.name);
        let entry = self.program.manifest.commands.get(&issued.name);
        let shape = entry
            .map(|c| Shape::of_fields(&c.fields))
            .unwrap_or_default();
        let task = with(task, &self.words(&shape, &issued.body, &[]));
        match &issued.to {
            Target::Here => format!("do {task}"),
            Target::System(system) => format!("tell {system} to {task}"),
            Target::Role(role) => match issued.due {
                Some(due) => format!("ask {role} to {task} within {}", lasting(due.since(at))),
                None => format!("ask {role} to {task}"),
            },
        }
    }

    /// What somebody is asked.
    pub(super) fn asked(&self, asked: &Asked) -> String {
        let step = self.step(&asked.open.issued, asked.open.since);
        step.strip_prefix("ask ").unwrap_or(&step).to_string()
    }

    /// A command as the board calls it.
    pub(super) fn task(&self, command: &str) -> String {
        let tasks = self.board.tasks.iter().map(|t| &t.note.name.text);
        let messages = self
            .board
            .systems
            .iter()
            .flat_map(|s| &s.takes)
            .map(|m| &m.text);
        let found = tasks.chain(messages).find(|t| name::same(t, command));
        found.map_or_else(|| plain(command), String::clone)
    }

    /// The words of some data with their values, those of the note first.
    pub(super) fn words(&self, shape: &Shape, data: &Value, order: &[Mention]) -> Vec<String> {
        let listed = order.iter().filter_map(|word| shape.field(word.text()));
        let listed: Vec<&str> = listed.map(|f| f.name.as_str()).collect();
        let rest = shape.0.iter().map(|f| f.name.as_str());
        let rest = rest.filter(|name| !listed.contains(name));
        let fields = listed.iter().copied().chain(rest);
        let said = |field: &str| {
            let value = data.get(field).filter(|v| !v.is_null())?;
            Some(format!(
                "{} {}",
                self.word(shape, field),
                self.said(shape, field, value)
            ))
        };
        fields.filter_map(said).collect()
    }

    /// A field as the board calls it.
    pub(super) fn word(&self, shape: &Shape, field: &str) -> String {
        let mine = |word: &&fait_board::notes::Word| {
            shape
                .field(&word.note.name.text)
                .is_some_and(|f| f.name == field)
        };
        match (self.board.words.iter().find(mine), shape.named(field)) {
            (Some(word), _) => word.note.name.text.clone(),
            (None, Some(field)) => field.word(),
            (None, None) => field.into(),
        }
    }

    /// A value of a field as the board would say it.
    pub(super) fn said(&self, shape: &Shape, field: &str, value: &Value) -> String {
        let is = shape.named(field).and_then(|f| f.is(self.board));
        value::said(value, is, &|id| self.known.called(id))
    }
}

fn with(title: String, words: &[String]) -> String {
    match words.is_empty() {
        true => title,
        false => format!("{title} with {}", words.join(", ")),
    }
}

/// A length of time as the board says it.
pub(super) fn lasting(time: Duration) -> String {
    let seconds = time.as_secs();
    let units = [
        (7 * 24 * 3600, Unit::Week),
        (24 * 3600, Unit::Day),
        (3600, Unit::Hour),
        (60, Unit::Minute),
    ];
    let whole = |(length, _): &&(u64, Unit)| seconds > 0 && seconds.is_multiple_of(*length);
    let (length, unit) = units
        .iter()
        .find(whole)
        .copied()
        .unwrap_or((1, Unit::Second));
    let period = Period {
        count: seconds / length,
        unit,
        span: Span::default(),
    };
    period.to_string()
}
