//! In which order lanes lie beside each other so that few arrows cross.
//!
//! The cost of an order is the number of crossings, which is a sum over pairs: what one lane
//! crosses of another depends only on which of the two is the inner one. So a small search does:
//! each lane in turn moves to the place where it crosses least, until nothing moves.

/// Where an arrow turns, from above to below. It is known before anything has its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Height {
    /// In the corridor; the tracks count from below, so this is how far the track is from above.
    Track(usize),
    /// At an event, counted from above.
    Event(usize),
    /// In a strip: before the reactions, at those that hear, or at those that wait; there the
    /// number of the reaction and the line of its card.
    Strip(usize, Part, usize, usize),
}

/// A part of a strip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Where lines from other columns cross.
    Across,
    /// Reactions to what happened.
    Hears,
    /// Reactions to time running out.
    Waits,
}

/// A lane beside a column: where it starts, where it ends, and where it is left to the column
/// or away from it.
#[derive(Clone, Debug, Default)]
pub(super) struct Lane {
    pub(super) inwards: Vec<Height>,
    pub(super) outwards: Vec<Height>,
}

impl Lane {
    fn ends(&self) -> Option<(Height, Height)> {
        let turns = || self.inwards.iter().chain(&self.outwards);
        Some((*turns().min()?, *turns().max()?))
    }

    fn crosses(&self, height: Height) -> bool {
        self.ends()
            .is_some_and(|(top, bottom)| top < height && height < bottom)
    }

    /// How often two lanes cross when this one lies nearer to the column.
    pub(super) fn crossings(&self, outer: &Lane) -> usize {
        let inwards = outer.inwards.iter().filter(|at| self.crosses(**at));
        let outwards = self.outwards.iter().filter(|at| outer.crosses(**at));
        inwards.count() + outwards.count()
    }
}

/// Beyond this many, an order stays as it is: the search looks at every pair.
const MOST: usize = 300;
/// How often everything is looked at again.
const ROUNDS: usize = 8;

/// The order with few crossings that is found from a given one; `cost` says how often two cross
/// when the first of them comes first.
pub(super) fn arranged(mut order: Vec<usize>, cost: impl Fn(usize, usize) -> usize) -> Vec<usize> {
    if order.len() > MOST {
        return order;
    }
    for _ in 0..ROUNDS {
        let mut moved = false;
        for at in 0..order.len() {
            moved |= settle(&mut order, at, &cost);
        }
        if !moved {
            break;
        }
    }
    order
}

/// Moves one to where it crosses least; whether it moved.
fn settle(order: &mut Vec<usize>, at: usize, cost: &impl Fn(usize, usize) -> usize) -> bool {
    let own = order.remove(at);
    let before = |other: usize| cost(own, other);
    let behind = |other: usize| cost(other, own);
    // First of all, then step by step behind each of the others.
    let mut now: usize = order.iter().map(|other| before(*other)).sum();
    let mut costs = vec![now];
    for other in order.iter() {
        now = now + behind(*other) - before(*other);
        costs.push(now);
    }
    let here = costs.get(at).copied().unwrap_or(usize::MAX);
    let best = costs.iter().min().copied().unwrap_or(here);
    let place = if best < here {
        costs.iter().position(|cost| *cost == best).unwrap_or(at)
    } else {
        at
    };
    order.insert(place, own);
    place != at
}
