//! Tasks: who does them, what they ask, raise and refuse.

use super::build::{Builder, End, Ends, Subject};
use super::event::raised;
use super::name::{nearest_reason, plain, plain_word, reason_id};
use super::word::{Compared, Field};
use super::{Entry, Part, Verdict};
use fait_board::name::same;
use fait_board::note::{Kind, Level, Mention};
use fait_board::notes::Task;
use fait_board::place::Said;
use fait_board::ties::How;
use fait_core::command::FieldDef;
use fait_core::manifest::CommandEntry;
use std::collections::BTreeSet;

pub(super) fn compare(b: &mut Builder<'_>) {
    if !b.at(Level::Process) {
        return;
    }
    let board = b.board;
    for (index, task) in board.tasks.iter().enumerate() {
        let s = b.subject(Kind::Task, index, &task.note);
        let found = b.pairs.of(Kind::Task, index).cloned();
        let times = found
            .as_ref()
            .and_then(|p| b.happened?.commands.get(&p.code));
        let times = times.copied();
        b.note(s, found.as_ref(), times);
        let Some(found) = found else { continue };
        let command = b
            .code
            .and_then(|manifest| manifest.commands.get(&found.code));
        raises(b, s, &found.code, command);
        let Some(command) = command else { continue };
        page(b, s, &found.code, command);
        if b.at(Level::Design) {
            asks(b, s, task, &found.code, command);
            refusals(b, s, task, &found.code, command);
        }
    }
    extra(b);
    extra_refusals(b);
}

fn raises(b: &mut Builder<'_>, s: Subject<'_>, code: &str, command: Option<&CommandEntry>) {
    let coded: Vec<String> = match command {
        Some(command) => command.emits.clone(),
        None => happened_events(b, code),
    };
    let named = |event: String| (event.clone(), b.heard_name(&event));
    let coded: Vec<(String, Option<String>)> = coded.into_iter().map(named).collect();
    let drawn = b.ends(s, |how| matches!(how, How::Raises | How::OrRaises));
    let times = drawn.iter().filter_map(|end| end.code.clone());
    let times: Vec<String> = times.chain(names(&coded)).collect();
    let times: Vec<_> = (times.into_iter())
        .map(|event| (raised(b, code, &event), event))
        .collect();
    let happened = |event: &str| times.iter().find(|(_, e)| e == event).and_then(|(t, _)| *t);
    let ends = Ends {
        how: "raises",
        clause: Some(if drawn.is_empty() {
            "raises"
        } else {
            "or raises"
        }),
        does: "raises",
        drawn,
        coded,
        times: &happened,
        counted: b.happened.is_some(),
    };
    b.arrows(s, code, ends);
}

fn names(coded: &[(String, Option<String>)]) -> Vec<String> {
    coded.iter().map(|(name, _)| name.clone()).collect()
}

fn happened_events(b: &Builder<'_>, code: &str) -> Vec<String> {
    use crate::board::happened::Arrow;
    let arrows = b.happened.iter().flat_map(|happened| &happened.arrows);
    let events = arrows.filter_map(|(arrow, _)| match arrow {
        Arrow::Raised { command, event } if command == code => Some(event.clone()),
        _ => None,
    });
    events.collect()
}

/// Who does it, what they see before, and what takes it back.
fn page(b: &mut Builder<'_>, s: Subject<'_>, code: &str, command: &CommandEntry) {
    let Some(task) = b.board.tasks.get(s.index) else {
        return;
    };
    let none = |_: &str| None;
    let actors = b
        .board
        .actors
        .iter()
        .map(|actor| actor.note.name.text.as_str());
    let actors: Vec<&str> = actors.collect();
    let drawn = task.by.iter().filter(|by| by.index(Kind::Actor).is_some());
    let drawn = drawn.map(|by| End {
        name: by.text().into(),
        // An actor who is no role at all is told of the actor.
        code: role(b, by),
        span: by.name.span,
    });
    let ends = Ends {
        how: "by",
        clause: Some("by"),
        does: "is done by",
        drawn: drawn.collect(),
        coded: (command.page.by.iter())
            .map(|role| {
                let actor = actors.iter().find(|actor| same(actor, role));
                (role.clone(), actor.map(|actor| (*actor).to_string()))
            })
            .collect(),
        times: &none,
        counted: false,
    };
    b.arrows(s, code, ends);
    let single = |b: &Builder<'_>, kind, name: &Option<String>| {
        let named = |name: &String| (name.clone(), b.drawn_name(kind, name));
        name.iter().map(named).collect::<Vec<_>>()
    };
    let ends = Ends {
        how: "sees",
        clause: Some("sees"),
        does: "sees",
        drawn: b.ends(s, |how| how == How::Sees),
        coded: single(b, Kind::View, &command.page.sees),
        times: &none,
        counted: false,
    };
    b.arrows(s, code, ends);
    let ends = Ends {
        how: "undone by",
        clause: Some("undone by"),
        does: "is undone by",
        drawn: b.ends(s, |how| how == How::UndoneBy),
        coded: single(b, Kind::Task, &command.page.undone_by),
        times: &none,
        counted: false,
    };
    b.arrows(s, code, ends);
}

/// The role of the code that has the name of an actor.
fn role(b: &Builder<'_>, actor: &Mention) -> Option<String> {
    let at = actor.index(Kind::Actor)?;
    let name = &b.board.actors.get(at)?.note.name.text;
    let roles = b.code.iter().flat_map(|manifest| manifest.roles.keys());
    roles.into_iter().find(|role| same(name, role)).cloned()
}

fn asks(b: &mut Builder<'_>, s: Subject<'_>, task: &Task, code: &str, command: &CommandEntry) {
    // What a model is found by is given with the task, and of whom nobody is asked, nothing is.
    let model = task.on.as_ref().and_then(|on| b.board.model(on));
    let mut known = model.map(|model| model.one_per.clone()).unwrap_or_default();
    known.extend(task.works_out.iter().cloned());
    let fields = command.fields.iter().map(|field| Field {
        name: &field.name,
        schema: &field.schema,
        needless: command.page.by.is_empty() || field.fresh,
    });
    let compared = Compared {
        subject: s,
        code,
        clause: "asks",
        does: "asks for",
        words: &task.asks,
        known: &known,
        fields: fields.collect(),
    };
    compared.into_entries(b);
}

fn refusals(b: &mut Builder<'_>, s: Subject<'_>, task: &Task, code: &str, command: &CommandEntry) {
    let said: BTreeSet<String> = task
        .refused_when
        .iter()
        .map(|r| reason_id(&r.text))
        .collect();
    for reason in &task.refused_when {
        let id = reason_id(&reason.text);
        let coded = command.refusals.values().any(|c| reason_id(c) == id);
        let free = command.refusals.values().map(String::as_str);
        let free = free.filter(|c| !said.contains(&reason_id(c)));
        let near = nearest_reason(&reason.text, free);
        let entry = match (coded, near) {
            (true, _) => {
                let says = format!("{} is refused when {}", s.whom(), reason.text);
                refusal(s, reason, Verdict::Agrees, says)
            }
            (false, Some(near)) => {
                let says = format!(
                    "{} is refused when `{}`; `{code}` says `{near}`",
                    s.whom(),
                    reason.text
                );
                let help = format!("did you mean `refused when {near}`?");
                refusal(s, reason, Verdict::Differs, says).help(&help)
            }
            (false, None) => {
                let says = format!(
                    "{} is refused when `{}`; `{code}` has no such refusal",
                    s.whom(),
                    reason.text
                );
                let entry = refusal(s, reason, Verdict::Missing, says);
                match unsaid(b, command).as_slice() {
                    [] => entry,
                    some => entry.help(&format!("no task says what `{code}` says: {}", or(some))),
                }
            }
        };
        b.add(entry.code(code));
    }
}

/// The sentences of a command that no task of the board says.
fn unsaid<'c>(b: &Builder<'_>, command: &'c CommandEntry) -> Vec<&'c str> {
    let tasks = b.board.tasks.iter().flat_map(|task| &task.refused_when);
    let told: BTreeSet<String> = tasks.map(|reason| reason_id(&reason.text)).collect();
    let sentences = command.refusals.values().map(String::as_str);
    sentences
        .filter(|c| !told.contains(&reason_id(c)))
        .collect()
}

fn or(sentences: &[&str]) -> String {
    let quoted: Vec<String> = sentences.iter().map(|s| format!("`{s}`")).collect();
    quoted.join(" or ")
}

fn refusal(s: Subject<'_>, reason: &Said, verdict: Verdict, says: String) -> Entry {
    let id = reason_id(&reason.text);
    let part = Part::Refusal { id };
    s.part(part, verdict, says).at(reason.span)
}

/// Sentences of refusals that no task of the board says. A refusal belongs to a model and so to
/// many commands; that one of their tasks says it is enough.
fn extra_refusals(b: &mut Builder<'_>) {
    let Some(manifest) = b.code.filter(|_| b.at(Level::Design)) else {
        return;
    };
    let mut told: BTreeSet<String> = BTreeSet::new();
    for task in &b.board.tasks {
        told.extend(task.refused_when.iter().map(|r| reason_id(&r.text)));
    }
    // What only differs, or may be what is missing, was told with its task.
    let refusals = b
        .entries()
        .filter(|entry| matches!(entry.part, Part::Refusal { .. }));
    let helps: Vec<String> = refusals.filter_map(|entry| entry.help.clone()).collect();
    for (name, command) in &manifest.commands {
        let Some(at) = b.pairs.note(Kind::Task, name) else {
            continue;
        };
        let Some(task) = b.board.tasks.get(at) else {
            continue;
        };
        for sentence in command.refusals.values() {
            let known = helps.iter().any(|help| help.contains(sentence));
            if known || !told.insert(reason_id(sentence)) {
                continue;
            }
            let s = b.subject(Kind::Task, at, &task.note);
            let says = format!("`{name}` may be refused because `{sentence}`; no task says so");
            let part = Part::Refusal {
                id: reason_id(sentence),
            };
            let last = task.refused_when.iter().map(|r| r.span.line).max();
            let behind = last.unwrap_or(task.note.last_line);
            let help = "write it under the task that it is about";
            let entry = s.part(part, Verdict::NotOnBoard, says).code(name);
            let line = format!("  refused when {sentence}");
            b.add(entry.help(help).draw(behind, line));
        }
    }
}

/// Commands that are no task of the board.
fn extra(b: &mut Builder<'_>) {
    let Some(manifest) = b.code else { return };
    for (name, command) in &manifest.commands {
        if command.page.to.is_some() || b.pairs.note(Kind::Task, name).is_some() {
            continue;
        }
        let title = plain(name);
        let says = format!("`{name}` is in the code and not on the board");
        let entry = Entry::new(
            Kind::Task,
            title.clone(),
            Part::Note,
            Verdict::NotOnBoard,
            says,
        );
        let mut entry = entry.code(name);
        entry.happened = b.happened.and_then(|h| h.commands.get(name)).copied();
        let raised = command
            .emits
            .iter()
            .filter_map(|e| b.pairs.note(Kind::Event, e));
        let before = raised.filter_map(|at| b.board.events.get(at)).next();
        if let Some(event) = before {
            let behind = event.note.span.line.saturating_sub(1);
            entry = entry.draw(behind, note_of(&title, command, b));
        }
        b.add(entry);
    }
}

/// The note of a task as the code has it.
fn note_of(title: &str, command: &CommandEntry, b: &Builder<'_>) -> String {
    let mut lines = format!("task {title}");
    let mut clause = |keyword: &str, names: Vec<String>| {
        if !names.is_empty() {
            lines += &format!("\n  {keyword} {}", names.join(", "));
        }
    };
    clause("by", command.page.by.clone());
    let sees = command.page.sees.iter();
    clause(
        "sees",
        sees.filter_map(|v| b.drawn_name(Kind::View, v)).collect(),
    );
    // What the task is about is chosen with it, not asked.
    let seen = command.page.sees.as_ref();
    let seen = seen.and_then(|view| b.code?.views.get(view));
    let about = seen.map(|view| view.key.as_str());
    let asks = |f: &&FieldDef| !f.fresh && (f.kind().is_none() || f.kind() != about);
    let asked = command.fields.iter().filter(asks);
    clause("asks", asked.map(|f| plain_word(&f.name)).collect());
    let emits = command.emits.iter();
    clause(
        "raises",
        emits
            .map(|e| b.heard_name(e).unwrap_or_else(|| plain(e)))
            .collect(),
    );
    lines + "\n"
}
