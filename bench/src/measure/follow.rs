//! W7: how soon whoever follows the store has an event.

use super::{Plan, Values};
use crate::numbers::{ascending, micros, percentile};
use crate::peer::{Append, Fault, Peer, fault};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// The follower gets so much time to wait again before the next append begins.
const PAUSE: Duration = Duration::from_micros(100);

pub(super) fn latency(plan: &Plan<'_>, peer: &dyn Peer) -> Result<Values, Fault> {
    let head = peer.head()?;
    let ended = AtomicBool::new(false);
    let (seen, arrivals) = mpsc::channel();
    let took = thread::scope(|scope| {
        let follower = scope.spawn(|| follow(peer, head, &ended, &seen));
        let took = appends(plan, peer, &arrivals);
        ended.store(true, Ordering::Relaxed);
        // One more event wakes the follower up, so that it sees that this is the end.
        let last = append(plan, peer);
        follower
            .join()
            .map_err(|_| fault("the follower has panicked"))??;
        last.and(took)
    })?;
    let took = ascending(&took);
    Ok(Values::from([
        ("p50_us", percentile(&took, 50)),
        ("p99_us", percentile(&took, 99)),
    ]))
}

fn appends(
    plan: &Plan<'_>,
    peer: &dyn Peer,
    arrivals: &Receiver<(u64, Instant)>,
) -> Result<Vec<f64>, Fault> {
    let mut took = Vec::new();
    for _ in 0..plan.times(500, 200) {
        // Nothing arrives now: this only waits.
        arrivals.recv_timeout(PAUSE).ok();
        let (begun, position) = append(plan, peer)?;
        let limit = Duration::from_secs(10);
        let (arrived, at) = arrivals.recv_timeout(limit).map_err(|_| {
            fault(format_args!(
                "the event at {position} did not arrive in 10 s"
            ))
        })?;
        if arrived != position {
            let wrong = format_args!("event {arrived} arrived, and not {position}");
            return Err(fault(wrong));
        }
        took.push(micros(at.saturating_duration_since(begun)));
    }
    Ok(took)
}

fn append(plan: &Plan<'_>, peer: &dyn Peer) -> Result<(Instant, u64), Fault> {
    let append = Append {
        events: vec![plan.first()],
        condition: None,
    };
    let begun = Instant::now();
    Ok((begun, peer.append_alone(append)?.position()?))
}

fn follow(
    peer: &dyn Peer,
    mut after: u64,
    ended: &AtomicBool,
    seen: &Sender<(u64, Instant)>,
) -> Result<(), Fault> {
    while !ended.load(Ordering::Relaxed) {
        peer.wait(after)?;
        let mut last = after;
        peer.read(&[], after, &mut |row| {
            last = row.position;
            // Whoever measures may have gone.
            seen.send((row.position, Instant::now())).ok();
        })?;
        after = last;
    }
    Ok(())
}
