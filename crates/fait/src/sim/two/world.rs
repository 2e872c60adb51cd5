//! The world around two systems: people on either side, one clock, and the way between.

use super::side::Side;
use super::way::Ways;
use crate::app::{App, Asked};
use crate::sim::world::{self, AGAIN};
use fait_core::event::{Position, Time};
use fait_core::process::Target;
use std::sync::Arc;
use std::time::Duration;

/// How often somebody looks again whether everything has arrived.
const LOOKS: u32 = 600;

/// The world around two simulated systems, as a scenario sees it. Each of them has people and
/// other systems of its own around it, who try until they hear.
#[derive(Clone, Debug)]
pub struct World {
    sides: [world::World; 2],
    ways: Arc<Ways>,
}

impl World {
    pub(super) fn around(sides: &[Side; 2], ways: &Arc<Ways>) -> World {
        World {
            sides: sides
                .each_ref()
                .map(|s| world::World::around(s.place().clone())),
            ways: ways.clone(),
        }
    }

    /// Who is around the first system.
    pub fn first(&self) -> &world::World {
        &self.sides[0]
    }

    /// Who is around the second system.
    pub fn second(&self) -> &world::World {
        &self.sides[1]
    }

    /// Now, for both.
    pub fn now(&self) -> Time {
        self.first().now()
    }

    /// The ways between the two carry nothing for a time, in both directions.
    pub fn cut(&self, time: Duration) {
        self.ways.cut(self.first().place().clock(), time);
    }

    /// Waits until everything that follows in either system from what has happened in both has
    /// happened, as far as no time must go by for it; see [`App::settle`].
    pub async fn settle(&self) {
        loop {
            let before = self.heads().await;
            for side in &self.sides {
                side.settle().await;
            }
            if self.ways.flying() == 0 && self.heads().await == before {
                return;
            }
            self.pause().await;
        }
    }

    /// Lets time go by for both, deadline by deadline, settling at each.
    pub async fn advance(&self, time: Duration) {
        self.settle().await;
        let until = self.now() + time;
        while let Some(next) = self.next_time().await.filter(|next| *next <= until) {
            self.move_to(next).await;
        }
        self.move_to(until).await;
    }

    /// Waits until what the systems say to each other has arrived. Where a way failed, time goes
    /// by until it is tried again, ten minutes at most.
    pub async fn arrive(&self) {
        for _ in 0..LOOKS {
            self.settle().await;
            if !self.waits().await {
                return;
            }
            // What failed is tried again a little later, on the machines or by the clock.
            tokio::time::sleep(AGAIN).await;
            self.advance(AGAIN).await;
        }
    }

    async fn move_to(&self, time: Time) {
        self.first().place().clock().not_before(time);
        self.settle().await;
    }

    /// The next time at which something happens by itself in either.
    async fn next_time(&self) -> Option<Time> {
        let mut next = vec![];
        for side in &self.sides {
            next.extend(side.during(async |app: App| app.next_time()).await);
        }
        next.into_iter().min()
    }

    /// Whether something is to be told or handed over that was not yet.
    async fn waits(&self) -> bool {
        if self.ways.waiting() > 0 {
            return true;
        }
        for side in &self.sides {
            let waits = side.during(async |app: App| {
                let open = app.waiting(1000).unwrap_or_default();
                let told = |a: &Asked| matches!(a.open.issued.to, Target::System(_));
                let bus = app.bus().await;
                let late = bus.is_ok_and(|bus| bus.outlets.iter().any(|o| o.waiting > 0));
                late || open.iter().any(told)
            });
            if waits.await {
                return true;
            }
        }
        false
    }

    /// How far the logs have come, and how often the systems stopped.
    async fn heads(&self) -> Vec<(Position, u64)> {
        let mut heads = vec![];
        for side in &self.sides {
            let head = side.during(async |app: App| app.core.store.head().await);
            let head = head.await.unwrap_or_default();
            heads.push((head, side.place().crash_count()));
        }
        heads
    }

    /// Leaves a turn to the systems.
    async fn pause(&self) {
        tokio::time::sleep(super::run::TURN).await;
    }
}
