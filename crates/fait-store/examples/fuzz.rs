//! Inputs for the fuzzers; `cargo xtask fuzz` runs it.
//!
//! `seeds FOLDER` writes what real stores give, in a folder for each target; `plain FOLDER` leaves
//! out those whose checksums are made anew; `run TARGET FILE…` feeds a target with files, to see
//! again what a fuzzer has found.

use fait_store::fuzzing::{TARGETS, seeds};
use std::error::Error;
use std::fs;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        ["seeds", folder] => write(Path::new(folder), false),
        ["plain", folder] => write(Path::new(folder), true),
        ["run", target, ref files @ ..] => run(target, files),
        _ => Err("say `seeds FOLDER`, `plain FOLDER` or `run TARGET FILE…`".into()),
    }
}

fn write(folder: &Path, plain: bool) -> Result<(), Box<dyn Error>> {
    for (name, _) in TARGETS {
        let folder = folder.join(name);
        fs::create_dir_all(&folder)?;
        let inputs = seeds(name).into_iter();
        for (n, input) in inputs.filter(|i| !plain || i[0] == 0).enumerate() {
            fs::write(folder.join(format!("seed-{n:02}")), input)?;
        }
    }
    Ok(())
}

fn run(target: &str, files: &[&str]) -> Result<(), Box<dyn Error>> {
    let found = TARGETS.iter().find(|(name, _)| *name == target);
    let (_, feed) = found.ok_or_else(|| format!("there is no target `{target}`"))?;
    for file in files {
        println!("{file}");
        feed(&fs::read(file)?);
    }
    Ok(())
}
