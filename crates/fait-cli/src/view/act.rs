//! What an operator does to a view of a running system.

use super::{Said, known};
use crate::failure::Failure;
use crate::output::Out;
use crate::source::Source;
use crate::words;
use clap::Args;
use fait::app::{ViewDone, ViewStatus};
use serde_json::{Value, json};
use std::io::{IsTerminal, Write, stderr, stdin};

/// One view.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// The view
    name: String,
    #[command(flatten)]
    said: Said,
}

/// One view, and that it is meant.
#[derive(Debug, Args)]
pub(crate) struct Sure {
    #[command(flatten)]
    one: One,
    /// Do it without being asked
    #[arg(long)]
    yes: bool,
}

/// Which keys are tried again.
#[derive(Debug, Args)]
pub(crate) struct Retry {
    /// The view
    name: String,
    /// Only this key
    key: Option<String>,
    #[command(flatten)]
    said: Said,
}

fn ask(action: &str, name: &str, body: &Value, source: &dyn Source) -> Result<Value, Failure> {
    source.ask(&["views", name, action], body)
}

/// What needs no question.
pub(super) fn simple(
    action: &str,
    one: &One,
    source: &dyn Source,
    out: &mut Out,
) -> Result<(), Failure> {
    let name = &one.name;
    let body = json!({"by": one.said.by, "reason": one.said.reason});
    let answer = ask(action, name, &body, source)?;
    if out.json() {
        return out.document(&answer);
    }
    match action {
        "pause" => out.line(format_args!(
            "the rebuild of `{name}` waits, also over a restart; `fait view resume {name}`"
        )),
        "resume" => out.line(format_args!("the rebuild of `{name}` goes on")),
        "cancel" => out.line(format_args!(
            "the rebuild of `{name}` is thrown away; what served serves on"
        )),
        "forget" => out.line(format_args!(
            "what served before of `{name}` is gone, also from the file"
        )),
        "switch" => {
            let status = known(name, source)?.status;
            match &status.rebuild {
                None => out.line(format_args!(
                    "what was rebuilt of `{name}` serves: generation {}; `fait view rollback {name}` \
                     goes back",
                    status.generation
                )),
                Some(_) => out.line(format_args!(
                    "what is rebuilt of `{name}` serves as soon as it has caught up"
                )),
            }
        }
        _ => {
            let status = known(name, source)?.status;
            let frozen = status.frozen.as_deref().map(words::clean);
            let frozen = frozen.map(|why| format!("; it does not follow: {why}"));
            out.line(format_args!(
                "generation {} of `{name}` serves again{}",
                status.generation,
                frozen.unwrap_or_default()
            ))
        }
    }
}

/// What people see at once, or what cannot be taken back.
pub(super) fn sure(
    action: &str,
    sure: &Sure,
    source: &dyn Source,
    out: &mut Out,
) -> Result<(), Failure> {
    if !sure.yes {
        let status = known(&sure.one.name, source)?.status;
        confirm(&question(action, &status))?;
    }
    simple(action, &sure.one, source, out)
}

fn question(action: &str, s: &ViewStatus) -> String {
    let name = &s.name;
    match (action, &s.rebuild, &s.kept) {
        ("switch", Some(r), _) => {
            let parked = match r.parked_keys {
                0 => String::new(),
                n => format!(", {} of which cannot follow", words::count(n, "key")),
            };
            format!(
                "whoever reads `{name}` sees the rows of generation {} from then on{parked}; what \
                 serves now is kept",
                r.generation
            )
        }
        ("cancel", Some(r), _) => format!(
            "generation {} of `{name}`, at event {} of {}, is thrown away",
            r.generation, r.position, r.until
        ),
        ("forget", _, Some(k)) => format!(
            "generation {} of `{name}` is written over in the file, and nobody can go back to it",
            k.generation
        ),
        ("roll-back", None, Some(k)) if k.follows => format!(
            "generation {} of `{name}` serves again, and takes what it missed since event {}",
            k.generation, k.position
        ),
        ("roll-back", None, Some(k)) => format!(
            "generation {} of `{name}` serves again as it was at event {}: the program does not have \
             version {} of it",
            k.generation, k.position, k.version
        ),
        _ => format!("`{name}` has nothing to {action}"),
    }
}

/// Asks on the terminal; where there is none, it must have been said before.
fn confirm(question: &str) -> Result<(), Failure> {
    if !stdin().is_terminal() || !stderr().is_terminal() {
        return Err(Failure::Usage(format!(
            "nothing was done, as nobody can be asked here; add --yes to do it: {question}"
        )));
    }
    // Where the question cannot be shown, the answer is hardly yes.
    let _ = write!(stderr(), "{}\nDo it? [y/N] ", words::clean(question));
    let mut answer = String::new();
    let read = stdin().read_line(&mut answer);
    let yes = ["y", "yes"].contains(&answer.trim().to_lowercase().as_str());
    match read.is_ok() && yes {
        true => Ok(()),
        false => Err(Failure::Finding("nothing was done".into())),
    }
}

/// Takes what parked keys have missed.
pub(super) fn retry(retry: &Retry, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let name = &retry.name;
    let body = json!({"key": retry.key, "by": retry.said.by, "reason": retry.said.reason});
    let answer = ask("retry", name, &body, source)?;
    let done: ViewDone = serde_json::from_value(answer.clone())
        .map_err(|e| Failure::NotReady(format!("the answer cannot be read: {e}")))?;
    let hurt = done.retried.saturating_sub(done.well);
    match (out.json(), done.retried) {
        (true, _) => out.document(&answer)?,
        (false, 0) => out.line(format_args!("nothing of `{name}` is parked"))?,
        (false, n) => out.line(format_args!(
            "{n} tried again: {} well, {hurt} not",
            done.well
        ))?,
    }
    out.flush()?;
    match hurt {
        0 => Ok(()),
        _ => Err(Failure::Finding(format!(
            "not all of `{name}` follows; `fait view parked {name}` says why"
        ))),
    }
}
