//! The examples of a board, run against the real program without code between the two.
//!
//! What an example names is found in the program by name: `Order placed` is the event
//! `OrderPlaced`, `cooked by` its field `cooked_by`. What it does not say is filled in by type, and
//! an id that it does not say is the one that it spoke of last. A short id such as `7` stands for
//! the same UUID wherever it stands, the one that `OrderId::named("7")` gives.

mod sentence;
mod value;
mod program;
mod known;
mod report;
mod plan;
mod aftermath;
mod expect;
mod run;

pub use report::{Examples, Failed, Line, Miss, Tried, Verdict};

use crate::app::AppBuilder;
use fait_board::notes::Example;
use fait_board::{Board, Problem, parse};
use fait_core::event::panic_text;
use futures_util::FutureExt;
use plan::NoPlan;
use program::Program;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

/// How long an example may take on the machine, before it is said that it does not end.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs every example of a board against a system, each on a fresh one. As a test it is one line:
///
/// ```
/// # use fait::app::{App, AppBuilder};
/// # const BOARD: &str = "event Lamp lit\nevent Lamp lit twice\n";
/// # fn wired(place: AppBuilder) -> AppBuilder { place }
/// # fn test() {
/// fait::board::examples(BOARD, || wired(App::in_memory())).assert();
/// # }
/// ```
///
/// Wherever the system that `wired` gives would be kept, an example runs in memory. Its clock
/// stands still until the example says that time passes. Other systems say what the example says
/// and nothing else, whatever is wired for them; what they are told is accepted.
///
/// `given` events are recorded as history, and processes react to them. A `given` event that has
/// come of those before it is not recorded again. A task is done by somebody in a role that may,
/// as the answer to a task that is asked, when one is. From the first `when` on, what `then` says
/// has to happen: that an event had happened before is not enough, nor is a task that was asked
/// before. What else happens does not matter, except that a task is refused without the example
/// saying so.
///
/// An example that names what is `planned`, or is of a context that `runs elsewhere`, is skipped
/// when the program does not have it.
pub fn examples(board: &str, wired: impl Fn() -> AppBuilder + Sync) -> Examples {
    // A thread of its own, since this may be called from inside a runtime.
    std::thread::scope(|scope| {
        let ran = scope.spawn(|| block_on(all(board, &wired))).join();
        ran.unwrap_or_else(|panic| Examples {
            problems: vec![panic_text(&*panic)],
            ..Examples::default()
        })
    })
}

/// Runs the examples of a board that is kept in a file: the program's side of `fait board test`.
///
/// # Errors
/// The file cannot be read; a sentence says why.
pub fn examples_in(
    file: impl AsRef<std::path::Path>,
    wired: impl Fn() -> AppBuilder + Sync,
) -> Result<Examples, String> {
    let name = file.as_ref().display().to_string();
    let text = std::fs::read_to_string(&file).map_err(|e| format!("{name} cannot be read: {e}"))?;
    Ok(examples(&text, wired).named(&name))
}

fn block_on(all: impl Future<Output = Examples>) -> Examples {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(all),
        Err(e) => Examples {
            problems: vec![format!("no runtime can be started: {e}")],
            ..Examples::default()
        },
    }
}

async fn all(text: &str, wired: &(impl Fn() -> AppBuilder + Sync)) -> Examples {
    let parsed = parse(text);
    let board = &parsed.board;
    // A name that stands for nothing is said where an example has it.
    let unread = parsed.problems.iter().filter(|p| p.code.starts_with('P'));
    let mut out = Examples {
        board: board.name().into(),
        problems: unread.map(unreadable).collect(),
        ..Examples::default()
    };
    if !out.problems.is_empty() {
        return out;
    }
    let app = match wired().apart().build() {
        Ok(app) => app,
        Err(e) => {
            out.problems
                .push(format!("the system cannot be built: {e}"));
            return out;
        }
    };
    let program = Program::of(&app);
    app.stop().await;
    for example in &board.examples {
        let tried = AssertUnwindSafe(one(board, &program, example, wired)).catch_unwind();
        let verdict = tokio::time::timeout(PATIENCE, tried).await;
        let broken = |why: String| {
            Verdict::Failed(Failed {
                misses: vec![Miss::new(example.note.span.line, why)],
                ..Failed::default()
            })
        };
        let verdict = match verdict {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(panic)) => broken(panic_text(&*panic)),
            Err(_) => {
                let seconds = PATIENCE.as_secs();
                broken(format!(
                    "the system did not come to rest within {seconds} seconds"
                ))
            }
        };
        out.examples.push(tried_of(text, example, verdict));
    }
    out
}

async fn one(
    board: &Board,
    program: &Program,
    example: &Example,
    wired: &(impl Fn() -> AppBuilder + Sync),
) -> Verdict {
    let plan = match plan::plan(board, program, example) {
        Ok(plan) => plan,
        Err(NoPlan::Skip { why, line: at }) => return Verdict::Skipped { why, at },
        Err(NoPlan::Misses(misses)) => {
            return Verdict::Failed(Failed {
                misses,
                ..Failed::default()
            });
        }
    };
    let app = match wired().apart().build() {
        Ok(app) => app,
        Err(e) => {
            let why = format!("the system cannot be built: {e}");
            return Verdict::Failed(Failed {
                misses: vec![Miss::new(example.note.span.line, why)],
                ..Failed::default()
            });
        }
    };
    let verdict = run::run(&app, board, program, plan).await;
    app.stop().await;
    verdict
}

fn unreadable(problem: &Problem) -> String {
    let (line, code) = (problem.span.line, problem.code);
    let help = problem.help.iter().map(|help| format!("; {help}"));
    let help: String = help.collect();
    format!(
        "line {line} of the board cannot be read ({code}): {}{help}",
        problem.message
    )
}

fn tried_of(text: &str, example: &Example, verdict: Verdict) -> Tried {
    let note = &example.note;
    let lines = text.lines().enumerate().skip(note.span.line);
    let lines = lines.take(note.last_line.saturating_sub(note.span.line));
    let said = |(at, text): (usize, &str)| {
        let text = text.split(" #").next().unwrap_or_default().trim();
        let line = at + 1;
        (!text.is_empty() && !text.starts_with('#')).then(|| Line {
            line,
            text: text.into(),
        })
    };
    Tried {
        name: note.name.text.clone(),
        line: note.span.line,
        lines: lines.filter_map(said).collect(),
        verdict,
    }
}
