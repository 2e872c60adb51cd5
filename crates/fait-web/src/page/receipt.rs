//! What a person is told after a task: what was recorded, and whether the lists show it yet.

use super::desk::{Desk, MOST};
use super::story::Teller;
use super::subject::Thing;
use super::trouble::Params;
use super::trouble::Trouble;
use super::words::{moment, sentence, small};
use crate::request::encode;
use fait::event::StoredEvent;
use fait::query::Query;
use fait::store::Range;
use maud::{Markup, html};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// How long a page waits for the lists to show what was recorded.
const WAIT: Duration = Duration::from_millis(1500);

/// The most events that one task may record.
const BACK: u64 = 1000;

/// The receipt that the address asks for, if it does.
pub(super) async fn of(desk: &mut Desk, params: &Params) -> Result<Option<Markup>, Trouble> {
    let done = params.uuid("done")?;
    let saw = params.number("saw")?.unwrap_or(0);
    let (was, did) = (params.uuid("was")?, params.text("did"));
    let again = params.text("again").is_some();
    let Some(done) = done else { return Ok(None) };
    let caught_up = wait(desk, saw, was).await?;
    if let Some(role) = &desk.who.role {
        desk.asked = desk.shared.app.inbox(role, MOST)?;
    }
    let events = recorded(desk, done, saw).await?;
    let undo = did.and_then(|name| undo(desk, name, &events));
    Ok(Some(show(desk, &events, caught_up, again, undo)))
}

fn show(
    desk: &Desk,
    events: &[StoredEvent],
    caught_up: bool,
    again: bool,
    undo: Option<(String, String)>,
) -> Markup {
    let teller = Teller::new(desk, None, events);
    let lines: Vec<_> = events.iter().flat_map(|e| teller.lines(e)).collect();
    html! {
        div.receipt #receipt tabindex="-1" data-focus {
            span.tick aria-hidden="true" { "✓" }
            div {
                @if again { p { strong { "This was already recorded." } " It was not done twice." } }
                @if lines.is_empty() && !again { p { strong { "Nothing had to change." } } }
                @for (event, line) in events.iter().zip(&lines) {
                    p {
                        strong { (sentence(&line.what)) }
                        " Recorded at " (moment(event.meta.recorded_at, desk.now)) "."
                        @if !line.words.is_empty() { span.words { (line.words) } }
                    }
                }
                p #caught-up data-live data-say=(caught(caught_up)) { (caught(caught_up)) }
                @for thing in things(events) {
                    p { a href=(thing.address()) { "See " (small(&thing.name())) } }
                }
                @if let Some((address, title)) = undo {
                    p { "Was it a mistake? " a href=(address) { (title) } }
                }
            }
        }
    }
}

fn caught(up: bool) -> &'static str {
    if up {
        "The lists show it."
    } else {
        "Recorded. The list is catching up."
    }
}

/// Waits until the views that the role sees, and its list of tasks, show what was recorded.
async fn wait(desk: &Desk, saw: u64, was: Option<Uuid>) -> Result<bool, Trouble> {
    let until = Instant::now() + WAIT;
    let app = &desk.shared.app;
    // What is not there yet is not waited for.
    let saw = saw.min(app.head().await?);
    for view in desk.views() {
        let left = until.saturating_duration_since(Instant::now());
        if !app.wait_for_view(view, saw, left).await? {
            return Ok(false);
        }
    }
    let Some(was) = was else { return Ok(true) };
    let mut pulse = app.pulse();
    loop {
        pulse.mark_unchanged();
        if app.asked(was)?.is_none() {
            return Ok(true);
        }
        match tokio::time::timeout_at(until, pulse.changed()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return Ok(false),
        }
    }
}

/// The events of a command, looked for where its receipt says they end.
async fn recorded(desk: &Desk, command: Uuid, saw: u64) -> Result<Vec<StoredEvent>, Trouble> {
    let range = Range {
        after: saw.saturating_sub(BACK),
        before: Some(saw.saturating_add(1)),
        backwards: true,
        limit: BACK as usize,
    };
    let slice = desk.shared.app.events(&Query::all(), range).await?;
    let of_it = |e: &StoredEvent| e.meta.origin.command == Some(command);
    let own = slice
        .events
        .into_iter()
        .skip_while(|e| !of_it(e))
        .take_while(of_it);
    let mut own: Vec<StoredEvent> = own.filter(|e| !e.ty.starts_with('$')).collect();
    own.reverse();
    Ok(own)
}

/// The things that events happened to, each once.
pub(super) fn things(events: &[StoredEvent]) -> Vec<Thing> {
    let mut out: Vec<Thing> = vec![];
    for tag in events.iter().flat_map(|e| &e.tags) {
        let thing = Thing::new(tag.kind(), tag.value());
        if !fait::process::is_own_tag(tag) && !out.contains(&thing) {
            out.push(thing);
        }
    }
    out
}

/// The task that takes it back: address and title.
fn undo(desk: &Desk, name: &str, events: &[StoredEvent]) -> Option<(String, String)> {
    let undo = desk.shared.command(name)?.page.undone_by.as_deref()?;
    let task = desk.shared.command(undo)?;
    let role = desk.who.role.as_ref()?;
    if events.is_empty() || !task.page.by.contains(role) {
        return None;
    }
    let things = things(events);
    let given: Vec<String> = task
        .fields
        .iter()
        .filter_map(|f| {
            let thing = things.iter().find(|t| Some(t.kind.as_str()) == f.kind())?;
            Some(format!("{}={}", encode(&f.name), encode(&thing.key)))
        })
        .collect();
    Some((
        format!("/do/{undo}?{}", given.join("&")),
        task.title.clone(),
    ))
}
