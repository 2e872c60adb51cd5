//! `fait trace`: what led to what.

mod across;

use crate::failure::Failure;
use crate::output::{Out, Tone, note};
use crate::source::{self, Name, Source, Wanted};
use crate::words::{self, Told};
use clap::Args;
use fait::app::Cause;
use fait::event::{StoredEvent, Tag};
use fait::store::Range;
use serde_json::{Value, json};
use uuid::Uuid;

/// Events that are looked through, newest first, for an id that no index knows.
const LOOKED_THROUGH: usize = 100_000;
/// Events of one page of that.
const PAGE: usize = 1000;
/// Trees are drawn and nested no deeper; what came of an event there stands beside it, behind it.
/// A flow may be a chain of thousands, and readers of JSON follow about a hundred levels.
const DEEPEST: usize = 40;
/// Longest data in a tree, in characters.
const DATA: usize = 72;

/// What is traced.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fait trace 17 --at http://127.0.0.1:7070
  fait trace 019b76da-a800-7000-8000-000000000001 --at ./data
  fait trace 17 --at ./data --json
  fait trace 17 --at http://127.0.0.1:7070 --at http://127.0.0.1:7071

Each line is an event; those below it, one step to the right, came of it. With more than one
`--at` the flow is followed through all of these systems; a position is one of the first that has
it.")]
pub(crate) struct Trace {
    /// An event (its position or id), a command's id, or the id of a flow
    what: Name,
    /// In the order of time, not as a tree
    #[arg(long)]
    by_time: bool,
}

/// Does what was asked, with the places where to look.
pub(crate) fn run(trace: &Trace, at: &[String], out: &mut Out) -> Result<(), Failure> {
    if at.len() > 1 || trace.by_time {
        return across::run(trace, at, out);
    }
    let source = &*source::open(at.first().map(String::as_str))?;
    let (event, meant) = find(trace.what, source)?;
    let mut flow = source.flow(&event)?;
    flow.iter_mut().for_each(|c| c.depth = c.depth.min(DEEPEST));
    if out.json() {
        return out.document(&json!({
            "correlation": event.meta.origin.correlation,
            "events": flow.len(),
            "causes": nested(flow.iter().map(|c| (c.depth, json!({"event": c.event.to_json()})))),
        }));
    }
    draw(&flow, meant.then_some(event.meta.position), out)
}

/// The event that was meant, or any event of the flow that was; and whether it is the one.
fn find(what: Name, source: &dyn Source) -> Result<(StoredEvent, bool), Failure> {
    if let Some(event) = source.event(what)? {
        return Ok((event, true));
    }
    let Name::Id(id) = what else {
        return Err(Failure::Finding(format!("there is no event {what}")));
    };
    if let Some(event) = source.command(id)? {
        return Ok((event, false));
    }
    // A command that a process issued stands in the facts about it.
    let issued = Wanted::tagged(Tag::new("command", id), Range::after(0, 1));
    if let Some(event) = source.read(&issued)?.events.pop() {
        return Ok((event, false));
    }
    let found = look_through(id, source)?.map(|event| (event, false));
    found.ok_or_else(|| {
        Failure::Finding(format!(
            "nothing has the id {id}: no event, no command, and no flow among the newest \
             {LOOKED_THROUGH} events"
        ))
    })
}

/// Looks for a flow or a command by reading backwards.
fn look_through(id: Uuid, source: &dyn Source) -> Result<Option<StoredEvent>, Failure> {
    let mut wanted = Wanted::all(Range::newest(PAGE));
    let meant = |e: &StoredEvent| {
        let origin = &e.meta.origin;
        origin.correlation == id || origin.command == Some(id)
    };
    for _ in 0..LOOKED_THROUGH / PAGE {
        let events = source.read(&wanted)?.events;
        let last = events.last().map(|e| e.meta.position);
        if let Some(event) = events.into_iter().find(meant) {
            return Ok(Some(event));
        }
        match last {
            Some(last) if last > 1 => wanted.range.before = Some(last),
            _ => break,
        }
    }
    Ok(None)
}

/// The tree as JSON: each event with what came of it.
fn nested(flow: impl DoubleEndedIterator<Item = (usize, Value)>) -> Vec<Value> {
    // What came of the events behind, by depth: children are complete before their parent.
    let mut below: Vec<Vec<Value>> = vec![vec![]];
    for (depth, mut event) in flow.rev() {
        below.resize(below.len().max(depth + 2), vec![]);
        let mut came = std::mem::take(&mut below[depth + 1]);
        came.reverse();
        event["led_to"] = came.into();
        below[depth].push(event);
    }
    let mut roots = below.swap_remove(0);
    roots.reverse();
    roots
}

fn draw(flow: &[Cause], meant: Option<u64>, out: &mut Out) -> Result<(), Failure> {
    let Some(first) = flow.first().map(|c| &c.event) else {
        note("nothing belongs to this flow");
        return Ok(());
    };
    let begun = first.meta.recorded_at;
    let head = format!(
        "flow {}: {}, begun {} UTC",
        first.meta.origin.correlation,
        words::count(flow.len() as u64, "event"),
        words::moment(begun),
    );
    out.line(out.tone(Tone::Faint, &head))?;
    let names = words::names(flow.iter().map(|c| &c.event));
    let positions: Vec<String> = (flow.iter())
        .map(|c| format!("#{}", c.event.meta.position))
        .collect();
    let times: Vec<String> = (flow.iter())
        .map(|c| words::clock_near(c.event.meta.recorded_at, begun))
        .collect();
    let (digits, wide) = (widest(&positions), widest(&times));
    for (i, (cause, branch)) in flow
        .iter()
        .zip(branches(flow.iter().map(|c| c.depth)))
        .enumerate()
    {
        let left = format!("{:>digits$}  {:>wide$}  {branch}", positions[i], times[i]);
        let text = text(words::told(&cause.event, &names), out);
        let mark = match meant == Some(cause.event.meta.position) {
            true => out.tone(Tone::Strong, "  ← this"),
            false => String::new(),
        };
        out.line(format_args!("{}{text}{mark}", out.tone(Tone::Faint, &left)))?;
    }
    Ok(())
}

fn widest(texts: &[String]) -> usize {
    texts.iter().map(String::len).max().unwrap_or(0)
}

fn text(told: Told, out: &Out) -> String {
    let mut text = match told.fact {
        true => told.what,
        false => out.tone(Tone::Strong, &told.what),
    };
    if let Some(by) = told.by {
        text.push_str(&format!(" by {by}"));
    }
    if !told.data.is_empty() {
        text.push_str(&format!(": {}", words::cut(&told.data, DATA)));
    }
    text
}

/// The lines that lead to each event.
fn branches(depths: impl DoubleEndedIterator<Item = usize>) -> Vec<String> {
    // Whether something follows at each depth, seen from below.
    let mut more: Vec<bool> = vec![];
    let mut out = vec![];
    for depth in depths.rev() {
        more.resize(depth + 1, false);
        let mut line = String::new();
        for (level, more) in more.iter().enumerate().skip(1) {
            line.push_str(match (level == depth, *more) {
                (true, true) => "├─ ",
                (true, false) => "└─ ",
                (false, true) => "│  ",
                (false, false) => "   ",
            });
        }
        more[depth] = true;
        out.push(line);
    }
    out.reverse();
    out
}
