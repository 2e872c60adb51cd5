//! `fait process check` and `fait process shadow`: what the next program makes of a folder.
//!
//! The program itself looks, since only it knows its definitions. It is called with
//! `--preflight FOLDER --json`, or `--shadow PROCESS --data FOLDER --limit N --json`; it writes the
//! report as one JSON document, and ends with 0, or with 1 when there is something to be seen to.

use crate::failure::Failure;
use crate::output::Out;
use crate::program::asked;
use crate::source::Source;
use clap::{ArgGroup, Args};
use fait::app::{Preflight, Shadow};
use fait::manifest::Manifest;
use fait::process::Instance;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a program has to understand.
const UNDERSTANDS: &str =
    "`--preflight FOLDER --json` and `--shadow PROCESS --data FOLDER --limit N --json`";

/// Which program, and which folder.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("by").required(true).args(["program", "manifest"]))]
pub(crate) struct Check {
    /// The next program, which looks itself
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Its manifest, when there is no program to call: then only names are compared
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// The folder of the system
    #[arg(long, value_name = "FOLDER")]
    data: PathBuf,
}

/// Which program, which folder, and which process.
#[derive(Debug, Args)]
pub(crate) struct Again {
    /// The process
    name: String,
    /// The next program
    #[arg(long, value_name = "FILE")]
    program: PathBuf,
    /// The folder of the system
    #[arg(long, value_name = "FOLDER")]
    data: PathBuf,
    /// At most so many instances, the latest first
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

/// Whether the next program can go on with what is in flight. `open` reads the folder, which is
/// needed only where no program does it.
pub(crate) fn check(
    check: &Check,
    open: impl FnOnce(&str) -> Result<Box<dyn Source>, Failure>,
    out: &mut Out,
) -> Result<(), Failure> {
    let folder = check.data.as_path();
    if let Some(program) = &check.program {
        let mut command = Command::new(program);
        command.arg("--preflight").arg(folder).arg("--json");
        let report: Preflight = asked(program, command, UNDERSTANDS)?;
        match out.json() {
            true => out.document(&report)?,
            false => out.line(&report)?,
        }
        return match report.ok() {
            true => Ok(()),
            false => Err(Failure::Finding(
                "the next program cannot go on with everything that is in flight".into(),
            )),
        };
    }
    let file = check.manifest.as_deref().unwrap_or(Path::new(""));
    by_names(&read(file)?, &*open(&folder.display().to_string())?, out)
}

/// What the next program would have decided for what has ended.
pub(crate) fn shadow(again: &Again, out: &mut Out) -> Result<(), Failure> {
    let mut command = Command::new(&again.program);
    command.arg("--shadow").arg(&again.name);
    command.arg("--data").arg(&again.data);
    command.args(["--limit", &again.limit.to_string(), "--json"]);
    let report: Shadow = asked(&again.program, command, UNDERSTANDS)?;
    match out.json() {
        true => out.document(&report)?,
        false => out.line(&report)?,
    }
    match report.ok() {
        true => Ok(()),
        false => Err(Failure::Finding(
            "the next program would have decided otherwise".into(),
        )),
    }
}

fn read(file: &Path) -> Result<Manifest, Failure> {
    let name = file.display();
    let text =
        fs::read(file).map_err(|e| Failure::NotReady(format!("{name} cannot be read: {e}")))?;
    serde_json::from_slice(&text)
        .map_err(|e| Failure::NotReady(format!("{name} is not a manifest: {e}")))
}

/// Compares the names of processes and of commands, which is all that a manifest has.
fn by_names(manifest: &Manifest, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let (mut n, mut found) = (0_usize, vec![]);
    for process in source.processes()? {
        for status in ["running", "parked"] {
            for instance in source.instances(&process.name, Some(status), usize::MAX)? {
                n += 1;
                let trouble = missing(manifest, &instance);
                found.extend(trouble.map(|what| (instance.process, instance.key, what)));
            }
        }
    }
    if out.json() {
        let list: Vec<_> = found
            .iter()
            .map(|(process, key, what)| json!({"process": process, "key": key, "what": what}))
            .collect();
        out.document(&json!({"in_flight": n, "findings": list}))?;
    } else {
        for (process, key, what) in &found {
            out.line(format_args!("{process} {key}: {what}"))?;
        }
        out.line(format_args!(
            "{n} instances in flight, {} in trouble; states and deadlines were not looked at: \
             use --program for that",
            found.len()
        ))?;
    }
    match found.is_empty() {
        true => Ok(()),
        false => Err(Failure::Finding(
            "names are missing for what is in flight".into(),
        )),
    }
}

fn missing(manifest: &Manifest, instance: &Instance) -> Option<String> {
    let name = &instance.process;
    let process = manifest.processes.get(name);
    let Some(entry) = process.or_else(|| manifest.policies.get(name)) else {
        return Some("its process is gone".into());
    };
    for open in instance.open.values().map(|o| &o.issued.name) {
        if !manifest.commands.contains_key(open) {
            return Some(format!("there is no command `{open}` any more"));
        }
        if !entry.sends.contains(open) {
            return Some(format!("`{name}` does not send `{open}` any more"));
        }
    }
    let newer = instance.state.as_ref().filter(|(v, _)| *v > entry.version);
    newer.map(|(v, _)| format!("its state has version {v}, newer than the program's"))
}
