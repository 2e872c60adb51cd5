//! The lines of the picture, as paths.

use std::collections::BTreeMap;

use super::card::{CARD_WIDTH, Card};
use super::plan::{EAR, LANE, LANE_START, Plan, RAIL_LINE};
use super::ways::{At, Heard, Net, Raised, Up};
use crate::note::Kind;

/// A line of the picture.
pub(super) struct Arrow {
    /// Its class, which is also the name of its head.
    pub(super) class: &'static str,
    pub(super) head: bool,
    pub(super) path: String,
}

/// How round corners are.
const ROUND: i32 = 5;
/// An arrow ends this far before the card, so that its head does not cover the edge.
const TIP: i32 = 2;

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
    all
}

/// Task to model to event, or task to event where nothing decides.
fn down(plan: &Plan<'_>, all: &mut Vec<Arrow>) {
    for (place, cells) in plan.sheet.columns.iter().enumerate() {
        let x = plan.x(place) + CARD_WIDTH / 2;
        let bar = plan
            .sheet
            .bars
            .iter()
            .find(|bar| (bar.first..=bar.last).contains(&place));
        let bar = bar.and_then(|bar| bar.cards.first());
        let stops = [cells.does.first(), bar, cells.happened.first()];
        let stops: Vec<&Card> = stops.into_iter().flatten().collect();
        for pair in stops.windows(2) {
            if let [above, below] = pair {
                let points = [(x, above.bottom()), (x, below.y - TIP)];
                all.push(Arrow {
                    class: "down",
                    head: true,
                    path: path(&points),
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
            let points = [(*first, y), (last.max(*first), y)];
            all.push(Arrow {
                class: "rail",
                head: false,
                path: path(&points),
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
    Some(Arrow {
        class: "hears",
        head: true,
        path: path(&points),
    })
}

/// From all reactions that raise an event, up to the event.
fn raise(plan: &Plan<'_>, number: usize, raised: &Raised, all: &mut Vec<Arrow>) {
    let class = "raises";
    let lane = right_lane(plan, raised.column, Up::Raised(number));
    let cells = plan.sheet.columns.get(raised.column);
    let Some(event) = cells.and_then(|cells| cells.event(raised.event)) else {
        return;
    };
    let mouths = mouths(plan, &raised.sources);
    let Some((lowest, joining)) = mouths.split_last() else {
        return;
    };
    all.extend(join(class, joining, lane));
    let y = event.y + event.height / 2;
    let points = [
        *lowest,
        (lane, lowest.1),
        (lane, y),
        (event.right() + TIP, y),
    ];
    all.push(Arrow {
        class,
        head: true,
        path: path(&points),
    });
}

/// From all reactions that want a task, up through the corridor and down to the task. The ways
/// join where they meet, and no stretch is drawn twice, which would spoil the dashes.
fn ask(plan: &Plan<'_>, number: usize, net: &Net, all: &mut Vec<Arrow>) {
    let class = if net.automatic { "does" } else { "asks" };
    let Some(task) = plan
        .sheet
        .columns
        .get(net.target)
        .and_then(|cells| cells.does.first())
    else {
        return;
    };
    let entry = task.x
        + if net.automatic {
            CARD_WIDTH / 3
        } else {
            2 * CARD_WIDTH / 3
        };
    let track = plan.corridor - LANE * i32::try_from(net.track).unwrap_or(0);
    let stems: BTreeMap<i32, Vec<(i32, i32)>> = net
        .sources
        .iter()
        .map(|(column, at)| (right_lane(plan, *column, Up::Net(number)), mouths(plan, at)))
        .collect();
    let most_left = stems.keys().copied().find(|lane| *lane < entry);
    let most_right = stems.keys().copied().rfind(|lane| *lane >= entry);
    for (lane, mouths) in stems {
        let Some((lowest, joining)) = mouths.split_last() else {
            continue;
        };
        all.extend(join(class, joining, lane));
        let mut points = vec![*lowest, (lane, lowest.1), (lane, track)];
        let is_main = Some(lane) == most_left.or(most_right);
        if is_main {
            points.extend([(entry, track), (entry, task.y - TIP)]);
        } else if Some(lane) == most_right {
            // As far down as the roundness of the other side's corner.
            points.extend([(entry, track), (entry, track + ROUND + 1)]);
        }
        all.push(Arrow {
            class,
            head: is_main,
            path: path(&points),
        });
    }
}

/// Short lines that join a lane.
fn join(class: &'static str, mouths: &[(i32, i32)], lane: i32) -> Vec<Arrow> {
    let line = |(x, y): &(i32, i32)| path(&[(*x, *y), (lane, *y)]);
    mouths
        .iter()
        .map(|mouth| Arrow {
            class,
            head: false,
            path: line(mouth),
        })
        .collect()
}

/// Where arrows leave reactions, from above to below.
fn mouths(plan: &Plan<'_>, sources: &[(At, usize)]) -> Vec<(i32, i32)> {
    let mut all: Vec<_> = sources
        .iter()
        .filter_map(|(at, line)| mouth(plan, *at, *line))
        .collect();
    all.sort_by_key(|(_, y)| *y);
    all
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

/// A path through points, with round corners.
fn path(points: &[(i32, i32)]) -> String {
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
