//! What an answer means.

use crate::receipt;
use fait::app::{App, TellError, Told};
use fait::event::{Event, Time};
use fait::store::BoxFuture;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// Takes an answer's body.
pub(super) type Answer = Arc<
    dyn for<'a> Fn(&'a Told, &'a [u8], &'a App) -> BoxFuture<'a, Result<(), TellError>>
        + Send
        + Sync,
>;

/// Bytes of an error page that go into a sentence.
const SHOWN: usize = 200;

/// An answer that becomes an event.
pub(super) fn receiving<E: Event>(
    read: impl Fn(&Told, &Value) -> Result<Option<E>, String> + Send + Sync + 'static,
) -> Answer {
    Arc::new(move |told, body, app| {
        let json = match body {
            [] => Ok(Value::Null),
            body => serde_json::from_slice(body).map_err(|e| format!("the answer: {e}")),
        };
        let event = json.and_then(|json| read(told, &json));
        Box::pin(async move {
            let Some(event) = event.map_err(TellError::unknown)? else {
                return Ok(());
            };
            let flow = Some((told.correlation, told.cause));
            let received = app.receive(event, told.id, flow).await;
            received.map(drop).map_err(TellError::unknown)
        })
    })
}

/// What a status means.
pub(super) fn class(
    status: StatusCode,
    body: &[u8],
    after: Option<Duration>,
) -> Result<(), TellError> {
    if status.is_success() {
        return Ok(());
    }
    let detail = detail(body);
    let error = match shown(detail.as_ref().map_or(body, |d| d.as_bytes()), SHOWN) {
        text if text.is_empty() => status.to_string(),
        text => format!("{status}: {text}"),
    };
    if let Some(refused) = receipt::refusal(status, body) {
        return Err(refused);
    }
    match status.as_u16() {
        // Who says when, means that another try may help.
        409 if after.is_some() => Err(TellError::Later { error, after }),
        408 | 425 | 429 | 500 | 502 | 503 | 504 => Err(TellError::Later { error, after }),
        _ => Err(TellError::never(error)),
    }
}

/// What a problem of RFC 9457 says in words.
pub(super) fn detail(body: &[u8]) -> Option<String> {
    let problem: Value = serde_json::from_slice(body).ok()?;
    problem["detail"].as_str().map(ToOwned::to_owned)
}

/// The beginning of what may be a page of words, with nothing in it that a terminal would obey.
pub(super) fn shown(body: &[u8], most: usize) -> String {
    let text = String::from_utf8_lossy(body.get(..most).unwrap_or(body));
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.trim().chars().map(plain).collect()
}

/// How long `Retry-After` asks to wait: seconds, or until a date by the other side's clock, or by
/// ours when it does not say.
pub(super) fn after(headers: &HeaderMap, now: Time) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| httpdate::parse_http_date(text).ok();
    let theirs = headers.get(DATE).and_then(|d| d.to_str().ok());
    let now = theirs
        .and_then(date)
        .unwrap_or(UNIX_EPOCH + Duration::from_millis(now.0));
    Some(date(text)?.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn waits(retry: &'static str, date: Option<&'static str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(retry));
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_static(date));
        }
        after(&headers, Time(784_111_770_000))
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(waits("120", None), seconds(120));
        let at = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(waits(at, None), seconds(7), "by our clock");
        assert_eq!(
            waits(at, Some("Sun, 06 Nov 1994 08:49:00 GMT")),
            seconds(37)
        );
        assert_eq!(waits(at, Some("Sun, 06 Nov 1994 09:00:00 GMT")), seconds(0));
        assert_eq!(waits("soon", None), None);
    }

    #[test]
    fn a_status_says_whether_another_try_helps() {
        for (status, later) in [
            (500, true),
            (429, true),
            (408, true),
            (501, false),
            (404, false),
            (301, false),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let e = class(status, b"why", None).unwrap_err();
            assert_eq!(matches!(e, TellError::Later { .. }), later, "{e}");
            assert!(e.to_string().ends_with("why"));
        }
        let problem = br#"{"title": "Only clients", "detail": "no client has this token"}"#;
        let e = class(StatusCode::UNAUTHORIZED, problem, None).unwrap_err();
        assert_eq!(
            e,
            TellError::never("401 Unauthorized: no client has this token")
        );
        assert_eq!(class(StatusCode::ACCEPTED, b"", None), Ok(()));
        let soon = Some(Duration::from_secs(1));
        let busy = class(StatusCode::CONFLICT, b"", soon).unwrap_err();
        assert!(matches!(busy, TellError::Later { .. }), "{busy}");
        let over = class(StatusCode::CONFLICT, b"", None).unwrap_err();
        assert!(matches!(over, TellError::Never { .. }), "{over}");
    }

    #[test]
    fn a_refusal_of_an_open_door_is_told_from_other_problems() {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let refused = br#"{"type": "urn:fait:refusal:Full", "code": "Full", "detail": "no seat"}"#;
        assert_eq!(
            class(status, refused, None),
            Err(TellError::refused("Full", "no seat"))
        );
        for other in [
            r#"{"type": "urn:fait:problem:key-reused", "detail": "used"}"#,
            r#"{"type": "https://example.com/full", "code": "Full"}"#,
            "urn:fait:refusal:Full",
        ] {
            let e = class(status, other.as_bytes(), None).unwrap_err();
            assert!(matches!(e, TellError::Never { .. }), "{e}");
        }
    }
}
