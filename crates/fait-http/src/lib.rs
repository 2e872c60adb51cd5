//! Systems that are reached by HTTP: outside systems that processes tell, and the messages that
//! another system of this kind publishes ([`Feed`]).
//!
//! A command becomes `POST {base}/{name}` with its JSON as the body, unless
//! [`Http::request`] says otherwise. The command's id goes along as `Idempotency-Key`: it is the
//! same however often the command is told, so that the other side can act once. The answer says
//! what came of it:
//!
//! | answer | what follows |
//! |---|---|
//! | 2xx | the command is done |
//! | 202 with a receipt | the receipt is followed, then it is as the receipt says |
//! | 422 with a refusal | the process hears the refusal, as if it had been decided here |
//! | 408, 425, 429, 500, 502, 503, 504 | told again, after `Retry-After` when that is given |
//! | 409 with `Retry-After` | told again after that |
//! | any other | the process hears at once that it failed |
//! | no connection: refused, unknown host, no TLS | told again |
//! | none in time, or half of one | nobody knows: as [`Uncertain`] says |
//!
//! Receipts and refusals are those of the open door of a system that is made with `fait`, for which
//! there is [`Http::door`]. The flow and the cause go along as `Correlation-Id` and
//! `Causation-Id`, the trace as `traceparent`.
//!
//! ```
//! use fait::app::{App, Uncertain};
//! use fait::{command, entity_ids, event};
//! use fait_http::Http;
//!
//! entity_ids! { OrderId(text) => "order" }
//!
//! /// Charge card
//! #[command(to = "Payments")]
//! struct ChargeCard {
//!     order: OrderId,
//!     cents: u64,
//! }
//!
//! /// The card was charged.
//! #[event]
//! struct CardCharged {
//!     #[tag]
//!     order: OrderId,
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let payments = Http::to("https://payments.example/v1", Uncertain::Retry)?
//!     .secret_header("authorization", "Bearer 123")?
//!     .answers(|told, answer| match answer["charged"].as_bool() {
//!         Some(true) => {
//!             let order = told.body["order"].as_str().unwrap_or_default();
//!             Ok(Some(CardCharged { order: OrderId(order.into()) }))
//!         }
//!         _ => Err("the answer does not say whether it charged".into()),
//!     });
//! let app = App::in_memory()
//!     .tells::<ChargeCard>()
//!     .receives::<CardCharged>("Payments")
//!     .system("Payments", payments);
//! # let _ = app;
//! # Ok(())
//! # }
//! ```

mod client;
mod receipt;
mod answer;
mod feed;

use answer::{Answer, after, class};
use client::{bearer, client, said, web};
use fait::app::{App, Limits, System, TellError, Told, Uncertain};
use fait::event::Event;
use fait::store::BoxFuture;
use reqwest::header::{
    CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, InvalidHeaderName, InvalidHeaderValue,
};
use reqwest::{Client, StatusCode};
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use feed::Feed;
pub use reqwest::Method;

/// Most bytes of an answer that are read.
pub const MAX_ANSWER_BYTES: usize = 1 << 20;

/// A receipt is not asked for more often than this, whatever the other side says.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// What is asked of the other side.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// What follows the base address: `cards/7/charge`, also with a query.
    pub path: String,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// The JSON; no body without it.
    pub body: Option<Value>,
}

impl Request {
    /// A `POST` of JSON.
    pub fn post(path: impl Into<String>, body: Value) -> Request {
        Request {
            method: Method::POST,
            path: path.into(),
            headers: vec![],
            body: Some(body),
        }
    }
}

/// A system that cannot be reached as it is described.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The base address is none.
    #[error("`{0}` is not an address that begins with http:// or https://")]
    Address(String),
    /// A header's name cannot be sent.
    #[error("a header cannot have this name")]
    Name(#[from] InvalidHeaderName),
    /// A header's value cannot be sent.
    #[error("a header cannot have this value")]
    Value(#[from] InvalidHeaderValue),
    /// The client cannot be made, for example for want of root certificates.
    #[error("no client for HTTP: {0}")]
    Client(reqwest::Error),
}

/// What was answered.
struct Said {
    status: StatusCode,
    body: Vec<u8>,
    /// How long it asks to be left alone.
    after: Option<Duration>,
}

type Asks = Arc<dyn Fn(&Told) -> Result<Request, String> + Send + Sync>;

/// An outside system that is told by HTTP. Cheap to clone.
#[derive(Clone)]
pub struct Http {
    client: Client,
    base: String,
    headers: HeaderMap,
    asks: Asks,
    answers: Option<Answer>,
    on_uncertain: Uncertain,
    within: Duration,
    limits: Limits,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http")
            .field("base", &self.base)
            .field("on_uncertain", &self.on_uncertain)
            .finish_non_exhaustive()
    }
}

impl Http {
    /// A system at a base address. [`Uncertain::Retry`] when it acts once for an
    /// `Idempotency-Key`, [`Uncertain::Park`] when it would act twice.
    ///
    /// A connection may take 5 seconds, an answer 20; redirects are not followed.
    ///
    /// # Errors
    /// The address is none, or this machine cannot speak TLS.
    pub fn to(base: &str, on_uncertain: Uncertain) -> Result<Http, HttpError> {
        Ok(Http {
            base: web(base)?.into(),
            client: client()?,
            headers: HeaderMap::new(),
            asks: Arc::new(|told| Ok(Request::post(told.name.clone(), told.body.clone()))),
            answers: None,
            on_uncertain,
            within: Duration::from_secs(20),
            limits: Limits::default(),
        })
    }

    /// The open door of another system that is made with `fait`, at the address of that system
    /// and with this system's token there. It acts once for an id, so it is told again until it
    /// is known what came of it.
    ///
    /// # Errors
    /// As for [`Http::to`], or the token cannot be sent.
    pub fn door(address: &str, token: Option<&str>) -> Result<Http, HttpError> {
        let base = format!("{}/api/commands", web(address)?);
        let mut http = Http::to(&base, Uncertain::Retry)?;
        if let Some(token) = token {
            let value = bearer(token)?;
            http.headers.insert(reqwest::header::AUTHORIZATION, value);
        }
        http.headers
            .insert("prefer", HeaderValue::from_static("wait=10"));
        Ok(http)
    }

    /// A header that goes with every request, for example a password. It is not shown in logs.
    ///
    /// # Errors
    /// The name or the value cannot be sent.
    pub fn secret_header(mut self, name: &str, value: &str) -> Result<Self, HttpError> {
        let name = HeaderName::from_bytes(name.as_bytes())?;
        let mut value = HeaderValue::from_str(value)?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }

    /// How a command becomes a request. An `Err` is heard by the process at once.
    #[must_use]
    pub fn request(
        mut self,
        asks: impl Fn(&Told) -> Result<Request, String> + Send + Sync + 'static,
    ) -> Self {
        self.asks = Arc::new(asks);
        self
    }

    /// Turns the answer's JSON (`null` when there is none) into an event that is received, before
    /// the command is done. The application wires it with `receives`.
    ///
    /// An `Err` means that nobody knows what the other side did.
    #[must_use]
    pub fn answers<E: Event>(
        mut self,
        read: impl Fn(&Told, &Value) -> Result<Option<E>, String> + Send + Sync + 'static,
    ) -> Self {
        self.answers = Some(answer::receiving(read));
        self
    }

    /// How long an answer may take.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    /// How much it is asked at once, and for how long. One telling may take at least a second
    /// longer than [`Http::within`].
    #[must_use]
    pub fn limited(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    async fn ask(&self, told: &Told, app: &App) -> Result<(), TellError> {
        let request = self.build(told)?;
        let begun = Instant::now();
        let mut said = self.execute(request, app).await?;
        if said.status == StatusCode::ACCEPTED
            && let Some(path) = receipt::path_in(&said.body)
        {
            let receipt = format!("{}{path}", receipt::origin(&self.base));
            said = self.follow(&receipt, said, begun, app).await?;
        }
        class(said.status, &said.body, said.after)?;
        match &self.answers {
            Some(answers) => answers(told, &said.body, app).await,
            None => Ok(()),
        }
    }

    /// Asks for a receipt until it says what came of the command. Not for longer than an answer
    /// may take: then the command is told again, and gets the receipt of what is under way.
    async fn follow(
        &self,
        address: &str,
        mut said: Said,
        begun: Instant,
        app: &App,
    ) -> Result<Said, TellError> {
        loop {
            let pause = said.after.unwrap_or(Duration::from_secs(1));
            let pause = pause.max(SHORTEST_PAUSE).min(self.within);
            if begun.elapsed() + pause >= self.within {
                let error = "it is being done, and takes longer than an answer may".into();
                let after = said.after;
                return Err(TellError::Later { error, after });
            }
            tokio::time::sleep(pause).await;
            let request = self.client.get(address).headers(self.headers.clone());
            let request = request.timeout(self.within).build();
            said = self
                .execute(request.map_err(TellError::never)?, app)
                .await?;
            match receipt::read(said.status, &said.body)? {
                receipt::Stands::Pending => {}
                receipt::Stands::Done => return Ok(said),
            }
        }
    }

    async fn execute(&self, request: reqwest::Request, app: &App) -> Result<Said, TellError> {
        let mut answer = self.client.execute(request).await.map_err(|e| missed(&e))?;
        let status = answer.status();
        let after = after(answer.headers(), app.clock().now());
        let mut body: Vec<u8> = vec![];
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_ANSWER_BYTES => {
                    body.extend_from_slice(&chunk);
                }
                Ok(None) => break,
                // What went wrong there needs no whole sentence.
                _ if !status.is_success() => break,
                Ok(Some(_)) => {
                    let error = format!("the answer has more than {MAX_ANSWER_BYTES} bytes");
                    return Err(TellError::unknown(error));
                }
                Err(e) => return Err(TellError::unknown(said(&e))),
            }
        }
        Ok(Said {
            status,
            body,
            after,
        })
    }

    fn build(&self, told: &Told) -> Result<reqwest::Request, TellError> {
        let asked = (self.asks)(told).map_err(TellError::never)?;
        let address = format!("{}/{}", self.base, asked.path.trim_start_matches('/'));
        let mut headers = self.headers.clone();
        let id = told.id.to_string();
        let (flow, cause) = (told.correlation.to_string(), told.cause.to_string());
        let mut own = vec![
            ("idempotency-key", id.as_str()),
            ("correlation-id", &flow),
            ("causation-id", &cause),
        ];
        own.extend(told.traceparent.as_deref().map(|t| ("traceparent", t)));
        let asked_for = asked.headers.iter();
        own.extend(asked_for.map(|(name, value)| (name.as_str(), value.as_str())));
        for (name, value) in own {
            let header = HeaderName::from_bytes(name.as_bytes()).map_err(HttpError::from);
            let value = HeaderValue::from_str(value).map_err(HttpError::from);
            let (name, value) = header
                .and_then(|name| Ok((name, value?)))
                .map_err(TellError::never)?;
            headers.insert(name, value);
        }
        let mut request = self.client.request(asked.method, address);
        if let Some(body) = asked.body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            request = request.body(body.to_string());
        }
        let request = request.headers(headers).timeout(self.within);
        request.build().map_err(TellError::never)
    }
}

impl System for Http {
    fn tell(&self, message: Told, app: App) -> BoxFuture<'_, Result<(), TellError>> {
        Box::pin(async move { self.ask(&message, &app).await })
    }

    fn on_uncertain(&self) -> Uncertain {
        self.on_uncertain
    }

    fn limits(&self) -> Limits {
        // So that it is here that a time-out is told from a connection that never was.
        let within = self.limits.within.max(self.within + Duration::from_secs(1));
        Limits {
            within,
            ..self.limits
        }
    }
}

/// Why there was no answer.
fn missed(e: &reqwest::Error) -> TellError {
    let error = said(e);
    if e.is_connect() {
        TellError::later(error)
    } else if e.is_builder() {
        TellError::never(error)
    } else {
        TellError::unknown(error)
    }
}
