//! What the open door of another system says of a command: refused, or not yet done.

use fait::app::TellError;
use reqwest::StatusCode;
use serde_json::Value;

/// How the type of a refusal begins.
const REFUSAL: &str = "urn:fait:refusal:";

/// How a command stands by its receipt, when it was not refused.
#[derive(Debug, PartialEq)]
pub(super) enum Stands {
    /// It is not done yet.
    Pending,
    /// It is.
    Done,
}

/// A refusal, where an answer is one.
pub(super) fn refusal(status: StatusCode, body: &[u8]) -> Option<TellError> {
    if status != StatusCode::UNPROCESSABLE_ENTITY {
        return None;
    }
    let body: Value = serde_json::from_slice(body).ok()?;
    let code = body["type"].as_str()?.strip_prefix(REFUSAL)?;
    let reason = body["detail"].as_str().unwrap_or_default();
    Some(TellError::refused(code, reason))
}

/// The path of the receipt that an answer promises.
pub(super) fn path_in(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let path = body["receipt"].as_str()?;
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"/-".contains(&b);
    // Only below the address that was asked: the token goes nowhere else.
    let own = path.starts_with("/api/receipts/") && path.bytes().all(fits);
    (own && body["status"] == "pending").then(|| path.to_owned())
}

/// The scheme and host of an address that was looked at before.
pub(super) fn origin(address: &str) -> &str {
    let host = address.find("://").map_or(0, |i| i + 3);
    match address[host..].find('/') {
        Some(end) => &address[..host + end],
        None => address,
    }
}

/// What a receipt says.
pub(super) fn read(status: StatusCode, body: &[u8]) -> Result<Stands, TellError> {
    if !status.is_success() {
        // Also when it is not known any more: the command is told again, and acts once.
        return Err(TellError::later(format!("its receipt: {status}")));
    }
    let said: Value = serde_json::from_slice(body)
        .map_err(|e| TellError::later(format!("its receipt cannot be read: {e}")))?;
    let text = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
    match (text("status").as_str(), text("outcome").as_str()) {
        ("pending", _) => Ok(Stands::Pending),
        ("done", "accepted") => Ok(Stands::Done),
        ("done", "refused") => Err(TellError::refused(text("code"), text("detail"))),
        _ => Err(TellError::later(
            "its receipt says nothing that is known here",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_sought_where_the_command_was_sent_only() {
        let pending = |path: &str| {
            let body = serde_json::json!({"status": "pending", "receipt": path}).to_string();
            path_in(body.as_bytes())
        };
        assert_eq!(
            pending("/api/receipts/7-a").as_deref(),
            Some("/api/receipts/7-a")
        );
        for other in [
            "//evil.example/api/receipts/7",
            "/api/receipts/7?x",
            "@evil",
            "",
        ] {
            assert_eq!(pending(other), None, "{other}");
        }
        assert_eq!(path_in(br#"{"receipt": "/api/receipts/7"}"#), None);
        assert_eq!(
            origin("https://a.example:7/api/commands"),
            "https://a.example:7"
        );
        assert_eq!(origin("http://a.example"), "http://a.example");
    }

    #[test]
    fn what_a_receipt_does_not_say_is_asked_by_telling_again() {
        let ok = StatusCode::OK;
        let done = br#"{"status": "done", "outcome": "refused", "code": "Full", "detail": "no"}"#;
        assert_eq!(read(ok, done), Err(TellError::refused("Full", "no")));
        for (status, body) in [(StatusCode::NOT_FOUND, "{}"), (ok, "{}"), (ok, "<html>")] {
            let e = read(status, body.as_bytes()).unwrap_err();
            assert!(matches!(e, TellError::Later { .. }), "{e}");
        }
    }
}
