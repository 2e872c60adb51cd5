//! Views: how fast one is rebuilt from a long history, how soon it shows an event, and what a
//! rebuild costs those who work meanwhile. Beside it the loop that one writes by hand: over a
//! table of SQLite, and over UmaDB.

mod by_hand;
mod orders;

use crate::machine::Machine;
use crate::numbers::{ascending, median, percentile};
use crate::peer::{Fault, fault};
use serde::Serialize;
use std::path::PathBuf;

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) quick: bool,
    pub(crate) rounds: usize,
    pub(crate) events: usize,
    pub(crate) keys: usize,
    pub(crate) folder: PathBuf,
}

/// What work went on, a second, without and with a rebuild.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Work {
    pub(crate) commands_per_s: f64,
    pub(crate) reads_per_s: f64,
}

/// All that was measured; medians of the rounds.
#[derive(Debug, Serialize)]
pub(crate) struct Results {
    machine: Machine,
    rounds: usize,
    events: usize,
    keys: usize,
    /// Events a second.
    fait_rebuild_per_s: f64,
    fait_catch_up_per_s: f64,
    sqlite_by_hand_per_s: f64,
    umadb_by_hand_per_s: f64,
    /// How much more memory the program had while it rebuilt, in MiB.
    rebuild_mib: f64,
    /// From an event that is acknowledged to the view that shows it, at 5,000 events a second.
    lag_p50_us: f64,
    lag_p99_us: f64,
    /// Events a second that were really appended meanwhile.
    lag_events_per_s: f64,
    alone: Work,
    beside_a_rebuild: Work,
}

/// Runs all of it, in folders that are gone afterwards.
///
/// # Errors
/// The folder cannot be written, or something that is measured has failed.
pub(crate) fn run(options: &Options) -> Result<Results, Fault> {
    let folder = tempfile::Builder::new()
        .prefix("fait-bench-")
        .tempdir_in(&options.folder)
        .map_err(|e| {
            let folder = options.folder.display();
            fault(format_args!("no folder can be made in {folder}: {e}"))
        })?;
    let machine = Machine::look();
    let (events, keys) = (options.events, options.keys);
    let at = |who: &str| folder.path().join(who);
    eprintln!("loading {events} events into each");
    orders::load(&at("fait"), events, keys)?;
    by_hand::load_sqlite(&at("sqlite"), events, keys)?;
    by_hand::load_umadb(&at("umadb"), events, keys)?;
    let (mut rebuilt, mut caught_up, mut sqlite, mut umadb) = (vec![], vec![], vec![], vec![]);
    let (mut memory, mut lags, mut rates) = (vec![], vec![], vec![]);
    let (mut alone, mut beside) = (vec![], vec![]);
    for round in 0..options.rounds {
        eprintln!("round {}", round + 1);
        let ours = orders::rebuild(&at("fait"), events)?;
        rebuilt.push(events as f64 / ours.seconds);
        caught_up.push(events as f64 / ours.catch_up);
        memory.push(ours.mib);
        let expected = ours.rows;
        let hand = by_hand::fold_sqlite(&at("sqlite"))?;
        let other = by_hand::fold_umadb(&at("umadb"))?;
        if hand.rows != expected || other.rows != expected {
            return Err(fault("the views are not the same"));
        }
        sqlite.push(events as f64 / hand.seconds);
        umadb.push(events as f64 / other.seconds);
    }
    // What works beside a rebuild makes the history longer, so it comes last.
    let seconds = if options.quick { 1 } else { 5 };
    for round in 0..options.rounds {
        let (lag, rate) = orders::lag(&at(&format!("lag-{round}")), seconds)?;
        lags.extend(lag);
        rates.push(rate);
        let (one, other) = orders::work(&at("fait"), seconds)?;
        alone.push(one);
        beside.push(other);
    }
    let lags = ascending(&lags);
    let of = |values: &[f64]| median(values).unwrap_or_default();
    let work = |all: &[Work]| Work {
        commands_per_s: of(&all.iter().map(|w| w.commands_per_s).collect::<Vec<_>>()),
        reads_per_s: of(&all.iter().map(|w| w.reads_per_s).collect::<Vec<_>>()),
    };
    Ok(Results {
        machine,
        rounds: options.rounds,
        events,
        keys,
        fait_rebuild_per_s: of(&rebuilt),
        fait_catch_up_per_s: of(&caught_up),
        sqlite_by_hand_per_s: of(&sqlite),
        umadb_by_hand_per_s: of(&umadb),
        rebuild_mib: of(&memory),
        lag_p50_us: percentile(&lags, 50),
        lag_p99_us: percentile(&lags, 99),
        lag_events_per_s: of(&rates),
        alone: work(&alone),
        beside_a_rebuild: work(&beside),
    })
}

/// The results as a person reads them.
pub(crate) fn text(r: &Results) -> String {
    let m = &r.machine;
    let line = |name: &str, value: f64| {
        let ratio = r.fait_rebuild_per_s / value.max(1e-9);
        format!("{name:<44} {value:>12.0} {ratio:>7.2}×\n")
    };
    let mut out = format!(
        "{}, {} cores, Linux {}; load average {:.2} at the start\n\
         {} events into {} rows; medians of {} rounds; (n×): a rebuild by fait is faster by so much\n\n\
         into rows in SQLite                              events/s\n",
        m.processor, m.cores, m.kernel, m.load, r.events, r.keys, r.rounds,
    );
    out.push_str(&line(
        "fait, rebuild beside what serves",
        r.fait_rebuild_per_s,
    ));
    out.push_str(&line("fait, first catch-up", r.fait_catch_up_per_s));
    out.push_str(&line(
        "by hand, from a table of SQLite",
        r.sqlite_by_hand_per_s,
    ));
    out.push_str(&line("by hand, from UmaDB", r.umadb_by_hand_per_s));
    let (a, b) = (&r.alone, &r.beside_a_rebuild);
    out.push_str(&format!(
        "\nmemory that a rebuild took: {:.0} MiB\n\
         a view shows an event after: p50 {:.0} µs, p99 {:.0} µs, at {:.0} events/s\n\
         commands/s: {:.0} alone, {:.0} beside a rebuild ({:.2})\n\
         reads/s:    {:.0} alone, {:.0} beside a rebuild ({:.2})\n",
        r.rebuild_mib,
        r.lag_p50_us,
        r.lag_p99_us,
        r.lag_events_per_s,
        a.commands_per_s,
        b.commands_per_s,
        b.commands_per_s / a.commands_per_s.max(1e-9),
        a.reads_per_s,
        b.reads_per_s,
        b.reads_per_s / a.reads_per_s.max(1e-9),
    ));
    out
}
