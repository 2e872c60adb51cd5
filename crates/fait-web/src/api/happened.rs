//! What happened, counted for the board.

use crate::answer::Problem;
use crate::shared::Shared;
use axum::Json;
use axum::extract::State;
use fait::board::happened::Happened;
use fait::store::StoreError;

/// Events that one request counts at most. Counting goes on where it was, so that a long history
/// is counted by many requests, and each event once.
const AT_MOST: usize = 20_000;

/// `GET /api/board/happened`
pub(super) async fn happened(State(shared): State<Shared>) -> Result<Json<Happened>, Problem> {
    Ok(Json(counted(&shared).await?))
}

/// What happened, as far as it is counted; each call counts on.
async fn counted(shared: &Shared) -> Result<Happened, StoreError> {
    let mut tally = shared.tally.lock().await;
    tally.count(&shared.app, AT_MOST).await
}
