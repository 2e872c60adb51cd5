//! The simulator as a program: `cargo xtask sim`.

use super::disk::SimDisk;
use super::engine::Engine;
use super::figures::Figures;
use super::history;
use super::run::{Violation, run, run_traced};
use super::threads::record;
use std::io::Write;
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

/// What to simulate.
#[derive(Debug)]
struct Wanted {
    from: u64,
    seeds: u64,
    histories: u64,
    json: bool,
    /// One seed, with all that happens in it.
    only: Option<u64>,
}

/// What the threads share.
struct Work {
    next: AtomicU64,
    stopped: AtomicBool,
    figures: Mutex<Figures>,
    found: Mutex<Option<String>>,
}

/// Runs the simulator with arguments, as the example `sim` does. Says what it counted; fails when
/// something went wrong.
pub fn main_with(args: &[String]) -> ExitCode {
    match read(args) {
        Ok(wanted) => simulate(&wanted),
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(2)
        }
    }
}

fn read(args: &[String]) -> Result<Wanted, String> {
    let mut wanted = Wanted {
        from: 0,
        seeds: 10_000,
        histories: 500,
        json: false,
        only: None,
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut number = || {
            let value = args
                .next()
                .and_then(|text| text.replace('_', "").parse().ok());
            value.ok_or_else(|| format!("`{arg}` needs a number"))
        };
        match arg.as_str() {
            "--seeds" => wanted.seeds = number()?,
            "--from" => wanted.from = number()?,
            "--seed" => wanted.only = Some(number()?),
            "--histories" => wanted.histories = number()?,
            "--json" => wanted.json = true,
            _ => return Err(format!("`{arg}` is not an option")),
        }
    }
    Ok(wanted)
}

fn simulate(wanted: &Wanted) -> ExitCode {
    let begun = Instant::now();
    let work = Work {
        next: AtomicU64::new(0),
        stopped: AtomicBool::new(false),
        figures: Mutex::new(Figures::default()),
        found: Mutex::new(None),
    };
    let found = match wanted.only {
        Some(seed) => one(seed, &work),
        None => {
            // Two for each core: a store and its writer wait for each other most of the time.
            let threads = 2 * thread::available_parallelism().map_or(1, usize::from);
            thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| many(wanted, &work));
                }
            });
            work.found.lock().ok().and_then(|mut found| found.take())
        }
    };
    let found = found.or_else(|| match wanted.only {
        Some(_) => None,
        None => histories(wanted, &work),
    });
    let mut figures = work.figures.into_inner().unwrap_or_default();
    figures.violations = u64::from(found.is_some());
    let out = if wanted.json {
        figures.json()
    } else {
        format!("{figures}{:>12.1}  seconds", begun.elapsed().as_secs_f64())
    };
    let _ = writeln!(std::io::stdout(), "{out}");
    match found {
        None => ExitCode::SUCCESS,
        Some(found) => {
            eprintln!("{found}");
            ExitCode::FAILURE
        }
    }
}

/// Takes one seed after the other until all are done, or one has failed.
fn many(wanted: &Wanted, work: &Work) {
    let tenth = (wanted.seeds / 10).max(1);
    while !work.stopped.load(Ordering::Relaxed) {
        let n = work.next.fetch_add(1, Ordering::Relaxed);
        if n >= wanted.seeds {
            return;
        }
        if n > 0 && n.is_multiple_of(tenth) && !wanted.json {
            eprintln!("{:>3} %", n * 100 / wanted.seeds);
        }
        let found = match catch_unwind(|| run(wanted.from + n)) {
            Ok(Ok(figures)) => {
                if let Ok(mut sum) = work.figures.lock() {
                    sum.add(&figures);
                }
                continue;
            }
            Ok(Err(violation)) => said(&violation),
            Err(_) => format!("seed {}: the store panicked", wanted.from + n),
        };
        work.stopped.store(true, Ordering::Relaxed);
        if let Ok(mut first) = work.found.lock() {
            first.get_or_insert(found);
        }
    }
}

/// Records and checks histories; each uses as many threads as it likes.
fn histories(wanted: &Wanted, work: &Work) -> Option<String> {
    for seed in wanted.from..wanted.from + wanted.histories {
        if let Err(wrong) = history_of(seed) {
            return Some(format!("history {seed}: {wrong}"));
        }
        if let Ok(mut sum) = work.figures.lock() {
            sum.histories += 1;
        }
    }
    None
}

/// One small history: two to five threads on one store.
pub(super) fn history_of(seed: u64) -> Result<(), String> {
    let disk = SimDisk::new(seed);
    let engine = Engine::open_threaded(&disk).map_err(|e| e.to_string())?;
    let threads = 2 + seed as usize % 4;
    history::check(&record(&engine.store, seed, threads, 24))
}

/// Runs one seed and tells all that happens.
fn one(seed: u64, work: &Work) -> Option<String> {
    match run_traced(seed) {
        Ok(figures) => {
            if let Ok(mut sum) = work.figures.lock() {
                sum.add(&figures);
            }
            None
        }
        Err(violation) => {
            for line in &violation.trace {
                println!("{line}");
            }
            Some(said(&violation))
        }
    }
}

fn said(violation: &Violation) -> String {
    let Violation {
        seed,
        life,
        operation,
        sentence,
        trace: _,
    } = violation;
    format!(
        "seed {seed}, life {life}, operation {operation}: {sentence}\n\
         `cargo xtask sim --seed {seed}` tells all that led to it"
    )
}
