//! `fait view rebuild`: begins it, and watches it to its end.

use super::state::pace;
use super::{Said, known};
use crate::failure::Failure;
use crate::output::{Out, note};
use crate::source::{Rebuild, Source};
use crate::words;
use clap::Args;
use fait::app::{RebuildState, ViewStatus};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::time::{Duration, Instant};

/// How often a running rebuild is looked at.
const EVERY: Duration = Duration::from_millis(100);

/// Which view, and how.
#[derive(Debug, Args)]
pub(crate) struct Wanted {
    /// The view
    name: String,
    /// Let it wait before it serves, to be compared
    #[arg(long)]
    hold: bool,
    /// Begin it, and do not watch it
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    said: Said,
}

/// How watching ended.
enum Watched {
    Finished(ViewStatus),
    Ready(ViewStatus),
    Left,
}

/// Rebuilds a view.
pub(super) fn run(wanted: &Wanted, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let name = &wanted.name;
    let view = known(name, source)?;
    let begun = Instant::now();
    let body = json!({
        "hold": wanted.hold, "by": wanted.said.by, "reason": wanted.said.reason,
    });
    let before = match source.rebuild(&view, &body)? {
        Rebuild::Marked if out.json() => {
            return out.document(&json!({"name": name, "marked": true}));
        }
        Rebuild::Marked => {
            return out.line(format_args!(
                "view `{name}` is marked: the program rebuilds it beside the old one when it \
                 starts next, and switches when it has caught up"
            ));
        }
        Rebuild::Begun { before } => before,
    };
    if wanted.no_wait {
        return match out.json() {
            true => out.document(&json!({"name": name, "begun": true})),
            false => out.line(format_args!(
                "view `{name}` is being rebuilt; `fait view status {name}` tells how far it is"
            )),
        };
    }
    match watch(wanted, before, source, out)? {
        Watched::Finished(done) => tell(&done, begun.elapsed(), out),
        Watched::Ready(ready) => held(&ready, begun.elapsed(), out),
        Watched::Left => Err(Failure::Finding(format!(
            "nobody watches it any more, but the rebuild of `{name}` goes on: `fait view status \
             {name}` tells how far it is, `fait view cancel {name}` ends it"
        ))),
    }
}

/// Watches it until it is finished or waits for a word, or until Ctrl-C.
fn watch(wanted: &Wanted, before: u64, source: &dyn Source, out: &Out) -> Result<Watched, Failure> {
    let name = &wanted.name;
    let bar = bar(name, out);
    let mut ended = None;
    let mut told = (false, None);
    source.watch(EVERY, &mut |interrupted| {
        if interrupted {
            ended = Some(Watched::Left);
            return Ok(false);
        }
        let view = source.view(name)?.map(|v| v.status);
        let status = view.ok_or_else(|| lost(name, "there is no such view any more"))?;
        if status.rebuilds_finished > before {
            ended = Some(Watched::Finished(status));
            return Ok(false);
        }
        if status.rebuilds_finished < before {
            return Err(lost(name, "the system was started again meanwhile"));
        }
        let Some(r) = &status.rebuild else {
            return Err(Failure::Conflict(format!(
                "the rebuild of `{name}` was cancelled meanwhile; what served serves on"
            )));
        };
        bar.set_length(r.until.max(1));
        bar.set_position(r.position);
        bar.set_message(pace(r));
        if r.state == RebuildState::Ready {
            ended = Some(Watched::Ready(status));
            return Ok(false);
        }
        if r.state == RebuildState::Paused && !std::mem::replace(&mut told.0, true) {
            bar.suspend(|| note(format_args!("it is paused; `fait view resume {name}`")));
        }
        if status.rebuild_failed.is_some() && told.1 != status.rebuild_failed {
            told.1.clone_from(&status.rebuild_failed);
            let why = told.1.as_deref().map(words::clean).unwrap_or_default();
            bar.suspend(|| note(format_args!("trouble, it is tried again: {why}")));
        }
        Ok(true)
    })?;
    bar.finish_and_clear();
    ended.ok_or_else(|| lost(name, "nobody watched it"))
}

fn lost(name: &str, why: &str) -> Failure {
    Failure::NotReady(format!(
        "it is not known what became of the rebuild of `{name}`: {why}; see `fait view list`"
    ))
}

/// A bar on stderr; nothing when that is no terminal.
fn bar(name: &str, out: &Out) -> ProgressBar {
    let bar = match out.json() {
        true => ProgressBar::hidden(),
        false => ProgressBar::new(1),
    };
    let style =
        "rebuilding {prefix} [{bar:30}] {percent} %, {human_pos} of {human_len} events{msg}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style.progress_chars("█▌ "));
    }
    bar.set_prefix(words::clean(name).into_owned());
    bar
}

fn tell(done: &ViewStatus, took: Duration, out: &mut Out) -> Result<(), Failure> {
    let name = &done.name;
    if out.json() {
        return out.document(&json!({
            "name": name,
            "rows": done.rows,
            "position": done.position,
            "parked_keys": done.parked_keys,
            "parked": done.parked,
            "took_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        }));
    }
    let rows = words::count(done.rows, "row");
    let took = words::lasting(took);
    let parked = match done.parked_keys {
        0 => String::new(),
        n => format!(
            "; {} parked, see `fait view parked {name}`",
            words::count(n, "key")
        ),
    };
    out.line(format_args!(
        "view `{name}` is rebuilt: {rows} in {took}{parked}"
    ))
}

fn held(ready: &ViewStatus, took: Duration, out: &mut Out) -> Result<(), Failure> {
    if out.json() {
        return out.document(ready);
    }
    let (name, took) = (&ready.name, words::lasting(took));
    let parked = match ready.rebuild.as_ref().map_or(0, |r| r.parked_keys) {
        0 => String::new(),
        n => format!("; {} parked in it", words::count(n, "key")),
    };
    out.line(format_args!(
        "view `{name}` is rebuilt and waits, in {took}{parked}; what served serves on"
    ))?;
    out.line(format_args!(
        "next: `fait view diff {name}`, then `fait view switch {name}` or `fait view cancel {name}`"
    ))
}
