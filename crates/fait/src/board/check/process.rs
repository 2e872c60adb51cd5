//! Processes and policies: what they hear, do, ask for, tell and raise, and how long they wait.

use super::build::{Builder, Ends, Subject, arrow};
use super::name::plain;
use super::scope::counts_tries;
use super::{Entry, Part, Verdict};
use crate::board::happened::{Arrow, Happened, Times, Waited};
use fait_board::name::same;
use fait_board::note::{Kind, Level, Mention};
use fait_board::notes::{Action, Period, Reaction, Step, Trigger};
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
        undrawn_steps(b, s, code, reactions, happened);
        deadlines(b, s, code, reactions, happened);
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

fn hears(b: &mut Builder<'_>, s: Subject<'_>, code: &str, entry: Option<&ProcessEntry>) {
    let coded = match entry {
        Some(entry) => entry.types.clone(),
        None => of_arrows(b, |arrow| match arrow {
            Arrow::Heard { process, event } if process == code => Some(event.clone()),
            _ => None,
        }),
    };
    let drawn = b.ends(s, How::hears);
    let named = coded.iter().cloned();
    let named = named.chain(drawn.iter().filter_map(|end| end.code.clone()));
    let counts = Counts::of(named, |event| {
        let names = b.stored_names(event);
        b.happened?.arrows(|arrow| match arrow {
            Arrow::Heard { process, event } => process == code && names.contains(event),
            _ => false,
        })
    });
    let ends = Ends {
        how: "hears",
        clause: Some(match s.kind {
            Kind::Policy => "whenever",
            _ => "on",
        }),
        does: "listens to",
        coded: coded
            .into_iter()
            .map(|e| (e.clone(), b.heard_name(&e)))
            .collect(),
        drawn,
        times: &|event| counts.get(event),
        counted: b.happened.is_some(),
    };
    b.arrows(s, code, ends);
}

fn sends(b: &mut Builder<'_>, s: Subject<'_>, code: &str, entry: Option<&ProcessEntry>) {
    let sent = |arrow: &Arrow| match arrow {
        Arrow::Sent {
            process, command, ..
        } if process == code => Some(command.clone()),
        _ => None,
    };
    let coded = match entry {
        Some(entry) => entry.sends.clone(),
        None => of_arrows(b, sent),
    };
    let drawn = b.ends(s, |how| how.sets_off() || how == How::TellTo);
    let named = coded.iter().cloned();
    let named = named.chain(drawn.iter().filter_map(|end| end.code.clone()));
    let counts = Counts::of(named, |command| {
        b.happened?
            .arrows(|arrow| sent(arrow).as_deref() == Some(command))
    });
    let ends = Ends {
        how: "does or asks for",
        clause: None,
        does: "does or asks for",
        coded: coded
            .into_iter()
            .map(|c| (c.clone(), b.sent_name(&c)))
            .collect(),
        drawn,
        times: &|command| counts.get(command),
        counted: b.happened.is_some(),
    };
    b.arrows(s, code, ends);
}

fn raises(b: &mut Builder<'_>, s: Subject<'_>, code: &str, entry: Option<&ProcessEntry>) {
    let coded = match entry {
        Some(entry) => entry.raises.clone(),
        None => of_arrows(b, |arrow| match arrow {
            Arrow::Voiced { process, event } if process == code => Some(event.clone()),
            _ => None,
        }),
    };
    let drawn = b.ends(s, |how| how == How::Raise);
    let named = coded.iter().cloned();
    let named = named.chain(drawn.iter().filter_map(|end| end.code.clone()));
    let counts = Counts::of(named, |event| {
        let names = b.stored_names(event);
        b.happened?.arrows(|arrow| match arrow {
            Arrow::Voiced { process, event } => process == code && names.contains(event),
            _ => false,
        })
    });
    let ends = Ends {
        how: "raises",
        clause: None,
        does: "raises",
        coded: coded
            .into_iter()
            .map(|e| (e.clone(), b.heard_name(&e)))
            .collect(),
        drawn,
        times: &|event| counts.get(event),
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
fn undrawn_steps(
    b: &mut Builder<'_>,
    s: Subject<'_>,
    code: &str,
    reactions: &[Reaction],
    happened: &Happened,
) {
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
        if process != code {
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
    let events = b.code.iter().flat_map(|manifest| &manifest.events);
    let mut now = events.filter(|(_, def)| def.was.iter().any(|was| was == stored));
    let code = now.next().map_or(stored, |(name, _)| name.as_str());
    b.heard_name(code)
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

/// The name of the note that a mention stands for, as the note itself is written.
fn named<'b>(b: &Builder<'b>, mention: &'b Mention) -> &'b str {
    let task = b.board.task(mention);
    task.map_or(mention.text(), |task| &task.note.name.text)
}

/// Deadlines as the board says them, and as they were set the last time.
fn deadlines(
    b: &mut Builder<'_>,
    s: Subject<'_>,
    code: &str,
    reactions: &[Reaction],
    happened: &Happened,
) {
    let waited = happened.deadlines.iter().filter(|w| w.process == code);
    for waited in waited {
        let entry = match &waited.command {
            Some(command) => within(b, s, reactions, waited, command),
            None => after(s, reactions, waited),
        };
        if let Some(entry) = entry {
            b.add(entry.code(code));
        }
    }
}

/// The time that a person has for a task.
fn within(
    b: &Builder<'_>,
    s: Subject<'_>,
    reactions: &[Reaction],
    waited: &Waited,
    command: &str,
) -> Option<Entry> {
    let name = b.sent_name(command)?;
    let role = waited.role.as_deref();
    let asked = |actor: &Mention| role.is_some_and(|role| same(actor.text(), role));
    let asks = reactions.iter().flat_map(|r| &r.steps);
    let asks: Vec<_> = asks
        .filter_map(|step| match &step.action {
            Action::Ask {
                actor,
                task,
                within,
            } if named(b, task) == name && asked(actor) => Some((step, within)),
            _ => None,
        })
        .collect();
    let (first, _) = asks.first()?;
    let periods: Vec<Period> = asks.iter().filter_map(|(_, within)| **within).collect();
    let part = Part::Deadline { of: name.clone() };
    if periods.iter().any(|p| is(*p, waited)) {
        let says = format!(
            "{} gives {} for `{name}`",
            s.whom(),
            length(waited.after_ms)
        );
        return Some(s.part(part, Verdict::Agrees, says).at(first.span));
    }
    let board = match said(&periods) {
        None => "the board says no time".into(),
        Some(said) => format!("the board says within {said}"),
    };
    let says = format!(
        "`{}` gives {} for `{name}`; {board}",
        waited.process,
        length(waited.after_ms)
    );
    let span = periods.first().map_or(first.span, |period| period.span);
    Some(s.part(part, Verdict::Differs, says).at(span))
}

/// The time after which a process does something by itself.
fn after(s: Subject<'_>, reactions: &[Reaction], waited: &Waited) -> Option<Entry> {
    let periods = reactions.iter().filter_map(|r| match &r.trigger {
        Trigger::After(period, _) => Some(*period),
        _ => None,
    });
    let periods: Vec<Period> = periods.collect();
    let of = waited.timer.trim_matches('"').to_string();
    let part = Part::Deadline { of: of.clone() };
    if let Some(period) = periods.iter().find(|p| is(**p, waited)) {
        let says = format!("{} waits {period}", s.whom());
        return Some(s.part(part, Verdict::Agrees, says).at(period.span));
    }
    let board = match said(&periods) {
        None => "the board has no `after`".into(),
        Some(said) => format!("the board says after {said}"),
    };
    let says = format!(
        "`{}` waits {} (`{of}`); {board}",
        waited.process,
        length(waited.after_ms)
    );
    let entry = s.part(part, Verdict::Differs, says);
    Some(match periods.as_slice() {
        [only] => entry.at(only.span),
        _ => entry,
    })
}

fn is(period: Period, waited: &Waited) -> bool {
    period.seconds().saturating_mul(1000) == waited.after_ms
}

fn said(periods: &[Period]) -> Option<String> {
    let mut said: Vec<String> = periods.iter().map(Period::to_string).collect();
    said.dedup();
    (!said.is_empty()).then(|| said.join(" or "))
}

/// A length of time in the largest unit in which it is whole.
fn length(ms: u64) -> String {
    let units = [
        ("day", 86_400_000),
        ("hour", 3_600_000),
        ("minute", 60_000),
        ("second", 1000),
    ];
    let whole = units.iter().find(|(_, unit)| ms >= *unit && ms % unit == 0);
    let (name, count) = whole.map_or(("millisecond", ms), |(name, unit)| (*name, ms / unit));
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
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
