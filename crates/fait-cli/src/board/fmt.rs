//! `fait board fmt`: boards in their canonical layout.

use super::text_of;
use crate::failure::Failure;
use crate::output::{Out, note};
use crate::words::clean;
use clap::Args;
use fait_board::{format, parse};
use serde::Serialize;
use similar::TextDiff;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Which boards, and whether they are written.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fait board fmt restaurant.board
  fait board fmt --check boards/*.board    # in CI: exit code 1 when one is not laid out
  fait board fmt - < draft.board           # to standard output

A line that cannot be read stays as it is. Tabs become spaces, and a line that is indented wrongly
is indented as it is understood; what was repaired is said.")]
pub(crate) struct Fmt {
    /// The boards, which are written in place; `-` for standard input to standard output
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write nothing; show what would change and fail when something would
    #[arg(long)]
    check: bool,
}

/// What became of one board.
#[derive(Debug, Serialize)]
struct Done {
    file: String,
    /// Whether its layout was another one.
    changed: bool,
    /// How many lines were repaired: tabs, and lines that were indented wrongly.
    repaired: usize,
}

pub(crate) fn run(fmt: &Fmt, out: &mut Out) -> Result<(), Failure> {
    let stdin = |file: &&PathBuf| file.as_os_str() == "-";
    if fmt.files.iter().filter(stdin).count() > 1 {
        return Err(Failure::Usage("`-` can be read once".into()));
    }
    let mut all = Vec::new();
    let mut failed = None;
    for file in &fmt.files {
        // One file that cannot be read or written does not keep the others from it.
        match one(fmt, file, out) {
            Ok(done) => all.push(done),
            Err(Failure::Closed) => return Err(Failure::Closed),
            Err(failure) => failed = tell(failed, failure),
        }
    }
    // What comes from standard input goes out as text: that is the answer then.
    let is_text = !fmt.check && fmt.files.iter().any(|file| stdin(&file));
    if out.json() && !is_text {
        out.document(&all)?;
    }
    let changed = all.iter().filter(|done| done.changed).count();
    match (failed, fmt.check, changed) {
        (Some(failure), ..) => Err(failure),
        (None, true, 1..) => Err(Failure::Finding(match changed {
            1 => "1 board is not laid out; `fait board fmt` does it".into(),
            n => format!("{n} boards are not laid out; `fait board fmt` does it"),
        })),
        _ => Ok(()),
    }
}

/// Says an earlier failure, and keeps the later one for the end.
fn tell(earlier: Option<Failure>, failure: Failure) -> Option<Failure> {
    if let Some(earlier) = earlier {
        note(format_args!("error: {earlier}"));
    }
    Some(failure)
}

fn one(fmt: &Fmt, file: &Path, out: &mut Out) -> Result<Done, Failure> {
    let before = text_of(file)?;
    let after = format(&before);
    let name = file.display().to_string();
    let done = Done {
        changed: before != after,
        repaired: badly_indented(&before).saturating_sub(badly_indented(&after)),
        file: name.clone(),
    };
    match done.repaired {
        0 => {}
        1 => note(format_args!(
            "{name}: 1 line had a tab or was indented wrongly"
        )),
        n => note(format_args!(
            "{name}: {n} lines had a tab or were indented wrongly"
        )),
    }
    if fmt.check {
        if done.changed && !out.json() {
            show(&name, &before, &after, out)?;
        }
    } else if file.as_os_str() == "-" {
        out.bytes()
            .write_all(after.as_bytes())
            .map_err(Failure::writing)?;
    } else if done.changed {
        let sorry = |e| Failure::NotReady(format!("{name} cannot be written: {e}"));
        replace(file, &after).map_err(sorry)?;
        if !out.json() {
            out.line(format_args!("{name} is laid out"))?;
        }
    }
    Ok(done)
}

fn badly_indented(text: &str) -> usize {
    let problems = parse(text).problems;
    problems.iter().filter(|p| p.code == "P001").count()
}

fn show(name: &str, before: &str, after: &str, out: &mut Out) -> Result<(), Failure> {
    let diff = TextDiff::from_lines(before, after);
    let laid_out = format!("{name}, laid out");
    let mut diff = diff.unified_diff();
    let text = diff.context_radius(2).header(name, &laid_out).to_string();
    let safe = |line: &str| line.split('\t').map(clean).collect::<Vec<_>>().join("\t");
    text.lines().try_for_each(|line| out.line(safe(line)))
}

/// Puts `text` in the place of the file, whole or not at all. A link stays a link, and the file
/// keeps its permissions.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let file = file.canonicalize()?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(text.as_bytes())?;
    new.as_file()
        .set_permissions(file.metadata()?.permissions())?;
    new.as_file().sync_all()?;
    new.persist(&file)?;
    Ok(())
}
