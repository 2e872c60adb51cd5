//! What was simulated, counted.

use super::disk::Seen;
use std::fmt::{self, Display};

macro_rules! figures {
    ($($name:ident: $says:literal,)*) => {
        /// How often what happened.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub(super) struct Figures {
            $(pub(super) $name: u64,)*
        }

        impl Figures {
            /// All of them, with their names.
            fn list(&self) -> Vec<(&'static str, u64)> {
                vec![$(($says, self.$name),)*]
            }

            pub(super) fn add(&mut self, other: &Figures) {
                $(self.$name += other.$name;)*
            }
        }
    };
}

figures! {
    seeds: "seeds",
    lives: "lives",
    power_losses: "power losses",
    opening_losses: "power losses while opening",
    failed_openings: "openings that a fault stopped",
    failed_syncs: "failed syncs",
    failed_writes: "failed writes",
    short_writes: "short writes",
    failed_reads: "failed reads",
    full: "writes on a full disk",
    full_openings: "openings on a full disk",
    lies: "lost and misdirected writes",
    flips: "flipped bits",
    found: "damage found when opening",
    appends: "appends acknowledged",
    repeated: "repeated appends answered",
    conflicts: "conflicts",
    refused: "appends refused after a fault",
    reads: "reads",
    tended: "pieces of background work",
    erasures: "erasures",
    backups: "backups",
    histories: "concurrent histories",
    violations: "violations",
}

impl Figures {
    pub(super) fn count(&mut self, seen: &Seen) {
        self.failed_syncs += seen.failed_syncs as u64;
        self.failed_writes += seen.failed_writes as u64;
        self.short_writes += seen.short_writes as u64;
        self.failed_reads += seen.failed_reads as u64;
        self.full += seen.full as u64;
        self.lies += seen.lies as u64;
    }

    pub(super) fn json(&self) -> String {
        let fields: Vec<_> = self
            .list()
            .iter()
            .map(|(name, n)| format!("\"{}\":{n}", name.replace(' ', "_")))
            .collect();
        format!("{{{}}}", fields.join(","))
    }
}

impl Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, n) in self.list() {
            writeln!(f, "{n:>12}  {name}")?;
        }
        Ok(())
    }
}
