//! `fait view`: how views stand, and rebuilding them.

use crate::failure::Failure;
use crate::output::{Column, Out, Tone, note};
use crate::rows::{self, RowOf, RowsOf};
use crate::source::{Rebuild, Source, View};
use crate::words;
use clap::Subcommand;
use fait::app::ViewStatus;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::time::{Duration, Instant};

/// How often a running rebuild is looked at.
const EVERY: Duration = Duration::from_millis(100);

/// What can be done with views.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List views: how far each has come
    #[command(after_help = "Examples:
  fait view list --at http://127.0.0.1:7070
  fait view list --at ./data --json")]
    List,
    /// Read the rows of a view: filter, sort, page, now or as of an earlier moment
    Rows(RowsOf),
    /// Read one row of a view, now or as of an earlier moment
    Row(RowOf),
    /// Rebuild a view from the log
    #[command(after_help = "Examples:
  fait view rebuild table-plan --at http://127.0.0.1:7070
  fait view rebuild table-plan --at ./data

The old view serves until the new one has caught up. In a folder the view is only marked; the
program rebuilds it when it starts next.")]
    Rebuild {
        /// The view
        name: String,
    },
}

/// Does what was asked.
pub(crate) fn run(verb: &Verb, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    match verb {
        Verb::List => list(source, out),
        Verb::Rows(wanted) => rows::rows(wanted, source, out),
        Verb::Row(wanted) => rows::row(wanted, source, out),
        Verb::Rebuild { name } => rebuild(name, source, out),
    }
}

fn list(source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let views = source.views()?;
    if out.json() {
        return out.document(&views);
    }
    if views.is_empty() {
        note("there is no view; the program makes its views when it starts");
    }
    let columns = [
        Column::text("view"),
        Column::number("rows"),
        Column::number("at"),
        Column::number("behind"),
        Column::number("version"),
        Column::text("state"),
    ];
    let rows: Vec<Vec<String>> = views.iter().map(row).collect();
    out.table(&columns, &rows)?;
    for View { status, .. } in &views {
        for (key, reason) in &status.parked {
            let line = format!("{} {} waits: {reason}", status.name, words::short(key));
            out.line(out.tone(Tone::Alarm, &words::clean(&line)))?;
        }
    }
    Ok(())
}

fn row(view: &View) -> Vec<String> {
    let s = &view.status;
    vec![
        s.name.clone(),
        s.rows.to_string(),
        s.position.to_string(),
        s.lag_events.to_string(),
        s.version.to_string(),
        state(view),
    ]
}

fn state(view: &View) -> String {
    let s = &view.status;
    let mut parts = vec![];
    if let Some(r) = &s.rebuild {
        parts.push(format!("rebuilding, at {} of {}", r.position, r.until));
    }
    if view.rebuilds_at_start {
        parts.push("rebuilt at the next start".into());
    }
    if let Some(e) = &s.rebuild_failed {
        parts.push(format!("the last rebuild failed: {e}"));
    }
    match s.parked.len() as u64 {
        0 => {}
        n => parts.push(format!("{} parked", words::count(n, "key"))),
    }
    match parts.is_empty() {
        true => "well".into(),
        false => parts.join("; "),
    }
}

fn rebuild(name: &str, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let Some(view) = source.view(name)? else {
        let known: Vec<String> = source.views()?.into_iter().map(|v| v.status.name).collect();
        return Err(Failure::unknown("view", name, &known));
    };
    let begun = Instant::now();
    match source.rebuild(&view)? {
        Rebuild::Marked if out.json() => out.document(&json!({"name": name, "marked": true})),
        Rebuild::Marked => out.line(format_args!(
            "view `{name}` is marked: the program rebuilds it beside the old one when it starts \
             next, and switches when it has caught up"
        )),
        Rebuild::Begun { before, target } => {
            let done = wait(name, before, target, source)?;
            tell(&done, begun.elapsed(), out)
        }
    }
}

/// Waits until so many rebuilds are finished.
fn wait(name: &str, before: u64, target: u64, source: &dyn Source) -> Result<ViewStatus, Failure> {
    let bar = bar(name);
    loop {
        let view = source.view(name)?.map(|v| v.status);
        let status = view.ok_or_else(|| lost(name, "there is no such view any more"))?;
        if status.rebuilds_finished >= target {
            bar.finish_and_clear();
            return Ok(status);
        }
        if status.rebuilds_finished < before {
            return Err(lost(name, "the system was started again meanwhile"));
        }
        if let Some(r) = &status.rebuild {
            bar.set_length(r.until.max(1));
            bar.set_position(r.position);
        }
        bar.tick();
        source.pause(EVERY);
    }
}

fn lost(name: &str, why: &str) -> Failure {
    Failure::NotReady(format!(
        "it is not known what became of the rebuild of `{name}`: {why}; see `fait view list`"
    ))
}

/// A bar on stderr; nothing when that is no terminal.
fn bar(name: &str) -> ProgressBar {
    let bar = ProgressBar::new(1);
    let style = "rebuilding {msg} [{bar:30}] {human_pos} of {human_len} events, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style.progress_chars("█▌ "));
    }
    bar.set_message(words::clean(name).into_owned());
    bar
}

fn tell(done: &ViewStatus, took: Duration, out: &mut Out) -> Result<(), Failure> {
    let name = &done.name;
    if let Some(e) = &done.rebuild_failed {
        return Err(Failure::Finding(format!(
            "the rebuild of `{name}` failed, the old view serves on: {e}"
        )));
    }
    if out.json() {
        return out.document(&json!({
            "name": name,
            "rows": done.rows,
            "position": done.position,
            "parked": done.parked,
            "took_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        }));
    }
    let rows = words::count(done.rows, "row");
    let took = words::lasting(took);
    let parked = match done.parked.len() as u64 {
        0 => String::new(),
        n => format!("; {} parked, see `fait view list`", words::count(n, "key")),
    };
    out.line(format_args!(
        "view `{name}` is rebuilt: {rows} in {took}{parked}"
    ))
}
