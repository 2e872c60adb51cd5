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

/// Writes `7.0` as `7`, which JSON does not tell apart, and other languages write.
pub(super) fn whole_numbers(body: &mut Value) {
    /// Behind this, not every whole number has a float of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match body {
        Value::Array(all) => all.iter_mut().for_each(whole_numbers),
        Value::Object(all) => all.values_mut().for_each(whole_numbers),
        Value::Number(n) => {
            let float = n.as_f64().filter(|f| n.is_f64() && f.abs() < EXACT);
            if let Some(whole) = float.filter(|f| f.fract() == 0.0)
                && let Ok(whole) = format!("{whole:.0}").parse::<i64>()
            {
                *n = whole.into();
            }
        }
        _ => {}
    }
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

#[cfg(test)]
mod tests {
    use super::whole_numbers;
    use serde_json::json;

    #[test]
    fn whole_numbers_are_whole_however_they_are_written() {
        let mut body = json!({"a": 7.0, "b": [-0.0, 7.5, 1e300], "c": {"d": 1e3}, "e": "7.0"});
        whole_numbers(&mut body);
        let expected = json!({"a": 7, "b": [0, 7.5, 1e300], "c": {"d": 1000}, "e": "7.0"});
        assert_eq!(body, expected);
    }
}
