//! `/events`: what happened, newest first, and one event with all that is known of it.

use super::desk::Desk;
use super::frame::{Page, path};
use super::receipt::things;
use super::story::{DEEPEST, Teller, timeline};
use super::trouble::{Params, Trouble};
use super::words::{moment, person, plain};
use crate::answer::Html;
use crate::request::{At, encode};
use fait::app::Cause;
use fait::event::StoredEvent;
use fait::process::types;
use fait::query::Query;
use fait::store::Range;
use maud::{Markup, html};

/// Events on one page.
const EVENTS: usize = 50;

/// Causes that are shown at most.
const CAUSES: usize = 200;

/// What processes did, as one kind of event.
const PROCESSES: &str = "$";

/// `GET /events`
pub(super) async fn list(desk: Desk, params: Params) -> Result<Html, Trouble> {
    let wanted = params.text("type").unwrap_or_default().to_string();
    let query = match wanted.as_str() {
        "" => Query::all(),
        PROCESSES => Query::types(types::ALL),
        one => Query::types(&[one]),
    };
    let range = Range {
        before: params.number("before")?,
        ..Range::newest(EVENTS)
    };
    let slice = desk.shared.app.events(&query, range).await?;
    let older = slice.events.last().map(|e| e.meta.position);
    let older = older.filter(|p| *p > 1 && slice.events.len() == EVENTS);
    let same = format!("/events?type={}", encode(&wanted));
    let main = html! {
        h1 { "What happened" }
        p.lead #head data-live { "Newest first, up to event " (slice.head) "." }
        (filter(&desk, &wanted))
        div.card #story data-live {
            @if slice.events.is_empty() { p.empty { "Nothing of this kind has happened." } }
            (timeline_with_links(&desk, &slice.events))
        }
        p.pages {
            @if params.text("before").is_some() { a.button href=(same) { "Newest" } }
            @if let Some(older) = older {
                a.button href={ (same) "&before=" (older) } { "Older" }
            }
        }
    };
    Ok(Page::new("What happened", "/events").around(&desk, &main))
}

fn filter(desk: &Desk, wanted: &str) -> Markup {
    let all = desk.shared.manifest.events.keys();
    html! {
        form.filter method="get" action="/events" {
            div {
                label for="type" { "Kind" }
                select #type name="type" {
                    option value="" { "Everything" }
                    @for name in all {
                        option value=(name) selected[name == wanted] { (plain(name)) }
                    }
                    option value=(PROCESSES) selected[wanted == PROCESSES] { "What processes did" }
                }
            }
            button.second type="submit" { "Show" }
        }
    }
}

fn timeline_with_links(desk: &Desk, events: &[StoredEvent]) -> Markup {
    let teller = Teller::new(desk, None, events);
    html! {
        ul.list {
            @for event in events {
                @let lines = teller.lines(event);
                @let first = lines.first();
                li {
                    span.what {
                        a #{ "e-" (event.meta.position) } href={ "/events/" (event.meta.position) } {
                            (teller.name(event))
                        }
                        @if let Some(line) = first.filter(|l| !l.words.is_empty()) {
                            " – " (line.words)
                        }
                        @for line in lines.iter().skip(1) { "; " (line.what) }
                    }
                    span.when {
                        (moment(event.meta.recorded_at, desk.now))
                        @if let Some(line) = first.filter(|l| !l.more.is_empty()) {
                            " · " (line.more)
                        }
                        @for thing in things(std::slice::from_ref(event)) {
                            " · " a href=(thing.address()) { (thing.name()) }
                        }
                    }
                }
            }
        }
    }
}

/// `GET /events/{position}`
pub(super) async fn one(desk: Desk, At(position): At<String>) -> Result<Html, Trouble> {
    let wrong = |_| Trouble::not_found(format!("`{position}` is no position of an event"));
    let position: u64 = position.parse().map_err(wrong)?;
    let Some(event) = desk.shared.app.event_at(position).await? else {
        let detail = format!("there is no event at position {position}");
        return Err(Trouble::not_found(detail));
    };
    let head = desk.shared.app.head().await?;
    let causes = desk.shared.app.trace(&event).await?;
    let title = plain(&event.ty);
    let def = desk.shared.manifest.events.get(&event.ty);
    let json = event
        .json()
        .and_then(|v| serde_json::to_string_pretty(&v).map_err(|e| event.unreadable(e)));
    let json = json.unwrap_or_else(|e| e.to_string());
    let main = html! {
        div.card {
            (path(&[("/events", "What happened".into())], &format!("Event {position}")))
            h1 { (title) }
            @if let Some(def) = def { p.lead { (def.doc) } }
            (timeline(&desk, None, std::slice::from_ref(&event)))
            (meta(&desk, &event))
            h2 { "What was recorded" }
            pre tabindex="0" { code { (json) } }
            h2 { "What led to what" }
            (tree(&desk, &causes, position))
            p.pages {
                @if position > 1 { a.button href={ "/events/" (position - 1) } { "The event before" } }
                @if position < head {
                    a.button href={ "/events/" (position + 1) } { "The event after" }
                }
            }
        }
    };
    Ok(Page::new(&title, "/events").still().around(&desk, &main))
}

fn meta(desk: &Desk, event: &StoredEvent) -> Markup {
    let (meta, origin) = (&event.meta, &event.meta.origin);
    let actor = origin.actor.as_deref().unwrap_or("nobody in particular");
    html! {
        dl.facts {
            dt { "Recorded" } dd { (moment(meta.recorded_at, desk.now)) " (" (meta.recorded_at) ")" }
            dt { "By" } dd { (person(actor)) }
            @let things = things(std::slice::from_ref(event));
            @if !things.is_empty() {
                dt { "About" }
                dd { @for thing in &things { a href=(thing.address()) { (thing.name()) } " " } }
            }
            dt { "Kind" } dd { code { (event.ty) } ", version " (event.version) }
            dt { "Id" } dd { code { (meta.id) } }
            @if let Some(command) = origin.command { dt { "Command" } dd { code { (command) } } }
            dt { "Flow" }
            dd { a href={ "/flows/" (origin.correlation) } { code { (origin.correlation) } } }
            @if let Some(cause) = origin.causation { dt { "Cause" } dd { code { (cause) } } }
            @if !event.tags.is_empty() {
                dt { "Tags" }
                dd { @for tag in &event.tags { code { (tag) } " " } }
            }
        }
    }
}

/// The causes as nested lists: what stands deeper comes of what stands above it.
fn tree(desk: &Desk, causes: &[Cause], here: u64) -> Markup {
    let shown: Vec<&Cause> = causes.iter().take(CAUSES).collect();
    let events: Vec<StoredEvent> = shown.iter().map(|c| c.event.clone()).collect();
    let teller = Teller::new(desk, None, &events);
    html! {
        (branch(&teller, &shown, 0, here))
        @if causes.len() > shown.len() { p { "… and " (causes.len() - shown.len()) " more." } }
    }
}

fn branch(teller: &Teller, causes: &[&Cause], depth: usize, here: u64) -> Markup {
    let mut groups: Vec<(&Cause, Vec<&Cause>)> = vec![];
    for cause in causes {
        match groups.last_mut() {
            Some((_, below)) if cause.depth.min(DEEPEST) > depth => below.push(cause),
            _ => groups.push((cause, vec![])),
        }
    }
    html! {
        ul.tree {
            @for (cause, below) in &groups {
                @let meta = &cause.event.meta;
                li {
                    a.here[meta.position == here] href={ "/events/" (meta.position) }
                        aria-current=[(meta.position == here).then_some("true")] {
                        (teller.name(&cause.event))
                    }
                    " " span.hint { (meta.position) }
                    @if !below.is_empty() { (branch(teller, below, depth + 1, here)) }
                }
            }
        }
    }
}
