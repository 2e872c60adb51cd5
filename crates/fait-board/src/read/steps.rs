//! What reactions wait for and what they do.

use super::lines::shown;
use super::names::{EVENT, HEARD, Names, Scope, TASK};
use super::tree::RawClause;
use super::values;
use crate::note::{Kind, Mention, Target};
use crate::notes::{Action, Period, Reaction, Step, Trigger};
use crate::place::Phrase;
use crate::problem::{Problem, code};
use crate::spelling::nearest;

/// The keywords of the four kinds of steps, with the form of each.
const STEPS: [(&str, &str); 4] = [
    (
        "ask",
        "ask <actor> to <task>, perhaps with `within 30 minutes`",
    ),
    ("do", "do <task>"),
    ("tell", "tell <system> to <message>"),
    ("raise", "raise <event>"),
];

/// A clause that says when to react, with its steps.
pub(super) fn reaction(clause: &RawClause<'_>, names: &mut Names) -> Option<Reaction> {
    let rest = clause.rest;
    let trigger = match clause.keyword {
        "whenever" => Trigger::Whenever(names.list(rest, HEARD)),
        "starts on" => {
            let (events, when) = names.list_until(rest, HEARD, Some("when"));
            Trigger::Starts(events, when.map(Phrase::said))
        }
        "on" => Trigger::On(names.list(rest, HEARD)),
        _ => waiting(clause, names)?,
    };
    let steps = clause
        .steps
        .iter()
        .filter_map(|line| step(*line, names))
        .collect();
    Some(Reaction {
        span: clause.line.span(),
        trigger,
        steps,
    })
}

/// `after 30 minutes without …` or `after 3 tries without …`
fn waiting(clause: &RawClause<'_>, names: &mut Names) -> Option<Trigger> {
    let (length, events) = match clause.rest.joints("without", 1).first() {
        Some(at) => clause.rest.sides(*at, "without"),
        None => {
            let message = "this does not say without what";
            names.problems.push(
                Problem::error(code::WITHOUT, clause.line.span(), message)
                    .with_help("say `after 30 minutes without <event>`"),
            );
            return None;
        }
    };
    let (count, unit) = length.first_word();
    if let (Some(count @ 1..), "tries" | "try") = (values::number(count), unit.text) {
        return Some(Trigger::Tries(count, names.list(events, HEARD)));
    }
    match values::period(length) {
        Ok(period) => Some(Trigger::After(period, names.list(events, HEARD))),
        Err(problem) => {
            names.problems.push(problem);
            None
        }
    }
}

/// Whether the line starts like a step.
pub(super) fn is_step(line: Phrase<'_>) -> bool {
    STEPS
        .iter()
        .any(|(keyword, _)| line.after(keyword).is_some())
}

/// One step; nothing when it could not be read, which is then among the problems.
pub(super) fn step(line: Phrase<'_>, names: &mut Names) -> Option<Step> {
    let (keyword, rest) = line.first_word();
    if !is_step(line) {
        names.problems.push(no_step(line));
        return None;
    }
    let action = match keyword.text {
        _ if rest.is_empty() => None,
        "ask" => ask(rest, names),
        "tell" => tell(rest, names),
        "do" => Some(Action::Do {
            task: names.one(rest, TASK),
        }),
        _ => Some(Action::Raise {
            event: names.one(rest, EVENT),
        }),
    };
    if action.is_none() {
        let form = STEPS
            .iter()
            .find(|(name, _)| *name == keyword.text)
            .map(|(_, form)| form);
        let message = format!("this `{}` is not complete", keyword.text);
        let help = format!("say `{}`", form.copied().unwrap_or_default());
        names
            .problems
            .push(Problem::error(code::STEP, line.span(), message).with_help(help));
    }
    Some(Step {
        span: line.span(),
        action: action?,
    })
}

fn ask(rest: Phrase<'_>, names: &mut Names) -> Option<Action> {
    let scope = [Scope::Note(Kind::Actor)];
    let (actor, task) = names.cut(rest, &scope, "to")?;
    if actor.is_empty() || task.is_empty() {
        return None;
    }
    let (task, within) = deadline(task, names);
    let (actor, task) = (names.one(actor, &scope), names.one(task, TASK));
    Some(Action::Ask {
        actor,
        task,
        within,
    })
}

/// Cuts `within 30 minutes` off, unless the words belong to the name of the task.
fn deadline<'a>(task: Phrase<'a>, names: &mut Names) -> (Phrase<'a>, Option<Period>) {
    if names.knows(task, TASK) {
        return (task, None);
    }
    let Some((task, length)) = names.cut(task, TASK, "within") else {
        return (task, None);
    };
    match values::period(length) {
        Ok(period) => (task, Some(period)),
        Err(problem) => {
            names.problems.push(problem);
            (task, None)
        }
    }
}

fn tell(rest: Phrase<'_>, names: &mut Names) -> Option<Action> {
    let scope = [Scope::Note(Kind::System)];
    let (system, message) = names.cut(rest, &scope, "to")?;
    if system.is_empty() || message.is_empty() {
        return None;
    }
    let system = names.one(system, &scope);
    let message = names.perhaps(message, &[Scope::Taken]);
    Some(Action::Tell {
        message: of_system(message, &system),
        system,
    })
}

/// A message counts only if it is the system that was told which takes it.
fn of_system(message: Mention, system: &Mention) -> Mention {
    let target = message.target.filter(|target| match target {
        Target::Taken(of, _) => system.index(Kind::System) == Some(*of),
        Target::Note(..) | Target::Sent(..) => false,
    });
    Mention { target, ..message }
}

fn no_step(line: Phrase<'_>) -> Problem {
    let (word, _) = line.first_word();
    let message = format!("`{}` is not a step", shown(word));
    let problem = Problem::error(code::STEP, line.span(), message);
    match nearest(word.text, STEPS.iter().map(|(keyword, _)| *keyword)) {
        None => problem.with_help("a step starts with one of: ask, do, tell, raise"),
        guess => problem.with_guess(guess),
    }
}
