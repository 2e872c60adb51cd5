//! The tasks of a board: what a form asks, and where each word comes from.

use super::stage::{Event, Flow, Stage, Step, carry, joined};
use fait_board::Board;
use fait_board::name::rust_name;
use fait_board::note::Kind;
use fait_board::notes::{Raises, Task as Note};
use fait_core::command::FieldDef;
use std::collections::BTreeSet;

/// Who does what no actor of the board does.
pub(super) const ANYBODY: &str = "Anybody";

/// Who asks for a public task.
pub(super) const OTHERS: &str = "Other systems";

/// The button of something that just happens.
const HAPPENED: &str = "It happened";

/// A task, or something that another system does.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) about: String,
    pub(super) button: Option<String>,
    pub(super) roles: Vec<String>,
    pub(super) sees: Option<String>,
    /// The number of the task that takes it back.
    pub(super) undone_by: Option<usize>,
    /// What it is decided on.
    pub(super) keys: Vec<usize>,
    /// Those of its events' keys that begin with it, so that a new one is made.
    pub(super) begins: Vec<usize>,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) fields: Vec<Field>,
    /// Whether a process can do it without a person.
    pub(super) automatic: bool,
    /// The field that says what comes of it, when there is a choice.
    pub(super) choice: Option<String>,
    /// The field that says which way things go from there.
    pub(super) way: Option<String>,
    pub(super) asks: Vec<usize>,
    pub(super) works_out: Vec<usize>,
    /// The events that its model remembers.
    pub(super) remembers: Vec<usize>,
    /// Whether it is done by hand, although a process does it.
    pub(super) elsewhere: bool,
}

/// One of the things that can come of a task.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// These events, under this text.
    Raises(Vec<usize>, String),
    /// A refusal: its code, its sentence, its text.
    Refused(String, String, String),
    /// Nothing, for a system that does not answer.
    Nothing(String),
}

/// A field of a form.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// The word that it asks for; none for a choice.
    pub(super) word: Option<usize>,
    pub(super) def: FieldDef,
}

impl Outcome {
    /// The choice as a person reads it.
    pub(super) fn text(&self) -> &str {
        match self {
            Outcome::Raises(_, text) | Outcome::Refused(_, _, text) | Outcome::Nothing(text) => {
                text
            }
        }
    }

    /// The events that come of it.
    pub(super) fn events(&self) -> &[usize] {
        match self {
            Outcome::Raises(events, _) => events,
            _ => &[],
        }
    }
}

impl Task {
    fn of(note: &Note, stage: &mut Stage) -> Task {
        let title = note.note.name.text.clone();
        Task {
            name: rust_name(&title),
            about: joined(&note.note.about),
            button: None,
            roles: note.by.iter().map(|by| by.text().to_string()).collect(),
            sees: None,
            undone_by: note.undone_by.as_ref().and_then(|m| m.index(Kind::Task)),
            keys: vec![],
            begins: vec![],
            outcomes: outcomes(note, stage),
            fields: vec![],
            automatic: false,
            choice: None,
            way: None,
            asks: stage.words_of(&note.asks),
            works_out: stage.words_of(&note.works_out),
            remembers: vec![],
            elsewhere: false,
            title,
        }
    }

    /// Something that another system does, or that just happens.
    fn outside(title: &str, name: String, role: &str, outcomes: Vec<Outcome>) -> Task {
        Task {
            name,
            title: title.into(),
            about: String::new(),
            button: None,
            roles: vec![role.into()],
            sees: None,
            undone_by: None,
            keys: vec![],
            begins: vec![],
            outcomes,
            fields: vec![],
            automatic: false,
            choice: None,
            way: None,
            asks: vec![],
            works_out: vec![],
            remembers: vec![],
            elsewhere: true,
        }
    }

    /// Every event that may come of it.
    pub(super) fn events(&self) -> BTreeSet<usize> {
        let all = self.outcomes.iter().flat_map(Outcome::events);
        all.copied().collect()
    }

    /// What comes of it when nobody chooses.
    pub(super) fn usual(&self) -> Option<&Outcome> {
        self.outcomes.first()
    }
}

fn outcomes(note: &Note, stage: &Stage) -> Vec<Outcome> {
    let event = |raises: &Raises| stage.event(&raises.event);
    let title = |raises: &Raises| raises.event.text().to_string();
    let (others, main): (Vec<&Raises>, Vec<&Raises>) =
        note.raises.iter().partition(|r| r.otherwise);
    let mut out = vec![];
    let events: Vec<usize> = main.iter().filter_map(|r| event(r)).collect();
    if !events.is_empty() {
        let titles: Vec<String> = main.iter().map(|r| title(r)).collect();
        out.push(Outcome::Raises(events, titles.join(" and ")));
    }
    for other in others {
        if let Some(event) = event(other) {
            let text = match &other.when {
                Some(when) => format!("{}, when {}", title(other), when.text),
                None => title(other),
            };
            out.push(Outcome::Raises(vec![event], text));
        }
    }
    for reason in &note.refused_when {
        let sentence = reason.text.clone();
        let text = format!("Refused because {sentence}");
        out.push(Outcome::Refused(rust_name(&sentence), sentence, text));
    }
    out
}

/// The tasks of a board, those of other systems behind them, as [`Stage`] numbers them.
pub(super) fn tasks(board: &Board, stage: &mut Stage) -> Vec<Task> {
    let mut all: Vec<Task> = vec![];
    for note in &board.tasks {
        let mut task = Task::of(note, stage);
        let view = note.sees.iter().find_map(|view| view.index(Kind::View));
        task.sees = view.and_then(|view| stage.view_names.get(view).cloned());
        let model = note
            .on
            .as_ref()
            .and_then(|m| board.models.get(m.index(Kind::Model)?));
        if let Some(model) = model {
            task.keys = stage.words_of(&model.one_per);
            task.remembers = stage.events_of(&model.remembers);
        }
        let context = note.note.context.and_then(|c| board.contexts.get(c));
        if let Some(context) = context.filter(|c| c.runs_elsewhere.is_some()) {
            task.elsewhere = true;
            if task.roles.is_empty() {
                task.roles.push(context.note.name.text.clone());
            }
        }
        all.push(task);
    }
    messages(board, stage, &mut all);
    carried(stage, &mut all);
    who(board, stage, &mut all);
    happened(stage, &mut all);
    for number in 0..all.len() {
        keys(stage, &mut all, number);
    }
    unique(&mut all);
    all
}

/// What other systems are told, and what they send.
fn messages(board: &Board, stage: &Stage, all: &mut Vec<Task>) {
    let mut unasked = vec![];
    for (s, system) in board.systems.iter().enumerate() {
        let name = &system.note.name.text;
        let sent: Vec<usize> = (0..system.sends.len())
            .filter_map(|m| stage.sent(s, m))
            .collect();
        let answers =
            |event: &usize| Outcome::Raises(vec![*event], stage.events[*event].title.clone());
        for (m, message) in system.takes.iter().enumerate() {
            if stage.taken(s, m).is_none() {
                continue;
            }
            let mut outcomes: Vec<Outcome> = sent.iter().map(answers).collect();
            let nothing = if outcomes.is_empty() {
                "Done"
            } else {
                "No answer"
            };
            outcomes.push(Outcome::Nothing(nothing.into()));
            let title = &message.text;
            let mut task = Task::outside(title, rust_name(title), name, outcomes);
            task.about = format!("{name} is told this. Answer as it would.");
            all.push(task);
        }
        for event in &sent {
            let title = stage.events[*event].title.clone();
            let own = format!("{}From{}", rust_name(&title), rust_name(name));
            let mut task = Task::outside(&title, own, name, vec![answers(event)]);
            task.about = format!("{name} sends this unasked.");
            task.button = Some("Send it".into());
            unasked.push(task);
        }
    }
    all.extend(unasked);
}

/// Makes events carry the keys that those need who go on from there.
fn carried(stage: &mut Stage, all: &mut [Task]) {
    for task in all.iter() {
        for event in task.events() {
            carry(&mut stage.events[event], &task.keys);
        }
    }
    for flow in stage.flows.clone().iter().filter(|f| f.policy) {
        for reaction in &flow.reactions {
            for number in reaction.steps.iter().filter_map(Step::task) {
                let keys = all[number].keys.clone();
                for event in &reaction.events {
                    carry(&mut stage.events[*event], &keys);
                }
            }
        }
    }
}

impl Step {
    /// The task that is asked for, done or told.
    pub(super) fn task(&self) -> Option<usize> {
        match self {
            Step::Ask { task, .. } | Step::Do { task } | Step::Tell { task, .. } => Some(*task),
            Step::Raise { .. } => None,
        }
    }
}

/// Who can do each task: those the board names, those who are asked, else whoever plays.
fn who(board: &Board, stage: &Stage, all: &mut [Task]) {
    let mut done = BTreeSet::new();
    for step in stage
        .flows
        .iter()
        .flat_map(|f| &f.reactions)
        .flat_map(|r| &r.steps)
    {
        match step {
            Step::Ask { actor, task, .. } => {
                let roles = &mut all[*task].roles;
                if !roles.contains(actor) {
                    roles.push(actor.clone());
                }
            }
            Step::Do { task } => drop(done.insert(*task)),
            Step::Tell { .. } | Step::Raise { .. } => {}
        }
    }
    for (number, note) in board.tasks.iter().enumerate() {
        let task = &mut all[number];
        if task.roles.is_empty() && note.public.is_some() {
            task.roles.push(OTHERS.into());
        }
        if task.roles.is_empty() && !done.contains(&number) {
            task.roles.push(ANYBODY.into());
        }
    }
}

/// What nothing on the board raises can be said to have happened.
fn happened(stage: &Stage, all: &mut Vec<Task>) {
    let mut raised: BTreeSet<usize> = all.iter().flat_map(Task::events).collect();
    let steps = stage.flows.iter().flat_map(|f| &f.reactions);
    for step in steps.flat_map(|r| &r.steps) {
        if let Step::Raise { event } = step {
            raised.insert(*event);
        }
    }
    for (number, event) in stage.events.iter().enumerate() {
        if raised.contains(&number) {
            continue;
        }
        let outcome = Outcome::Raises(vec![number], event.title.clone());
        let name = format!("{}Happened", event.ty);
        let mut task = Task::outside(&event.title, name, ANYBODY, vec![outcome]);
        task.about = "Nothing on the board raises it yet.".into();
        task.button = Some(HAPPENED.into());
        task.elsewhere = false;
        all.push(task);
    }
}

/// What a task is decided on, and what begins with it.
fn keys(stage: &Stage, all: &mut [Task], number: usize) {
    let task = &all[number];
    let carries: Vec<usize> = match task.usual() {
        Some(Outcome::Raises(events, _)) => {
            let keys = events.iter().flat_map(|e| stage.events[*e].carries.clone());
            keys.collect()
        }
        _ => vec![],
    };
    let mut keys = task.keys.clone();
    if keys.is_empty() && task.elsewhere && task.asks.is_empty() {
        // A system is told about the thing that the process is about.
        let tells = |flow: &&Flow| {
            let mut steps = flow.reactions.iter().flat_map(|r| &r.steps);
            steps.any(|step| step.task() == Some(number))
        };
        keys.extend(
            stage
                .flows
                .iter()
                .filter(tells)
                .flat_map(|f| f.keys.clone()),
        );
    }
    if keys.is_empty() {
        keys.extend(carries.first());
    }
    keys.dedup();
    let raised = task.events();
    let first = |word: &usize| {
        let carry = |event: &Event| event.carries.contains(word) && !event.message;
        stage.events.iter().position(carry)
    };
    let begins = raised.iter().flat_map(|e| stage.events[*e].carries.clone());
    let begins: BTreeSet<usize> = begins
        .filter(|word| first(word).is_some_and(|event| raised.contains(&event)))
        .filter(|word| !task.asks.contains(word) && stage.words[*word].can_be_made())
        .collect();
    let task = &mut all[number];
    task.keys = keys;
    task.begins = begins.into_iter().collect();
}

/// Two tasks of one name would be one command.
fn unique(all: &mut [Task]) {
    let mut seen = BTreeSet::new();
    for (number, task) in all.iter_mut().enumerate() {
        if task.name.is_empty() || !seen.insert(task.name.clone()) {
            task.name = format!("{}{number}", task.name);
            seen.insert(task.name.clone());
        }
    }
}
