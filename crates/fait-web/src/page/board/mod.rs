//! `/board`: the board of a running system as picture, text, words and examples, with a panel for
//! each note. A board that is only a file is shown by the same code.

mod ask;
mod facts;
mod look;
mod picture;
mod text;
mod glossary;
mod examples;
mod differences;
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
use facts::{Facts, System, Tried};
use fait::board::check::{Options, compare};
use futures_util::{StreamExt, stream};
use look::Look;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// Events that one look counts at most; the next look goes on from there.
const AT_ONCE: usize = 20_000;

/// The least time between two looks at a board that is watched.
const QUIET: Duration = Duration::from_secs(1);

/// `GET /board`
pub(super) async fn show(desk: Desk, params: Params) -> Result<Html, Trouble> {
    let sheet = sheet(&desk.shared)?;
    let (ask, facts) = (Ask::of(&params), facts(&desk.shared, &sheet).await?);
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
    let facts = facts(&shared, &sheet).await?;
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
                tokio::select! {
                    come = pulse.changed() => come.ok()?,
                    () = tried(&shared) => {}
                }
                tokio::time::sleep(QUIET).await;
                pulse.mark_unchanged();
            }
            let head = shared.app.head().await.ok()?;
            let known = known(&shared);
            let tick = Event::default().event("tick");
            let tick = tick.data(format!("{head} {known}"));
            Some((Ok::<_, Infallible>(tick), (shared, pulse, false)))
        },
    );
    Sse::new(ticks.take_until(Box::pin(closed)))
        .keep_alive(KeepAlive::default())
        .into_response()
}

/// Whether it is known what came of the examples.
fn known(shared: &Shared) -> bool {
    shared.trial.as_ref().is_some_and(|t| t.known().is_some())
}

/// Resolves when that becomes known; never when it is known already.
async fn tried(shared: &Shared) {
    match &shared.trial {
        Some(trial) if !known(shared) => trial.finished().await,
        _ => std::future::pending().await,
    }
}

fn sheet(shared: &Shared) -> Result<Arc<Sheet>, Trouble> {
    let none = || Trouble::not_found("this system shows no board");
    shared.board.clone().ok_or_else(none)
}

/// What the running system knows. Each look counts on what has happened.
async fn facts(shared: &Shared, sheet: &Sheet) -> Result<Facts, Trouble> {
    let happened = {
        let mut tally = shared.tally.lock().await;
        tally.count(&shared.app, AT_ONCE).await?
    };
    let options = Options::default();
    // What is played is made of the board: there is no code yet that it could be held against.
    let code = shared.playing.is_none().then_some(&*shared.manifest);
    let compared = compare(&sheet.board, code, Some(&happened), options);
    let tried = shared.trial.as_ref().map(|trial| {
        trial.begin(&sheet.source);
        trial.known().map_or(Tried::Running, Tried::Known)
    });
    Ok(Facts {
        system: Some(System {
            happened,
            compared,
            now: shared.app.clock().now(),
        }),
        tried: tried.unwrap_or_default(),
    })
}
