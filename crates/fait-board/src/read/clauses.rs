//! What is said of each kind of note.

use super::examples;
use super::names::{DOER, EVENT, HEARD, Names, Scope, TASK};
use super::notes::{messages_of, repeated};
use super::steps;
use super::tree::{RawClause, RawNote};
use crate::note::{Kind, Mention, Note};
use crate::notes::{Event, Example, Model, Policy, Process, Raises, System, Task, View};
use crate::place::{Phrase, Span};
use crate::problem::{Problem, code};

const ACTOR: &[Scope] = &[Scope::Note(Kind::Actor)];
const VIEW: &[Scope] = &[Scope::Note(Kind::View)];
const MODEL: &[Scope] = &[Scope::Note(Kind::Model)];

/// Clauses that stand alone.
const FLAGS: [&str; 5] = ["public", "planned", "pivotal", "personal", "runs elsewhere"];

/// The clauses that only this kind of note has.
pub(super) struct Clauses;

impl Clauses {
    /// Reads what every note may say, and gives the rest. A clause without its words, or a flag
    /// with too many, is a problem and is left out.
    pub(super) fn of<'t, 'a>(
        raw: &'t RawNote<'a>,
        note: &mut Note,
        names: &mut Names,
    ) -> Vec<&'t RawClause<'a>> {
        let mut own = Vec::new();
        for clause in &raw.clauses {
            if let Some(problem) = incomplete(clause) {
                names.problems.push(problem);
                continue;
            }
            match clause.keyword {
                "about" => note.about.push(clause.rest.said()),
                "hotspot" => note.questions.push(clause.rest.said()),
                "planned" => note.planned = Some(clause.line.span()),
                _ => own.push(clause),
            }
        }
        own
    }
}

/// A note that says only what every note may say.
pub(super) fn common(raw: &RawNote<'_>, note: &mut Note, names: &mut Names) {
    let _ = Clauses::of(raw, note, names);
}

fn incomplete(clause: &RawClause<'_>) -> Option<Problem> {
    let (keyword, span) = (clause.keyword, clause.line.span());
    match (FLAGS.contains(&keyword), clause.rest.is_empty()) {
        (false, true) => {
            let message = format!("`{keyword}` says nothing");
            Some(Problem::error(code::MISSING, span, message))
        }
        (true, false) => {
            let message = format!("`{keyword}` stands alone");
            Some(Problem::error(code::TOO_MUCH, clause.rest.span(), message))
        }
        _ => None,
    }
}

fn flag(clause: &RawClause<'_>) -> Option<Span> {
    Some(clause.line.span())
}

/// A name that can be said only once.
fn once(said: &mut Option<Mention>, clause: &RawClause<'_>, scopes: &[Scope], names: &mut Names) {
    if said.is_some() {
        names.problems.push(repeated(clause.line));
    } else {
        *said = Some(names.one(clause.rest, scopes));
    }
}

impl System {
    pub(super) fn read(&mut self, raw: &RawNote<'_>, names: &mut Names) {
        for clause in Clauses::of(raw, &mut self.note, names) {
            match clause.keyword {
                "takes" => self.takes.extend(messages_of(clause.rest)),
                _ => self.sends.extend(messages_of(clause.rest)),
            }
        }
    }
}

impl View {
    pub(super) fn read(raw: &RawNote<'_>, mut note: Note, names: &mut Names) -> Self {
        let clauses = Clauses::of(raw, &mut note, names);
        let (from, shows) = (Vec::new(), Vec::new());
        let mut view = Self {
            note,
            from,
            shows,
            works_out: Vec::new(),
            viewers: Vec::new(),
            one_row_per: Vec::new(),
        };
        for clause in clauses {
            match clause.keyword {
                "from" => view.from.extend(names.list(clause.rest, EVENT)),
                "shows" => view.shows.extend(names.words(clause.rest)),
                "works out" => view.works_out.extend(names.words(clause.rest)),
                "for" => view.viewers.extend(names.list(clause.rest, ACTOR)),
                _ => view.one_row_per.extend(names.words(clause.rest)),
            }
        }
        view.shows.extend(view.works_out.iter().cloned());
        view
    }
}

impl Task {
    pub(super) fn read(raw: &RawNote<'_>, mut note: Note, names: &mut Names) -> Self {
        let clauses = Clauses::of(raw, &mut note, names);
        let mut task = Self {
            note,
            by: Vec::new(),
            sees: Vec::new(),
            asks: Vec::new(),
            works_out: Vec::new(),
            on: None,
            raises: Vec::new(),
            refused_when: Vec::new(),
            undone_by: None,
            public: None,
        };
        for clause in clauses {
            task.clause(clause, names);
        }
        task
    }

    fn clause(&mut self, clause: &RawClause<'_>, names: &mut Names) {
        let rest = clause.rest;
        match clause.keyword {
            "by" => self.by.extend(names.list(rest, DOER)),
            "sees" => self.sees.extend(names.list(rest, VIEW)),
            "asks" => self.asks.extend(names.words(rest)),
            "works out" => self.works_out.extend(names.words(rest)),
            "on" => once(&mut self.on, clause, MODEL, names),
            "raises" => {
                let events = names.list(rest, EVENT).into_iter();
                self.raises.extend(events.map(|event| Raises {
                    event,
                    otherwise: false,
                    when: None,
                }));
            }
            "or raises" => {
                let (events, when) = names.list_until(rest, EVENT, Some("when"));
                let when = when.map(Phrase::said);
                self.raises.extend(events.into_iter().map(|event| Raises {
                    event,
                    otherwise: true,
                    when: when.clone(),
                }));
            }
            "refused when" => self.refused_when.push(rest.said()),
            "undone by" => once(&mut self.undone_by, clause, TASK, names),
            _ => self.public = flag(clause),
        }
    }
}

impl Event {
    pub(super) fn read(raw: &RawNote<'_>, mut note: Note, names: &mut Names) -> Self {
        let clauses = Clauses::of(raw, &mut note, names);
        let (records, was) = (Vec::new(), Vec::new());
        let mut event = Self {
            note,
            records,
            pivotal: None,
            public: None,
            was,
        };
        for clause in clauses {
            match clause.keyword {
                "records" => event.records.extend(names.words(clause.rest)),
                "pivotal" => event.pivotal = flag(clause),
                "public" => event.public = flag(clause),
                _ => event.was.push(clause.rest.said()),
            }
        }
        event
    }
}

impl Model {
    pub(super) fn read(raw: &RawNote<'_>, mut note: Note, names: &mut Names) -> Self {
        let clauses = Clauses::of(raw, &mut note, names);
        let (one_per, rules) = (Vec::new(), Vec::new());
        let mut model = Self {
            note,
            one_per,
            remembers: Vec::new(),
            rules,
        };
        for clause in clauses {
            match clause.keyword {
                "one per" => model.one_per.extend(names.words(clause.rest)),
                "remembers" => model.remembers.extend(names.list(clause.rest, EVENT)),
                _ => model.rules.push(clause.rest.said()),
            }
        }
        model
    }
}

impl Policy {
    pub(super) fn read(raw: &RawNote<'_>, mut note: Note, names: &mut Names) -> Self {
        let clauses = Clauses::of(raw, &mut note, names);
        let reactions = clauses
            .iter()
            .filter_map(|clause| steps::reaction(clause, names))
            .collect();
        Self { note, reactions }
    }
}

impl Process {
    pub(super) fn read(raw: &RawNote<'_>, mut note: Note, names: &mut Names) -> Self {
        let clauses = Clauses::of(raw, &mut note, names);
        let mut process = Self {
            note,
            one_per: Vec::new(),
            also_known_by: Vec::new(),
            reactions: Vec::new(),
            ends_on: Vec::new(),
            gives_up_on: Vec::new(),
        };
        for clause in clauses {
            match clause.keyword {
                "one per" => process.one_per.extend(names.words(clause.rest)),
                "also known by" => process.also_known_by.extend(names.words(clause.rest)),
                "ends on" => process.ends_on.extend(names.list(clause.rest, HEARD)),
                "gives up on" => process.gives_up_on.extend(names.list(clause.rest, HEARD)),
                _ => process.reactions.extend(steps::reaction(clause, names)),
            }
        }
        process
    }
}

impl Example {
    pub(super) fn read(raw: &RawNote<'_>, mut note: Note, names: &mut Names) -> Self {
        let clauses = Clauses::of(raw, &mut note, names);
        let (given, when, then) = (Vec::new(), Vec::new(), Vec::new());
        let mut example = Self {
            note,
            given,
            when,
            then,
        };
        let mut part = None;
        for clause in clauses {
            examples::clause(&mut example, &mut part, clause, names);
        }
        example
    }
}
