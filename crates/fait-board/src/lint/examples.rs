//! Examples: whole ones, and one for everything that can go wrong.

use std::collections::{HashMap, HashSet};

use super::desk::{Desk, found};
use super::stage::said;
use crate::note::{Kind, Level, Mention, Target};
use crate::notes::{Action, Example, Occasion, Outcome, Process, Reaction, Trigger};

pub(super) fn check(desk: &mut Desk<'_>) {
    if desk.level < Level::Design {
        return;
    }
    let board = desk.board;
    for (_, example) in desk.each(Kind::Example, &board.examples) {
        whole(desk, example);
    }
    refusals(desk);
    let waits = Waits::of(&board.examples);
    for (_, process) in desk.each(Kind::Process, &board.processes) {
        time_outs(desk, &waits, process);
    }
}

fn whole(desk: &mut Desk<'_>, example: &Example) {
    let note = &example.note;
    // What a view shows follows from what was given.
    let shown = example
        .then
        .iter()
        .any(|then| matches!(then, Outcome::Shows(..)));
    let follows = shown && !example.given.is_empty();
    if example.when.is_empty() && !follows {
        let help = "say `when <task>`, `when <event>` or `when 30 minutes pass`";
        desk.lacks(
            note,
            said(note, "B603", "in {} nothing is done").with_help(help),
        );
    } else if example.then.is_empty() {
        let help = "say `then <event>`, or `then refused because <reason>`";
        desk.lacks(
            note,
            said(note, "B603", "{} does not say what comes of it").with_help(help),
        );
    }
}

fn refusals(desk: &mut Desk<'_>) {
    let board = desk.board;
    let mut shown: HashSet<(Option<Target>, &str)> = HashSet::new();
    for example in &board.examples {
        let tasks = example.when.iter().filter_map(|when| match when {
            Occasion::Fact(fact) => fact.what.target,
            Occasion::Passes(_) => None,
        });
        let tasks: Vec<Target> = tasks.collect();
        for outcome in &example.then {
            if let Outcome::Refused(reason) = outcome {
                shown.extend(tasks.iter().map(|task| (Some(*task), reason.text.as_str())));
            }
        }
    }
    for (target, task) in desk.each(Kind::Task, &board.tasks) {
        for reason in &task.refused_when {
            if !shown.contains(&(Some(target), reason.text.as_str())) {
                let message = format!("no example shows this refusal of `{}`", task.note.name.text);
                let help = format!("say `then refused because {}`", reason.text);
                desk.tell(found("B601", reason.span, message).with_help(help));
            }
        }
    }
}

/// What examples show of time that passes.
struct Waits {
    /// The longest wait after which this is done or has happened, in seconds.
    outcomes: HashMap<Target, u64>,
    /// The longest wait after this was given, in seconds.
    given: HashMap<Target, u64>,
}

impl Waits {
    fn of(examples: &[Example]) -> Self {
        let mut waits = Self {
            outcomes: HashMap::new(),
            given: HashMap::new(),
        };
        for example in examples {
            let passes = example.when.iter().filter_map(|when| match when {
                Occasion::Passes(period) => Some(period.seconds()),
                Occasion::Fact(_) => None,
            });
            let Some(longest) = passes.max() else {
                continue;
            };
            let outcomes = example.then.iter().filter_map(|then| match then {
                Outcome::Fact(fact) => fact.what.target,
                Outcome::Step(step) => done(&step.action),
                Outcome::Refused(_) | Outcome::Shows(..) => None,
            });
            for outcome in outcomes {
                let wait = waits.outcomes.entry(outcome).or_default();
                *wait = longest.max(*wait);
            }
            for given in example.given.iter().filter_map(|fact| fact.what.target) {
                let wait = waits.given.entry(given).or_default();
                *wait = longest.max(*wait);
            }
        }
        waits
    }

    /// Whether an example shows what a process does when this time runs out.
    fn show(&self, heard: &[Target], reaction: &Reaction, least: u64) -> bool {
        let waited = |waits: &HashMap<Target, u64>, target: &Target| {
            waits.get(target).is_some_and(|wait| *wait >= least)
        };
        let mut outcomes = reaction.steps.iter().filter_map(|step| done(&step.action));
        match reaction.steps.is_empty() {
            true => heard.iter().any(|event| waited(&self.given, event)),
            false => outcomes.any(|outcome| waited(&self.outcomes, &outcome)),
        }
    }
}

/// What a step does, as an example would expect it.
fn done(action: &Action) -> Option<Target> {
    match action {
        Action::Ask { task, .. } | Action::Do { task } => task.target,
        Action::Tell { message, .. } => message.target,
        Action::Raise { event } => event.target,
    }
}

fn time_outs(desk: &mut Desk<'_>, waits: &Waits, process: &Process) {
    let going = process
        .reactions
        .iter()
        .filter(|reaction| !reaction.trigger.waits());
    let heard = going.flat_map(|reaction| reaction.trigger.events());
    let heard: Vec<Target> = heard
        .filter_map(|event| event.target)
        .take(MOST_HEARD)
        .collect();
    for reaction in &process.reactions {
        let (least, passes) = match &reaction.trigger {
            Trigger::After(period, _) => (period.seconds(), format!("{period}")),
            Trigger::Tries(..) => (0, "30 minutes".to_owned()),
            _ => continue,
        };
        if !waits.show(&heard, reaction, least) {
            let awaited = reaction
                .trigger
                .events()
                .first()
                .map_or("the event", Mention::text);
            let message = format!("no example shows what is done without `{awaited}`");
            let verb = if passes.starts_with("1 ") {
                "passes"
            } else {
                "pass"
            };
            let help = format!("say `when {passes} {verb}`, and what comes of it");
            desk.tell(found("B602", reaction.span, message).with_help(help));
        }
    }
}

/// Whoever hears more events than this is told of by the first of them.
const MOST_HEARD: usize = 64;
