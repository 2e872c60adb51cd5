//! The way in: another system's stream, read by its numbers.

use crate::connect::Nats;
use crate::name;
use crate::stream;
use async_nats::HeaderMap;
use async_nats::jetstream::consumer::pull::{Batch, Config};
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, ReplayPolicy};
use async_nats::jetstream::stream::{Info, RawMessageErrorKind};
use async_nats::jetstream::{self, Context};
use fait::bus::{BusError, Delivery, Inlet, Mark};
use fait::store::BoxFuture;
use futures_util::StreamExt;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

/// Most messages that are given at once.
const MOST: usize = 256;
/// Their bytes, as long as no single one has more.
const MOST_BYTES: usize = 16 << 20;
/// How long the first message is waited for.
const WAIT: Duration = Duration::from_secs(1);
/// How long the server may take for what is there already.
const ANSWER: Duration = Duration::from_secs(5);
/// After how long without a question the server forgets a reader.
const IDLE: Duration = Duration::from_secs(300);
/// How often, a second apart, a stream is asked that seems to end before the mark: a new leader
/// may not have read everything yet.
const ASKED: usize = 5;

/// The stream of another system, from a mark on.
///
/// [`done`](Inlet::done) says nothing to the server: what was read is what the mark in the
/// reader's own log says, and nothing else remembers it.
#[derive(Debug)]
pub struct NatsInlet {
    nats: Nats,
    system: String,
    name: String,
    open: Mutex<Option<Open>>,
}

/// A reader at the server: without a name of its own, without acknowledgements, soon forgotten.
#[derive(Debug)]
struct Open {
    consumer: Consumer<Config>,
    history: String,
    /// What was given last.
    after: Option<Mark>,
    /// The number of the next message.
    next: u64,
}

/// What came of reading on.
enum Read {
    Some(Vec<Delivery>),
    /// It does not go on here, for this reason: another reader must be made.
    Broken(Vec<Delivery>, String),
}

impl Nats {
    /// The way in from another system. The tools of NATS show the reader as `name`; it is
    /// different for each system that reads, and no more than a name.
    pub fn inlet(&self, system: &str, name: &str) -> NatsInlet {
        NatsInlet {
            nats: self.clone(),
            system: system.into(),
            name: name.into(),
            open: Mutex::new(None),
        }
    }
}

impl NatsInlet {
    async fn read(&self, after: Option<Mark>) -> Result<Vec<Delivery>, BusError> {
        let context = self.nats.context()?;
        let mut kept = self.open.lock().await;
        let mut again = false;
        loop {
            // Taken out: when this is given up halfway, messages are on their way to nobody.
            let mut open = match kept.take() {
                Some(open) if open.after == after => open,
                old => {
                    if let Some(old) = old {
                        forget(&context, &old).await;
                    }
                    self.open(&context, after.as_ref()).await?
                }
            };
            match open.read_on(&context).await {
                Read::Some(found) => {
                    *kept = Some(open);
                    return Ok(found);
                }
                Read::Broken(found, _) if !found.is_empty() => return Ok(found),
                Read::Broken(_, why) if again => {
                    missing(&context, &open, &why).await?;
                    return Err(BusError::Later(why));
                }
                // Without a connection that is found here, and not after two more waits.
                Read::Broken(..) => forget(&self.nats.context()?, &open).await,
            }
            again = true;
        }
    }

    /// A reader right behind the mark, if the mark is of what is there.
    async fn open(&self, context: &Context, after: Option<&Mark>) -> Result<Open, BusError> {
        let stream = name::stream(&self.system);
        let info = self.held_against(context, &stream, after).await?;
        let next = match after {
            Some(mark) => mark.sequence.saturating_add(1),
            None => info.state.first_sequence.max(1),
        };
        let inbox = context.client().new_inbox();
        let unique = inbox.rsplit('.').next().unwrap_or_default();
        let asked = Config {
            name: Some(format!("{}-{unique}", name::token(&self.name))),
            description: Some(format!(
                "{} reads what {} publishes",
                self.name, self.system
            )),
            deliver_policy: DeliverPolicy::ByStartSequence {
                start_sequence: next,
            },
            ack_policy: AckPolicy::None,
            replay_policy: ReplayPolicy::Instant,
            inactive_threshold: IDLE,
            memory_storage: true,
            num_replicas: 1,
            ..Config::default()
        };
        let made = context
            .create_consumer_on_stream(asked.clone(), stream.clone())
            .await;
        let consumer =
            made.map_err(|e| BusError::Later(format!("the stream {stream} cannot be read: {e}")))?;
        let wrong = stream::differences(HELD, &asked, &consumer.cached_info().config)?;
        if !wrong.is_empty() {
            return Err(BusError::Unfit(format!(
                "the NATS server reads the stream {stream} otherwise than it was asked to: {}",
                wrong.join("; ")
            )));
        }
        let history = stream::history(&info);
        // It is of the history that was there before and is still there.
        match stream::look(context, &stream).await? {
            Some(now) if stream::history(&now) == history => Ok(Open {
                consumer,
                history,
                after: after.cloned(),
                next,
            }),
            _ => Err(gone(&stream)),
        }
    }

    /// The stream, if the mark can be gone on from.
    async fn held_against(
        &self,
        context: &Context,
        stream: &str,
        after: Option<&Mark>,
    ) -> Result<Info, BusError> {
        let mut asked = 1;
        loop {
            let Some(info) = stream::look(context, stream).await? else {
                return Err(gone(stream));
            };
            let Some(mark) = after else {
                return Ok(info);
            };
            let (first, last) = (info.state.first_sequence, info.state.last_sequence);
            let history = stream::history(&info);
            if history != mark.history {
                return Err(BusError::Other(format!(
                    "{history}, and {} was read up to message {}",
                    mark.history, mark.sequence
                )));
            }
            if mark.sequence < first.saturating_sub(1) {
                return Err(BusError::Other(format!(
                    "messages {} to {} of the stream {stream} are gone before they were read: it \
                     was purged, or keeps messages for too short a time",
                    mark.sequence + 1,
                    first - 1
                )));
            }
            if mark.sequence <= last {
                return Ok(info);
            }
            if asked == ASKED {
                return Err(BusError::Other(format!(
                    "the stream {stream} ends at message {last}, and it was read up to {}: it was \
                     restored from an older copy, or its server lost the end",
                    mark.sequence
                )));
            }
            asked += 1;
            sleep(WAIT).await;
        }
    }
}

const HELD: &[&str] = &[
    "deliver_policy",
    "opt_start_seq",
    "ack_policy",
    "replay_policy",
    "filter_subject",
    "filter_subjects",
    "headers_only",
    "inactive_threshold",
];

fn gone(stream: &str) -> BusError {
    BusError::Later(format!(
        "the stream {stream} is not there: the other system makes it when it publishes"
    ))
}

/// Says that the next message is not there, when it is not.
async fn missing(context: &Context, open: &Open, why: &str) -> Result<(), BusError> {
    let stream = &open.consumer.cached_info().stream_name;
    let later = |e: String| BusError::Later(format!("the stream {stream} cannot be read: {e}"));
    let found = context.get_stream_no_info(stream).await;
    let found = found.map_err(|e| later(e.to_string()))?;
    match found.get_raw_message(open.next).await {
        Err(e) if e.kind() == RawMessageErrorKind::NoMessageFound => Err(BusError::Other(format!(
            "message {} of the stream {stream} is missing: {why}",
            open.next
        ))),
        Err(e) => Err(later(e.to_string())),
        Ok(_) => Ok(()),
    }
}

/// The server would find out by itself, after a while.
async fn forget(context: &Context, open: &Open) {
    let info = open.consumer.cached_info();
    let stream = &info.stream_name;
    let gone = context
        .delete_consumer_from_stream(&info.name, stream)
        .await;
    if let Err(e) = gone {
        tracing::debug!(
            stream,
            name = info.name,
            "the reader is forgotten later: {e}"
        );
    }
}

impl Open {
    async fn read_on(&mut self, context: &Context) -> Read {
        let mut found = Vec::new();
        match self.read_more(&mut found).await {
            Err(why) => return Read::Broken(found, why),
            Ok(()) if !found.is_empty() => return Read::Some(found),
            Ok(()) => {}
        }
        // Nothing came: is there really nothing?
        let stream = &self.consumer.cached_info().stream_name;
        match stream::look(context, stream).await {
            Ok(Some(info)) if stream::history(&info) == self.history => {
                match info.state.last_sequence < self.next {
                    true => Read::Some(found),
                    false => Read::Broken(found, "the server does not give it".into()),
                }
            }
            Ok(_) => Read::Broken(found, "the stream is another one".into()),
            Err(e) => Read::Broken(found, e.to_string()),
        }
    }

    async fn read_more(&mut self, found: &mut Vec<Delivery>) -> Result<(), String> {
        self.fetch(found, MOST).await?;
        if !found.is_empty() {
            return Ok(());
        }
        let wait = self
            .consumer
            .batch()
            .max_messages(1)
            .expires(WAIT)
            .messages();
        let wait = wait.await.map_err(|e| e.to_string())?;
        self.drink(wait, found, WAIT + ANSWER).await?;
        match found.is_empty() {
            true => Ok(()),
            false => self.fetch(found, MOST - 1).await,
        }
    }

    /// What is there now.
    async fn fetch(&mut self, found: &mut Vec<Delivery>, most: usize) -> Result<(), String> {
        let fetch = self
            .consumer
            .fetch()
            .max_messages(most)
            .max_bytes(MOST_BYTES);
        let batch = fetch.messages().await.map_err(|e| e.to_string())?;
        self.drink(batch, found, ANSWER).await
    }

    async fn drink(
        &mut self,
        mut batch: Batch,
        found: &mut Vec<Delivery>,
        within: Duration,
    ) -> Result<(), String> {
        loop {
            let message = match timeout(within, batch.next()).await {
                Ok(Some(Ok(message))) => message,
                Ok(Some(Err(e))) => return Err(e.to_string()),
                Ok(None) => return Ok(()),
                Err(_) => return Err("the server does not answer".into()),
            };
            found.push(self.delivery(&message)?);
        }
    }

    fn delivery(&mut self, message: &jetstream::Message) -> Result<Delivery, String> {
        let sequence = message.info().map_err(|e| e.to_string())?.stream_sequence;
        if sequence != self.next {
            return Err(format!("message {sequence} came in its place"));
        }
        let mark = Mark {
            history: self.history.clone(),
            sequence,
        };
        self.next += 1;
        self.after = Some(mark.clone());
        Ok(Delivery {
            mark,
            headers: message.headers.as_ref().map(headers).unwrap_or_default(),
            body: message.payload.clone(),
        })
    }
}

/// Those of the CloudEvent.
fn headers(all: &HeaderMap) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    for (name, values) in all.iter() {
        let name = name.to_string().to_ascii_lowercase();
        if name == "content-type" || name.starts_with("ce-") {
            headers.extend(values.iter().map(|value| (name.clone(), value.to_string())));
        }
    }
    headers
}

impl Inlet for NatsInlet {
    fn take(&self, after: Option<Mark>) -> BoxFuture<'_, Result<Vec<Delivery>, BusError>> {
        Box::pin(self.read(after))
    }
}
