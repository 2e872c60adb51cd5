//! The simulator.

mod chance;
mod plan;
mod place;
mod outside;
mod world;
mod show;
mod ending;
mod run;
mod laws;
mod every;

pub use crate::runtime::flaw::{Flaw, with_flaw};
pub use chance::Chance;
pub use ending::Ending;
pub use every::{Every, Extent, Failure, Report, broken_by_rebuild, every_crash};
pub use laws::{Broken, Law, broken_by};
pub use outside::{Outside, Way};
pub use place::{Operation, Place};
pub use plan::{Crash, Faults, Plan, Side};
pub use run::{RunError, STUCK_AFTER, rebuild, run};
pub use world::World;
