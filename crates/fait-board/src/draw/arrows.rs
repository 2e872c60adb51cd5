//! The lines of the picture, as paths.

use super::card::{CARD_WIDTH, Card, INDENT};
use super::plan::{EAR, LANE, LANE_START, Plan, RAIL_LINE};
use super::ways::{At, Heard, Net, Raised, Up};
use crate::note::Kind;

/// A line of the picture.
pub(super) struct Arrow {
    /// Its class, which is also the name of its head.
    pub(super) class: &'static str,
    pub(super) head: Head,
    /// The ids of the notes from which and to which it leads.
    pub(super) from: String,
    pub(super) to: String,
    /// The id of the reaction at which it starts or ends.
    pub(super) via: Option<String>,
    pub(super) points: Vec<(i32, i32)>,
}

/// At which end of a line its head is. Lines with one aim are drawn from that aim, so that
/// where they share a way their dashes fall onto each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    None,
    Start,
    End,
}

/// How round corners are.
const ROUND: i32 = 5;
/// An arrow ends this far before the card, so that its head does not cover the edge.
const TIP: i32 = 2;
/// How far left of an event the way to the views starts, where no lane is.
const FEED_LANE: i32 = 6;

/// All lines: what leads down in a column, the lines of the processes, and the arrows between.
pub(super) fn arrows(plan: &Plan<'_>) -> Vec<Arrow> {
    let mut all = Vec::new();
    down(plan, &mut all);
    rails(plan, &mut all);
    for heard in &plan.ways.heard {
        all.extend(hear(plan, heard));
    }
    for (number, net) in plan.ways.nets.iter().enumerate() {
        ask(plan, number, net, &mut all);
    }
    for (number, raised) in plan.ways.raised.iter().enumerate() {
        raise(plan, number, raised, &mut all);
    }
    feed(plan, &mut all);
    all
}

/// Task to model to event, or task to event where nothing decides; beside the questions, where
/// there are any in the way.
fn down(plan: &Plan<'_>, all: &mut Vec<Arrow>) {
    let mut bars = plan.sheet.bars.iter().peekable();
    for (place, cells) in plan.sheet.columns.iter().enumerate() {
        while bars.next_if(|bar| bar.last < place).is_some() {}
        let bar = bars.peek().filter(|bar| bar.first <= place);
        let asked = cells.does.len() > 1
            || bar.is_some_and(|bar| bar.first == place && bar.cards.len() > 1);
        let aside = if asked { INDENT / 2 } else { CARD_WIDTH / 2 };
        let x = plan.x(place) + aside;
        let bar = bar.and_then(|bar| bar.cards.first());
        let stops = [cells.does.first(), bar, cells.raised()];
        let stops: Vec<&Card> = stops.into_iter().flatten().collect();
        for pair in stops.windows(2) {
            if let [above, below] = pair {
                all.push(Arrow {
                    class: "down",
                    head: Head::End,
                    from: above.note_id(),
                    to: below.note_id(),
                    via: None,
                    points: vec![(x, above.bottom()), (x, below.y - TIP)],
                });
            }
        }
    }
}

/// The line of each process, from its first reaction to its end.
fn rails(plan: &Plan<'_>, all: &mut Vec<Arrow>) {
    for (rail, top) in plan.sheet.rails.iter().zip(&plan.rails) {
        if rail.kind != Kind::Process {
            continue;
        }
        let end = rail.ends.as_ref().map(|(column, _)| plan.x(*column));
        let mut starts: Vec<i32> = rail.stands.iter().map(|stand| stand.card.x).collect();
        starts.sort_unstable();
        if let (Some(first), Some(last)) = (starts.first(), end.or(starts.last().copied())) {
            let y = top + RAIL_LINE;
            let process = rail.label.first().map(Card::note_id).unwrap_or_default();
            all.push(Arrow {
                class: "rail",
                head: Head::None,
                from: process.clone(),
                to: process,
                via: None,
                points: vec![(*first, y), (last.max(*first), y)],
            });
        }
    }
}

/// From an event down to a reaction that hears it.
fn hear(plan: &Plan<'_>, heard: &Heard) -> Option<Arrow> {
    let event = plan.sheet.columns.get(heard.home)?.event(heard.event)?;
    let lanes = plan.ways.left.get(heard.home)?;
    let own = lanes.iter().position(|event| *event == heard.event)?;
    let lane = left_lane(plan, heard.home, arrivals(plan, heard.home) + own);
    let card = card_at(plan, heard.by)?;
    let from = (event.x, event.y + event.height / 2);
    let to = (card.x - TIP, card.y + EAR.min(card.height - 8));
    let mut points = vec![from, (lane, from.1)];
    if let Some((crossing, arrival)) = heard.across {
        let top = plan.rails.get(heard.by.0).copied().unwrap_or(0);
        let y = top - 6 - LANE * i32::try_from(crossing).unwrap_or(0);
        let arrive = left_lane(plan, heard.column, arrival);
        points.extend([(lane, y), (arrive, y), (arrive, to.1), to]);
    } else {
        points.extend([(lane, to.1), to]);
    }
    let (process, via) = heard_by(plan, heard.by)?;
    Some(Arrow {
        class: "hears",
        head: Head::End,
        from: event.note_id(),
        to: process,
        via: Some(via),
        points,
    })
}

/// From every reaction that raises an event, up to the event.
fn raise(plan: &Plan<'_>, number: usize, raised: &Raised, all: &mut Vec<Arrow>) {
    let lane = right_lane(plan, raised.column, Up::Raised(number));
    let cells = plan.sheet.columns.get(raised.column);
    let Some(event) = cells.and_then(|cells| cells.event(raised.event)) else {
        return;
    };
    let y = event.y + event.height / 2;
    for (at, line) in &raised.sources {
        let (Some(mouth), Some((from, via))) = (mouth(plan, *at, *line), heard_by(plan, *at))
        else {
            continue;
        };
        all.push(Arrow {
            class: "raises",
            head: Head::Start,
            from,
            to: event.note_id(),
            via: Some(via),
            points: vec![(event.right() + TIP, y), (lane, y), (lane, mouth.1), mouth],
        });
    }
}

/// From every reaction that wants a task, up through the corridor and down to the task.
fn ask(plan: &Plan<'_>, number: usize, net: &Net, all: &mut Vec<Arrow>) {
    let class = if net.automatic { "does" } else { "asks" };
    let cells = plan.sheet.columns.get(net.target);
    let Some(task) = cells.and_then(|cells| cells.does.first()) else {
        return;
    };
    let entry = task.x
        + if net.entry == 0 {
            CARD_WIDTH / 3
        } else {
            2 * CARD_WIDTH / 3
        };
    let track = plan.corridor - LANE * i32::try_from(net.track).unwrap_or(0);
    for (column, sources) in &net.sources {
        let lane = right_lane(plan, *column, Up::Net(number));
        for (at, line) in sources {
            let (Some(mouth), Some((from, via))) = (mouth(plan, *at, *line), heard_by(plan, *at))
            else {
                continue;
            };
            all.push(Arrow {
                class,
                head: Head::Start,
                from,
                to: task.note_id(),
                via: Some(via),
                points: vec![
                    (entry, task.y - TIP),
                    (entry, track),
                    (lane, track),
                    (lane, mouth.1),
                    mouth,
                ],
            });
        }
    }
}

/// The process or policy of a reaction, and the reaction: their ids.
fn heard_by(plan: &Plan<'_>, (strip, number): At) -> Option<(String, String)> {
    let rail = plan.sheet.rails.get(strip)?;
    let process = rail.label.first()?.note_id();
    Some((process, rail.stands.get(number)?.card.id.clone()))
}

/// The reaction at a place.
fn card_at<'p>(plan: &'p Plan<'_>, (strip, number): At) -> Option<&'p Card> {
    Some(&plan.sheet.rails.get(strip)?.stands.get(number)?.card)
}

/// Where an arrow leaves a reaction: at the right, beside the line that says so.
fn mouth(plan: &Plan<'_>, at: At, line: usize) -> Option<(i32, i32)> {
    let card = card_at(plan, at)?;
    Some((card.right(), card.y + card.line_middle(line)))
}

fn right_lane(plan: &Plan<'_>, column: usize, up: Up) -> i32 {
    let lanes = plan.ways.right.get(column).map_or(&[][..], Vec::as_slice);
    let own = lanes.iter().position(|lane| *lane == up).unwrap_or(0);
    plan.x(column) + CARD_WIDTH + LANE_START + LANE * i32::try_from(own).unwrap_or(0)
}

fn left_lane(plan: &Plan<'_>, column: usize, own: usize) -> i32 {
    plan.x(column) - LANE_START - LANE * i32::try_from(own).unwrap_or(0)
}

fn arrivals(plan: &Plan<'_>, column: usize) -> usize {
    plan.ways.arrivals.get(column).copied().unwrap_or(0)
}

/// From an event up and across to the view that it feeds; shown only when it is asked for.
fn feed(plan: &Plan<'_>, all: &mut Vec<Arrow>) {
    for feed in &plan.ways.feeds {
        let columns = &plan.sheet.columns;
        let event = columns
            .get(feed.home)
            .and_then(|cells| cells.event(feed.event));
        let view = columns
            .get(feed.column)
            .and_then(|cells| cells.view(feed.view));
        let (Some(event), Some(view)) = (event, view) else {
            continue;
        };
        let (lane, y) = (event.x - FEED_LANE, event.y + event.height / 2);
        let (arrival, aim) = (view.x - FEED_LANE, view.y + view.height / 2);
        let mut points = vec![(event.x, y), (lane, y)];
        if arrival != lane {
            points.extend([(lane, plan.feeds), (arrival, plan.feeds)]);
        }
        points.extend([(arrival, aim), (view.x - TIP, aim)]);
        all.push(Arrow {
            class: "feeds",
            head: Head::End,
            from: event.note_id(),
            to: view.note_id(),
            via: None,
            points,
        });
    }
}

/// A path through points, with round corners.
pub(super) fn path(points: &[(i32, i32)]) -> String {
    let mut out = String::new();
    let count = points.len();
    for (at, (x, y)) in points.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| points.get(at));
        let after = points.get(at + 1).filter(|_| at + 1 < count);
        match (before, after) {
            (None, _) => out.push_str(&format!("M{x} {y}")),
            (Some(_), None) => out.push_str(&format!(" L{x} {y}")),
            (Some(before), Some(after)) => {
                let (a, b) = (towards((*x, *y), *before), towards((*x, *y), *after));
                out.push_str(&format!(" L{} {} Q{x} {y} {} {}", a.0, a.1, b.0, b.1));
            }
        }
    }
    out
}

/// The point a corner's roundness before the corner; half-way where the stretch is short.
fn towards(corner: (i32, i32), other: (i32, i32)) -> (i32, i32) {
    let step = |from: i32, to: i32| {
        let length = (to - from).abs();
        from + (to - from).signum() * ROUND.min(length / 2)
    };
    (step(corner.0, other.0), step(corner.1, other.1))
}
