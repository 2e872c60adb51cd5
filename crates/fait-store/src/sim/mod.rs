//! The reliability programme: the store over a disk that fails in every way that disks do.

mod rng;
mod contents;
pub(crate) mod disk;
