//! A board that is played: its notes become an ordinary system, before a line of code exists.
//!
//! A task is a command that asks what the board asks, and raises its event with those words; where
//! the board says `refused when …` or `or raises … when …`, whoever does the task chooses which it
//! is. Views are tables, processes are processes with their deadlines, and another system is a role
//! whose part somebody plays by hand: it is asked what a program would be told, and answers with
//! one of the messages that the board says it sends.
//!
//! Nothing of this is a second runtime: [`Play::onto`] wires an [`AppBuilder`], and what is built
//! of it is an [`App`](crate::App) like any other.

mod word;
mod when;
mod stage;
mod task;
mod form;
mod decision;
mod view;
mod react;
mod story;
mod example;
mod playing;

pub use example::Saved;
pub use playing::{MAX_PASSES, Playing};

use crate::app::AppBuilder;
use fait_board::name::kebab_name;
use fait_board::notes::{Example, Outcome};
use fait_board::{Board, Problem, Severity};
use fait_core::decision::CommandDef;
use fait_core::process::ProcessDef;
use fait_core::projection::ProjectionDef;
use std::sync::Arc;
use task::Task;

/// A board made ready to be played.
#[derive(Clone, Debug)]
pub struct Play {
    name: String,
    /// How many of the tasks are notes of the board; behind them are those of other systems.
    noted: usize,
    stage: Arc<stage::Stage>,
    tasks: Arc<Vec<Task>>,
    views: Vec<ProjectionDef>,
}

/// Makes a board ready from its text.
///
/// # Errors
/// What cannot be read of it, or names nothing: such a board is not played.
pub fn read(source: &str) -> Result<Play, Vec<Problem>> {
    let parsed = fait_board::parse(source);
    let wrong = parsed.problems.into_iter();
    let wrong: Vec<Problem> = wrong.filter(|p| p.severity == Severity::Error).collect();
    match wrong.is_empty() {
        true => Ok(Play::of(&parsed.board)),
        false => Err(wrong),
    }
}

impl Play {
    /// A board made ready. A draft is played as far as it goes; see [`Play::left_out`].
    #[must_use]
    pub fn of(board: &Board) -> Play {
        let mut stage = stage::Stage::of(board);
        let mut tasks = task::tasks(board, &mut stage);
        form::fill(&stage, &mut tasks);
        let stage = Arc::new(stage);
        Play {
            name: board.name().into(),
            noted: board.tasks.len(),
            views: view::views(board, &stage),
            tasks: Arc::new(tasks),
            stage,
        }
    }

    /// The same board where, when nobody chooses, that comes of a task which an example expects: so
    /// the example can be run against the board itself.
    #[must_use]
    pub fn expecting(&self, example: &Example) -> Play {
        let mut tasks = (*self.tasks).clone();
        for task in &mut tasks {
            let expected = |outcome: &task::Outcome| {
                example.then.iter().any(|then| match (then, outcome) {
                    (Outcome::Refused(why), task::Outcome::Refused(_, sentence, _)) => {
                        why.text == *sentence
                    }
                    (Outcome::Fact(fact), task::Outcome::Raises(events, _)) => {
                        let titles = events.iter().map(|e| &self.stage.events[*e].title);
                        titles.into_iter().any(|title| title == fact.what.text())
                    }
                    _ => false,
                })
            };
            if let Some(at) = task.outcomes.iter().position(expected) {
                task.outcomes[..=at].rotate_right(1);
            }
        }
        form::fill(&self.stage, &mut tasks);
        Play {
            name: self.name.clone(),
            noted: self.noted,
            stage: self.stage.clone(),
            tasks: Arc::new(tasks),
            views: self.views.clone(),
        }
    }

    /// The name of the board.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who can begin, and with what: the first task of the board that needs nothing before it.
    #[must_use]
    pub fn first_step(&self) -> Option<(&str, &str)> {
        let known = |task: &&Task| task.keys.iter().all(|k| task.begins.contains(k));
        let first = self.tasks.iter().filter(known);
        let mut first = first.filter_map(|t| Some((t.roles.first()?.as_str(), t.title.as_str())));
        first.next()
    }

    /// What is not played, in sentences.
    #[must_use]
    pub fn left_out(&self) -> &[String] {
        &self.stage.left_out
    }

    /// Wires it onto a place to keep what happens.
    #[must_use]
    pub fn onto(&self, place: AppBuilder) -> AppBuilder {
        let mut builder = place.name(&self.name);
        for def in self.commands() {
            builder = builder.command(def);
        }
        for view in &self.views {
            builder = builder.view(view.clone());
        }
        for def in self.processes() {
            builder = builder.reacting(def);
        }
        builder
    }

    /// A task that is a note of the board, by its command.
    fn board_task(&self, command: &str) -> Option<&Task> {
        self.tasks[..self.noted].iter().find(|t| t.name == command)
    }

    /// Whether a step of the board asks somebody for a task.
    fn asks(&self, role: &str, task: &Task) -> bool {
        let reactions = self.stage.flows.iter().flat_map(|f| &f.reactions);
        let mut steps = reactions.flat_map(|r| &r.steps);
        steps.any(|step| match step {
            stage::Step::Ask {
                actor, task: asked, ..
            } => actor == role && self.tasks[*asked].name == task.name,
            _ => false,
        })
    }

    fn commands(&self) -> impl Iterator<Item = CommandDef> {
        let all = 0..self.tasks.len();
        all.map(|number| decision::command(&self.stage, &self.tasks, number))
    }

    fn processes(&self) -> Vec<ProcessDef> {
        let mut names: Vec<String> = vec![];
        for (number, flow) in self.stage.flows.iter().enumerate() {
            let name = kebab_name(&flow.title);
            names.push(match names.contains(&name) {
                true => format!("{name}-{number}"),
                false => name,
            });
        }
        let all = names.into_iter().enumerate();
        all.map(|(number, name)| react::process(&self.stage, &self.tasks, number, name))
            .collect()
    }
}
