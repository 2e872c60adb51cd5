//! The address of a running system: its HTTP interface.

use crate::trouble::Trouble;
use crate::wanted::{Wanted, Which};
use fait::app::{ProcessStatus, ViewStatus};
use fait::event::{Meta, StoredEvent, Tag};
use fait::process::Instance;
use fait::store::Slice;
use fait::trace::Cause;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;
use ureq::http::Response;
use ureq::{Agent, Body, Error};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running system.
#[derive(Debug)]
pub(crate) struct Address {
    base: String,
    agent: Agent,
}

/// How a parked instance goes on.
#[derive(Debug)]
pub(crate) struct Resumption<'a> {
    /// Whether its input is tried again; else it is skipped.
    pub(crate) retry: bool,
    /// Who lets it go on.
    pub(crate) by: &'a str,
    /// Why.
    pub(crate) reason: &'a str,
}

impl Address {
    /// The system at an address like `http://127.0.0.1:7070`; it is not called yet.
    pub(crate) fn new(base: &str) -> Address {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .proxy(None)
            .build();
        Address {
            base: base.trim_end_matches('/').to_string(),
            agent: config.into(),
        }
    }

    /// Some events.
    pub(crate) fn events(&self, wanted: &Wanted) -> Result<Slice, Trouble> {
        let range = wanted.range;
        let mut query = vec![
            ("after", range.after.to_string()),
            ("limit", range.limit.to_string()),
        ];
        if let Some(before) = range.before {
            query.push(("before", before.to_string()));
        }
        if range.backwards {
            query.push(("backwards", "true".into()));
        }
        if !wanted.types.is_empty() {
            query.push(("types", wanted.types.join(",")));
        }
        if !wanted.tags.is_empty() {
            let tags: Vec<&str> = wanted.tags.iter().map(Tag::as_str).collect();
            query.push(("tags", tags.join(",")));
        }
        let mut answer: Value = self.read("events", &query)?;
        let events = match answer["events"].take() {
            Value::Array(events) => events,
            _ => return Err(self.strange("events", "it has no `events`")),
        };
        let events = events.into_iter().map(|e| self.stored(e));
        Ok(Slice {
            events: events.collect::<Result<_, _>>()?,
            head: answer["head"].as_u64().unwrap_or(0),
        })
    }

    /// One event.
    pub(crate) fn event(&self, which: Which) -> Result<StoredEvent, Trouble> {
        let event = self.read(&format!("events/{which}"), &[])?;
        self.stored(event)
    }

    /// The flow of an event.
    pub(crate) fn trace(&self, which: Which) -> Result<Vec<Cause>, Trouble> {
        let mut answer: Value = self.read(&format!("trace/{which}"), &[])?;
        let Value::Array(causes) = answer["events"].take() else {
            return Err(self.strange("trace", "it has no `events`"));
        };
        let cause = |mut cause: Value| {
            let depth = cause["depth"].as_u64().unwrap_or(0);
            Ok(Cause {
                event: self.stored(cause["event"].take())?,
                depth: usize::try_from(depth).unwrap_or(usize::MAX),
            })
        };
        causes.into_iter().map(cause).collect()
    }

    /// All views.
    pub(crate) fn views(&self) -> Result<Vec<ViewStatus>, Trouble> {
        self.read("ops/views", &[])
    }

    /// One view.
    pub(crate) fn view(&self, name: &str) -> Result<ViewStatus, Trouble> {
        self.read(&format!("ops/views/{}", segment(name)), &[])
    }

    /// Asks for a rebuild.
    pub(crate) fn rebuild(&self, name: &str) -> Result<(), Trouble> {
        let path = format!("ops/views/{}/rebuild", segment(name));
        self.send(&path, &json!({}))
    }

    /// All processes.
    pub(crate) fn processes(&self) -> Result<Vec<ProcessStatus>, Trouble> {
        self.read("ops/processes", &[])
    }

    /// Instances of a process.
    pub(crate) fn instances(
        &self,
        process: &str,
        status: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Instance>, Trouble> {
        let mut query = vec![("limit", limit.to_string())];
        query.extend(status.map(|s| ("status", s.to_string())));
        self.read(&format!("ops/processes/{}", segment(process)), &query)
    }

    /// One instance.
    pub(crate) fn instance(&self, process: &str, key: &str) -> Result<Instance, Trouble> {
        let path = format!("ops/processes/{}/{}", segment(process), segment(key));
        self.read(&path, &[])
    }

    /// Lets a parked instance go on.
    pub(crate) fn resume(
        &self,
        process: &str,
        key: &str,
        how: &Resumption<'_>,
    ) -> Result<(), Trouble> {
        let Resumption { retry, by, reason } = how;
        let (process, key) = (segment(process), segment(key));
        let path = format!("ops/processes/{process}/{key}/resume?as={}", segment(by));
        self.send(&path, &json!({ "retry": retry, "reason": reason }))
    }

    fn read<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<T, Trouble> {
        let pairs = query.iter().map(|(name, value)| (*name, value.as_str()));
        let url = format!("{}/api/{path}", self.base);
        let answer = self.agent.get(url).query_pairs(pairs).call();
        let mut answer = self.accepted(answer)?;
        let body = answer.body_mut().with_config().limit(u64::MAX);
        body.read_json().map_err(|e| self.strange(path, e))
    }

    fn send(&self, path: &str, body: &Value) -> Result<(), Trouble> {
        let url = format!("{}/api/{path}", self.base);
        self.accepted(self.agent.post(url).send_json(body))
            .map(|_| ())
    }

    fn accepted(&self, answer: Result<Response<Body>, Error>) -> Result<Response<Body>, Trouble> {
        let mut answer = answer.map_err(|e| self.unreachable(&e))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        let Ok(problem) = serde_json::from_str::<Value>(&text) else {
            return Err(Trouble::Unreachable(format!(
                "what listens at {} is not a system made with fait: it answers {status}; \
                 give the address that the program printed when it started",
                self.base
            )));
        };
        let detail = problem["detail"].as_str().map(str::to_string);
        let detail = detail.unwrap_or_else(|| format!("{} answers {status}", self.base));
        Err(match status.as_u16() {
            404 => Trouble::Finding(detail),
            409 | 412 => Trouble::Conflict(detail),
            500 | 501 => Trouble::Internal(detail),
            502..=504 => Trouble::Unreachable(detail),
            _ => Trouble::Usage(detail),
        })
    }

    fn unreachable(&self, e: &Error) -> Trouble {
        let base = &self.base;
        match e {
            Error::BadUri(_) | Error::Http(_) => Trouble::Usage(format!(
                "{base} is not an address; write it like http://127.0.0.1:7070"
            )),
            Error::Timeout(_) => Trouble::Unreachable(format!(
                "{base} does not answer within {} s; see what the program says",
                PATIENCE.as_secs()
            )),
            e => Trouble::Unreachable(format!(
                "nothing answers at {base} ({e}); start the program, or look into its folder \
                 with --at FOLDER"
            )),
        }
    }

    fn stored(&self, mut event: Value) -> Result<StoredEvent, Trouble> {
        let tags = serde_json::from_value(event["tags"].take());
        let data = event["data"].take().to_string();
        let ty = event["type"].as_str().unwrap_or_default().to_string();
        let version = event["version"].as_u64().unwrap_or(1);
        let meta: Meta = serde_json::from_value(event).map_err(|e| self.strange("an event", e))?;
        Ok(StoredEvent {
            ty,
            version: u32::try_from(version).unwrap_or(u32::MAX),
            tags: tags.map_err(|e| self.strange("an event", e))?,
            data: data.into(),
            meta,
        })
    }

    fn strange(&self, what: &str, why: impl std::fmt::Display) -> Trouble {
        Trouble::Internal(format!(
            "cannot understand what {} answers about {what}: {why}; use the `fait` of the same \
             version as the program",
            self.base
        ))
    }
}

/// A text as one segment of a path.
fn segment(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
