//! The bus by HTTP: how it stands, and what operators do to it.

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
use fait::app::{OutletError, ReplayFrom};
use fait::event::Position;
use serde::Deserialize;
use serde_json::{Value, json};

/// What can be done to an outlet.
const ACTIONS: [&str; 3] = ["replay", "skip", "retry"];

impl From<OutletError> for Problem {
    fn from(e: OutletError) -> Self {
        let detail = e.to_string();
        let conflict = |kind, title| Problem::new(StatusCode::CONFLICT, kind, title, &*detail);
        match e {
            OutletError::NoOutlet { .. } => Problem::not_found(detail),
            OutletError::NoName => Problem::malformed(detail).with("field", "by"),
            OutletError::NoReason => Problem::malformed(detail).with("field", "reason"),
            OutletError::Beyond { .. } => Problem::malformed(detail).with("field", "from"),
            OutletError::NotStoppedBy { .. } => conflict("not-stopped", "It is not stopped by it"),
            OutletError::Moved { .. } => conflict("moved", "It moved meanwhile"),
            OutletError::Broker(_) => {
                let title = "The broker does not answer";
                Problem::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "unavailable",
                    title,
                    detail,
                )
            }
            OutletError::Store(e) => e.into(),
            _ => Problem::malformed(detail),
        }
    }
}

/// `GET /api/ops/bus`
pub(super) async fn status(State(shared): State<Shared>) -> Result<Json<Value>, Problem> {
    Ok(Json(json!(shared.app.bus().await?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Replay {
    from: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Skip {
    position: Position,
}

/// `POST /api/ops/bus/outlets/{name}/{action}` with `{"by": …, "reason": …, …}`
pub(super) async fn act(
    State(shared): State<Shared>,
    At((name, action)): At<(String, String)>,
    words: Words,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let mut said = Said::read(read_json(&headers, body)?, &words)?;
    let app = &shared.app;
    match action.as_str() {
        "replay" => {
            let own: Replay = said.own(&action)?;
            let from = from(&own.from)?;
            let reason = Some(said.reason.as_str()).filter(|r| !r.is_empty());
            let after = app.replay(&name, from, &said.by, reason).await?;
            Ok(Json(
                json!({"outcome": "replay", "outlet": name, "after": after}),
            ))
        }
        "skip" => {
            let Skip { position } = said.own(&action)?;
            app.skip_published(&name, position, &said.by, &said.reason)
                .await?;
            Ok(Json(
                json!({"outcome": "skip", "outlet": name, "position": position}),
            ))
        }
        "retry" => {
            let Nothing {} = said.own(&action)?;
            app.retry_outlet(&name)?;
            Ok(Json(json!({"outcome": "retry", "outlet": name})))
        }
        _ => Err(no_action(&action, &ACTIONS)),
    }
}

/// `"start"`, `"here"`, or a position.
fn from(value: &Value) -> Result<ReplayFrom, Problem> {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let wrong = |e: String| Problem::malformed(e).with("field", "from");
    text.parse().map_err(wrong)
}
