//! What is to go wrong in one run.

use std::fmt;

/// On which side of an operation the program stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Before it takes effect.
    Before,
    /// After it took effect, before whoever asked for it hears of that.
    After,
}

/// The program stops at an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Crash {
    /// At which operation, counted from 1 in each life of the program.
    pub at: u64,
    /// On which side of it.
    pub side: Side,
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Before => "before",
            Side::After => "after",
        };
        write!(f, "{side} {}", self.at)
    }
}

/// What else goes wrong, each in one of so many cases; 0 is never. None of it loses anything for
/// good, so that the outcome must be the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// The store fails: half of the time before an append took effect, half of the time after.
    pub store: u64,
    /// Another system fails, before or after it took a message in.
    pub system: u64,
    /// A person or another system sends the same again, under the same id.
    pub again: u64,
    /// What other systems send in one delivery comes in another order.
    pub reorder: u64,
    /// An operation takes so long that other tasks get on first.
    pub slow: u64,
    /// A way between two simulated systems carries nothing for some seconds.
    pub down: u64,
}

impl Faults {
    /// Some of everything.
    pub fn all() -> Faults {
        Faults {
            store: 6,
            system: 4,
            again: 2,
            reorder: 1,
            slow: 2,
            down: 12,
        }
    }
}

/// What goes wrong in one run. Printed when a run fails, so that it can be had again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Where the program stops: once in each of its lives, in this order.
    pub crashes: Vec<Crash>,
    /// Whether the database of views and indexes survives a crash. It may be thrown away.
    pub database_survives: bool,
    /// How many programs run on the same store at once; 0 counts as 1. Where there are more, the
    /// database must not survive: each has its own.
    pub workers: usize,
    /// What else goes wrong.
    pub faults: Faults,
    /// Where the chance of the faults begins.
    pub seed: u64,
}

impl Plan {
    /// Nothing goes wrong.
    pub fn calm() -> Plan {
        Plan::default()
    }

    /// The program stops at these operations.
    pub fn crashing(crashes: &[Crash]) -> Plan {
        Plan {
            crashes: crashes.to_vec(),
            ..Plan::default()
        }
    }

    /// Everything goes wrong by chance, but nothing stops.
    pub fn faulty(seed: u64) -> Plan {
        Plan {
            faults: Faults::all(),
            seed,
            ..Plan::default()
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.crashes.as_slice() {
            [] => write!(f, "no crash")?,
            crashes => {
                for (n, crash) in crashes.iter().enumerate() {
                    let comma = if n == 0 { "crash " } else { ", then " };
                    write!(f, "{comma}{crash}")?;
                }
            }
        }
        if self.database_survives {
            write!(f, "; the database survives")?;
        }
        if self.workers > 1 {
            write!(f, "; {} programs", self.workers)?;
        }
        if self.faults != Faults::default() {
            let Faults {
                store,
                system,
                again,
                reorder,
                slow,
                down,
            } = self.faults;
            write!(
                f,
                "; seed {}, one in: store {store}, system {system}, again {again}, reorder \
                 {reorder}, slow {slow}, down {down}",
                self.seed
            )?;
        }
        Ok(())
    }
}
