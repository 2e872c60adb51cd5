//! What the form of a task asks: what the board says, and what is missing so that its events can
//! record what they record.

use super::stage::{Cue, Flow, Reaction, Stage, Step};
use super::task::{ANYBODY, Field, Task};
use super::word::bare;
use fait_board::notes::Type;
use fait_core::command::FieldDef;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// What is chosen when none of the ways is meant.
pub(super) const NO_WAY: &str = "None of these";

/// Fills the forms of all tasks.
pub(super) fn fill(stage: &Stage, all: &mut [Task]) {
    for (number, task) in all.iter_mut().enumerate() {
        let told = told(stage, number);
        let mut form = Form {
            stage,
            fields: vec![],
            seen: BTreeSet::new(),
        };
        form.fill(task, &told);
        task.fields = form.fields;
        task.automatic = !task.elsewhere
            && task.choice.is_none()
            && task.way.is_none()
            && task.works_out.is_empty();
    }
    let mut done: BTreeMap<usize, bool> = BTreeMap::new();
    for flow in &stage.flows {
        for reaction in &flow.reactions {
            let known = known_at(stage, flow, reaction);
            for step in &reaction.steps {
                if let Step::Do { task } = step {
                    *done.entry(*task).or_insert(true) &= needs(&all[*task]).is_subset(&known);
                }
            }
        }
    }
    for (number, task) in all.iter_mut().enumerate() {
        let known = done.get(&number).copied();
        task.automatic &= known.unwrap_or_else(|| needs(task).is_subset(&key_words(task)));
        if known.is_some() && !task.automatic && task.roles.is_empty() {
            task.roles.push(ANYBODY.into());
        }
        if known.is_some() && task.automatic && task.roles.is_empty() {
            // What an event recorded as nothing is nothing here too, rather than a failure.
            let keys = key_words(task);
            let others = task.fields.iter_mut();
            for field in others.filter(|f| f.word.is_some_and(|w| !keys.contains(&w))) {
                field.def.optional = true;
            }
        }
    }
}

fn key_words(task: &Task) -> BTreeSet<usize> {
    task.keys.iter().copied().collect()
}

/// The words without which a task cannot be done.
fn needs(task: &Task) -> BTreeSet<usize> {
    let required = task.fields.iter().filter(|f| !f.def.optional);
    required.filter_map(|f| f.word).collect()
}

/// The words that a flow knows for certain when it reacts: its keys, what every event says that it
/// may start with, and what every event says that it reacts to there.
fn known_at(stage: &Stage, flow: &Flow, reaction: &Reaction) -> BTreeSet<usize> {
    let said = |events: &[usize]| {
        let words = |e: &usize| {
            let event = &stage.events[*e];
            let words = event.carries.iter().chain(&event.records);
            words.copied().collect::<BTreeSet<usize>>()
        };
        let all = events.iter().map(words);
        all.reduce(|a, b| a.intersection(&b).copied().collect())
            .unwrap_or_default()
    };
    let starts = flow.reactions.iter().filter(|r| r.start);
    let starts: Vec<usize> = starts.flat_map(|r| r.events.clone()).collect();
    let mut known: BTreeSet<usize> = flow.keys.iter().copied().collect();
    known.extend(said(&starts));
    if reaction.cue == Cue::On {
        known.extend(said(&reaction.events));
    }
    known
}

/// The words that a system is told: what is known where it is told.
fn told(stage: &Stage, number: usize) -> Vec<usize> {
    let reactions = stage.flows.iter().flat_map(|f| &f.reactions);
    let tells = |step: &Step| matches!(step, Step::Tell { task, .. } if *task == number);
    let reactions = reactions.filter(|r| r.steps.iter().any(tells));
    let events = reactions.flat_map(|r| &r.events);
    events
        .flat_map(|e| stage.events[*e].records.clone())
        .collect()
}

struct Form<'a> {
    stage: &'a Stage,
    fields: Vec<Field>,
    seen: BTreeSet<usize>,
}

impl Form<'_> {
    fn fill(&mut self, task: &mut Task, told: &[usize]) {
        let events: Vec<usize> = task.events().into_iter().collect();
        let recorded: Vec<usize> = events
            .iter()
            .flat_map(|e| self.stage.events[*e].records.clone())
            .collect();
        let choice = task.outcomes.len() > 1;
        for key in task.keys.iter().chain(&task.begins) {
            if !task.asks.contains(key) {
                let fresh = task.begins.contains(key);
                self.add(*key, "", "", fresh, fresh);
            }
        }
        for word in &task.asks {
            self.add(*word, "", "", self.may_be_nothing(*word), false);
        }
        for word in &task.works_out {
            let optional = choice || self.may_be_nothing(*word);
            self.add(*word, "Worked out: ", "", optional, false);
        }
        let remembered = self.recorded_by(&task.remembers);
        let past: Vec<usize> = self.past(task);
        let past = self.recorded_by(&past);
        for word in recorded {
            if remembered.contains(&word) || self.seen.contains(&word) {
                continue;
            }
            let known = past.contains(&word);
            let help = match known {
                true => "Left empty, it is as it was recorded before.",
                false => "The board does not say where it comes from.",
            };
            let optional = known || choice || self.may_be_nothing(word);
            self.add(word, "Worked out: ", help, optional, false);
        }
        let carried = events
            .iter()
            .flat_map(|e| self.stage.events[*e].carries.clone());
        for word in carried.collect::<Vec<_>>() {
            if !remembered.contains(&word) {
                let help = "So that those who go by it hear of this.";
                self.add(word, "", help, true, false);
            }
        }
        for word in told {
            self.add(*word, "", "", true, false);
        }
        self.choices(task, &events);
    }

    fn choices(&mut self, task: &mut Task, events: &[usize]) {
        if task.outcomes.len() > 1 {
            let texts = task.outcomes.iter().map(|o| o.text().to_string());
            let texts: Vec<String> = texts.collect();
            let def = choice(&self.free("what_happens"), "What happens?", &texts);
            task.choice = Some(def.name.clone());
            self.fields.push(Field { word: None, def });
        }
        let ways = events
            .iter()
            .flat_map(|e| self.stage.events[*e].ways.clone());
        let mut texts: Vec<String> = vec![];
        for way in ways {
            if !texts.contains(&way) {
                texts.push(way);
            }
        }
        if !texts.is_empty() {
            texts.push(NO_WAY.into());
            let def = choice(&way_field(self.stage), "Which way does it go?", &texts);
            task.way = Some(def.name.clone());
            self.fields.push(Field { word: None, def });
        }
    }

    fn add(&mut self, word: usize, before: &str, help: &str, optional: bool, fresh: bool) {
        if !self.seen.insert(word) {
            return;
        }
        let said = &self.stage.words[word];
        let label = match before {
            "" => said.label(),
            before => format!("{before}{}", said.name),
        };
        let help = match bare(&said.is) {
            Type::Date if help.is_empty() => "A date like 2026-11-23.",
            Type::Time if help.is_empty() => "A time like 18:05.",
            _ => help,
        };
        let def = FieldDef {
            name: said.field.clone(),
            label,
            help: help.into(),
            fresh,
            optional,
            schema: said.schema(),
        };
        let word = Some(word);
        self.fields.push(Field { word, def });
    }

    fn may_be_nothing(&self, word: usize) -> bool {
        matches!(self.stage.words[word].is, Type::OrNothing(_))
    }

    fn recorded_by(&self, events: &[usize]) -> BTreeSet<usize> {
        let records = events.iter().flat_map(|e| &self.stage.events[*e].records);
        records.copied().collect()
    }

    /// The events that may have happened to what the task is about.
    fn past(&self, task: &Task) -> Vec<usize> {
        past(self.stage, task)
    }

    fn free(&self, name: &str) -> String {
        free(self.stage, name)
    }
}

/// The events that carry everything that a task is decided on.
pub(super) fn past(stage: &Stage, task: &Task) -> Vec<usize> {
    let fits = |e: &usize| {
        let carries = &stage.events[*e].carries;
        task.keys.iter().all(|k| carries.contains(k))
    };
    let all = 0..stage.events.len();
    all.filter(|e| !task.keys.is_empty() && fits(e)).collect()
}

/// The field of a form, and of an event's data, that says which way things go.
pub(super) fn way_field(stage: &Stage) -> String {
    free(stage, "which_way")
}

/// A name that no word of the board has.
pub(super) fn free(stage: &Stage, name: &str) -> String {
    let mut name = name.to_string();
    while stage.words.iter().any(|w| w.field == name) {
        name.push('_');
    }
    name
}

/// A choice between texts, of which the first is taken when nobody chooses.
fn choice(name: &str, label: &str, texts: &[String]) -> FieldDef {
    FieldDef {
        name: name.into(),
        label: label.into(),
        help: String::new(),
        fresh: false,
        optional: true,
        schema: json!({"type": "string", "enum": texts, "default": texts.first()}),
    }
}
