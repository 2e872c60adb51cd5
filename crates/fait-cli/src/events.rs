//! `fait events`: what happened.

use crate::output::{Output, Table};
use crate::source::Source;
use crate::trouble::Trouble;
use crate::wanted::{Wanted, Which, tag};
use crate::words::{is_fact, moment, told, told_in};
use clap::{Args, Subcommand};
use fait::event::{Position, StoredEvent, Tag};
use fait::store::Range;
use serde_json::{Value, json};
use std::time::Duration;

/// How often a running system is asked for more.
const BEAT: Duration = Duration::from_millis(300);
/// How many events are shown before new ones are waited for.
const BEFORE: usize = 10;
/// How many events are read at once while following.
const PAGE: usize = 500;
/// Characters of the last column.
const WIDE: usize = 72;

/// Shows what happened.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Lists events, the oldest first.
    #[command(after_help = "Example:\n  fait --at data events list --tag table:4 --newest")]
    List(List),
    /// Shows one event with all that is known about it.
    #[command(after_help = "Example:\n  fait --at data events show 42")]
    Show {
        /// Its position or its id.
        #[arg(value_name = "POSITION | ID")]
        event: Which,
    },
    /// Lists the last events, then each new one as it happens.
    #[command(after_help = "Example:\n  fait --at http://127.0.0.1:7070 events follow --json")]
    Follow(Follow),
}

/// Which events to list.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only events behind this position.
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    after: Position,
    /// Only events before this position.
    #[arg(long, value_name = "POSITION")]
    before: Option<Position>,
    /// At most so many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Only events of this type; may be given several times.
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Only events with this tag; when given several times, with all of them.
    #[arg(long = "tag", value_name = "KIND:VALUE", value_parser = tag)]
    tags: Vec<Tag>,
    /// The newest first.
    #[arg(long)]
    newest: bool,
}

/// Which events to follow.
#[derive(Debug, Args)]
pub(crate) struct Follow {
    /// Starts behind this position instead of with the last ten.
    #[arg(long, value_name = "POSITION")]
    after: Option<Position>,
    /// Only events of this type; may be given several times.
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Only events with this tag; when given several times, with all of them.
    #[arg(long = "tag", value_name = "KIND:VALUE", value_parser = tag)]
    tags: Vec<Tag>,
}

/// Carries the verb out.
pub(crate) async fn run(verb: Verb, source: &Source, out: &Output) -> Result<(), Trouble> {
    match verb {
        Verb::List(list) => run_list(list, source, out).await,
        Verb::Show { event } => show(event, source, out).await,
        Verb::Follow(follow) => run_follow(follow, source, out).await,
    }
}

async fn run_list(list: List, source: &Source, out: &Output) -> Result<(), Trouble> {
    let wanted = Wanted {
        types: list.types,
        tags: list.tags,
        range: Range {
            after: list.after,
            before: list.before,
            backwards: list.newest,
            limit: usize::from(list.limit),
        },
    };
    let slice = source.events(&wanted).await?;
    let next = slice.events.last().map(|e| e.meta.position);
    let next = next.filter(|_| slice.events.len() >= wanted.range.limit);
    if out.is_json() {
        let events: Vec<Value> = slice.events.iter().map(StoredEvent::to_json).collect();
        return out.document(&json!({ "events": events, "head": slice.head, "next": next }));
    }
    if slice.events.is_empty() {
        out.note(&format!("no such event; the head is at {}", slice.head));
        return Ok(());
    }
    let mut table = Table::new(&["#POSITION", "TIME (UTC)", "EVENT", "BY", "WHAT"]);
    for e in &slice.events {
        let actor = e.meta.origin.actor.clone().unwrap_or_default();
        table.row(vec![
            e.meta.position.to_string(),
            moment(e.meta.recorded_at),
            e.ty.clone(),
            actor,
            told_in(e, WIDE),
        ]);
    }
    out.text(&table.text())?;
    if let Some(next) = next {
        let flag = if list.newest { "--before" } else { "--after" };
        out.note(&format!("perhaps more: {flag} {next}"));
    }
    Ok(())
}

async fn show(which: Which, source: &Source, out: &Output) -> Result<(), Trouble> {
    let event = source.event(which).await?;
    if out.is_json() {
        return out.document(&event.to_json());
    }
    let (meta, origin) = (&event.meta, &event.meta.origin);
    let mut lines = vec![format!(
        "{}, version {}, at position {}",
        event.ty, event.version, meta.position
    )];
    if is_fact(&event) {
        lines.push(format!("  {}", told(&event)));
    }
    let tags: Vec<&str> = event.tags.iter().map(Tag::as_str).collect();
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            lines.push(format!("  {name:<12}{value}"));
        }
    };
    line("id", Some(meta.id.to_string()));
    line("recorded", Some(meta.recorded_at.to_string()));
    line("happened", origin.occurred_at.map(|t| t.to_string()));
    line("by", origin.actor.clone());
    line("tags", Some(tags.join(", ")).filter(|t| !t.is_empty()));
    line("command", origin.command.map(|c| c.to_string()));
    line("flow", Some(origin.correlation.to_string()));
    line("caused by", origin.causation.map(|c| c.to_string()));
    line("traceparent", origin.traceparent.clone());
    for (name, value) in &origin.pairs {
        line(name, Some(value.clone()));
    }
    match event.json() {
        Ok(data) => lines.push(format!("{data:#}")),
        Err(_) => lines.push(String::from_utf8_lossy(&event.data).into_owned()),
    }
    out.text(&lines.join("\n"))
}

async fn run_follow(follow: Follow, source: &Source, out: &Output) -> Result<(), Trouble> {
    let mut wanted = Wanted {
        types: follow.types,
        tags: follow.tags,
        range: Range::newest(BEFORE),
    };
    let mut after = follow.after.unwrap_or(0);
    if follow.after.is_none() {
        let mut last = source.events(&wanted).await?;
        last.events.reverse();
        print_each(&last.events, out)?;
        after = last.head;
    }
    loop {
        wanted.range = Range::after(after, PAGE);
        let slice = source.events(&wanted).await?;
        print_each(&slice.events, out)?;
        if let Some(last) = slice.events.last().filter(|_| slice.events.len() >= PAGE) {
            after = last.meta.position;
            continue;
        }
        after = slice.head.max(after);
        if let Source::Folder(folder) = source {
            out.note(&format!(
                "that is all up to the head at {}: nobody writes to {} while it is read; \
                 follow a running system with --at http://HOST:PORT",
                slice.head,
                folder.path().display()
            ));
            return Ok(());
        }
        tokio::time::sleep(BEAT).await;
    }
}

fn print_each(events: &[StoredEvent], out: &Output) -> Result<(), Trouble> {
    for e in events {
        if out.is_json() {
            out.line(&e.to_json())?;
            continue;
        }
        let (position, time) = (e.meta.position, moment(e.meta.recorded_at));
        let by = e.meta.origin.actor.as_deref();
        let by = by.map(|a| format!(" by {a}")).unwrap_or_default();
        let what = told_in(e, WIDE);
        out.text(&format!("{position:>8}  {time}  {}{by}: {what}", e.ty))?;
    }
    Ok(())
}
