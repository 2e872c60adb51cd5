//! W6, W6c, W6l: decisions, alone and at once.

use super::{Plan, Values};
use crate::history::{Event, customer, customer_tag, order, order_tag};
use crate::numbers::{ascending, micros, percentile};
use crate::peer::{Append, Condition, Fault, Outcome, Peer, fault};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::Instant;

const DECIDERS: usize = 16;
/// Decisions of each decider.
const EACH: usize = 40;
/// The customer of the boundary that all want.
const CUSTOMER: u64 = 4;

/// What a decision looks at: how many events there are, and up to where.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    events: u64,
    head: u64,
}

impl State {
    /// Folds what has come since.
    fn catch_up(&mut self, peer: &dyn Peer, tags: &[String]) -> Result<(), Fault> {
        let events = &mut self.events;
        self.head = peer.read(tags, self.head, &mut |row| {
            *events += u64::from(!row.data.is_empty());
        })?;
        Ok(())
    }

    /// What is appended when nothing has come since.
    fn decide(&self, event: Event, tags: &[String]) -> Append {
        Append {
            events: vec![event],
            condition: Some(Condition {
                tags: tags.to_vec(),
                after: self.head,
            }),
        }
    }
}

pub(super) fn uncontended(plan: &Plan<'_>, peer: &dyn Peer) -> Result<Values, Fault> {
    let (mut reads, mut appends, mut cycles) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..plan.times(500, 200) {
        let stream = plan.history.stream_of_ten(plan.number());
        let event = plan.event(&order(stream), customer(stream));
        let tags = event.tags.clone();
        let begun = Instant::now();
        let mut state = State::default();
        state.catch_up(peer, &tags)?;
        let read = begun.elapsed();
        peer.append_alone(state.decide(event, &tags))?.position()?;
        let cycle = begun.elapsed();
        reads.push(micros(read));
        appends.push(micros(cycle.saturating_sub(read)));
        cycles.push(micros(cycle));
    }
    Ok(Values::from([
        ("read_us", percentile(&ascending(&reads), 50)),
        ("append_us", percentile(&ascending(&appends), 50)),
        ("cycle_us", percentile(&ascending(&cycles), 50)),
    ]))
}

pub(super) fn contended(plan: &Plan<'_>, peer: &dyn Peer) -> Result<Values, Fault> {
    let (order, _) = plan.order();
    let attempts = AtomicU64::new(0);
    let begun = Instant::now();
    at_once(|| {
        for _ in 0..EACH {
            optimistic(plan, peer, &order, &attempts)?;
        }
        Ok(())
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    let decisions = count(peer, &order)?;
    let attempts = attempts.load(Ordering::Relaxed) as f64;
    Ok(Values::from([
        ("decisions_per_s", decisions / seconds),
        ("attempts", attempts / decisions),
    ]))
}

/// Decides until nobody was quicker; everything is read again each time.
fn optimistic(
    plan: &Plan<'_>,
    peer: &dyn Peer,
    order: &str,
    attempts: &AtomicU64,
) -> Result<(), Fault> {
    let event = plan.event(order, CUSTOMER);
    let tags = event.tags.clone();
    loop {
        attempts.fetch_add(1, Ordering::Relaxed);
        let mut state = State::default();
        state.catch_up(peer, &tags)?;
        if let Outcome::At(_) = peer.append(state.decide(event.clone(), &tags))? {
            return Ok(());
        }
    }
}

pub(super) fn queued(plan: &Plan<'_>, peer: &dyn Peer) -> Result<Values, Fault> {
    let (order, _) = plan.order();
    let (queue, asked) = mpsc::sync_channel::<SyncSender<()>>(DECIDERS);
    let begun = Instant::now();
    thread::scope(|scope| {
        let serving = scope.spawn(|| serve(plan, peer, &order, asked));
        let decided = at_once(|| {
            for _ in 0..EACH {
                let (done, answer) = mpsc::sync_channel(1);
                let gone = "nobody serves the queue";
                queue.send(done).map_err(|_| fault(gone))?;
                answer.recv().map_err(|_| fault(gone))?;
            }
            Ok(())
        });
        drop(queue);
        // Why the queue was no longer served says more than that it was not.
        serving
            .join()
            .map_err(|_| fault("the queue has panicked"))??;
        decided
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    let decisions = count(peer, &order)?;
    Ok(Values::from([("decisions_per_s", decisions / seconds)]))
}

/// One boundary's queue: who comes first is served first, and the state is kept between them.
fn serve(
    plan: &Plan<'_>,
    peer: &dyn Peer,
    order: &str,
    asked: Receiver<SyncSender<()>>,
) -> Result<(), Fault> {
    let tags = [order_tag(order), customer_tag(CUSTOMER)];
    let mut state = State::default();
    for done in asked {
        let event = plan.event(order, CUSTOMER);
        loop {
            state.catch_up(peer, &tags)?;
            let append = state.decide(event.clone(), &tags);
            if let Outcome::At(position) = peer.append_alone(append)? {
                state.events += 1;
                state.head = position;
                break;
            }
        }
        // Whoever asked may have gone.
        done.send(()).ok();
    }
    Ok(())
}

/// Runs the same on as many threads as there are deciders.
fn at_once(decider: impl Fn() -> Result<(), Fault> + Sync) -> Result<(), Fault> {
    thread::scope(|scope| {
        let deciders: Vec<_> = (0..DECIDERS).map(|_| scope.spawn(&decider)).collect();
        deciders.into_iter().try_for_each(|decider| {
            let panicked = |_| fault("a decider has panicked");
            decider.join().map_err(panicked)?
        })
    })
}

/// Counts the decisions that are in the store: each must be there once.
fn count(peer: &dyn Peer, order: &str) -> Result<f64, Fault> {
    let mut state = State::default();
    state.catch_up(peer, &[order_tag(order), customer_tag(CUSTOMER)])?;
    match state.events == (DECIDERS * EACH) as u64 {
        true => Ok(state.events as f64),
        false => Err(fault(format_args!(
            "{} decisions are in the store instead of {}",
            state.events,
            DECIDERS * EACH
        ))),
    }
}
