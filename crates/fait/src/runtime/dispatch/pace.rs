//! How fast one system is told: waits between tries, a share for retries, and a breaker for a
//! system that is down. Pure: time is given.

use super::system::Limits;
use fait_core::event::Time;
use std::time::Duration;

/// Retries that a pause saves up, at most.
const MOST_SAVED: f64 = 100.0;
/// Retries per first try.
const SHARE: f64 = 0.2;
/// Retries per second that are free.
const PER_SECOND: f64 = 1.0;

/// How one system did lately.
#[derive(Debug)]
pub(super) struct Pace {
    limits: Limits,
    /// Failures in a row.
    pub(super) failures: u32,
    pub(super) last_error: Option<(Time, String)>,
    down: Option<Down>,
    /// Retries that may be made now.
    saved: f64,
    counted: Time,
}

/// A system that is down.
#[derive(Clone, Copy, Debug)]
struct Down {
    since: Time,
    /// When it is tried again.
    probe: Time,
    /// How often it was.
    probes: u32,
    probing: bool,
}

impl Pace {
    pub(super) fn new(limits: Limits, now: Time) -> Pace {
        Pace {
            limits,
            failures: 0,
            last_error: None,
            down: None,
            saved: 10.0,
            counted: now,
        }
    }

    /// Since when it is down.
    pub(super) fn down_since(&self) -> Option<Time> {
        self.down.map(|d| d.since)
    }

    /// When something may be told again; none when at once.
    pub(super) fn not_before(&self) -> Option<Time> {
        self.down.map(|d| d.probe)
    }

    /// Whether one message is tried to see whether it is still down.
    pub(super) fn is_probing(&self) -> bool {
        self.down.is_some_and(|d| d.probing)
    }

    /// Whether something may be told now.
    pub(super) fn is_open(&self, now: Time) -> bool {
        self.down.is_none_or(|d| !d.probing && d.probe <= now)
    }

    /// Whether a try may be made now; else when. First tries always may.
    pub(super) fn begin(&mut self, retry: bool, now: Time) -> Result<(), Time> {
        self.save(now);
        if let Some(down) = &mut self.down {
            // A probe needs no share: there is one at a time.
            down.probing = true;
        } else if !retry {
            self.saved = (self.saved + SHARE).min(MOST_SAVED);
        } else if self.saved >= 1.0 {
            self.saved -= 1.0;
        } else {
            let wait = Duration::from_secs_f64((1.0 - self.saved) / PER_SECOND);
            return Err(now + wait + Duration::from_millis(1));
        }
        Ok(())
    }

    fn save(&mut self, now: Time) {
        let passed = now.since(self.counted).as_secs_f64();
        self.counted = self.counted.max(now);
        self.saved = (self.saved + passed * PER_SECOND).min(MOST_SAVED);
    }

    /// It answered, whatever it said.
    pub(super) fn answered(&mut self) {
        self.failures = 0;
        self.down = None;
    }

    /// It did not; `chance` is any number.
    pub(super) fn failed(&mut self, error: &str, now: Time, chance: u128) {
        self.failures = self.failures.saturating_add(1);
        self.last_error = Some((now, error.to_owned()));
        let down_after = self.limits.down_after;
        match &mut self.down {
            // Of those that were under way when it went down.
            Some(down) if !down.probing => {}
            Some(down) => {
                down.probing = false;
                down.probes = down.probes.saturating_add(1);
                let probes = down.probes;
                let cap = self.cap(probes.saturating_add(3));
                if let Some(down) = &mut self.down {
                    down.probe = now + cap / 2 + part(cap / 2, chance);
                }
            }
            None if down_after > 0 && self.failures >= down_after => {
                let cap = self.cap(3);
                self.down = Some(Down {
                    since: now,
                    probe: now + cap / 2 + part(cap / 2, chance),
                    probes: 0,
                    probing: false,
                });
            }
            None => {}
        }
    }

    /// A try that came to nothing, neither way: the program stops, or it was taken back.
    pub(super) fn gave_back(&mut self) {
        if let Some(down) = &mut self.down {
            down.probing = false;
        }
    }

    /// How long until the next try, after so many: a random part of a time that doubles.
    pub(super) fn wait(&self, tries: u32, chance: u128) -> Duration {
        part(self.cap(tries.saturating_sub(1)), chance)
    }

    fn cap(&self, doubled: u32) -> Duration {
        let factor = 1u32.checked_shl(doubled).unwrap_or(u32::MAX);
        self.limits
            .first_wait
            .saturating_mul(factor)
            .min(self.limits.longest_wait)
    }
}

/// A part of a time, by chance.
fn part(time: Duration, chance: u128) -> Duration {
    let micros = chance % (time.as_micros() + 1);
    Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIN: Duration = Duration::from_secs(60);

    #[test]
    fn waits_double_up_to_a_minute_and_chance_takes_a_part() {
        let pace = Pace::new(Limits::default(), Time(0));
        for (tries, most) in [(1, 500), (2, 1000), (5, 8000), (8, 60_000), (99, 60_000)] {
            let most = Duration::from_millis(most);
            assert_eq!(pace.wait(tries, most.as_micros()), most);
            assert_eq!(pace.wait(tries, 0), Duration::ZERO);
            assert!((0..5000u128).all(|n| pace.wait(tries, n * 7_919_777) <= most));
        }
    }

    #[test]
    fn five_failures_close_it_and_one_probe_at_a_time_opens_it() {
        let mut pace = Pace::new(Limits::default(), Time(0));
        for n in 0..5 {
            assert!(pace.is_open(Time(n)));
            pace.failed("no", Time(n), 0);
        }
        let probe = pace.not_before().unwrap();
        assert!(!pace.is_open(Time(probe.0 - 1)) && pace.is_open(probe));
        assert_eq!(pace.begin(true, probe), Ok(()));
        assert!(!pace.is_open(probe + MIN), "a second probe");
        pace.failed("no", probe, 0);
        assert!(!pace.is_open(probe));
        let next = pace.not_before().unwrap();
        assert!(next > probe && next <= probe + MIN);
        assert_eq!(pace.begin(true, next), Ok(()));
        pace.answered();
        assert!(pace.is_open(next) && pace.failures == 0);
    }

    #[test]
    fn retries_have_a_share_and_wait_for_it() {
        let mut pace = Pace::new(Limits::default(), Time(0));
        let mut now = Time(0);
        let mut made = 0;
        while pace.begin(true, now).is_ok() {
            made += 1;
        }
        assert_eq!(made, 10, "what was saved at the beginning");
        let next = pace.begin(true, now).unwrap_err();
        assert!(next > now && next <= now + Duration::from_millis(1001));
        for _ in 0..100 {
            assert_eq!(pace.begin(false, now), Ok(()));
        }
        let retries = (0..100).filter(|_| pace.begin(true, now).is_ok()).count();
        assert!((19..=20).contains(&retries), "{retries} of a hundred");
        now = now + MIN * 60;
        let saved = (0..1000).filter(|_| pace.begin(true, now).is_ok()).count();
        assert_eq!(saved, 100);
    }
}
