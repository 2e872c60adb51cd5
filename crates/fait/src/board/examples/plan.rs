//! An example in the words of the program: what it names is found, and its values are read, before
//! anything runs.

use super::known::Known;
use super::program::{Program, Shape, plain};
use super::report::{Miss, guess};
use super::value;
use fait_board::Board;
use fait_board::note::{Kind, Mention, Note, Target};
use fait_board::notes::{self, Action, Example, Occasion, Outcome, Period, Step, Type};
use serde_json::Value;

/// An example that can be run.
pub(super) struct Plan {
    pub(super) given: Vec<Fact>,
    pub(super) when: Vec<Act>,
    pub(super) then: Vec<Expect>,
    pub(super) known: Known,
    /// What is expected of the tasks: names of events and reasons of refusals.
    pub(super) expected: Vec<String>,
}

/// An event or a task of the program, with the values that the example says.
#[derive(Clone)]
pub(super) struct Fact {
    pub(super) line: usize,
    /// As the board calls it.
    pub(super) title: String,
    pub(super) what: What,
    pub(super) shape: Shape,
    pub(super) with: Vec<With>,
    /// The fields of an event that are there even when nothing is said of them, since the board
    /// has it record them.
    pub(super) records: Vec<String>,
}

/// What a fact is, with its name in the program.
#[derive(Clone)]
pub(super) enum What {
    Event { name: String, from: Option<String> },
    Task { name: String },
}

/// A word with its value.
#[derive(Clone)]
pub(super) struct With {
    pub(super) word: String,
    pub(super) field: String,
    pub(super) value: Value,
    /// The value as the board has it.
    pub(super) text: String,
}

pub(super) enum Act {
    Fact(Fact),
    Passes(Period),
}

pub(super) enum Expect {
    Fact(Fact),
    Refused { line: usize, reason: String },
    Step { line: usize, step: Expected },
    Shows(Shown),
}

/// A step, with the names of the board and, behind them, of the program.
pub(super) enum Expected {
    Ask {
        actor: String,
        task: (String, String),
        within: Option<Period>,
    },
    Do {
        task: (String, String),
    },
    Tell {
        system: String,
        message: (String, String),
    },
    Raise {
        event: (String, String),
    },
}

/// What a view shows.
pub(super) struct Shown {
    pub(super) line: usize,
    pub(super) title: String,
    pub(super) view: String,
    /// Whether there is no such row; without words, no row at all.
    pub(super) not: bool,
    pub(super) with: Vec<With>,
    /// The value of the row's key.
    pub(super) key: Option<With>,
}

/// An example that is not run: it need not be, or it names what is not there.
pub(super) enum NoPlan {
    Skip { why: String, line: usize },
    Misses(Vec<Miss>),
}

pub(super) fn plan(board: &Board, program: &Program, example: &Example) -> Result<Plan, NoPlan> {
    let mut planner = Planner {
        board,
        program,
        known: Known::default(),
        expected: vec![],
        misses: vec![],
        skip: None,
    };
    let given: Vec<_> = example
        .given
        .iter()
        .filter_map(|f| planner.fact(f))
        .collect();
    let when: Vec<_> = example
        .when
        .iter()
        .filter_map(|o| planner.occasion(o))
        .collect();
    let then: Vec<_> = example
        .then
        .iter()
        .filter_map(|o| planner.outcome(o))
        .collect();
    if let Some((why, line)) = planner.skip {
        return Err(NoPlan::Skip { why, line });
    }
    for (missing, clause) in [
        (example.when.is_empty(), "when"),
        (example.then.is_empty(), "then"),
    ] {
        if missing {
            let line = example.note.span.line;
            let message = format!("the example has no `{clause}`, so there is nothing to compare");
            planner.misses.push(Miss::new(line, message));
        }
    }
    if !planner.misses.is_empty() {
        return Err(NoPlan::Misses(planner.misses));
    }
    Ok(Plan {
        given,
        when,
        then,
        known: planner.known,
        expected: planner.expected,
    })
}

struct Planner<'a> {
    board: &'a Board,
    program: &'a Program,
    known: Known,
    expected: Vec<String>,
    misses: Vec<Miss>,
    /// Why it need not be run, and the line that says so.
    skip: Option<(String, usize)>,
}

impl Planner<'_> {
    fn fact(&mut self, fact: &notes::Fact) -> Option<Fact> {
        let mention = &fact.what;
        let (what, shape) = match mention.target {
            Some(Target::Note(Kind::Task, _) | Target::Taken(..)) => {
                let (name, entry) = self.command(mention)?;
                (What::Task { name }, Shape::of_fields(&entry.fields))
            }
            Some(_) => {
                let name = self.event(mention)?;
                let def = self.program.manifest.events.get(&name)?;
                let from = match mention.target {
                    Some(Target::Sent(system, _)) => self.board.systems.get(system),
                    _ => None,
                };
                let from = from.map(|s| s.note.name.text.clone());
                let from = from.or_else(|| self.program.sender(&name).map(String::from));
                (What::Event { name, from }, Shape::of_schema(&def.schema))
            }
            None => return self.nothing(mention),
        };
        let with = fact
            .with
            .iter()
            .filter_map(|(word, text)| self.with(mention.text(), &shape, word, &text.text));
        let with = with.collect();
        Some(Fact {
            line: mention.name.span.line,
            title: mention.text().into(),
            what,
            records: self.records(mention, &shape),
            shape,
            with,
        })
    }

    fn records(&self, mention: &Mention, shape: &Shape) -> Vec<String> {
        let words = self.board.event(mention).map(|e| &e.records[..]);
        let words = words.unwrap_or_default().iter();
        let fields = words.filter_map(|word| shape.field(word.text()));
        let there = fields.filter(|f| !matches!(f.is(self.board), Some(Type::OrNothing(_))));
        there.map(|f| f.name.clone()).collect()
    }

    /// A word with its value, as a field of the program.
    fn with(&mut self, of: &str, shape: &Shape, word: &Mention, text: &str) -> Option<With> {
        let line = word.name.span.line;
        let Some(field) = shape.field(word.text()) else {
            let message = format!(
                "the program has no field for the word `{}` in `{of}`; it has {}",
                word.text(),
                shape.words()
            );
            let words: Vec<String> = shape.0.iter().map(super::program::Field::word).collect();
            let near = guess(word.text(), words.iter().map(String::as_str));
            let todo =
                || "add the field to the program, or take the word out of the example".into();
            self.misses
                .push(Miss::new(line, message).help(near.unwrap_or_else(todo)));
            return None;
        };
        let kind = field.kind(self.board);
        let is = field.is(self.board);
        match value::read(
            text,
            &field.schema,
            is,
            kind.as_deref().unwrap_or(&field.name),
        ) {
            Ok(value) => {
                if let Some(kind) = kind.filter(|_| !value.is_array()) {
                    self.known.names(kind, &value, text);
                }
                Some(With {
                    word: word.text().into(),
                    field: field.name.clone(),
                    value,
                    text: text.into(),
                })
            }
            Err(needed) => {
                let message = format!(
                    "`{}` of `{of}` cannot be `{text}`: in the program it is {needed}",
                    word.text()
                );
                self.misses.push(Miss::new(line, message));
                None
            }
        }
    }

    fn occasion(&mut self, occasion: &Occasion) -> Option<Act> {
        match occasion {
            Occasion::Fact(fact) => self.fact(fact).map(Act::Fact),
            Occasion::Passes(period) => Some(Act::Passes(*period)),
        }
    }

    fn outcome(&mut self, outcome: &Outcome) -> Option<Expect> {
        match outcome {
            Outcome::Fact(fact) => {
                self.expected.push(fact.what.text().into());
                self.fact(fact).map(Expect::Fact)
            }
            Outcome::Refused(reason) => {
                self.expected.push(reason.text.clone());
                let (line, reason) = (reason.span.line, reason.text.clone());
                Some(Expect::Refused { line, reason })
            }
            Outcome::Step(step) => self.step(step),
            Outcome::Shows(view, shows) => self.shows(view, shows).map(Expect::Shows),
        }
    }

    fn step(&mut self, step: &Step) -> Option<Expect> {
        let line = step.span.line;
        let task = |planner: &mut Self, mention: &Mention| {
            let (name, _) = planner.command(mention)?;
            Some((mention.text().to_string(), name))
        };
        let step = match &step.action {
            Action::Ask {
                actor,
                task: asked,
                within,
            } => Expected::Ask {
                actor: actor.text().into(),
                task: task(self, asked)?,
                within: *within,
            },
            Action::Do { task: done } => Expected::Do {
                task: task(self, done)?,
            },
            Action::Tell { system, message } => Expected::Tell {
                system: system.text().into(),
                message: task(self, message)?,
            },
            Action::Raise { event } => Expected::Raise {
                event: (event.text().into(), self.event(event)?),
            },
        };
        Some(Expect::Step { line, step })
    }

    /// `order 7, dishes cake, tea`: what starts with no word belongs to the value before.
    fn shows(&mut self, view: &Mention, shows: &fait_board::place::Said) -> Option<Shown> {
        let (line, text) = (shows.span.line, shows.text.as_str());
        let Some((name, entry)) = self.program.view(view.text()) else {
            let views = self
                .program
                .manifest
                .views
                .keys()
                .map(|v| plain(v))
                .collect();
            return self.absent("view", view, views);
        };
        let (name, key_kind) = (name.clone(), entry.key.clone());
        let mut shape = Shape::of_schema(&entry.row);
        let keyed = shape.field(&key_kind).is_some();
        if !keyed {
            shape.0.push(super::program::Field {
                name: key_kind.clone(),
                schema: self.program.id_of(&key_kind),
                required: true,
                fresh: false,
            });
        }
        let rest = text.strip_prefix("no ");
        let nothing = matches!(text, "nothing" | "none");
        let mut shown = Shown {
            line,
            title: view.text().into(),
            view: name,
            not: nothing || rest.is_some(),
            with: vec![],
            key: None,
        };
        if nothing {
            return Some(shown);
        }
        for (word, value) in self.pairs(rest.unwrap_or(text), &shape) {
            let mention = Mention {
                name: fait_board::place::Said {
                    text: word,
                    span: shows.span,
                },
                target: None,
            };
            let with = self.with(view.text(), &shape, &mention, &value)?;
            match !keyed && with.field == key_kind {
                true => shown.key = Some(with),
                false => shown.with.push(with),
            }
        }
        Some(shown)
    }

    /// Words with their values, by the words of the board and of the row.
    fn pairs(&self, text: &str, shape: &Shape) -> Vec<(String, String)> {
        let mut words: Vec<String> = self
            .board
            .words
            .iter()
            .map(|w| w.note.name.text.clone())
            .collect();
        words.extend(shape.0.iter().map(super::program::Field::word));
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        let mut pairs: Vec<(String, String)> = vec![];
        for piece in text.split(',').map(str::trim) {
            let cut = words.iter().find_map(|word| {
                let rest = piece.strip_prefix(word.as_str())?;
                rest.starts_with(' ')
                    .then(|| (word.clone(), rest.trim().to_string()))
            });
            match (cut, pairs.last_mut()) {
                (Some(pair), _) => pairs.push(pair),
                (None, Some((_, value))) => *value = format!("{value}, {piece}"),
                (None, None) => {
                    let (word, rest) = piece.split_once(' ').unwrap_or((piece, ""));
                    pairs.push((word.into(), rest.trim().into()));
                }
            }
        }
        pairs
    }

    fn command(
        &mut self,
        mention: &Mention,
    ) -> Option<(String, fait_core::manifest::CommandEntry)> {
        if let Some((name, entry)) = self.program.command(mention.text()) {
            return Some((name.clone(), entry.clone()));
        }
        let names = self
            .program
            .manifest
            .commands
            .keys()
            .map(|c| plain(c))
            .collect();
        let what = match mention.target {
            Some(Target::Taken(..)) => "message",
            _ => "task",
        };
        self.absent(what, mention, names)
    }

    fn event(&mut self, mention: &Mention) -> Option<String> {
        if let Some(def) = self.program.event(mention.text()) {
            return Some(def.name.clone());
        }
        let names = self
            .program
            .manifest
            .events
            .keys()
            .map(|e| plain(e))
            .collect();
        self.absent("event", mention, names)
    }

    /// What is named is not in the program: it need not be yet, or it is missing.
    fn absent<T>(&mut self, what: &str, mention: &Mention, names: Vec<String>) -> Option<T> {
        if mention.target.is_none() {
            return self.nothing(mention);
        }
        let line = mention.name.span.line;
        let note = self.note(mention);
        if let Some(why) = note.and_then(|note| self.excused(note, mention.text())) {
            self.skip.get_or_insert((why, line));
            return None;
        }
        let message = format!("the program has no {what} `{}`", mention.text());
        let todo = "write it, or say `planned` under its note".to_string();
        let help = match guess(mention.text(), names.iter().map(String::as_str)) {
            Some(near) => format!("{near} Else {todo}"),
            None => todo,
        };
        self.misses.push(Miss::new(line, message).help(help));
        None
    }

    /// A name that stands for nothing on the board.
    fn nothing<T>(&mut self, mention: &Mention) -> Option<T> {
        let name = mention.text();
        let message = format!("the board has no event, task or sent message `{name}`");
        let miss = Miss::new(mention.name.span.line, message);
        self.misses
            .push(miss.help("`fait board lint` says which names there are"));
        None
    }

    fn note(&self, mention: &Mention) -> Option<&Note> {
        let board = self.board;
        match mention.target? {
            Target::Note(Kind::Event, n) => board.events.get(n).map(|e| &e.note),
            Target::Note(Kind::Task, n) => board.tasks.get(n).map(|t| &t.note),
            Target::Note(Kind::View, n) => board.views.get(n).map(|v| &v.note),
            _ => None,
        }
    }

    /// Why a note need not be in this program.
    fn excused(&self, note: &Note, name: &str) -> Option<String> {
        if note.planned.is_some() {
            return Some(format!("`{name}` is planned, and not in the program yet"));
        }
        let context = self.board.contexts.get(note.context?)?;
        context.runs_elsewhere?;
        let context = &context.note.name.text;
        Some(format!("`{name}` is of `{context}`, which runs elsewhere"))
    }
}
