//! Processes: how many durable steps a second, with one, 64 and 1,000 instances in flight, and how
//! long it takes from an event to the command that follows from it. Beside it the same written by
//! hand on SQLite, and the disk's own sync.

mod by_hand;
mod relay;

use crate::machine::{Disk, Machine};
use crate::numbers::{ascending, median, percentile};
use crate::peer::{Fault, fault};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) quick: bool,
    pub(crate) rounds: usize,
    pub(crate) folder: PathBuf,
}

/// Instances in flight, with the steps that all of them take together.
const LOADS: [(usize, usize); 3] = [(1, 2_000), (64, 100_000), (1_000, 100_000)];

/// Events whose command is waited for, one after another.
const SINGLES: usize = 1_000;

/// What one way of doing it did under one load.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Ran {
    /// Steps that were taken.
    pub(crate) steps: usize,
    /// How long that took, in seconds.
    pub(crate) seconds: f64,
    /// Processor time, of all cores, in seconds.
    pub(crate) processor: f64,
}

/// What a step costs on disk.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Cost {
    pub(crate) events_per_step: f64,
    pub(crate) bytes_per_step: f64,
}

#[derive(Debug, Default, Serialize)]
struct Row {
    in_flight: usize,
    fait_steps_per_s: f64,
    fait_steps_per_core_s: f64,
    by_hand_steps_per_s: f64,
    ratio: f64,
}

/// All that was measured; medians of the rounds.
#[derive(Debug, Serialize)]
pub(crate) struct Results {
    machine: Machine,
    rounds: usize,
    quick: bool,
    sync_us: f64,
    rows: Vec<Row>,
    /// From an event that is acknowledged to the command that follows from it being settled.
    settled_p50_us: f64,
    settled_p99_us: f64,
    cost: Cost,
}

/// Runs all of it, in folders that are gone afterwards.
///
/// # Errors
/// The folder cannot be written, or the system has failed.
pub(crate) fn run(options: &Options) -> Result<Results, Fault> {
    let folder = tempfile::Builder::new()
        .prefix("fait-bench-")
        .tempdir_in(&options.folder)
        .map_err(|e| {
            let folder = options.folder.display();
            fault(format_args!("no folder can be made in {folder}: {e}"))
        })?;
    let machine = Machine::look();
    let mut sync = Disk::new(folder.path())?;
    let mut syncs = vec![sync.sync_us(500)?];
    let mut ours: Vec<Vec<Ran>> = vec![vec![]; LOADS.len()];
    let mut hand: Vec<Vec<Ran>> = vec![vec![]; LOADS.len()];
    let (mut singles, mut cost) = (vec![], Cost::default());
    for round in 0..options.rounds {
        for (n, (in_flight, steps)) in LOADS.into_iter().enumerate() {
            let steps = if options.quick { steps / 10 } else { steps };
            eprintln!("round {}, {in_flight} in flight", round + 1);
            let at = |who: &str| folder.path().join(format!("{who}-{round}-{in_flight}"));
            let (ran, paid) = relay::run(&at("fait"), in_flight, steps / in_flight)?;
            ours[n].push(ran);
            cost = paid;
            hand[n].push(by_hand::run(&at("sqlite"), in_flight, steps / in_flight)?);
            remove(&at("fait"))?;
            remove(&at("sqlite"))?;
            syncs.push(sync.sync_us(500)?);
        }
        let at = folder.path().join(format!("single-{round}"));
        let count = if options.quick { SINGLES / 5 } else { SINGLES };
        singles.extend(relay::singles(&at, count)?);
        remove(&at)?;
    }
    let rows = LOADS.into_iter().enumerate();
    let rows = rows
        .map(|(n, (in_flight, _))| row(in_flight, &ours[n], &hand[n]))
        .collect();
    let singles = ascending(&singles);
    Ok(Results {
        machine,
        rounds: options.rounds,
        quick: options.quick,
        sync_us: median(&syncs).unwrap_or_default(),
        rows,
        settled_p50_us: percentile(&singles, 50),
        settled_p99_us: percentile(&singles, 99),
        cost,
    })
}

fn remove(folder: &Path) -> Result<(), Fault> {
    Ok(std::fs::remove_dir_all(folder)?)
}

fn row(in_flight: usize, ours: &[Ran], hand: &[Ran]) -> Row {
    let of = |all: &[Ran], one: fn(&Ran) -> f64| {
        let values: Vec<f64> = all.iter().map(one).collect();
        median(&values).unwrap_or_default()
    };
    let per_s: fn(&Ran) -> f64 = |r| r.steps as f64 / r.seconds.max(1e-9);
    let per_core: fn(&Ran) -> f64 = |r| r.steps as f64 / r.processor.max(1e-9);
    let (fait, by_hand) = (of(ours, per_s), of(hand, per_s));
    Row {
        in_flight,
        fait_steps_per_s: fait,
        fait_steps_per_core_s: of(ours, per_core),
        by_hand_steps_per_s: by_hand,
        ratio: fait / by_hand.max(1e-9),
    }
}

/// The results as a person reads them.
pub(crate) fn text(results: &Results) -> String {
    let machine = &results.machine;
    let mut out = format!(
        "{}, {} cores, Linux {}; load average {:.2} at the start\n\
         medians of {} rounds; the disk's own sync takes {:.0} µs\n\n\
         in flight      fait steps/s   steps per core s   by hand on SQLite    ratio\n",
        machine.processor,
        machine.cores,
        machine.kernel,
        machine.load,
        results.rounds,
        results.sync_us,
    );
    for row in &results.rows {
        out.push_str(&format!(
            "{:>9} {:>17.0} {:>18.0} {:>19.0} {:>7.2}×\n",
            row.in_flight,
            row.fait_steps_per_s,
            row.fait_steps_per_core_s,
            row.by_hand_steps_per_s,
            row.ratio,
        ));
    }
    out.push_str(&format!(
        "\nfrom an event to its command being settled, idle: p50 {:.0} µs, p99 {:.0} µs\n\
         one step with one command: {:.1} events, {:.0} bytes, index included\n",
        results.settled_p50_us,
        results.settled_p99_us,
        results.cost.events_per_step,
        results.cost.bytes_per_step,
    ));
    out
}
