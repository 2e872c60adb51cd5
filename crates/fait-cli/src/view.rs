//! `fait view`: how views stand, rebuilding them, and what follows no more.

mod act;
mod diff;
mod rebuild;
mod state;

use crate::failure::Failure;
use crate::output::{Column, Out, Tone, note};
use crate::rows::{self, RowOf, RowsOf};
use crate::source::{Source, View};
use crate::words;
use clap::{Args, Subcommand};
use state::{Fact, facts, state};

/// Parked keys that `list` tells of each view.
const TOLD: usize = 3;

/// Parked keys that are fetched at once.
const PAGE: usize = 1000;

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
    /// Tell how one view stands, with all that is known of it
    #[command(after_help = "Examples:
  fait view status table-plan --at http://127.0.0.1:7070
  fait view status table-plan --at ./data --json")]
    Status {
        /// The view
        name: String,
    },
    /// Rebuild a view from the log
    #[command(after_help = "Examples:
  fait view rebuild table-plan --at http://127.0.0.1:7070
  fait view rebuild table-plan --hold && fait view diff table-plan
  fait view rebuild table-plan --at ./data

The old view serves until the new one has caught up; with --hold, until `fait view switch`. Ctrl-C
ends the watching, not the rebuild. In a folder the view is only marked; the program rebuilds it
when it starts next.")]
    Rebuild(rebuild::Wanted),
    /// Let a rebuild wait where it is, also over a restart
    #[command(after_help = "Examples:
  fait view pause table-plan
  fait view pause table-plan --reason \"the shop is full\"")]
    Pause(act::One),
    /// Let a rebuild that waits go on
    #[command(after_help = "Examples:
  fait view resume table-plan")]
    Resume(act::One),
    /// Throw away what is made beside the view that serves
    #[command(after_help = "Examples:
  fait view cancel table-plan
  fait view cancel table-plan --yes --reason \"the sums are wrong\"")]
    Cancel(act::Sure),
    /// Let what was rebuilt serve
    #[command(after_help = "Examples:
  fait view switch table-plan
  fait view switch table-plan --yes

What serves now is kept: `fait view rollback` goes back to it.")]
    Switch(act::Sure),
    /// Let what served before serve again
    #[command(after_help = "Examples:
  fait view rollback table-plan
  fait view rollback table-plan --yes --reason \"the sums are wrong\"

What serves now is kept, so that the same again goes forward. What other code made does not
follow, and each of its rows says so.")]
    Rollback(act::Sure),
    /// Drop what served before, and write over it in the file
    #[command(after_help = "Examples:
  fait view forget table-plan
  fait view forget table-plan --yes --reason \"order 7 was erased\"

For what was erased from the history: rebuild the view, then forget what served before.")]
    Forget(act::Sure),
    /// Take what parked keys have missed, all of them or one
    #[command(after_help = "Examples:
  fait view retry table-plan
  fait view retry table-plan 7 --reason \"new program\"

The program also tries all of them when it starts.")]
    Retry(act::Retry),
    /// List the keys that follow no more, with the reason
    #[command(after_help = "Examples:
  fait view parked table-plan --at http://127.0.0.1:7070
  fait view parked table-plan --at ./data --json")]
    Parked {
        /// The view
        name: String,
    },
    /// Tell what switching would change, or what changed between two moments
    #[command(after_help = "Examples:
  fait view diff table-plan
  fait view diff table-plan --limit 1000 --json
  fait view diff table-plan 4000 4711
  fait view diff table-plan 2026-03-01T18:30:00Z 2026-03-01T19:00:00Z

Without moments, what was rebuilt and waits is compared with what serves.")]
    Diff(diff::Wanted),
}

/// Who and why. Nothing of this is in the history: it goes to the program's own log.
#[derive(Debug, Args)]
pub(crate) struct Said {
    /// Why, for those who read the program's log later
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
    /// Who says so
    #[arg(long, value_name = "WHO", default_value = "operator:cli")]
    by: String,
}

/// Does what was asked.
pub(crate) fn run(verb: &Verb, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    match verb {
        Verb::List => list(source, out),
        Verb::Rows(wanted) => rows::rows(wanted, source, out),
        Verb::Row(wanted) => rows::row(wanted, source, out),
        Verb::Status { name } => status(name, source, out),
        Verb::Rebuild(wanted) => rebuild::run(wanted, source, out),
        Verb::Pause(one) => act::simple("pause", one, source, out),
        Verb::Resume(one) => act::simple("resume", one, source, out),
        Verb::Cancel(sure) => act::sure("cancel", sure, source, out),
        Verb::Switch(sure) => act::sure("switch", sure, source, out),
        Verb::Rollback(sure) => act::sure("roll-back", sure, source, out),
        Verb::Forget(sure) => act::sure("forget", sure, source, out),
        Verb::Retry(retry) => act::retry(retry, source, out),
        Verb::Parked { name } => parked(name, source, out),
        Verb::Diff(wanted) => diff::run(wanted, source, out),
    }
}

/// A view that must be there.
fn known(name: &str, source: &dyn Source) -> Result<View, Failure> {
    if let Some(view) = source.view(name)? {
        return Ok(view);
    }
    let known: Vec<String> = source.views()?.into_iter().map(|v| v.status.name).collect();
    Err(Failure::unknown("view", name, &known))
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
        for (key, reason) in status.parked.iter().take(TOLD) {
            let line = format!("{} {} waits: {reason}", status.name, words::short(key));
            out.line(out.tone(Tone::Alarm, &words::clean(&line)))?;
        }
        let name = &status.name;
        if status.parked.len() > TOLD {
            out.line(format_args!(
                "`fait view parked {name}` lists all that wait"
            ))?;
        }
        if let Some(why) = &status.frozen {
            let line = format!("{name} is frozen: {why}");
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

fn status(name: &str, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let view = known(name, source)?;
    if out.json() {
        return out.document(&view);
    }
    let state = state(&view);
    out.line(format_args!("view {}: {state}", view.status.name))?;
    for Fact { name, text, alarm } in facts(&view.status) {
        let text = words::clean(&text).into_owned();
        let text = match alarm {
            true => out.tone(Tone::Alarm, &text),
            false => text,
        };
        out.line(format_args!("  {name:<10}{text}"))?;
    }
    Ok(())
}

fn parked(name: &str, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let view = known(name, source)?;
    let mut keys = source.parked(name, None, PAGE)?;
    while let Some(last) = keys.last().filter(|_| keys.len().is_multiple_of(PAGE)) {
        let more = source.parked(name, Some(&last.key), PAGE)?;
        if more.is_empty() {
            break;
        }
        keys.extend(more);
    }
    if out.json() {
        return out.document(&keys);
    }
    let columns = [
        Column::text("key"),
        Column::number("since event"),
        Column::text("why"),
    ];
    let rows: Vec<Vec<String>> = (keys.iter())
        .map(|k| vec![k.key.clone(), k.position.to_string(), k.reason.clone()])
        .collect();
    out.table(&columns, &rows)?;
    for u in &view.status.unplaced {
        let line = format!("event {} could not be read: {}", u.position, u.reason);
        out.line(out.tone(Tone::Alarm, &words::clean(&line)))?;
    }
    if keys.is_empty() && view.status.unplaced.is_empty() {
        note("no key waits");
    }
    Ok(())
}
