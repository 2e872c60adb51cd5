//! The contract of every store, as functions that a test runs; [`store_contract!`] makes them tests.
//!
//! [`store_contract!`]: crate::store_contract
