//! Who has done something is shown it: by a token in answers and requests of the HTTP interface,
//! and in a cookie of the pages, so that another tab and a program that was started again know too.

use crate::answer::Problem;
use crate::request::cookie;
use crate::shared::Shared;
use axum::extract::{FromRequestParts, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use fait::app::{ReadError, Token};
use fait::store::StoreError;
use fait::event::Position;
use std::time::Duration;

/// How long an answer waits at most until it shows what the reader has written.
pub(crate) const WAIT: Duration = Duration::from_millis(1500);

/// The token of what was done, in an answer.
pub(crate) const TOKEN: HeaderName = HeaderName::from_static("fait-token");

/// What is to be shown, in a request; the word `at_least` of the address says the same.
const AT_LEAST: HeaderName = HeaderName::from_static("fait-at-least");

/// Whether an answer shows it, where the body has no place for that.
const CAUGHT_UP: HeaderName = HeaderName::from_static("fait-caught-up");

/// The token of the last thing that the person did.
const COOKIE: &str = "fait_seen";

impl From<ReadError> for Problem {
    fn from(e: ReadError) -> Self {
        let detail = e.to_string();
        match e {
            ReadError::Store(e) => e.into(),
            ReadError::NoView(_) => Problem::not_found(detail),
            ReadError::Query { word, why } => Problem::malformed(why).with("field", word),
            ReadError::Decode(e) => StoreError::new(e).into(),
            ReadError::OtherHistory(_) => {
                let title = "The token is of another history";
                Problem::new(StatusCode::CONFLICT, "other-history", title, detail)
            }
            _ => Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "catching-up",
                "It is catching up",
                format!("{detail}; read again"),
            ),
        }
    }
}

/// How far the reader wants to be shown: a token or a position, from the address or the header.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AtLeast(pub(crate) Position);

impl FromRequestParts<Shared> for AtLeast {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        let header = parts.headers.get(AT_LEAST).map(HeaderValue::to_str);
        let text = match (word(parts, "at_least"), header) {
            (Some(text), _) => text,
            (None, Some(Ok(text))) => text.to_string(),
            (None, Some(Err(_))) => "?".into(),
            (None, None) => return Ok(AtLeast(0)),
        };
        if let Ok(position) = text.parse() {
            return Ok(AtLeast(position));
        }
        let shown: String = text.chars().take(60).collect();
        let token: Token = text.parse().map_err(|_| {
            let what = "the token of an answer (`Fait-Token`), or a position: a whole number";
            Problem::malformed(format!("`at_least={shown}`: at_least is {what}"))
                .with("field", "at_least")
        })?;
        Ok(AtLeast(shared.app.position_of(&token).await?))
    }
}

/// A word of the address, if it is there and not empty.
fn word(parts: &Parts, name: &str) -> Option<String> {
    let words: Query<Vec<(String, String)>> = Query::try_from_uri(&parts.uri).ok()?;
    let mut values = words.0.into_iter().filter(|(n, _)| n == name);
    values.next().map(|(_, v)| v).filter(|v| !v.is_empty())
}

/// Says whether an answer shows what was asked for.
pub(crate) fn caught_up(yes: bool) -> [(HeaderName, HeaderValue); 1] {
    let text = if yes { "true" } else { "false" };
    [(CAUGHT_UP, HeaderValue::from_static(text))]
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Whoever changes something by HTTP, or hears why not, gets a token to read on with.
pub(crate) async fn tell(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let reads = is_read(request.method());
    let mut response = next.run(request).await;
    let said = response.status().is_success()
        || matches!(
            response.status(),
            StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY
        );
    if reads || !said || response.headers().contains_key(TOKEN) {
        return response;
    }
    // Without it the answer is as true as with it.
    if let Ok(token) = shared.app.token().await
        && let Ok(value) = HeaderValue::from_str(&token.to_string())
    {
        response.headers_mut().insert(TOKEN, value);
    }
    response
}

/// Keeps for a person what their last answer stood on, and says to the pages how far they must
/// have come to show it ([`Seen`]). What is of another history is dropped without a word: there is
/// nothing that a person could do about it.
pub(crate) async fn keep(
    State(shared): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    let reads = is_read(request.method());
    let kept = known(&shared, request.headers()).await;
    let seen = Seen(kept.unwrap_or_default());
    request.extensions_mut().insert(seen);
    let mut response = next.run(request).await;
    let cookie = match (reads, kept) {
        (true, Some(_)) => return response,
        (true, None) => format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"),
        // Nothing that this person did stands behind the head of now.
        (false, _) => match shared.app.token().await {
            Ok(token) => {
                format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000")
            }
            Err(_) => return response,
        },
    };
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// How far the cookie says that the person has seen; none when it is of no use any more.
async fn known(shared: &Shared, headers: &HeaderMap) -> Option<Position> {
    let Some(text) = cookie(headers, COOKIE) else {
        return Some(0);
    };
    match shared.app.position_of(&text.parse().ok()?).await {
        Ok(position) => Some(position),
        Err(ReadError::OtherHistory(_)) => None,
        // The store says so itself where it is read.
        Err(_) => Some(0),
    }
}

/// How far a page must have come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen(Position);

impl Seen {
    /// What the cookie says, or what the address says that the person was led to, when that is
    /// more: browsers may keep no cookies.
    pub(crate) async fn of(parts: &Parts, shared: &Shared) -> Position {
        let Seen(kept) = parts.extensions.get().copied().unwrap_or_default();
        let led = match word(parts, LED).and_then(|t| t.parse::<Token>().ok()) {
            Some(token) => shared.app.position_of(&token).await.unwrap_or_default(),
            None => 0,
        };
        kept.max(led)
    }
}

/// The token in the address that a person is led to after a task.
pub(crate) const LED: &str = "saw";
