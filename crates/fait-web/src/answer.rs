//! Answers: JSON, problems (RFC 9457), and pages.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use fait::app::{ClaimError, FeedError, SendError, VersionError};
use fait::store::StoreError;
use serde_json::{Value, json};

/// Something was wrong; the detail says what, and what to do next.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    kind: Box<str>,
    title: &'static str,
    detail: Box<str>,
    more: Value,
    headers: Vec<(HeaderName, String)>,
}

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Problem {
            status,
            kind: format!("urn:fait:problem:{kind}").into(),
            title,
            detail: detail.into().into(),
            more: json!({}),
            headers: vec![],
        }
    }

    /// A decision refused it; the type names the reason.
    pub(crate) fn refusal(code: &str, message: &str) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let mut problem = Problem::new(status, "", "It was refused", message);
        problem.kind = format!("urn:fait:refusal:{code}").into();
        problem.with("code", code)
    }

    /// What was sent cannot be read.
    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed",
            "It cannot be read",
            detail,
        )
    }

    /// There is no such thing.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Problem::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "There is no such thing",
            detail,
        )
    }

    /// A client may not do that.
    pub(crate) fn no_right(detail: impl Into<String>) -> Self {
        let title = "It has no right to that";
        Problem::new(StatusCode::FORBIDDEN, "no-right", title, detail)
    }

    /// A member beside the standard ones.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more[name] = value.into();
        self
    }

    /// A header of the answer. One that cannot be sent is left out.
    pub(crate) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Says that another try may help, and when.
    pub(crate) fn later(self, seconds: u64) -> Self {
        self.header(header::RETRY_AFTER, seconds.to_string())
    }

    /// The short title.
    pub(crate) fn title(&self) -> &str {
        self.title
    }

    /// The sentence.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// The problem as JSON.
    pub(crate) fn body(&self) -> Value {
        let mut body = self.more.clone();
        body["type"] = (*self.kind).into();
        body["title"] = self.title.into();
        body["status"] = self.status.as_u16().into();
        body["detail"] = (*self.detail).into();
        body
    }

    /// The status.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        let json = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

impl From<SendError> for Problem {
    fn from(e: SendError) -> Self {
        let detail = e.to_string();
        match e {
            SendError::Unknown { .. } => Problem::not_found(detail),
            SendError::Input(e) => match e.field {
                Some(field) => Problem::malformed(detail).with("field", field),
                None => Problem::malformed(detail),
            },
            SendError::Refused(r) => Problem::refusal(&r.code, &r.message),
            SendError::Limit(_) => Problem::malformed(format!("{detail}; send less")),
            SendError::Elsewhere(_) => Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "elsewhere",
                "Another system does that",
                detail,
            ),
            SendError::Reused(_) => Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "key-reused",
                "The key was used before",
                format!("{detail}; use a new key for a new request"),
            ),
            SendError::NotAsked(_) => Problem::new(
                StatusCode::CONFLICT,
                "not-asked",
                "It is not asked any more",
                detail,
            ),
            SendError::Conflict => {
                let detail = format!("{detail}; send it again");
                Problem::new(
                    StatusCode::CONFLICT,
                    "conflict",
                    "Others were faster",
                    detail,
                )
                .later(1)
            }
            SendError::Store(e) => e.into(),
            _ => Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "defect",
                "The program is at fault",
                detail,
            ),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(e: StoreError) -> Self {
        let detail = e.to_string();
        if detail.starts_with("there is no") {
            return Problem::not_found(detail);
        }
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "store",
            "The store is in trouble",
            detail,
        )
    }
}

impl From<FeedError> for Problem {
    fn from(e: FeedError) -> Self {
        let detail = e.to_string();
        let conflict =
            |kind, title, detail| Problem::new(StatusCode::CONFLICT, kind, title, detail);
        match e {
            FeedError::Store(e) => e.into(),
            FeedError::Version(e) => e.into(),
            FeedError::Use(_) => Problem::malformed(detail),
            FeedError::Unknown(_) => Problem::not_found(detail),
            FeedError::OtherHistory(_) => {
                conflict("other-history", "It was read from another history", detail)
            }
            _ => conflict("feed", "The feed cannot do that now", detail),
        }
    }
}

impl From<VersionError> for Problem {
    fn from(e: VersionError) -> Self {
        Problem::malformed(e.to_string()).with("field", "as")
    }
}

impl From<ClaimError> for Problem {
    fn from(e: ClaimError) -> Self {
        match e {
            ClaimError::Send(e) => e.into(),
            ClaimError::NoReason => Problem::malformed(e.to_string()).with("field", "reason"),
            taken => {
                let detail = taken.to_string();
                Problem::new(
                    StatusCode::CONFLICT,
                    "taken",
                    "Somebody else has it",
                    detail,
                )
            }
        }
    }
}

/// A page.
#[derive(Debug)]
pub(crate) struct Html(pub(crate) maud::Markup);

impl IntoResponse for Html {
    fn into_response(self) -> Response {
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        ([(header::CONTENT_TYPE, html)], self.0.into_string()).into_response()
    }
}
