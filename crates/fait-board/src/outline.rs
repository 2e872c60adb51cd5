//! The board as headings and lists: what the picture says, for those who read or hear it.

use crate::board::Board;
use crate::note::{Kind, Mention, Note};
use crate::notes::{Action, Event, Process, Reaction, Step, Task};
use crate::place::Said;
use crate::wording::{either, listed, trigger};

/// A heading with what stands below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// The heading.
    pub heading: String,
    /// The note it is about; [`Entry::note`] says more.
    pub note: Option<(Kind, String)>,
    /// The list below it.
    pub entries: Vec<Entry>,
}

/// A line of a list, with the list below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// What it says.
    pub text: String,
    /// The note it is about: kind and name. [`note_id`](crate::name::note_id) gives its place in
    /// the picture.
    pub note: Option<(Kind, String)>,
    /// What more is to say.
    pub entries: Vec<Entry>,
}

/// The board as text: what it is about, the chapters with their tasks and events, the policies
/// and processes with their reactions, the words, and what is still open.
#[must_use]
pub fn outline(board: &Board) -> Vec<Section> {
    let mut sections = vec![opening(board)];
    let outside = Story {
        board,
        chapter: None,
    }
    .entries();
    sections.push(Section {
        heading: "Story".to_owned(),
        note: None,
        entries: outside,
    });
    for (index, chapter) in board.chapters.iter().enumerate() {
        let mut entries = remarks(&chapter.note);
        entries.extend(
            Story {
                board,
                chapter: Some(index),
            }
            .entries(),
        );
        sections.push(section(Kind::Chapter, &chapter.note, entries));
    }
    let policies = board.policies.iter().map(|policy| {
        let mut entries = remarks(&policy.note);
        entries.extend(policy.reactions.iter().map(reaction));
        (
            policy.note.order,
            section(Kind::Policy, &policy.note, entries),
        )
    });
    let processes = board.processes.iter().map(|process| {
        (
            process.note.order,
            section(Kind::Process, &process.note, running(process)),
        )
    });
    let mut reacting: Vec<_> = policies.chain(processes).collect();
    reacting.sort_by_key(|(order, _)| *order);
    sections.extend(reacting.into_iter().map(|(_, section)| section));
    sections.extend(beside(board));
    sections.retain(|section| section.note.is_some() || !section.entries.is_empty());
    sections
}

fn opening(board: &Board) -> Section {
    let mut entries: Vec<Entry> = board.about.iter().map(|about| line(&about.text)).collect();
    entries.extend(board.questions.iter().map(question));
    let note = Some((Kind::Board, board.name().to_owned()));
    Section {
        heading: board.name().to_owned(),
        note,
        entries,
    }
}

/// The part of the story in one chapter, or outside of all.
struct Story<'b> {
    board: &'b Board,
    chapter: Option<usize>,
}

impl Story<'_> {
    fn has(&self, note: &Note) -> bool {
        note.chapter == self.chapter
    }

    fn entries(&self) -> Vec<Entry> {
        let board = self.board;
        let mut all: Vec<(usize, Entry)> = Vec::new();
        let mut add = |note: &Note, entry: Entry| all.push((note.order, entry));
        for found in board.tasks.iter().filter(|found| self.has(&found.note)) {
            add(&found.note, task(board, found));
        }
        for found in board.views.iter().filter(|found| self.has(&found.note)) {
            let mut entries = Vec::new();
            entries.extend(told("for ", &found.viewers));
            entries.extend(told(
                "shows ",
                &found.shows[..found.shows.len() - found.works_out.len()],
            ));
            entries.extend(told("works out ", &found.works_out));
            entries.extend(told("from ", &found.from));
            add(&found.note, entry(Kind::View, &found.note, entries));
        }
        for found in board.events.iter().filter(|found| self.has(&found.note)) {
            add(&found.note, event(found));
        }
        for found in board.models.iter().filter(|found| self.has(&found.note)) {
            let mut entries = Vec::new();
            entries.extend(told("one per ", &found.one_per));
            entries.extend(told("remembers ", &found.remembers));
            entries.extend(
                found
                    .rules
                    .iter()
                    .map(|rule| line(&format!("rule: {}", rule.text))),
            );
            add(&found.note, entry(Kind::Model, &found.note, entries));
        }
        all.sort_by_key(|(order, _)| *order);
        all.into_iter().map(|(_, entry)| entry).collect()
    }
}

fn task(board: &Board, task: &Task) -> Entry {
    let mut entries = Vec::new();
    entries.extend(told("done by ", &task.by));
    if task.public.is_some() {
        entries.push(line("public: other systems may ask for it"));
    }
    entries.extend(told("sees ", &task.sees));
    entries.extend(told("asks ", &task.asks));
    entries.extend(told("works out ", &task.works_out));
    entries.extend(told("decided by ", task.on.as_slice()));
    for raises in &task.raises {
        let or = if raises.otherwise { "or " } else { "" };
        let when = raises
            .when
            .as_ref()
            .map(|when| format!(" when {}", when.text));
        let text = format!(
            "{or}raises {}{}",
            raises.event.text(),
            when.unwrap_or_default()
        );
        let note = board
            .event(&raises.event)
            .map(|event| named(Kind::Event, &event.note));
        entries.push(Entry {
            text,
            note,
            entries: Vec::new(),
        });
    }
    let refused = task.refused_when.iter();
    entries.extend(refused.map(|reason| line(&format!("refused when {}", reason.text))));
    entries.extend(told("undone by ", task.undone_by.as_slice()));
    entry(Kind::Task, &task.note, entries)
}

fn event(event: &Event) -> Entry {
    let mut entries = Vec::new();
    entries.extend(told("records ", &event.records));
    if event.pivotal.is_some() {
        entries.push(line("a turning point"));
    }
    if event.public.is_some() {
        entries.push(line("public: other systems may hear of it"));
    }
    entry(Kind::Event, &event.note, entries)
}

fn running(process: &Process) -> Vec<Entry> {
    let mut entries = remarks(&process.note);
    entries.extend(told("one per ", &process.one_per));
    entries.extend(told("also known by ", &process.also_known_by));
    entries.extend(process.reactions.iter().map(reaction));
    for (how, events) in [
        ("ends on", &process.ends_on),
        ("gives up on", &process.gives_up_on),
    ] {
        if !events.is_empty() {
            entries.push(line(&format!("{how} {}", either(events))));
        }
    }
    entries
}

fn reaction(reaction: &Reaction) -> Entry {
    let (trigger, condition) = trigger(&reaction.trigger);
    let text = if condition.is_empty() {
        trigger
    } else {
        format!("{trigger} {condition}")
    };
    Entry {
        text,
        note: None,
        entries: reaction.steps.iter().map(step).collect(),
    }
}

fn step(step: &Step) -> Entry {
    let (text, mention, kind) = match &step.action {
        Action::Ask {
            actor,
            task,
            within,
        } => {
            let within = within
                .map(|within| format!(" within {within}"))
                .unwrap_or_default();
            (
                format!("ask {} to {}{within}", actor.text(), task.text()),
                task,
                Kind::Task,
            )
        }
        Action::Do { task } => (format!("do {}", task.text()), task, Kind::Task),
        Action::Tell { system, message } => (
            format!("tell {} to {}", system.text(), message.text()),
            system,
            Kind::System,
        ),
        Action::Raise { event } => (format!("raise {}", event.text()), event, Kind::Event),
    };
    let note = mention.target.map(|_| (kind, mention.text().to_owned()));
    Entry {
        text,
        note,
        entries: Vec::new(),
    }
}

fn beside(board: &Board) -> Vec<Section> {
    let actors = board
        .actors
        .iter()
        .map(|found| entry(Kind::Actor, &found.note, vec![]));
    let systems = board.systems.iter().map(|found| {
        let all = [("takes", &found.takes), ("sends", &found.sends)];
        let lines = all
            .iter()
            .filter(|(_, said)| !said.is_empty())
            .map(|(how, said)| {
                let names: Vec<&str> = said.iter().map(|name| name.text.as_str()).collect();
                line(&format!("{how} {}", names.join(", ")))
            });
        entry(Kind::System, &found.note, lines.collect())
    });
    let words = board.words.iter().map(|word| {
        let mut found = entry(Kind::Word, &word.note, vec![]);
        let is = word
            .is
            .as_ref()
            .map(|is| format!(" is {is}"))
            .unwrap_or_default();
        found.text = format!("{}{is}", word.note.name.text);
        found
    });
    let contexts = board.contexts.iter().map(|context| {
        let elsewhere = context.runs_elsewhere.map(|_| line("runs elsewhere"));
        entry(
            Kind::Context,
            &context.note,
            elsewhere.into_iter().collect(),
        )
    });
    let open = board
        .hotspots
        .iter()
        .map(|found| question(&found.note.name));
    let ideas = board
        .ideas
        .iter()
        .map(|found| entry(Kind::Idea, &found.note, vec![]));
    let plain = |heading: &str, entries: Vec<Entry>| Section {
        heading: heading.to_owned(),
        note: None,
        entries,
    };
    vec![
        plain("Contexts", contexts.collect()),
        plain("Who takes part", actors.chain(systems).collect()),
        plain("Words", words.collect()),
        plain("Questions and ideas", open.chain(ideas).collect()),
    ]
}

fn section(kind: Kind, note: &Note, entries: Vec<Entry>) -> Section {
    let heading = format!("{}: {}", capital(kind.keyword()), note.name.text);
    Section {
        heading,
        note: Some(named(kind, note)),
        entries,
    }
}

/// A note with its remarks behind what is special about its kind.
fn entry(kind: Kind, note: &Note, mut entries: Vec<Entry>) -> Entry {
    entries.extend(remarks(note));
    let text = format!("{}: {}", capital(kind.keyword()), note.name.text);
    Entry {
        text,
        note: Some(named(kind, note)),
        entries,
    }
}

/// What every note may say.
fn remarks(note: &Note) -> Vec<Entry> {
    let planned = note.planned.map(|_| line("planned: not in the code yet"));
    let about = note.about.iter().map(|about| line(&about.text));
    planned
        .into_iter()
        .chain(about)
        .chain(note.questions.iter().map(question))
        .collect()
}

fn named(kind: Kind, note: &Note) -> (Kind, String) {
    (kind, note.name.text.clone())
}

fn question(text: &Said) -> Entry {
    let note = Some((Kind::Hotspot, text.text.clone()));
    Entry {
        text: format!("Open question: {}", text.text),
        note,
        entries: Vec::new(),
    }
}

fn told(before: &str, mentions: &[Mention]) -> Option<Entry> {
    (!mentions.is_empty()).then(|| line(&format!("{before}{}", listed(mentions))))
}

fn line(text: &str) -> Entry {
    Entry {
        text: text.to_owned(),
        ..Entry::default()
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
