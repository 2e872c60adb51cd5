//! The site: all routes with what holds for each, and the server.

use crate::answer::Problem;
use crate::shared::{Drawn, Shared};
use crate::{api, page};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use fait::App;
use std::any::Any;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::net::TcpListener;
use tower::Service;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::{CsrfLayer, ProtectionError};
use tower_http::trace::TraceLayer;

/// What a page may load: its own files, and nothing inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Pages and interface over a running system, to be served.
#[derive(Debug)]
pub struct Site {
    app: App,
    title: Option<String>,
    board: Option<String>,
}

impl Site {
    /// The site of a system.
    pub fn new(app: App) -> Site {
        // Numbers are kept from the start, not from the first time they are looked at.
        api::record();
        Site {
            app,
            title: None,
            board: None,
        }
    }

    /// The name on every page; the system's by default.
    #[must_use]
    pub fn title(mut self, title: &str) -> Site {
        self.title = Some(title.into());
        self
    }

    /// The text of the board that the system was built from, for the page `/board`.
    #[must_use]
    pub fn board(mut self, source: &str) -> Site {
        self.board = Some(source.into());
        self
    }

    /// Serves until `shutdown` resolves or the system stops; what is under way is finished.
    ///
    /// There is no login: listen on a loopback address.
    ///
    /// # Errors
    /// The listener cannot be used.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let shared = self.shared();
        let (closed, closing) = (shared.closed(), shared.clone());
        let until = async move {
            tokio::select! {
                () = shutdown => {}
                () = closed => {}
            }
            closing.close();
        };
        axum::serve(listener, router(shared))
            .with_graceful_shutdown(until)
            .await
    }

    /// The site as a service, for tests and for servers of your own.
    pub fn into_service(self) -> Routes {
        Routes(router(self.shared()))
    }

    fn shared(self) -> Shared {
        let board = self.board.map(|source| {
            let parsed = fait_board::parse(&source);
            let problems = parsed.problems.iter().map(|p| p.message.clone()).collect();
            Drawn {
                source,
                board: parsed.board,
                problems,
            }
        });
        Shared::new(self.app, self.title, board)
    }
}

/// The routes of a site, as a service.
#[derive(Clone, Debug)]
pub struct Routes(Router);

impl Service<Request<Body>> for Routes {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        <Router as Service<Request<Body>>>::poll_ready(&mut self.0, cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.0.call(request))
    }
}

fn router(shared: Shared) -> Router {
    Router::new()
        .merge(api::routes())
        .merge(page::routes())
        .fallback(nowhere)
        .method_not_allowed_fallback(not_this_way)
        .layer(CsrfLayer::new().with_rejection_response(foreign))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(shared.clone(), in_own_words))
        .layer(map_response(guarded))
        .layer(TraceLayer::new_for_http())
        .with_state(shared)
}

async fn nowhere(uri: Uri) -> Problem {
    let path = uri.path();
    let next = if is_interface(path) {
        "GET /api/manifest says what there is"
    } else {
        "start at /"
    };
    Problem::not_found(format!("there is nothing at `{path}`; {next}"))
}

async fn not_this_way(method: Method, uri: Uri) -> Problem {
    let detail = format!(
        "`{}` cannot be used with {method}; see the header `Allow`",
        uri.path()
    );
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method",
        "It is not done this way",
        detail,
    )
}

fn foreign(_: ProtectionError) -> Response {
    let detail = "another site sent this; open the page here and send it again";
    Problem::new(
        StatusCode::FORBIDDEN,
        "foreign",
        "It came from elsewhere",
        detail,
    )
    .into_response()
}

fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    tracing::error!(text, "an answer panicked");
    let detail = "the program made a mistake; nothing was recorded by this request unless it says \
        so under What happened. The log of the program says more";
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    Problem::new(status, "defect", "The program is at fault", detail).into_response()
}

/// Whether a program asked, not a person.
fn is_interface(path: &str) -> bool {
    let fixed = ["/api", "/healthz", "/livez", "/readyz", "/metrics"];
    path.starts_with("/api/") || fixed.contains(&path)
}

/// Problems are JSON for programs and pages for people.
async fn in_own_words(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let (path, headers) = (request.uri().path().to_string(), request.headers().clone());
    let mut response = next.run(request).await;
    if is_interface(&path) {
        return response;
    }
    match response.extensions_mut().remove::<Problem>() {
        None => response,
        Some(problem) => page::problem(&shared, &headers, &problem),
    }
}

async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let mut set = |name: header::HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "same-origin");
    response
}
