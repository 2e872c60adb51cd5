//! Integration tests of the core.

mod memory;
mod teeth;
mod wrapped;
