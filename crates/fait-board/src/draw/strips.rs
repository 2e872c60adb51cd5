//! What stands in the strip of each process and policy, and in which column.

use crate::board::Board;
use crate::note::{Kind, Mention, Note};
use crate::notes::{Action, Reaction};

use super::columns::Columns;

/// All strips, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Strips<'b> {
    pub(super) list: Vec<Strip<'b>>,
}

/// The strip of one process or policy.
#[derive(Debug)]
pub(super) struct Strip<'b> {
    pub(super) kind: Kind,
    pub(super) note: &'b Note,
    pub(super) one_per: &'b [Mention],
    /// The reactions, each with its column.
    pub(super) stands: Vec<(&'b Reaction, usize)>,
    /// The column in which it ends or gives up.
    pub(super) end: Option<usize>,
    pub(super) ends_on: &'b [Mention],
    pub(super) gives_up_on: &'b [Mention],
}

impl<'b> Strips<'b> {
    pub(super) fn of(board: &'b Board, columns: &mut Columns) -> Self {
        let mut open: Vec<Draft<'b>> = Vec::new();
        open.extend(
            board
                .policies
                .iter()
                .map(|policy| Draft::new(Kind::Policy, &policy.note, &policy.reactions)),
        );
        open.extend(board.processes.iter().map(|process| Draft {
            one_per: &process.one_per,
            ends_on: &process.ends_on,
            gives_up_on: &process.gives_up_on,
            ..Draft::new(Kind::Process, &process.note, &process.reactions)
        }));
        open.sort_by_key(|draft| draft.note.order);
        // An event that only a reaction raises stands where that reaction stands, and other
        // reactions may stand where that event stands; so this goes on until nothing moves.
        while open
            .iter_mut()
            .map(|draft| draft.place(columns))
            .fold(false, |a, b| a | b)
        {}
        let list = open
            .into_iter()
            .filter_map(|draft| draft.finish(columns))
            .collect();
        Self { list }
    }
}

/// A strip whose reactions are still looking for their columns.
struct Draft<'b> {
    kind: Kind,
    note: &'b Note,
    one_per: &'b [Mention],
    ends_on: &'b [Mention],
    gives_up_on: &'b [Mention],
    reactions: &'b [Reaction],
    places: Vec<Option<usize>>,
}

impl<'b> Draft<'b> {
    fn new(kind: Kind, note: &'b Note, reactions: &'b [Reaction]) -> Self {
        let places = vec![None; reactions.len()];
        let none: &[Mention] = &[];
        Self {
            kind,
            note,
            one_per: none,
            ends_on: none,
            gives_up_on: none,
            reactions,
            places,
        }
    }

    /// Places what can be placed by now; whether anything was.
    fn place(&mut self, columns: &mut Columns) -> bool {
        let mut moved = false;
        for (index, reaction) in self.reactions.iter().enumerate() {
            if self.places.get(index).is_some_and(Option::is_some) {
                continue;
            }
            let found = self.column_of(reaction, columns);
            let (Some(column), Some(place)) = (found, self.places.get_mut(index)) else {
                continue;
            };
            *place = Some(column);
            moved = true;
            for event in raised(reaction) {
                if !columns.home.contains_key(&event) {
                    columns.settle(event, column);
                }
            }
        }
        moved
    }

    /// Under the event it hears or waits for; a message of another system has no place of its
    /// own, so there the reaction stands under the task it leads to.
    fn column_of(&self, reaction: &Reaction, columns: &Columns) -> Option<usize> {
        let events = reaction.trigger.events();
        let mut homes: Vec<usize> = events
            .iter()
            .filter_map(|event| columns.home_of(event))
            .collect();
        if reaction.trigger.waits() {
            homes.truncate(1);
        }
        homes.sort_unstable();
        // The middle one is the nearest to all.
        if let Some(home) = homes.get(homes.len().saturating_sub(1) / 2) {
            return Some(*home);
        }
        if events
            .iter()
            .any(|event| event.index(Kind::Event).is_some())
        {
            return None;
        }
        let heard = |other: &&Reaction| {
            let same = |event: &Mention| events.iter().any(|own| own.target == event.target);
            !other.trigger.waits() && other.trigger.events().iter().any(same)
        };
        if reaction.trigger.waits()
            && let Some(index) = self.reactions.iter().position(|other| heard(&other))
        {
            return self.places.get(index).copied().flatten();
        }
        reaction.steps.iter().find_map(|step| match &step.action {
            Action::Ask { task, .. } | Action::Do { task } => {
                columns.of_task.get(&task.index(Kind::Task)?).copied()
            }
            Action::Tell { .. } | Action::Raise { .. } => None,
        })
    }

    /// Nothing for a strip that has no part in the columns that are drawn.
    fn finish(self, columns: &mut Columns) -> Option<Strip<'b>> {
        let nothing_placed = self.places.iter().all(Option::is_none);
        if nothing_placed && !columns.whole {
            return None;
        }
        let mut last = 0;
        let mut stands = Vec::new();
        for (reaction, place) in self.reactions.iter().zip(&self.places) {
            if place.is_none() && !columns.whole {
                continue;
            }
            last = place.unwrap_or(last);
            stands.push((reaction, last));
            for event in raised(reaction) {
                if !columns.home.contains_key(&event) {
                    columns.settle(event, last);
                }
            }
        }
        let right = stands.iter().map(|(_, column)| *column).max();
        let ends = !(self.ends_on.is_empty() && self.gives_up_on.is_empty());
        let end = ends.then(|| {
            let after = right.map_or(0, |right| right + 1);
            let events = self.ends_on.iter().chain(self.gives_up_on);
            let homes = events.filter_map(|event| columns.home_of(event));
            homes.filter(|home| *home >= after).min().unwrap_or(after)
        });
        let Self {
            kind,
            note,
            one_per,
            ends_on,
            gives_up_on,
            ..
        } = self;
        Some(Strip {
            kind,
            note,
            one_per,
            stands,
            end,
            ends_on,
            gives_up_on,
        })
    }
}

fn raised(reaction: &Reaction) -> Vec<usize> {
    let event = |action: &Action| match action {
        Action::Raise { event } => event.index(Kind::Event),
        Action::Ask { .. } | Action::Do { .. } | Action::Tell { .. } => None,
    };
    reaction
        .steps
        .iter()
        .filter_map(|step| event(&step.action))
        .collect()
}
