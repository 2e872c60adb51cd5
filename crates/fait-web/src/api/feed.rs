//! Named feeds by HTTP: how they stand, and putting them elsewhere.

use super::body::read_json;
use crate::answer::Problem;
use crate::request::At;
use crate::shared::Shared;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use serde_json::{Value, json};

/// `GET /api/ops/feeds`
pub(super) async fn all(State(shared): State<Shared>) -> Result<Json<Value>, Problem> {
    Ok(Json(json!(shared.app.feeds().await?)))
}

/// `POST /api/ops/feeds/{name}/reset` with `{"to": …}`
pub(super) async fn reset(
    State(shared): State<Shared>,
    At(name): At<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let body = read_json(&headers, body)?;
    let Some(to) = body["to"].as_u64() else {
        let detail = "`to` is the position behind which the feed goes on; 0 for the first event";
        return Err(Problem::malformed(detail).with("field", "to"));
    };
    shared.app.reset_feed(&name, to).await?;
    Ok(Json(
        json!({"outcome": "reset", "name": name, "position": to}),
    ))
}
