//! What we want to reach, and whether we have.

use crate::measure::Workload;
use crate::peer::Kind;
use crate::results::Results;
use serde::Serialize;

/// One thing that we want to reach.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Target {
    pub(crate) workload: Workload,
    pub(crate) aim: String,
    /// None: it was not measured.
    pub(crate) value: Option<f64>,
    pub(crate) reached: Option<bool>,
}

#[derive(Clone, Copy)]
enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

use Kind::{Fait, Sqlite, Umadb};
use Limit::{AtLeast, AtMost};
use Workload::{W1, W2, W3, W4, W5, W6c, W6l, W7, W9, W10};

/// Events of the target for opening.
const MANY: usize = 10_000_000;

fn target(workload: Workload, aim: &str, value: Option<f64>, limit: Limit) -> Target {
    let (sign, bound) = match limit {
        AtMost(bound) => ('≤', bound),
        AtLeast(bound) => ('≥', bound),
    };
    let reached = value.map(|value| match limit {
        AtMost(bound) => value <= bound,
        AtLeast(bound) => value >= bound,
    });
    Target {
        workload,
        aim: format!("{aim} {sign} {bound}"),
        value,
        reached,
    }
}

/// All targets, in the order of the workloads.
pub(crate) fn targets(results: &Results) -> Vec<Target> {
    let mut all = appends(results);
    all.extend(reads(results));
    all.extend(decisions(results));
    all.sort_by_key(|target| target.workload);
    all
}

/// Our median divided by a peer's.
fn part(results: &Results, workload: Workload, metric: &str, peer: Kind) -> Option<f64> {
    let ours = results.median(workload, Fait, metric)?;
    Some(ours / results.median(workload, peer, metric)?)
}

fn appends(results: &Results) -> Vec<Target> {
    let over_sync = results.median(W1, Fait, "p50_over_sync");
    let w1 = part(results, W1, "p50_us", Sqlite);
    let rate = |workload, metric, peer| part(results, workload, metric, peer);
    vec![
        target(W1, "p50 / the disk's own sync", over_sync, AtMost(1.25)),
        target(W1, "p50 / SQLite's", w1, AtMost(1.0)),
        target(
            W2,
            "appends/s / SQLite's",
            rate(W2, "appends_per_s", Sqlite),
            AtLeast(3.5),
        ),
        target(
            W2,
            "appends/s / UmaDB's",
            rate(W2, "appends_per_s", Umadb),
            AtLeast(5.0),
        ),
        target(
            W3,
            "events/s / SQLite's",
            rate(W3, "events_per_s", Sqlite),
            AtLeast(8.0),
        ),
        target(
            W3,
            "events/s / UmaDB's",
            rate(W3, "events_per_s", Umadb),
            AtLeast(10.0),
        ),
    ]
}

fn reads(results: &Results) -> Vec<Target> {
    let millions = results
        .median(W4, Fait, "events_per_s")
        .map(|rate| rate / 1e6);
    let w4 = part(results, W4, "events_per_s", Sqlite);
    let hot = part(results, W5, "hot1000_us", Sqlite);
    let random = part(results, W5, "random10_us", Sqlite);
    let append = results.median(W1, Fait, "p50_us");
    let follow = results.median(W7, Fait, "p50_us");
    let behind = append.zip(follow).map(|(append, follow)| follow - append);
    let many = |metric| match results.events >= MANY {
        true => results.median(W9, Fait, metric),
        false => None,
    };
    let bytes = results.median(W10, Fait, "bytes_per_event");
    vec![
        target(W4, "million events/s", millions, AtLeast(10.0)),
        target(W4, "events/s / SQLite's", w4, AtLeast(3.0)),
        target(W5, "1,000 hot events / SQLite's", hot, AtMost(1.0)),
        target(W5, "ten scattered events / SQLite's", random, AtMost(0.2)),
        target(W7, "µs behind W1, p50", behind, AtMost(30.0)),
        target(W9, "ms to open 10 M events", many("open_ms"), AtMost(100.0)),
        target(
            W9,
            "MiB after opening 10 M events",
            many("rss_mib"),
            AtMost(64.0),
        ),
        target(W10, "bytes for an event of 200", bytes, AtMost(300.0)),
    ]
}

fn decisions(results: &Results) -> Vec<Target> {
    let rate = |workload, kind| results.median(workload, kind, "decisions_per_s");
    let by = |ours: Option<f64>, theirs: Option<f64>| Some(ours? / theirs?);
    let queue = by(rate(W6l, Fait), rate(W6c, Sqlite));
    let optimistic = by(rate(W6c, Fait), rate(W6c, Sqlite));
    let queues = by(rate(W6l, Fait), rate(W6l, Sqlite));
    vec![
        target(
            W6c,
            "queued decisions/s / SQLite's optimistic ones",
            queue,
            AtLeast(4.0),
        ),
        target(
            W6c,
            "both optimistic, decisions/s / SQLite's",
            optimistic,
            AtLeast(1.0),
        ),
        target(
            W6l,
            "both queued, decisions/s / SQLite's",
            queues,
            AtLeast(1.0),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::{MANY, targets};
    use crate::measure::Workload;
    use crate::peer::Kind;
    use crate::results::Results;
    use crate::results::tests::results;

    fn reached(results: &Results, aim: &str) -> (Option<f64>, Option<bool>) {
        let all = targets(results);
        let found = all.iter().find(|t| t.aim.starts_with(aim));
        let found = found.unwrap_or_else(|| panic!("no target `{aim}`"));
        (found.value, found.reached)
    }

    #[test]
    fn each_side_of_a_limit_is_told() {
        let (fait, sqlite) = (Kind::Fait, Kind::Sqlite);
        let all = results(&[
            (Workload::W1, fait, "p50_us", 96.0),
            (Workload::W1, fait, "p50_over_sync", 1.2),
            (Workload::W1, sqlite, "p50_us", 90.0),
            (Workload::W7, fait, "p50_us", 126.0),
            (Workload::W6l, fait, "decisions_per_s", 400.0),
            (Workload::W6c, sqlite, "decisions_per_s", 100.0),
        ]);
        let w1 = reached(&all, "p50 / the disk's own sync ≤ 1.25");
        assert_eq!(w1.1, Some(true));
        assert_eq!(reached(&all, "p50 / SQLite's ≤ 1").1, Some(false));
        assert_eq!(reached(&all, "µs behind W1"), (Some(30.0), Some(true)));
        assert_eq!(reached(&all, "queued"), (Some(4.0), Some(true)));
    }

    #[test]
    fn what_was_not_measured_is_not_judged() {
        let mut all = results(&[(Workload::W9, Kind::Fait, "open_ms", 20.0)]);
        assert_eq!(reached(&all, "ms to open"), (Some(20.0), Some(true)));
        all.events = MANY - 1;
        assert_eq!(reached(&all, "ms to open"), (None, None));
        assert_eq!(reached(&all, "bytes for"), (None, None));
    }
}
