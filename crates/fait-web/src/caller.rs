//! Who stands at the open door.

use crate::answer::Problem;
use crate::clients::Client;
use crate::shared::Shared;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    /// Nobody is asked who they are: the door has no clients.
    Anybody,
    /// A client, known by its token.
    Client(Arc<Client>),
}

impl Caller {
    /// The client.
    pub(crate) fn client(&self) -> Option<&Client> {
        match self {
            Caller::Anybody => None,
            Caller::Client(client) => Some(client),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Caller>().cloned();
        // Only a route without the layer has none.
        caller.ok_or_else(|| wanted("no token was looked for"))
    }
}

/// Lets nobody through whose token is not known, where the system has clients.
pub(crate) async fn known(
    State(shared): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    let caller = match &shared.clients {
        None => Caller::Anybody,
        Some(clients) => match bearer(request.headers()) {
            None => {
                let detail = "send the client's token as `Authorization: Bearer …`";
                return wanted(detail)
                    .header(header::WWW_AUTHENTICATE, r#"Bearer realm="fait""#)
                    .into_response();
            }
            Some(token) => match clients.of_token(token) {
                Some(client) => Caller::Client(client),
                None => {
                    let says = r#"Bearer realm="fait", error="invalid_token""#;
                    return wanted("no client has this token")
                        .header(header::WWW_AUTHENTICATE, says)
                        .into_response();
                }
            },
        },
    };
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// The token of a request.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    let bearer = scheme.eq_ignore_ascii_case("bearer");
    Some(token.trim()).filter(|_| bearer)
}

fn wanted(detail: &str) -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "no-client",
        "Only clients are let in",
        detail,
    )
}
