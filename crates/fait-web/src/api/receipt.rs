//! Receipts: what became of a command that was answered before it was done.

use super::command;
use crate::answer::Problem;
use crate::caller::Caller;
use crate::request::At;
use crate::shared::Shared;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use uuid::Uuid;

/// Where the receipt of a command is.
pub(super) fn address(command: Uuid) -> String {
    format!("/api/receipts/{command}")
}

/// The answer to a command that is not done yet.
pub(super) fn pending(command: Uuid) -> Response {
    let headers = [
        (header::LOCATION, address(command)),
        (header::RETRY_AFTER, "1".into()),
    ];
    let body = json!({"status": "pending", "command": command, "receipt": address(command)});
    (StatusCode::ACCEPTED, headers, Json(body)).into_response()
}

/// `GET /api/receipts/{id}`
pub(super) async fn receipt(
    State(shared): State<Shared>,
    At(id): At<String>,
    caller: Caller,
) -> Result<Response, Problem> {
    let wrong = |_| Problem::malformed(format!("`{id}` is not the id of a command, a UUID"));
    let command: Uuid = id.parse().map_err(wrong)?;
    // Of others it is not even said that they asked.
    let own = |actor: &str| caller.client().is_none_or(|client| client.actor() == actor);
    let running = shared.running.actor_of(command);
    if let Some(kept) = shared.app.kept(command).await?
        && own(kept.actor.as_deref().unwrap_or_default())
    {
        let mut body = match &kept.outcome {
            Ok(receipt) => command::body(receipt),
            Err(refused) => json!({
                "outcome": "refused",
                "command": command,
                "code": refused.code,
                "detail": refused.message,
            }),
        };
        body["status"] = "done".into();
        body["correlation"] = kept.correlation.to_string().into();
        return Ok(Json(body).into_response());
    }
    // Looked at before the log, so that what ends in between is found there.
    if running.is_some_and(|actor| own(&actor)) {
        let body = json!({"status": "pending", "command": command, "receipt": address(command)});
        return Ok(([(header::RETRY_AFTER, "1")], Json(body)).into_response());
    }
    let detail = format!(
        "nothing is known of command {command}: it failed, or the program was started again before \
         it was done. Send it again under its key"
    );
    Err(Problem::not_found(detail))
}
