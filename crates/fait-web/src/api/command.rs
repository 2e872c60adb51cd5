//! Commands by HTTP: one is sent once, however often the request is.

use super::Words;
use crate::answer::Problem;
use crate::request::At;
use crate::seen::{AtLeast, TOKEN, WAIT, caught_up};
use crate::shared::Shared;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use fait::app::Envelope;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// Longest `Idempotency-Key`, in bytes.
const MAX_KEY: usize = 255;

/// `POST /api/commands/{name}`
pub(super) async fn send(
    State(shared): State<Shared>,
    At(name): At<String>,
    words: Words,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    words.only(&["answering", "as"])?;
    shared.app.task(&name)?;
    let body = read_json(&headers, body)?;
    let envelope = Envelope {
        id: key(&name, &headers)?,
        actor: Some(words.get("as").unwrap_or("api").to_string()),
        answering: words.parse("answering", "the id of an asked task, a UUID")?,
        traceparent: text(&headers, "traceparent").map(String::from),
        ..Envelope::default()
    };
    let receipt = shared.app.send_json(&name, body, envelope).await?;
    let mut body = json!(receipt);
    body["outcome"] = "accepted".into();
    Ok(([(TOKEN, receipt.token().to_string())], Json(body)).into_response())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

/// The JSON of a request, or why there is none.
pub(super) fn read_json(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Value, Problem> {
    let body = body.map_err(|e| match e.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        _ => Problem::malformed(format!("the body cannot be read: {e}")),
    })?;
    let kind = text(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    if !kind.is_empty() && !kind.to_ascii_lowercase().contains("json") {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not-json",
            "The body is not JSON",
            format!("the body says it is `{kind}`; send JSON as `application/json`"),
        ));
    }
    serde_json::from_slice(&body).map_err(|e| {
        Problem::malformed(format!("the body is not JSON: {e}"))
            .with("line", e.line())
            .with("column", e.column())
    })
}

pub(crate) fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too-large",
        "The body is too large",
        format!(
            "at most {} bytes are taken; send less",
            crate::shared::MAX_BODY
        ),
    )
}

/// The command's id: a UUID as it is, any other key as the UUID of its text for this command.
fn key(name: &str, headers: &HeaderMap) -> Result<Option<Uuid>, Problem> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let wrong = || {
        let detail = format!("Idempotency-Key is a text of 1 to {MAX_KEY} visible characters");
        Problem::malformed(detail).with("field", "Idempotency-Key")
    };
    let text = value
        .to_str()
        .map_err(|_| wrong())?
        .trim()
        .trim_matches('"');
    if text.is_empty() || text.len() > MAX_KEY {
        return Err(wrong());
    }
    let named = || {
        Uuid::new_v5(
            &Uuid::NAMESPACE_OID,
            format!("key {name} {text}").as_bytes(),
        )
    };
    Ok(Some(text.parse().unwrap_or_else(|_| named())))
}

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
