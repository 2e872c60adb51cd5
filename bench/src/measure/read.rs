//! W4, W5, W8: reading.

use super::{Plan, Values};
use crate::history::{Data, HOT, order, order_tag};
use crate::numbers::{ascending, micros, percentile};
use crate::peer::{Fault, Peer, fault};
use std::collections::HashMap;
use std::hint::black_box;
use std::time::Instant;

pub(super) fn scan(_: &Plan<'_>, peer: &dyn Peer) -> Result<Values, Fault> {
    // The first pass fills caches; the second is measured.
    sum(peer)?;
    let begun = Instant::now();
    let events = sum(peer)?;
    let seconds = begun.elapsed().as_secs_f64();
    Ok(Values::from([("events_per_s", events as f64 / seconds)]))
}

fn sum(peer: &dyn Peer) -> Result<u64, Fault> {
    let (mut events, mut bytes) = (0, 0_u64);
    peer.scan(&mut |_, data| {
        events += 1;
        let last = data.last().copied().unwrap_or_default();
        bytes += data.len() as u64 + u64::from(last);
    })?;
    black_box(bytes);
    match events == peer.head()? {
        true => Ok(events),
        false => Err(fault(format_args!("a scan gave {events} events only"))),
    }
}

pub(super) fn streams(plan: &Plan<'_>, peer: &dyn Peer) -> Result<Values, Fault> {
    let times = plan.times(300, 100);
    let names = ["hot10_us", "hot100_us", "hot1000_us"];
    let mut values = Values::new();
    for ((stream, length), name) in (0..).zip(HOT).zip(names) {
        load(peer, stream, length)?;
        let took: Result<Vec<f64>, Fault> =
            (0..times).map(|_| load(peer, stream, length)).collect();
        values.insert(name, percentile(&ascending(&took?), 50));
    }
    // Each store gets other streams, so that nobody finds what another has warmed up.
    let picks: Vec<u64> = (0..times)
        .map(|_| plan.history.stream_of_ten(plan.number()))
        .collect();
    let took: Result<Vec<f64>, Fault> = picks
        .into_iter()
        .map(|stream| load(peer, stream, 10))
        .collect();
    values.insert("random10_us", percentile(&ascending(&took?), 50));
    Ok(values)
}

/// Loads one stream; W6 may have made some of them longer.
fn load(peer: &dyn Peer, stream: u64, length: usize) -> Result<f64, Fault> {
    let tags = [order_tag(order(stream))];
    let (mut events, mut bytes) = (0, 0);
    let begun = Instant::now();
    peer.read(&tags, 0, &mut |row| {
        events += 1;
        bytes += row.data.len() + row.ty.len();
        black_box(row.id);
    })?;
    let took = micros(begun.elapsed());
    black_box(bytes);
    match events >= length {
        true => Ok(took),
        false => Err(fault(format_args!(
            "`{}` has {events} events instead of {length}",
            tags[0]
        ))),
    }
}

pub(super) fn rebuild(_: &Plan<'_>, peer: &dyn Peer) -> Result<Values, Fault> {
    let mut rows: HashMap<u32, (u64, u64)> = HashMap::new();
    let mut unreadable = 0_u64;
    let begun = Instant::now();
    peer.scan(&mut |_, data| {
        let Ok(data) = serde_json::from_slice::<Data<'_>>(data) else {
            unreadable += 1;
            return;
        };
        let number = data
            .customer
            .get(1..)
            .and_then(|digits| digits.parse().ok());
        let row = rows.entry(number.unwrap_or(u32::MAX)).or_default();
        row.0 += 1;
        row.1 += data.amount;
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    let events: u64 = rows.values().map(|row| row.0).sum();
    if unreadable > 0 || rows.contains_key(&u32::MAX) {
        let wrong = format_args!("{unreadable} events are not JSON, or have no customer");
        return Err(fault(wrong));
    }
    let took = seconds * 1e6 / events as f64;
    Ok(Values::from([("seconds_per_million", took)]))
}
