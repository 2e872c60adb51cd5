//! A board without a system: a file that is shown while it is edited.

use super::super::assets;
use super::super::trouble::{Params, head};
use super::ask::Ask;
use super::facts::Facts;
use super::look::Look;
use crate::answer::Html;
use crate::request::At;
use crate::sheet::Sheet;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use futures_util::{StreamExt, stream};
use maud::{DOCTYPE, html};
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::watch;

/// What the pages of a board alone need.
#[derive(Clone, Debug)]
pub(crate) struct Alone {
    /// The board as it was read last.
    pub(crate) sheet: watch::Receiver<Arc<Sheet>>,
    /// Whether the server stops.
    pub(crate) closing: watch::Receiver<bool>,
}

/// The pages of a board alone.
pub(crate) fn routes() -> Router<Alone> {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/board") }))
        .route("/board", get(show))
        .route("/board/note/{id}", get(note))
        .route("/board/live", get(live))
        .route("/assets/{file}", get(assets::serve))
        .fallback(unknown)
}

async fn show(State(alone): State<Alone>, params: Params) -> Html {
    let (sheet, ask) = (alone.now(), Ask::of(&params));
    let look = Look {
        sheet: &sheet,
        ask: &ask,
        facts: &Facts::default(),
    };
    Html(html! {
        (DOCTYPE)
        html lang="en" {
            (head(&format!("{} – {}", sheet.board.name(), sheet.file), true))
            body.whole.alone data-follow="/board/live" {
                a.skip href="#main" { "Skip to the content" }
                main #main tabindex="-1" { (look.page()) }
                p #said .unseen role="status" aria-live="polite" {}
            }
        }
    })
}

async fn note(State(alone): State<Alone>, At(id): At<String>, params: Params) -> Html {
    let (sheet, mut ask) = (alone.now(), Ask::of(&params));
    ask.note = Some(id);
    let look = Look {
        sheet: &sheet,
        ask: &ask,
        facts: &Facts::default(),
    };
    Html(look.panel())
}

/// Says that the file was read again.
async fn live(State(alone): State<Alone>) -> Response {
    let mut closing = alone.closing.clone();
    let closed = async move {
        // The sender is gone when the server is.
        let _ = closing.wait_for(|closing| *closing).await;
    };
    let start = (alone.sheet, 0_u64);
    let ticks = stream::unfold(start, |(mut sheet, count)| async move {
        if count > 0 {
            sheet.changed().await.ok()?;
        }
        sheet.mark_unchanged();
        let tick = Event::default().event("tick").data(count.to_string());
        Some((Ok::<_, Infallible>(tick), (sheet, count + 1)))
    });
    Sse::new(ticks.take_until(Box::pin(closed)))
        .keep_alive(KeepAlive::default())
        .into_response()
}

async fn unknown() -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head("There is no such page", true))
            body {
                main #main tabindex="-1" {
                    h1 { "There is no such page" }
                    p { a.button href="/board" { "The board" } }
                }
            }
        }
    };
    (StatusCode::NOT_FOUND, Html(page)).into_response()
}

impl Alone {
    fn now(&self) -> Arc<Sheet> {
        self.sheet.borrow().clone()
    }
}
