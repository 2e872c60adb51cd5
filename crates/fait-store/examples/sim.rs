//! The simulator as a program; `cargo xtask sim` runs it.

fn main() {}
