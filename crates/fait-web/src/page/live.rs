//! `/live`: says that something has changed, so that pages fetch themselves again.

use crate::shared::Shared;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use std::convert::Infallible;
use std::time::Duration;

/// The least time between two ticks.
const QUIET: Duration = Duration::from_millis(300);

/// `GET /live`
pub(super) async fn follow(State(shared): State<Shared>) -> Response {
    let closed = shared.closed();
    let pulse = shared.app.pulse();
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
