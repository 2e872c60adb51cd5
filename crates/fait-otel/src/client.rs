//! The way to the collector: a plain HTTP client on the exporter's own thread.

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use std::time::Duration;
use ureq::Agent;

/// How long the collector may take for one batch.
const PATIENCE: Duration = Duration::from_secs(10);

/// Most bytes of an answer that are read.
const MAX_ANSWER: u64 = 1 << 20;

#[derive(Debug)]
pub(crate) struct Client(Agent);

impl Default for Client {
    fn default() -> Self {
        // Directly, never through a proxy; an answer is an answer, whatever its status.
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(PATIENCE))
            .build();
        Client(config.new_agent())
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let mut answer = self.0.run(Request::from_parts(head, &body[..]))?;
        let body = answer.body_mut().with_config().limit(MAX_ANSWER);
        let body = body.read_to_vec()?;
        let (head, _) = answer.into_parts();
        Ok(Response::from_parts(head, body.into()))
    }
}
