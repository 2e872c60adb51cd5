//! The index of a stretch of the log: which events have which type, tag or id, and where they
//! stand. Events are counted from the start of their segment: an event's *ordinal*.

mod list;
mod tail;
mod part;
mod build;
mod search;

pub(crate) use build::Builder;
pub(crate) use list::List;
pub(crate) use part::Part;
pub(crate) use search::{Search, Window, is_every};
pub(crate) use tail::Tail;

use uuid::Uuid;

/// The least and the greatest of some ids. Ids that carry the time at their front come in
/// order, so that most stretches need not be asked for a new one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) least: Uuid,
    pub(crate) greatest: Uuid,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            least: Uuid::max(),
            greatest: Uuid::nil(),
        }
    }
}

impl Bounds {
    pub(crate) fn add(&mut self, id: Uuid) {
        self.least = self.least.min(id);
        self.greatest = self.greatest.max(id);
    }

    pub(crate) fn may_have(&self, id: Uuid) -> bool {
        self.least <= id && id <= self.greatest
    }
}
