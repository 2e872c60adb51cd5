//! `fait trace`: what led to an event and what came of it.

use crate::output::Output;
use crate::source::Source;
use crate::trouble::Trouble;
use crate::wanted::Which;
use crate::words::{clock, day, is_fact, moment, told_in};
use clap::Args;
use fait::event::StoredEvent;
use fait::trace::Cause;
use serde_json::{Value, json};

/// Characters of what an event says.
const WIDE: usize = 100;

/// Shows the whole flow that an event belongs to as a tree: below each event, what came of it.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fait --at data trace 42")]
pub(crate) struct Call {
    /// The event's position or id; it is marked with `>`.
    #[arg(value_name = "POSITION | ID")]
    event: Which,
}

/// Carries it out.
pub(crate) async fn run(call: Call, source: &Source, out: &Output) -> Result<(), Trouble> {
    let causes = source.trace(call.event).await?;
    if out.is_json() {
        let cause = |c: &Cause| json!({ "depth": c.depth, "event": c.event.to_json() });
        let events: Vec<Value> = causes.iter().map(cause).collect();
        return out.document(&json!({ "events": events }));
    }
    out.text(&tree(&causes, call.event))
}

fn tree(causes: &[Cause], asked: Which) -> String {
    let Some(first) = causes.first() else {
        return "nothing belongs to this flow".into();
    };
    let today = day(first.event.meta.recorded_at);
    let one_day = causes
        .iter()
        .all(|c| day(c.event.meta.recorded_at) == today);
    let flow = first.event.meta.origin.correlation;
    let mut text = format!("flow {flow}, {today}, times in UTC\n\n");
    let last = causes.iter().map(|c| c.event.meta.position).max();
    let width = last.unwrap_or(0).to_string().len();
    for (i, cause) in causes.iter().enumerate() {
        let event = &cause.event;
        let at = event.meta.recorded_at;
        let time = if one_day { clock(at) } else { moment(at) };
        let mark = if is_asked(event, asked) { '>' } else { ' ' };
        let position = event.meta.position;
        let branch = branch(causes, i);
        let line = format!("{mark} {position:>width$}  {time}  {branch}{}", says(event));
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn is_asked(event: &StoredEvent, asked: Which) -> bool {
    match asked {
        Which::Position(position) => event.meta.position == position,
        Which::Id(id) => event.meta.id == id,
    }
}

/// The lines before an event: one column for each event above it.
fn branch(causes: &[Cause], i: usize) -> String {
    let Some((own, below)) = causes.get(i..).and_then(|rest| rest.split_first()) else {
        return String::new();
    };
    // Whether the event that stands above at this depth has more children behind this one.
    let more = |depth: usize| {
        let next = below.iter().find(|c| c.depth <= depth);
        next.is_some_and(|c| c.depth == depth)
    };
    let mut text = String::new();
    for depth in 1..=own.depth {
        text.push_str(match (depth == own.depth, more(depth)) {
            (true, true) => "├─ ",
            (true, false) => "└─ ",
            (false, true) => "│  ",
            (false, false) => "   ",
        });
    }
    text
}

fn says(event: &StoredEvent) -> String {
    let told = told_in(event, WIDE);
    let actor = event.meta.origin.actor.as_deref();
    if is_fact(event) {
        // The sentence names the process; whoever else had a part in it is added.
        let other = actor.filter(|a| !a.starts_with("process:") && !told.starts_with(a));
        return other.map_or(told.clone(), |a| format!("{told} (by {a})"));
    }
    let by = actor.map(|a| format!(" by {a}")).unwrap_or_default();
    match told.is_empty() {
        true => format!("{}{by}", event.ty),
        false => format!("{}{by}: {told}", event.ty),
    }
}
