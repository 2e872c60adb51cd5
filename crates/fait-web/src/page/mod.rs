//! Pages for people: tasks, things, views, what happened, how the system stands.

mod words;
mod outcome;
mod assets;
mod trouble;
mod desk;
mod frame;
mod subject;
mod story;
mod field;
mod receipt;
mod start;
mod inbox;
mod form;
mod task;
mod send;
mod thing;
mod filter;
mod view;
mod event;
mod flow;
mod bus;
mod status;
mod rebuild;
mod stuck;
mod instance;
mod board;
mod play;
mod live;

use crate::seen;
use crate::shared::Shared;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use trouble::Trouble;

pub(crate) use board::alone::{Alone, routes as alone};

/// All pages.
pub(crate) fn routes(shared: &Shared) -> Router<Shared> {
    Router::new()
        .route("/", get(start::show))
        .route("/inbox", get(inbox::show))
        .route("/tasks/{ask}", get(task::asked))
        .route("/tasks/{ask}/claim", post(task::claim))
        .route("/do/{command}", get(task::unasked).post(send::send))
        .route("/things/{kind}/{key}", get(thing::show))
        .route("/views/{name}", get(view::show))
        .route("/events", get(event::list))
        .route("/events/{position}", get(event::one))
        .route("/flows/{correlation}", get(flow::show))
        .route("/status", get(status::show))
        .route("/status/resume", post(status::resume))
        .route(
            "/status/views/{name}",
            get(rebuild::show).post(rebuild::act),
        )
        .route("/status/views/{name}/diff", get(rebuild::diff))
        .route("/stuck", get(stuck::show))
        .route("/stuck/many", post(stuck::many))
        .route("/bus", get(bus::show).post(bus::act))
        .route("/bus/heard", post(bus::heard::act))
        .route(
            "/instances/{process}/{key}",
            get(instance::show).post(instance::act),
        )
        .route("/tasks/{ask}/hand-back", post(task::hand_back))
        .route("/tasks/{ask}/decline", post(task::decline))
        .route("/play", get(play::show))
        .route("/play/pass", post(play::pass))
        .route("/play/example", post(play::save))
        .route("/board", get(board::show))
        .route("/board/note/{id}", get(board::note))
        .route_layer(from_fn_with_state(shared.clone(), seen::keep))
        .route("/me", post(start::choose))
        .route("/live", get(live::follow))
        .route("/board/live", get(board::live))
        .route("/assets/{file}", get(assets::serve))
}

/// The page for an address that leads nowhere.
pub(crate) async fn not_found(shared: &Shared, path: &str) -> Response {
    Trouble::not_found(format!(
        "there is nothing at `{path}` of {}; start with your tasks",
        shared.title
    ))
    .into_response()
}
