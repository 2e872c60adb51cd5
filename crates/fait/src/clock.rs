//! The clock, the only place that asks the machine for the time and for new ids.

use fait_core::event::Time;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::Notify;
use uuid::Uuid;

/// Time for a system: the machine's, a faster one for plays, or one that tests move by hand. Cheap
/// to clone; all clones show the same time and count the same ids.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Kind>);

#[derive(Debug)]
enum Kind {
    Machine,
    Paced {
        begun: Instant,
        from: Mutex<Time>,
        pace: f64,
        moved: Notify,
    },
    ByHand {
        now: Mutex<Time>,
        /// Wakes sleepers in their order, so that a simulated run is the same each time.
        moved: Notify,
        ids: AtomicU64,
        behind: AtomicU64,
    },
}

impl Clock {
    /// The machine's time.
    pub fn machine() -> Clock {
        Clock(Arc::new(Kind::Machine))
    }

    /// Time that runs `pace` times as fast as the machine's, from now on; and jumps with
    /// [`App::advance`](crate::App::advance).
    pub fn paced(pace: f64) -> Clock {
        let from = Mutex::new(machine_now());
        Clock(Arc::new(Kind::Paced {
            begun: Instant::now(),
            from,
            pace: pace.clamp(0.001, 1e6),
            moved: Notify::new(),
        }))
    }

    /// Time that stands still until [`App::advance`](crate::App::advance) moves it; ids are
    /// counted, so that a run is the same each time.
    pub fn by_hand() -> Clock {
        Clock(Arc::new(Kind::ByHand {
            now: Mutex::new(Time(1_767_225_600_000)),
            moved: Notify::new(),
            ids: AtomicU64::new(0),
            behind: AtomicU64::new(0),
        }))
    }

    /// Now.
    pub fn now(&self) -> Time {
        match &*self.0 {
            Kind::Machine => machine_now(),
            Kind::Paced {
                begun, from, pace, ..
            } => {
                let from = *from.lock().unwrap_or_else(PoisonError::into_inner);
                from + begun.elapsed().mul_f64(*pace)
            }
            Kind::ByHand { now, .. } => *now.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// A new id, later than those before it.
    pub fn id(&self) -> Uuid {
        match &*self.0 {
            Kind::ByHand { ids, behind, .. } => {
                let n = ids.fetch_add(1, Ordering::Relaxed).to_be_bytes();
                match behind.load(Ordering::Relaxed) {
                    0 => Uuid::new_v5(&Uuid::NAMESPACE_OID, &n),
                    head => {
                        let both = [head.to_be_bytes(), n].concat();
                        Uuid::new_v5(&Uuid::NAMESPACE_OID, &both)
                    }
                }
            }
            Kind::Machine | Kind::Paced { .. } => Uuid::now_v7(),
        }
    }

    /// Waits until a time. Never wakes early.
    pub async fn sleep_until(&self, at: Time) {
        match &*self.0 {
            Kind::ByHand { moved, .. } => loop {
                let moved = moved.notified();
                if self.now() >= at {
                    return;
                }
                moved.await;
            },
            Kind::Paced { moved, .. } => loop {
                let moved = moved.notified();
                let Some(wait) = self.until(at) else {
                    return;
                };
                tokio::select! {
                    () = moved => {}
                    () = tokio::time::sleep(wait) => {}
                }
            },
            Kind::Machine => {
                while let Some(wait) = self.until(at) {
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    /// How long to sleep on the machine, at most an hour; none when a time has come.
    fn until(&self, at: Time) -> Option<Duration> {
        let now = self.now();
        let wait = || self.real(at.since(now)) + Duration::from_millis(1);
        (now < at).then(|| wait().min(Duration::from_secs(3600)))
    }

    /// How long something takes on the machine.
    pub fn real(&self, time: Duration) -> Duration {
        match &*self.0 {
            Kind::Paced { pace, .. } => time.div_f64(*pace),
            Kind::Machine | Kind::ByHand { .. } => time,
        }
    }

    /// Whether tests move it.
    pub fn is_by_hand(&self) -> bool {
        matches!(*self.0, Kind::ByHand { .. })
    }

    /// Whether it can be moved: by hand, or because it runs at a pace of its own.
    pub fn can_be_moved(&self) -> bool {
        !matches!(*self.0, Kind::Machine)
    }

    /// Ids that are counted are other ones than those of an earlier start on the same log.
    pub(crate) fn goes_on_behind(&self, head: u64) {
        if let Kind::ByHand { behind, .. } = &*self.0 {
            behind.store(head, Ordering::Relaxed);
        }
    }

    /// Moves a clock that can be moved; the machine's takes it only as what has been already.
    pub(crate) fn not_before(&self, time: Time) {
        match &*self.0 {
            Kind::Machine => {}
            Kind::Paced {
                begun,
                from,
                pace,
                moved,
            } => {
                let mut from = from.lock().unwrap_or_else(PoisonError::into_inner);
                let now = *from + begun.elapsed().mul_f64(*pace);
                if now < time {
                    *from = *from + time.since(now);
                }
                drop(from);
                moved.notify_waiters();
            }
            Kind::ByHand { now, moved, .. } => {
                let mut now = now.lock().unwrap_or_else(PoisonError::into_inner);
                *now = time.max(*now);
                drop(now);
                moved.notify_waiters();
            }
        }
    }
}

/// How many times as fast as the machine's a clock may run, as a person gives it to a program: a
/// number from 0.001 to 100000. For a flag such as `--pace`, and [`Clock::paced`].
///
/// # Errors
/// It is no such number; a sentence says which are.
pub fn pace(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(pace) if (0.001..=100_000.0).contains(&pace) => Ok(pace),
        _ => Err("the pace is a number from 0.001 to 100000".into()),
    }
}

fn machine_now() -> Time {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Time(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
