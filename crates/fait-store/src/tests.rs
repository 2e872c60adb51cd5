//! Tests that need another disk under the store.
