//! What was played about one thing, cut where somebody did something or time ran out.

use super::Play;
use super::stage::Event;
use super::task::Task;
use super::view::event;
use super::word::text_of;
use fait_core::decision::RecordedCommand;
use fait_core::event::{StoredEvent, Time};
use fait_core::process::{Fact, InputRef, Issued, Target};
use serde_json::Value;
use std::collections::HashMap;
use uuid::Uuid;

/// What one input led to.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) occasion: Occasion<'a>,
    /// What happened, in order: numbers into the events of the story.
    pub(super) events: Vec<usize>,
    /// Who was asked for what.
    pub(super) asks: Vec<(String, &'a Task)>,
    /// When it began.
    pub(super) at: Time,
    command: Option<Uuid>,
}

/// What a part begins with.
#[derive(Debug)]
pub(super) enum Occasion<'a> {
    /// A task of the board was done, with these words.
    Task(&'a Task, Value),
    /// Something came from outside.
    Came,
    /// A time of so many seconds was over.
    Time(u64),
}

/// The parts of a story, in order.
pub(super) fn parts<'a>(play: &'a Play, all: &[StoredEvent]) -> Vec<Part<'a>> {
    let mut parts: Vec<Part<'a>> = vec![];
    // Which part an event or a step belongs to, by its id: causes lead there.
    let mut of: HashMap<Uuid, usize> = HashMap::new();
    for (number, stored) in all.iter().enumerate() {
        let origin = &stored.meta.origin;
        let caused = origin.causation.and_then(|cause| of.get(&cause)).copied();
        let by_process = origin
            .actor
            .as_deref()
            .is_some_and(|a| a.starts_with("process:"));
        let at = match Fact::read(stored) {
            Ok(Some(Fact::Stepped(step))) => {
                let at = match &step.input {
                    InputRef::Deadline(due) => {
                        let seconds = due.name.split(' ').next().and_then(|n| n.parse().ok());
                        begin(&mut parts, Occasion::Time(seconds.unwrap_or(1)), stored)
                    }
                    _ => caused.unwrap_or(parts.len().saturating_sub(1)),
                };
                if let Some(part) = parts.get_mut(at) {
                    part.asks
                        .extend(step.issued.iter().filter_map(|i| asked(play, i)));
                }
                at
            }
            Ok(Some(Fact::Settled(settled))) => {
                done(
                    play,
                    &mut parts,
                    origin.command,
                    &settled.name,
                    &Value::Null,
                );
                continue;
            }
            Ok(None) if event(&play.stage, stored).is_some() => {
                let same = |p: &&Part<'_>| p.command.is_some() && p.command == origin.command;
                let at = match (by_process, parts.last().filter(same)) {
                    (true, _) => caused.unwrap_or(parts.len().saturating_sub(1)),
                    (false, Some(_)) => parts.len() - 1,
                    (false, None) => begin(&mut parts, Occasion::Came, stored),
                };
                if let Some(part) = parts.get_mut(at) {
                    part.events.push(number);
                }
                at
            }
            _ => parts.len().saturating_sub(1),
        };
        if let Ok(Some(RecordedCommand {
            name: Some(name),
            body,
            ..
        })) = RecordedCommand::of(stored)
        {
            done(play, &mut parts, origin.command, &name, &body);
        }
        of.insert(stored.meta.id, at);
    }
    parts
}

fn begin<'a>(parts: &mut Vec<Part<'a>>, occasion: Occasion<'a>, stored: &StoredEvent) -> usize {
    let timed = matches!(occasion, Occasion::Time(_));
    parts.push(Part {
        occasion,
        events: vec![],
        asks: vec![],
        at: stored.meta.recorded_at,
        command: stored.meta.origin.command.filter(|_| !timed),
    });
    parts.len() - 1
}

/// Notes which task a part began with.
fn done<'a>(
    play: &'a Play,
    parts: &mut [Part<'a>],
    command: Option<Uuid>,
    name: &str,
    body: &Value,
) {
    let last = parts.iter_mut().rev();
    let mut own = last.filter(|p| p.command.is_some() && p.command == command);
    let task = play.board_task(name);
    if let (Some(part), Some(task)) = (own.next(), task)
        && (matches!(part.occasion, Occasion::Came) || !body.is_null())
    {
        part.occasion = Occasion::Task(task, body.clone());
    }
}

fn asked<'a>(play: &'a Play, issued: &Issued) -> Option<(String, &'a Task)> {
    let Target::Role(role) = &issued.to else {
        return None;
    };
    let task = play.board_task(&issued.name)?;
    play.asks(role, task).then(|| (role.clone(), task))
}

/// A word with its value, as an example says it; none for a value that no example can say.
pub(super) fn said(value: &Value, names: &[String]) -> Option<String> {
    let text = match value {
        Value::Array(all) if all.is_empty() => "none".into(),
        Value::Array(all) => {
            let texts: Option<Vec<String>> = all.iter().map(text_of).collect();
            let texts = texts?;
            // A comma is how one thing of a list ends.
            if texts.iter().any(|t| t.contains(',')) {
                return None;
            }
            texts.join(", ")
        }
        one => text_of(one).filter(|t| !t.contains(','))?,
    };
    let odd = text.contains(['\n', '\r', '\t', '#']) || text.contains("  ");
    let mut pieces = text.split(", ").skip(1);
    // Behind a comma, a word of the board would begin the next value.
    let begins = pieces.any(|p| names.iter().any(|n| p.starts_with(n.as_str())));
    (!odd && !begins).then_some(text)
}

/// The event of the board that was stored, when there is one.
pub(super) fn own<'a>(play: &'a Play, stored: &StoredEvent) -> Option<&'a Event> {
    event(&play.stage, stored)
}
