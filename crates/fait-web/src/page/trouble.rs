//! What comes in with a request for a page, and the page for when it cannot be shown.

use super::assets::address;
use super::words::sentence;
use crate::answer::{Html, Problem};
use axum::Form;
use axum::RequestPartsExt;
use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequestParts, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use fait::app::{BulkError, ClaimError, OperateError, ReadError, SendError};
use fait::store::StoreError;
use maud::{DOCTYPE, Markup, html};
use uuid::Uuid;

/// A problem, shown as a page.
#[derive(Debug)]
pub(super) struct Trouble(Problem);

impl Trouble {
    pub(super) fn malformed(detail: impl Into<String>) -> Self {
        Trouble(Problem::malformed(detail))
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Trouble(Problem::not_found(detail))
    }

    pub(super) fn unavailable(detail: impl Into<String>) -> Self {
        let (status, title) = (StatusCode::SERVICE_UNAVAILABLE, "It cannot be done now");
        Trouble(Problem::new(status, "unavailable", title, detail))
    }
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Trouble(problem)
    }
}

impl From<StoreError> for Trouble {
    fn from(e: StoreError) -> Self {
        Trouble(e.into())
    }
}

impl From<SendError> for Trouble {
    fn from(e: SendError) -> Self {
        Trouble(e.into())
    }
}

impl From<ReadError> for Trouble {
    fn from(e: ReadError) -> Self {
        Trouble(e.into())
    }
}

impl From<OperateError> for Trouble {
    fn from(e: OperateError) -> Self {
        Trouble(e.into())
    }
}

impl From<BulkError> for Trouble {
    fn from(e: BulkError) -> Self {
        Trouble(e.into())
    }
}

impl From<ClaimError> for Trouble {
    fn from(e: ClaimError) -> Self {
        Trouble(e.into())
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let (title, detail) = (self.0.title(), sentence(self.0.detail()));
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                (head(title, false))
                body {
                    header.top { a.name href="/" { span.mark aria-hidden="true" {} "Start" } }
                    main #main tabindex="-1" {
                        div.card {
                            h1 { (title) }
                            p.lead { (detail) }
                            p { a.button href="/inbox" { "My tasks" } }
                        }
                    }
                }
            }
        };
        (self.0.status(), Html(page)).into_response()
    }
}

/// The head of every page; that of the board has its own style and script.
pub(super) fn head(title: &str, board: bool) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (title) }
            link rel="icon" type="image/svg+xml" href=(address("icon", "svg"));
            link rel="stylesheet" href=(address("app", "css"));
            script src=(address("app", "js")) defer {}
            @if board {
                link rel="stylesheet" href=(address("picture", "css"));
                link rel="stylesheet" href=(address("board", "css"));
                script src=(address("board", "js")) defer {}
            }
        }
    }
}

/// The parameters behind `?`.
#[derive(Debug)]
pub(super) struct Params(pub(super) Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Trouble;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Trouble> {
        let query: Result<Query<Vec<(String, String)>>, _> = parts.extract().await;
        query
            .map(|Query(pairs)| Params(pairs))
            .map_err(|e| Trouble::malformed(format!("the address cannot be read: {e}")))
    }
}

impl Params {
    /// The value of a parameter, if it is given and not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(n, _)| n == name);
        values
            .next()
            .map(|(_, v)| v.as_str())
            .filter(|v| !v.is_empty())
    }

    /// A whole number.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Trouble> {
        let wrong = |t: &str| Trouble::malformed(format!("`{name}` must be a number, not `{t}`"));
        let text = self.text(name);
        text.map(|t| t.parse().map_err(|_| wrong(t))).transpose()
    }

    /// An id.
    pub(super) fn uuid(&self, name: &str) -> Result<Option<Uuid>, Trouble> {
        self.text(name).map(uuid).transpose()
    }
}

/// An id in an address.
pub(super) fn uuid(text: &str) -> Result<Uuid, Trouble> {
    let wrong = |_| Trouble::malformed(format!("`{text}` is not a UUID"));
    text.parse().map_err(wrong)
}

/// The words of a form, in its order.
pub(super) type Words = Result<Form<Vec<(String, String)>>, FormRejection>;

pub(super) fn words(form: Words) -> Result<Vec<(String, String)>, Trouble> {
    form.map(|Form(words)| words)
        .map_err(|e| Trouble::malformed(format!("the form cannot be read: {}", e.body_text())))
}
