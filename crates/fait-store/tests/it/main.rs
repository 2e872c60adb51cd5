//! Integration tests of the embedded store.

mod contract;
