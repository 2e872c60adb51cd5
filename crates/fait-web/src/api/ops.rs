//! For operators: how processes and views stand, and what can be done about it.

use super::commands::actor;
use crate::answer::Problem;
use crate::request::{At, Params, Who, read_json};
use crate::shared::Shared;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use fait::manifest::Manifest;
use fait::process::{Instance, Status};
use serde::Serialize;
use serde_json::{Value, json};

/// `GET /api/manifest`
pub(super) async fn manifest(State(shared): State<Shared>) -> Json<Manifest> {
    Json(Manifest::clone(&shared.manifest))
}

/// `GET /api/ops/processes`
pub(super) async fn processes(State(shared): State<Shared>) -> Result<Json<Value>, Problem> {
    let head = shared.app.head().await?;
    Ok(Json(
        json!({ "head": head, "processes": shared.app.processes().await? }),
    ))
}

fn known<'a>(shared: &Shared, name: &'a str) -> Result<&'a str, Problem> {
    if shared.process(name).is_some() {
        return Ok(name);
    }
    let m = &shared.manifest;
    let names: Vec<&str> = m
        .processes
        .keys()
        .chain(m.policies.keys())
        .map(String::as_str)
        .collect();
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
    mut params: Params,
) -> Result<Json<Value>, Problem> {
    let status = params.take("status")?;
    let limit = params.limit(100)?;
    params.end("status, limit")?;
    let name = known(&shared, &name)?;
    if let Some(other) = status
        .as_deref()
        .filter(|s| !["running", "parked", "ended"].contains(s))
    {
        let detail = format!("`status` must be running, parked or ended, not `{other}`");
        return Err(Problem::malformed(detail).with("parameter", "status"));
    }
    let instances = shared.app.instances(Some(name), status.as_deref(), limit)?;
    Ok(Json(json!({ "process": name, "instances": instances })))
}

async fn find(shared: &Shared, name: &str, key: &str) -> Result<Instance, Problem> {
    let name = known(shared, name)?;
    let instance = shared.app.instance(name, key).await?;
    instance.ok_or_else(|| Problem::not_found(format!("`{name}` has not begun for `{key}`")))
}

/// `GET /api/ops/processes/{name}/{key}`
pub(super) async fn instance(
    State(shared): State<Shared>,
    At((name, key)): At<(String, String)>,
) -> Result<Json<Instance>, Problem> {
    find(&shared, &name, &key).await.map(Json)
}

/// `POST /api/ops/processes/{name}/{key}/resume`
pub(super) async fn resume(
    State(shared): State<Shared>,
    At((name, key)): At<(String, String)>,
    mut params: Params,
    who: Who,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let body = read_json(&headers, body).await?;
    let by = actor(&mut params, &who)?;
    params.end("as")?;
    let Some(retry) = body["retry"].as_bool() else {
        let detail = "`retry` must be true (try it again) or false (skip it)";
        return Err(Problem::malformed(detail).with("field", "retry"));
    };
    let Some(reason) = body["reason"].as_str().filter(|r| !r.trim().is_empty()) else {
        let detail = "`reason` must say why, for those who read it later";
        return Err(Problem::malformed(detail).with("field", "reason"));
    };
    go_on(&shared, (&name, &key), retry, &by, reason).await?;
    Ok(Json(
        json!({ "outcome": "accepted", "process": name, "key": key, "retry": retry }),
    ))
}

/// Lets a parked instance go on.
pub(crate) async fn go_on(
    shared: &Shared,
    (name, key): (&str, &str),
    retry: bool,
    by: &str,
    reason: &str,
) -> Result<(), Problem> {
    if !matches!(find(shared, name, key).await?.status, Status::Parked { .. }) {
        let detail = format!("`{name}` of `{key}` does not wait for an operator; nothing was done");
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "not-parked",
            "It is not parked",
            detail,
        ));
    }
    Ok(shared.app.resume(name, key, retry, by, reason).await?)
}

/// `GET /api/ops/views`
pub(super) async fn views(State(shared): State<Shared>) -> Result<Json<Value>, Problem> {
    let head = shared.app.head().await?;
    Ok(Json(
        json!({ "head": head, "views": shared.app.views().await? }),
    ))
}

/// `GET /api/ops/views/{name}`
pub(super) async fn view(
    State(shared): State<Shared>,
    At(name): At<String>,
) -> Result<Json<impl Serialize>, Problem> {
    Ok(Json(shared.app.view_status(&name).await?))
}

/// `POST /api/ops/views/{name}/rebuild`
pub(super) async fn rebuild(
    State(shared): State<Shared>,
    At(name): At<String>,
) -> Result<Response, Problem> {
    shared.app.rebuild_view(&name)?;
    let follow = format!("/api/ops/views/{name}");
    let body = json!({ "outcome": "accepted", "view": name, "follow": follow });
    Ok((StatusCode::ACCEPTED, Json(body)).into_response())
}

/// `GET /livez`: whether the program answers at all.
pub(super) async fn alive() -> Json<Value> {
    Json(json!({ "alive": true }))
}

/// `GET /healthz`: how it is, for people.
pub(super) async fn health(State(shared): State<Shared>) -> Result<Json<impl Serialize>, Problem> {
    Ok(Json(shared.app.health().await?))
}

/// `GET /readyz`: whether it should be given work; if not, why.
pub(super) async fn ready(State(shared): State<Shared>) -> Result<Response, Problem> {
    let health = shared.app.health().await?;
    let ready = if health.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    Ok((ready, Json(health)).into_response())
}
