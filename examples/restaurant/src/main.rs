//! Opens the restaurant.
fn main() {}
