//! The simulator as a program; `cargo xtask sim` runs it.

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    fait_store::sim::main_with(&args)
}
