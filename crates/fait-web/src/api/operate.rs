//! What operators do by HTTP: to one instance, or to many.

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
use fait::app::{Act, Bulk, BulkError, DEFAULT_RATE, Filter, MigrateError, OperateError, Progress};
use fait::process::instance_tag;
use fait::query::Query;
use fait::store::Range;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// Facts of an instance that are shown, the newest.
const FACTS: usize = 50;

/// Stuck instances that are listed at most.
const MOST: usize = 200;

impl From<OperateError> for Problem {
    fn from(e: OperateError) -> Self {
        let detail = e.to_string();
        let conflict = |kind, title| Problem::new(StatusCode::CONFLICT, kind, title, &*detail);
        match e {
            OperateError::NoProcess { .. } | OperateError::NoInstance { .. } => {
                Problem::not_found(detail)
            }
            OperateError::NoName => Problem::malformed(detail).with("field", "by"),
            OperateError::NoReason => Problem::malformed(detail).with("field", "reason"),
            OperateError::NotAnOutcome => Problem::malformed(detail).with("field", "outcome"),
            OperateError::Input(e) => {
                let field = e.field.unwrap_or_else(|| "body".into());
                Problem::malformed(detail).with("field", field)
            }
            OperateError::NotParked { .. } => conflict("not-parked", "It is not parked"),
            OperateError::Ended { .. } => conflict("ended", "It has ended"),
            OperateError::Compensated { .. } => conflict("compensated", "It was taken back"),
            OperateError::NotOpen { .. } => conflict("not-open", "That command is not open"),
            OperateError::NoDeadline { .. } => conflict("no-deadline", "No such deadline is set"),
            OperateError::DecidedHere { .. } => conflict("decided-here", "It is decided here"),
            OperateError::NothingToUndo { .. } => {
                conflict("nothing-to-undo", "Nothing can be taken back")
            }
            OperateError::Migrate(e) => e.into(),
            OperateError::Moved => conflict("moved", "It moved meanwhile"),
            OperateError::Store(e) => e.into(),
            _ => Problem::malformed(detail),
        }
    }
}

impl From<MigrateError> for Problem {
    fn from(e: MigrateError) -> Self {
        let detail = e.to_string();
        match e {
            MigrateError::Unknown(_) => Problem::not_found(detail),
            MigrateError::Store(e) => e.into(),
            MigrateError::Conflict(_) | MigrateError::Refused { .. } => {
                let title = "It does not go on with another definition";
                Problem::new(StatusCode::CONFLICT, "not-migrated", title, detail)
            }
            _ => Problem::malformed(detail),
        }
    }
}

impl From<BulkError> for Problem {
    fn from(e: BulkError) -> Self {
        let detail = e.to_string();
        match e {
            BulkError::Operate(e) => e.into(),
            BulkError::Running { .. } => {
                Problem::new(StatusCode::CONFLICT, "running", "Another goes on", detail)
            }
            BulkError::Rate => Problem::malformed(detail).with("field", "rate"),
            _ => Problem::malformed(detail).with("field", "action"),
        }
    }
}

/// `GET /api/ops/stuck`
pub(super) async fn stuck(
    State(shared): State<Shared>,
    words: Words,
) -> Result<Json<Value>, Problem> {
    words.only(&["process", "limit"])?;
    let limit: usize = words
        .parse("limit", "a whole number from 1 to 200")?
        .unwrap_or(100);
    let process = words.get("process");
    let stuck = shared.app.stuck(process, limit.clamp(1, MOST))?;
    Ok(Json(json!(stuck)))
}

/// `GET /api/ops/processes/{name}/{key}`
pub(super) async fn instance(
    State(shared): State<Shared>,
    At((name, key)): At<(String, String)>,
    AtLeast(wanted): AtLeast,
) -> Result<Response, Problem> {
    super::ops::known(&shared, &name).await?;
    let app = &shared.app;
    let shown = caught_up(app.wait_for_process(&name, wanted, WAIT).await?);
    let Some(instance) = app.instance(&name, &key).await? else {
        let detail = format!("`{name}` has no instance `{key}`");
        return Err(Problem::not_found(detail));
    };
    let query = Query::tags(vec![instance_tag(&name, &key)]);
    let slice = app.events(&query, Range::newest(FACTS)).await?;
    let facts: Vec<Value> = slice.events.iter().rev().map(|e| e.to_json()).collect();
    let backlog = app.backlog(&instance)?;
    let mut body = json!(instance);
    body["backlog"] = backlog.into();
    body["facts"] = facts.into();
    Ok((shown, Json(body)).into_response())
}

/// The words of an action: who, why, and all that is the action's own.
pub(super) struct Said {
    pub(super) by: String,
    pub(super) reason: String,
    pub(super) own: Map<String, Value>,
}

impl Said {
    pub(super) fn read(body: Value, words: &Words) -> Result<Said, Problem> {
        words.only(&["as"])?;
        let Value::Object(mut own) = body else {
            return Err(Problem::malformed("the body must be a JSON object"));
        };
        let mut text = |name: &str| match own.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => {
                let detail = format!("`{name}` is a text");
                Err(Problem::malformed(detail).with("field", name))
            }
        };
        let (by, reason, evidence) = (text("by")?, text("reason")?, text("evidence")?);
        let by = by.or_else(|| words.get("as").map(String::from));
        Ok(Said {
            by: by.unwrap_or_else(|| "operator:api".into()),
            reason: evidence.or(reason).unwrap_or_default(),
            own,
        })
    }

    /// What is the action's own, as it reads it.
    pub(super) fn own<T: DeserializeOwned>(&mut self, action: &str) -> Result<T, Problem> {
        serde_json::from_value(Value::Object(std::mem::take(&mut self.own)))
            .map_err(|e| Problem::malformed(format!("`{action}` cannot be read: {e}")))
    }

    fn act(&mut self, action: &str) -> Result<Act, Problem> {
        self.own.insert("action".into(), action.into());
        self.own(action)
    }
}

/// An action that has no words of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// Where there are other actions.
pub(super) fn no_action(action: &str, actions: &[&str]) -> Problem {
    let names = actions.join(", ");
    Problem::not_found(format!("there is no action `{action}`; there are {names}"))
}

/// `POST /api/ops/processes/{name}/{key}/{action}` with `{"by": …, "reason": …, …}`
pub(super) async fn act(
    State(shared): State<Shared>,
    At((name, key, action)): At<(String, String, String)>,
    words: Words,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    super::ops::known(&shared, &name).await?;
    if !Act::NAMES.contains(&action.as_str()) {
        return Err(no_action(&action, Act::NAMES));
    }
    let mut said = Said::read(read_json(&headers, body)?, &words)?;
    // Taking back is shown first; it is done when that is confirmed.
    let confirmed = said.own.remove("confirm");
    if action == "compensate" && confirmed.as_ref().and_then(Value::as_bool) != Some(true) {
        let plan = shared.app.compensation(&name, &key).await?;
        return Ok(Json(json!({"outcome": "dry-run", "plan": plan})));
    }
    // Migrating can be looked at first.
    let dry_run = match said.own.remove("dry_run") {
        None | Some(Value::Bool(false)) => false,
        Some(Value::Bool(true)) if action == "migrate" => true,
        Some(_) => {
            let detail = "`dry_run` is true or false, and true for `migrate` only";
            return Err(Problem::malformed(detail).with("field", "dry_run"));
        }
    };
    let act = said.act(&action)?;
    if dry_run {
        let looked = shared
            .app
            .migrate(&name, &key, &said.by, &said.reason, true);
        return Ok(Json(json!({"outcome": "dry-run", "plan": looked.await?})));
    }
    let done = shared
        .app
        .operate(&name, &key, &act, &said.by, &said.reason);
    let done = done.await?;
    let mut answer = json!(done);
    answer["outcome"] = "done".into();
    Ok(Json(answer))
}

/// The action and the filter of a request about many.
fn many(process: &str, body: Value, words: &Words) -> Result<Bulk, Problem> {
    let mut said = Said::read(body, words)?;
    let wrong = |name: &str, e: String| {
        Problem::malformed(format!("`{name}` cannot be read: {e}")).with("field", name)
    };
    let filter = said.own.remove("filter").unwrap_or_else(|| json!({}));
    let mut filter: Filter =
        serde_json::from_value(filter).map_err(|e| wrong("filter", e.to_string()))?;
    filter.process = process.into();
    let rate = match said.own.remove("rate") {
        None => DEFAULT_RATE,
        Some(rate) => rate
            .as_u64()
            .and_then(|n| u32::try_from(n).ok())
            .ok_or_else(|| wrong("rate", "it is a whole number".into()))?,
    };
    let Some(Value::String(action)) = said.own.remove("action") else {
        return Err(wrong("action", "say what is to be done".into()));
    };
    let act = said.act(&action)?;
    Ok(Bulk {
        filter,
        act,
        by: said.by,
        reason: said.reason,
        rate,
    })
}

/// `POST /api/ops/bulk/{process}/preview` with `{"action": …, "filter": {…}}`
pub(super) async fn preview(
    State(shared): State<Shared>,
    At(process): At<String>,
    words: Words,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let bulk = many(&process, read_json(&headers, body)?, &words)?;
    let preview = shared.app.bulk_preview(&bulk.filter, &bulk.act)?;
    Ok(Json(json!(preview)))
}

/// `POST /api/ops/bulk/{process}/run`, with who and why besides
pub(super) async fn run(
    State(shared): State<Shared>,
    At(process): At<String>,
    words: Words,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let bulk = many(&process, read_json(&headers, body)?, &words)?;
    let progress = shared.app.bulk_run(bulk)?;
    Ok((StatusCode::ACCEPTED, Json(told(&progress))))
}

fn told(progress: &Progress) -> Value {
    let mut body = json!(progress);
    body["left"] = progress.left().into();
    body
}

/// `GET /api/ops/bulk/{process}`
pub(super) async fn progress(
    State(shared): State<Shared>,
    At(process): At<String>,
) -> Result<Json<Value>, Problem> {
    super::ops::known(&shared, &process).await?;
    match shared.app.bulk_progress(&process) {
        Some(progress) => Ok(Json(told(&progress))),
        None => Err(Problem::not_found(format!(
            "nothing was done to many of `{process}` since the system started"
        ))),
    }
}

/// `POST /api/ops/bulk/{process}/abort`
pub(super) async fn abort(
    State(shared): State<Shared>,
    At(process): At<String>,
) -> Result<Json<Value>, Problem> {
    super::ops::known(&shared, &process).await?;
    let aborted = shared.app.bulk_abort(&process);
    let outcome = if aborted {
        "aborted"
    } else {
        "nothing went on"
    };
    Ok(Json(json!({"outcome": outcome})))
}
