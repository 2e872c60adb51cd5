//! One run of two systems: each on a machine of its own, in turns on one thread, so that one can
//! stop with all that it has in memory while the other goes on.

use super::side::Side;
use crate::app::{App, AppBuilder};
use crate::sim::ending::{self, Ending};
use crate::sim::run::{RunError, STUCK_AFTER, Scenario, log_of};
use fait_core::event::Time;
use std::fmt::Display;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// How long a machine runs before it is another one's turn. On a simulated machine time only goes
/// by when there is nothing to do.
pub(super) const TURN: Duration = Duration::from_millis(1);

/// One system, as it is wired.
pub(super) type Wire<'a> = &'a dyn Fn(&Side) -> AppBuilder;

/// A system in one of its lives.
struct Life {
    machine: Runtime,
    apps: Vec<App>,
}

/// Plays a scenario against two systems; gives how they ended.
pub(super) fn run(
    sides: &[Side; 2],
    wires: [Wire<'_>; 2],
    mut scenario: Scenario<'_>,
) -> Result<[Ending; 2], RunError> {
    let world = machine()?;
    let mut lives: [Option<Life>; 2] = [None, None];
    let (mut played, mut seen) = (false, (0, Time::default()));
    let (mut idle, mut waited) = (0, Duration::ZERO);
    loop {
        // Where nothing happens, time goes by in longer turns.
        let time = TURN * (1 + idle / 20).min(50);
        for ((side, wire), life) in sides.iter().zip(wires).zip(&mut lives) {
            *life = match life.take() {
                None => live(side, wire)?,
                Some(life) => turn(side, life, time),
            };
        }
        played = played
            || world.block_on(async {
                tokio::select! {
                    biased;
                    () = &mut scenario => true,
                    () = tokio::time::sleep(time) => false,
                }
            });
        if played && let [Some(first), Some(second)] = &lives {
            return Ok([ended(&sides[0], first)?, ended(&sides[1], second)?]);
        }
        let done = sides.iter().map(|s| s.place().operations()).sum::<u64>();
        // Whoever lets time go by waits for something that is tried again later.
        let done = (done, sides[0].place().clock().now());
        (idle, waited) = match done == seen {
            true => (idle + 1, waited + time),
            false => (0, Duration::ZERO),
        };
        seen = done;
        if waited > STUCK_AFTER {
            return Err(RunError::Stuck);
        }
    }
}

fn machine() -> Result<Runtime, RunError> {
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|e| start(&e))
}

fn start(why: &dyn Display) -> RunError {
    RunError::Start(why.to_string())
}

/// Begins the next life of a system; none when it stops while it starts.
fn live(side: &Side, wire: Wire<'_>) -> Result<Option<Life>, RunError> {
    let (place, machine) = (side.place(), machine()?);
    place.rise();
    let began = machine.block_on(async {
        let mut apps: Vec<App> = vec![];
        for _ in 0..place.plan().workers.max(1) {
            match wire(side).build() {
                Ok(app) => apps.push(app),
                Err(_) if place.is_down() => return Ok(None),
                Err(e) => return Err(start(&e)),
            }
        }
        place.started(apps[0].clone());
        Ok(Some(apps))
    })?;
    Ok(began.map(|apps| Life { machine, apps }))
}

/// Gives a system its turn; when it stopped, everything of it goes with its machine.
fn turn(side: &Side, life: Life, time: Duration) -> Option<Life> {
    let place = side.place();
    if !place.is_down() {
        let crashes = place.crash_count();
        life.machine.block_on(async {
            tokio::select! {
                biased;
                () = place.crashed_after(crashes) => {}
                () = tokio::time::sleep(time) => {}
            }
        });
    }
    let goes_on = !place.is_down();
    if !goes_on {
        place.let_go();
    }
    goes_on.then_some(life)
}

fn ended(side: &Side, life: &Life) -> Result<Ending, RunError> {
    let place = side.place();
    Ok(Ending {
        log: log_of(place),
        trail: place.trail(),
        database: ending::database(&life.apps[0]).map_err(|e| start(&e))?,
    })
}
