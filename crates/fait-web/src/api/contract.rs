//! What the system promises to tell others.

use crate::answer::Problem;
use crate::shared::Shared;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use fait::contract::{asyncapi, document, published};
use serde_json::Value;

/// `GET /api/asyncapi.json`
pub(super) async fn asyncapi_document(State(shared): State<Shared>) -> Json<Value> {
    Json(asyncapi(&shared.manifest).to_json())
}

/// `GET /api/schemas/<type>`: the JSON Schema of a published type, by the type or by its URI.
pub(super) async fn schema(
    State(shared): State<Shared>,
    Path(asked): Path<String>,
) -> Result<Response, Problem> {
    let ty = asked.strip_prefix("urn:fait:schema:").unwrap_or(&asked);
    let all = published(&shared.manifest);
    let Some(def) = all.get(ty) else {
        let known: Vec<&str> = all.keys().map(String::as_str).collect();
        let known = match known.is_empty() {
            true => "nothing is published".to_owned(),
            false => format!("there is {}", known.join(", ")),
        };
        let shown: String = ty.chars().take(60).collect();
        let detail = format!("no type `{shown}` is published; {known}");
        return Err(Problem::not_found(detail));
    };
    let ty = [(header::CONTENT_TYPE, "application/schema+json")];
    Ok((ty, Json(document(def)).into_response().into_body()).into_response())
}
