//! What is heard, by HTTP: messages that cannot be read, and what operators do about them.

use super::Words;
use super::body::read_json;
use super::operate::{Nothing, Said, no_action};
use crate::answer::Problem;
use crate::request::At;
use crate::shared::Shared;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use fait::app::HearError;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// What can be done to a receiver.
const ACTIONS: [&str; 2] = ["reread", "continue"];

impl From<HearError> for Problem {
    fn from(e: HearError) -> Self {
        let detail = e.to_string();
        let problem = |status, kind, title| Problem::new(status, kind, title, &*detail);
        match e {
            HearError::Unknown { .. } => Problem::not_found(detail),
            HearError::NotKept(_) => problem(StatusCode::CONFLICT, "not-kept", "It is not kept"),
            HearError::Reason => Problem::malformed(detail).with("field", "reason"),
            HearError::Later(_) => {
                let title = "It cannot be done now";
                problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", title)
            }
            HearError::Store(e) => e.into(),
            _ => Problem::malformed(detail),
        }
    }
}

/// `GET /api/ops/bus/unreadable?receiver=…`
pub(super) async fn unreadable(
    State(shared): State<Shared>,
    words: Words,
) -> Result<Json<Value>, Problem> {
    words.only(&["receiver"])?;
    let all = shared.app.unreadable(words.get("receiver")).await?;
    Ok(Json(json!({"messages": all})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reread {
    #[serde(default)]
    which: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Continue {
    #[serde(default)]
    after: Option<u64>,
}

/// `POST /api/ops/bus/inlets/{name}/{action}` with `{"by": …, …}`
pub(super) async fn act(
    State(shared): State<Shared>,
    At((name, action)): At<(String, String)>,
    words: Words,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let mut said = Said::read(read_json(&headers, body)?, &words)?;
    match action.as_str() {
        "reread" => {
            let Reread { which } = said.own(&action)?;
            let read = shared.app.reread(&name, which.as_deref()).await?;
            Ok(Json(
                json!({"outcome": "reread", "receiver": name, "messages": read}),
            ))
        }
        "continue" => {
            let Continue { after } = said.own(&action)?;
            shared.app.continue_hearing(&name, after, &said.by).await?;
            Ok(Json(
                json!({"outcome": "continue", "receiver": name, "after": after}),
            ))
        }
        _ => Err(no_action(&action, &ACTIONS)),
    }
}

/// `POST /api/ops/bus/messages/{id}/skip` with `{"by": …, "reason": …}`
pub(super) async fn skip(
    State(shared): State<Shared>,
    At(id): At<Uuid>,
    words: Words,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let mut said = Said::read(read_json(&headers, body)?, &words)?;
    let Nothing {} = said.own("skip")?;
    let app = &shared.app;
    app.skip_message(id, &said.by, &said.reason).await?;
    Ok(Json(json!({"outcome": "skip", "message": id})))
}
