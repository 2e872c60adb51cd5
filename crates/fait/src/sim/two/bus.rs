//! The simulated bus: a broker between the two systems, which outlives the crashes of both. What
//! one hands over it keeps; the other takes it, some of it several times, until it says that it
//! has recorded it.

use super::side::Side;
use super::way::{Ways, late};
use crate::bus::{BusError, Delivery, Inlet, Mark, Message, Outlet, Reached, STRUCTURED};
use crate::sim::place::Place;
use fait_core::event::Position;
use fait_core::store::BoxFuture;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// What the bus calls itself.
const HISTORY: &str = "simulated";

/// Most messages that are given at once.
const AT_ONCE: usize = 20;

/// Most messages before the wanted ones that are given once more.
const ONCE_MORE: u64 = 5;

/// Most copies of one message that arrive.
const MOST_COPIES: u64 = 5;

/// How long somebody who takes waits for the first, on the simulated machine.
const A_WHILE: Duration = Duration::from_secs(1);

/// What one system publishes, on the bus.
#[derive(Debug, Default)]
pub(super) struct Lane {
    kept: Mutex<Kept>,
    came: Notify,
}

#[derive(Debug, Default)]
struct Kept {
    messages: Vec<(Position, Delivery)>,
    /// As far as the other system says that it has recorded them.
    done: u64,
    /// Whether the other system takes from here at all.
    heard: bool,
}

impl Lane {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Messages on the bus that the other system has not said to have recorded.
    pub(super) fn waiting(&self) -> u64 {
        let kept = self.kept();
        match kept.heard {
            true => kept.messages.len() as u64 - kept.done,
            false => 0,
        }
    }

    fn reached(&self) -> Reached {
        let kept = self.kept();
        Reached {
            history: HISTORY.into(),
            sequence: kept.messages.len() as u64,
            position: kept.messages.last().map(|(at, _)| *at),
        }
    }
}

fn failed() -> BusError {
    BusError::Later("the simulated bus failed; whether it took effect is not known".into())
}

fn down() -> BusError {
    BusError::Later("the simulated bus is down".into())
}

/// The way onto the bus; see [`Side::outlet`].
#[derive(Debug)]
pub struct Outbound(pub(super) Side);

impl Outbound {
    fn lane(&self) -> &Lane {
        &self.0.ways.lanes[self.0.number]
    }

    async fn keep(&self, after: Reached, messages: Vec<Message>) -> Result<Reached, BusError> {
        let (here, ways) = (&self.0.here, &self.0.ways);
        if ways.hindered(here).await {
            return Err(down());
        }
        let lane = self.lane();
        let faults = here.plan().faults;
        // The connection may break in the middle.
        let breaks = here.happens(faults.system);
        let most = match breaks {
            true => here.below(messages.len() as u64 + 1),
            false => messages.len() as u64,
        };
        {
            let mut kept = lane.kept();
            if kept.messages.len() as u64 != after.sequence {
                let why = "somebody else has handed something over meanwhile";
                return Err(BusError::Later(why.into()));
            }
            for message in messages
                .into_iter()
                .take(usize::try_from(most).unwrap_or(0))
            {
                let sequence = kept.messages.len() as u64 + 1;
                let mark = Mark {
                    history: HISTORY.into(),
                    sequence,
                };
                let headers = vec![("content-type".to_string(), STRUCTURED.to_string())];
                let body = message.event.to_bytes();
                let delivery = Delivery {
                    mark,
                    headers,
                    body,
                };
                kept.messages.push((message.position, delivery));
            }
        }
        lane.came.notify_waiters();
        match breaks {
            true => Err(failed()),
            false => Ok(lane.reached()),
        }
    }
}

impl Outlet for Outbound {
    fn reached(&self) -> BoxFuture<'_, Result<Reached, BusError>> {
        Box::pin(async move {
            let here = &self.0.here;
            here.alive().await;
            match self.0.ways.is_down(here.clock()) {
                true => Err(down()),
                false => Ok(self.lane().reached()),
            }
        })
    }

    fn hand_over(
        &self,
        after: Reached,
        messages: Vec<Message>,
    ) -> BoxFuture<'_, Result<Reached, BusError>> {
        Box::pin(async move {
            let here = &self.0.here;
            let what = format!("hand over {} behind {}", messages.len(), after.sequence);
            let one_in = here.plan().faults.system;
            let work = self.keep(after, messages);
            here.operation(what, one_in, failed, work).await
        })
    }
}

/// What the other system published; see [`Side::inlet`].
#[derive(Debug)]
pub struct Inbound(pub(super) Side);

impl Inbound {
    pub(super) fn of(side: Side) -> Inbound {
        side.ways.lanes[1 - side.number].kept().heard = true;
        Inbound(side)
    }

    fn lane(&self) -> &Lane {
        &self.0.ways.lanes[1 - self.0.number]
    }

    /// What was not acknowledged, and what the bus makes of it.
    fn next(&self) -> Vec<Delivery> {
        let here = &self.0.here;
        let kept = self.lane().kept();
        // As a broker does: it gives what was not said to be recorded, wherever the reader stands.
        let from = kept.done;
        let at = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let new = kept.messages.iter().skip(at(from)).take(AT_ONCE);
        let mut given: Vec<Delivery> = new.map(|(_, d)| d.clone()).collect();
        if given.is_empty() {
            return given;
        }
        let again = |here: &Place| here.happens(here.plan().faults.again);
        if again(here) {
            given.truncate(at(1 + here.below(given.len() as u64)));
        }
        let mut copies = vec![];
        for delivery in &given {
            if again(here) {
                copies.extend((0..here.below(MOST_COPIES)).map(|_| delivery.clone()));
            }
        }
        if again(here) {
            let before = from.saturating_sub(here.below(ONCE_MORE));
            let old = kept.messages.iter().take(at(from)).skip(at(before));
            copies.extend(old.map(|(_, d)| d.clone()));
        }
        given.extend(copies);
        if here.happens(here.plan().faults.reorder) {
            here.shuffle(&mut given);
        }
        given
    }
}

impl Inlet for Inbound {
    fn take(&self, after: Option<Mark>) -> BoxFuture<'_, Result<Vec<Delivery>, BusError>> {
        Box::pin(async move {
            let here = &self.0.here;
            here.alive().await;
            if let Some(mark) = after.as_ref().filter(|m| m.history != HISTORY) {
                return Err(BusError::Other(mark.history.clone()));
            }
            let lane = self.lane();
            let came = lane.came.notified();
            if self.0.ways.is_down(here.clock()) {
                return Err(down());
            }
            let given = self.next();
            if given.is_empty() {
                // In turns that are nobody's, so that the one that waits does not move the other.
                let _ = tokio::time::timeout(A_WHILE, came).await;
                here.alive().await;
                return Ok(vec![]);
            }
            if self.0.ways.hindered(here).await {
                return Err(down());
            }
            if here.happens(here.plan().faults.system) {
                return Err(failed());
            }
            if here.happens(here.plan().faults.slow) {
                tokio::time::sleep(late(here)).await;
            }
            here.alive().await;
            Ok(given)
        })
    }

    fn done(&self, upto: Mark) -> BoxFuture<'_, Result<(), BusError>> {
        Box::pin(async move {
            let here = &self.0.here;
            let what = format!("acknowledge up to {}", upto.sequence);
            let one_in = here.plan().faults.system;
            let work = async {
                if self.0.ways.is_down(here.clock()) {
                    return Err(down());
                }
                let mut kept = self.lane().kept();
                kept.done = kept.done.max(upto.sequence);
                Ok(())
            };
            here.operation(what, one_in, failed, work).await
        })
    }
}

impl Ways {
    /// Messages that are on the bus and not said to be recorded, of both systems.
    pub(super) fn waiting(&self) -> u64 {
        self.lanes.iter().map(Lane::waiting).sum()
    }
}
