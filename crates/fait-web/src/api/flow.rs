//! One flow by HTTP.

use super::Words;
use crate::answer::Problem;
use crate::request::At;
use crate::shared::Shared;
use axum::Json;
use axum::extract::State;
use fait::app::Flow;
use uuid::Uuid;

/// Most events of one answer.
const MAX_LIMIT: usize = 1000;

/// `GET /api/flows/{correlation}?after=&limit=`: what this system knows of a flow; nothing where
/// it knows nothing.
pub(super) async fn show(
    State(shared): State<Shared>,
    At(correlation): At<String>,
    words: Words,
) -> Result<Json<Flow>, Problem> {
    words.only(&["after", "limit"])?;
    let Ok(correlation) = correlation.parse::<Uuid>() else {
        let detail = format!("`{correlation}` is not the id of a flow (a UUID)");
        return Err(Problem::malformed(detail));
    };
    let after = words
        .parse("after", "a position: a whole number")?
        .unwrap_or(0);
    let limit = words
        .parse("limit", "a whole number from 1 to 1000")?
        .unwrap_or(MAX_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        let detail = format!("`limit={limit}`: limit is a whole number from 1 to {MAX_LIMIT}");
        return Err(Problem::malformed(detail).with("field", "limit"));
    }
    Ok(Json(shared.app.flow(correlation, after, limit).await?))
}
