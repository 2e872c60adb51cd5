//! What a person is told after a task: what was recorded, and whether the lists show it yet.

use super::desk::Desk;
use super::story::Teller;
use super::subject::Thing;
use super::trouble::Params;
use super::trouble::Trouble;
use super::words::{moment, sentence, small};
use crate::request::encode;
use crate::seen::LED;
use fait::app::{ReadError, Token};
use fait::event::StoredEvent;
use fait::query::Query;
use fait::store::Range;
use maud::{Markup, html};
use uuid::Uuid;

/// The most events that one task may record.
const BACK: u64 = 1000;

/// The receipt that the address asks for, if it does.
pub(super) async fn of(desk: &mut Desk, params: &Params) -> Result<Option<Markup>, Trouble> {
    let done = params.uuid("done")?;
    let again = params.text("again").is_some();
    let Some(done) = done else { return Ok(None) };
    let token: Option<Token> = params.text(LED).and_then(|t| t.parse().ok());
    let saw = match token {
        Some(token) => match desk.shared.app.position_of(&token).await {
            Ok(position) => position,
            Err(ReadError::OtherHistory(_)) => return Ok(Some(gone())),
            Err(e) => return Err(Trouble::from(e)),
        },
        None => 0,
    };
    let events = recorded(desk, done, saw).await?;
    let undo = params
        .text("did")
        .and_then(|name| undo(desk, name, &events));
    desk.said = true;
    Ok(Some(show(desk, &events, again, undo)))
}

/// What is said when a backup has taken back what the receipt was for.
fn gone() -> Markup {
    html! {
        div.receipt #receipt tabindex="-1" data-focus {
            p {
                strong { "This was recorded, but it is not here any more." }
                " The system goes on from an older state. Look what is there before you do it "
                "again."
            }
        }
    }
}

fn show(
    desk: &Desk,
    events: &[StoredEvent],
    again: bool,
    undo: Option<(String, String)>,
) -> Markup {
    let shown = caught(desk.caught_up);
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
                p #caught-up data-live data-say=(shown) { (shown) }
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

/// Whether the lists show what the person has done.
fn caught(up: bool) -> &'static str {
    if up {
        "The lists show it."
    } else {
        "Recorded. The list is catching up."
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
