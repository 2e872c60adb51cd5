//! Events: what is recorded, and whether it happens.

use super::build::{Builder, Subject};
use super::name::{nearest, plain, plain_word};
use super::pair::{Paired, properties};
use super::word::{Compared, Field};
use super::{Entry, Part, Verdict};
use crate::board::happened::{Arrow, Times};
use fait_board::name::same;
use fait_board::note::{Kind, Level};
use fait_board::notes::Event;

pub(super) fn compare(b: &mut Builder<'_>) {
    let board = b.board;
    for (index, event) in board.events.iter().enumerate() {
        let s = b.subject(Kind::Event, index, &event.note);
        let found = b.pairs.of(Kind::Event, index).cloned();
        let times = times(b, event, found.as_ref());
        b.note(s, found.as_ref(), times);
        if let Some(found) = found.filter(|_| b.at(Level::Design)) {
            records(b, s, event, &found);
        }
    }
    extra(b);
}

/// How often an event of the board happened, under all names that it has and had.
fn times(b: &Builder<'_>, event: &Event, found: Option<&Paired>) -> Option<Times> {
    let happened = b.happened?;
    let own = found.map(|p| b.stored_names(&p.code)).unwrap_or_default();
    // A name of the board is no stored name; where it looks like one, the code may have another.
    let is = |stored: &&String| {
        let board = event.was.iter().map(|said| &said.text);
        let mut board = board.chain([&event.note.name.text]);
        own.contains(stored) || board.any(|name| same(name, stored))
    };
    let stored: Vec<&String> = happened.events.keys().filter(is).collect();
    happened.event(stored.into_iter().map(String::as_str))
}

fn records(b: &mut Builder<'_>, s: Subject<'_>, event: &Event, found: &Paired) {
    let Some(def) = b.code.and_then(|manifest| manifest.events.get(&found.code)) else {
        return;
    };
    let fields = properties(&def.schema);
    let fields = fields.map(|(name, schema)| Field {
        name,
        schema,
        needless: false,
    });
    let compared = Compared {
        subject: s,
        code: &found.code,
        clause: "records",
        does: "records",
        words: &event.records,
        known: &[],
        fields: fields.collect(),
    };
    compared.into_entries(b);
}

/// What is in the code and not on the board.
fn extra(b: &mut Builder<'_>) {
    let Some(manifest) = b.code else {
        return happened_only(b);
    };
    for (name, def) in &manifest.events {
        if b.heard_name(name).is_some() {
            continue;
        }
        let received = manifest.receives.values().flatten().any(|e| e == name);
        if received {
            // It is told of the system that sends it.
            continue;
        }
        let by = raisers(b, name);
        let says = match by.as_slice() {
            [] => format!("`{name}` is in the code and not on the board"),
            by => format!(
                "`{name}` is in the code and not on the board: {} it",
                raise(by)
            ),
        };
        let title = plain(name);
        let mut entry = Entry::new(
            Kind::Event,
            title.clone(),
            Part::Note,
            Verdict::NotOnBoard,
            says,
        );
        entry = entry.code(name);
        if let Some(happened) = b.happened {
            let names = b.stored_names(name);
            entry.happened = happened.event(names.iter().map(String::as_str));
        }
        let words: Vec<String> = properties(&def.schema)
            .map(|(n, _)| plain_word(n))
            .collect();
        let raiser = by.iter().find_map(|by| b.pairs.note(Kind::Task, by));
        if let Some(task) = raiser.and_then(|at| b.board.tasks.get(at)) {
            let mut lines = format!("\nevent {title}");
            if !words.is_empty() {
                lines += &format!("\n  records {}", words.join(", "));
            }
            entry = entry.draw(task.note.last_line, lines);
            entry.help = Some(format!(
                "the task `{}` then needs `raises {title}`",
                task.note.name.text
            ));
        }
        b.add(entry);
    }
}

/// Without a program, what happened is all that can be missing on the board.
fn happened_only(b: &mut Builder<'_>) {
    let Some(happened) = b.happened else { return };
    for (name, times) in &happened.events {
        let board = b.board.events.iter();
        let was = |event: &Event| event.was.iter().any(|said| same(&said.text, name));
        if b.heard_name(name).is_some() || board.into_iter().any(was) {
            continue;
        }
        let says = format!(
            "`{name}` happened {}, and is not on the board",
            times.said()
        );
        let title = plain(name);
        let mut entry = Entry::new(Kind::Event, title, Part::Note, Verdict::NotDrawn, says);
        entry = entry.code(name);
        entry.happened = Some(*times);
        let drawn = b.board.events.iter().map(|e| e.note.name.text.as_str());
        if let Some(near) = nearest(name, drawn) {
            entry = entry.help(&format!("did you mean the event `{near}`?"));
        }
        b.add(entry);
    }
}

/// The commands and processes of the code that raise an event.
fn raisers(b: &Builder<'_>, event: &String) -> Vec<String> {
    let Some(manifest) = b.code else {
        return vec![];
    };
    let commands = manifest.commands.iter();
    let commands = commands.filter(|(_, c)| c.emits.contains(event));
    let reacting = manifest.processes.iter().chain(&manifest.policies);
    let reacting = reacting.filter(|(_, p)| p.raises.contains(event));
    let commands = commands.map(|(name, _)| name.clone());
    commands
        .chain(reacting.map(|(name, _)| name.clone()))
        .collect()
}

fn raise(by: &[String]) -> String {
    let names: Vec<String> = by.iter().map(|name| format!("`{name}`")).collect();
    match names.len() {
        1 => format!("{} raises", names[0]),
        _ => format!("{} raise", names.join(", ")),
    }
}

/// How often a command of the code raised an event of the code.
pub(super) fn raised(b: &Builder<'_>, command: &str, event: &str) -> Option<Times> {
    let names = b.stored_names(event);
    let is = |arrow: &Arrow| match arrow {
        Arrow::Raised {
            command: by,
            event: what,
        } => by == command && names.contains(what),
        _ => false,
    };
    b.happened?.arrows(is)
}
