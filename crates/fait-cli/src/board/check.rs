//! `fait board check`: what is drawn, what is coded, and what happened.

use super::text_of;
use crate::failure::Failure;
use crate::output::{Out, note};
use crate::source::{self, Source};
use clap::{Args, ValueEnum};
use fait::board::check::{Comparison, Options, Verdict, compare};
use fait::board::happened::Happened;
use fait::manifest::Manifest;
use fait_board::{Look, Severity, parse, report};
use std::fs;
use std::path::{Path, PathBuf};

/// What the board is held against.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fait board check restaurant.board --manifest manifest.json
  fait board check restaurant.board --at http://127.0.0.1:7070 --days 30
  fait board check restaurant.board --at ./data --manifest manifest.json --deny never-happened

The manifest of a running system is at its address, too: curl http://127.0.0.1:7070/api/manifest

Exits with 1 when board, code and history contradict each other, and when something is denied.")]
pub(crate) struct Check {
    /// The board; `-` for standard input
    file: PathBuf,
    /// What is coded: the manifest of the program; without it, that of the system at its address
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// What did not happen for so many days counts as never happened
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    days: Option<u32>,
    /// Remarks that count as differences; may be given several times
    #[arg(long, value_name = "REMARK")]
    deny: Vec<Remark>,
    /// How to answer; `--json` is the same as `--format json`
    #[arg(long, default_value = "text")]
    format: Format,
}

/// A form of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Differences and remarks, for people
    Text,
    /// Everything that was compared, as one document
    Json,
}

/// What is worth knowing without being a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Remark {
    /// Drawn and coded, and never happened
    NeverHappened,
    /// Planned on the board, and in the code already
    NoLongerPlanned,
}

impl Remark {
    fn verdict(self) -> Verdict {
        match self {
            Remark::NeverHappened => Verdict::NeverHappened,
            Remark::NoLongerPlanned => Verdict::NoLongerPlanned,
        }
    }
}

pub(crate) fn run(check: &Check, at: Option<&str>, out: &mut Out) -> Result<(), Failure> {
    let text = text_of(&check.file)?;
    let parsed = parse(&text);
    let path = check.file.display().to_string();
    let is_error = |p: &&fait_board::Problem| p.severity == Severity::Error;
    if parsed.problems.iter().any(|p| is_error(&p)) {
        let shown = report(&text, &path, &parsed.problems, Look::Plain);
        note(shown.trim_end());
        return Err(Failure::Usage(format!(
            "{path} has mistakes, so that it cannot be held against anything; `fait board lint` \
             says more"
        )));
    }
    let (code, happened) = sides(check, at)?;
    let options = Options { days: check.days };
    let board = &parsed.board;
    let comparison = compare(board, code.as_ref(), happened.as_ref(), options);
    if check.format == Format::Json || out.json() {
        out.document(&comparison)?;
    } else {
        for line in comparison.to_string().lines() {
            out.line(crate::words::clean(line))?;
        }
    }
    let denied = denied(check, &comparison);
    match comparison.differences().count() + denied {
        0 => Ok(()),
        1 => Err(Failure::Finding("1 difference".into())),
        n => Err(Failure::Finding(format!("{n} differences"))),
    }
}

/// What is coded and what happened, as far as it was asked for.
fn sides(check: &Check, at: Option<&str>) -> Result<(Option<Manifest>, Option<Happened>), Failure> {
    let at = at.map(str::trim).filter(|at| !at.is_empty());
    let file = check.manifest.as_deref().map(read).transpose()?;
    if at.is_none() && file.is_none() {
        return Err(Failure::Usage(
            "say what the board is to be held against: `--manifest FILE` for a program, \
             `--at http://…` for a running system, `--at FOLDER` for what happened in one that is \
             stopped"
                .into(),
        ));
    }
    if at.is_none() {
        return Ok((file, None));
    }
    let source = source::open(at)?;
    let code = match file {
        Some(file) => Some(file),
        None => source.manifest()?,
    };
    Ok((code, Some(whole(&*source)?)))
}

/// Everything that happened; a running system counts it in parts.
fn whole(source: &dyn Source) -> Result<Happened, Failure> {
    let mut before = None;
    loop {
        let happened = source.happened()?;
        // A system that counts no further has nothing more to count, or cannot.
        if happened.is_whole() || before == Some(happened.up_to) {
            return Ok(happened);
        }
        before = Some(happened.up_to);
    }
}

fn denied(check: &Check, comparison: &Comparison) -> usize {
    let remarks = comparison.remarks();
    let is_denied = |verdict: Verdict| check.deny.iter().any(|deny| deny.verdict() == verdict);
    remarks.filter(|entry| is_denied(entry.verdict)).count()
}

fn read(file: &Path) -> Result<Manifest, Failure> {
    let name = file.display();
    let text = fs::read(file).map_err(|e| Failure::Usage(format!("{name} cannot be read: {e}")))?;
    serde_json::from_slice(&text)
        .map_err(|e| Failure::Usage(format!("{name} is not a manifest: {e}")))
}
