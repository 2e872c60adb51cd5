//! The board as a web: who names whom, and as what. Every mention becomes one [`Tie`].

use std::collections::HashMap;

use crate::board::Board;
use crate::note::{Kind, Mention, Target};
use crate::notes::{Action, Example, Occasion, Outcome, Process, Reaction, Task, Trigger};
use crate::place::Span;

/// One mention: a note names another note, or a message of a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tie {
    /// The note that names it.
    pub from: Target,
    /// What is named.
    pub to: Target,
    /// As what.
    pub how: How,
    /// Where it is named.
    pub span: Span,
}

/// As what one note names another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum How {
    /// A view is fed by an event: `from`.
    From,
    /// A view shows a word: `shows`.
    Shows,
    /// A view is for an actor: `for`.
    For,
    /// A view has one row, a model or process one instance for each word: `one per`.
    OnePer,
    /// A process is also known by a word: `also known by`.
    AlsoKnownBy,
    /// A task is done by an actor or a system: `by`.
    By,
    /// A task sees a view: `sees`.
    Sees,
    /// A task asks for a word: `asks`.
    Asks,
    /// A task works a word out: `works out`.
    WorksOut,
    /// A task is decided on a model: `on`.
    DecidedOn,
    /// A task raises an event: `raises`.
    Raises,
    /// A task raises an event instead of the others: `or raises`.
    OrRaises,
    /// A task is undone by another: `undone by`.
    UndoneBy,
    /// An event records a word: `records`.
    Records,
    /// A model remembers an event: `remembers`.
    Remembers,
    /// A policy reacts to an event: `whenever`.
    Whenever,
    /// A process starts on an event: `starts on`.
    StartsOn,
    /// A process goes on with an event: `on`.
    On,
    /// A process waits for an event, and does something without it: `after … without`.
    Without,
    /// A process ends on an event: `ends on`.
    EndsOn,
    /// A process gives up on an event: `gives up on`.
    GivesUpOn,
    /// A step asks an actor: `ask … to`.
    AskOf,
    /// A step asks for a task: `ask … to`.
    AskTo,
    /// A step does a task: `do`.
    Do,
    /// A step tells a system: `tell … to`.
    TellOf,
    /// A step tells a message: `tell … to`.
    TellTo,
    /// A step raises an event: `raise`.
    Raise,
    /// An example has it given.
    Given,
    /// An example does it.
    When,
    /// An example expects it.
    Then,
    /// An example gives a word a value.
    With,
}

/// All ties of a board, found from either end.
#[derive(Clone, Debug, Default)]
pub struct Ties {
    all: Vec<Tie>,
    from: HashMap<Target, Vec<usize>>,
    to: HashMap<Target, Vec<usize>>,
}

impl Ties {
    /// The ties of a board. Names that stand for nothing give none.
    #[must_use]
    pub fn of(board: &Board) -> Self {
        let mut web = Web::default();
        web.stage(board);
        let reactions = board.policies.iter().enumerate();
        for (index, policy) in reactions {
            web.reactions(Target::Note(Kind::Policy, index), &policy.reactions);
        }
        for (index, process) in board.processes.iter().enumerate() {
            web.process(Target::Note(Kind::Process, index), process);
        }
        for (index, example) in board.examples.iter().enumerate() {
            web.example(Target::Note(Kind::Example, index), example);
        }
        let mut ties = Self {
            all: web.ties,
            ..Self::default()
        };
        for (at, tie) in ties.all.iter().enumerate() {
            ties.from.entry(tie.from).or_default().push(at);
            ties.to.entry(tie.to).or_default().push(at);
        }
        ties
    }

    /// Every tie; those of one kind of note together, in the order of the file.
    #[must_use]
    pub fn all(&self) -> &[Tie] {
        &self.all
    }

    /// What a note names.
    pub fn from(&self, note: Target) -> impl Iterator<Item = &Tie> {
        self.at(self.from.get(&note))
    }

    /// Who names it: who raises an event, who hears it, who may do a task.
    pub fn to(&self, named: Target) -> impl Iterator<Item = &Tie> {
        self.at(self.to.get(&named))
    }

    fn at<'t>(&'t self, places: Option<&'t Vec<usize>>) -> impl Iterator<Item = &'t Tie> {
        places
            .into_iter()
            .flatten()
            .filter_map(|at| self.all.get(*at))
    }
}

impl How {
    /// Whether an event comes to be by it.
    #[must_use]
    pub fn raises(self) -> bool {
        matches!(self, How::Raises | How::OrRaises | How::Raise)
    }

    /// Whether something listens to an event by it; waiting for an event is listening.
    #[must_use]
    pub fn hears(self) -> bool {
        matches!(
            self,
            How::From
                | How::Remembers
                | How::Whenever
                | How::StartsOn
                | How::On
                | How::Without
                | How::EndsOn
                | How::GivesUpOn
        )
    }

    /// Whether a task is set off by it.
    #[must_use]
    pub fn sets_off(self) -> bool {
        matches!(self, How::AskTo | How::Do)
    }
}

#[derive(Default)]
struct Web {
    ties: Vec<Tie>,
}

impl Web {
    fn add<'m>(&mut self, from: Target, how: How, mentions: impl IntoIterator<Item = &'m Mention>) {
        let named = mentions.into_iter().filter_map(|mention| {
            let (to, span) = (mention.target?, mention.name.span);
            Some(Tie {
                from,
                to,
                how,
                span,
            })
        });
        self.ties.extend(named);
    }

    fn stage(&mut self, board: &Board) {
        for (index, view) in board.views.iter().enumerate() {
            let from = Target::Note(Kind::View, index);
            self.add(from, How::From, &view.from);
            self.add(from, How::Shows, &view.shows);
            self.add(from, How::For, &view.viewers);
            self.add(from, How::OnePer, &view.one_row_per);
        }
        for (index, task) in board.tasks.iter().enumerate() {
            self.task(Target::Note(Kind::Task, index), task);
        }
        for (index, event) in board.events.iter().enumerate() {
            let from = Target::Note(Kind::Event, index);
            self.add(from, How::Records, &event.records);
        }
        for (index, model) in board.models.iter().enumerate() {
            let from = Target::Note(Kind::Model, index);
            self.add(from, How::OnePer, &model.one_per);
            self.add(from, How::Remembers, &model.remembers);
        }
    }

    fn task(&mut self, from: Target, task: &Task) {
        self.add(from, How::By, &task.by);
        self.add(from, How::Sees, &task.sees);
        self.add(from, How::Asks, &task.asks);
        self.add(from, How::WorksOut, &task.works_out);
        self.add(from, How::DecidedOn, &task.on);
        for raises in &task.raises {
            let how = if raises.otherwise {
                How::OrRaises
            } else {
                How::Raises
            };
            self.add(from, how, [&raises.event]);
        }
        self.add(from, How::UndoneBy, &task.undone_by);
    }

    fn process(&mut self, from: Target, process: &Process) {
        self.add(from, How::OnePer, &process.one_per);
        self.add(from, How::AlsoKnownBy, &process.also_known_by);
        self.reactions(from, &process.reactions);
        self.add(from, How::EndsOn, &process.ends_on);
        self.add(from, How::GivesUpOn, &process.gives_up_on);
    }

    fn reactions(&mut self, from: Target, reactions: &[Reaction]) {
        for reaction in reactions {
            let (how, events) = match &reaction.trigger {
                Trigger::Whenever(events) => (How::Whenever, events),
                Trigger::Starts(events, _) => (How::StartsOn, events),
                Trigger::On(events) => (How::On, events),
                Trigger::After(_, events) | Trigger::Tries(_, events) => (How::Without, events),
            };
            self.add(from, how, events);
            for step in &reaction.steps {
                self.action(from, &step.action);
            }
        }
    }

    fn action(&mut self, from: Target, action: &Action) {
        match action {
            Action::Ask { actor, task, .. } => {
                self.add(from, How::AskOf, [actor]);
                self.add(from, How::AskTo, [task]);
            }
            Action::Do { task } => self.add(from, How::Do, [task]),
            Action::Tell { system, message } => {
                self.add(from, How::TellOf, [system]);
                self.add(from, How::TellTo, [message]);
            }
            Action::Raise { event } => self.add(from, How::Raise, [event]),
        }
    }

    fn example(&mut self, from: Target, example: &Example) {
        let mut fact = |how, fact: &crate::notes::Fact| {
            self.add(from, how, [&fact.what]);
            self.add(from, How::With, fact.with.iter().map(|(word, _)| word));
        };
        for given in &example.given {
            fact(How::Given, given);
        }
        for occasion in &example.when {
            if let Occasion::Fact(done) = occasion {
                fact(How::When, done);
            }
        }
        for outcome in &example.then {
            if let Outcome::Fact(expected) = outcome {
                fact(How::Then, expected);
            }
        }
        for outcome in &example.then {
            match outcome {
                Outcome::Step(step) => self.action(from, &step.action),
                Outcome::Shows(view, _) => self.add(from, How::Then, [view]),
                Outcome::Fact(_) | Outcome::Refused(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
