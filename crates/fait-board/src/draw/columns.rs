//! What stands in which column: one column per task, in the order of the file.

use std::collections::{HashMap, HashSet};

use crate::board::Board;
use crate::note::{Kind, Mention, Note, Target};
use crate::notes::{Action, Reaction};

/// The columns, and where each event is at home.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) list: Vec<Column>,
    /// The column in which an event stands first.
    pub(super) home: HashMap<usize, usize>,
    /// The column of a task.
    pub(super) of_task: HashMap<usize, usize>,
    /// Whether the whole board is drawn rather than one chapter of it.
    pub(super) whole: bool,
}

/// One column. The numbers are indexes into the lists of the board.
#[derive(Debug, Default)]
pub(super) struct Column {
    pub(super) chapter: Option<usize>,
    pub(super) context: Option<usize>,
    pub(super) doers: Vec<Doer>,
    pub(super) views: Vec<usize>,
    pub(super) task: Option<usize>,
    pub(super) model: Option<usize>,
    pub(super) events: Vec<Happening>,
    /// How many of the events the task raises; they come first.
    pub(super) raises: usize,
}

/// Who does a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doer {
    Actor(usize),
    System(usize),
    /// A process or policy does it.
    Automatic,
    /// It is public and nobody here does it.
    AnotherSystem,
    Nobody,
}

/// An event in a column.
#[derive(Debug)]
pub(super) struct Happening {
    pub(super) event: usize,
    /// Raised instead of the others.
    pub(super) otherwise: bool,
    pub(super) when: Option<String>,
}

impl Columns {
    pub(super) fn of(board: &Board, chapter: Option<&str>) -> Self {
        let wanted = |note: &Note| match (chapter, note.chapter) {
            (None, _) => true,
            (Some(name), Some(index)) => board
                .chapters
                .get(index)
                .is_some_and(|found| found.note.name.text == name),
            (Some(_), None) => false,
        };
        let mut heads = heads(board);
        heads.retain(|(_, _, note)| wanted(note));
        heads.sort_by_key(|(_, _, note)| note.order);
        let done = done_by_reactions(board);
        let mut columns = Self {
            whole: chapter.is_none(),
            ..Self::default()
        };
        for (kind, index, note) in heads {
            let mut column = Column {
                chapter: note.chapter,
                context: note.context,
                ..Column::default()
            };
            match kind {
                Kind::Task => column.fill(board, index, done.contains(&index)),
                Kind::View => column.views.push(index),
                Kind::Model => column.model = Some(index),
                _ => column.events.push(Happening {
                    event: index,
                    otherwise: false,
                    when: None,
                }),
            }
            columns.add(column);
        }
        if columns.list.is_empty() {
            columns.add(Column::default());
        }
        columns
    }

    fn add(&mut self, column: Column) {
        let place = self.list.len();
        for happening in &column.events {
            self.home.entry(happening.event).or_insert(place);
        }
        if let Some(task) = column.task {
            self.of_task.insert(task, place);
        }
        self.list.push(column);
    }

    /// Puts an event that only a reaction raises into the column of that reaction.
    pub(super) fn settle(&mut self, event: usize, place: usize) {
        if let Some(column) = self.list.get_mut(place) {
            column.events.push(Happening {
                event,
                otherwise: false,
                when: None,
            });
            self.home.insert(event, place);
        }
    }

    /// The column in which a mentioned event is at home.
    pub(super) fn home_of(&self, mention: &Mention) -> Option<usize> {
        self.home.get(&mention.index(Kind::Event)?).copied()
    }
}

impl Column {
    fn fill(&mut self, board: &Board, index: usize, automatic: bool) {
        let Some(task) = board.tasks.get(index) else {
            return;
        };
        self.task = Some(index);
        self.doers
            .extend(task.by.iter().filter_map(|mention| match mention.target {
                Some(Target::Note(Kind::Actor, actor)) => Some(Doer::Actor(actor)),
                Some(Target::Note(Kind::System, system)) => Some(Doer::System(system)),
                _ => None,
            }));
        if self.doers.is_empty() {
            self.doers.push(match (automatic, task.public) {
                (_, Some(_)) => Doer::AnotherSystem,
                (true, None) => Doer::Automatic,
                (false, None) => Doer::Nobody,
            });
        }
        self.views
            .extend(task.sees.iter().filter_map(|view| view.index(Kind::View)));
        self.model = task.on.as_ref().and_then(|model| model.index(Kind::Model));
        let raised = task.raises.iter().filter_map(|raises| {
            let event = raises.event.index(Kind::Event)?;
            let when = raises.when.as_ref().map(|when| when.text.clone());
            Some(Happening {
                event,
                otherwise: raises.otherwise,
                when,
            })
        });
        self.events.extend(raised);
        self.raises = self.events.len();
    }
}

/// The notes that open a column: every task, and what no task and no reaction leads to.
fn heads(board: &Board) -> Vec<(Kind, usize, &Note)> {
    let tasks = &board.tasks;
    let seen: HashSet<_> = tasks
        .iter()
        .flat_map(|task| &task.sees)
        .map(|m| m.target)
        .collect();
    let used: HashSet<_> = tasks
        .iter()
        .flat_map(|task| &task.on)
        .map(|m| m.target)
        .collect();
    let raised = tasks
        .iter()
        .flat_map(|task| &task.raises)
        .map(|raises| raises.event.target);
    let by_reactions = reactions(board)
        .flat_map(|reaction| &reaction.steps)
        .map(|step| {
            if let Action::Raise { event } = &step.action {
                event.target
            } else {
                None
            }
        });
    let raised: HashSet<_> = raised.chain(by_reactions).collect();
    let alone = |kind, index, known: &HashSet<Option<Target>>| {
        !known.contains(&Some(Target::Note(kind, index)))
    };
    let mut all: Vec<(Kind, usize, &Note)> = Vec::new();
    all.extend(
        tasks
            .iter()
            .enumerate()
            .map(|(i, n)| (Kind::Task, i, &n.note)),
    );
    let views = board
        .views
        .iter()
        .enumerate()
        .filter(|(i, _)| alone(Kind::View, *i, &seen));
    all.extend(views.map(|(i, n)| (Kind::View, i, &n.note)));
    let models = board
        .models
        .iter()
        .enumerate()
        .filter(|(i, _)| alone(Kind::Model, *i, &used));
    all.extend(models.map(|(i, n)| (Kind::Model, i, &n.note)));
    let events = board
        .events
        .iter()
        .enumerate()
        .filter(|(i, _)| alone(Kind::Event, *i, &raised));
    all.extend(events.map(|(i, n)| (Kind::Event, i, &n.note)));
    all
}

/// Every reaction of every process and policy.
pub(super) fn reactions(board: &Board) -> impl Iterator<Item = &Reaction> {
    let processes = board
        .processes
        .iter()
        .flat_map(|process| &process.reactions);
    processes.chain(board.policies.iter().flat_map(|policy| &policy.reactions))
}

/// The tasks that a process or policy does or asks for.
fn done_by_reactions(board: &Board) -> HashSet<usize> {
    reactions(board)
        .flat_map(|reaction| &reaction.steps)
        .filter_map(|step| match &step.action {
            Action::Ask { task, .. } | Action::Do { task } => task.index(Kind::Task),
            Action::Tell { .. } | Action::Raise { .. } => None,
        })
        .collect()
}
