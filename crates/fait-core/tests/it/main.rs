//! Integration tests of the core.

mod memory;
