//! Which arrows there are, and in which lane each of them runs.
//!
//! Between two columns there are lanes for arrows that go up to tasks, on the right of a column,
//! and lanes for arrows that come down from events, on the left of a column. All arrows to tasks
//! run through one corridor above the tasks. No two arrows with different aims share a lane.
//!
//! The ways are found first, and then put into an order in which they cross each other seldom.

use std::collections::{BTreeMap, HashSet};

use super::columns::Columns;
use super::lanes::{Height, Lane, Part, arranged};
use super::sheet::{Rail, Sheet};
use crate::board::Board;
use crate::note::Kind;
use crate::notes::Action;

/// A reaction: the number of its strip, and its number there.
pub(super) type At = (usize, usize);

/// All arrows with their lanes.
#[derive(Default)]
pub(super) struct Ways {
    pub(super) nets: Vec<Net>,
    pub(super) tracks: usize,
    /// For each column the lanes right of it, from left to right.
    pub(super) right: Vec<Vec<Up>>,
    /// For each column the events that are heard, from the lane nearest to the column outwards.
    pub(super) left: Vec<Vec<usize>>,
    /// For each column how many arrows from other columns arrive in one strip at most; their
    /// lanes lie between the column and the lanes of its events.
    pub(super) arrivals: Vec<usize>,
    pub(super) heard: Vec<Heard>,
    /// For each strip how many arrows cross it from column to column.
    pub(super) crossings: Vec<usize>,
    pub(super) raised: Vec<Raised>,
    /// What feeds which view.
    pub(super) feeds: Vec<Feed>,
}

/// An event that feeds a view: the event in its home, the view in the column nearest to it.
pub(super) struct Feed {
    pub(super) event: usize,
    pub(super) home: usize,
    pub(super) view: usize,
    pub(super) column: usize,
}

/// All arrows of one kind to one task.
pub(super) struct Net {
    /// The column of the task.
    pub(super) target: usize,
    /// Done by the process itself rather than asked of a person.
    pub(super) automatic: bool,
    /// From which line of which reaction, by the column of the reaction.
    pub(super) sources: BTreeMap<usize, Vec<(At, usize)>>,
    /// Its track in the corridor, counted from below.
    pub(super) track: usize,
    /// At which of the two entries of the task it arrives, counted from the left.
    pub(super) entry: usize,
}

/// Who uses a lane that goes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Up {
    /// The net with this number.
    Net(usize),
    /// The raised event with this number.
    Raised(usize),
}

/// An event that a reaction hears.
pub(super) struct Heard {
    pub(super) event: usize,
    pub(super) home: usize,
    pub(super) by: At,
    pub(super) column: usize,
    /// For an event of another column: its crossing in the strip and its lane of arrival.
    pub(super) across: Option<(usize, usize)>,
}

/// An event that reactions of its own column raise.
pub(super) struct Raised {
    pub(super) event: usize,
    pub(super) column: usize,
    /// From which line of which reaction.
    pub(super) sources: Vec<(At, usize)>,
}

impl Ways {
    pub(super) fn of(board: &Board, sheet: &Sheet<'_>, columns: &Columns) -> Self {
        let count = sheet.columns.len();
        let mut ways = Self {
            right: vec![Vec::new(); count],
            left: vec![Vec::new(); count],
            arrivals: vec![0; count],
            crossings: vec![0; sheet.rails.len()],
            ..Self::default()
        };
        let mut nets = BTreeMap::new();
        for (strip, rail) in sheet.rails.iter().enumerate() {
            ways.hear(strip, rail, columns);
            ways.act(strip, rail, columns, &mut nets);
        }
        ways.nets = nets.into_values().collect();
        ways.choose_lanes(sheet);
        ways.feed(board, sheet, columns);
        ways.choose_tracks(ways.short_first());
        ways
    }

    /// Puts entries, tracks and lanes into an order with few crossings.
    pub(super) fn untangle(&mut self, sheet: &Sheet<'_>) {
        self.choose_entries();
        let spans: Vec<(usize, usize)> = self.nets.iter().map(Net::span).collect();
        let stops: Vec<Vec<usize>> = self.nets.iter().map(|net| net.stops().collect()).collect();
        let cost = |below: usize, above: usize| match (spans.get(below), stops.get(above)) {
            (Some((low, high)), Some(stops)) => {
                let crossed = stops.iter().filter(|stop| low < stop && *stop < high);
                crossed.count()
            }
            _ => 0,
        };
        let order = arranged(self.short_first(), cost);
        self.choose_tracks(order);
        self.untangle_right(sheet);
        self.untangle_left(sheet);
    }

    /// Of the two ways to a task, the one that comes from further left arrives further left.
    fn choose_entries(&mut self) {
        let mut pairs: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (number, net) in self.nets.iter().enumerate() {
            pairs.entry(net.target).or_default().push(number);
        }
        for pair in pairs.into_values() {
            let mut pair: Vec<(f64, usize)> = pair
                .into_iter()
                .filter_map(|number| Some((self.nets.get(number)?.centre(), number)))
                .collect();
            pair.sort_by(|one, other| one.0.total_cmp(&other.0));
            if pair.len() > 1 {
                for (entry, (_, number)) in pair.iter().enumerate() {
                    if let Some(net) = self.nets.get_mut(*number) {
                        net.entry = entry;
                    }
                }
            }
        }
    }

    fn untangle_right(&mut self, sheet: &Sheet<'_>) {
        for (column, ups) in self.right.iter_mut().enumerate() {
            let events = sheet.columns.get(column).map(|cells| &cells.events);
            let lane = |up: &Up| match up {
                Up::Net(number) => self.nets.get(*number).map(|net| net.lane(column, sheet)),
                Up::Raised(number) => self.raised.get(*number).map(|raised| {
                    let events = events.map_or(&[][..], Vec::as_slice);
                    let place = events.iter().position(|(_, e)| *e == raised.event);
                    let mut inwards = heights(sheet, &raised.sources);
                    inwards.push(Height::Event(place.unwrap_or(0)));
                    Lane {
                        inwards,
                        outwards: Vec::new(),
                    }
                }),
            };
            let lanes: Vec<Lane> = ups.iter().filter_map(lane).collect();
            *ups = reordered(ups, &lanes);
        }
    }

    fn untangle_left(&mut self, sheet: &Sheet<'_>) {
        let mut lanes: BTreeMap<(usize, usize), Lane> = BTreeMap::new();
        for heard in &self.heard {
            let lane = lanes.entry((heard.home, heard.event)).or_default();
            match heard.across {
                None => lane.inwards.extend(height(sheet, heard.by, 0)),
                Some((crossing, _)) => {
                    let at = Height::Strip(heard.by.0, Part::Across, usize::MAX - crossing, 0);
                    let rightwards = heard.column > heard.home;
                    let side = if rightwards {
                        &mut lane.inwards
                    } else {
                        &mut lane.outwards
                    };
                    side.push(at);
                }
            }
        }
        for (column, events) in self.left.iter_mut().enumerate() {
            let known = sheet.columns.get(column);
            let known = known.map_or(&[][..], |cells| cells.events.as_slice());
            let own: Vec<Lane> = events
                .iter()
                .map(|event| {
                    let mut lane = lanes.remove(&(column, *event)).unwrap_or_default();
                    let place = known.iter().position(|(_, e)| e == event);
                    lane.inwards.push(Height::Event(place.unwrap_or(0)));
                    lane
                })
                .collect();
            *events = reordered(events, &own);
        }
    }

    fn hear(&mut self, strip: usize, rail: &Rail<'_>, columns: &Columns) {
        let mut arrived: BTreeMap<usize, usize> = BTreeMap::new();
        for (number, stand) in rail.stands.iter().enumerate() {
            if stand.reaction.trigger.waits() {
                continue;
            }
            let mut lane = None;
            for mention in stand.reaction.trigger.events() {
                let Some(event) = mention.index(Kind::Event) else {
                    continue;
                };
                let Some(home) = columns.home.get(&event).copied() else {
                    continue;
                };
                let mut across = None;
                if home != stand.column {
                    let crossing = self.crossings.get(strip).copied().unwrap_or(0);
                    let lanes = arrived.entry(stand.column).or_default();
                    let own = *lane.get_or_insert_with(|| {
                        *lanes += 1;
                        *lanes - 1
                    });
                    across = Some((crossing, own));
                    bump(&mut self.crossings, strip, crossing + 1);
                    bump(&mut self.arrivals, stand.column, own + 1);
                }
                let by = (strip, number);
                let column = stand.column;
                self.heard.push(Heard {
                    event,
                    home,
                    by,
                    column,
                    across,
                });
            }
        }
    }

    fn act(
        &mut self,
        strip: usize,
        rail: &Rail<'_>,
        columns: &Columns,
        nets: &mut BTreeMap<(usize, bool), Net>,
    ) {
        for (number, stand) in rail.stands.iter().enumerate() {
            for (step, line) in stand.reaction.steps.iter().zip(&stand.steps) {
                let (task, automatic) = match &step.action {
                    Action::Ask { task, .. } => (task, false),
                    Action::Do { task } => (task, true),
                    Action::Raise { event } => {
                        let event = event.index(Kind::Event);
                        let here = |event: &usize| columns.home.get(event) == Some(&stand.column);
                        if let Some(event) = event.filter(here) {
                            self.raise(event, stand.column, ((strip, number), *line));
                        }
                        continue;
                    }
                    Action::Tell { .. } => continue,
                };
                let index = task.index(Kind::Task);
                let Some(target) = index.and_then(|task| columns.of_task.get(&task)) else {
                    continue;
                };
                let net = nets.entry((*target, automatic)).or_insert_with(|| Net {
                    target: *target,
                    automatic,
                    sources: BTreeMap::new(),
                    track: 0,
                    entry: usize::from(!automatic),
                });
                net.sources
                    .entry(stand.column)
                    .or_default()
                    .push(((strip, number), *line));
            }
        }
    }

    fn feed(&mut self, board: &Board, sheet: &Sheet<'_>, columns: &Columns) {
        let mut places: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (column, cells) in sheet.columns.iter().enumerate() {
            for (_, view) in &cells.views {
                places.entry(*view).or_default().push(column);
            }
        }
        for (view, seen) in places {
            let from = board.views.get(view).map_or(&[][..], |view| &view.from);
            for event in from.iter().filter_map(|event| event.index(Kind::Event)) {
                let Some(home) = columns.home.get(&event).copied() else {
                    continue;
                };
                let nearest = seen.iter().min_by_key(|column| column.abs_diff(home));
                let Some(column) = nearest.copied() else {
                    continue;
                };
                self.feeds.push(Feed {
                    event,
                    home,
                    view,
                    column,
                });
            }
        }
    }

    fn raise(&mut self, event: usize, column: usize, source: (At, usize)) {
        match self.raised.iter_mut().find(|raised| raised.event == event) {
            Some(raised) => raised.sources.push(source),
            None => self.raised.push(Raised {
                event,
                column,
                sources: vec![source],
            }),
        }
    }

    /// Short ways low, long ways high.
    fn short_first(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.nets.len()).collect();
        order.sort_by_cached_key(|number| {
            let span = self.nets.get(*number).map(Net::span);
            span.map(|(low, high)| (high - low, low))
        });
        order
    }

    /// Each net as low as it can be above those before it in the order that it would touch.
    fn choose_tracks(&mut self, order: Vec<usize>) {
        // How many tracks are taken over each stop.
        let stops = self.right.len() * STOPS;
        let mut taken = vec![0; stops];
        for number in order {
            let Some(net) = self.nets.get_mut(number) else {
                continue;
            };
            let (low, high) = net.gap();
            let Some(over) = taken.get_mut(low..=high.min(stops.saturating_sub(1))) else {
                continue;
            };
            net.track = over.iter().copied().max().unwrap_or(0);
            over.fill(net.track + 1);
            self.tracks = self.tracks.max(net.track + 1);
        }
    }

    /// The lanes in the order of the board.
    fn choose_lanes(&mut self, sheet: &Sheet<'_>) {
        for (number, raised) in self.raised.iter().enumerate() {
            if let Some(lanes) = self.right.get_mut(raised.column) {
                lanes.push(Up::Raised(number));
            }
        }
        for (number, net) in self.nets.iter().enumerate() {
            for column in net.sources.keys() {
                if let Some(lanes) = self.right.get_mut(*column) {
                    lanes.push(Up::Net(number));
                }
            }
        }
        let homes: HashSet<(usize, usize)> = self.heard.iter().map(|h| (h.home, h.event)).collect();
        for (column, lanes) in self.left.iter_mut().enumerate() {
            let events = sheet
                .columns
                .get(column)
                .map_or(&[][..], |cells| &cells.events);
            let is_heard = |event: &usize| homes.contains(&(column, *event));
            let mut heard: Vec<usize> = events
                .iter()
                .map(|(_, event)| *event)
                .filter(is_heard)
                .collect();
            heard.reverse();
            *lanes = heard;
        }
    }
}

/// For each column: its left entry, its right entry, and the gap to the right of it.
const STOPS: usize = 3;

impl Net {
    /// Where it goes up or down in the corridor, in the order of the columns.
    fn stops(&self) -> impl Iterator<Item = usize> {
        let gaps = self.sources.keys().map(|column| STOPS * column + 2);
        gaps.chain([STOPS * self.target + self.entry])
    }

    /// From where to where it runs in the corridor.
    fn span(&self) -> (usize, usize) {
        let low = self.stops().min().unwrap_or(0);
        (low, self.stops().max().unwrap_or(low))
    }

    /// The span with the whole of its target: two ways to one task do not share a track.
    fn gap(&self) -> (usize, usize) {
        let (low, high) = self.span();
        let (first, last) = (STOPS * self.target, STOPS * self.target + 1);
        (low.min(first), high.max(last))
    }

    /// The middle of where it comes from.
    fn centre(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "no board has 2^52 columns")]
        let sum = |all: usize| all as f64;
        let columns: usize = self.sources.keys().sum();
        sum(columns) / sum(self.sources.len().max(1))
    }

    /// Its lane to the right of a column from which it starts.
    fn lane(&self, column: usize, sheet: &Sheet<'_>) -> Lane {
        let sources = self.sources.get(&column).map_or(&[][..], Vec::as_slice);
        let here = STOPS * column + 2;
        let (low, high) = self.span();
        let track = Height::Track(usize::MAX - self.track);
        let mut lane = Lane {
            inwards: heights(sheet, sources),
            outwards: Vec::new(),
        };
        lane.inwards.extend((low < here).then_some(track));
        lane.outwards.extend((here < high).then_some(track));
        lane
    }
}

/// Where lines of reactions stand.
fn heights(sheet: &Sheet<'_>, sources: &[(At, usize)]) -> Vec<Height> {
    let found = sources.iter();
    found
        .filter_map(|(at, line)| height(sheet, *at, *line))
        .collect()
}

fn height(sheet: &Sheet<'_>, (strip, number): At, line: usize) -> Option<Height> {
    let stand = sheet.rails.get(strip)?.stands.get(number)?;
    let part = if stand.reaction.trigger.waits() {
        Part::Waits
    } else {
        Part::Hears
    };
    Some(Height::Strip(strip, part, number, line))
}

/// The same, in an order in which their lanes cross seldom.
fn reordered<T: Copy>(all: &[T], lanes: &[Lane]) -> Vec<T> {
    let cost = |inner: usize, outer: usize| match (lanes.get(inner), lanes.get(outer)) {
        (Some(inner), Some(outer)) => inner.crossings(outer),
        _ => 0,
    };
    let order = arranged((0..all.len()).collect(), cost);
    let moved = order.iter().filter_map(|at| all.get(*at).copied());
    moved.collect()
}

/// Raises the number at `index` to at least `value`.
fn bump(numbers: &mut [usize], index: usize, value: usize) {
    if let Some(number) = numbers.get_mut(index) {
        *number = (*number).max(value);
    }
}
