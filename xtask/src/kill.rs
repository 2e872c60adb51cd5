//! The store in a process that is killed, as often as wanted.

use crate::tree;
use std::process::Command;

pub(crate) const HELP: &str = "\
Usage: cargo xtask kill [--times N]

Kills a process (SIGKILL) in which sixty-four threads append, at a moment that chance chooses, opens
its store and looks whether all is there that was acknowledged, and nothing by half. One half of the
stores has small segments, the other has the usual ones. Says what it saw.

  --times N   so many kills (200)";

/// What the test reads.
const TIMES: &str = "FAIT_STORE_KILLS";

/// The verb `kill`.
pub(crate) fn verb(args: &[String]) -> Result<bool, String> {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let times = match words[..] {
        [] => "200",
        ["--times", n] => n,
        _ => return Err(format!("say `--times N`\n\n{HELP}")),
    };
    times
        .parse::<usize>()
        .map_err(|_| format!("`{times}` is not a number\n\n{HELP}"))?;
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(program)
        .args(["test", "--quiet", "--release", "--package", "fait-store"])
        .args(["--test", "it", "--", "--exact", "--nocapture"])
        .arg("kill::acknowledged_events_survive_the_death_of_the_process")
        .env(TIMES, times)
        .current_dir(tree::root()?)
        .status()
        .map_err(|e| format!("cargo cannot be run: {e}"))?;
    Ok(status.success())
}
