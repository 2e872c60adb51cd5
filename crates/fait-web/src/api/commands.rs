//! Sending commands, and what a role is asked.

use crate::answer::Problem;
use crate::request::{At, Params, Who, read_json};
use crate::shared::Shared;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use fait::app::Envelope;
use serde_json::{Value, json};
use uuid::Uuid;

/// The longest key, name or text beside a command.
const MAX_TEXT: usize = 255;

/// `POST /api/commands/{Name}`
pub(super) async fn send(
    State(shared): State<Shared>,
    At(name): At<String>,
    mut params: Params,
    who: Who,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Problem> {
    // Whatever else is wrong, the body is read first: who is still sending hears no answer.
    let body = read_json(&headers, body).await;
    let def = shared.app.task(&name)?;
    if let (None, Some(system)) = (&def.begin, &def.page.to) {
        let detail = format!("`{name}` is carried out by {system}, when a process tells it to");
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Err(Problem::new(
            status,
            "elsewhere",
            "It is not done here",
            detail,
        ));
    }
    let envelope = Envelope {
        id: key(&headers, &name)?,
        actor: Some(actor(&mut params, &who)?),
        answering: params.uuid("answering")?,
        traceparent: header(&headers, "traceparent")?,
        ..Envelope::default()
    };
    params.end("answering, as")?;
    let receipt = shared.app.send_json(&name, body?, envelope).await?;
    Ok(Json(json!({
        "outcome": "accepted",
        "command": receipt.command,
        "events": receipt.events,
        "position": receipt.position,
        "repeated": receipt.repeated,
    })))
}

/// The command's id: the key itself when it is a UUID, else one made of command and key.
fn key(headers: &HeaderMap, command: &str) -> Result<Option<Uuid>, Problem> {
    let Some(text) = header(headers, "idempotency-key")? else {
        return Ok(None);
    };
    let text = text.trim();
    if text.is_empty() {
        let detail = "`Idempotency-Key` is empty; give a UUID or a text of your own";
        return Err(Problem::malformed(detail).with("header", "Idempotency-Key"));
    }
    let own = || Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{command}:{text}").as_bytes());
    Ok(Some(text.parse().unwrap_or_else(|_| own())))
}

fn header(headers: &HeaderMap, name: &str) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(text) if text.len() <= MAX_TEXT => Ok(Some(text.into())),
        _ => {
            let detail = format!("header `{name}` must be plain text of {MAX_TEXT} bytes at most");
            Err(Problem::malformed(detail).with("header", name))
        }
    }
}

/// Who sends it: `?as=`, else the role that was chosen, else `api`.
pub(super) fn actor(params: &mut Params, who: &Who) -> Result<String, Problem> {
    match params.take("as")? {
        None => Ok(who.actor().unwrap_or_else(|| "api".into())),
        Some(text) if text.len() <= MAX_TEXT && !text.chars().any(char::is_control) => Ok(text),
        Some(_) => {
            let detail = format!("`as` must be plain text of {MAX_TEXT} bytes at most");
            Err(Problem::malformed(detail).with("parameter", "as"))
        }
    }
}

/// `GET /api/inbox/{role}`
pub(super) async fn inbox(
    State(shared): State<Shared>,
    At(role): At<String>,
    mut params: Params,
) -> Result<Json<Value>, Problem> {
    let limit = params.limit(100)?;
    params.end("limit")?;
    let Some(role) = shared.role(&role) else {
        let roles: Vec<&str> = shared.manifest.roles.keys().map(String::as_str).collect();
        let detail = format!("there is no role `{role}`; there are {}", roles.join(", "));
        return Err(Problem::not_found(detail));
    };
    let tasks = shared.app.inbox(role, limit)?;
    Ok(Json(json!({ "role": role, "tasks": tasks })))
}
