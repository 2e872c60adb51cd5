//! Policies and processes: what they ask for, how they begin and end, and what they wait for.

use std::collections::HashSet;

use super::desk::{Desk, found};
use super::stage::said;
use crate::board::Board;
use crate::note::{Kind, Level, Mention, Target};
use crate::notes::{Action, Policy, Process, Reaction, Step, Trigger};
use crate::place::Span;
use crate::spelling::nearest;
use crate::ties::How;

pub(super) fn check(desk: &mut Desk<'_>) {
    if desk.level < Level::Process {
        return;
    }
    let board = desk.board;
    let told = Doers::of(board);
    for (_, policy) in desk.each(Kind::Policy, &board.policies) {
        forgets(desk, policy);
        steps(desk, &told, &policy.reactions);
    }
    for (_, process) in desk.each(Kind::Process, &board.processes) {
        steps(desk, &told, &process.reactions);
        course(desk, process);
        tries(desk, process);
        keys(desk, process);
        gives_up(desk, process);
    }
}

/// Who may do what; nothing for a task whose doers cannot all be read.
struct Doers {
    tasks: Vec<Option<HashSet<Target>>>,
}

impl Doers {
    fn of(board: &Board) -> Self {
        let tasks = board.tasks.iter();
        let doers = tasks.map(|task| task.by.iter().map(|by| by.target).collect());
        Self {
            tasks: doers.collect(),
        }
    }
}

/// What a step can be wrong about, in a policy as in a process.
fn steps(desk: &mut Desk<'_>, doers: &Doers, reactions: &[Reaction]) {
    for step in reactions.iter().flat_map(|reaction| &reaction.steps) {
        match &step.action {
            Action::Ask { actor, task, .. } => asks(desk, doers, step, actor, task),
            Action::Tell { system, message } => tells(desk, step.span, system, message),
            Action::Do { .. } | Action::Raise { .. } => {}
        }
    }
}

fn asks(desk: &mut Desk<'_>, doers: &Doers, step: &Step, actor: &Mention, task: &Mention) {
    let doers = task
        .index(Kind::Task)
        .and_then(|at| doers.tasks.get(at)?.as_ref());
    if let (Some(doers), Some(target)) = (doers, actor.target)
        && !doers.contains(&target)
    {
        let (actor, task) = (actor.text(), task.text());
        let message = format!("`{task}` is not something {actor} can do");
        let help = match doers.is_empty() {
            true => format!("say `by {actor}` in the task"),
            false => format!("add {actor} to its `by`"),
        };
        desk.tell(found("B308", step.span, message).with_help(help));
    }
}

fn tells(desk: &mut Desk<'_>, span: Span, system: &Mention, message: &Mention) {
    let told = system
        .index(Kind::System)
        .and_then(|at| desk.board.systems.get(at));
    let Some(told) = told.filter(|_| message.target.is_none()) else {
        return;
    };
    let known: Vec<&str> = told.takes.iter().map(|taken| taken.text.as_str()).collect();
    // A message that another note of the same name takes was not resolved to this one.
    if known.contains(&message.text()) {
        return;
    }
    let (system, message) = (system.text(), message.text());
    let problem = found("B309", span, format!("{system} does not take `{message}`"));
    let few = known.get(..FEW).unwrap_or(&known);
    let help = match nearest(message, few.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("say `takes {message}` in the system"),
    };
    desk.tell(problem.with_help(help));
}

/// A guess is looked for among so many.
const FEW: usize = 100;

/// A policy has no memory of what it has done already.
fn forgets(desk: &mut Desk<'_>, policy: &Policy) {
    for step in policy.reactions.iter().flat_map(|reaction| &reaction.steps) {
        if matches!(step.action, Action::Ask { .. } | Action::Tell { .. }) {
            let message = "a policy forgets: after a replay it would do this again";
            let help = "make it a process, which remembers what it has already done";
            desk.tell(found("B310", step.span, message).with_help(help));
        }
    }
}

/// A process is a state machine: it is one of many, begins, ends, and does not wait for ever.
fn course(desk: &mut Desk<'_>, process: &Process) {
    let note = &process.note;
    let mut lacks = |code: &'static str, message: &str, help: &str| {
        desk.lacks(note, said(note, code, message).with_help(help));
    };
    if process.one_per.is_empty() {
        let help = "say `one per <word>`, so that each goes its own way";
        lacks("B311", "it is not said of what there is one {}", help);
    }
    let triggers = || process.reactions.iter().map(|reaction| &reaction.trigger);
    if !triggers().any(|trigger| matches!(trigger, Trigger::Starts(..))) {
        lacks("B312", "{} never starts", "say `starts on <event>`");
    }
    if process.ends_on.is_empty() && process.gives_up_on.is_empty() {
        lacks("B313", "{} never ends", "say `ends on <event>`");
    }
    if !triggers().any(Trigger::waits) {
        let awaited = process
            .reactions
            .iter()
            .find_map(|reaction| match &reaction.trigger {
                Trigger::On(events) => events.first(),
                _ => None,
            });
        let awaited = awaited
            .or(process.ends_on.first())
            .map_or("<event>", Mention::text);
        let help = format!(
            "say what happens when the answer does not come: `after 30 minutes without {awaited}`"
        );
        lacks(
            "B314",
            "{} can wait for ever: it has no `after …` path",
            &help,
        );
    }
}

/// What is done again when time runs out is done for ever, unless the tries are counted.
fn tries(desk: &mut Desk<'_>, process: &Process) {
    let counted: HashSet<&str> = process
        .reactions
        .iter()
        .filter(|reaction| matches!(reaction.trigger, Trigger::Tries(..)))
        .flat_map(|reaction| reaction.trigger.events())
        .map(Mention::text)
        .collect();
    let first: HashSet<(Option<Target>, Target)> = process
        .reactions
        .iter()
        .filter(|reaction| !reaction.trigger.waits())
        .flat_map(|reaction| {
            reaction
                .steps
                .iter()
                .filter_map(|step| errand(&step.action))
        })
        .collect();
    let board = desk.board;
    for reaction in &process.reactions {
        let Trigger::After(_, awaited) = &reaction.trigger else {
            continue;
        };
        let again = |step: &&Step| {
            errand(&step.action).is_some_and(|done| first.contains(&done))
                && !ends(board, process, &step.action)
        };
        let limited = awaited.iter().any(|event| counted.contains(event.text()));
        if let Some(step) = reaction.steps.iter().find(again).filter(|_| !limited) {
            let message = format!(
                "`{}` tries this again without a limit",
                process.note.name.text
            );
            let event = awaited.first().map_or("<event>", Mention::text);
            let help = format!("say when it is enough: `after 3 tries without {event}`");
            desk.tell(found("B316", step.span, message).with_help(help));
        }
    }
}

/// Whether whatever a step does is the end of the process, so that it is done once.
fn ends(board: &Board, process: &Process, action: &Action) -> bool {
    let Action::Do { task } = action else {
        return false;
    };
    let last = || process.ends_on.iter().chain(&process.gives_up_on);
    board.task(task).is_some_and(|task| {
        let mut raises = task.raises.iter().map(|raises| raises.event.target);
        !task.raises.is_empty() && raises.all(|event| last().any(|end| end.target == event))
    })
}

/// What a step sets off, and who does it.
fn errand(action: &Action) -> Option<(Option<Target>, Target)> {
    match action {
        Action::Ask { actor, task, .. } => Some((Some(actor.target?), task.target?)),
        Action::Do { task } => Some((None, task.target?)),
        Action::Tell { message, .. } => Some((None, message.target?)),
        Action::Raise { .. } => None,
    }
}

/// An event finds the process whose key, or other name, it records.
fn keys(desk: &mut Desk<'_>, process: &Process) {
    let board = desk.board;
    let key: Vec<&str> = process.one_per.iter().map(Mention::text).collect();
    if key.is_empty() || desk.level < Level::Design {
        return;
    }
    let starts = |reaction: &&Reaction| matches!(reaction.trigger, Trigger::Starts(..));
    let first = process.reactions.iter().filter(starts);
    let first = first.flat_map(|reaction| reaction.trigger.events());
    let later = process
        .reactions
        .iter()
        .filter(|reaction| !starts(reaction));
    let later = later.flat_map(|reaction| reaction.trigger.events());
    let later = later.chain(&process.ends_on).chain(&process.gives_up_on);
    let mut told = HashSet::new();
    let heard = first
        .map(|event| (event, true))
        .chain(later.map(|event| (event, false)));
    for (mention, starts) in heard {
        let Some(event) = board
            .event(mention)
            .filter(|event| !event.records.is_empty())
        else {
            continue;
        };
        let records = |word: &str| event.records.iter().any(|record| record.text() == word);
        let mut aliases = process.also_known_by.iter().map(Mention::text);
        let finds = key.iter().all(|word| records(word)) || (!starts && aliases.any(records));
        if finds || !told.insert(mention.text()) {
            continue;
        }
        let missing = key
            .iter()
            .find(|word| !records(word))
            .copied()
            .unwrap_or("");
        let (event, name) = (mention.text(), &process.note.name.text);
        let message = format!("`{event}` cannot find its `{name}`: it does not record `{missing}`");
        let help = match starts {
            true => format!("let it record `{missing}`"),
            false => format!(
                "let it record `{missing}`, or say `also known by` and a word that it records"
            ),
        };
        desk.tell(found("B317", mention.name.span, message).with_help(help));
    }
}

/// A process that may give up should be able to take back what it has done until then.
fn gives_up(desk: &mut Desk<'_>, process: &Process) {
    if process.gives_up_on.is_empty() || desk.level < Level::Design {
        return;
    }
    let board = desk.board;
    let ends = process.ends_on.iter().chain(&process.gives_up_on);
    let ends: HashSet<Target> = ends.filter_map(|event| event.target).collect();
    let gives_up: HashSet<Target> = process
        .gives_up_on
        .iter()
        .filter_map(|event| event.target)
        .collect();
    let mut told = HashSet::new();
    let goes_on = process
        .reactions
        .iter()
        .filter(|reaction| !reaction.trigger.waits());
    for step in goes_on.flat_map(|reaction| &reaction.steps) {
        let (Action::Ask { task: mention, .. } | Action::Do { task: mention }) = &step.action
        else {
            continue;
        };
        let (Some(task), Some(target)) = (board.task(mention), mention.target) else {
            continue;
        };
        let raised = || task.raises.iter().filter_map(|raises| raises.event.target);
        let last = raised().all(|event| ends.contains(&event))
            || raised().any(|event| gives_up.contains(&event));
        let undoes = desk.named(target).any(|tie| tie.how == How::UndoneBy);
        if task.undone_by.is_none() && !last && !undoes && told.insert(target) {
            let (name, task) = (&process.note.name.text, mention.text());
            let message = format!("`{name}` may give up after `{task}`, and nothing undoes that");
            let help = format!("say `undone by <task>` in `{task}`");
            desk.tell(found("B319", step.span, message).with_help(help));
        }
    }
}
