//! What operators do to views by HTTP, and what would come of it.

use super::Words;
use super::body::read_json;
use super::operate::{Said, no_action};
use crate::answer::Problem;
use crate::request::At;
use crate::shared::Shared;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use fait::app::{AsOf, ViewAction, ViewDone, ViewError};
use serde_json::{Map, Value, json};

/// What can be done to a view.
const ACTIONS: [&str; 8] = [
    "rebuild",
    "pause",
    "resume",
    "cancel",
    "switch",
    "roll-back",
    "forget",
    "retry",
];

/// Rows of a difference, or parked keys, that are listed at most.
const MOST: usize = 1000;

/// As many are listed by default.
const LISTED: usize = 100;

impl From<ViewError> for Problem {
    fn from(e: ViewError) -> Self {
        match e {
            ViewError::Store(e) => e.into(),
            not_now => {
                let title = "It cannot be done as things are";
                Problem::new(StatusCode::CONFLICT, "not-now", title, not_now.to_string())
            }
        }
    }
}

/// Does something to a view. Nothing of this is in the log of events, as views are made from it:
/// who did it and why goes to the program's own log.
pub(crate) async fn act_on(
    shared: &Shared,
    name: &str,
    action: ViewAction,
    (by, reason): (&str, &str),
) -> Result<ViewDone, ViewError> {
    let done = shared.app.act_on_view(name, action.clone()).await;
    match &done {
        Ok(done) => tracing::info!(view = name, ?action, by, reason, ?done, "done to a view"),
        Err(e) => tracing::info!(view = name, ?action, by, reason, error = %e, "refused"),
    }
    done
}

/// The action with its own words, and nothing else.
fn asked(action: &str, mut own: Map<String, Value>) -> Result<ViewAction, Problem> {
    let wrong = |field: &str, wanted: &str| {
        Problem::malformed(format!("`{field}` is {wanted}")).with("field", field)
    };
    let asked = match action {
        "rebuild" => ViewAction::Rebuild {
            hold: match own.remove("hold") {
                None => false,
                Some(hold) => hold
                    .as_bool()
                    .ok_or_else(|| wrong("hold", "true or false"))?,
            },
        },
        "retry" => ViewAction::Retry {
            key: match own.remove("key") {
                None | Some(Value::Null) => None,
                Some(Value::String(key)) => Some(key),
                Some(_) => return Err(wrong("key", "a text")),
            },
        },
        "pause" => ViewAction::Pause,
        "resume" => ViewAction::Resume,
        "cancel" => ViewAction::Cancel,
        "switch" => ViewAction::Switch,
        "roll-back" => ViewAction::RollBack,
        "forget" => ViewAction::Forget,
        _ => return Err(no_action(action, &ACTIONS)),
    };
    match own.into_iter().next() {
        None => Ok(asked),
        Some((odd, _)) => {
            let detail = format!("`{odd}` means nothing to `{action}`");
            Err(Problem::malformed(detail).with("field", odd))
        }
    }
}

/// `POST /api/ops/views/{name}/{action}` with `{"by": …, "reason": …, …}`
pub(super) async fn act(
    State(shared): State<Shared>,
    At((name, action)): At<(String, String)>,
    words: Words,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let before = shared.app.view_status(&name).await?.rebuilds_finished;
    let body = match &body {
        Ok(nothing) if nothing.is_empty() => json!({}),
        _ => read_json(&headers, body)?,
    };
    let mut said = Said::read(body, &words)?;
    let action = asked(&action, std::mem::take(&mut said.own))?;
    let begins = matches!(action, ViewAction::Rebuild { .. });
    let done = act_on(&shared, &name, action, (&said.by, &said.reason)).await?;
    if begins {
        let watch = format!("/api/ops/views/{name}");
        let body = json!({"outcome": "accepted", "watch": watch, "rebuilds_finished": before});
        return Ok((StatusCode::ACCEPTED, Json(body)));
    }
    let mut answer = json!(done);
    answer["outcome"] = "done".into();
    Ok((StatusCode::OK, Json(answer)))
}

fn limit(words: &Words) -> Result<usize, Problem> {
    let limit: Option<usize> = words.parse("limit", "a whole number from 1 to 1000")?;
    Ok(limit.unwrap_or(LISTED).clamp(1, MOST))
}

/// `GET /api/ops/views/{name}/diff?limit=`: what switching to the rebuilt one would change.
pub(super) async fn diff(
    State(shared): State<Shared>,
    At(name): At<String>,
    words: Words,
) -> Result<Json<Value>, Problem> {
    words.only(&["limit"])?;
    let diff = shared.app.view_diff(&name, limit(&words)?).await?;
    Ok(Json(json!(diff)))
}

/// `GET /api/ops/views/{name}/between?from=&to=&limit=`: what changed between two moments.
pub(super) async fn between(
    State(shared): State<Shared>,
    At(name): At<String>,
    words: Words,
) -> Result<Json<Value>, Problem> {
    words.only(&["from", "to", "limit"])?;
    let moment = |name: &str| {
        words.parse::<AsOf>(name, "a position, or a time such as 2026-03-01T18:30:00Z")
    };
    let Some(from) = moment("from")? else {
        let detail = "say from when, in `from`: a position, or a time such as 2026-03-01T18:30:00Z";
        return Err(Problem::malformed(detail).with("field", "from"));
    };
    // Up to now, when nothing else is said.
    let to = moment("to")?.unwrap_or(AsOf::Position(u64::MAX));
    let limit = limit(&words)?;
    let between = shared.app.view_between(&name, from, to, limit).await?;
    Ok(Json(json!(between)))
}

/// `GET /api/ops/views/{name}/parked?after=&limit=`: keys that follow no more, with the reason.
pub(super) async fn parked(
    State(shared): State<Shared>,
    At(name): At<String>,
    words: Words,
) -> Result<Json<Value>, Problem> {
    words.only(&["after", "limit"])?;
    let limit = limit(&words)?;
    let keys = shared.app.parked_keys(&name, words.get("after"), limit);
    let keys = keys.await?;
    let full = keys.len() >= limit;
    let next = keys.last().filter(|_| full).map(|k| k.key.clone());
    let status = shared.app.view_status(&name).await?;
    Ok(Json(json!({
        "parked": keys, "next": next, "count": status.parked_keys, "unplaced": status.unplaced,
    })))
}
