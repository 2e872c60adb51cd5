//! What operators and machines watch.

use super::Words;
use super::body::read_json;
use crate::answer::Problem;
use crate::request::At;
use crate::seen::{AtLeast, WAIT, caught_up};
use crate::shared::Shared;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use fait::app::{BusStatus, Mood, ProcessCount, RebuildStatus, ViewStatus};
use metrics::gauge;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde_json::{Value, json};
use std::sync::OnceLock;

/// `GET /api/manifest`
pub(super) async fn manifest(State(shared): State<Shared>) -> Json<Value> {
    Json(json!(*shared.manifest))
}

/// `GET /api/openapi.json`
pub(super) async fn openapi(State(shared): State<Shared>) -> Json<Value> {
    Json(crate::openapi::openapi(
        &shared.manifest,
        shared.clients.is_some(),
    ))
}

/// `GET /api/ops/processes`
pub(super) async fn processes(State(shared): State<Shared>) -> Result<Json<Value>, Problem> {
    Ok(Json(json!(shared.app.processes().await?)))
}

pub(super) async fn known(shared: &Shared, name: &str) -> Result<(), Problem> {
    let processes = shared.app.processes().await?;
    if processes.iter().any(|p| p.name == name) {
        return Ok(());
    }
    let names: Vec<String> = processes.into_iter().map(|p| p.name).collect();
    let detail = format!(
        "there is no process `{name}`; there are {}",
        names.join(", ")
    );
    Err(Problem::not_found(detail))
}

/// `GET /api/ops/processes/{name}`
pub(super) async fn instances(
    State(shared): State<Shared>,
    At(name): At<String>,
    AtLeast(wanted): AtLeast,
    words: Words,
) -> Result<Response, Problem> {
    known(&shared, &name).await?;
    words.only(&["status", "limit", "at_least"])?;
    let status = words.get("status");
    if let Some(other) = status.filter(|s| !["running", "parked", "ended"].contains(s)) {
        let detail = format!("`status={other}`: status is running, parked or ended");
        return Err(Problem::malformed(detail).with("field", "status"));
    }
    let limit: usize = words
        .parse("limit", "a whole number from 1 to 1000")?
        .unwrap_or(100);
    let app = &shared.app;
    let shown = caught_up(app.wait_for_process(&name, wanted, WAIT).await?);
    let found = shared
        .app
        .instances(Some(&name), status, limit.clamp(1, 1000))?;
    Ok((shown, Json(json!(found))).into_response())
}

/// `POST /api/ops/processes/{name}/{key}/resume` with `{"retry": …, "reason": …}`
pub(super) async fn resume(
    State(shared): State<Shared>,
    At((name, key)): At<(String, String)>,
    words: Words,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    known(&shared, &name).await?;
    words.only(&["as"])?;
    let body = read_json(&headers, body)?;
    let Some(retry) = body["retry"].as_bool() else {
        let detail = "`retry` is true (try the input again) or false (skip it)";
        return Err(Problem::malformed(detail).with("field", "retry"));
    };
    let Some(reason) = body["reason"].as_str().filter(|r| !r.trim().is_empty()) else {
        return Err(Problem::malformed("say why, in `reason`").with("field", "reason"));
    };
    let by = words.get("as").unwrap_or("operator:api");
    shared.app.resume(&name, &key, retry, by, reason).await?;
    Ok(Json(json!({"outcome": "resumed"})))
}

/// `GET /api/ops/views`
pub(super) async fn views(State(shared): State<Shared>) -> Result<Json<Value>, Problem> {
    Ok(Json(json!(shared.app.views().await?)))
}

/// `GET /api/ops/views/{name}`
pub(super) async fn view(
    State(shared): State<Shared>,
    At(name): At<String>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(json!(shared.app.view_status(&name).await?)))
}

/// `GET /livez`: the program answers.
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: everything has caught up, or why not.
pub(super) async fn ready(State(shared): State<Shared>) -> Response {
    match shared.app.health().await {
        Ok(health) if health.ready => (StatusCode::OK, Json(json!(health))).into_response(),
        Ok(health) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!(health))).into_response(),
        Err(e) => Problem::from(e).into_response(),
    }
}

/// Counters of the whole program are collected from here on.
pub(crate) fn recorder() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    // A program that has a recorder of its own keeps it; `/metrics` then says so.
    HANDLE
        .get_or_init(|| PrometheusBuilder::new().install_recorder().ok())
        .as_ref()
}

fn measure(v: &ViewStatus) {
    let set = |gauge: &'static str, value: f64| {
        gauge!(gauge, "view" => v.name.clone()).set(value);
    };
    let flag = |yes: bool| if yes { 1.0 } else { 0.0 };
    set("fait_view_lag_events", v.lag_events as f64);
    set("fait_view_parked_keys", v.parked_keys as f64);
    set("fait_view_unplaced_events", v.unplaced.len() as f64);
    set("fait_view_frozen", flag(v.frozen.is_some()));
    set("fait_view_rebuilding", flag(v.rebuild.is_some()));
    // Of what is not rebuilt, all is done.
    let done = v.rebuild.as_ref().map_or(1.0, RebuildStatus::done);
    set("fait_view_rebuild_ratio", done);
}

/// `GET /metrics`
pub(super) async fn metrics(State(shared): State<Shared>) -> Result<String, Problem> {
    let Some(handle) = recorder() else {
        let detail = "the program records metrics elsewhere; ask there";
        return Err(Problem::not_found(detail));
    };
    gauge!("fait_head_position").set(shared.app.head().await? as f64);
    shared.app.views().await?.iter().for_each(measure);
    for f in shared.app.feeds().await? {
        gauge!("fait_feed_lag_events", "feed" => f.name.clone()).set(f.lag_events as f64);
        gauge!("fait_feed_set_aside", "feed" => f.name).set(f.set_aside as f64);
    }
    for p in shared.app.processes().await? {
        let ProcessCount {
            running,
            parked,
            ended,
        } = p.instances;
        for (status, n) in [("running", running), ("parked", parked), ("ended", ended)] {
            gauge!("fait_processes", "process" => p.name.clone(), "status" => status).set(n as f64);
        }
        gauge!("fait_process_lag_events", "process" => p.name).set(p.lag_events as f64);
    }
    measure_bus(&shared.app.bus().await?);
    Ok(handle.render())
}

fn measure_bus(bus: &BusStatus) {
    let one = |is: bool| f64::from(u8::from(is));
    for p in &bus.publications {
        let name = p.name.clone();
        gauge!("fait_bus_publication_lag_events", "publication" => name.clone())
            .set(p.lag_events as f64);
        gauge!("fait_bus_publication_stopped", "publication" => name).set(one(p.stopped.is_some()));
    }
    for o in &bus.outlets {
        let name = o.name.clone();
        gauge!("fait_bus_outlet_waiting_messages", "outlet" => name.clone()).set(o.waiting as f64);
        gauge!("fait_bus_outlet_failing", "outlet" => name.clone()).set(one(o.trouble.is_some()));
        gauge!("fait_bus_outlet_stopped", "outlet" => name).set(one(o.halted.is_some()));
    }
    for i in &bus.inlets {
        let name = i.receiver.clone();
        let kept = i.unreadable + i.waiting;
        gauge!("fait_bus_inlet_kept_messages", "receiver" => name.clone()).set(kept as f64);
        gauge!("fait_bus_inlet_failing", "receiver" => name.clone())
            .set(one(matches!(i.mood, Mood::Waits { .. })));
        gauge!("fait_bus_inlet_stopped", "receiver" => name)
            .set(one(matches!(i.mood, Mood::Stopped { .. })));
    }
}
