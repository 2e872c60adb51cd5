//! Everything that was measured, its medians, and our place among them.

use crate::machine::Machine;
use crate::measure::{Values, Workload};
use crate::numbers::{median, ratio};
use crate::peer::Kind;
use serde::Serialize;

/// One measurement of one store.
#[derive(Debug, Serialize)]
pub(crate) struct Sample {
    pub(crate) workload: Workload,
    pub(crate) store: Kind,
    pub(crate) round: usize,
    pub(crate) values: Values,
    /// The disk's own sync, right before and right after.
    pub(crate) sync_before_us: f64,
    pub(crate) sync_after_us: f64,
    pub(crate) load: f64,
}

/// The middle of all rounds.
#[derive(Debug, Serialize)]
pub(crate) struct Median {
    pub(crate) workload: Workload,
    pub(crate) store: Kind,
    pub(crate) metric: &'static str,
    pub(crate) median: f64,
    /// How often fait is better; above 1 it is ahead.
    pub(crate) fait_is_better_by: Option<f64>,
}

/// A store, or a workload of one, that was not measured.
#[derive(Debug, Serialize)]
pub(crate) struct NotRun {
    pub(crate) store: Kind,
    pub(crate) reason: String,
}

/// All of it.
#[derive(Debug, Serialize)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    pub(crate) events: usize,
    pub(crate) rounds: usize,
    pub(crate) quick: bool,
    pub(crate) not_run: Vec<NotRun>,
    pub(crate) samples: Vec<Sample>,
}

impl Results {
    /// The middle of what a store reached in all rounds.
    pub(crate) fn median(&self, workload: Workload, store: Kind, metric: &str) -> Option<f64> {
        let of_it = self.of(workload, store);
        let values: Vec<f64> = of_it
            .filter_map(|s| s.values.get(metric).copied())
            .collect();
        median(&values)
    }

    /// The middle of the disk's own syncs around a workload of a store.
    pub(crate) fn sync_us(&self, workload: Workload, store: Kind) -> Option<f64> {
        let both = |s: &Sample| [s.sync_before_us, s.sync_after_us];
        let around: Vec<f64> = self.of(workload, store).flat_map(both).collect();
        median(&around)
    }

    /// The middle of the load averages during a workload of a store.
    pub(crate) fn load(&self, workload: Workload, store: Kind) -> f64 {
        let loads: Vec<f64> = self.of(workload, store).map(|s| s.load).collect();
        median(&loads).unwrap_or_default()
    }

    /// Medians in the order of workloads and stores.
    pub(crate) fn medians(&self) -> Vec<Median> {
        let mut keys: Vec<(Workload, Kind, &'static str)> = Vec::new();
        for sample in &self.samples {
            let named = sample.values.keys();
            keys.extend(named.map(|metric| (sample.workload, sample.store, *metric)));
        }
        keys.sort_unstable();
        keys.dedup();
        let medians = keys.into_iter().filter_map(|(workload, store, metric)| {
            let median = self.median(workload, store, metric)?;
            let ours = self.median(workload, Kind::Fait, metric);
            Some(Median {
                workload,
                store,
                metric,
                median,
                fait_is_better_by: ours.and_then(|ours| ratio(metric, ours, median)),
            })
        });
        medians.collect()
    }

    fn of(&self, workload: Workload, store: Kind) -> impl Iterator<Item = &Sample> {
        let own = move |s: &&Sample| s.workload == workload && s.store == store;
        self.samples.iter().filter(own)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Results, Sample};
    use crate::machine::Machine;
    use crate::measure::Workload;
    use crate::peer::Kind;

    /// Results of samples that were made by hand: the sync always took 80 µs.
    pub(crate) fn results(samples: &[(Workload, Kind, &'static str, f64)]) -> Results {
        let samples = samples
            .iter()
            .map(|(workload, store, metric, value)| Sample {
                workload: *workload,
                store: *store,
                round: 0,
                values: [(*metric, *value)].into(),
                sync_before_us: 70.0,
                sync_after_us: 90.0,
                load: 0.0,
            });
        Results {
            machine: Machine::look(),
            events: 10_000_000,
            rounds: 3,
            quick: false,
            not_run: Vec::new(),
            samples: samples.collect(),
        }
    }

    #[test]
    fn medians_are_of_all_rounds_and_know_who_is_ahead() {
        let (w, fait, sqlite) = (Workload::W2, Kind::Fait, Kind::Sqlite);
        let rate = "appends_per_s";
        let all = results(&[
            (w, fait, rate, 100.0),
            (w, fait, rate, 300.0),
            (w, fait, rate, 120.0),
            (w, sqlite, rate, 30.0),
        ]);
        let medians = all.medians();
        assert_eq!(medians.len(), 2);
        assert_eq!(medians[0].median, 120.0);
        assert_eq!(medians[1].fait_is_better_by, Some(4.0));
        assert_eq!(all.sync_us(w, sqlite), Some(80.0));
    }
}
