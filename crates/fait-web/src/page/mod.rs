//! Pages for people.

use crate::shared::Shared;
use axum::Router;

/// All pages.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
}

/// The page for an address that does not exist.
pub(crate) async fn not_found(_: &Shared, path: &str) -> axum::response::Response {
    use axum::response::IntoResponse;
    let text = format!("nothing is at {path}");
    (axum::http::StatusCode::NOT_FOUND, text).into_response()
}
