//! Two that hear the same event and ask for the same task ask twice, unless only one of them is
//! begun. That is so when both begin with the same event, each under a condition of its own.

use std::collections::{HashMap, HashSet};

use super::desk::{Desk, found};
use crate::note::{Kind, Level, Target};
use crate::notes::{Action, Reaction, Step, Trigger};

pub(super) fn check(desk: &mut Desk<'_>) {
    if desk.level < Level::Process {
        return;
    }
    let board = desk.board;
    let mut askers = Askers::default();
    for (note, policy) in desk.each(Kind::Policy, &board.policies) {
        let asker = Asker {
            note,
            name: &policy.note.name.text,
        };
        askers.all_of(desk, asker, &policy.reactions);
    }
    for (note, process) in desk.each(Kind::Process, &board.processes) {
        let asker = Asker {
            note,
            name: &process.note.name.text,
        };
        askers.all_of(desk, asker, &process.reactions);
    }
}

/// More beginnings of one process than these are not looked at.
const MOST_STARTS: usize = 8;

/// What is asked for, and on which event.
type Errand = (Target, Target);
/// How the process that asks has begun: with which event, and under which condition. Nothing for a
/// policy, which is always there.
type Begun<'b> = Option<(Target, Option<&'b str>)>;

#[derive(Clone, Copy, PartialEq)]
struct Asker<'b> {
    note: Target,
    name: &'b str,
}

/// Who was seen first to ask for something; so no pair of askers has to be compared.
#[derive(Default)]
struct Askers<'b> {
    by_anyone: HashMap<Errand, Asker<'b>>,
    always: HashMap<Errand, Asker<'b>>,
    begun_with: HashMap<(Errand, Target), Asker<'b>>,
    begun_when: HashMap<(Errand, Target, Option<&'b str>), Asker<'b>>,
}

impl<'b> Askers<'b> {
    fn all_of(&mut self, desk: &mut Desk<'b>, asker: Asker<'b>, reactions: &'b [Reaction]) {
        let starts: Vec<Begun<'b>> = starts(reactions).take(MOST_STARTS).map(Some).collect();
        let mut told = HashSet::new();
        for reaction in reactions
            .iter()
            .filter(|reaction| !reaction.trigger.waits())
        {
            for event in reaction
                .trigger
                .events()
                .iter()
                .filter_map(|event| event.target)
            {
                let here: Vec<Begun<'b>> = match &reaction.trigger {
                    Trigger::Whenever(_) => vec![None],
                    Trigger::Starts(_, when) => {
                        vec![Some((event, when.as_ref().map(|when| when.text.as_str())))]
                    }
                    _ => starts.clone(),
                };
                for (step, task) in reaction.steps.iter().filter_map(asked) {
                    let other = here
                        .iter()
                        .find_map(|begun| self.other((event, task), asker, *begun));
                    here.iter()
                        .for_each(|begun| self.add((event, task), asker, *begun));
                    if let Some(other) = other.filter(|_| told.insert((event, task))) {
                        twice(desk, step, event, other);
                    }
                }
            }
        }
    }

    /// Who else asks for it, and may be there at the same time.
    fn other(&self, errand: Errand, asker: Asker<'b>, begun: Begun<'b>) -> Option<Asker<'b>> {
        let found = match begun {
            None => [self.by_anyone.get(&errand), None, None],
            Some((start, when)) => [
                self.always.get(&errand),
                self.begun_when.get(&(errand, start, when)),
                match when {
                    None => self.begun_with.get(&(errand, start)),
                    Some(_) => self.begun_when.get(&(errand, start, None)),
                },
            ],
        };
        let mut others = found.into_iter().flatten().copied();
        others.find(|other| *other != asker)
    }

    fn add(&mut self, errand: Errand, asker: Asker<'b>, begun: Begun<'b>) {
        self.by_anyone.entry(errand).or_insert(asker);
        match begun {
            None => {
                self.always.entry(errand).or_insert(asker);
            }
            Some((start, when)) => {
                self.begun_with.entry((errand, start)).or_insert(asker);
                self.begun_when
                    .entry((errand, start, when))
                    .or_insert(asker);
            }
        }
    }
}

fn starts(reactions: &[Reaction]) -> impl Iterator<Item = (Target, Option<&str>)> {
    reactions
        .iter()
        .filter_map(|reaction| match &reaction.trigger {
            Trigger::Starts(events, when) => Some((events, when.as_ref())),
            _ => None,
        })
        .flat_map(|(events, when)| {
            let when = when.map(|when| when.text.as_str());
            let events = events.iter().filter_map(|event| event.target);
            events.map(move |event| (event, when))
        })
}

fn asked(step: &Step) -> Option<(&Step, Target)> {
    match &step.action {
        Action::Ask { task, .. } | Action::Do { task } => Some((step, task.target?)),
        Action::Tell { .. } | Action::Raise { .. } => None,
    }
}

fn twice(desk: &mut Desk<'_>, step: &Step, event: Target, other: Asker<'_>) {
    let event = match event {
        Target::Note(Kind::Event, at) => desk
            .board
            .events
            .get(at)
            .map(|event| event.note.name.text.as_str()),
        _ => None,
    };
    let event = event.map_or("the same message".to_owned(), |event| format!("`{event}`"));
    let message = format!("`{}` asks for this too, on {event}", other.name);
    let help = "let both start on the same event, each with a `when` that leaves the other out, \
                or take the step out of one";
    desk.tell(found("B320", step.span, message).with_help(help));
}
