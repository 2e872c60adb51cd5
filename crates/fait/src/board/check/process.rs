//! Processes and policies: what they hear, do, ask for, tell and raise, and how long they wait.

use super::build::{Builder, End, Ends, Subject};
use super::entry::arrow;
use super::name::plain;
use super::scope::counts_tries;
use super::wait::{Does, deadlines, length, named};
use super::{Entry, Part, Verdict};
use crate::board::happened::{Arrow, Times, Waited};
use fait_board::name::same;
use fait_board::note::{Kind, Level, Mention};
use fait_board::notes::{Action, Reaction, Step, Trigger};
use fait_board::ties::How;
use fait_core::manifest::ProcessEntry;
use std::collections::BTreeMap;

pub(super) fn compare(b: &mut Builder<'_>) {
    if !b.at(Level::Process) {
        return;
    }
    let board = b.board;
    for (index, policy) in board.policies.iter().enumerate() {
        let s = b.subject(Kind::Policy, index, &policy.note);
        one(b, s, &policy.reactions, &[]);
    }
    for (index, process) in board.processes.iter().enumerate() {
        let s = b.subject(Kind::Process, index, &process.note);
        one(b, s, &process.reactions, &process.one_per);
    }
    let Some(manifest) = b.code else { return };
    for (kind, entries) in [
        (Kind::Process, &manifest.processes),
        (Kind::Policy, &manifest.policies),
    ] {
        for (name, entry) in entries {
            if b.pairs.note(kind, name).is_none() {
                extra(b, kind, name, entry);
            }
        }
    }
}

fn one(b: &mut Builder<'_>, s: Subject<'_>, reactions: &[Reaction], one_per: &[Mention]) {
    let found = b.pairs.of(s.kind, s.index).cloned();
    let times = found
        .as_ref()
        .and_then(|p| b.happened?.processes.get(&p.code));
    let times = times.copied();
    b.note(s, found.as_ref(), times);
    let Some(found) = found else { return };
    let code = found.code.as_str();
    let entry = entries(b, s.kind).and_then(|entries| entries.get(code));
    if let (Some(entry), [word]) = (entry, one_per)
        && !same(word.text(), &entry.key)
    {
        let says = format!(
            "{} is one per `{}`; `{code}` is one per `{}`",
            s.whom(),
            word.text(),
            entry.key
        );
        let word_of = Part::Word {
            word: word.text().into(),
        };
        let differs = s.part(word_of, Verdict::Differs, says);
        b.add(differs.at(word.name.span).code(code));
    }
    hears(b, s, code, entry);
    sends(b, s, code, entry);
    raises(b, s, code, entry);
    if let Some(happened) = b.happened {
        let does = Does {
            code,
            entry,
            reactions,
            happened,
        };
        undrawn_steps(b, s, &does);
        deadlines(b, s, &does);
    }
}

fn entries<'a>(b: &Builder<'a>, kind: Kind) -> Option<&'a BTreeMap<String, ProcessEntry>> {
    let manifest = b.code?;
    Some(match kind {
        Kind::Policy => &manifest.policies,
        _ => &manifest.processes,
    })
}

/// What an arrow of a process happened, from a list of names of the code.
struct Counts(Vec<(String, Option<Times>)>);

impl Counts {
    fn of(names: impl Iterator<Item = String>, times: impl Fn(&str) -> Option<Times>) -> Counts {
        Counts(names.map(|name| (name.clone(), times(&name))).collect())
    }

    fn get(&self, name: &str) -> Option<Times> {
        let mut all = self.0.iter();
        all.find(|(n, _)| n == name).and_then(|(_, times)| *times)
    }
}

/// One sort of arrows of a process.
struct Sort<'e> {
    how: &'static str,
    clause: Option<&'static str>,
    does: &'static str,
    /// The ends that the manifest has; without one they are those that happened.
    coded: Option<Vec<String>>,
    drawn: Vec<End>,
    /// The end of an arrow that happened, if it is of this sort and process.
    end: &'e dyn Fn(&Arrow) -> Option<String>,
    /// The name on the board of an end.
    name: fn(&Builder<'_>, &str) -> Option<String>,
    /// The names under which an end was recorded.
    stored: fn(&Builder<'_>, &str) -> Vec<String>,
}

fn hears(b: &mut Builder<'_>, s: Subject<'_>, code: &str, entry: Option<&ProcessEntry>) {
    let sort = Sort {
        how: "hears",
        clause: Some(match s.kind {
            Kind::Policy => "whenever",
            _ => "on",
        }),
        does: "listens to",
        coded: entry.map(|entry| entry.types.clone()),
        drawn: b.ends(s, How::hears),
        end: &|arrow| match arrow {
            Arrow::Heard { process, event } if process == code => Some(event.clone()),
            _ => None,
        },
        name: |b, event| b.heard_name(event),
        stored: |b, event| b.stored_names(event),
    };
    hold(b, s, code, sort);
}

fn sends(b: &mut Builder<'_>, s: Subject<'_>, code: &str, entry: Option<&ProcessEntry>) {
    let sort = Sort {
        how: "does or asks for",
        clause: None,
        does: "does or asks for",
        coded: entry.map(|entry| entry.sends.clone()),
        drawn: b.ends(s, |how| how.sets_off() || how == How::TellTo),
        end: &|arrow| match arrow {
            Arrow::Sent {
                process, command, ..
            } if process == code => Some(command.clone()),
            _ => None,
        },
        name: |b, command| b.sent_name(command),
        stored: |_, command| vec![command.into()],
    };
    hold(b, s, code, sort);
}

fn raises(b: &mut Builder<'_>, s: Subject<'_>, code: &str, entry: Option<&ProcessEntry>) {
    let sort = Sort {
        how: "raises",
        clause: None,
        does: "raises",
        coded: entry.map(|entry| entry.raises.clone()),
        drawn: b.ends(s, |how| how == How::Raise),
        end: &|arrow| match arrow {
            Arrow::Voiced { process, event } if process == code => Some(event.clone()),
            _ => None,
        },
        name: |b, event| b.heard_name(event),
        stored: |b, event| b.stored_names(event),
    };
    hold(b, s, code, sort);
}

/// Holds one sort of arrows of a process against what is drawn.
fn hold(b: &mut Builder<'_>, s: Subject<'_>, code: &str, sort: Sort<'_>) {
    let coded = sort.coded.unwrap_or_else(|| of_arrows(b, sort.end));
    let named = coded.iter().cloned();
    let named = named.chain(sort.drawn.iter().filter_map(|end| end.code.clone()));
    let counts = Counts::of(named, |name| {
        let names = (sort.stored)(b, name);
        let is = |arrow: &Arrow| (sort.end)(arrow).is_some_and(|end| names.contains(&end));
        b.happened?.arrows(is)
    });
    let coded = coded.into_iter().map(|name| {
        let drawn = (sort.name)(b, &name);
        (name, drawn)
    });
    let ends = Ends {
        how: sort.how,
        clause: sort.clause,
        does: sort.does,
        coded: coded.collect(),
        drawn: sort.drawn,
        times: &|name| counts.get(name),
        counted: b.happened.is_some(),
    };
    b.arrows(s, code, ends);
}

fn of_arrows(b: &Builder<'_>, name: impl Fn(&Arrow) -> Option<String>) -> Vec<String> {
    let arrows = b.happened.iter().flat_map(|happened| &happened.arrows);
    let mut names: Vec<String> = arrows.filter_map(|(arrow, _)| name(arrow)).collect();
    names.sort();
    names.dedup();
    names
}

/// What a process did on an event, of which the board says neither that it does it then, nor that
/// it does it to that person.
fn undrawn_steps(b: &mut Builder<'_>, s: Subject<'_>, does: &Does<'_>) {
    let Does {
        code,
        reactions,
        happened,
        ..
    } = *does;
    let mut found: BTreeMap<(String, String, Option<String>), Times> = BTreeMap::new();
    for (sent, times) in &happened.arrows {
        let Arrow::Sent {
            process,
            on: Some(on),
            command,
            role,
            ..
        } = sent
        else {
            continue;
        };
        if process != code || !does.hears(&in_code(b, on)) || !does.sends(command) {
            continue;
        }
        let (Some(event), Some(task)) = (current(b, on), b.sent_name(command)) else {
            // One end is not on the board itself, which is told of the end.
            continue;
        };
        let unheard = b.draw_of(s, &arrow("hears", &event)).is_some();
        if unheard || !is_drawn(b, reactions, &event, &task, role.as_deref()) {
            let key = (event, task, role.clone());
            let all = found.get(&key).map_or(*times, |before| before.and(*times));
            found.insert(key, all);
        }
    }
    for ((event, task, role), times) in found {
        let step = step_of(b, code, &task, role.as_deref());
        if let Some(draw) = b.draw_of(s, &arrow("hears", &event)) {
            // That the event is heard at all is not drawn: there it is one line more.
            draw.text += &format!("\n{step}");
            continue;
        }
        let whom = role.as_ref().map(|role| format!("asks {role} to"));
        let whom = whom.unwrap_or_else(|| "does".into());
        let says = format!(
            "on `{event}`, `{code}` {whom} `{task}`, which happened {}; that is not drawn",
            times.said()
        );
        let part = arrow(&format!("on {event}"), &task);
        let mut entry = s.part(part, Verdict::NotDrawn, says).code(code);
        entry.happened = Some(times);
        let hears = |r: &&Reaction| !r.trigger.waits() && names(&r.trigger).any(|n| n == event);
        let entry = match reactions.iter().find(hears) {
            Some(reaction) => {
                let last = reaction
                    .steps
                    .last()
                    .map_or(reaction.span, |step| step.span);
                entry.draw(last.line, step)
            }
            None => {
                let keyword = match s.kind {
                    Kind::Policy => "whenever",
                    _ => "on",
                };
                entry.draw(s.note.last_line, format!("  {keyword} {event}\n{step}"))
            }
        };
        b.add(entry);
    }
}

/// The name on the board for a stored name of an event, also an older one.
fn current(b: &Builder<'_>, stored: &str) -> Option<String> {
    b.heard_name(&in_code(b, stored))
}

/// The name in the code for a stored name of an event, also an older one.
fn in_code(b: &Builder<'_>, stored: &str) -> String {
    let events = b.code.iter().flat_map(|manifest| &manifest.events);
    let mut now = events.filter(|(_, def)| def.was.iter().any(|was| was == stored));
    now.next().map_or(stored, |(name, _)| name.as_str()).into()
}

/// The line of a step, with the time that is given for it.
fn step_of(b: &Builder<'_>, code: &str, task: &str, role: Option<&str>) -> String {
    let takes = |system: &&fait_board::notes::System| {
        let mut takes = system.takes.iter();
        takes.any(|said| said.text == task)
    };
    let waits = b.happened.iter().flat_map(|happened| &happened.deadlines);
    let mut waits = waits.filter(|w| w.process == code && w.role.as_deref() == role);
    let is = |w: &&Waited| w.command.as_deref().is_some_and(|c| same(task, c));
    let within = waits.find(is);
    let within = within.map(|w| format!(" within {}", length(w.after_ms)));
    match (role, b.board.systems.iter().find(takes)) {
        (Some(role), _) => format!("    ask {role} to {task}{}", within.unwrap_or_default()),
        (None, Some(system)) => format!("    tell {} to {task}", system.note.name.text),
        (None, None) => format!("    do {task}"),
    }
}

fn names(trigger: &Trigger) -> impl Iterator<Item = &str> {
    trigger.events().iter().map(Mention::text)
}

fn is_drawn(
    b: &Builder<'_>,
    reactions: &[Reaction],
    event: &str,
    task: &str,
    role: Option<&str>,
) -> bool {
    let is = |step: &Step| match &step.action {
        Action::Ask { actor, task: t, .. } => {
            named(b, t) == task && role.is_none_or(|role| same(actor.text(), role))
        }
        Action::Do { task: t } => named(b, t) == task && role.is_none(),
        Action::Tell { message, .. } => message.text() == task,
        Action::Raise { .. } => false,
    };
    // What is drawn after a wait may follow in the code from an event that ended the wait badly.
    let then = |reaction: &&Reaction| {
        let waits = counts_tries(&reaction.trigger);
        waits || (!reaction.trigger.waits() && names(&reaction.trigger).any(|n| n == event))
    };
    let mut steps = reactions.iter().filter(then).flat_map(|r| &r.steps);
    steps.any(is)
}

fn extra(b: &mut Builder<'_>, kind: Kind, name: &str, entry: &ProcessEntry) {
    let says = format!("`{name}` is in the code and not on the board");
    let title = match entry.title.is_empty() {
        true => plain(name),
        false => entry.title.clone(),
    };
    let mut found = Entry::new(kind, title, Part::Note, Verdict::NotOnBoard, says).code(name);
    found.happened = b.happened.and_then(|h| h.processes.get(name)).copied();
    let said = |names: &[String]| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    let does = match entry.sends.is_empty() {
        true => String::new(),
        false => format!(", and does or asks for {}", said(&entry.sends)),
    };
    found = found.help(&format!("it listens to {}{does}", said(&entry.types)));
    let heard = entry
        .types
        .iter()
        .filter_map(|ty| b.pairs.note(Kind::Event, ty));
    let last = heard.filter_map(|at| b.board.events.get(at)).next_back();
    if let (Kind::Policy, Some(event)) = (kind, last) {
        let types = entry.types.iter().filter_map(|ty| b.heard_name(ty));
        let types: Vec<String> = types.collect();
        let title = &found.name;
        let mut lines = format!("\npolicy {title}\n  whenever {}", types.join(", "));
        for task in entry.sends.iter().filter_map(|sent| b.sent_name(sent)) {
            lines += &format!("\n    do {task}");
        }
        found = found.draw(event.note.last_line, lines);
    }
    b.add(found);
}
