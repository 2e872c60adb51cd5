//! The way out: a system's published messages into its stream.

use crate::connect::Nats;
use crate::name;
use crate::stream::{self, Keep};
use async_nats::HeaderMap;
use async_nats::jetstream::Context;
use async_nats::jetstream::Error as JetStreamError;
use async_nats::jetstream::context::{PublishAckFuture, PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::stream::RawMessageErrorKind;
use fait::bus::{BusError, Message, Outlet, Reached};
use fait::event::Position;
use fait::store::BoxFuture;
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use std::error::Error;

/// Messages that are on their way and not yet acknowledged.
const IN_FLIGHT: usize = 256;
/// Their bytes.
const BYTES_IN_FLIGHT: usize = 8 << 20;

/// The position in the log of the system that publishes.
const POSITION: &str = "fait-position";
const ID: &str = "Nats-Msg-Id";
const STREAM: &str = "Nats-Expected-Stream";
const LAST: &str = "Nats-Expected-Last-Sequence";

/// A stream's configured largest message.
const TOO_LARGE: u64 = 10054;

/// The stream into which a system publishes.
#[derive(Clone, Debug)]
pub struct NatsOutlet {
    nats: Nats,
    system: String,
    keep: Keep,
}

impl Nats {
    /// The way out for a system: its stream `fait-<system>`, which is made where there is none.
    /// Nobody else may publish to `fait.<system>.>`.
    pub fn outlet(&self, system: &str) -> NatsOutlet {
        NatsOutlet {
            nats: self.clone(),
            system: system.into(),
            keep: Keep::default(),
        }
    }
}

impl NatsOutlet {
    /// How long and how safely the stream keeps messages. A stream that is there already must be
    /// set up like this: it is not changed.
    #[must_use]
    pub fn keeps(mut self, keep: Keep) -> Self {
        self.keep = keep;
        self
    }

    async fn look(&self) -> Result<Reached, BusError> {
        let context = self.nats.context()?;
        let info = stream::ensure(&self.nats, &context, &self.system, &self.keep).await?;
        let sequence = info.state.last_sequence;
        let position = match sequence {
            0 => None,
            _ => position(&context, &info.config.name, sequence).await?,
        };
        Ok(Reached {
            history: stream::history(&info),
            sequence,
            position,
        })
    }

    async fn hand(&self, after: Reached, messages: &[Message]) -> Result<Reached, BusError> {
        let context = self.nats.context()?;
        let behind = after.sequence..;
        let mut flight = Flight::behind(after);
        for (message, last) in messages.iter().zip(behind) {
            let (subject, publish, bytes) = self.publish(message, last);
            let position = message.position;
            if !flight.has_room().await {
                break;
            }
            match context.send_publish(subject, publish).await {
                Ok(ack) => flight.goes_on(ack, position, bytes),
                Err(e) => flight.failed = Some(refused(position, &e)),
            }
        }
        flight.landed().await
    }

    fn publish(&self, message: &Message, last: u64) -> (String, PublishMessage, usize) {
        let event = &message.event;
        let mut headers = HeaderMap::new();
        headers.insert("Content-Type", "application/cloudevents+json");
        headers.insert(ID, format!("{}:{}", event.source, event.id));
        headers.insert(STREAM, name::stream(&self.system));
        headers.insert(LAST, last.to_string());
        headers.insert(POSITION, message.position.to_string());
        let body = event.to_bytes();
        let bytes = body.len();
        let publish = PublishMessage::build().headers(headers).payload(body);
        (name::subject(&self.system, event), publish, bytes)
    }
}

/// Messages that are on their way, in order.
struct Flight {
    acks: FuturesOrdered<BoxFuture<'static, Landed>>,
    bytes: usize,
    reached: Reached,
    /// The first that was not taken; those behind it are not taken either.
    failed: Option<BusError>,
}

/// What came of one of them.
struct Landed {
    position: Position,
    bytes: usize,
    ack: Result<PublishAck, PublishError>,
}

impl Flight {
    fn behind(reached: Reached) -> Flight {
        Flight {
            acks: FuturesOrdered::new(),
            bytes: 0,
            reached,
            failed: None,
        }
    }

    /// Waits until one more may go; false when none may.
    async fn has_room(&mut self) -> bool {
        while self.acks.len() >= IN_FLIGHT || self.bytes >= BYTES_IN_FLIGHT {
            self.lands().await;
        }
        self.failed.is_none()
    }

    fn goes_on(&mut self, ack: PublishAckFuture, position: Position, bytes: usize) {
        self.bytes += bytes;
        self.acks.push_back(Box::pin(async move {
            Landed {
                position,
                bytes,
                ack: ack.await,
            }
        }));
    }

    /// Waits for the first of them; false when there is none.
    async fn lands(&mut self) -> bool {
        let Some(landed) = self.acks.next().await else {
            return false;
        };
        self.bytes -= landed.bytes;
        if self.failed.is_none() {
            self.failed = self.counts(landed).err();
        }
        true
    }

    /// Goes on by one message, if it stands where it was meant to.
    fn counts(&mut self, landed: Landed) -> Result<(), BusError> {
        let ack = landed.ack.map_err(|e| refused(landed.position, &e))?;
        // A server that knows the id answers with an earlier place.
        if ack.sequence != self.reached.sequence + 1 {
            return Err(BusError::Later(format!(
                "the message at position {} stands at {} of the stream {} already, and is taken \
                 again when the server's time for duplicates is over",
                landed.position, ack.sequence, ack.stream
            )));
        }
        self.reached.sequence = ack.sequence;
        self.reached.position = Some(landed.position);
        Ok(())
    }

    /// Waits for all of them, also behind one that was not taken: what may still arrive has
    /// arrived then.
    async fn landed(mut self) -> Result<Reached, BusError> {
        while self.lands().await {}
        self.failed.map_or(Ok(self.reached), Err)
    }
}

/// The position of one message, if it is still there.
async fn position(
    context: &Context,
    stream: &str,
    sequence: u64,
) -> Result<Option<Position>, BusError> {
    let later = |e: &dyn Error| {
        let text = format!("the last message of the stream {stream} cannot be read: {e}");
        BusError::Later(text)
    };
    let found = context.get_stream_no_info(stream).await;
    let found = found
        .map_err(|e| later(&e))?
        .get_raw_message(sequence)
        .await;
    let message = match found {
        Ok(message) => message,
        Err(e) if e.kind() == RawMessageErrorKind::NoMessageFound => return Ok(None),
        Err(e) => return Err(later(&e)),
    };
    let position = message.headers.get(POSITION);
    let position = position.and_then(|value| value.as_str().parse().ok());
    let foreign = || {
        BusError::Unfit(format!(
            "message {sequence} of the stream {stream} does not say its position: somebody else \
             publishes to {}. Only the system itself may",
            message.subject
        ))
    };
    position.map(Some).ok_or_else(foreign)
}

fn refused(position: Position, e: &PublishError) -> BusError {
    let code = e
        .source()
        .and_then(|source| source.downcast_ref::<JetStreamError>());
    match (e.kind(), code.map(|error| error.error_code().0)) {
        (PublishErrorKind::MaxPayloadExceeded, _) | (_, Some(TOO_LARGE)) => {
            let why = e
                .source()
                .map_or_else(|| e.to_string(), ToString::to_string);
            BusError::Message {
                position,
                why: format!("{why}. Raise `max_payload` of the NATS server: 2MB carry everything"),
            }
        }
        (PublishErrorKind::WrongLastSequence, _) => BusError::Later(format!(
            "somebody else handed over before the message at position {position}"
        )),
        _ => BusError::Later(format!(
            "nobody knows whether the message at position {position} was taken: {}",
            e.source()
                .map_or_else(|| e.to_string(), ToString::to_string)
        )),
    }
}

impl Outlet for NatsOutlet {
    fn reached(&self) -> BoxFuture<'_, Result<Reached, BusError>> {
        Box::pin(self.look())
    }

    fn hand_over(
        &self,
        after: Reached,
        messages: Vec<Message>,
    ) -> BoxFuture<'_, Result<Reached, BusError>> {
        Box::pin(async move { self.hand(after, &messages).await })
    }
}
