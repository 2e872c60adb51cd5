//! Which notes are expected in a program: not those that are planned, nor those of a context that
//! runs elsewhere, nor what only they need.

use fait_board::Board;
use fait_board::note::{Kind, Note, Target};
use fait_board::notes::Trigger;
use fait_board::ties::{How, Ties};

/// Whether a note is expected in the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Expected,
    Planned,
    Elsewhere,
}

/// What a board says of its notes.
pub(super) struct Scopes<'b> {
    board: &'b Board,
    ties: &'b Ties,
}

impl<'b> Scopes<'b> {
    pub(super) fn new(board: &'b Board, ties: &'b Ties) -> Self {
        Scopes { board, ties }
    }

    /// The scope of a note, by its kind and its index among those.
    pub(super) fn of(&self, kind: Kind, index: usize) -> Scope {
        let board = self.board;
        let note = match kind {
            Kind::View => board.views.get(index).map(|n| &n.note),
            Kind::Task => board.tasks.get(index).map(|n| &n.note),
            Kind::Event => board.events.get(index).map(|n| &n.note),
            Kind::Model => board.models.get(index).map(|n| &n.note),
            Kind::Policy => board.policies.get(index).map(|n| &n.note),
            Kind::Process => board.processes.get(index).map(|n| &n.note),
            Kind::Actor => board.actors.get(index).map(|n| &n.note),
            Kind::System => board.systems.get(index).map(|n| &n.note),
            _ => None,
        };
        match note.map(|note| self.said(note)) {
            None => Scope::Expected,
            Some(Scope::Expected) => match kind {
                Kind::View | Kind::Policy | Kind::Process => self.fed(kind, index),
                Kind::Actor | Kind::System => self.needed(kind, index),
                _ => Scope::Expected,
            },
            Some(other) => other,
        }
    }

    /// What the note itself or its context says.
    fn said(&self, note: &Note) -> Scope {
        let context = note.context.and_then(|at| self.board.contexts.get(at));
        match context.is_some_and(|context| context.runs_elsewhere.is_some()) {
            true => Scope::Elsewhere,
            false if note.planned.is_some() => Scope::Planned,
            false => Scope::Expected,
        }
    }

    /// What only planned events set off is planned.
    fn fed(&self, kind: Kind, index: usize) -> Scope {
        let begins = |how: How| matches!(how, How::From | How::Whenever | How::StartsOn);
        let ties = self.ties.from(Target::Note(kind, index));
        let mut events = ties.filter(|tie| begins(tie.how)).map(|tie| tie.to);
        let planned = |to: Target| match to {
            Target::Note(Kind::Event, at) => self.of(Kind::Event, at) == Scope::Planned,
            _ => false,
        };
        match events.next() {
            Some(first) if planned(first) && events.all(planned) => Scope::Planned,
            _ => Scope::Expected,
        }
    }

    /// Whom only notes need that are not expected, is not expected either.
    fn needed(&self, kind: Kind, index: usize) -> Scope {
        let messages = |to: Target| match (kind, to) {
            (Kind::System, Target::Sent(at, _) | Target::Taken(at, _)) => at == index,
            (_, Target::Note(found, at)) => (found, at) == (kind, index),
            _ => false,
        };
        let mut scope = None;
        for tie in self.ties.all().iter().filter(|tie| messages(tie.to)) {
            let Target::Note(from, at) = tie.from else {
                continue;
            };
            match (from, scope) {
                (Kind::Example, _) => {}
                (Kind::Actor | Kind::System, _) => {}
                _ => match self.of(from, at) {
                    Scope::Expected => return Scope::Expected,
                    found => scope = scope.or(Some(found)),
                },
            }
        }
        scope.unwrap_or(Scope::Expected)
    }
}

/// Whether a reaction is about so many tries, which any input may be the last of.
pub(super) fn counts_tries(trigger: &Trigger) -> bool {
    matches!(trigger, Trigger::Tries(..))
}
