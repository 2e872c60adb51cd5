//! Tasks that are asked of people, by HTTP: the inbox, and taking one on.

use super::body::read_json;
use crate::answer::Problem;
use crate::request::At;
use crate::seen::{AtLeast, WAIT, caught_up};
use crate::shared::Shared;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// `GET /api/inbox/{role}`
pub(super) async fn inbox(
    State(shared): State<Shared>,
    At(role): At<String>,
    AtLeast(wanted): AtLeast,
) -> Result<Response, Problem> {
    let Some(role) = shared.role(&role) else {
        let names: Vec<&str> = shared.manifest.roles.keys().map(String::as_str).collect();
        let detail = format!("there is no role `{role}`; there are {}", names.join(", "));
        return Err(Problem::not_found(detail));
    };
    let shown = caught_up(shared.app.wait_for_tasks(wanted, WAIT).await);
    Ok((shown, Json(json!(shared.app.inbox(role, 1000)?))).into_response())
}

/// `POST /api/tasks/{id}/claim` with `{"by": …, "minutes": …}`
pub(super) async fn claim(
    State(shared): State<Shared>,
    At(id): At<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let id = task(&id)?;
    let body = read_json(&headers, body)?;
    let by = by(&body)?;
    let minutes = body["minutes"].as_u64().filter(|m| (1..=1440).contains(m));
    let minutes = minutes.ok_or_else(|| {
        Problem::malformed("`minutes` is a number from 1 to 1440").with("field", "minutes")
    })?;
    let until = shared
        .app
        .claim(id, by, Duration::from_secs(minutes * 60))
        .await?;
    Ok(Json(json!({"by": by, "until": until})))
}

/// `POST /api/tasks/{id}/hand-back` with `{"by": …}`
pub(super) async fn hand_back(
    State(shared): State<Shared>,
    At(id): At<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let (id, body) = (task(&id)?, read_json(&headers, body)?);
    shared.app.hand_back(id, by(&body)?).await?;
    Ok(Json(json!({"outcome": "handed back"})))
}

/// `POST /api/tasks/{id}/decline` with `{"by": …, "reason": …}`
pub(super) async fn decline(
    State(shared): State<Shared>,
    At(id): At<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let (id, body) = (task(&id)?, read_json(&headers, body)?);
    let reason = body["reason"].as_str().unwrap_or_default();
    shared.app.decline(id, by(&body)?, reason).await?;
    Ok(Json(json!({"outcome": "declined"})))
}

fn task(id: &str) -> Result<Uuid, Problem> {
    let wrong = |_| Problem::malformed(format!("`{id}` is not the id of a task, a UUID"));
    id.parse().map_err(wrong)
}

fn by(body: &Value) -> Result<&str, Problem> {
    let by = body["by"].as_str().filter(|s| !s.trim().is_empty());
    by.ok_or_else(|| Problem::malformed("say `by` whom").with("field", "by"))
}
