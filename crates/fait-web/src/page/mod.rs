//! Pages for people.

use crate::answer::{Html, Problem};
use crate::shared::Shared;
use axum::Router;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

/// All pages.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
}

/// A problem as a page.
pub(crate) fn problem(_: &Shared, _: &HeaderMap, problem: &Problem) -> Response {
    (
        problem.status(),
        Html(maud::html! { h1 { (problem.title()) } p { (problem.detail()) } }),
    )
        .into_response()
}
