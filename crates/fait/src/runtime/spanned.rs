//! The spans around what is done here; see [`spans`](crate::spans).

use super::receipt::Envelope;
use crate::bus::Message;
use crate::spans::{TARGET, Tie, joined};
use fait_core::event::{Origin, is_traceparent};
use fait_core::process::{Instance, Open};
use std::collections::BTreeSet;
use tracing::{Span, debug_span};
use uuid::Uuid;

/// Most links of one span.
const MOST_LINKS: usize = 16;

/// A command is decided. It comes of an event, or of somebody who waits for the answer.
pub(super) fn decide(command: &str, id: Uuid, env: &Envelope, asked: Option<&str>) -> Span {
    let span = debug_span!(
        target: TARGET,
        "decide",
        otel.name = format!("decide {command}"),
        fait.command = command,
        fait.command.id = %id,
        messaging.message.conversation_id = env.correlation.map(|c| c.to_string()),
    );
    let tie = match env.causation.is_some() || env.traceparent.is_none() {
        true => Tie::Link,
        false => Tie::Child,
    };
    let before = env.traceparent.as_deref().filter(|t| is_traceparent(t));
    joined(span, before.or(asked), tie)
}

/// A process takes an input.
pub(super) fn process(instance: &Instance, input: &'static str, before: Option<&str>) -> Span {
    let span = debug_span!(
        target: TARGET,
        "process",
        otel.name = format!("process {}", instance.process),
        otel.kind = "consumer",
        messaging.system = "fait",
        messaging.operation.name = "process",
        messaging.operation.r#type = "process",
        messaging.destination.name = instance.process,
        fait.process = instance.process,
        fait.process.id = instance.key,
        fait.input = input,
    );
    joined(span, before, Tie::Link)
}

/// Another system is told what to do.
pub(super) fn tell(system: &str, open: &Open, attempt: u32, flow: Uuid) -> Span {
    let issued = &open.issued;
    let span = debug_span!(
        target: TARGET,
        "send",
        otel.name = format!("send {system}"),
        otel.kind = "client",
        messaging.system = "fait",
        messaging.operation.name = "tell",
        messaging.operation.r#type = "send",
        messaging.destination.name = system,
        messaging.message.id = %issued.id,
        messaging.message.conversation_id = %flow,
        fait.command = issued.name,
        fait.attempt = attempt,
    );
    joined(span, open.traceparent.as_deref(), Tie::Link)
}

/// A message is made of an event, for others.
pub(super) fn publish(publication: &str, id: Uuid, ty: &str, origin: &Origin) -> Span {
    let span = debug_span!(
        target: TARGET,
        "create",
        otel.name = format!("create {publication}"),
        otel.kind = "producer",
        messaging.system = "fait",
        messaging.operation.name = "publish",
        messaging.operation.r#type = "create",
        messaging.destination.name = publication,
        messaging.message.id = %id,
        messaging.message.conversation_id = %origin.correlation,
        fait.message.r#type = ty,
    );
    joined(span, origin.traceparent.as_deref(), Tie::Link)
}

/// Messages are handed over to a broker: with a link to each trace that they are of, to some of
/// them where there are many.
pub(super) fn relay(outlet: &str, messages: &[Message]) -> Span {
    let span = debug_span!(
        target: TARGET,
        "relay",
        otel.name = format!("send {outlet}"),
        otel.kind = "producer",
        messaging.system = "fait",
        messaging.operation.name = "relay",
        messaging.operation.r#type = "send",
        messaging.destination.name = outlet,
        messaging.batch.message_count = messages.len(),
    );
    let traces: BTreeSet<&str> = messages
        .iter()
        .filter_map(|m| m.event.traceparent())
        .collect();
    for trace in traces.into_iter().take(MOST_LINKS) {
        joined(span.clone(), Some(trace), Tie::Link);
    }
    span
}

/// A message of another system is taken in.
pub(super) fn receive(
    receiver: &str,
    message: Uuid,
    ty: Option<&str>,
    before: Option<&str>,
) -> Span {
    let span = debug_span!(
        target: TARGET,
        "receive",
        otel.name = format!("receive {receiver}"),
        otel.kind = "consumer",
        messaging.system = "fait",
        messaging.operation.name = "receive",
        messaging.operation.r#type = "process",
        messaging.destination.name = receiver,
        messaging.message.id = %message,
        fait.message.r#type = ty,
    );
    joined(span, before.filter(|t| is_traceparent(t)), Tie::Link)
}
