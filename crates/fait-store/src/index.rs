//! The index of a stretch of the log: where events stand, and which have which type and tag.

use crate::format::{CommandRecord, EventView};
use crate::postings::List;
use fait_core::event::{NewEvent, Position, Time};
use fait_core::query::{Query, QueryItem};
use std::collections::HashMap;
use uuid::Uuid;

/// Where an event's record stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    /// Number of the segment.
    pub(crate) segment: u32,
    /// Offset of the record in the segment.
    pub(crate) offset: u32,
    /// Length of the payload.
    pub(crate) length: u32,
}

/// An index of the events behind a position.
#[derive(Debug, Default)]
pub(crate) struct Index {
    base: Position,
    places: Vec<Place>,
    types: HashMap<Box<str>, Vec<Position>>,
    tags: HashMap<Box<str>, Vec<Position>>,
    ids: HashMap<Uuid, Position>,
    commands: HashMap<Uuid, CommandRecord>,
    last_time: Time,
}

/// Which positions are still to be looked at, both ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Window {
    pub(crate) low: Position,
    pub(crate) high: Position,
    pub(crate) backwards: bool,
}

impl Index {
    /// The index of what will stand behind a position.
    pub(crate) fn behind(base: Position, last_time: Time) -> Index {
        Index {
            base,
            last_time,
            ..Index::default()
        }
    }

    /// The last position.
    pub(crate) fn head(&self) -> Position {
        self.base + self.places.len() as Position
    }

    /// When the last event was recorded.
    pub(crate) fn last_time(&self) -> Time {
        self.last_time
    }

    pub(crate) fn place(&self, position: Position) -> Option<Place> {
        let n = position.checked_sub(self.base + 1)?;
        self.places.get(usize::try_from(n).ok()?).copied()
    }

    pub(crate) fn event(&self, id: Uuid) -> Option<Position> {
        self.ids.get(&id).copied()
    }

    pub(crate) fn command(&self, id: Uuid) -> Option<&CommandRecord> {
        self.commands.get(&id)
    }

    pub(crate) fn add_command(&mut self, command: CommandRecord) {
        self.commands.insert(command.key.id, command);
    }

    /// Adds the next event, as it is read from the log.
    pub(crate) fn add_view(&mut self, place: Place, event: &EventView<'_>) {
        self.last_time = self.last_time.max(event.recorded_at);
        self.add(place, event.id, event.ty, event.tags());
    }

    /// Adds the next event, as it is appended.
    pub(crate) fn add_new(&mut self, place: Place, event: &NewEvent, recorded_at: Time) {
        self.last_time = recorded_at;
        self.add(
            place,
            event.id,
            &event.ty,
            event.tags.iter().map(|t| t.as_str()),
        );
    }

    fn add<'a>(&mut self, place: Place, id: Uuid, ty: &str, tags: impl Iterator<Item = &'a str>) {
        self.places.push(place);
        let position = self.head();
        self.ids.insert(id, position);
        post(&mut self.types, ty, &[position]);
        for tag in tags {
            post(&mut self.tags, tag, &[position]);
        }
    }

    /// Takes over the index of what follows this one, whose places count from a frame's start.
    pub(crate) fn absorb(&mut self, next: Index, segment: u32, frame: u32) {
        debug_assert_eq!(next.base, self.head());
        self.places.extend(next.places.iter().map(|p| Place {
            segment,
            offset: p.offset + frame,
            length: p.length,
        }));
        for (ty, list) in &next.types {
            post(&mut self.types, ty, list);
        }
        for (tag, list) in &next.tags {
            post(&mut self.tags, tag, list);
        }
        self.ids.extend(next.ids);
        self.commands.extend(next.commands);
        self.last_time = next.last_time;
    }

    /// The first event behind a position that a query selects.
    pub(crate) fn first(&self, query: &Query, after: Position) -> Option<Position> {
        let low = after.max(self.base).saturating_add(1);
        let mut window = Window {
            low,
            high: self.head(),
            backwards: false,
        };
        let mut found = vec![];
        self.select(query, &mut window, 1, usize::MAX, &mut found);
        found.first().copied()
    }

    /// Finds positions until there are `limit` of them or the window is through, then the answer
    /// is yes; or until so many steps were made, then the window keeps what is left.
    pub(crate) fn select(
        &self,
        query: &Query,
        window: &mut Window,
        limit: usize,
        steps: usize,
        found: &mut Vec<Position>,
    ) -> bool {
        let searches = query
            .items
            .iter()
            .filter_map(|item| self.search(item, window));
        let mut searches: Vec<_> = searches.collect();
        for _ in 0..steps {
            let Some(near) = window.nearest(&searches) else {
                return true;
            };
            if found.len() >= limit {
                return true;
            }
            let mut matched = false;
            for search in searches.iter_mut().filter(|s| s.at == Some(near)) {
                matched |= search.matches(near);
            }
            if matched {
                found.push(near);
                for search in searches.iter_mut().filter(|s| s.at == Some(near)) {
                    search.at = window.beyond(near);
                }
            }
        }
        window.nearest(&searches).is_none()
    }

    /// A search for one item; none when a tag of it is not there at all.
    fn search<'a>(&'a self, item: &QueryItem, window: &Window) -> Option<Search<'a>> {
        let Window {
            low,
            high,
            backwards,
        } = *window;
        let cut = |list: &'a Vec<Position>| List::between(list, low, high, backwards);
        let mut clauses = Vec::with_capacity(item.tags.len() + 1);
        for tag in &item.tags {
            clauses.push(vec![cut(self.tags.get(tag.as_str())?)]);
        }
        if !item.types.is_empty() {
            let known = item
                .types
                .iter()
                .filter_map(|ty| self.types.get(ty.as_str()));
            clauses.push(known.map(cut).collect());
        }
        Some(Search {
            clauses,
            at: Some(if backwards { high } else { low }),
            backwards,
        })
    }
}

impl Window {
    /// The nearest position where a search may match. The window begins there from now on.
    fn nearest(&mut self, searches: &[Search<'_>]) -> Option<Position> {
        let candidates = searches.iter().filter_map(|s| s.at);
        let near = if self.backwards {
            candidates.max()
        } else {
            candidates.min()
        };
        let near = near.filter(|at| (self.low..=self.high).contains(at))?;
        if self.backwards {
            self.high = near;
        } else {
            self.low = near;
        }
        Some(near)
    }

    fn beyond(&self, at: Position) -> Option<Position> {
        if self.backwards {
            at.checked_sub(1)
        } else {
            at.checked_add(1)
        }
    }
}

/// The search for one query item: clauses combined by AND, the lists of a clause by OR.
struct Search<'a> {
    clauses: Vec<Vec<List<'a>>>,
    /// Nothing before this position is left to match; none: nothing at all.
    at: Option<Position>,
    backwards: bool,
}

impl Search<'_> {
    /// Whether all clauses have this position. When not, the search moves on to where the first
    /// clause that has not has its next.
    fn matches(&mut self, at: Position) -> bool {
        for clause in &mut self.clauses {
            let nexts = clause.iter_mut().filter_map(|list| list.seek(at));
            let next = if self.backwards {
                nexts.max()
            } else {
                nexts.min()
            };
            if next != Some(at) {
                self.at = next;
                return false;
            }
        }
        true
    }
}

/// Adds positions to a name's list; a name given twice counts once.
fn post(lists: &mut HashMap<Box<str>, Vec<Position>>, name: &str, positions: &[Position]) {
    match lists.get_mut(name) {
        Some(list) if list.last() == positions.last() => {}
        Some(list) => list.extend(positions),
        None => {
            lists.insert(name.into(), positions.to_vec());
        }
    }
}
