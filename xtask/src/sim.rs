//! The simulated lives of the embedded store, built for speed and run on all cores.

use crate::tree;
use std::process::Command;

pub(crate) const HELP: &str = "\
Usage: cargo xtask sim [--seeds N] [--from S] [--seed S] [--histories N] [--json]
       cargo xtask sim --processes N

Lets stores live on a simulated disk that loses power, forgets, fails, lies and fills up, and checks
each answer; then checks recorded histories of concurrent appends and reads. Says what it counted.
Fails, with the seed, when a store did what it must not.

  --seeds N      so many stores, each with some lives (10000)
  --from S       the first seed (0)
  --seed S       this seed only, with all that happens in it
  --histories N  so many concurrent histories (500)
  --json         the figures as one line of JSON
  --processes N  instead: N random processes for each law of processes, and the restaurant with
                 every pair of crashes";

/// The verb `sim`.
pub(crate) fn verb(args: &[String]) -> Result<bool, String> {
    let root = tree::root()?;
    if let [flag, n] = args
        && flag == "--processes"
    {
        return processes(&root, n);
    }
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(program)
        .args(["run", "--quiet", "--release", "--package", "fait-store"])
        .args(["--features", "sim", "--example", "sim", "--"])
        .args(args)
        .current_dir(root)
        .status()
        .map_err(|e| format!("cargo cannot be run: {e}"))?;
    Ok(status.success())
}

/// The laws of processes on random ones, and every crash of the restaurant.
fn processes(root: &std::path::Path, cases: &str) -> Result<bool, String> {
    let number: u64 = cases
        .replace('_', "")
        .parse()
        .map_err(|_| "`--processes` needs a number".to_string())?;
    for package in ["fait", "restaurant"] {
        let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(program)
            .args(["test", "--release", "--package", package])
            .args(["--test", "it", "sim::", "--", "--nocapture"])
            .env("FAIT_SIM_CASES", number.to_string())
            .env("FAIT_SIM", "all")
            .current_dir(root)
            .status()
            .map_err(|e| format!("cargo cannot be run: {e}"))?;
        if !status.success() {
            return Ok(false);
        }
    }
    Ok(true)
}
