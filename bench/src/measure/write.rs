//! W1, W2, W3: appends.

use super::{Plan, Values};
use crate::numbers::{ascending, micros, percentile};
use crate::peer::{Append, Condition, Fault, Peer, fault};
use std::thread;
use std::time::Instant;

/// Writers of W2.
const WRITERS: usize = 64;
/// Events of one append of W3.
const BATCH: usize = 100;

pub(super) fn alone(plan: &Plan<'_>, peer: &dyn Peer) -> Result<Values, Fault> {
    let mut took = Vec::new();
    for _ in 0..plan.times(2_000, 500) {
        let append = Append {
            events: vec![plan.first()],
            condition: None,
        };
        let begun = Instant::now();
        peer.append_alone(append)?.position()?;
        took.push(micros(begun.elapsed()));
    }
    let took = ascending(&took);
    Ok(Values::from([
        ("p50_us", percentile(&took, 50)),
        ("p99_us", percentile(&took, 99)),
    ]))
}

pub(super) fn many(plan: &Plan<'_>, peer: &dyn Peer) -> Result<Values, Fault> {
    let each = plan.times(300, 100);
    let begun = Instant::now();
    let took: Vec<Vec<f64>> = thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| scope.spawn(|| writer(plan, peer, each)))
            .collect();
        let ended = writers.into_iter().map(|writer| {
            let panicked = |_| fault("a writer has panicked");
            writer.join().map_err(panicked)?
        });
        ended.collect::<Result<_, Fault>>()
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    let took = ascending(&took.concat());
    Ok(Values::from([
        ("appends_per_s", took.len() as f64 / seconds),
        ("p50_us", percentile(&took, 50)),
        ("p99_us", percentile(&took, 99)),
    ]))
}

/// One writer of many: its stream is its own, and it says so with a condition.
fn writer(plan: &Plan<'_>, peer: &dyn Peer, times: usize) -> Result<Vec<f64>, Fault> {
    let (order, customer) = plan.order();
    let mut after = 0;
    let mut took = Vec::with_capacity(times);
    for _ in 0..times {
        let event = plan.event(&order, customer);
        let condition = Condition {
            tags: event.tags[..1].to_vec(),
            after,
        };
        let append = Append {
            events: vec![event],
            condition: Some(condition),
        };
        let begun = Instant::now();
        after = peer.append(append)?.position()?;
        took.push(micros(begun.elapsed()));
    }
    Ok(took)
}

pub(super) fn batches(plan: &Plan<'_>, peer: &dyn Peer) -> Result<Values, Fault> {
    let mut took = Vec::new();
    for _ in 0..plan.times(300, 100) {
        let events = (0..BATCH).map(|_| plan.first());
        let append = Append {
            events: events.collect(),
            condition: None,
        };
        let begun = Instant::now();
        peer.append_alone(append)?.position()?;
        took.push(micros(begun.elapsed()));
    }
    let seconds = took.iter().sum::<f64>() / 1e6;
    Ok(Values::from([
        ("events_per_s", (took.len() * BATCH) as f64 / seconds),
        ("p50_us", percentile(&ascending(&took), 50)),
    ]))
}
