//! What a system does, as OpenTelemetry traces: the spans of `fait` go to a collector by OTLP over
//! HTTP.
//!
//! ```no_run
//! use fait_otel::Export;
//! use tracing_subscriber::layer::SubscriberExt;
//! use tracing_subscriber::util::SubscriberInitExt;
//!
//! # fn main() -> Result<(), fait_otel::OtelError> {
//! let (layer, exporting) = Export::to("http://127.0.0.1:4318", "restaurant").begin()?;
//! tracing_subscriber::registry().with(layer).init();
//! // … the system runs …
//! exporting.end();
//! # Ok(())
//! # }
//! ```
//!
//! A command that somebody sends with a `traceparent` is a child of the span that sent it. What
//! comes of it later, perhaps after days, is a span of its own with a *link* to that: a step of a
//! process, telling another system, a message that comes in. Spans and their fields are listed in
//! `docs/operating.md`.
//!
//! Only `http://` is spoken, to a collector on the same machine or network, which passes on what
//! it gets by TLS. A collector that is not there costs nothing but its spans.

mod client;

use client::Client;
use fait::spans::{TARGET, Tie, join_with};
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::collections::HashMap;
use std::fmt;
use tracing::level_filters::LevelFilter;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

/// Where traces go.
#[derive(Clone, Debug)]
pub struct Export {
    endpoint: String,
    service: String,
}

/// Traces cannot be exported as it is said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OtelError {
    /// The address is none.
    #[error("`{0}` is not an address that begins with http://; put a collector on this machine")]
    Address(String),
    /// The exporter cannot be made.
    #[error("traces cannot be exported: {0}")]
    Exporter(String),
}

impl Export {
    /// To a collector at an address such as `http://127.0.0.1:4318`, under the name of a service.
    pub fn to(endpoint: &str, service: &str) -> Export {
        Export {
            endpoint: endpoint.trim_end_matches('/').into(),
            service: service.into(),
        }
    }

    /// As the environment says: to `OTEL_EXPORTER_OTLP_ENDPOINT`, under `OTEL_SERVICE_NAME` or
    /// else the given name; none when no address is set.
    pub fn from_env(service: &str) -> Option<Export> {
        let set = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
        let endpoint = set("OTEL_EXPORTER_OTLP_ENDPOINT")?;
        let service = set("OTEL_SERVICE_NAME").unwrap_or_else(|| service.into());
        Some(Export::to(&endpoint, &service))
    }

    /// Begins: gives a layer for `tracing_subscriber`, and what ends it. Spans are sent every few
    /// seconds, by a thread of its own.
    ///
    /// # Errors
    /// The address is none, or no thread can be begun.
    pub fn begin<S>(self) -> Result<(impl Layer<S>, Exporting), OtelError>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if !self.endpoint.starts_with("http://") {
            return Err(OtelError::Address(self.endpoint));
        }
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Client::default())
            .with_endpoint(format!("{}/v1/traces", self.endpoint))
            .build()
            .map_err(|e| OtelError::Exporter(e.to_string()))?;
        let provider = SdkTracerProvider::builder()
            .with_resource(Resource::builder().with_service_name(self.service).build())
            .with_batch_exporter(exporter)
            .build();
        join_with(join);
        let tracer = provider.tracer("fait");
        let wanted = Targets::new()
            .with_default(LevelFilter::INFO)
            .with_target(TARGET, LevelFilter::DEBUG);
        let layer = tracing_opentelemetry::layer().with_tracer(tracer);
        Ok((layer.with_filter(wanted), Exporting { provider }))
    }
}

/// Traces are exported until this ends.
#[must_use = "what was not sent yet is lost without `end`"]
pub struct Exporting {
    provider: SdkTracerProvider,
}

impl fmt::Debug for Exporting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporting").finish_non_exhaustive()
    }
}

impl Exporting {
    /// Sends what there is now, and waits for that; not to be called on a thread that others
    /// wait for.
    ///
    /// # Errors
    /// The collector does not take it.
    pub fn flush(&self) -> Result<(), OtelError> {
        let sent = self.provider.force_flush();
        sent.map_err(|e| OtelError::Exporter(e.to_string()))
    }

    /// Sends what is left, five seconds at most, and ends.
    pub fn end(self) {
        // What cannot be sent now cannot be sent at all.
        let _ = self.provider.shutdown();
    }
}

/// Joins a span to what came before it.
fn join(span: &Span, traceparent: &str, tie: Tie) {
    let carrier = HashMap::from([("traceparent".to_string(), traceparent.to_string())]);
    let before = TraceContextPropagator::new().extract(&carrier);
    match tie {
        // One that is not collected cannot be a child of anything.
        Tie::Child => drop(span.set_parent(before)),
        Tie::Link => span.add_link(before.span().span_context().clone()),
    }
}
