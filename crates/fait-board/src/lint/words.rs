//! Words: each explained once, used, and known to whoever shows or records it.

use std::collections::{HashMap, HashSet};

use super::desk::{Desk, found};
use crate::board::Board;
use crate::note::{Kind, Level, Mention, Target};
use crate::notes::{Event, Reaction, Task, View};
use crate::spelling::nearest;

/// Guesses beyond these would cost more than they help.
const MOST_GUESSES: usize = 20;

pub(super) fn check(desk: &mut Desk<'_>) {
    if desk.level < Level::Design {
        return;
    }
    unexplained(desk);
    unused(desk);
    let board = desk.board;
    let (known, memories) = (Known::on(board), memories(board));
    for (_, view) in desk.each(Kind::View, &board.views) {
        if !desk.elsewhere(&view.note) {
            shown(desk, view);
        }
    }
    for (target, event) in desk.each(Kind::Event, &board.events) {
        if !desk.elsewhere(&event.note) {
            recorded(desk, &known, target, event);
        }
        if event.public.is_some() {
            personal(desk, event);
        }
    }
    for (_, task) in desk.each(Kind::Task, &board.tasks) {
        asked_again(desk, &memories, task);
    }
}

/// Every word that is named outside of examples.
fn spoken(board: &Board) -> impl Iterator<Item = &Mention> {
    let views = board
        .views
        .iter()
        .flat_map(|v| v.shows.iter().chain(&v.one_row_per));
    let tasks = board
        .tasks
        .iter()
        .flat_map(|t| t.asks.iter().chain(&t.works_out));
    let events = board.events.iter().flat_map(|event| &event.records);
    let models = board.models.iter().flat_map(|model| &model.one_per);
    let processes = board.processes.iter();
    let keys = processes.flat_map(|p| p.one_per.iter().chain(&p.also_known_by));
    views.chain(tasks).chain(events).chain(models).chain(keys)
}

/// One message for a word, where it stands first.
fn unexplained(desk: &mut Desk<'_>) {
    let board = desk.board;
    let mut words: Vec<&Mention> = spoken(board).filter(|word| word.target.is_none()).collect();
    words.sort_by_key(|word| word.name.span);
    let mut told = HashSet::new();
    words.retain(|word| told.insert(word.text()));
    for (count, word) in words.into_iter().enumerate() {
        let message = format!("the word `{}` is not explained", word.text());
        let known = board
            .words
            .iter()
            .map(|known| known.note.name.text.as_str());
        let guess = (count < MOST_GUESSES)
            .then(|| nearest(word.text(), known))
            .flatten();
        let help = match guess {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("say `word {} is …`, and what it is", word.text()),
        };
        desk.tell(found("B501", word.name.span, message).with_help(help));
    }
}

fn unused(desk: &mut Desk<'_>) {
    for (target, word) in desk.each(Kind::Word, &desk.board.words) {
        if desk.ties.to(target).next().is_none() {
            let message = format!("nobody uses the word `{}`", word.note.name.text);
            let help = "use it in `asks`, `records` or `shows`, or take it off the board";
            desk.tell(found("B504", word.note.span, message).with_help(help));
        }
    }
}

/// What a view shows must come from an event that feeds it.
fn shown(desk: &mut Desk<'_>, view: &View) {
    let board = desk.board;
    let Some(known) = recorded_by(board, &view.from) else {
        return;
    };
    for word in view
        .shows
        .iter()
        .filter(|word| !known.contains(word.text()) && !view.works_out.contains(word))
    {
        let (view, word, span) = (&view.note.name.text, word.text(), word.name.span);
        let message =
            format!("`{view}` shows `{word}`, but no event that feeds it records `{word}`");
        let help = format!(
            "let an event record `{word}`, or feed the view with one that does, or say \
             `works out {word}` when the view counts or sums it"
        );
        desk.tell(found("B404", span, message).with_help(help));
    }
}

/// The words that these events record; nothing when a name stands for no event.
fn recorded_by<'b>(board: &'b Board, events: &[Mention]) -> Option<HashSet<&'b str>> {
    let mut words = HashSet::new();
    for mention in events {
        let event = board.event(mention)?;
        words.extend(event.records.iter().map(Mention::text));
    }
    Some(words)
}

/// What an event records must be known to someone who raises it.
fn recorded(desk: &mut Desk<'_>, known: &Known<'_>, target: Target, event: &Event) {
    let mut unknown: Vec<&Mention> = event.records.iter().collect();
    let mut raised = false;
    for tie in desk.named(target).filter(|tie| tie.how.raises()) {
        raised = true;
        unknown.retain(|word| !known.to(tie.from, word.text()));
        if unknown.is_empty() {
            return;
        }
    }
    for word in unknown.into_iter().filter(|_| raised) {
        let (event, text) = (&event.note.name.text, word.text());
        let message =
            format!("`{event}` records `{text}`, which nobody asked, worked out or remembered");
        let help = format!(
            "say `asks {text}` or `works out {text}` in the task that raises it, or let its model \
             remember an event that records `{text}`"
        );
        desk.tell(found("B502", word.name.span, message).with_help(help));
    }
}

/// The words that each model, process and policy has heard of, by their index. Nothing stands
/// for one of which that cannot be said: it is taken to know all.
struct Known<'b> {
    board: &'b Board,
    models: Vec<Option<HashSet<&'b str>>>,
    processes: Vec<Option<HashSet<&'b str>>>,
    policies: Vec<Option<HashSet<&'b str>>>,
}

impl<'b> Known<'b> {
    fn on(board: &'b Board) -> Self {
        let models = board.models.iter().map(|model| {
            let mut known = recorded_by(board, &model.remembers)?;
            known.extend(model.one_per.iter().map(Mention::text));
            Some(known)
        });
        let processes = board.processes.iter().map(|process| {
            let mut known = heard(board, &process.reactions)?;
            let keys = process.one_per.iter().chain(&process.also_known_by);
            known.extend(keys.map(Mention::text));
            Some(known)
        });
        let policies = board.policies.iter();
        Self {
            board,
            models: models.collect(),
            processes: processes.collect(),
            policies: policies
                .map(|policy| heard(board, &policy.reactions))
                .collect(),
        }
    }

    /// Whether whoever raises an event knows the word.
    fn to(&self, raiser: Target, word: &str) -> bool {
        let has = |known: Option<&Option<HashSet<&str>>>| match known {
            Some(Some(known)) => known.contains(word),
            _ => true,
        };
        match raiser {
            Target::Note(Kind::Task, at) => self.board.tasks.get(at).is_none_or(|task| {
                let mut own = task.asks.iter().chain(&task.works_out);
                own.any(|own| own.text() == word)
                    || task
                        .on
                        .as_ref()
                        .is_some_and(|on| match on.index(Kind::Model) {
                            Some(model) => has(self.models.get(model)),
                            None => true,
                        })
            }),
            Target::Note(Kind::Process, at) => has(self.processes.get(at)),
            Target::Note(Kind::Policy, at) => has(self.policies.get(at)),
            Target::Note(..) | Target::Sent(..) | Target::Taken(..) => true,
        }
    }
}

/// The words that reactions hear of. What a message of another system says is not on the board.
fn heard<'b>(board: &'b Board, reactions: &'b [Reaction]) -> Option<HashSet<&'b str>> {
    let mut words = HashSet::new();
    for reaction in reactions {
        words.extend(recorded_by(board, reaction.trigger.events())?);
    }
    Some(words)
}

/// The events that each model remembers, by the words that they record.
fn memories(board: &Board) -> Vec<HashMap<&str, Vec<&Mention>>> {
    let models = board.models.iter().map(|model| {
        let mut memory: HashMap<&str, Vec<&Mention>> = HashMap::new();
        for mention in &model.remembers {
            for word in board
                .event(mention)
                .into_iter()
                .flat_map(|event| &event.records)
            {
                memory.entry(word.text()).or_default().push(mention);
            }
        }
        memory
    });
    models.collect()
}

/// A task asks for what the model that decides it has been told already.
fn asked_again(desk: &mut Desk<'_>, memories: &[HashMap<&str, Vec<&Mention>>], task: &Task) {
    let board = desk.board;
    let model = task.on.as_ref().and_then(|on| on.index(Kind::Model));
    let Some((model, memory)) = model.and_then(|at| board.models.get(at).zip(memories.get(at)))
    else {
        return;
    };
    let own: HashSet<Target> = task.raises.iter().filter_map(|r| r.event.target).collect();
    let raised = task.raises.iter().filter_map(|r| board.event(&r.event));
    let recorded = raised.flat_map(|event| event.records.iter().map(Mention::text));
    // What is recorded again may have changed: another room, another price.
    let keys = model.one_per.iter().map(Mention::text);
    let fine: HashSet<&str> = recorded.chain(keys).collect();
    for word in task.asks.iter().filter(|word| !fine.contains(word.text())) {
        let text = word.text();
        let mut told = memory.get(text).into_iter().flatten();
        let other = |event: &&&Mention| event.target.is_some_and(|event| !own.contains(&event));
        if let Some(event) = told.find(other) {
            let (name, known) = (&task.note.name.text, event.text());
            let message = format!("`{name}` asks for `{text}`, which is known since `{known}`");
            let help = "nobody should have to say the same twice: take it out of `asks`";
            desk.tell(found("B503", word.name.span, message).with_help(help));
        }
    }
}

fn personal(desk: &mut Desk<'_>, event: &Event) {
    for word in &event.records {
        let explained = word
            .index(Kind::Word)
            .and_then(|at| desk.board.words.get(at));
        if explained.is_some_and(|word| word.personal.is_some()) {
            let (event, text) = (&event.note.name.text, word.text());
            let message =
                format!("`{event}` is public and tells others `{text}`, which is personal");
            let help = "leave it out, or raise another, public event without it";
            desk.tell(found("B703", word.name.span, message).with_help(help));
        }
    }
}
