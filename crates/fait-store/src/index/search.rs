//! Finds the events of a stretch that a query may select. Keys are hashes, so who searches looks
//! at the record before it is sure.

use super::List;
use crate::key::{self, Key};
use fait_core::query::Query;
use std::io;

/// Which ordinals are still to be looked at, both ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Window {
    pub(crate) low: u32,
    pub(crate) high: u32,
    pub(crate) backwards: bool,
}

/// A search that is under way.
#[derive(Debug)]
pub(crate) struct Search {
    items: Vec<Item>,
    window: Option<Window>,
    /// Everything is wanted: there is nothing to be searched for.
    every: bool,
}

impl Search {
    /// Begins to search. `list` gives the list of a key within the window.
    pub(crate) fn begin(
        query: &Query,
        window: Window,
        mut list: impl FnMut(Key) -> io::Result<Option<List>>,
    ) -> io::Result<Search> {
        let every = is_every(query);
        let mut items = vec![];
        for item in query.items.iter().filter(|_| !every) {
            let clauses = key::clauses(item);
            items.extend(Item::begin(&clauses, window, &mut list)?);
        }
        Ok(Search {
            items,
            window: Some(window),
            every,
        })
    }

    /// The next ordinal that the query may select.
    pub(crate) fn next(&mut self) -> io::Result<Option<u32>> {
        if self.every {
            return Ok(self.any());
        }
        while let Some(near) = self.nearest() {
            let backwards = self.window.is_some_and(|w| w.backwards);
            let mut matched = false;
            for item in self.items.iter_mut().filter(|item| item.at == Some(near)) {
                matched |= item.matches(near, backwards)?;
            }
            if matched {
                for item in self.items.iter_mut().filter(|item| item.at == Some(near)) {
                    item.at = beyond(near, backwards);
                }
                return Ok(Some(near));
            }
        }
        Ok(None)
    }

    /// The next ordinal of the window.
    fn any(&mut self) -> Option<u32> {
        let window = self.window.as_mut()?;
        let at = if window.backwards {
            window.high
        } else {
            window.low
        };
        if window.low == window.high {
            self.window = None;
        } else if window.backwards {
            window.high -= 1;
        } else {
            window.low += 1;
        }
        Some(at)
    }

    /// The nearest ordinal where an item may match. The window begins there from now on.
    fn nearest(&mut self) -> Option<u32> {
        let window = self.window.as_mut()?;
        let candidates = self.items.iter().filter_map(|item| item.at);
        let near = match window.backwards {
            true => candidates.max(),
            false => candidates.min(),
        };
        let near = near.filter(|at| (window.low..=window.high).contains(at));
        match near {
            Some(near) if window.backwards => window.high = near,
            Some(near) => window.low = near,
            None => self.window = None,
        }
        near
    }
}

/// Whether a query selects everything, whatever else it names.
pub(crate) fn is_every(query: &Query) -> bool {
    query
        .items
        .iter()
        .any(|item| item.types.is_empty() && item.tags.is_empty())
}

fn beyond(at: u32, backwards: bool) -> Option<u32> {
    match backwards {
        true => at.checked_sub(1),
        false => at.checked_add(1),
    }
}

/// The search for one query item: clauses combined by AND, the lists of a clause by OR.
#[derive(Debug)]
struct Item {
    clauses: Vec<Vec<List>>,
    /// Nothing before this ordinal is left to match; none: nothing at all.
    at: Option<u32>,
}

impl Item {
    /// None when a clause has nothing in the window.
    fn begin(
        clauses: &[Vec<Key>],
        window: Window,
        list: &mut impl FnMut(Key) -> io::Result<Option<List>>,
    ) -> io::Result<Option<Item>> {
        let mut lists = Vec::with_capacity(clauses.len());
        for keys in clauses {
            let mut found = vec![];
            for key in keys {
                found.extend(list(*key)?);
            }
            if found.is_empty() {
                return Ok(None);
            }
            lists.push(found);
        }
        // The shortest first: it decides how far the others may jump.
        lists.sort_by_key(|clause| clause.iter().map(List::length).sum::<usize>());
        let at = match window.backwards {
            true => window.high,
            false => window.low,
        };
        Ok(Some(Item {
            clauses: lists,
            at: Some(at),
        }))
    }

    /// Whether all clauses have this ordinal. When not, the search moves on to where the first
    /// clause that has not has its next.
    fn matches(&mut self, at: u32, backwards: bool) -> io::Result<bool> {
        for clause in &mut self.clauses {
            let mut next = None;
            for list in clause {
                let found = list.seek(at, backwards)?;
                next = match (next, found) {
                    (Some(a), Some(b)) if backwards => Some(u32::max(a, b)),
                    (Some(a), Some(b)) => Some(u32::min(a, b)),
                    (a, b) => a.or(b),
                };
            }
            if next != Some(at) {
                self.at = next;
                return Ok(false);
            }
        }
        Ok(true)
    }
}
