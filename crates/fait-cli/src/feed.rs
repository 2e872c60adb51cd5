//! `fait feed`: how named feeds stand, and putting them elsewhere.

use crate::failure::Failure;
use crate::output::{Column, Out, Tone, note};
use crate::source::Source;
use crate::words;
use clap::Subcommand;
use fait::app::FeedStatus;
use serde_json::json;

/// What can be done with feeds.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List named feeds: how far each has come, and what was set aside
    #[command(after_help = "Examples:
  fait feed list --at http://127.0.0.1:7070
  fait feed list --at ./data --json

Feeds whose checkpoint is in a database of their reader's own are listed by a running system, while
they are read.")]
    List,
    /// Put a feed behind a position: its reader goes on there
    #[command(after_help = "Examples:
  fait feed reset ledger --to 0 --at ./data      # everything comes again
  fait feed reset ledger --to 4711 --at http://127.0.0.1:7070

What lies behind the position comes again, or is left out when it lies ahead: look what was made of
it. A feed that is being read is refused; end its reader first, or the system.")]
    Reset {
        /// The feed
        name: String,
        /// The position behind which it goes on; 0 for the first event
        #[arg(long, value_name = "POSITION")]
        to: u64,
    },
}

/// Does what was asked.
pub(crate) fn run(verb: &Verb, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    match verb {
        Verb::List => list(source, out),
        Verb::Reset { name, to } => {
            let known = source.feeds()?;
            if !known.iter().any(|f| f.name == *name) {
                let known: Vec<String> = known.into_iter().map(|f| f.name).collect();
                return Err(Failure::unknown("feed", name, &known));
            }
            source.reset_feed(name, *to)?;
            if out.json() {
                return out.document(&json!({"name": name, "position": to}));
            }
            out.line(format_args!(
                "feed `{}` goes on behind {to}",
                words::clean(name)
            ))
        }
    }
}

fn list(source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let feeds = source.feeds()?;
    if out.json() {
        return out.document(&feeds);
    }
    if feeds.is_empty() {
        note("there is no named feed");
    }
    let columns = [
        Column::text("feed"),
        Column::number("at"),
        Column::number("behind"),
        Column::text("state"),
    ];
    let row = |f: &FeedStatus| {
        let (at, behind) = (f.position.to_string(), f.lag_events.to_string());
        vec![f.name.clone(), at, behind, state(f)]
    };
    let rows: Vec<Vec<String>> = feeds.iter().map(row).collect();
    out.table(&columns, &rows)?;
    for feed in &feeds {
        if let Some(why) = &feed.waits {
            let line = format!("{} waits: {why}", feed.name);
            out.line(out.tone(Tone::Alarm, &words::clean(&line)))?;
        }
        for aside in &feed.newest_set_aside {
            let (name, error, reason) = (&feed.name, &aside.error, &aside.reason);
            let line = format!("{name} has set aside: {error}; because: {reason}");
            out.line(words::clean(&line))?;
        }
    }
    Ok(())
}

fn state(feed: &FeedStatus) -> String {
    let mut parts = vec![];
    if feed.waits.is_some() {
        parts.push("waits".into());
    }
    parts.push(match (feed.reading, feed.elsewhere) {
        (true, true) => "read, checkpoint elsewhere".into(),
        (true, false) => "read".into(),
        (false, _) => "not read".into(),
    });
    match feed.set_aside {
        0 => {}
        n => parts.push(format!("{} set aside", words::count(n, "event"))),
    }
    parts.join("; ")
}
