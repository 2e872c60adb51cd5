//! The lines of the picture, as paths.

use super::card::{CARD_WIDTH, Card};
use super::plan::{EAR, LANE, LANE_START, Plan, RAIL_LINE};
use super::ways::{At, Heard, Net, Up};
use crate::board::Kind;

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
        let lane = right_lane(plan, raised.column, Up::Raised(number));
        let event = plan
            .sheet
            .columns
            .get(raised.column)
            .and_then(|c| c.event(raised.event));
        if let (Some(event), Some((x, y))) = (event, mouth(plan, raised.by, raised.line)) {
            let to = event.y + event.height / 2;
            let points = [(x, y), (lane, y), (lane, to), (event.right() + TIP, to)];
            all.push(Arrow {
                class: "raises",
                head: true,
                path: path(&points),
            });
        }
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
    let mut stems: Vec<(i32, Vec<(i32, i32)>)> = Vec::new();
    for (column, sources) in &net.sources {
        let lane = right_lane(plan, *column, Up::Net(number));
        let mut mouths: Vec<_> = sources
            .iter()
            .filter_map(|(at, line)| mouth(plan, *at, *line))
            .collect();
        mouths.sort_by_key(|(_, y)| *y);
        stems.push((lane, mouths));
    }
    stems.sort_by_key(|(lane, _)| *lane);
    let lanes: Vec<i32> = stems.iter().map(|(lane, _)| *lane).collect();
    let most_left = lanes.iter().copied().filter(|lane| *lane < entry).min();
    let most_right = lanes.iter().copied().filter(|lane| *lane >= entry).max();
    for (lane, mouths) in stems {
        let Some((lowest, joining)) = mouths.split_last() else {
            continue;
        };
        for (x, y) in joining {
            let points = [(*x, *y), (lane, *y)];
            all.push(Arrow {
                class,
                head: false,
                path: path(&points),
            });
        }
        let mut points = vec![*lowest, (lane, lowest.1), (lane, track)];
        let is_main = Some(lane) == most_left.or(most_right);
        if is_main {
            points.extend([(entry, track), (entry, task.y - TIP)]);
        } else if Some(lane) == most_right {
            points.push((entry, track));
        }
        all.push(Arrow {
            class,
            head: is_main,
            path: path(&points),
        });
    }
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
