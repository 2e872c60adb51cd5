//! Commands by HTTP: what is asked under a key is done once, however often the request is sent.

use super::Words;
use super::body::{read_json, text, whole_numbers};
use super::receipt;
use crate::answer::Problem;
use crate::caller::Caller;
use crate::clients::Client;
use crate::request::At;
use crate::running::Run;
use crate::seen::TOKEN;
use crate::shared::Shared;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use fait::app::{Envelope, Kept, Key, Receipt, SendError};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// Longest `Idempotency-Key`, in bytes.
const MAX_KEY: usize = 255;

/// The longest that `Prefer: wait=` waits.
const MAX_WAIT: u64 = 60;

/// The flow that a command belongs to, in requests of clients and in every answer.
const CORRELATION: HeaderName = HeaderName::from_static("correlation-id");

/// What led to a command in the client's system.
const CAUSATION: HeaderName = HeaderName::from_static("causation-id");

/// Until when a command is to be done at all.
const EXPIRES: HeaderName = HeaderName::from_static("fait-expires");

/// Says that an answer is the one of an earlier time.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Says for how long an answer is kept under its key.
const KEPT: HeaderName = HeaderName::from_static("fait-key-kept");

/// The inline views that do not show it yet.
const BEHIND: HeaderName = HeaderName::from_static("fait-behind");

/// `POST /api/commands/{name}`
pub(super) async fn send(
    State(shared): State<Shared>,
    At(name): At<String>,
    caller: Caller,
    words: Words,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let mut flow = shared.app.clock().id();
    let asked = read(
        &shared,
        (name, &caller),
        (&words, &headers),
        body,
        &mut flow,
    );
    let answer = match asked {
        Ok(asked) => carry_out(&shared, asked).await,
        Err(problem) => Err(problem),
    };
    answer.unwrap_or_else(|problem| {
        let flow = flow.to_string();
        problem
            .with("correlation", flow.as_str())
            .header(CORRELATION, flow)
            .into_response()
    })
}

/// What is asked.
struct Asked {
    name: String,
    body: Value,
    envelope: Envelope,
    key: Option<Key>,
    /// How long the answer may take, where the caller says so.
    wait: Option<u64>,
    expires: Option<Timestamp>,
}

fn read(
    shared: &Shared,
    (name, caller): (String, &Caller),
    (words, headers): (&Words, &HeaderMap),
    body: Result<Bytes, BytesRejection>,
    flow: &mut Uuid,
) -> Result<Asked, Problem> {
    let client = caller.client();
    if let Some(given) = uuid(headers, &CORRELATION).transpose() {
        let given = given?;
        // Who is not known may not say that it belongs to something.
        if client.is_some() {
            *flow = given;
        }
    }
    words.only(match client {
        Some(_) => &["answering"],
        None => &["answering", "as"],
    })?;
    shared.app.task(&name)?;
    may_send(shared, &name, client)?;
    let key = key(caller, &name, headers)?;
    if key.is_none() && client.is_some() {
        let detail = "send an `Idempotency-Key`: a new one for each new request, the same one when \
                      a request is sent again";
        let title = "It has no key";
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "no-key",
            title,
            detail,
        ));
    }
    let id = key.as_ref().map_or_else(|| *flow, |key| key.id);
    let given = client.is_some() && headers.contains_key(CORRELATION);
    if !given {
        *flow = id;
    }
    let actor = match client {
        Some(client) => client.actor(),
        None => words.get("as").unwrap_or("api").to_string(),
    };
    let mut body = read_json(headers, body)?;
    whole_numbers(&mut body);
    Ok(Asked {
        body,
        envelope: Envelope {
            id: Some(id),
            actor: Some(actor),
            answering: words.parse("answering", "the id of an asked task, a UUID")?,
            correlation: Some(*flow).filter(|_| given),
            causation: uuid(headers, &CAUSATION)?.filter(|_| client.is_some()),
            traceparent: text(headers, "traceparent").map(String::from),
        },
        wait: key.as_ref().and_then(|_| wait(headers)),
        expires: expires(headers)?,
        name,
        key,
    })
}

/// Whether a client has a right to send this; whoever is not known is on this machine.
fn may_send(shared: &Shared, name: &str, client: Option<&Client>) -> Result<(), Problem> {
    let command = shared.command(name);
    let Some(client) = client.filter(|c| !command.is_some_and(|of| c.may_send(name, of))) else {
        return Ok(());
    };
    Err(Problem::no_right(format!(
        "client {} has no right to send `{name}`",
        client.name
    )))
}

async fn carry_out(shared: &Shared, asked: Asked) -> Result<Response, Problem> {
    let Some(key) = asked.key.clone() else {
        late(shared, asked.expires)?;
        let Asked {
            name,
            body,
            envelope,
            ..
        } = asked;
        let flow = envelope.id.unwrap_or_default();
        let receipt = shared.app.send_json(&name, body, envelope).await?;
        return Ok(accepted(&receipt, flow).into_response());
    };
    let actor = asked.envelope.actor.clone().unwrap_or_default();
    let (wait, id) = (asked.wait, key.id);
    // In this order: what ends in between is seen to be kept.
    let run = shared.running.begin(id, &actor);
    // What was done in time is answered, however late it is asked for, and at once.
    let done = shared.app.kept(id).await?.is_some();
    if !done {
        if run.is_none() {
            return Err(running(id));
        }
        late(shared, asked.expires)?;
    }
    // It goes on when nobody waits for it any more.
    let work = tokio::spawn(once(shared.clone(), asked, key, run));
    let kept = match wait.filter(|_| !done) {
        None => work.await,
        Some(seconds) => match tokio::time::timeout(Duration::from_secs(seconds), work).await {
            Ok(done) => done,
            Err(_) => return Ok((applied(seconds), receipt::pending(id)).into_response()),
        },
    };
    let kept = kept.map_err(|e| {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Problem::new(status, "defect", "The program is at fault", e.to_string())
    })?;
    let answer = stored(kept?);
    Ok(match wait {
        Some(seconds) => (applied(seconds), answer).into_response(),
        None => answer,
    })
}

fn running(id: Uuid) -> Problem {
    let detail = "the same request is being carried out; ask for its receipt, or send it again";
    let title = "It is still running";
    let problem = Problem::new(StatusCode::CONFLICT, "running", title, detail).later(1);
    problem.header(header::LOCATION, receipt::address(id))
}

async fn once(shared: Shared, asked: Asked, key: Key, run: Option<Run>) -> Result<Kept, SendError> {
    let Asked {
        name,
        body,
        envelope,
        ..
    } = asked;
    let kept = shared.app.send_once(&name, body, envelope, &key).await;
    drop(run);
    kept
}

/// The answer that is kept under a key: each time the same, but for a header.
fn stored(kept: Kept) -> Response {
    let mut response = match &kept.outcome {
        Ok(receipt) => accepted(receipt, kept.correlation).into_response(),
        Err(refused) => {
            let flow = kept.correlation.to_string();
            Problem::refusal(&refused.code, &refused.message)
                .with("correlation", flow.as_str())
                .header(CORRELATION, flow)
                .into_response()
        }
    };
    let headers = response.headers_mut();
    headers.insert(KEPT, HeaderValue::from_static("forever"));
    if kept.repeated {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// What is said of a command that was accepted.
pub(super) fn body(receipt: &Receipt) -> Value {
    json!({
        "outcome": "accepted",
        "command": receipt.command,
        "events": receipt.events,
        "position": receipt.position,
        "token": receipt.token().to_string(),
    })
}

fn accepted(receipt: &Receipt, flow: Uuid) -> impl IntoResponse + use<> {
    let mut headers = HeaderMap::new();
    let all = [
        (TOKEN, receipt.token().to_string()),
        (CORRELATION, flow.to_string()),
        (BEHIND, receipt.behind.join(",")),
    ];
    for (name, value) in all.into_iter().filter(|(_, value)| !value.is_empty()) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    (headers, Json(body(receipt)))
}

/// The key, and the command's id made of it. Of a client it is always made of client, command and
/// key, so that clients cannot meet; of others a UUID is taken as it is.
fn key(caller: &Caller, name: &str, headers: &HeaderMap) -> Result<Option<Key>, Problem> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let wrong = || {
        let detail = format!("Idempotency-Key is a text of 1 to {MAX_KEY} visible characters");
        Problem::malformed(detail).with("field", "Idempotency-Key")
    };
    let text = value.to_str().map_err(|_| wrong())?.trim();
    // By the draft of the header's standard it stands in quotation marks; many leave them out.
    let text = match text.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').ok_or_else(wrong)?,
        None => text,
    };
    if text.is_empty() || text.len() > MAX_KEY || text.contains('"') {
        return Err(wrong());
    }
    let named = |scope: String| Uuid::new_v5(&Uuid::NAMESPACE_OID, scope.as_bytes());
    let id = match caller.client() {
        Some(client) => named(format!("client {} key {name} {text}", client.name)),
        None => text
            .parse()
            .unwrap_or_else(|_| named(format!("key {name} {text}"))),
    };
    let text = text.into();
    Ok(Some(Key { id, text }))
}

fn uuid(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Uuid>, Problem> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let id = value.to_str().ok().and_then(|v| v.trim().parse().ok());
    let wrong = || Problem::malformed(format!("{name} is a UUID")).with("field", name.as_str());
    id.map(Some).ok_or_else(wrong)
}

/// The seconds of `Prefer: wait=`, and none at all with `respond-async`. By RFC 7240 what is not
/// understood is passed over.
fn wait(headers: &HeaderMap) -> Option<u64> {
    let all = headers.get_all("prefer").iter();
    let all = all.filter_map(|v| v.to_str().ok());
    let (mut asynchronous, mut wait) = (false, None);
    for word in all.flat_map(|line| outside_quotes(line, ',')) {
        // Parameters of a preference stand behind it.
        let word = outside_quotes(word, ';').next().unwrap_or_default().trim();
        if word.eq_ignore_ascii_case("respond-async") {
            asynchronous = true;
        } else if let Some((name, value)) = word.split_once('=')
            && name.trim().eq_ignore_ascii_case("wait")
            && let Some(seconds) = seconds(value.trim().trim_matches('"'))
        {
            // The first one counts.
            wait = wait.or(Some(seconds.min(MAX_WAIT)));
        }
    }
    wait.or_else(|| asynchronous.then_some(0))
}

/// Whole seconds; of more digits than a number has, as many as there are.
fn seconds(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// The parts of a header between separators that are not in quotation marks.
fn outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c| {
        quoted ^= c == '"';
        !quoted && c == separator
    })
}

fn applied(seconds: u64) -> [(HeaderName, String); 1] {
    let name = HeaderName::from_static("preference-applied");
    [(name, format!("wait={seconds}"))]
}

fn expires(headers: &HeaderMap) -> Result<Option<Timestamp>, Problem> {
    let Some(value) = headers.get(EXPIRES) else {
        return Ok(None);
    };
    let time = value.to_str().ok().and_then(|v| v.trim().parse().ok());
    let wrong = "Fait-Expires is a time like 2026-12-31T12:00:00Z";
    let wrong = || Problem::malformed(wrong).with("field", "Fait-Expires");
    time.map(Some).ok_or_else(wrong)
}

/// Refuses what is not to be done any more.
fn late(shared: &Shared, expires: Option<Timestamp>) -> Result<(), Problem> {
    match expires {
        // What is not after 1970 is always over.
        Some(until) if millis(until) <= shared.app.clock().now().0 => {
            let detail = format!("it was to be done until {until}, and was not");
            let title = "It is too late";
            Err(Problem::new(StatusCode::GONE, "expired", title, detail))
        }
        _ => Ok(()),
    }
}

fn millis(time: Timestamp) -> u64 {
    u64::try_from(time.as_millisecond()).unwrap_or(0)
}
