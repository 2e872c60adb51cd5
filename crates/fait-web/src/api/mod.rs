//! The HTTP interface: JSON in, JSON or a problem out.

mod body;
mod command;
mod contract;
mod receipt;
mod task;
mod event;
mod feed;
mod flow;
mod happened;
mod ops;
mod published;
mod operate;
mod bus;
mod hears;
mod rebuild;
mod stream;
mod view;

pub(crate) use body::too_large;

pub(crate) use ops::recorder;
pub(crate) use rebuild::act_on;

use crate::answer::Problem;
use crate::caller;
use crate::seen;
use crate::shared::Shared;
use axum::Router;
use axum::extract::{FromRequestParts, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use std::str::FromStr;

/// What other systems use. Where the system has clients, nobody else is let in.
pub(crate) fn door(shared: &Shared) -> Router<Shared> {
    Router::new()
        .route("/api/commands/{name}", post(command::send))
        .route("/api/receipts/{id}", get(receipt::receipt))
        .route("/api/published", get(published::page))
        .route("/api/published/stream", get(published::stream))
        .route("/api/openapi.json", get(ops::openapi))
        .route_layer(from_fn_with_state(shared.clone(), seen::tell))
        .route_layer(from_fn_with_state(shared.clone(), caller::known))
}

/// All other routes below `/api`: for whoever is at this machine.
pub(crate) fn routes(shared: &Shared) -> Router<Shared> {
    Router::new()
        .route("/api/inbox/{role}", get(task::inbox))
        .route("/api/tasks/{id}/claim", post(task::claim))
        .route("/api/tasks/{id}/hand-back", post(task::hand_back))
        .route("/api/tasks/{id}/decline", post(task::decline))
        .route("/api/views/{name}", get(view::rows))
        .route("/api/views/{name}/{key}", get(view::row))
        .route("/api/events", get(event::list))
        .route("/api/events/stream", get(stream::stream))
        .route("/api/events/{which}", get(event::one))
        .route("/api/trace/{which}", get(event::trace))
        .route("/api/flows/{correlation}", get(flow::show))
        .route("/api/manifest", get(ops::manifest))
        .route("/api/asyncapi.json", get(contract::asyncapi_document))
        .route("/api/schemas/{type}", get(contract::schema))
        .route("/api/board/happened", get(happened::happened))
        .route("/api/ops/processes", get(ops::processes))
        .route("/api/ops/processes/{name}", get(ops::instances))
        .route("/api/ops/processes/{name}/{key}", get(operate::instance))
        .route(
            "/api/ops/processes/{name}/{key}/{action}",
            post(operate::act),
        )
        .route("/api/ops/processes/{name}/{key}/resume", post(ops::resume))
        .route("/api/ops/stuck", get(operate::stuck))
        .route("/api/ops/bulk/{process}", get(operate::progress))
        .route("/api/ops/bulk/{process}/preview", post(operate::preview))
        .route("/api/ops/bulk/{process}/run", post(operate::run))
        .route("/api/ops/bulk/{process}/abort", post(operate::abort))
        .route("/api/ops/views", get(ops::views))
        .route("/api/ops/views/{name}", get(ops::view))
        .route("/api/ops/views/{name}/{action}", post(rebuild::act))
        .route("/api/ops/views/{name}/diff", get(rebuild::diff))
        .route("/api/ops/views/{name}/between", get(rebuild::between))
        .route("/api/ops/views/{name}/parked", get(rebuild::parked))
        .route("/api/ops/feeds", get(feed::all))
        .route("/api/ops/feeds/{name}/reset", post(feed::reset))
        .route("/api/ops/bus", get(bus::status))
        .route("/api/ops/bus/outlets/{name}/{action}", post(bus::act))
        .route("/api/ops/bus/unreadable", get(hears::unreadable))
        .route("/api/ops/bus/inlets/{name}/{action}", post(hears::act))
        .route("/api/ops/bus/messages/{id}/skip", post(hears::skip))
        .route("/metrics", get(ops::metrics))
        .route_layer(from_fn_with_state(shared.clone(), seen::tell))
}

/// Whether the system lives, for whoever asks.
pub(crate) fn health() -> Router<Shared> {
    Router::new()
        .route("/healthz", get(ops::live))
        .route("/livez", get(ops::live))
        .route("/readyz", get(ops::ready))
}

/// The words behind `?`, with errors that name the word.
pub(crate) struct Words(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Words {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(words)) => Ok(Words(words)),
            Err(e) => Err(Problem::malformed(format!("the query cannot be read: {e}"))),
        }
    }
}

impl Words {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(n, v)| n == name && !v.is_empty())
            .map(|(_, v)| v.as_str())
    }

    /// The values of a word that may stand several times, or once with commas.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let all = self.0.iter().filter(|(n, _)| n == name);
        let all = all.flat_map(|(_, v)| v.split(','));
        all.map(|v| v.trim().to_string())
            .filter(|v| !v.is_empty())
            .collect()
    }

    /// The value of a word that is no text: an empty one is a mistake.
    pub(crate) fn parse<T: FromStr>(&self, name: &str, wanted: &str) -> Result<Option<T>, Problem> {
        let Some((_, text)) = self.0.iter().find(|(n, _)| n == name) else {
            return Ok(None);
        };
        let shown: String = text.chars().take(60).collect();
        text.parse().map(Some).map_err(|_| {
            Problem::malformed(format!("`{name}={shown}`: {name} is {wanted}")).with("field", name)
        })
    }

    /// The words that are not among those known.
    pub(crate) fn others(&self, known: &[&str]) -> impl Iterator<Item = &(String, String)> {
        self.0
            .iter()
            .filter(move |(n, _)| !known.contains(&n.as_str()))
    }

    /// Refuses words that mean nothing here.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Problem> {
        match self.others(known).next() {
            None => Ok(()),
            Some((name, _)) => Err(Problem::malformed(format!(
                "`{name}` means nothing here; known are {}",
                known.join(", ")
            ))
            .with("field", name.as_str())),
        }
    }
}

/// What is said of a route that does not exist.
pub(crate) fn unknown(path: &str) -> Problem {
    let shown: String = path.chars().take(100).collect();
    Problem::new(
        StatusCode::NOT_FOUND,
        "not-found",
        "There is no such address",
        format!("nothing is at `{shown}`; /api/manifest says what the system has"),
    )
}
