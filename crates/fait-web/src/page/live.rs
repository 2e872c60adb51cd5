//! `/live`: says that something has changed, so that pages fetch themselves again.

use crate::shared::Shared;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use fait::board::play::Playing;
use futures_util::{StreamExt, stream};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::watch;

/// The least time between two ticks.
const QUIET: Duration = Duration::from_millis(300);

/// `GET /live`
pub(super) async fn follow(State(shared): State<Shared>) -> Response {
    let closed = shared.closed();
    let pulse = shared.app.pulse();
    let edited = shared.playing.as_ref().map(Playing::follow);
    let ticks = stream::unfold(
        (shared, pulse, edited, true),
        |(shared, mut pulse, mut edited, first)| async move {
            if !first {
                tokio::select! {
                    changed = pulse.changed() => changed.ok()?,
                    () = changes(&mut edited) => {}
                }
                tokio::time::sleep(QUIET).await;
                pulse.mark_unchanged();
            }
            let head = shared.app.head().await.ok()?;
            let tick = Event::default().event("tick").data(head.to_string());
            Some((Ok::<_, Infallible>(tick), (shared, pulse, edited, false)))
        },
    );
    Sse::new(ticks.take_until(Box::pin(closed)))
        .keep_alive(KeepAlive::default())
        .into_response()
}

/// Resolves when the board that is played was edited such that it cannot be, or can be again.
async fn changes(edited: &mut Option<watch::Receiver<Vec<String>>>) {
    let changed = match edited {
        Some(edited) => edited.changed().await,
        None => std::future::pending().await,
    };
    if changed.is_err() {
        *edited = None;
        std::future::pending::<()>().await;
    }
}
