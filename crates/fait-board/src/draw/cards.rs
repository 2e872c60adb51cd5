//! The card of each kind of note.

use std::collections::BTreeMap;

use super::card::{CARD_WIDTH, Card, INDENT, Shape};
use super::columns::{Doer, Happening};
use super::text::{Pen, grouped};
use crate::board::Board;
use crate::name::rust_name;
use crate::note::{Kind, Mention, Note};
use crate::notes::{Action, Period, Reaction};
use crate::place::Said;
use crate::wording::{either, listed, trigger};

/// The open questions of a note that stands on a way down, which stays free left of them.
pub(super) fn indented_questions(note: &Note) -> impl Iterator<Item = Card> {
    let on = &note.name.text;
    note.questions
        .iter()
        .map(|text| asked(text, on, INDENT).write(Pen::Question, &text.text))
}

/// An open question; `on` is what it is asked about.
pub(super) fn question(text: &Said, on: &str) -> Card {
    asked(text, on, 0).write(Pen::Question, &text.text)
}

/// The card of a question, before anything is written on it.
fn asked(text: &Said, on: &str, indent: i32) -> Card {
    let label = format!("open question on {on}: {}", text.text);
    let mut card = Card::new("note hotspot", Shape::Paper, label);
    card.note = Some((Kind::Hotspot, text.text.clone()));
    (card.indent, card.width) = (indent, CARD_WIDTH - indent);
    card
}

/// The open questions of a note.
pub(super) fn questions(note: &Note) -> impl Iterator<Item = Card> {
    note.questions
        .iter()
        .map(|text| question(text, &note.name.text))
}

pub(super) fn doer(board: &Board, doer: Doer) -> Option<Card> {
    let robot = |text: &str| {
        Card::new("note robot", Shape::Pill, format!("done by: {text}")).write(Pen::Detail, text)
    };
    let (kind, note) = match doer {
        Doer::Actor(index) => (Kind::Actor, &board.actors.get(index)?.note),
        Doer::System(index) => (Kind::System, &board.systems.get(index)?.note),
        Doer::Automatic => return Some(robot("Automatic")),
        Doer::AnotherSystem => return Some(robot("Another system")),
        Doer::Nobody => return Some(robot("Nobody yet")),
    };
    let label = format!("{}: {}", kind.keyword(), note.name.text);
    let card = Card::of_note(kind, note, Shape::Pill, label);
    Some(card.write(Pen::Name, &note.name.text))
}

pub(super) fn view(board: &Board, index: usize) -> Option<Card> {
    let view = board.views.get(index)?;
    let name = &view.note.name.text;
    let label = format!("view: {name}{}", clause(", shows ", &listed(&view.shows)));
    Some(Card::of_note(Kind::View, &view.note, Shape::Paper, label).write(Pen::Name, name))
}

pub(super) fn task(board: &Board, index: usize) -> Option<Card> {
    let task = board.tasks.get(index)?;
    let name = &task.note.name.text;
    let asks = listed(&task.asks);
    let raises: Vec<&str> = task
        .raises
        .iter()
        .map(|raises| raises.event.text())
        .collect();
    let label = format!(
        "task: {name}{}{}{}",
        clause(", asks ", &asks),
        clause(", raises ", &raises.join(" or ")),
        planned(&task.note),
    );
    let card = Card::of_note(Kind::Task, &task.note, Shape::Button, label);
    Some(card.write(Pen::Name, name).write(Pen::Detail, &asks))
}

/// A model; the card is as wide as the columns it serves, but its text stays in the first.
pub(super) fn model(board: &Board, index: usize) -> Option<Card> {
    let model = board.models.get(index)?;
    let name = &model.note.name.text;
    let per: Vec<&str> = model.one_per.iter().map(Mention::text).collect();
    let one_per = clause("one per ", &per.join(" and "));
    let label = format!(
        "model: {name}{}{}",
        clause(", ", &one_per),
        planned(&model.note)
    );
    let card = Card::of_note(Kind::Model, &model.note, Shape::Paper, label);
    Some(card.write(Pen::Name, name).write(Pen::Detail, &one_per))
}

pub(super) fn event(
    board: &Board,
    happening: &Happening,
    counts: &BTreeMap<String, u64>,
) -> Option<Card> {
    let event = board.events.get(happening.event)?;
    let name = &event.note.name.text;
    let condition = match (&happening.when, happening.otherwise) {
        (Some(when), _) => format!("or, when {when}:"),
        (None, true) => "or:".to_owned(),
        (None, false) => String::new(),
    };
    let records = listed(&event.records);
    let count = counts.get(name).or_else(|| counts.get(&rust_name(name)));
    let happened = count
        .map(|count| format!("{} times", grouped(*count)))
        .unwrap_or_default();
    let label = format!(
        "event: {name}{}{}{}{}",
        clause(", records ", &records),
        clause(", happened ", &happened),
        if event.pivotal.is_some() {
            ", a turning point"
        } else {
            ""
        },
        planned(&event.note),
    );
    let mut card = Card::of_note(Kind::Event, &event.note, Shape::Paper, label);
    if event.pivotal.is_some() {
        card.class.push_str(" pivotal");
    }
    card.badge = count.map(|count| grouped(*count));
    Some(
        card.write(Pen::When, &condition)
            .write(Pen::Name, name)
            .write(Pen::Detail, &records),
    )
}

/// A reaction, with the line at which each step stands.
pub(super) fn reaction(of: &str, reaction: &Reaction) -> (Card, Vec<usize>) {
    let waits = reaction.trigger.waits();
    let (class, shape, pen) = if waits {
        ("reaction timer", Shape::Clock, Pen::Waits)
    } else {
        ("reaction", Shape::Paper, Pen::Trigger)
    };
    let (trigger, condition) = trigger(&reaction.trigger);
    let steps: Vec<(Pen, String, String)> = reaction
        .steps
        .iter()
        .map(|step| action(&step.action))
        .collect();
    let said: Vec<String> = steps
        .iter()
        .map(|(_, step, within)| format!("{step}{}", clause(" ", within)))
        .collect();
    let label = format!(
        "{of}: {trigger}{}: {}",
        clause(" ", &condition),
        said.join(", ")
    );
    let mut card = Card::new(class, shape, label)
        .write(pen, &trigger)
        .write(Pen::When, &condition);
    let mut lines = Vec::new();
    for (pen, step, within) in &steps {
        lines.push(card.put(*pen, step));
        card.put(Pen::Detail, within);
    }
    (card, lines)
}

/// What a step does, and until when.
fn action(action: &Action) -> (Pen, String, String) {
    let until = |within: &Period| format!("within {within}");
    match action {
        Action::Ask {
            actor,
            task,
            within,
        } => {
            let text = format!("{}: {}", actor.text(), task.text());
            (
                Pen::Step,
                text,
                within.as_ref().map(until).unwrap_or_default(),
            )
        }
        Action::Do { task } => (Pen::Step, format!("do {}", task.text()), String::new()),
        Action::Tell { system, message } => (
            Pen::Tell,
            format!("tell {}: {}", system.text(), message.text()),
            String::new(),
        ),
        Action::Raise { event } => (Pen::Raise, format!("raise {}", event.text()), String::new()),
    }
}

/// Where a process ends, or gives up.
pub(super) fn end(of: &str, how: &str, events: &[Mention]) -> Card {
    let text = format!("{how} {}", either(events));
    Card::new("end", Shape::Ring, format!("{of} {text}")).write(Pen::Detail, &text)
}

/// What stands beside the story: other systems, questions, ideas, people without a task.
pub(super) fn beside(board: &Board) -> Vec<Card> {
    let mut all = Vec::new();
    for system in &board.systems {
        let name = &system.note.name.text;
        let takes = said("takes ", &system.takes);
        let sends = said("sends ", &system.sends);
        let label = format!(
            "system: {name}{}{}",
            clause(", ", &takes),
            clause(", ", &sends)
        );
        let card = Card::of_note(Kind::System, &system.note, Shape::Paper, label);
        all.push(
            card.write(Pen::Name, name)
                .write(Pen::Detail, &takes)
                .write(Pen::Detail, &sends),
        );
    }
    let busy = |index: usize| {
        board
            .tasks
            .iter()
            .flat_map(|task| &task.by)
            .any(|m| m.index(Kind::Actor) == Some(index))
    };
    let idle = (0..board.actors.len()).filter(|index| !busy(*index));
    all.extend(idle.filter_map(|index| doer(board, Doer::Actor(index))));
    all.extend(
        board
            .questions
            .iter()
            .map(|text| question(text, board.name())),
    );
    for hotspot in &board.hotspots {
        all.push(question(&hotspot.note.name, "the board"));
    }
    for (kind, note) in board.notes() {
        // The others have a place of their own, where their questions stand below them.
        let elsewhere = matches!(
            kind,
            Kind::View | Kind::Task | Kind::Event | Kind::Model | Kind::Policy | Kind::Process
        );
        if !elsewhere {
            all.extend(questions(note).map(|card| {
                let on = format!("on {} {}", kind.keyword(), note.name.text);
                card.write(Pen::Detail, &on)
            }));
        }
    }
    for idea in &board.ideas {
        let text = &idea.note.name.text;
        let card = Card::of_note(
            Kind::Idea,
            &idea.note,
            Shape::Paper,
            format!("idea: {text}"),
        );
        all.push(card.write(Pen::Detail, text));
    }
    all.iter_mut().for_each(|card| card.width = CARD_WIDTH);
    all
}

/// A phrase with words before it, or nothing for an empty one.
fn clause(before: &str, text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("{before}{text}")
    }
}

fn planned(note: &Note) -> &'static str {
    if note.planned.is_some() {
        ", planned"
    } else {
        ""
    }
}

fn said(before: &str, all: &[Said]) -> String {
    clause(
        before,
        &all.iter()
            .map(|said| said.text.as_str())
            .collect::<Vec<_>>()
            .join(", "),
    )
}
