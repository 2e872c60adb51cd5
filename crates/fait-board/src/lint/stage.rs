//! What stands on the stage: events, tasks, models, views, actors, and whether each has its place.

use std::collections::{HashMap, HashSet};

use super::desk::{Desk, found};
use super::language::{Language, Words};
use crate::board::Board;
use crate::note::{Kind, Level, Mention, Note, Target};
use crate::notes::{Event, Task, View};
use crate::place::Said;
use crate::problem::Problem;
use crate::ties::How;

pub(super) fn check(desk: &mut Desk<'_>) {
    let board = desk.board;
    let sent: HashSet<&str> = board
        .systems
        .iter()
        .flat_map(|system| system.sends.iter().map(|message| message.text.as_str()))
        .collect();
    for (target, event) in desk.each(Kind::Event, &board.events) {
        happens(desk, target, event, &sent);
    }
    for (target, task) in desk.each(Kind::Task, &board.tasks) {
        if !desk.elsewhere(&task.note) {
            does(desk, target, task);
        }
    }
    for (_, model) in desk.each(Kind::Model, &board.models) {
        if model.one_per.is_empty() && !desk.elsewhere(&model.note) {
            let problem = said(
                &model.note,
                "B307",
                "it is not said of what there is one {}",
            );
            let help = "say `one per <word>`, so that a decision finds its past";
            desk.lacks(&model.note, problem.with_help(help));
        }
    }
    for (target, actor) in desk.each(Kind::Actor, &board.actors) {
        let acts = |how| matches!(how, How::By | How::AskOf | How::For);
        if !desk.named(target).any(|tie| acts(tie.how)) {
            let message = format!("{} has nothing to do", actor.note.name.text);
            let help = "say `by` in a task that they do, or take them off the board";
            desk.tell(found("B318", actor.note.span, message).with_help(help));
        }
    }
    for (target, view) in desk.each(Kind::View, &board.views) {
        if !desk.elsewhere(&view.note) {
            shows(desk, target, view);
        }
    }
    unseen_reasons(desk);
}

/// A problem of a whole note; `{}` in the message is its name.
pub(super) fn said(note: &Note, code: &'static str, message: &str) -> Problem {
    let name = format!("`{}`", note.name.text);
    found(code, note.span, message.replacen("{}", &name, 1))
}

fn happens(desk: &mut Desk<'_>, target: Target, event: &Event, sent: &HashSet<&str>) {
    let note = &event.note;
    let by_us = desk.named(target).any(|tie| tie.how.raises());
    let elsewhere = desk.elsewhere(note);
    if !by_us && !elsewhere && !sent.contains(note.name.text.as_str()) {
        let help = "an event answers an input: a task, another system, or time passing. \
                    Add `raises`, or `raise` in a process";
        desk.tell(said(note, "B301", "nothing raises {}").with_help(help));
    }
    let heard = desk.named(target).any(|tie| tie.how.hears());
    if !heard && event.public.is_none() && !elsewhere {
        let help = "perhaps a view shows it, a model remembers it or a process goes on with it";
        desk.tell(said(note, "B302", "nobody listens to {}").with_help(help));
    }
    if event.records.is_empty() {
        let help = "say `records <word>, <word>`: at least what it happened to";
        desk.lacks(
            note,
            said(note, "B303", "{} records nothing").with_help(help),
        );
    }
}

fn does(desk: &mut Desk<'_>, target: Target, task: &Task) {
    let note = &task.note;
    let sets_off = |how: How| how.sets_off() || how == How::UndoneBy;
    let set_off = desk.named(target).any(|tie| sets_off(tie.how));
    if task.by.is_empty() && task.public.is_none() && !set_off {
        let help = "say `by <actor>`, let a process `do` it, or make it `public`";
        desk.lacks(note, said(note, "B304", "nobody can do {}").with_help(help));
    }
    if task.raises.is_empty() {
        let help = "say `raises <event>`: what has happened when it is done?";
        desk.lacks(
            note,
            said(note, "B305", "{} changes nothing").with_help(help),
        );
    }
    if task.on.is_none() {
        let help = "say `on <model>`: who knows whether this may be done?";
        desk.lacks(
            note,
            said(note, "B306", "nothing decides {}").with_help(help),
        );
    }
    // A name that stands for nothing may be that of a person.
    let person = |by: &Mention| by.index(Kind::System).is_none();
    if task.sees.is_empty() && task.by.iter().any(person) {
        let message = "{} is done blind: the person sees nothing";
        desk.lacks(
            note,
            said(note, "B403", message).with_help("say `sees <view>`"),
        );
    }
}

fn shows(desk: &mut Desk<'_>, target: Target, view: &View) {
    let note = &view.note;
    if view.from.is_empty() {
        let help = "say `from <event>, <event>`";
        desk.lacks(note, said(note, "B401", "nothing feeds {}").with_help(help));
    }
    let seen = desk.named(target).any(|tie| tie.how == How::Sees);
    if !seen && view.viewers.is_empty() {
        let help = "say `for <actor>`, or let a task say `sees`";
        desk.lacks(note, said(note, "B402", "nobody sees {}").with_help(help));
    }
}

/// A refusal speaks of something that has happened, and no view that the person sees is fed by it.
fn unseen_reasons(desk: &mut Desk<'_>) {
    let board = desk.board;
    let said = board.language.as_ref().map(|said| said.text.as_str());
    let Some(language) = Language::of(said).filter(|_| desk.level == Level::Design) else {
        return;
    };
    let fed: HashSet<(Target, Target)> = desk
        .ties
        .all()
        .iter()
        .filter(|tie| tie.how == How::From)
        .map(|tie| (tie.from, tie.to))
        .collect();
    let memories = memories(board, language);
    for (_, task) in desk.each(Kind::Task, &board.tasks) {
        let model = task.on.as_ref().and_then(|on| on.index(Kind::Model));
        let Some(memory) = model.and_then(|model| memories.get(model)) else {
            continue;
        };
        let views: Option<Vec<Target>> = task.sees.iter().map(|view| view.target).collect();
        let views = views.unwrap_or_default();
        let person = task.by.iter().any(|by| by.index(Kind::Actor).is_some());
        if !person || views.is_empty() || desk.elsewhere(&task.note) {
            continue;
        }
        for reason in &task.refused_when {
            let words = Words::of(&reason.text);
            let past = language.happenings(&words).into_iter();
            let meant: Vec<&Mention> = past
                .filter_map(|word| memory.get(word))
                .flatten()
                .copied()
                .collect();
            let seen = |event: &&Mention| {
                let fed = |event| views.iter().any(|view| fed.contains(&(*view, event)));
                event.target.is_none_or(fed)
            };
            if let Some(event) = meant.first().filter(|_| !meant.iter().any(seen)) {
                unseen(desk, reason, event.text());
            }
        }
    }
}

fn unseen(desk: &mut Desk<'_>, reason: &Said, event: &str) {
    let message = format!("nothing that the person sees tells them of `{event}`");
    let help = format!(
        "add `from {event}` to a view that the task `sees`, so that nobody is refused \
                        by surprise"
    );
    desk.tell(found("B405", reason.span, message).with_help(help));
}

/// The events that each model remembers, by the words of their names that say what happened.
fn memories<'b>(board: &'b Board, language: &Language) -> Vec<HashMap<String, Vec<&'b Mention>>> {
    let models = board.models.iter().map(|model| {
        let mut memory: HashMap<String, Vec<&Mention>> = HashMap::new();
        for event in &model.remembers {
            for word in language.happenings(&Words::of(event.text())) {
                memory.entry(word.to_owned()).or_default().push(event);
            }
        }
        memory
    });
    models.collect()
}
