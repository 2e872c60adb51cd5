//! A board made ready to be played: every name resolved, every key known.

use super::when::clear;
use super::word::Word;
use fait_board::Board;
use fait_board::name::{kebab_name, rust_name};
use fait_board::note::{Kind, Mention, Target};
use fait_board::notes::{Action, Reaction as Said, Trigger, Type};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// What stands for the key on a board that names none.
const STORY: &str = "story";

/// A board made ready.
#[derive(Debug, Default)]
pub(super) struct Stage {
    pub(super) words: Vec<Word>,
    pub(super) events: Vec<Event>,
    pub(super) flows: Vec<Flow>,
    /// The word by which things are told apart where the board does not say.
    pub(super) usual: usize,
    /// The names of the views in the registry, in the order of the board.
    pub(super) view_names: Vec<String>,
    /// What is not played, or otherwise than it is written, in sentences.
    pub(super) left_out: Vec<String>,
    by_name: HashMap<String, usize>,
    sent: HashMap<(usize, usize), usize>,
    taken: HashMap<(usize, usize), usize>,
}

/// What happens: an event of the board, or a message of another system.
#[derive(Clone, Debug)]
pub(super) struct Event {
    /// As the board says it.
    pub(super) title: String,
    /// Its stored name.
    pub(super) ty: String,
    /// Its older stored names.
    pub(super) was: Vec<String>,
    pub(super) about: String,
    /// The words that it records.
    pub(super) records: Vec<usize>,
    /// The words that it is tagged with; those that it does not record come last.
    pub(super) carries: Vec<usize>,
    /// The ways that things can go from here, of which a person has to choose one.
    pub(super) ways: Vec<String>,
    /// Whether it is a message of another system.
    pub(super) message: bool,
}

/// A process or a policy.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub(super) title: String,
    pub(super) policy: bool,
    pub(super) keys: Vec<usize>,
    /// Words that stand for its key too.
    pub(super) also: Vec<usize>,
    pub(super) reactions: Vec<Reaction>,
    pub(super) ends: Vec<usize>,
}

/// Under which condition a process starts.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum When {
    Always,
    /// A yes-or-no word of the event is so.
    Word(usize, bool),
    /// Somebody chose this way.
    Chosen(String),
}

/// What a flow does, and when.
#[derive(Clone, Debug)]
pub(super) struct Reaction {
    pub(super) cue: Cue,
    pub(super) events: Vec<usize>,
    /// For each of the events, under which condition.
    pub(super) when: Vec<When>,
    /// Whether an instance begins with it.
    pub(super) start: bool,
    pub(super) steps: Vec<Step>,
}

/// When a flow reacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cue {
    /// Something happened.
    On,
    /// It has not happened for so long.
    After(Duration),
    /// It has not happened after so many tries.
    Tries(u64),
}

/// One thing that a flow does. Tasks are numbers of [`super::task::Task`]s.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Ask {
        actor: String,
        task: usize,
        within: Option<Duration>,
    },
    Do {
        task: usize,
    },
    Tell {
        system: String,
        task: usize,
    },
    Raise {
        event: usize,
    },
}

impl Stage {
    /// The board made ready.
    pub(super) fn of(board: &Board) -> Stage {
        let mut stage = Stage::default();
        stage.read_words(board);
        stage.name_views(board);
        stage.read_events(board);
        stage.read_flows(board);
        stage
    }

    /// The word that a mention stands for; it is text when the board does not explain it.
    pub(super) fn word(&mut self, mention: &Mention) -> usize {
        self.named(mention.text(), None)
    }

    pub(super) fn words_of(&mut self, mentions: &[Mention]) -> Vec<usize> {
        let mut out = vec![];
        for mention in mentions {
            let word = self.word(mention);
            if !out.contains(&word) {
                out.push(word);
            }
        }
        out
    }

    fn named(&mut self, name: &str, is: Option<Type>) -> usize {
        if let Some(known) = self.by_name.get(name) {
            return *known;
        }
        let number = self.words.len();
        let word = Word::new(name, is, number);
        // Two spellings of one word are one word.
        let known = self.words.iter().position(|w| w.field == word.field);
        let number = known.unwrap_or_else(|| {
            self.words.push(word);
            number
        });
        self.by_name.insert(name.into(), number);
        number
    }

    /// The event that a mention stands for.
    pub(super) fn event(&self, mention: &Mention) -> Option<usize> {
        match mention.target? {
            Target::Note(Kind::Event, index) => Some(index),
            Target::Sent(system, message) => self.sent.get(&(system, message)).copied(),
            _ => None,
        }
    }

    pub(super) fn events_of(&self, mentions: &[Mention]) -> Vec<usize> {
        mentions.iter().filter_map(|m| self.event(m)).collect()
    }

    /// The number of the task with which a system is told a message.
    pub(super) fn taken(&self, system: usize, message: usize) -> Option<usize> {
        self.taken.get(&(system, message)).copied()
    }

    /// The number of the event that stands for a message which a system sends.
    pub(super) fn sent(&self, system: usize, message: usize) -> Option<usize> {
        self.sent.get(&(system, message)).copied()
    }

    /// Whether events are found by a word.
    pub(super) fn is_key(&self, word: usize) -> bool {
        self.words[word].kind.is_some()
    }

    fn read_words(&mut self, board: &Board) {
        for word in &board.words {
            self.named(&word.note.name.text, word.is.clone());
        }
        for word in &mut self.words {
            if matches!(super::word::bare(&word.is), Type::Id) {
                word.make_key();
            }
        }
        let models = board.models.iter().flat_map(|m| &m.one_per);
        let views = board.views.iter().flat_map(|v| &v.one_row_per);
        let flows = board.processes.iter();
        let flows = flows.flat_map(|p| p.one_per.iter().chain(&p.also_known_by));
        for key in models.chain(views).chain(flows) {
            let word = self.word(key);
            self.words[word].make_key();
        }
        if !self.words.iter().any(|w| w.kind.is_some()) {
            let story = self.named(STORY, Some(Type::Id));
            self.words[story].make_key();
            self.usual = story;
        }
    }

    fn name_views(&mut self, board: &Board) {
        for (number, view) in board.views.iter().enumerate() {
            let name = view_name(&view.note.name.text, number);
            let name = match self.view_names.contains(&name) {
                true => format!("{name}-{number}"),
                false => name,
            };
            self.view_names.push(name);
        }
    }

    fn read_events(&mut self, board: &Board) {
        let alone = self
            .words
            .iter()
            .any(|w| w.kind.is_some() && w.name == STORY);
        for event in &board.events {
            let records = self.words_of(&event.records);
            let mut carries: Vec<usize> = records.clone();
            carries.retain(|w| self.is_key(*w));
            self.events.push(Event {
                title: event.note.name.text.clone(),
                ty: rust_name(&event.note.name.text),
                was: event.was.iter().map(|w| rust_name(&w.text)).collect(),
                about: joined(&event.note.about),
                records,
                carries,
                ways: vec![],
                message: false,
            });
        }
        self.usual = self.most_carried().unwrap_or(self.usual);
        let mut tasks = board.tasks.len();
        for (s, system) in board.systems.iter().enumerate() {
            for (m, message) in system.takes.iter().enumerate() {
                if !message.text.is_empty() {
                    self.taken.insert((s, m), tasks);
                    tasks += 1;
                }
            }
            for (m, message) in system.sends.iter().enumerate() {
                let event = self.message(&message.text);
                self.sent.insert((s, m), event);
            }
        }
        if alone {
            let usual = self.usual;
            for event in &mut self.events {
                carry(event, &[usual]);
            }
        }
    }

    fn message(&mut self, name: &str) -> usize {
        if let Some(known) = self.events.iter().position(|e| e.title == name) {
            return known;
        }
        self.events.push(Event {
            title: name.into(),
            ty: rust_name(name),
            was: vec![],
            about: String::new(),
            records: vec![],
            carries: vec![],
            ways: vec![],
            message: true,
        });
        self.events.len() - 1
    }

    fn most_carried(&self) -> Option<usize> {
        let carried = |word: usize| {
            let all = self.events.iter();
            all.filter(|e| e.carries.contains(&word)).count()
        };
        let keys = (0..self.words.len()).filter(|w| self.is_key(*w));
        // Of several the one that is explained first.
        keys.rev().max_by_key(|w| carried(*w))
    }

    /// The key that most of some events carry.
    pub(super) fn shared(&self, events: &[usize]) -> Option<usize> {
        let carried = |word: usize| {
            let all = events.iter();
            all.filter(|e| self.events[**e].carries.contains(&word))
                .count()
        };
        let first = events.first()?;
        let order = |word: usize| {
            let place = self.events[*first].carries.iter();
            std::cmp::Reverse(place.clone().position(|w| *w == word).unwrap_or(usize::MAX))
        };
        let keys = (0..self.words.len()).filter(|w| self.is_key(*w) && carried(*w) > 0);
        keys.rev().max_by_key(|w| (carried(*w), order(*w)))
    }

    fn read_flows(&mut self, board: &Board) {
        for policy in &board.policies {
            let reactions = self.reactions(board, &policy.reactions);
            self.flows.push(Flow {
                title: policy.note.name.text.clone(),
                policy: true,
                keys: vec![],
                also: vec![],
                reactions,
                ends: vec![],
            });
        }
        for process in &board.processes {
            let reactions = self.reactions(board, &process.reactions);
            let starts = reactions.iter().filter(|r| r.start);
            let starts: Vec<usize> = starts.flat_map(|r| r.events.clone()).collect();
            let mut keys = self.words_of(&process.one_per);
            if keys.is_empty() {
                keys.push(self.shared(&starts).unwrap_or(self.usual));
            }
            let mut ends = self.events_of(&process.ends_on);
            ends.extend(self.events_of(&process.gives_up_on));
            let flow = Flow {
                title: process.note.name.text.clone(),
                policy: false,
                also: self.words_of(&process.also_known_by),
                keys,
                reactions,
                ends,
            };
            if starts.is_empty() {
                let title = &flow.title;
                self.left_out.push(format!(
                    "“{title}” never starts: no `starts on` of it names an event that is there"
                ));
                continue;
            }
            for event in flow.heard() {
                carry(&mut self.events[event], &flow.keys);
            }
            for step in flow.reactions.iter().flat_map(|r| &r.steps) {
                if let Step::Raise { event } = step {
                    carry(&mut self.events[*event], &flow.keys);
                }
            }
            self.flows.push(flow);
        }
    }

    fn reactions(&mut self, board: &Board, said: &[Said]) -> Vec<Reaction> {
        let mut out = vec![];
        for reaction in said {
            let cue = match &reaction.trigger {
                Trigger::Whenever(_) | Trigger::Starts(..) | Trigger::On(_) => Cue::On,
                Trigger::After(period, _) => Cue::After(Duration::from_secs(period.seconds())),
                Trigger::Tries(tries, _) => Cue::Tries(*tries),
            };
            let condition = match &reaction.trigger {
                Trigger::Starts(_, condition) => condition.as_ref(),
                _ => None,
            };
            let events = self.events_of(reaction.trigger.events());
            let when = |event: &usize| match condition {
                None => When::Always,
                Some(text) => self.condition(*event, &text.text),
            };
            let when = events.iter().map(when).collect();
            let steps = reaction.steps.iter();
            out.push(Reaction {
                cue,
                events,
                when,
                start: matches!(reaction.trigger, Trigger::Starts(..)),
                steps: steps.filter_map(|s| self.step(board, &s.action)).collect(),
            });
        }
        out
    }

    fn step(&self, board: &Board, action: &Action) -> Option<Step> {
        let number = |task: &Mention| task.index(Kind::Task);
        match action {
            Action::Ask {
                actor,
                task,
                within,
            } => Some(Step::Ask {
                actor: board
                    .actors
                    .get(actor.index(Kind::Actor)?)?
                    .note
                    .name
                    .text
                    .clone(),
                task: number(task)?,
                within: within.map(|w| Duration::from_secs(w.seconds())),
            }),
            Action::Do { task } => Some(Step::Do {
                task: number(task)?,
            }),
            Action::Tell { system, message } => match message.target? {
                Target::Taken(s, m) => Some(Step::Tell {
                    system: system.text().into(),
                    task: self.taken(s, m)?,
                }),
                _ => None,
            },
            Action::Raise { event } => Some(Step::Raise {
                event: self.event(event)?,
            }),
        }
    }

    fn condition(&mut self, event: usize, text: &str) -> When {
        let recorded = self.events[event].records.iter();
        let words = recorded.map(|w| (*w, &self.words[*w]));
        let words = words.filter(|(_, w)| matches!(super::word::bare(&w.is), Type::YesOrNo));
        let words: Vec<(usize, &str)> = words.map(|(n, w)| (n, w.name.as_str())).collect();
        if let Some((word, yes)) = clear(text, &words) {
            return When::Word(word, yes);
        }
        let ways = &mut self.events[event].ways;
        if !ways.iter().any(|way| way == text) {
            ways.push(text.into());
        }
        When::Chosen(text.into())
    }
}

impl Flow {
    /// Every event that it hears, each once.
    pub(super) fn heard(&self) -> BTreeSet<usize> {
        let on = self.reactions.iter().flat_map(|r| r.events.clone());
        on.chain(self.ends.iter().copied()).collect()
    }
}

/// Makes an event carry further keys.
pub(super) fn carry(event: &mut Event, keys: &[usize]) {
    for key in keys {
        if !event.carries.contains(key) {
            event.carries.push(*key);
        }
    }
}

/// Texts as paragraphs of one.
pub(super) fn joined(about: &[fait_board::place::Said]) -> String {
    let texts: Vec<&str> = about.iter().map(|a| a.text.as_str()).collect();
    texts.join(" ")
}

/// The name of a view in the registry.
pub(super) fn view_name(name: &str, number: usize) -> String {
    let mut out = String::new();
    for c in kebab_name(name).chars() {
        match c {
            'ä' => out.push_str("ae"),
            'ö' => out.push_str("oe"),
            'ü' => out.push_str("ue"),
            'ß' => out.push_str("ss"),
            c if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' => out.push(c),
            _ => {}
        }
    }
    let out = out
        .split('-')
        .filter(|p| !p.is_empty())
        .collect::<Vec<_>>()
        .join("-");
    let begins = out.starts_with(|c: char| c.is_ascii_lowercase());
    match begins && !out.starts_with("fait-") && !out.starts_with("sqlite-") {
        true => out,
        false => format!("view-{number}-{out}").trim_end_matches('-').into(),
    }
}
