//! The two passes over the tree: first every name, then what is said of each note.

use super::clauses::{Clauses, common};
use super::names::{Names, Scope};
use super::tree::{RawNote, Tree};
use super::values;
use crate::board::Board;
use crate::note::{Kind, Note, Target};
use crate::notes::{
    Actor, Chapter, Context, Event, Example, Hotspot, Idea, Model, Policy, Process, System, Task,
    View, Word,
};
use crate::place::{Phrase, Said};
use crate::problem::{Problem, code};

pub(super) fn read(tree: &Tree<'_>) -> (Board, Vec<Problem>) {
    let mut names = Names::default();
    declare(tree, &mut names);
    let mut reader = Reader {
        board: Board::default(),
        names,
        context: None,
        chapter: None,
    };
    for (order, raw) in tree.notes.iter().enumerate() {
        reader.note(raw, order);
    }
    (reader.board, reader.names.problems)
}

/// Learns every name, so that a note may be mentioned before it stands on the board.
fn declare(tree: &Tree<'_>, names: &mut Names) {
    let mut counts = [0_usize; Kind::ALL.len()];
    for raw in &tree.notes {
        let name = name_of(raw).plain();
        let index = counts.get(raw.kind as usize).copied().unwrap_or(0);
        let target = Target::Note(raw.kind, index);
        let twice = names.add(Scope::Note(raw.kind), &name, target).is_some();
        let may_reopen = matches!(raw.kind, Kind::Context | Kind::Chapter);
        if twice && !may_reopen {
            names.problems.extend(said_twice(raw, &name));
        }
        if let Some(count) = counts
            .get_mut(raw.kind as usize)
            .filter(|_| !(twice && may_reopen))
        {
            *count += 1;
        }
        if raw.kind == Kind::System {
            messages(raw, index, names);
        }
    }
    for name in &tree.lost {
        names.lose(name);
    }
}

fn messages(raw: &RawNote<'_>, system: usize, names: &mut Names) {
    let (mut taken, mut sent) = (0, 0);
    for clause in &raw.clauses {
        for message in messages_of(clause.rest) {
            if clause.keyword == "takes" {
                names.add(Scope::Taken, &message.text, Target::Taken(system, taken));
                taken += 1;
            } else if clause.keyword == "sends" {
                names.add(Scope::Sent, &message.text, Target::Sent(system, sent));
                sent += 1;
            }
        }
    }
}

/// The messages of a system.
pub(super) fn messages_of(rest: Phrase<'_>) -> Vec<Said> {
    let messages = rest.pieces().filter(|piece| !piece.is_empty());
    messages.map(Phrase::said).collect()
}

fn name_of<'a>(raw: &RawNote<'a>) -> Phrase<'a> {
    if raw.kind == Kind::Word {
        values::word_parts(raw.name).0
    } else {
        raw.name
    }
}

fn said_twice(raw: &RawNote<'_>, name: &str) -> Option<Problem> {
    let span = raw.head.span();
    match raw.kind {
        // Ideas and questions are sentences; the second `board` is told where it is read.
        Kind::Board | Kind::Hotspot | Kind::Idea => None,
        Kind::Word => {
            let message = format!("the word `{name}` is explained twice");
            Some(Problem::error(code::WORD_TWICE, span, message))
        }
        kind => {
            let message = format!("the {} `{name}` is on the board twice", kind.keyword());
            let help = "names are resolved to the first; give the second another name";
            Some(Problem::error(code::TWICE, span, message).with_help(help))
        }
    }
}

struct Reader {
    board: Board,
    names: Names,
    context: Option<usize>,
    chapter: Option<usize>,
}

impl Reader {
    fn note(&mut self, raw: &RawNote<'_>, order: usize) {
        let note = Note {
            name: name_of(raw).said(),
            span: raw.head.span(),
            last_line: raw.last_line,
            order,
            context: self.context,
            chapter: self.chapter,
            ..Note::default()
        };
        match raw.kind {
            Kind::Board => self.title(raw, note),
            Kind::Context => self.context(raw, note),
            Kind::Chapter => self.chapter(raw, note),
            Kind::Word | Kind::Actor | Kind::System => self.vocabulary(raw, note),
            Kind::View | Kind::Task | Kind::Event | Kind::Model => self.happening(raw, note),
            Kind::Policy | Kind::Process => self.reacting(raw, note),
            Kind::Example | Kind::Hotspot | Kind::Idea => self.remark(raw, note),
        }
    }

    fn title(&mut self, raw: &RawNote<'_>, mut note: Note) {
        if self.board.title.is_some() {
            let message = "the board already has a name";
            self.names
                .problems
                .push(Problem::error(code::REPEATED, note.span, message));
            return;
        }
        let (mut level, mut language) = (None, None);
        for clause in Clauses::of(raw, &mut note, &mut self.names) {
            if clause.keyword == "language" {
                match language {
                    Some(_) => self.names.problems.push(repeated(clause.line)),
                    None => language = Some(clause.rest.said()),
                }
                continue;
            }
            match values::level(clause.rest) {
                Ok(_) if level.is_some() => self.names.problems.push(repeated(clause.line)),
                Ok(found) => level = Some(found),
                Err(problem) => self.names.problems.push(problem),
            }
        }
        self.board.level = level.unwrap_or_default();
        self.board.language = language;
        self.board.title = Some(note.name);
        self.board.about = note.about;
        self.board.questions = note.questions;
    }

    fn context(&mut self, raw: &RawNote<'_>, mut note: Note) {
        // A context stands in no context.
        note.context = None;
        let scopes = [Scope::Note(Kind::Context)];
        let known = self
            .names
            .perhaps(name_of(raw), &scopes)
            .index(Kind::Context);
        let index = match known.filter(|index| *index < self.board.contexts.len()) {
            Some(index) => index,
            None => {
                let note = note.clone();
                let new = Context {
                    note,
                    runs_elsewhere: None,
                    reopened: Vec::new(),
                };
                self.board.contexts.push(new);
                self.board.contexts.len() - 1
            }
        };
        self.context = Some(index);
        let Some(context) = self.board.contexts.get_mut(index) else {
            return;
        };
        if context.note.order != note.order {
            context.reopened.push(note.span);
        }
        for clause in Clauses::of(raw, &mut context.note, &mut self.names) {
            context.runs_elsewhere = Some(clause.line.span());
        }
    }

    fn chapter(&mut self, raw: &RawNote<'_>, mut note: Note) {
        note.chapter = None;
        let scopes = [Scope::Note(Kind::Chapter)];
        let known = self
            .names
            .perhaps(name_of(raw), &scopes)
            .index(Kind::Chapter);
        let index = match known.filter(|index| *index < self.board.chapters.len()) {
            Some(index) => index,
            None => {
                self.board.chapters.push(Chapter {
                    note: note.clone(),
                    reopened: Vec::new(),
                });
                self.board.chapters.len() - 1
            }
        };
        self.chapter = Some(index);
        let Some(chapter) = self.board.chapters.get_mut(index) else {
            return;
        };
        if chapter.note.order != note.order {
            chapter.reopened.push(note.span);
        }
        common(raw, &mut chapter.note, &mut self.names);
    }

    fn vocabulary(&mut self, raw: &RawNote<'_>, mut note: Note) {
        match raw.kind {
            Kind::Word => {
                let own = Clauses::of(raw, &mut note, &mut self.names);
                let personal = own.first().map(|clause| clause.line.span());
                let is = match values::word_parts(raw.name).1.map(values::type_of) {
                    Some(Ok(is)) => Some(is),
                    Some(Err(problem)) => {
                        self.names.problems.push(problem);
                        None
                    }
                    None => {
                        self.names.problems.push(unexplained(&note));
                        None
                    }
                };
                self.board.words.push(Word { note, is, personal });
            }
            Kind::Actor => {
                common(raw, &mut note, &mut self.names);
                self.board.actors.push(Actor { note });
            }
            _ => {
                let mut new = System {
                    note,
                    takes: Vec::new(),
                    sends: Vec::new(),
                };
                new.read(raw, &mut self.names);
                self.board.systems.push(new);
            }
        }
    }

    fn happening(&mut self, raw: &RawNote<'_>, note: Note) {
        let names = &mut self.names;
        match raw.kind {
            Kind::View => self.board.views.push(View::read(raw, note, names)),
            Kind::Task => self.board.tasks.push(Task::read(raw, note, names)),
            Kind::Event => self.board.events.push(Event::read(raw, note, names)),
            _ => self.board.models.push(Model::read(raw, note, names)),
        }
    }

    fn reacting(&mut self, raw: &RawNote<'_>, note: Note) {
        let names = &mut self.names;
        match raw.kind {
            Kind::Policy => self.board.policies.push(Policy::read(raw, note, names)),
            _ => self.board.processes.push(Process::read(raw, note, names)),
        }
    }

    fn remark(&mut self, raw: &RawNote<'_>, mut note: Note) {
        let names = &mut self.names;
        match raw.kind {
            Kind::Example => self.board.examples.push(Example::read(raw, note, names)),
            Kind::Hotspot => {
                common(raw, &mut note, names);
                self.board.hotspots.push(Hotspot { note });
            }
            _ => {
                common(raw, &mut note, names);
                self.board.ideas.push(Idea { note });
            }
        }
    }
}

/// A clause that can be said only once.
pub(super) fn repeated(line: Phrase<'_>) -> Problem {
    Problem::error(code::REPEATED, line.span(), "this is already said above")
}

fn unexplained(note: &Note) -> Problem {
    let message = format!("it is not said what `{}` is", note.name.text);
    Problem::error(code::TYPE, note.span, message)
        .with_help("say `word total is money`: a word is followed by `is` and what it is")
}
