//! One run: load, look at the disk, open, measure in rounds, close.

use crate::history::{Event, History};
use crate::machine::{Disk, Machine, load};
use crate::measure::{Plan, Values, Workload, disk, measure, open_in_child};
use crate::peer::{Append, Fault, Kind, Mode, Peer, fault};
use crate::results::{NotRun, Results, Sample};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Events of one append while loading.
const LOADED_AT_ONCE: usize = 1_000;

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) quick: bool,
    pub(crate) only: Vec<Workload>,
    pub(crate) stores: Vec<Kind>,
    pub(crate) events: usize,
    pub(crate) rounds: usize,
    pub(crate) folder: PathBuf,
}

/// Runs all of it, in a folder of its own that is gone afterwards.
///
/// # Errors
/// Our own store has failed, or the folder cannot be written.
pub(crate) fn run(options: &Options) -> Result<Results, Fault> {
    let within = |e| {
        let folder = options.folder.display();
        fault(format_args!("no folder can be made in {folder}: {e}"))
    };
    let folder = tempfile::Builder::new()
        .prefix("fait-bench-")
        .tempdir_in(&options.folder)
        .map_err(within)?;
    let history = History::new(options.events);
    let (events, streams) = (options.events, history.streams());
    eprintln!(
        "{events} events, {streams} streams, in {}",
        folder.path().display()
    );
    let ran = Run {
        options,
        folder: folder.path(),
        history,
        sync: Disk::new(folder.path())?,
        results: Results {
            machine: Machine::look(),
            events: options.events,
            rounds: options.rounds,
            quick: options.quick,
            not_run: Vec::new(),
            samples: Vec::new(),
        },
    }
    .all();
    folder.close()?;
    ran
}

struct Run<'a> {
    options: &'a Options,
    folder: &'a Path,
    history: History,
    sync: Disk,
    results: Results,
}

impl Run<'_> {
    fn all(mut self) -> Result<Results, Fault> {
        let mut stores = Vec::new();
        for store in self.options.stores.clone() {
            if self.load(store)? {
                stores.push(store);
            }
        }
        for round in 0..self.options.rounds {
            let embedded = turn(&stores, round).filter(|store| store.is_embedded());
            for store in embedded.collect::<Vec<_>>() {
                self.sample(Workload::W9, store, round, |folder| {
                    open_in_child(store, folder)
                })?;
            }
        }
        if self
            .options
            .only
            .iter()
            .any(|workload| workload.needs_open())
        {
            self.rounds(&stores)?;
        }
        Ok(self.results)
    }

    /// Fills a store and closes it; whether that went well.
    fn load(&mut self, store: Kind) -> Result<bool, Fault> {
        let begun = Instant::now();
        let events = self.options.events as u64;
        let loaded = fill(store, &self.folder.join(store.name()), &self.history);
        let (peer, folder) = match loaded {
            Ok(peer) => (peer, self.folder.join(store.name())),
            Err(e) if store == Kind::Fait => return Err(e),
            Err(e) => {
                self.not_run(store, &e);
                return Ok(false);
            }
        };
        let seconds = begun.elapsed().as_secs_f64();
        let rate = events as f64 / seconds;
        eprintln!(
            "{}: {events} events in {seconds:.1} s, {rate:.0}/s",
            store.name()
        );
        let values = disk(peer, &folder, events)?;
        if self.options.only.contains(&Workload::W10) {
            self.results.samples.push(Sample {
                workload: Workload::W10,
                store,
                round: 0,
                values,
                sync_before_us: 0.0,
                sync_after_us: 0.0,
                load: load(),
            });
        }
        Ok(true)
    }

    fn rounds(&mut self, stores: &[Kind]) -> Result<(), Fault> {
        let mut open: Vec<(Kind, Box<dyn Peer>)> = Vec::new();
        for store in stores {
            let folder = self.folder.join(store.name());
            open.push((*store, store.open(&folder, Mode::Measure)?));
        }
        // The plan borrows a history while the run is changed: a second one is cheap.
        let history = History::new(self.options.events);
        let plan = Plan::new(&history, self.options.events, self.options.quick);
        let all = self
            .options
            .only
            .iter()
            .filter(|workload| workload.needs_open());
        let workloads: Vec<Workload> = all.copied().collect();
        for round in 0..self.options.rounds {
            for workload in &workloads {
                for (store, peer) in turn_of(&open, round) {
                    self.sample(*workload, *store, round, |_| {
                        measure(*workload, &plan, &**peer)
                    })?;
                }
            }
        }
        for (_, peer) in open {
            peer.close()?;
        }
        Ok(())
    }

    /// Measures once, with the disk's own sync before and after.
    fn sample(
        &mut self,
        workload: Workload,
        store: Kind,
        round: usize,
        measure: impl FnOnce(&Path) -> Result<Values, Fault>,
    ) -> Result<(), Fault> {
        if !self.options.only.contains(&workload) {
            return Ok(());
        }
        let times = if self.options.quick { 50 } else { 200 };
        let sync_before_us = self.sync.sync_us(times)?;
        let begun = Instant::now();
        let mut values = match measure(&self.folder.join(store.name())) {
            Ok(values) => values,
            Err(e) if store == Kind::Fait => return Err(e),
            Err(e) => {
                self.not_run(store, &fault(format_args!("{}: {e}", workload.name())));
                return Ok(());
            }
        };
        let seconds = begun.elapsed().as_secs_f64();
        let (name, number) = (store.name(), round + 1);
        eprintln!(
            "round {number}, {}: {name} in {seconds:.1} s",
            workload.name()
        );
        let sync_after_us = self.sync.sync_us(times)?;
        if workload == Workload::W1
            && let Some(p50) = values.get("p50_us")
        {
            let over = p50 / f64::midpoint(sync_before_us, sync_after_us);
            values.insert("p50_over_sync", over);
        }
        self.results.samples.push(Sample {
            workload,
            store,
            round,
            values,
            sync_before_us,
            sync_after_us,
            load: load(),
        });
        Ok(())
    }

    fn not_run(&mut self, store: Kind, why: &Fault) {
        eprintln!("{}: not run: {why}", store.name());
        self.results.not_run.push(NotRun {
            store,
            reason: why.to_string(),
        });
    }
}

/// Fills a new store.
fn fill(store: Kind, folder: &Path, history: &History) -> Result<Box<dyn Peer>, Fault> {
    let peer = store.open(folder, Mode::Load)?;
    let mut events = history.events();
    loop {
        let batch: Vec<Event> = events.by_ref().take(LOADED_AT_ONCE).collect();
        if batch.is_empty() {
            break;
        }
        let append = Append {
            events: batch,
            condition: None,
        };
        peer.append_alone(append)?;
    }
    peer.settle()?;
    Ok(peer)
}

/// Each round begins with another store.
fn turn(stores: &[Kind], round: usize) -> impl Iterator<Item = Kind> + '_ {
    turn_of(stores, round).copied()
}

fn turn_of<T>(all: &[T], round: usize) -> impl Iterator<Item = &T> {
    let first = round % all.len().max(1);
    all[first..].iter().chain(&all[..first])
}

#[cfg(test)]
mod tests {
    use super::{Options, run, turn_of};
    use crate::measure::Workload;
    use crate::peer::{Fault, Kind};

    #[test]
    fn each_round_begins_with_another_store() {
        let turns: Vec<Vec<_>> = (0..3)
            .map(|n| turn_of(&[1, 2], n).copied().collect())
            .collect();
        assert_eq!(turns, [[1, 2], [2, 1], [1, 2]]);
    }

    #[test]
    fn a_small_run_measures_and_leaves_nothing_behind() -> Result<(), Fault> {
        let folder = tempfile::tempdir()?;
        let results = run(&Options {
            quick: true,
            only: vec![Workload::W5, Workload::W6l, Workload::W7, Workload::W8],
            stores: vec![Kind::Fait, Kind::Sqlite],
            events: 20_000,
            rounds: 1,
            folder: folder.path().to_owned(),
        })?;
        assert_eq!(results.samples.len(), 8);
        let measured = results
            .samples
            .iter()
            .flat_map(|sample| sample.values.values());
        assert!(measured.into_iter().all(|value| *value > 0.0));
        assert_eq!(std::fs::read_dir(folder.path())?.count(), 0);
        Ok(())
    }
}
