//! Which note of the board is what in the code: by name, by an earlier name, or because it has the
//! same words and arrows under another name.

use super::name::{is_one_of, likeness, overlap, plain, plain_word};
use super::scope::{Scope, Scopes};
use crate::board::happened::{Arrow, Happened};
use fait_board::Board;
use fait_board::name::{kebab_name, same};
use fait_board::note::{Kind, Mention, Target};
use fait_board::ties::{How, Ties};
use fait_core::manifest::{Manifest, ProcessEntry};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A name in the code for each note, in the order of the board's lists.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    pub(super) events: Vec<Option<Paired>>,
    pub(super) tasks: Vec<Option<Paired>>,
    pub(super) views: Vec<Option<Paired>>,
    pub(super) processes: Vec<Option<Paired>>,
    pub(super) policies: Vec<Option<Paired>>,
}

/// A note found in the code.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Paired {
    /// The name there.
    pub(super) code: String,
    /// How it was found.
    pub(super) by: By,
}

/// How a note was found in the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// It has the same name.
    Name,
    /// The board says `was`, and the code has the old name still.
    OldOnBoard,
    /// The code was renamed, and says what the name was.
    OldInCode,
    /// It looks the same.
    Shape,
}

/// What a thing looks like, whatever it is called.
#[derive(Debug, Default)]
struct Shape {
    names: Vec<String>,
    was: Vec<String>,
    words: BTreeSet<String>,
    arrows: BTreeSet<String>,
    expected: bool,
}

impl Shape {
    /// How sure it is that both are one thing under two names; none when it is not.
    fn is(&self, code: &Shape) -> Option<f64> {
        let names = self
            .names
            .iter()
            .flat_map(|a| code.names.iter().map(move |b| (a, b)));
        let name = names.map(|(a, b)| likeness(a, b)).fold(0.0, f64::max);
        let (words, arrows) = (
            overlap(&self.words, &code.words),
            overlap(&self.arrows, &code.arrows),
        );
        let alike = (words > 0.99 && arrows > 0.99)
            || name >= 0.75
            || (name >= 0.5 && words >= 0.5 && arrows >= 0.5);
        alike.then_some(name + words + arrows)
    }
}

/// Whether something drawn is something coded.
type Is = fn(&Shape, &Shape) -> bool;

/// Pairs what is drawn with what is coded, each with one at most: by name, then by what it was
/// called, then what only looks the same.
fn pair(drawn: &[Shape], coded: &BTreeMap<String, Shape>) -> Vec<Option<Paired>> {
    let mut pairs: Vec<Option<Paired>> = vec![None; drawn.len()];
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    let ways: [(By, Is); 3] = [
        (By::Name, |d, c| any_same(&d.names, &c.names)),
        (By::OldInCode, |d, c| any_same(&d.names, &c.was)),
        (By::OldOnBoard, |d, c| any_same(&d.was, &c.names)),
    ];
    for (by, is) in ways {
        for (at, shape) in drawn.iter().enumerate() {
            if pairs[at].is_some() {
                continue;
            }
            let free = coded
                .iter()
                .filter(|(name, _)| !taken.contains(name.as_str()));
            if let Some((name, _)) = free.into_iter().find(|(_, c)| is(shape, c)) {
                taken.insert(name);
                let code = name.clone();
                pairs[at] = Some(Paired { code, by });
            }
        }
    }
    let mut likely = vec![];
    let left = |at: &usize| pairs[*at].is_none() && drawn[*at].expected;
    for at in (0..drawn.len()).filter(left) {
        let free = coded
            .iter()
            .filter(|(name, _)| !taken.contains(name.as_str()));
        likely.extend(free.filter_map(|(name, c)| Some((drawn[at].is(c)?, at, name))));
    }
    likely.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (_, at, name) in likely {
        if pairs[at].is_none() && taken.insert(name) {
            let code = name.clone();
            pairs[at] = Some(Paired {
                code,
                by: By::Shape,
            });
        }
    }
    pairs
}

fn any_same(board: &[String], code: &[String]) -> bool {
    code.iter()
        .any(|c| is_one_of(c, board.iter().map(String::as_str)))
}

impl Pairs {
    pub(super) fn new(
        board: &Board,
        ties: &Ties,
        scopes: &Scopes<'_>,
        code: Option<&Manifest>,
        happened: Option<&Happened>,
    ) -> Pairs {
        let drawn = Drawn {
            board,
            ties,
            scopes,
        };
        let nothing = Happened::default();
        let happened = happened.unwrap_or(&nothing);
        let coded = match code {
            Some(manifest) => Coded::of(manifest),
            None => Coded::only(happened),
        };
        Pairs {
            events: pair(&drawn.events(), &coded.events),
            tasks: pair(&drawn.tasks(), &coded.tasks),
            views: pair(&drawn.views(), &coded.views),
            processes: pair(&drawn.reacting(Kind::Process), &coded.processes),
            policies: pair(&drawn.reacting(Kind::Policy), &coded.policies),
        }
    }

    /// The name in the code of what a target on the board stands for.
    pub(super) fn of(&self, kind: Kind, index: usize) -> Option<&Paired> {
        let list = match kind {
            Kind::Event => &self.events,
            Kind::Task => &self.tasks,
            Kind::View => &self.views,
            Kind::Process => &self.processes,
            Kind::Policy => &self.policies,
            _ => return None,
        };
        list.get(index)?.as_ref()
    }

    /// The index of the note that is called so in the code.
    pub(super) fn note(&self, kind: Kind, code: &str) -> Option<usize> {
        let list = match kind {
            Kind::Event => &self.events,
            Kind::Task => &self.tasks,
            Kind::View => &self.views,
            Kind::Process => &self.processes,
            Kind::Policy => &self.policies,
            _ => return None,
        };
        let is = |pair: &Option<Paired>| pair.as_ref().is_some_and(|p| p.code == code);
        list.iter().position(is)
    }
}

/// The shapes of what is drawn.
struct Drawn<'a> {
    board: &'a Board,
    ties: &'a Ties,
    scopes: &'a Scopes<'a>,
}

impl Drawn<'_> {
    fn shape(&self, kind: Kind, index: usize, name: &str) -> Shape {
        Shape {
            names: vec![name.into()],
            expected: self.scopes.of(kind, index) == Scope::Expected,
            ..Shape::default()
        }
    }

    fn events(&self) -> Vec<Shape> {
        let events = self.board.events.iter().enumerate();
        let shape = |(at, event): (usize, &fait_board::notes::Event)| {
            let raised = self.ties.to(Target::Note(Kind::Event, at));
            let raisers = raised.filter(|tie| tie.how.raises()).map(|tie| tie.from);
            Shape {
                was: event.was.iter().map(|said| said.text.clone()).collect(),
                words: texts(&event.records),
                arrows: raisers.filter_map(|from| self.name(from)).collect(),
                ..self.shape(Kind::Event, at, &event.note.name.text)
            }
        };
        events.map(shape).collect()
    }

    fn tasks(&self) -> Vec<Shape> {
        let tasks = self.board.tasks.iter().enumerate();
        let shape = |(at, task): (usize, &fait_board::notes::Task)| Shape {
            words: texts(&task.asks),
            arrows: task
                .raises
                .iter()
                .map(|r| kebab_name(r.event.text()))
                .collect(),
            ..self.shape(Kind::Task, at, &task.note.name.text)
        };
        tasks.map(shape).collect()
    }

    fn views(&self) -> Vec<Shape> {
        let views = self.board.views.iter().enumerate();
        let shape = |(at, view): (usize, &fait_board::notes::View)| Shape {
            words: texts(&view.shows),
            arrows: texts(&view.from),
            ..self.shape(Kind::View, at, &view.note.name.text)
        };
        views.map(shape).collect()
    }

    fn reacting(&self, kind: Kind) -> Vec<Shape> {
        let names: Vec<&str> = match kind {
            Kind::Policy => {
                let policies = self.board.policies.iter();
                policies.map(|n| n.note.name.text.as_str()).collect()
            }
            _ => {
                let processes = self.board.processes.iter();
                processes.map(|n| n.note.name.text.as_str()).collect()
            }
        };
        let shape = |(at, name): (usize, &str)| {
            let ties = || self.ties.from(Target::Note(kind, at));
            let sends = |how: How| how.sets_off() || how == How::TellTo;
            let sent = ties().filter(|tie| sends(tie.how));
            let heard = ties().filter(|tie| tie.how.hears());
            Shape {
                words: sent.filter_map(|tie| self.name(tie.to)).collect(),
                arrows: heard.filter_map(|tie| self.name(tie.to)).collect(),
                ..self.shape(kind, at, name)
            }
        };
        names.into_iter().enumerate().map(shape).collect()
    }

    fn name(&self, target: Target) -> Option<String> {
        let board = self.board;
        let name = match target {
            Target::Note(Kind::Task, at) => &board.tasks.get(at)?.note.name,
            Target::Note(Kind::Event, at) => &board.events.get(at)?.note.name,
            Target::Note(Kind::Policy, at) => &board.policies.get(at)?.note.name,
            Target::Note(Kind::Process, at) => &board.processes.get(at)?.note.name,
            Target::Sent(system, at) => board.systems.get(system)?.sends.get(at)?,
            Target::Taken(system, at) => board.systems.get(system)?.takes.get(at)?,
            Target::Note(..) => return None,
        };
        Some(kebab_name(&name.text))
    }
}

/// The shapes of what is coded, by name.
#[derive(Default)]
struct Coded {
    events: BTreeMap<String, Shape>,
    tasks: BTreeMap<String, Shape>,
    views: BTreeMap<String, Shape>,
    processes: BTreeMap<String, Shape>,
    policies: BTreeMap<String, Shape>,
}

impl Coded {
    fn of(manifest: &Manifest) -> Coded {
        let mut coded = Coded::default();
        for name in readable(manifest) {
            coded.events.insert(name.into(), named(name));
        }
        for (name, def) in &manifest.events {
            let shape = Shape {
                was: def.was.clone(),
                words: properties(&def.schema)
                    .map(|(name, _)| as_word(name))
                    .collect(),
                ..named(name)
            };
            coded.events.insert(name.clone(), shape);
        }
        for (name, command) in &manifest.commands {
            for event in &command.emits {
                let shape = coded.events.entry(event.clone()).or_default();
                shape.arrows.insert(kebab_name(&plain(name)));
            }
            if command.page.to.is_none() {
                let fields = command.fields.iter().map(|f| as_word(&f.name));
                let shape = Shape {
                    words: fields.collect(),
                    arrows: names(&command.emits),
                    ..named(name)
                };
                coded.tasks.insert(name.clone(), shape);
            }
        }
        for (name, view) in &manifest.views {
            let shape = Shape {
                words: properties(&view.row)
                    .map(|(name, _)| as_word(name))
                    .collect(),
                arrows: names(&view.types),
                ..named(name)
            };
            coded.views.insert(name.clone(), shape);
        }
        let reacts = |entries: &BTreeMap<String, ProcessEntry>| {
            let shapes = entries.iter().map(|(name, p)| {
                let mut shape = named(name);
                shape.names.push(p.title.clone());
                (shape.words, shape.arrows) = (names(&p.sends), names(&p.types));
                (name.clone(), shape)
            });
            shapes.collect::<BTreeMap<_, _>>()
        };
        for (name, process) in manifest.processes.iter().chain(&manifest.policies) {
            for event in &process.raises {
                let shape = coded.events.entry(event.clone()).or_default();
                shape.arrows.insert(kebab_name(&plain(name)));
            }
        }
        coded.processes = reacts(&manifest.processes);
        coded.policies = reacts(&manifest.policies);
        coded
    }

    /// Without a manifest, what happened is all that is known.
    fn only(happened: &Happened) -> Coded {
        let shapes = |names: Vec<&String>| -> BTreeMap<String, Shape> {
            names
                .into_iter()
                .map(|name| (name.clone(), named(name)))
                .collect()
        };
        let mut commands: Vec<&String> = happened.commands.keys().collect();
        commands.extend(happened.arrows.iter().filter_map(|(arrow, _)| match arrow {
            Arrow::Sent {
                command,
                system: None,
                ..
            } => Some(command),
            _ => None,
        }));
        Coded {
            events: shapes(happened.events.keys().collect()),
            tasks: shapes(commands),
            views: BTreeMap::new(),
            processes: shapes(happened.processes.keys().collect()),
            policies: shapes(happened.processes.keys().collect()),
        }
    }
}

fn named(name: &str) -> Shape {
    Shape {
        names: vec![name.into()],
        ..Shape::default()
    }
}

fn names(code: &[String]) -> BTreeSet<String> {
    code.iter().map(|name| kebab_name(&plain(name))).collect()
}

fn texts(mentions: &[Mention]) -> BTreeSet<String> {
    mentions.iter().map(|m| kebab_name(m.text())).collect()
}

fn as_word(field: &str) -> String {
    kebab_name(&plain_word(field))
}

/// The properties of a JSON Schema with theirs.
pub(super) fn properties(schema: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flatten()
        .map(|(name, schema)| (name.as_str(), schema))
}

/// Every event type that some code writes or reads.
pub(super) fn readable(manifest: &Manifest) -> BTreeSet<&str> {
    let read = manifest.commands.values().flat_map(|c| &c.reads);
    let shown = manifest.views.values().flat_map(|v| &v.types);
    let reacting = manifest
        .processes
        .values()
        .chain(manifest.policies.values());
    let heard = reacting.flat_map(|p| &p.types);
    let written = manifest.events.keys();
    let all = read.chain(shown).chain(heard).chain(written);
    all.map(String::as_str).collect()
}

/// The name of the code for a message of a system, when the code has it.
pub(super) fn message<'m>(names: impl Iterator<Item = &'m String>, said: &str) -> Option<String> {
    let mut names = names;
    names.find(|name| same(said, name)).cloned()
}
