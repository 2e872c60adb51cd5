//! `fait events`: what happened.

use crate::failure::Failure;
use crate::output::{Column, Out, Tone, note};
use crate::source::{Name, Page, Source, Wanted};
use crate::words::{self, Names, Told};
use clap::{Args, Subcommand};
use fait::event::{RESERVED_PREFIX, StoredEvent, Tag};
use fait::store::Range;
use serde_json::{Value, json};

/// Longest data in a table, in characters.
const DATA: usize = 60;
/// Longest sentence in a table.
const SENTENCE: usize = 96;

/// What can be done with events.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List events, oldest first
    #[command(after_help = "Examples:
  fait events list --at http://127.0.0.1:7070 --newest --limit 10
  fait events list --at ./data --type OrderPlaced --tag table:3
  fait events list --at ./data --after 120 --json")]
    List(List),
    /// Show one event with all that is known of it
    #[command(after_help = "Examples:
  fait events show 17 --at http://127.0.0.1:7070
  fait events show 019b76da-a800-7000-8000-000000000001 --at ./data --json")]
    Show {
        /// Its position in the log, or its id
        event: Name,
    },
    /// Print events as they happen
    #[command(after_help = "Examples:
  fait events follow --at http://127.0.0.1:7070
  fait events follow --after 120 --type OrderPlaced --json | jq .data

Without --after, a running system is followed from now on, and a folder from its beginning.")]
    Follow(Follow),
}

/// Which events are meant.
#[derive(Debug, Args)]
pub(crate) struct Filter {
    /// Only events of this type; may be given several times
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Only events about this; given several times, about all of them
    #[arg(long = "tag", value_name = "KIND:VALUE", value_parser = tag)]
    tags: Vec<Tag>,
}

/// Which part of the log to list.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only events behind this position
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    after: u64,
    /// Only events before this position
    #[arg(long, value_name = "POSITION")]
    before: Option<u64>,
    /// At most so many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// The newest, newest first
    #[arg(long)]
    newest: bool,
    #[command(flatten)]
    filter: Filter,
}

/// From where to follow.
#[derive(Debug, Args)]
pub(crate) struct Follow {
    /// Begin behind this position
    #[arg(long, value_name = "POSITION")]
    after: Option<u64>,
    #[command(flatten)]
    filter: Filter,
}

/// Does what was asked.
pub(crate) fn run(verb: &Verb, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    match verb {
        Verb::List(list) => run_list(list, source, out),
        Verb::Show { event } => show(*event, source, out),
        Verb::Follow(follow) => run_follow(follow, source, out),
    }
}

fn tag(text: &str) -> Result<Tag, String> {
    match text.split_once(':') {
        Some((kind, value)) if !kind.is_empty() && !value.is_empty() => Ok(Tag::raw(text)),
        _ => Err("a tag is written `kind:value`, such as `table:3`".into()),
    }
}

impl Filter {
    fn within(&self, range: Range) -> Wanted {
        Wanted {
            types: self.types.clone(),
            tags: self.tags.clone(),
            range,
        }
    }
}

fn run_list(list: &List, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let wanted = list.filter.within(Range {
        after: list.after,
        before: list.before,
        backwards: list.newest,
        limit: usize::try_from(list.limit).unwrap_or(usize::MAX),
    });
    let page = source.read_all(&wanted)?;
    if out.json() {
        let events: Vec<Value> = page.events.iter().map(StoredEvent::to_json).collect();
        return out.document(&json!({"events": events, "head": page.head}));
    }
    let columns = [
        Column::number("#"),
        Column::text("time (UTC)"),
        Column::text("event"),
        Column::text("by"),
        Column::text("about"),
        Column::text("data"),
    ];
    let names = words::names(page.events.iter());
    let rows: Vec<Vec<String>> = page.events.iter().map(|e| row(e, &names)).collect();
    out.table(&columns, &rows)?;
    out.flush()?;
    how_to_go_on(list, &page);
    Ok(())
}

fn row(event: &StoredEvent, names: &Names) -> Vec<String> {
    let told = words::told(event, names);
    // A fact of a process is told as a sentence, which would make its column too wide.
    let (name, about, data) = match told.fact {
        true => (&event.ty, String::new(), words::cut(&told.what, SENTENCE)),
        false => (
            &told.what,
            words::tags(&event.tags),
            words::cut(&told.data, DATA),
        ),
    };
    vec![
        event.meta.position.to_string(),
        words::moment(event.meta.recorded_at),
        name.clone(),
        told.by.unwrap_or_default(),
        about,
        data,
    ]
}

/// When the limit has cut the list short, says how to see the rest.
fn how_to_go_on(list: &List, page: &Page) {
    let Some(last) = page.events.last().map(|e| e.meta.position) else {
        note(format_args!("no such event; the log ends at {}", page.head));
        return;
    };
    if page.events.len() < usize::try_from(list.limit).unwrap_or(usize::MAX) {
        return;
    }
    let end = list.before.map_or(page.head, |b| b.saturating_sub(1));
    match list.newest {
        true if last > list.after + 1 => note(format_args!("go on with --before {last}")),
        false if last < end => note(format_args!(
            "go on with --after {last}; the log ends at {}",
            page.head
        )),
        _ => {}
    }
}

fn show(name: Name, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let Some(event) = source.event(name)? else {
        return Err(Failure::Finding(format!("there is no event {name}")));
    };
    if out.json() {
        return out.document(&event.to_json());
    }
    let title = format!("#{} {}", event.meta.position, words::clean(&event.ty));
    let title = out.tone(Tone::Strong, &title);
    out.line(match event.version {
        1 => title,
        version => format!("{title} (version {version})"),
    })?;
    for (name, value) in fields(&event) {
        let name = out.tone(Tone::Faint, &format!("{name:<11}"));
        out.line(format_args!("{name} {}", words::clean(&value)))?;
    }
    let data = match event.json() {
        Ok(value) => serde_json::to_string_pretty(&value).unwrap_or_default(),
        Err(_) => String::from_utf8_lossy(&event.data).into_owned(),
    };
    out.line("")?;
    for line in data.lines() {
        out.line(words::clean(line))?;
    }
    Ok(())
}

fn fields(event: &StoredEvent) -> Vec<(&'static str, String)> {
    let origin = &event.meta.origin;
    let mut fields = vec![];
    let told = words::told(event, &Names::new());
    if told.fact {
        fields.push(("in words", told.what));
    }
    fields.push(("id", event.meta.id.to_string()));
    fields.push(("recorded", event.meta.recorded_at.to_string()));
    fields.extend(origin.occurred_at.map(|t| ("occurred", t.to_string())));
    fields.extend(event.tags.iter().map(|t| ("about", t.to_string())));
    fields.extend(origin.actor.clone().map(|a| ("by", a)));
    fields.extend(origin.command.map(|id| ("command", id.to_string())));
    let cause = origin.causation.map(|id| id.to_string());
    let outside = || "nothing here: it came from outside".into();
    fields.push(("caused by", cause.unwrap_or_else(outside)));
    fields.push(("flow", origin.correlation.to_string()));
    fields.extend(origin.traceparent.clone().map(|t| ("traceparent", t)));
    let pairs = origin
        .pairs
        .iter()
        .filter(|(name, _)| !name.starts_with(RESERVED_PREFIX));
    fields.extend(pairs.map(|(name, value)| ("also", format!("{name} {value}"))));
    fields
}

fn run_follow(follow: &Follow, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let after = follow.after.map_or_else(|| source.begin(), Ok)?;
    let wanted = follow.filter.within(Range::after(after, 1));
    let mut names = Names::new();
    source.follow(&wanted, &mut |event| {
        if out.json() {
            return out.record(&event.to_json());
        }
        names.extend(words::names(std::iter::once(event)));
        let line = line(event, &names, out);
        out.line(line)?;
        out.flush()
    })
}

fn line(event: &StoredEvent, names: &Names, out: &Out) -> String {
    let Told { what, by, data, .. } = words::told(event, names);
    let position = out.tone(Tone::Faint, &format!("{:>6}", event.meta.position));
    let time = words::moment(event.meta.recorded_at);
    let mut line = format!("{position}  {time}  {}", out.tone(Tone::Strong, &what));
    if let Some(by) = by {
        line.push_str(&format!(" by {by}"));
    }
    if !data.is_empty() {
        line.push_str(&format!(": {}", words::cut(&data, DATA)));
    }
    line
}
