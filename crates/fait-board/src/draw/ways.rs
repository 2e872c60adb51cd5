//! Which arrows there are, and in which lane each of them runs.
//!
//! Between two columns there are lanes for arrows that go up to tasks, on the right of a column,
//! and lanes for arrows that come down from events, on the left of a column. All arrows to tasks
//! run through one corridor above the tasks. No two arrows with different aims share a lane.

use std::collections::BTreeMap;

use super::columns::Columns;
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
        ways.choose_tracks();
        ways.choose_lanes(sheet);
        ways.feed(board, sheet, columns);
        ways
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

    /// Short ways low, long ways high, and never two over the same place in one track.
    fn choose_tracks(&mut self) {
        let mut order: Vec<usize> = (0..self.nets.len()).collect();
        let spans: Vec<(usize, usize)> = self.nets.iter().map(Net::span).collect();
        let span = |net: usize| spans.get(net).copied().unwrap_or((0, 0));
        order.sort_by_key(|net| (span(*net).1 - span(*net).0, span(*net).0));
        let mut tracks: Vec<Vec<(usize, usize)>> = Vec::new();
        for number in order {
            let (start, end) = span(number);
            let free = |taken: &Vec<(usize, usize)>| taken.iter().all(|t| end < t.0 || t.1 < start);
            let track = tracks.iter().position(free).unwrap_or(tracks.len());
            if track == tracks.len() {
                tracks.push(Vec::new());
            }
            if let Some(taken) = tracks.get_mut(track) {
                taken.push((start, end));
            }
            if let Some(net) = self.nets.get_mut(number) {
                net.track = track;
            }
        }
        self.tracks = tracks.len();
    }

    /// Orders the lanes so that ways out of one gutter do not cross each other in the corridor.
    fn choose_lanes(&mut self, sheet: &Sheet<'_>) {
        for (number, raised) in self.raised.iter().enumerate() {
            if let Some(lanes) = self.right.get_mut(raised.column) {
                lanes.push(Up::Raised(number));
            }
        }
        for (column, lanes) in self.right.iter_mut().enumerate() {
            let through = |net: &Net| net.sources.contains_key(&column);
            let mut here: Vec<usize> = (0..self.nets.len()).collect();
            here.retain(|number| self.nets.get(*number).is_some_and(through));
            here.sort_by_key(|number| {
                let net = self.nets.get(*number);
                let track = net.map_or(0, |net| i64::try_from(net.track).unwrap_or(i64::MAX));
                let leftwards = net.is_some_and(|net| net.target <= column);
                if leftwards { (0, track) } else { (1, -track) }
            });
            lanes.extend(here.into_iter().map(Up::Net));
        }
        for (column, lanes) in self.left.iter_mut().enumerate() {
            let events = sheet
                .columns
                .get(column)
                .map_or(&[][..], |cells| &cells.events);
            let is_heard = |event: &usize| {
                self.heard
                    .iter()
                    .any(|heard| heard.home == column && heard.event == *event)
            };
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

impl Net {
    /// From where to where it runs in the corridor: even numbers are columns, odd ones the gaps
    /// to the right of them.
    fn span(&self) -> (usize, usize) {
        let stops = self
            .sources
            .keys()
            .map(|column| 2 * column + 1)
            .chain([2 * self.target]);
        let (mut low, mut high) = (usize::MAX, 0);
        for stop in stops {
            low = low.min(stop);
            high = high.max(stop);
        }
        (low, high)
    }
}

/// Raises the number at `index` to at least `value`.
fn bump(numbers: &mut [usize], index: usize, value: usize) {
    if let Some(number) = numbers.get_mut(index) {
        *number = (*number).max(value);
    }
}
