//! `/board`: the board of a running system as picture, text, words and examples, with a panel for
//! each note. A board that is only a file is shown by the same code.

mod ask;
mod facts;
mod look;
mod picture;
mod text;
mod glossary;
mod examples;
mod panel;
pub(super) mod alone;

use super::desk::Desk;
use super::frame::Page;
use super::trouble::{Params, Trouble};
use crate::answer::Html;
use crate::request::At;
use crate::shared::Shared;
use crate::sheet::Sheet;
use ask::Ask;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use facts::{Facts, System};
use futures_util::{StreamExt, stream};
use look::Look;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// The least time between two looks at a board that is watched.
const QUIET: Duration = Duration::from_secs(1);

/// `GET /board`
pub(super) async fn show(desk: Desk, params: Params) -> Result<Html, Trouble> {
    let sheet = sheet(&desk.shared)?;
    let (ask, facts) = (Ask::of(&params), facts(&desk.shared).await?);
    let look = Look {
        sheet: &sheet,
        ask: &ask,
        facts: &facts,
    };
    let page = Page::new("Board", "/board").with_board();
    Ok(page.around(&desk, &look.page()))
}

/// `GET /board/note/{id}`: the panel alone, for pages that put it in.
pub(super) async fn note(
    State(shared): State<Shared>,
    At(id): At<String>,
    params: Params,
) -> Result<Html, Trouble> {
    let sheet = sheet(&shared)?;
    let mut ask = Ask::of(&params);
    ask.note = Some(id);
    let facts = facts(&shared).await?;
    let look = Look {
        sheet: &sheet,
        ask: &ask,
        facts: &facts,
    };
    Ok(Html(look.panel()))
}

/// `GET /board/live`: says that something has happened, at most once a second.
pub(super) async fn live(State(shared): State<Shared>) -> Response {
    let (closed, pulse) = (shared.closed(), shared.app.pulse());
    let ticks = stream::unfold(
        (shared, pulse, true),
        |(shared, mut pulse, first)| async move {
            if !first {
                pulse.changed().await.ok()?;
                tokio::time::sleep(QUIET).await;
                pulse.mark_unchanged();
            }
            let head = shared.app.head().await.ok()?;
            let tick = Event::default().event("tick").data(head.to_string());
            Some((Ok::<_, Infallible>(tick), (shared, pulse, false)))
        },
    );
    Sse::new(ticks.take_until(Box::pin(closed)))
        .keep_alive(KeepAlive::default())
        .into_response()
}

fn sheet(shared: &Shared) -> Result<Arc<Sheet>, Trouble> {
    let none = || Trouble::not_found("this system shows no board");
    shared.board.clone().ok_or_else(none)
}

/// What the running system knows.
async fn facts(shared: &Shared) -> Result<Facts, Trouble> {
    let names: Vec<&String> = shared.manifest.events.keys().collect();
    let mut tally = shared.tally.lock().await;
    tally.go_on(&shared.app, &names).await?;
    let system = System {
        manifest: shared.manifest.clone(),
        tally: tally.clone(),
        now: shared.app.clock().now(),
    };
    Ok(Facts {
        system: Some(system),
    })
}
