//! The site: all routes, with what holds for every one of them.

use crate::answer::Problem;
use crate::clients::Clients;
use crate::others::{Other, Others};
use crate::shared::{MAX_BODY, Shared};
use crate::sheet::Sheet;
use crate::shutdown::shutdown_signal;
use crate::trial::Trial;
use crate::{api, page};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use fait::App;
use fait::app::AppBuilder;
use fait::board::play::Playing;
use futures_util::StreamExt;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;

/// Nothing from elsewhere, and nothing that is written into a page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// How long a system that is asked to stop has to end before it is left as it is.
const ENDS_WITHIN: Duration = Duration::from_secs(10);

/// The task UI and the HTTP interface of a running system.
///
/// Its pages have no login: whoever reaches the address is whoever they say. Listen on a loopback
/// address, or behind something that knows who is who. Other systems are known by their tokens:
/// see [`Site::clients`].
#[must_use = "a site is served with `run` or `serve`"]
pub struct Site {
    app: App,
    title: Option<String>,
    board: Option<Sheet>,
    trial: Option<Trial>,
    playing: Option<Playing>,
    others: Vec<Other>,
    clients: Option<Clients>,
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site")
            .field("app", &self.app)
            .finish_non_exhaustive()
    }
}

impl Site {
    /// The site of a system.
    pub fn new(app: App) -> Site {
        Site {
            app,
            title: None,
            board: None,
            trial: None,
            playing: None,
            others: vec![],
            clients: None,
        }
    }

    /// The name on every page; the system's own by default.
    pub fn title(mut self, title: &str) -> Site {
        self.title = Some(title.into());
        self
    }

    /// The board that the system was built from, as text. It is shown at `/board`, with what
    /// cannot be read of it.
    pub fn board(mut self, source: &str) -> Site {
        self.board = Some(Sheet::read("", source));
        self
    }

    /// How a fresh system of the same wiring is built. With it the examples of the board are run
    /// once, when somebody first looks at the board, each against a system of its own in memory;
    /// nothing of that touches the running one. Without it the page says how to run them.
    pub fn examples(mut self, wired: impl Fn() -> AppBuilder + Send + Sync + 'static) -> Site {
        self.trial = Some(Trial::new(wired));
        self
    }

    /// The board that the system plays: the page `/play` lets time pass and saves examples.
    pub fn playing(mut self, playing: Playing) -> Site {
        self.playing = Some(playing);
        self
    }

    /// Other systems with their addresses, such as `("tickets", "http://127.0.0.1:7071")`. They
    /// are asked what they know when somebody looks at a flow, at `/flows/{correlation}`; one that
    /// does not answer within five seconds is named there.
    ///
    /// Only `http://` is spoken: where TLS stands in front of a system, its own address behind
    /// that is meant.
    pub fn others<N, A>(mut self, others: impl IntoIterator<Item = (N, A)>) -> Site
    where
        N: Into<String>,
        A: Into<String>,
    {
        self.others
            .extend(others.into_iter().map(|(name, address)| Other {
                name: name.into(),
                address: address.into(),
            }));
        self
    }

    /// The other systems that may use the open door: `/api/commands/…`, `/api/receipts/…`. That
    /// door is closed to everybody else then, on every address; where there are none, to everybody.
    ///
    /// The pages and the rest of the interface stay as they are on a loopback address. On any
    /// other address they are not there, since there would be no use in tokens beside pages that
    /// let everybody in. So a system that is asked by others has two sites: one for its people
    /// and operators on a loopback address, one with clients on another.
    pub fn clients(mut self, clients: Clients) -> Site {
        self.clients = Some(clients);
        self
    }

    /// The site as a tower service, for tests and for other servers: as on a loopback address.
    pub fn into_service(self) -> Router {
        routes(self.shared(), true)
    }

    fn shared(self) -> Shared {
        let mut shared = Shared::new(self.app, self.title, self.board, self.trial);
        shared.playing = self.playing;
        shared.others = Others::new(self.others);
        shared.clients = self.clients.map(Arc::new);
        shared
    }

    /// Serves until the program is asked to stop, as [`shutdown_signal`] says, and then stops the
    /// system. What has not ended ten seconds later, or when it is asked once more, is left as it
    /// is: the next start goes on from there.
    ///
    /// # Errors
    /// As [`serve`](Self::serve); the system is stopped then, too.
    pub async fn run(self, listener: TcpListener) -> io::Result<()> {
        let app = self.app.clone();
        let served = self.serve(listener, shutdown_signal()).await;
        tokio::select! {
            () = app.stop() => {}
            () = shutdown_signal() => {}
            () = tokio::time::sleep(ENDS_WITHIN) => {}
        }
        served
    }

    /// Serves until `shutdown` resolves; what is under way is finished. The system goes on.
    ///
    /// # Errors
    /// The listener fails, or a client has a right that means nothing in this system.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let (app, shared) = (self.app.clone(), self.shared());
        let clients = shared.clients.as_ref();
        let wrong = clients.map_or_else(Vec::new, |c| c.unknown(&shared.manifest));
        if !wrong.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                wrong.join("; "),
            ));
        }
        let closing = shared.clone();
        let local = listener.local_addr()?.ip().is_loopback();
        let stop = async move {
            tokio::select! {
                () = shutdown => {}
                () = app.stopping() => {}
            }
            // Streams end now; without that they would hold the server open.
            closing.close();
        };
        let open = local || shared.clients.is_none();
        let mut routes = routes(shared, open);
        if local {
            routes = routes.layer(middleware::from_fn(this_machine));
        }
        axum::serve(listener, routes)
            .with_graceful_shutdown(stop)
            .await
    }
}

/// All routes, or those of the open door only.
fn routes(shared: Shared, all: bool) -> Router {
    api::recorder();
    let door = Router::new().merge(api::door(&shared)).merge(api::health());
    let routes = match all {
        true => door
            .merge(api::routes(&shared))
            .merge(page::routes(&shared))
            .fallback(unknown),
        false => door.fallback(only_the_door),
    };
    routes
        .method_not_allowed_fallback(wrong_method)
        .with_state(shared)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn(bounded))
        .layer(middleware::from_fn(same_site))
        .layer(middleware::from_fn(headers))
        .layer(CatchPanicLayer::custom(panicked))
}

async fn unknown(State(shared): State<Shared>, request: Request) -> Response {
    let path = request.uri().path();
    if path.starts_with("/api/") || path == "/api" {
        return api::unknown(path).into_response();
    }
    page::not_found(&shared, path).await
}

async fn only_the_door(request: Request) -> Problem {
    let path = request.uri().path();
    let detail =
        format!("`{path}` is not for clients; people and operators ask on a loopback address");
    let title = "Only the open door is here";
    Problem::new(StatusCode::NOT_FOUND, "only-the-door", title, detail)
}

async fn wrong_method(request: Request) -> Problem {
    let (method, path) = (request.method(), request.uri().path());
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "wrong-method",
        "That cannot be done here",
        format!("`{path}` does not take {method}"),
    )
}

/// A request that changes something must come from this site's own pages, or from a program that
/// is no browser. Browsers say which by `Sec-Fetch-Site`, older ones by `Origin`.
async fn same_site(request: Request, next: Next) -> Response {
    let reads = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if reads || is_own(&request) {
        return next.run(request).await;
    }
    let detail = "the request comes from a page of another site; use this site's own pages";
    Problem::new(
        StatusCode::FORBIDDEN,
        "other-site",
        "Another site asks",
        detail,
    )
    .into_response()
}

fn is_own(request: &Request) -> bool {
    let text = |name: HeaderName| request.headers().get(name).and_then(|v| v.to_str().ok());
    match text(HeaderName::from_static("sec-fetch-site")) {
        Some(site) => matches!(site, "same-origin" | "none"),
        None => match (text(header::ORIGIN), text(header::HOST)) {
            (None, _) => true,
            (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|o| o.1 == host),
            (Some(_), None) => false,
        },
    }
}

/// A body that says that it is too large is read to its end, so that its sender can hear why it
/// is refused; beyond 64 MiB the connection is closed instead.
async fn bounded(request: Request, next: Next) -> Response {
    const PATIENCE: usize = 64 << 20;
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length: Option<usize> = length.and_then(|v| v.to_str().ok()?.parse().ok());
    if length.is_none_or(|n| n <= MAX_BODY) {
        return next.run(request).await;
    }
    let mut body = request.into_body().into_data_stream();
    let mut read = 0;
    while let Some(Ok(part)) = body.next().await {
        read += part.len();
        if read > PATIENCE {
            break;
        }
    }
    api::too_large().into_response()
}

/// A site on a loopback address is this machine's own. A name that somebody points at it from
/// elsewhere would make another site's page look like one of ours (DNS rebinding).
pub(crate) async fn this_machine(request: Request, next: Next) -> Response {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|v| v.to_str().ok());
    let name = host.map(|h| {
        h.rsplit_once(':').map_or(h, |(name, port)| {
            if port.bytes().all(|b| b.is_ascii_digit()) {
                name
            } else {
                h
            }
        })
    });
    if name.is_none_or(|n| n == "localhost" || is_loopback(n)) {
        return next.run(request).await;
    }
    let detail = "this site is for this machine; ask for it as localhost or 127.0.0.1";
    Problem::new(
        StatusCode::MISDIRECTED_REQUEST,
        "other-name",
        "Another name is meant",
        detail,
    )
    .into_response()
}

/// Whether a host is written as a loopback address, which no name can be made to look like.
fn is_loopback(host: &str) -> bool {
    let six = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    match six {
        Some(six) => six.parse().is_ok_and(|ip: Ipv6Addr| ip.is_loopback()),
        None => host.parse().is_ok_and(|ip: Ipv4Addr| ip.is_loopback()),
    }
}

pub(crate) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let all = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    let headers = response.headers_mut();
    for (name, value) in all {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // What is shown changes all the time; only assets say otherwise.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

pub(crate) fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    let detail = "the program failed on this request; what was acknowledged before is safe";
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "defect",
        "The program is at fault",
        detail,
    )
    .into_response()
}
