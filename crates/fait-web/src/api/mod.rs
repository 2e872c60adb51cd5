//! The HTTP interface: everything that pages and the command line can do, as JSON.

mod commands;
mod events;
mod metrics;
mod ops;
mod views;

pub(crate) use metrics::record;

use crate::shared::Shared;
use axum::Router;
use axum::routing::{get, post};

/// All addresses of the interface.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/api/commands/{name}", post(commands::send))
        .route("/api/inbox/{role}", get(commands::inbox))
        .route("/api/manifest", get(ops::manifest))
        .route("/api/views/{name}", get(views::rows))
        .route("/api/views/{name}/{key}", get(views::row))
        .route("/api/events", get(events::list))
        .route("/api/events/stream", get(events::stream))
        .route("/api/events/{which}", get(events::one))
        .route("/api/trace/{which}", get(events::trace))
        .route("/api/ops/processes", get(ops::processes))
        .route("/api/ops/processes/{name}", get(ops::instances))
        .route("/api/ops/processes/{name}/{key}", get(ops::instance))
        .route("/api/ops/processes/{name}/{key}/resume", post(ops::resume))
        .route("/api/ops/views", get(ops::views))
        .route("/api/ops/views/{name}", get(ops::view))
        .route("/api/ops/views/{name}/rebuild", post(ops::rebuild))
        .route("/healthz", get(ops::health))
        .route("/livez", get(ops::alive))
        .route("/readyz", get(ops::ready))
        .route("/metrics", get(metrics::scrape))
}
