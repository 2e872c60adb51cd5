//! What the store must answer: the store in memory, and what a loss of power may leave out.

use crate::writer::Answer;
use fait_core::event::Position;
use fait_core::query::Query;
use fait_core::store::contract::block_on;
use fait_core::store::{
    Append, AppendError, Appended, Durability, Erase, Erased, Memory, Range, Slice, Store,
};

/// What was sent and taken, in this order.
#[derive(Clone, Debug)]
enum Change {
    Append(Append),
    Erase(Erase),
}

/// A change, and the head behind it.
#[derive(Clone, Debug)]
struct Taken {
    change: Change,
    head: Position,
}

/// What readers must see, and what may come to it when the store is opened again.
#[derive(Debug, Default)]
pub(super) struct Model {
    memory: Memory,
    taken: Vec<Taken>,
    /// Sent, and neither acknowledged nor refused for good. Nothing was sent behind it.
    doubt: Vec<Change>,
}

impl Model {
    pub(super) fn head(&self) -> Position {
        block_on(self.memory.head()).unwrap_or_default()
    }

    /// The head behind the last change but `n`.
    pub(super) fn head_before(&self, n: usize) -> Position {
        let at = self.taken.len().checked_sub(n + 1);
        at.map_or(0, |at| self.taken[at].head)
    }

    pub(super) fn memory(&self) -> &Memory {
        &self.memory
    }

    pub(super) fn read(&self, query: &Query, range: Range) -> Slice {
        let nothing = Slice {
            events: vec![],
            head: 0,
        };
        block_on(self.memory.read(query, range)).unwrap_or(nothing)
    }

    /// Some append that was taken.
    pub(super) fn old(&self, n: usize) -> Option<&Append> {
        match &self.taken.get(n)?.change {
            Change::Append(append) => Some(append),
            Change::Erase(erase) => Some(&erase.tombstone),
        }
    }

    /// Whether something may have had an effect, and it is not known.
    pub(super) fn is_in_doubt(&self) -> bool {
        !self.doubt.is_empty()
    }

    /// How many changes were taken.
    pub(super) fn len(&self) -> usize {
        self.taken.len()
    }

    /// What the store must answer, and takes it in as if it had.
    pub(super) fn append(&mut self, append: &Append) -> Answer {
        let answer = block_on(self.memory.append(append.clone()));
        if answer.as_ref().is_ok_and(|receipt| !receipt.repeated) {
            self.take(Change::Append(append.clone()));
        }
        answer
    }

    /// The same for an erasure.
    pub(super) fn erase(&mut self, erase: &Erase) -> Result<Erased, AppendError> {
        let answer = block_on(self.memory.erase(erase.clone()));
        if answer.is_ok() {
            self.take(Change::Erase(erase.clone()));
        }
        answer
    }

    fn take(&mut self, change: Change) {
        let head = self.head();
        self.taken.push(Taken { change, head });
    }

    /// The changes from the n-th on had no effect.
    pub(super) fn undo(&mut self, n: usize) {
        if n < self.taken.len() {
            self.taken.truncate(n);
            self.again();
        }
    }

    /// The changes from the n-th on may have had an effect; nobody sees them until it is found out.
    pub(super) fn doubt(&mut self, n: usize) {
        if n < self.taken.len() {
            self.doubt = self
                .taken
                .split_off(n)
                .into_iter()
                .map(|t| t.change)
                .collect();
            self.again();
        }
    }

    fn again(&mut self) {
        self.memory = Memory::default();
        for taken in &self.taken {
            self.apply(&taken.change);
        }
    }

    fn apply(&self, change: &Change) {
        // Both were judged before, and are judged the same.
        match change {
            Change::Append(append) => drop(block_on(self.memory.append(append.clone()))),
            Change::Erase(erase) => drop(block_on(self.memory.erase(erase.clone()))),
        }
    }

    /// The store was opened and has this head: of what was in doubt, a beginning is there. Gives
    /// the erasure whose tombstone is the last of it: the rest of it may or may not have happened.
    ///
    /// # Errors
    /// What cannot be.
    pub(super) fn opened(&mut self, head: Position) -> Result<Option<Erase>, String> {
        let mut last = None;
        for change in std::mem::take(&mut self.doubt) {
            if self.head() >= head {
                break;
            }
            self.apply(&change);
            last = match &change {
                Change::Append(_) => None,
                Change::Erase(erase) => Some(erase.clone()),
            };
            self.take(change);
        }
        match self.head() {
            known if known == head => Ok(last),
            known if known > head => Err(format!(
                "the store ends at {head}, but {known} events were acknowledged, or half of an \
                 append is there"
            )),
            known => Err(format!(
                "the store ends at {head}, but only {known} events were ever sent"
            )),
        }
    }

    /// Whether an erasure was taken behind a head.
    pub(super) fn erases_behind(&self, head: Position) -> bool {
        let mut behind = self.taken.iter().filter(|taken| taken.head > head);
        behind.any(|taken| matches!(taken.change, Change::Erase(_)))
    }

    /// After damage that no store survives: the store has this head, which may be too low.
    pub(super) fn lost(&mut self, head: Position) -> bool {
        match self.taken.iter().rposition(|taken| taken.head == head) {
            Some(n) => self.undo(n + 1),
            None if head == 0 => self.undo(0),
            None => return false,
        }
        true
    }
}

/// A receipt as the store in memory would give it.
pub(super) fn plain(answer: Answer) -> Answer {
    answer.map(|receipt| Appended {
        durability: Durability::Memory,
        ..receipt
    })
}
