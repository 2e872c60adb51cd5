//! The fuzzers of the embedded store's decoders, of the board language, and of CloudEvents.

use crate::tree;
use std::path::Path;
use std::process::{Command, Stdio};

pub(crate) const HELP: &str = "\
Usage: cargo xtask fuzz [--seconds N] [--target T]...

Feeds every decoder of the embedded store with bytes of a fuzzer's making, beginning with what real
stores write; the board language with texts, beginning with the boards of the examples; and the
codec of CloudEvents with messages in all their forms. Fails when one panics, runs for ever or
takes too much memory, and says which file in `fuzz/artifacts` does it. Needs cargo-fuzz and a
nightly compiler; without them it says how to install both. What a fuzzer found in the store is
seen again, without either, by
`cargo run -p fait-store --features sim --example fuzz -- run TARGET FILE`.

  --seconds N   so long for each target (60)
  --target T    this target only; may be repeated:
                headers, frame, record, index, erasing, folder, lookups, query,
                board, picture, cloudevent";

/// What can be fuzzed: the programs in `fuzz/fuzz_targets`.
const TARGETS: [&str; 11] = [
    "headers",
    "frame",
    "record",
    "index",
    "erasing",
    "folder",
    "lookups",
    "query",
    "board",
    "picture",
    "cloudevent",
];

/// An input that takes longer, in seconds, or more memory, in MiB, is a finding.
const LIMITS: [&str; 3] = ["-timeout=10", "-rss_limit_mb=2048", "-max_len=131072"];

#[derive(Debug, PartialEq, Eq)]
struct Options {
    seconds: u64,
    targets: Vec<String>,
}

impl Options {
    fn read(args: &[String]) -> Result<Options, String> {
        let (mut seconds, mut targets) = (60, vec![]);
        for pair in args.chunks(2) {
            let [option, value] = pair else {
                return Err(format!("`{}` needs a value\n\n{HELP}", pair[0]));
            };
            match option.as_str() {
                "--seconds" => {
                    let number = value.parse();
                    seconds = number.map_err(|_| format!("`{value}` is not a number"))?;
                }
                "--target" if TARGETS.contains(&value.as_str()) => targets.push(value.clone()),
                "--target" => return Err(format!("there is no target `{value}`\n\n{HELP}")),
                _ => return Err(format!("`{option}` is not an option\n\n{HELP}")),
            }
        }
        if targets.is_empty() {
            targets = TARGETS.map(str::to_owned).to_vec();
        }
        Ok(Options { seconds, targets })
    }
}

/// The verb `fuzz`.
pub(crate) fn verb(args: &[String]) -> Result<bool, String> {
    let options = Options::read(args)?;
    let root = tree::root()?;
    ready()?;
    seed(&root)?;
    let mut failed = vec![];
    for target in &options.targets {
        println!("== {target}");
        if !fuzz(&root, target, options.seconds)? {
            failed.push(target.as_str());
        }
    }
    let count = options.targets.len() - failed.len();
    println!(
        "{count} found nothing, {} failed {}",
        failed.len(),
        failed.join(", ")
    );
    Ok(failed.is_empty())
}

/// Says what is missing here, and how to get it.
fn ready() -> Result<(), String> {
    let works = |program: &str, args: &[&str]| {
        let run = Command::new(program).args(args).output();
        run.is_ok_and(|out| out.status.success())
    };
    let mut missing = vec![];
    if !works("cargo", &["+nightly", "--version"]) {
        missing.push("a nightly compiler: `rustup toolchain install nightly`");
    }
    if !works("cargo", &["fuzz", "--version"]) {
        missing.push("cargo-fuzz: `cargo install cargo-fuzz --locked`");
    }
    match missing.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "fuzzing needs what is not here: {}. The same decoders are fed with mutated files by \
             `cargo test -p fait-store --lib fuzzing`, which needs neither",
            missing.join("; ")
        )),
    }
}

/// Writes what real stores give into the corpus.
fn seed(root: &Path) -> Result<(), String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let seeded = Command::new(program)
        .args(["run", "--quiet", "--package", "fait-store"])
        .args(["--features", "sim", "--example", "fuzz", "--"])
        .args(["seeds", "fuzz/corpus"])
        .current_dir(root)
        .status();
    match seeded {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("the corpus cannot be made: {status}")),
        Err(e) => Err(format!("cargo cannot be run: {e}")),
    }
}

fn fuzz(root: &Path, target: &str, seconds: u64) -> Result<bool, String> {
    let own = root.join("fuzz/corpus").join(target);
    let kept = root.join(kept(target));
    // What is not there yet is made by the fuzzer's first finds.
    std::fs::create_dir_all(&own).map_err(|e| format!("{} cannot be made: {e}", own.display()))?;
    let status = Command::new("cargo")
        .args(["+nightly", "fuzz", "run", target])
        .args([own, kept])
        .arg("--")
        .args(LIMITS)
        .arg(format!("-max_total_time={seconds}"))
        .arg("-print_final_stats=1")
        // Cargo tells its children which compiler it is; the nightly one is another.
        .env_remove("CARGO")
        .env_remove("RUSTUP_TOOLCHAIN")
        .stdin(Stdio::null())
        .current_dir(root)
        .status()
        .map_err(|e| format!("cargo-fuzz cannot be run: {e}"))?;
    Ok(status.success())
}

/// The folder with inputs that are kept for a target.
fn kept(target: &str) -> String {
    match target {
        "board" | "picture" => "examples/boards".into(),
        "cloudevent" => "crates/fait-core/tests/corpus/cloudevent".into(),
        "lookups" => "crates/fait-store/tests/corpus/folder".into(),
        _ => format!("crates/fait-store/tests/corpus/{target}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Options, TARGETS};
    use std::path::Path;

    #[test]
    fn the_targets_are_those_that_there_are() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let entries = std::fs::read_dir(root.join("fuzz/fuzz_targets")).unwrap();
        let names = entries.map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.map(|n| n.replace(".rs", "")).collect();
        let mut known = TARGETS.map(str::to_owned).to_vec();
        names.sort();
        known.sort();
        assert_eq!(names, known);
        for target in TARGETS {
            assert!(root.join(super::kept(target)).is_dir(), "{target}");
        }
    }

    #[test]
    fn options_are_read() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let read = Options::read(&words("--seconds 5 --target index --target frame")).unwrap();
        assert_eq!((read.seconds, read.targets.len()), (5, 2));
        assert_eq!(Options::read(&[]).unwrap().targets, TARGETS);
        for wrong in ["--target none", "--seconds", "--seconds x", "--loud 1"] {
            assert!(Options::read(&words(wrong)).is_err());
        }
    }
}
