//! A running system, looked at over HTTP.

mod stream;

use super::{Each, Look, Name, Page, Process, Rebuild, Resume, Source, Stuck, View, Wanted};
use crate::failure::Failure;
use fait::app::{
    AsOf, Cause, FeedStatus, Flow, ParkedKey, ProcessStatus, Rows, RowsQuery, ViewRow, ViewStatus,
};
use fait::board::happened::Happened;
use fait::event::{StoredEvent, Tag};
use fait::manifest::Manifest;
use fait::process::Instance;
use fait::store::Range;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;
use stream::{Said, Stream};
use tokio::runtime::Runtime;
use ureq::http::{Response, StatusCode, Uri};
use ureq::{Agent, Body};
use uuid::Uuid;

/// The type of the problem at an address that is for clients only.
const ONLY_THE_DOOR: &str = "urn:fait:problem:only-the-door";
/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take to begin.
const ANSWER: Duration = Duration::from_secs(30);
/// Largest answer that is read, in bytes.
const MAX_ANSWER: u64 = 256 << 20;
/// How often a lost stream is taken up again without an event in between.
const RETRIES: u32 = 30;
/// How long is waited before each.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The address of a running system. Connections are made directly, never through a proxy.
pub(super) struct Address {
    agent: Agent,
    base: String,
    runtime: Runtime,
}

/// An answer that holds events.
#[derive(Deserialize)]
struct Slice {
    events: Vec<Value>,
    head: u64,
}

#[derive(Deserialize)]
struct Traced {
    events: Vec<Caused>,
}

#[derive(Deserialize)]
struct Caused {
    depth: usize,
    event: Value,
}

impl Address {
    /// The system at an address such as `http://127.0.0.1:7070`.
    pub(super) fn new(at: &str, runtime: Runtime) -> Result<Address, Failure> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(ANSWER))
            .user_agent(concat!("fait/", env!("CARGO_PKG_VERSION")))
            .build();
        let base = at.trim_end_matches('/');
        let uri = base.parse::<Uri>().ok();
        let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
        if host.is_empty() || !base.starts_with("http://") || base.contains(['?', '#']) {
            return Err(Failure::Usage(format!(
                "{at} is not an address like http://127.0.0.1:7070"
            )));
        }
        Ok(Address {
            agent: config.new_agent(),
            base: base.to_string(),
            runtime,
        })
    }

    fn unreachable(&self, e: &ureq::Error) -> Failure {
        Failure::NotReady(format!(
            "{} cannot be reached: {e}; start the system (for the example: `cargo run`), or look \
             into its folder with `--at FOLDER` while it is stopped",
            self.base
        ))
    }

    fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Response<Body>, Failure> {
        let pairs = query.iter().map(|(name, value)| (*name, value.as_str()));
        let asked = self.agent.get(format!("{}{path}", self.base));
        let answer = asked.query_pairs(pairs).call();
        answer.map_err(|e| self.unreachable(&e))
    }

    fn post(
        &self,
        path: &str,
        query: &[(&str, &str)],
        body: &Value,
    ) -> Result<Response<Body>, Failure> {
        let asked = self.agent.post(format!("{}{path}", self.base));
        let asked = asked.query_pairs(query.iter().copied());
        asked.send_json(body).map_err(|e| self.unreachable(&e))
    }

    /// What the answer holds; none when there is no such thing.
    fn found<T: DeserializeOwned>(&self, answer: Response<Body>) -> Result<Option<T>, Failure> {
        let status = answer.status();
        let text = self.text(answer)?;
        if status.is_success() {
            let value = serde_json::from_str(&text).map_err(|e| self.foreign(&e.to_string()))?;
            return Ok(Some(value));
        }
        let detail = self.detail(status, &text)?;
        match status {
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::CONFLICT => Err(Failure::Conflict(detail)),
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
                Err(Failure::Usage(detail))
            }
            _ => Err(Failure::NotReady(format!("{}: {detail}", self.base))),
        }
    }

    /// What the answer holds, of something that is always there.
    fn there<T: DeserializeOwned>(&self, answer: Response<Body>) -> Result<T, Failure> {
        let found = self.found(answer)?;
        found.ok_or_else(|| self.foreign("it does not know what was asked for"))
    }

    /// What the answer holds; what is not there is said in the system's own words.
    fn answered(&self, answer: Response<Body>) -> Result<Value, Failure> {
        let status = answer.status();
        if status == StatusCode::NOT_FOUND {
            let text = self.text(answer)?;
            return Err(Failure::Finding(self.detail(status, &text)?));
        }
        self.there(answer)
    }

    fn text(&self, mut answer: Response<Body>) -> Result<String, Failure> {
        let body = answer.body_mut().with_config().limit(MAX_ANSWER);
        body.read_to_string().map_err(|e| self.unreachable(&e))
    }

    /// The sentence of a problem (RFC 9457). Where only clients are let in, nothing can be said
    /// of what is there.
    fn detail(&self, status: StatusCode, text: &str) -> Result<String, Failure> {
        let problem: Value = serde_json::from_str(text).unwrap_or_default();
        let Some(detail) = problem["detail"].as_str() else {
            return Err(self.foreign(&format!("it answers {status}")));
        };
        let detail = crate::words::clean(detail).into_owned();
        match problem["type"].as_str() {
            Some(ONLY_THE_DOOR) => Err(Failure::NotReady(format!("{}: {detail}", self.base))),
            _ => Ok(detail),
        }
    }

    fn foreign(&self, why: &str) -> Failure {
        Failure::NotReady(format!(
            "{} does not answer like a system of this version: {why}; is the address right?",
            self.base
        ))
    }

    fn event_in(&self, value: Value) -> Result<StoredEvent, Failure> {
        let event = StoredEvent::from_json(value);
        event.ok_or_else(|| self.foreign("it sends an event that cannot be read"))
    }

    fn stream(&self, wanted: &Wanted, after: u64) -> Result<Stream, Failure> {
        let mut query = filter(wanted)?;
        query.push(("after", after.to_string()));
        query.push(("facts", "true".into()));
        let answer = self.get("/api/events/stream", &query)?;
        let status = answer.status();
        if !status.is_success() {
            let text = self.text(answer)?;
            let detail = self.detail(status, &text)?;
            return Err(match status {
                StatusCode::CONFLICT => Failure::Conflict(detail),
                _ => Failure::NotReady(format!("{}: {detail}", self.base)),
            });
        }
        Ok(Stream::new(answer.into_body().into_reader()))
    }
}

impl Source for Address {
    fn read(&self, wanted: &Wanted) -> Result<Page, Failure> {
        let mut query = filter(wanted)?;
        let range = wanted.range;
        query.push(("after", range.after.to_string()));
        query.push(("limit", range.limit.to_string()));
        query.extend(range.before.map(|b| ("before", b.to_string())));
        if range.backwards {
            query.push(("backwards", "true".into()));
        }
        let slice: Slice = self.there(self.get("/api/events", &query)?)?;
        let events = slice.events.into_iter().map(|e| self.event_in(e));
        Ok(Page {
            events: events.collect::<Result<_, _>>()?,
            head: slice.head,
        })
    }

    fn event(&self, name: Name) -> Result<Option<StoredEvent>, Failure> {
        let name = match name {
            Name::Position(position) => position.to_string(),
            Name::Id(id) => id.to_string(),
        };
        let found = self.found(self.get(&format!("/api/events/{name}"), &[])?)?;
        found.map(|value| self.event_in(value)).transpose()
    }

    fn command(&self, id: Uuid) -> Result<Option<StoredEvent>, Failure> {
        let flow: Option<Traced> = self.found(self.get(&format!("/api/trace/{id}"), &[])?)?;
        let causes = flow.map(|f| f.events).unwrap_or_default();
        let events = causes.into_iter().map(|c| self.event_in(c.event));
        let events: Vec<StoredEvent> = events.collect::<Result<_, _>>()?;
        let of = |e: &StoredEvent| e.meta.origin.command == Some(id);
        Ok(events.into_iter().find(of))
    }

    fn begin(&self) -> Result<u64, Failure> {
        Ok(self.read(&Wanted::all(Range::newest(1)))?.head)
    }

    fn follow(&self, wanted: &Wanted, each: Each<'_>) -> Result<(), Failure> {
        let mut after = wanted.range.after;
        let mut stream = self.stream(wanted, after)?;
        let mut lost = 0;
        loop {
            while let Some(said) = stream.next() {
                let text = match said {
                    Said::Event(text) => text,
                    Said::Problem(text) => {
                        let detail = self.detail(StatusCode::SERVICE_UNAVAILABLE, &text)?;
                        return Err(Failure::NotReady(format!("{}: {detail}", self.base)));
                    }
                };
                let value = serde_json::from_str(&text).unwrap_or_default();
                let event = self.event_in(value)?;
                if event.meta.position > after {
                    each(&event)?;
                    (after, lost) = (event.meta.position, 0);
                }
            }
            crate::output::note(format_args!("{} is lost; trying again", self.base));
            stream = loop {
                self.pause(RETRY_AFTER);
                lost += 1;
                match self.stream(wanted, after) {
                    Ok(stream) => break stream,
                    Err(e @ Failure::Conflict(_)) => return Err(e),
                    Err(e) if lost >= RETRIES => return Err(e),
                    Err(_) => {}
                }
            };
        }
    }

    fn flow(&self, event: &StoredEvent) -> Result<Vec<Cause>, Failure> {
        let path = format!("/api/trace/{}", event.meta.position);
        let flow: Traced = self.there(self.get(&path, &[])?)?;
        let cause = |c: Caused| {
            let event = self.event_in(c.event)?;
            Ok(Cause {
                event,
                depth: c.depth,
            })
        };
        flow.events.into_iter().map(cause).collect()
    }

    fn whole(&self, flow: Uuid) -> Result<Flow, Failure> {
        let path = format!("/api/flows/{flow}");
        let mut whole: Flow = self.there(self.get(&path, &[])?)?;
        while let Some(after) = whole.next {
            let after = [("after", after.to_string())];
            let more: Flow = self.there(self.get(&path, &after)?)?;
            whole.events.extend(more.events);
            whole.next = more.next;
        }
        Ok(whole)
    }

    fn views(&self) -> Result<Vec<View>, Failure> {
        let views: Vec<ViewStatus> = self.there(self.get("/api/ops/views", &[])?)?;
        Ok(views.into_iter().map(running).collect())
    }

    fn view(&self, name: &str) -> Result<Option<View>, Failure> {
        let path = format!("/api/ops/views/{}", encoded(name));
        Ok(self.found(self.get(&path, &[])?)?.map(running))
    }

    fn rows(
        &self,
        view: &str,
        query: &RowsQuery,
        as_of: Option<AsOf>,
    ) -> Result<Option<Rows>, Failure> {
        let mut words = vec![("limit".to_string(), query.limit.to_string())];
        for (word, value) in &query.filter {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), String::from);
            // A column may be called as another word of the address is.
            let plain = if word.contains('.') { "" } else { ".eq" };
            words.push((format!("{word}{plain}"), text));
        }
        let named = |name: &str, value: Option<String>| value.map(|v| (name.to_string(), v));
        words.extend(named("sort", Some(query.sort.join(","))));
        words.extend(named("after", query.after.clone()));
        words.extend(named("count", query.count.then(|| "true".into())));
        words.extend(named("as_of", as_of.map(moment)));
        let words: Vec<(&str, String)> =
            words.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
        let path = format!("/api/views/{}", encoded(view));
        self.found(self.get(&path, &words)?)
    }

    fn row(&self, view: &str, key: &str, as_of: Option<AsOf>) -> Result<Option<ViewRow>, Failure> {
        let words: Vec<(&str, String)> = as_of.map(|m| ("as_of", moment(m))).into_iter().collect();
        let path = format!("/api/views/{}/{}", encoded(view), encoded(key));
        self.found(self.get(&path, &words)?)
    }

    fn rebuild(&self, view: &View, body: &Value) -> Result<Rebuild, Failure> {
        let answer = self.ask(&["views", &view.status.name, "rebuild"], body)?;
        let before = answer["rebuilds_finished"].as_u64();
        let before = before.ok_or_else(|| self.foreign("it does not count its rebuilds"))?;
        Ok(Rebuild::Begun { before })
    }

    fn parked(
        &self,
        view: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<ParkedKey>, Failure> {
        let mut query = vec![("limit", limit.to_string())];
        query.extend(after.map(|a| ("after", a.to_string())));
        let mut answer = self.look(&["views", view, "parked"], &query)?;
        serde_json::from_value(answer["parked"].take()).map_err(|e| self.foreign(&e.to_string()))
    }

    fn feeds(&self) -> Result<Vec<FeedStatus>, Failure> {
        self.there(self.get("/api/ops/feeds", &[])?)
    }

    fn reset_feed(&self, name: &str, to: u64) -> Result<(), Failure> {
        self.ask(&["feeds", name, "reset"], &json!({ "to": to }))
            .map(drop)
    }

    fn processes(&self) -> Result<Vec<Process>, Failure> {
        let all: Vec<ProcessStatus> = self.there(self.get("/api/ops/processes", &[])?)?;
        Ok(all.into_iter().map(Process::from).collect())
    }

    fn instances(
        &self,
        process: &str,
        status: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Instance>, Failure> {
        let path = format!("/api/ops/processes/{}", encoded(process));
        let mut query = vec![("limit", limit.to_string())];
        query.extend(status.map(|s| ("status", s.to_string())));
        let found = self.found(self.get(&path, &query)?)?;
        Ok(found.unwrap_or_default())
    }

    fn instance(&self, process: &str, key: &str) -> Result<Option<Instance>, Failure> {
        let path = format!("/api/ops/processes/{}/{}", encoded(process), encoded(key));
        self.found(self.get(&path, &[])?)
    }

    fn resume(&self, process: &str, key: &str, resume: &Resume) -> Result<(), Failure> {
        let action = if resume.retry { "retry" } else { "skip" };
        let body = json!({"by": resume.by, "reason": resume.reason});
        let done = self.ask(&["processes", process, key, action], &body);
        done.map(drop)
    }

    fn stuck(&self, process: Option<&str>, limit: usize) -> Result<Vec<Stuck>, Failure> {
        let mut query = vec![("limit", limit.to_string())];
        query.extend(process.map(|p| ("process", p.to_string())));
        self.there(self.get("/api/ops/stuck", &query)?)
    }

    fn ask(&self, parts: &[&str], body: &Value) -> Result<Value, Failure> {
        let parts: Vec<String> = parts.iter().map(|p| encoded(p)).collect();
        self.answered(self.post(&format!("/api/ops/{}", parts.join("/")), &[], body)?)
    }

    fn look(&self, parts: &[&str], query: &[(&str, String)]) -> Result<Value, Failure> {
        let parts: Vec<String> = parts.iter().map(|p| encoded(p)).collect();
        self.answered(self.get(&format!("/api/ops/{}", parts.join("/")), query)?)
    }

    fn bulk(&self, process: &str) -> Result<Value, Failure> {
        let path = format!("/api/ops/bulk/{}", encoded(process));
        self.there(self.get(&path, &[])?)
    }

    fn watch(&self, every: Duration, look: Look<'_>) -> Result<(), Failure> {
        // Once listened to, Ctrl-C ends nothing by itself any more, until this program ends.
        let mut pressed = Box::pin(tokio::signal::ctrl_c());
        loop {
            let interrupted = self.runtime.block_on(async {
                tokio::select! {
                    biased;
                    heard = &mut pressed => heard.is_ok(),
                    () = tokio::time::sleep(every) => false,
                }
            });
            if !look(interrupted)? {
                return Ok(());
            }
            if interrupted {
                pressed = Box::pin(tokio::signal::ctrl_c());
            }
        }
    }

    fn manifest(&self) -> Result<Option<Manifest>, Failure> {
        self.there(self.get("/api/manifest", &[])?).map(Some)
    }

    fn happened(&self) -> Result<Happened, Failure> {
        self.there(self.get("/api/board/happened", &[])?)
    }

    fn pause(&self, time: Duration) {
        self.runtime
            .block_on(async { tokio::time::sleep(time).await });
    }
}

fn running(status: ViewStatus) -> View {
    View {
        status,
        rebuilds_at_start: false,
    }
}

fn moment(moment: AsOf) -> String {
    match moment {
        AsOf::Position(position) => position.to_string(),
        AsOf::Time(time) => time.to_string(),
    }
}

/// The part of a request that says which events.
fn filter(wanted: &Wanted) -> Result<Vec<(&'static str, String)>, Failure> {
    let tags = wanted.tags.iter().map(Tag::as_str);
    let mut all = wanted.types.iter().map(String::as_str).chain(tags.clone());
    if let Some(odd) = all.find(|text| text.contains(',')) {
        return Err(Failure::Usage(format!(
            "`{odd}` has a comma, which cannot be asked for at an address"
        )));
    }
    let tags: Vec<&str> = tags.collect();
    let parts = [("types", wanted.types.join(",")), ("tags", tags.join(","))];
    Ok(parts.into_iter().filter(|(_, v)| !v.is_empty()).collect())
}

/// A name as one piece of a path.
fn encoded(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
