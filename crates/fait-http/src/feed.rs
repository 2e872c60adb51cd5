//! What another system publishes, heard by HTTP: no broker stands between.

use crate::client::{bearer, client, said, web};
use crate::{HttpError, answer};
use fait::bus::{BusError, Delivery, Inlet, Mark, STRUCTURED};
use fait::store::BoxFuture;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Messages that are fetched at once.
const AT_ONCE: usize = 50;

/// Most bytes of a page that are read: so many messages, each as large as one may be.
const MAX_PAGE_BYTES: usize = 96 << 20;

/// Bytes of an error page that go into a sentence.
const SHOWN: usize = 200;

/// And of what a problem says in words.
const SHOWN_DETAIL: usize = 600;

/// An [`Inlet`] over the published feed of another system that is made with `fait`
/// (`GET /api/published`). A mark of it is the id of that system's log and a position in there.
///
/// Nothing is kept on the other side: it reads behind what is recorded here, as often as it has
/// to. It waits there for up to 20 seconds for something new.
///
/// ```
/// # fn main() -> Result<(), fait_http::HttpError> {
/// let tickets = fait_http::Feed::of("https://tickets.example")?.token("fait_123")?;
/// // app.hears::<Tickets>("tickets", tickets)
/// # let _ = tickets;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Feed {
    client: Client,
    address: String,
    authorization: Option<HeaderValue>,
    types: Vec<String>,
    wait: Duration,
    /// How far was looked behind a mark, with nothing found.
    looked: Mutex<Option<(Option<Mark>, Mark)>>,
}

/// A message, as far as it is looked at on the way.
#[derive(Deserialize)]
struct Placed {
    sequence: String,
}

/// The messages of a page, no more than were asked for.
struct Page(Vec<Box<RawValue>>);

impl<'de> Deserialize<'de> for Page {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Page;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of messages")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Page, A::Error> {
                let mut all = vec![];
                while let Some(message) = seq.next_element()? {
                    if all.len() == AT_ONCE {
                        let why = format!("it has more than {AT_ONCE} messages");
                        return Err(A::Error::custom(why));
                    }
                    all.push(message);
                }
                Ok(Page(all))
            }
        }
        d.deserialize_seq(Each)
    }
}

impl Feed {
    /// The feed of the system at an address.
    ///
    /// # Errors
    /// The address is none, or this machine cannot speak TLS.
    pub fn of(address: &str) -> Result<Feed, HttpError> {
        Ok(Feed {
            address: format!("{}/api/published", web(address)?),
            client: client()?,
            authorization: None,
            types: vec![],
            wait: Duration::from_secs(20),
            looked: Mutex::default(),
        })
    }

    /// This system's token there. It is not shown in logs.
    ///
    /// # Errors
    /// It cannot be sent.
    pub fn token(mut self, token: &str) -> Result<Feed, HttpError> {
        self.authorization = Some(bearer(token)?);
        Ok(self)
    }

    /// Messages of these types only, for example `com.example.tickets.tickets-issued.v1`; by
    /// default all.
    #[must_use]
    pub fn types(mut self, types: &[&str]) -> Feed {
        self.types = types.iter().map(ToString::to_string).collect();
        self
    }

    /// How long one request waits for something new: whole seconds, at most 60.
    #[must_use]
    pub fn wait(mut self, time: Duration) -> Feed {
        self.wait = time.min(Duration::from_secs(60));
        self
    }

    async fn page(&self, after: Option<Mark>) -> Result<Vec<Delivery>, BusError> {
        let from = self.from(&after);
        let (status, headers, body) = self.ask(from.as_ref()).await?;
        if status != StatusCode::OK {
            let error = refused(status, &body);
            if matches!(error, BusError::Other(_)) {
                // Maybe only what was looked at beyond the mark is not there any more.
                *self.lock() = None;
            }
            return Err(error);
        }
        let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
        let (Some(history), Some(upto)) = (header("fait-history"), header("fait-position")) else {
            return Err(no_feed(
                &self.address,
                "the answer names no history and no position",
            ));
        };
        let Page(all) =
            serde_json::from_slice(&body).map_err(|e| no_feed(&self.address, &e.to_string()))?;
        let mark = |sequence| Mark {
            history: history.to_owned(),
            sequence,
        };
        let deliveries = all.into_iter().map(|message| {
            let placed: Placed = serde_json::from_str(message.get())
                .map_err(|e| no_feed(&self.address, &e.to_string()))?;
            let sequence = placed.sequence.parse();
            let sequence = sequence.map_err(|_| no_feed(&self.address, "a place is no number"))?;
            Ok(Delivery {
                mark: mark(sequence),
                headers: vec![("content-type".into(), STRUCTURED.into())],
                body: Box::<str>::from(message)
                    .into_boxed_bytes()
                    .into_vec()
                    .into(),
            })
        });
        let deliveries: Vec<Delivery> = deliveries.collect::<Result<_, BusError>>()?;
        let upto = upto.parse();
        let upto = upto.map_err(|_| no_feed(&self.address, "a position is no number"))?;
        *self.lock() = match deliveries.is_empty() {
            true => Some((after, mark(upto))),
            false => None,
        };
        Ok(deliveries)
    }

    /// Where to read on: behind what was recorded, or further where it is known that there was
    /// nothing.
    fn from(&self, after: &Option<Mark>) -> Option<Mark> {
        match &*self.lock() {
            Some((behind, looked)) if behind == after => Some(looked.clone()),
            _ => after.clone(),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Option<Mark>, Mark)>> {
        // What is in there is replaced as a whole.
        self.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(
        &self,
        after: Option<&Mark>,
    ) -> Result<(StatusCode, reqwest::header::HeaderMap, Vec<u8>), BusError> {
        let later = |e: reqwest::Error| BusError::Later(said(&e));
        let mut words = vec![
            ("limit", AT_ONCE.to_string()),
            ("wait", self.wait.as_secs().to_string()),
        ];
        if let Some(mark) = after {
            words.push(("after", mark.sequence.to_string()));
            words.push(("history", mark.history.clone()));
        }
        if !self.types.is_empty() {
            words.push(("types", self.types.join(",")));
        }
        let address = reqwest::Url::parse_with_params(&self.address, words);
        let address = address.map_err(|e| BusError::Unfit(format!("{}: {e}", self.address)))?;
        let mut request = self.client.get(address);
        if let Some(value) = &self.authorization {
            request = request.header(AUTHORIZATION, value.clone());
        }
        let patience = self.wait + Duration::from_secs(20);
        let mut answer = request.timeout(patience).send().await.map_err(later)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut body = vec![];
        while let Some(part) = answer.chunk().await.map_err(later)? {
            body.extend_from_slice(&part);
            if body.len() > MAX_PAGE_BYTES {
                let why = format!("a page has more than {MAX_PAGE_BYTES} bytes");
                return Err(no_feed(&self.address, &why));
            }
        }
        Ok((status, headers, body))
    }
}

impl Inlet for Feed {
    fn take(&self, after: Option<Mark>) -> BoxFuture<'_, Result<Vec<Delivery>, BusError>> {
        Box::pin(self.page(after))
    }
}

/// Why there is no page. A token that is not known yet, and a system that does not publish yet,
/// are waited for.
fn refused(status: StatusCode, body: &[u8]) -> BusError {
    let problem: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let detail = match answer::detail(body) {
        Some(detail) => answer::shown(detail.as_bytes(), SHOWN_DETAIL),
        None => answer::shown(body, SHOWN),
    };
    match problem["type"].as_str() {
        Some("urn:fait:problem:other-history") => BusError::Other(detail),
        _ => BusError::Later(format!("{status}: {detail}")),
    }
}

fn no_feed(address: &str, why: &str) -> BusError {
    BusError::Unfit(format!("{address} is no published feed: {why}"))
}
