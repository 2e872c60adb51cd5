//! The body of a request.

use crate::answer::Problem;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::Value;

/// A header that is text.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
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
