//! `/flows/{correlation}`: one flow through this system and the others that it knows: what led to
//! what, in which order of time, what waits, and who does not answer.

use super::desk::Desk;
use super::frame::{Page, path};
use super::story::{Mark, Teller};
use super::trouble::Trouble;
use super::words::{count, lasting, moment, plain, short, small};
use crate::answer::Html;
use crate::others::Other;
use crate::request::At;
use fait::app::{Flow, OpenCommand};
use fait::event::StoredEvent;
use fait::process::{Instance, Status, Target};
use fait::trace::{Step, merge, timeline};
use maud::{Markup, html};
use uuid::Uuid;

/// Events of a flow that are shown at most.
const EVENTS: usize = 1000;

/// A flow, with what is known of the systems that it goes through.
struct Across {
    flows: Vec<Flow>,
    /// What each of them is called here, and where it is; the own one has no address.
    systems: Vec<(String, Option<String>)>,
    /// Who did not answer, and why.
    silent: Vec<(Other, String)>,
}

/// `GET /flows/{correlation}`
pub(super) async fn show(desk: Desk, At(correlation): At<String>) -> Result<Html, Trouble> {
    let wrong = |_| Trouble::not_found(format!("`{correlation}` is no id of a flow"));
    let flow: Uuid = correlation.parse().map_err(wrong)?;
    let shared = &desk.shared;
    let mut across = Across {
        flows: vec![shared.app.flow(flow, 0, EVENTS).await?],
        systems: vec![(shared.title.to_string(), None)],
        silent: vec![],
    };
    for (other, answer) in shared.others.ask(flow).await {
        match answer {
            Ok(part) => {
                across.flows.push(part);
                across.systems.push((other.name, Some(other.address)));
            }
            Err(why) => across.silent.push((other, why)),
        }
    }
    let steps = merge(&across.flows);
    if steps.is_empty() && across.silent.is_empty() {
        let detail = format!("nothing belongs to a flow `{flow}`");
        return Err(Trouble::not_found(detail));
    }
    let events: Vec<StoredEvent> = steps.iter().map(|s| s.event.clone()).collect();
    let teller = Teller::new(&desk, None, &events);
    let main = html! {
        div.card {
            (path(&[("/events", "What happened".into())], "One flow"))
            h1 { "One flow" }
            p.lead #flow data-live { (summary(&across, &steps)) }
            (silent(&across))
            div #waits data-live { (waits(&desk, &across)) }
            h2 { "What led to what" }
            div #causes .wide.causes data-live tabindex="0" role="region"
                aria-label="What led to what" {
                (branch(&across, &teller, &steps, 0))
            }
            h2 { "In the order of time" }
            div #order data-live { (in_order(&desk, &across, &teller, &steps)) }
            details #ids { summary { "Numbers and ids" } p { "Flow: " code { (flow) } } }
        }
    };
    Ok(Page::new("One flow", "/events").around(&desk, &main))
}

fn summary(across: &Across, steps: &[Step]) -> String {
    let times = || steps.iter().map(|s| s.event.meta.recorded_at);
    let events = count(steps.len() as u64, "event");
    let systems = across.flows.iter().filter(|f| !f.events.is_empty());
    let systems = count(systems.count() as u64, "system");
    match (times().min(), times().max()) {
        (Some(first), Some(last)) if steps.len() > 1 => {
            format!(
                "{events} in {systems}, over {}.",
                lasting(last.since(first))
            )
        }
        _ => format!("{events} in {systems}."),
    }
}

/// Says whose part is missing.
fn silent(across: &Across) -> Markup {
    html! {
        @for (other, why) in &across.silent {
            div.note role="status" {
                p {
                    strong { (other.name) " does not answer." }
                    " What it knows of this flow is missing below. Asked at "
                    code { (other.address) } ": " (why)
                }
            }
        }
    }
}

/// What is asked or told and not done, and what waits for an operator, in each system.
fn waits(desk: &Desk, across: &Across) -> Markup {
    let all = across.flows.iter().zip(&across.systems);
    let lines = all.flat_map(|(flow, (system, _))| {
        let behind = (flow.read < flow.head || flow.next.is_some())
            .then(|| "it has more events of this flow, which are not shown yet".to_string());
        let open = flow.open.iter().map(|o| open(desk, o));
        let parked = flow.parked.iter().map(parked);
        let lines = open.chain(parked).chain(behind);
        lines.map(|line| (system.clone(), line)).collect::<Vec<_>>()
    });
    let lines: Vec<_> = lines.collect();
    html! {
        @if !lines.is_empty() {
            h2 { "What waits" }
            ul { @for (system, line) in &lines { li { strong { (system) } ": " (line) } } }
        }
    }
}

fn open(desk: &Desk, open: &OpenCommand) -> String {
    let issued = &open.open.issued;
    let title = desk.shared.command(&issued.name).map(|c| c.title.clone());
    let title = small(&title.unwrap_or_else(|| plain(&issued.name)));
    let time = lasting(desk.now.since(open.open.since));
    match &issued.to {
        Target::Here => format!("{title} is to be done here, since {time}"),
        Target::Role(role) => format!("{role} was asked to {title} and has not, for {time}"),
        Target::System(to) => format!("{to} was told to {title} and has not answered, for {time}"),
    }
}

fn parked(instance: &Instance) -> String {
    let (process, key) = (plain(&instance.process), short(&instance.key));
    match &instance.status {
        Status::Parked { reason, .. } => format!("{process} {key} waits for an operator: {reason}"),
        _ => format!("{process} {key} waits for an operator"),
    }
}

/// A link to an event where it is.
fn link(across: &Across, teller: &Teller<'_>, step: &Step) -> Markup {
    let (_, address) = &across.systems[step.system];
    let position = step.event.meta.position;
    let address = address.as_deref().unwrap_or_default().trim_end_matches('/');
    let lines = teller.lines(&step.event);
    let told = lines.first();
    html! {
        a href={ (address) "/events/" (position) } { (teller.name(&step.event)) }
        @if let Some(line) = told.filter(|l| !l.words.is_empty()) { " – " (line.words) }
        @if let Some(line) = told.filter(|l| l.mark == Mark::Trouble && !l.more.is_empty()) {
            " – " (line.more)
        }
    }
}

/// What led to what, as nested lists.
fn branch(across: &Across, teller: &Teller<'_>, steps: &[Step], depth: usize) -> Markup {
    let mut groups: Vec<&[Step]> = vec![];
    let mut begin = 0;
    for end in 1..=steps.len() {
        if end == steps.len() || steps[end].depth <= depth {
            groups.push(&steps[begin..end]);
            begin = end;
        }
    }
    html! {
        ul.tree {
            @for (step, below) in groups.iter().filter_map(|group| group.split_first()) {
                li {
                    (link(across, teller, step))
                    " " span.hint {
                        (across.systems[step.system].0) ", " (step.event.meta.position)
                    }
                    @if !below.is_empty() { (branch(across, teller, below, depth + 1)) }
                }
            }
        }
    }
}

fn in_order(desk: &Desk, across: &Across, teller: &Teller<'_>, steps: &[Step]) -> Markup {
    let steps = timeline(steps.to_vec());
    html! {
        ol.story {
            // What nobody needs to know stands in the tree, since something came of it.
            @for step in steps.iter().filter(|s| !teller.lines(&s.event).is_empty()) {
                @let mark = teller.lines(&step.event).first().map_or(Mark::Asked, |l| l.mark);
                li class=(mark.class()) {
                    span.what { (link(across, teller, step)) }
                    span.when {
                        (moment(step.event.meta.recorded_at, desk.now))
                        " · " (across.systems[step.system].0)
                    }
                }
            }
        }
    }
}
