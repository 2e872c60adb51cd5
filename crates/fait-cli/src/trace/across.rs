//! One flow through several systems.

use super::{DATA, DEEPEST, Trace, branches, find, nested, text, widest};
use crate::failure::Failure;
use crate::output::{Out, Tone, note};
use crate::source::{self, Name, Source};
use crate::words;
use fait::app::{Flow, OpenCommand};
use fait::event::{StoredEvent, Time};
use fait::process::{Fact, Instance, Outcome, Status, Target};
use fait::trace::{Step, merge, timeline};
use serde_json::{Value, json};
use uuid::Uuid;

/// A place where to look, and why it does not answer if it does not.
struct Place<'a> {
    at: &'a str,
    source: Result<Box<dyn Source>, Failure>,
}

/// Does what was asked in several systems.
pub(super) fn run(trace: &Trace, at: &[String], out: &mut Out) -> Result<(), Failure> {
    if at.is_empty() {
        source::open(None)?;
    }
    let open = |at: &String| source::open(Some(at));
    let mut places: Vec<Place<'_>> = at
        .iter()
        .map(|at| Place {
            at,
            source: open(at),
        })
        .collect();
    if let Some(wrong) = places
        .iter_mut()
        .find(|p| matches!(p.source, Err(Failure::Usage(_))))
    {
        let why = wrong.source.as_ref().err().map(ToString::to_string);
        return Err(Failure::Usage(why.unwrap_or_default()));
    }
    let (flow, meant) = start(trace.what, &mut places)?;
    let mut flows = vec![];
    let mut silent = vec![];
    for place in places {
        match place.source.and_then(|source| source.whole(flow)) {
            Ok(known) => flows.push(known),
            Err(e) => silent.push((place.at, e.to_string())),
        }
    }
    let mut steps = merge(&flows);
    let deepest = if trace.by_time { 0 } else { DEEPEST };
    if trace.by_time {
        steps = timeline(steps);
    }
    steps
        .iter_mut()
        .for_each(|s| s.depth = s.depth.min(deepest));
    match out.json() {
        true => out.document(&document(flow, &flows, &silent, &steps))?,
        false => draw(flow, &flows, &steps, meant, out)?,
    }
    for (at, why) in &silent {
        note(format_args!("what {at} knows of it is not shown: {why}"));
    }
    match silent.is_empty() {
        true => Ok(()),
        false => Err(Failure::NotReady(format!(
            "{} of {} systems did not answer; what is shown is not all of it",
            silent.len(),
            at.len()
        ))),
    }
}

/// The flow that is meant, and the event of it if one is; the first system that knows it says so.
fn start(what: Name, places: &mut [Place<'_>]) -> Result<(Uuid, Option<Uuid>), Failure> {
    let mut nothing = None;
    for place in places.iter_mut() {
        let Ok(source) = &place.source else {
            continue;
        };
        match find(what, &**source) {
            Ok((event, meant)) => {
                let flow = event.meta.origin.correlation;
                return Ok((flow, meant.then_some(event.meta.id)));
            }
            Err(e @ Failure::Finding(_)) => nothing = nothing.or(Some(e)),
            Err(e) => place.source = Err(e),
        }
    }
    // It may be the id of a flow all the same, of a system that does not answer now.
    let why = places.iter_mut().find_map(|p| match &p.source {
        Err(e) => Some(Failure::NotReady(e.to_string())),
        Ok(_) => None,
    });
    let nothing = why.or(nothing);
    Err(nothing.unwrap_or_else(|| Failure::Finding("there is nowhere to look".into())))
}

/// All of it as JSON.
fn document(flow: Uuid, flows: &[Flow], silent: &[(&str, String)], steps: &[Step]) -> Value {
    let known = flows.iter().map(|f| {
        json!({
            "system": f.system,
            "events": f.events.len(),
            "open": f.open,
            "parked": f.parked,
            "read": f.read,
            "head": f.head,
        })
    });
    let silent = silent
        .iter()
        .map(|(at, why)| json!({"at": at, "error": why}));
    let step = |s: &Step| {
        let event = s.event.to_json();
        (
            s.depth,
            json!({"system": flows[s.system].system, "event": event}),
        )
    };
    json!({
        "correlation": flow,
        "systems": known.chain(silent).collect::<Vec<_>>(),
        "causes": nested(steps.iter().map(step)),
    })
}

fn draw(
    flow: Uuid,
    flows: &[Flow],
    steps: &[Step],
    meant: Option<Uuid>,
    out: &mut Out,
) -> Result<(), Failure> {
    let Some(begun) = steps.iter().map(|s| s.event.meta.recorded_at).min() else {
        note("nothing belongs to this flow");
        return Ok(());
    };
    let names: Vec<String> = flows
        .iter()
        .map(|f| words::clean(&f.system).into_owned())
        .collect();
    let head = format!(
        "flow {flow}: {} in {}, begun {} UTC",
        words::count(steps.len() as u64, "event"),
        words::count(systems(flows), "system"),
        words::moment(begun),
    );
    out.line(out.tone(Tone::Faint, &head))?;
    let commands = words::names(steps.iter().map(|s| &s.event));
    let left: Vec<String> = steps
        .iter()
        .map(|s| format!("{} #{}", names[s.system], s.event.meta.position))
        .collect();
    let times: Vec<String> = steps
        .iter()
        .map(|s| words::clock_near(s.event.meta.recorded_at, begun))
        .collect();
    let (wide, far) = (widest(&left), widest(&times));
    let branches = branches(steps.iter().map(|s| s.depth));
    for (i, (step, branch)) in steps.iter().zip(branches).enumerate() {
        let left = format!("{:<wide$}  {:>far$}  {branch}", left[i], times[i]);
        let mark = match meant == Some(step.event.meta.id) {
            true => out.tone(Tone::Strong, "  ← this"),
            false => String::new(),
        };
        let text = text(words::told(&step.event, &commands), out);
        out.line(format_args!("{}{text}{mark}", out.tone(Tone::Faint, &left)))?;
    }
    let failed = steps.iter().filter_map(|s| {
        let why = went_wrong(&s.event)?;
        Some(format!(
            "{} #{}: {why}",
            names[s.system], s.event.meta.position
        ))
    });
    let waits = flows.iter().zip(&names).flat_map(|(flow, name)| {
        let open = flow.open.iter().map(|o| waits(o, begun));
        let parked = flow.parked.iter().map(parked);
        let behind = (flow.read < flow.head).then(|| {
            let (read, head) = (flow.read, flow.head);
            format!("what came after event {read} of {head} is not looked through yet; ask again")
        });
        let all = open.chain(parked).chain(behind);
        all.map(move |w| format!("{name}: {w}")).collect::<Vec<_>>()
    });
    list("What waits", waits.collect(), out)?;
    list("What went wrong", failed.collect(), out)
}

/// How many systems have something of it.
fn systems(flows: &[Flow]) -> u64 {
    flows.iter().filter(|f| !f.events.is_empty()).count() as u64
}

fn list(title: &str, lines: Vec<String>, out: &mut Out) -> Result<(), Failure> {
    if lines.is_empty() {
        return Ok(());
    }
    out.line(format_args!("\n{}", out.tone(Tone::Strong, title)))?;
    for line in lines {
        out.line(out.tone(Tone::Alarm, &format!("  {}", words::cut(&line, 2 * DATA))))?;
    }
    Ok(())
}

/// What is asked or told and not done.
fn waits(open: &OpenCommand, near: Time) -> String {
    let issued = &open.open.issued;
    let since = words::clock_near(open.open.since, near);
    let by = format!("for {} {}", open.process, words::short(&open.key));
    let what = match &issued.to {
        Target::Here => format!("{} is to be done here", issued.name),
        Target::Role(role) => format!("{role} is to {}", issued.name),
        Target::System(system) => format!("{system} has not taken {} yet", issued.name),
    };
    words::clean(&format!("{what} {by}, since {since}")).into_owned()
}

fn parked(instance: &Instance) -> String {
    let reason = match &instance.status {
        Status::Parked { reason, .. } => reason.as_str(),
        _ => "",
    };
    let (process, key) = (&instance.process, words::short(&instance.key));
    words::clean(&format!("{process} {key} waits for an operator: {reason}")).into_owned()
}

fn went_wrong(event: &StoredEvent) -> Option<String> {
    let Ok(Some(Fact::Settled(settled))) = Fact::read(event) else {
        return None;
    };
    let name = &settled.name;
    let why = match settled.outcome {
        Outcome::Refused { reason, .. } => format!("{name} was refused: {reason}"),
        Outcome::Failed { error } => format!("{name} failed: {error}"),
        Outcome::Expired => format!("{name} was not done in time"),
        Outcome::Accepted | Outcome::Skipped { .. } => return None,
    };
    Some(words::clean(&why).into_owned())
}
