//! The reliability programme: the store over a disk that fails in every way that disks do.

pub(crate) mod rng;
mod contents;
pub(crate) mod disk;
mod engine;
mod model;
mod plan;
mod check;
mod figures;
mod run;
mod history;
mod threads;
mod program;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod steps;
#[cfg(test)]
mod tests;

pub use program::main_with;
