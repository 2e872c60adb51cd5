//! Actors beside roles, and other systems beside what is told and received.

use super::build::{Builder, Subject};
use super::entry::arrow;
use super::name::nearest;
use super::scope::Scope;
use super::{Entry, Part, Verdict};
use fait_board::name::same;
use fait_board::note::{Kind, Target};
use fait_board::place::Said;
use fait_board::ties::How;
use fait_core::manifest::Manifest;
use std::collections::BTreeSet;

pub(super) fn compare(b: &mut Builder<'_>) {
    // Who did something is recorded of persons, not of roles.
    let Some(manifest) = b.code else { return };
    actors(b, manifest);
    systems(b, manifest);
}

fn actors(b: &mut Builder<'_>, manifest: &Manifest) {
    let board = b.board;
    let drawn = || {
        board
            .actors
            .iter()
            .map(|actor| actor.note.name.text.as_str())
    };
    let roles = manifest.roles.keys().map(String::as_str);
    let mut free: Vec<&str> = roles
        .filter(|role| !drawn().any(|actor| same(actor, role)))
        .collect();
    for (index, actor) in board.actors.iter().enumerate() {
        let s = b.subject(Kind::Actor, index, &actor.note);
        let name = &actor.note.name.text;
        let role = manifest.roles.keys().find(|role| same(name, role));
        let mut entry = note(s, role, "does nothing in the code");
        if entry.verdict == Verdict::Missing
            && let Some(other) = renamed(b, manifest, index, &free)
        {
            free.retain(|role| *role != other);
            let says = format!("{} is `{other}` in the code: they do the same", s.whom());
            entry = s.entry(Verdict::Renamed, says).code(other);
            entry = entry.help(&format!(
                "write `{other}` on the board, or `{name}` in the code"
            ));
        }
        b.add(entry);
    }
    for role in free {
        let does: Vec<String> = (manifest.roles.get(role).into_iter().flatten())
            .map(|command| format!("`{command}`"))
            .collect();
        let says = format!(
            "{role} does {} in the code, and is not on the board",
            does.join(", ")
        );
        let entry = Entry::new(
            Kind::Actor,
            role.into(),
            Part::Note,
            Verdict::NotOnBoard,
            says,
        );
        let last = board.actors.last().map(|actor| actor.note.last_line);
        let entry = entry.code(role);
        b.add(match last {
            Some(last) => entry.draw(last, format!("actor {role}")),
            None => entry,
        });
    }
}

/// The role that an actor is under another name: it does the same tasks, or is called nearly so.
fn renamed<'m>(
    b: &Builder<'_>,
    manifest: &'m Manifest,
    actor: usize,
    free: &[&'m str],
) -> Option<&'m str> {
    let ties = b.ties.to(Target::Note(Kind::Actor, actor));
    let does = ties.filter(|tie| tie.how == How::By);
    let codes = does.filter_map(|tie| match tie.from {
        Target::Note(Kind::Task, at) => b.pairs.of(Kind::Task, at),
        _ => None,
    });
    let codes: BTreeSet<&str> = codes.map(|paired| paired.code.as_str()).collect();
    let same = |role: &&&str| {
        let commands = manifest.roles.get(**role).into_iter().flatten();
        let commands: BTreeSet<&str> = commands.map(String::as_str).collect();
        !codes.is_empty() && commands == codes
    };
    let name = b.board.actors.get(actor).map(|a| a.note.name.text.as_str());
    let near = nearest(name.unwrap_or_default(), free.iter().copied());
    free.iter().find(same).copied().or(near)
}

/// A note that has no name of its own in the code other than that of the board.
fn note(s: Subject<'_>, code: Option<&String>, missing: &str) -> Entry {
    let whom = s.whom();
    match (code, s.scope) {
        (Some(code), _) => {
            let says = format!("{whom} agrees");
            s.entry(Verdict::Agrees, says).code(code)
        }
        (None, Scope::Planned) => s.entry(Verdict::Planned, format!("{whom} is planned")),
        (None, Scope::Elsewhere) => s.entry(
            Verdict::Elsewhere,
            format!("only what runs elsewhere needs {whom}"),
        ),
        (None, Scope::Expected) => s.entry(Verdict::Missing, format!("{whom} {missing}")),
    }
}

fn systems(b: &mut Builder<'_>, manifest: &Manifest) {
    let board = b.board;
    for (index, system) in board.systems.iter().enumerate() {
        let s = b.subject(Kind::System, index, &system.note);
        let name = &system.note.name.text;
        let code = manifest.systems.keys().find(|code| same(name, code));
        b.add(note(s, code, "is not in the code"));
        let Some(code) = code else { continue };
        let told = manifest.systems.get(code).map_or(&[][..], Vec::as_slice);
        let sent = manifest.receives.get(code).map_or(&[][..], Vec::as_slice);
        messages(b, s, ("takes", "is told"), &system.takes, told);
        messages(b, s, ("sends", "sends"), &system.sends, sent);
    }
    for (name, told) in &manifest.systems {
        // A context that runs elsewhere is a system of which the board says more.
        let elsewhere = board.contexts.iter().filter(|c| c.runs_elsewhere.is_some());
        let mut drawn = (board.systems.iter().map(|system| &system.note))
            .chain(elsewhere.map(|context| &context.note));
        if drawn.any(|note| same(&note.name.text, name)) {
            continue;
        }
        let says = format!("{name} is a system in the code, and not on the board");
        let entry = Entry::new(
            Kind::System,
            name.clone(),
            Part::Note,
            Verdict::NotOnBoard,
            says,
        );
        let list = |names: &[String]| {
            let names: Vec<String> = names.iter().map(|name| super::name::plain(name)).collect();
            names.join(", ")
        };
        let mut lines = format!("\nsystem {name}");
        if !told.is_empty() {
            lines += &format!("\n  takes {}", list(told));
        }
        if let Some(sent) = manifest.receives.get(name) {
            lines += &format!("\n  sends {}", list(sent));
        }
        let systems = board.systems.last().map(|system| &system.note);
        let last = systems.or_else(|| board.actors.last().map(|actor| &actor.note));
        let entry = entry.code(name);
        b.add(match last {
            Some(note) => entry.draw(note.last_line, lines),
            None => entry,
        });
    }
}

fn messages(
    b: &mut Builder<'_>,
    s: Subject<'_>,
    (clause, does): (&str, &str),
    drawn: &[Said],
    coded: &[String],
) {
    for said in drawn {
        let text = &said.text;
        let found = coded.iter().find(|name| same(text, name));
        let (verdict, says) = match found {
            Some(_) => (Verdict::Agrees, format!("{} {clause} `{text}`", s.whom())),
            None => (
                Verdict::Missing,
                format!(
                    "{} {clause} `{text}` on the board, and not in the code",
                    s.whom()
                ),
            ),
        };
        let times = found.and_then(|name| match clause {
            "sends" => b.happened?.event([name.as_str()]),
            _ => None,
        });
        let entry = s.part(arrow(clause, text), verdict, says).at(said.span);
        b.add(match found.filter(|_| clause == "sends") {
            Some(name) => b.lived(entry.code(name), times),
            None => entry,
        });
    }
    for name in coded {
        if drawn.iter().any(|said| same(&said.text, name)) {
            continue;
        }
        let plain = super::name::plain(name);
        let says = format!(
            "{} {does} `{name}` in the code; that is not drawn",
            s.whom()
        );
        let entry = s.part(arrow(clause, &plain), Verdict::NotOnBoard, says);
        let last = drawn.iter().map(|said| said.span.line).max();
        let behind = last.unwrap_or(s.note.span.line);
        b.add(entry.code(name).draw(behind, format!("  {clause} {plain}")));
    }
}
