//! Boards: how long it takes to read a large one, to hold it against the rules, to lay it out and
//! to tell it. Nothing but this machine's processor is measured.

mod many;

use crate::machine::Machine;
use crate::numbers::{median, micros};
use crate::peer::{Fault, fault};
use fait_board::{LintOptions, format, lint, outline, parse};
use serde::Serialize;
use std::hint::black_box;
use std::time::Instant;

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) lines: usize,
    pub(crate) rounds: usize,
}

/// How long each phase took, in microseconds; medians of the rounds.
#[derive(Debug, Serialize)]
pub(crate) struct Results {
    machine: Machine,
    rounds: usize,
    lines: usize,
    bytes: usize,
    notes: usize,
    parse_us: f64,
    lint_us: f64,
    parse_and_lint_us: f64,
    format_us: f64,
    outline_us: f64,
    /// The same board with a slip in each name of an event, where every mention is a mistake.
    parse_slips_us: f64,
}

/// Measures all phases, one after the other in each round.
///
/// # Errors
/// The board that is measured is not a good one.
pub(crate) fn run(options: &Options) -> Result<Results, Fault> {
    let machine = Machine::look();
    let text = many::many(options.lines);
    let parsed = parse(&text);
    if let Some(problem) = parsed.problems.first() {
        return Err(fault(format_args!(
            "the board is broken: {}",
            problem.message
        )));
    }
    let slips = text.replace("\nevent ", "\nevent X");
    let rules = LintOptions::default();
    let mut took: [Vec<f64>; 6] = Default::default();
    for _ in 0..options.rounds {
        let (read, parsed) = timed(|| parse(&text));
        let (checked, _) = timed(|| lint(&parsed, &rules));
        let (laid_out, _) = timed(|| format(&text));
        let (told, _) = timed(|| outline(&parsed.board));
        let (slipped, _) = timed(|| parse(&slips));
        let all = [read, checked, read + checked, laid_out, told, slipped];
        for (phase, us) in took.iter_mut().zip(all) {
            phase.push(us);
        }
    }
    let [
        parse_us,
        lint_us,
        parse_and_lint_us,
        format_us,
        outline_us,
        parse_slips_us,
    ] = took.map(|phase| median(&phase).unwrap_or_default());
    Ok(Results {
        machine,
        rounds: options.rounds,
        lines: text.lines().count(),
        bytes: text.len(),
        notes: parsed.board.notes().len(),
        parse_us,
        lint_us,
        parse_and_lint_us,
        format_us,
        outline_us,
        parse_slips_us,
    })
}

/// How long something took, in microseconds, and what came of it.
fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let begun = Instant::now();
    let done = black_box(work());
    (micros(begun.elapsed()), done)
}

/// The results as a table.
pub(crate) fn text(r: &Results) -> String {
    let m = &r.machine;
    let mut out = format!(
        "{}, {} cores, Linux {}; load average {:.2} at the start\n\
         a board of {} lines, {} bytes, {} notes; medians of {} rounds\n\n",
        m.processor, m.cores, m.kernel, m.load, r.lines, r.bytes, r.notes, r.rounds,
    );
    for (phase, us) in [
        ("parse", r.parse_us),
        ("lint", r.lint_us),
        ("parse and lint", r.parse_and_lint_us),
        ("format", r.format_us),
        ("outline", r.outline_us),
        ("parse, with a slip in every event", r.parse_slips_us),
    ] {
        out.push_str(&format!("{phase:<36} {:>8.1} ms\n", us / 1e3));
    }
    out
}
