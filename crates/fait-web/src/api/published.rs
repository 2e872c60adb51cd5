//! What the system tells others, by HTTP: CloudEvents behind a position, by pages that may be
//! waited for, or as a stream.

use super::Words;
use crate::answer::Problem;
use crate::caller::Caller;
use crate::request::encode;
use crate::shared::Shared;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::sse::{Event as Sent, Sse};
use axum::response::{IntoResponse, Response};
use fait::bus::{BATCH, DeprecatedDef, Message};
use fait::event::{Position, Time};
use futures_util::stream;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Most messages of one answer.
const MAX_LIMIT: usize = 1000;

/// Messages that are read for one reader before the connection has taken them.
const AHEAD: usize = 64;

/// The longest that a page is waited for, in seconds.
const MAX_WAIT: u64 = 60;

/// When a reader that lost the connection comes again.
const RETRY: Duration = Duration::from_secs(1);
/// The same when it would find the same problem.
const RETRY_LATER: Duration = Duration::from_secs(30);

/// Behind which position the next page begins.
const POSITION: HeaderName = HeaderName::from_static("fait-position");

/// The end of the log.
const HEAD: HeaderName = HeaderName::from_static("fait-head");

/// Which history it is: another one after the system was restored from a copy.
const HISTORY: HeaderName = HeaderName::from_static("fait-history");

const NUMBER: &str = "a position: a whole number";

/// `GET /api/published`
pub(super) async fn page(
    State(shared): State<Shared>,
    caller: Caller,
    words: Words,
) -> Result<Response, Problem> {
    words.only(&["after", "types", "limit", "wait", "history"])?;
    may_read(&caller)?;
    let limit = within(&words, "limit", 100, 1..=MAX_LIMIT as u64)?;
    let wait = within(&words, "wait", 0, 0..=MAX_WAIT)?;
    let after = words.parse("after", NUMBER)?.unwrap_or(0);
    let head = of_this_history(&shared, &words, after).await?;
    let types = words.list("types");
    let most = usize::try_from(limit).unwrap_or(MAX_LIMIT);
    let mut found = shared.app.published(after, most, &types).await?;
    let wait = tokio::time::sleep(Duration::from_secs(wait));
    tokio::pin!(wait);
    while found.messages.is_empty() {
        let (closed, upto) = (shared.closed(), found.upto);
        tokio::select! {
            biased;
            () = closed => break,
            () = &mut wait => break,
            more = shared.app.wait_published(upto, Duration::from_secs(MAX_WAIT)) => {
                if more? {
                    found = shared.app.published(upto, most, &types).await?;
                }
            }
        }
    }
    let mut headers = HeaderMap::new();
    let history = shared.app.store_id().to_string();
    let next = next_page(&words, found.upto, &history);
    let all = [
        (header::CONTENT_TYPE, BATCH.to_string()),
        (POSITION, found.upto.to_string()),
        (HEAD, head.max(found.upto).to_string()),
        (HISTORY, history),
        (header::LINK, format!("<{next}>; rel=\"next\"")),
    ];
    for (name, value) in all {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    ends(&shared, &types, &mut headers);
    Ok((headers, batch(&found.messages)).into_response())
}

/// Where the next page of the same question is.
fn next_page(words: &Words, upto: Position, history: &str) -> String {
    let mut next = format!("/api/published?after={upto}&history={history}");
    let types = Some(words.list("types").join(",")).filter(|t| !t.is_empty());
    let one = |name| words.get(name).map(String::from);
    for (name, asked) in [
        ("types", types),
        ("limit", one("limit")),
        ("wait", one("wait")),
    ] {
        if let Some(asked) = asked {
            next.push_str(&format!("&{name}={}", encode(&asked)));
        }
    }
    next
}

/// The messages as one JSON array.
fn batch(messages: &[Message]) -> Vec<u8> {
    let mut out = vec![b'['];
    for (i, message) in messages.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&message.event.to_bytes());
    }
    out.push(b']');
    out
}

fn may_read(caller: &Caller) -> Result<(), Problem> {
    match caller.client() {
        Some(client) if !client.feed => Err(Problem::no_right(format!(
            "client {} has no right to `feed`",
            client.name
        ))),
        _ => Ok(()),
    }
}

fn within(
    words: &Words,
    name: &str,
    usual: u64,
    range: std::ops::RangeInclusive<u64>,
) -> Result<u64, Problem> {
    let wanted = format!("a whole number from {} to {}", range.start(), range.end());
    let given = words.parse(name, &wanted)?.unwrap_or(usual);
    if range.contains(&given) {
        return Ok(given);
    }
    let detail = format!("`{name}={given}`: {name} is {wanted}");
    Err(Problem::malformed(detail).with("field", name))
}

/// Looks whether a position that was reached before is of the log that is there now; gives its end.
async fn of_this_history(
    shared: &Shared,
    words: &Words,
    after: Position,
) -> Result<Position, Problem> {
    let (head, here) = (shared.app.head().await?, shared.app.store_id());
    let known: Option<Uuid> = words.parse("history", "the `Fait-History` of an answer, a UUID")?;
    if after <= head && known.is_none_or(|known| here == known) {
        return Ok(head);
    }
    let detail = format!(
        "what was read up to {after} belongs to another history than there is now, for example \
         before a backup was restored; this is {here} and ends at {head}. Look what was made of \
         what is not there any more, and begin with `after=0`, or at `{head}` if that stays"
    );
    let title = "It was read from another history";
    let problem = Problem::new(StatusCode::CONFLICT, "other-history", title, detail);
    let problem = problem.with("head", head);
    Err(problem.with("history", here.to_string()))
}

/// That a type that was asked for by name will cease: `Deprecation` (RFC 9745) and `Sunset`
/// (RFC 8594), of several types the earliest.
fn ends(shared: &Shared, types: &[String], headers: &mut HeaderMap) {
    let all = shared.app.published_types();
    let wanted = all.iter().filter(|t| types.contains(&t.ty));
    let ending: Vec<&DeprecatedDef> = wanted.filter_map(|t| t.deprecated.as_ref()).collect();
    let since = ending.iter().filter_map(|d| midnight(&d.since)).min();
    if let Some(since) = since
        && let Ok(value) = HeaderValue::from_str(&format!("@{}", since.0 / 1000))
    {
        headers.insert(HeaderName::from_static("deprecation"), value);
    }
    let last = ending
        .iter()
        .filter_map(|d| midnight(d.sunset.as_deref()?))
        .min();
    if let Some(last) = last {
        // At the end of the last day.
        let at = std::time::UNIX_EPOCH + Duration::from_millis(last.0) + Duration::from_hours(24);
        if let Ok(value) = HeaderValue::from_str(&httpdate::fmt_http_date(at)) {
            headers.insert(HeaderName::from_static("sunset"), value);
        }
    }
    let address = |d: &&DeprecatedDef| d.instead.clone().filter(|i| i.starts_with("http"));
    if let Some(address) = ending.iter().find_map(address)
        && let Ok(value) = HeaderValue::from_str(&format!("<{address}>; rel=\"deprecation\""))
    {
        headers.append(header::LINK, value);
    }
}

fn midnight(date: &str) -> Option<Time> {
    format!("{date}T00:00:00Z").parse().ok()
}

/// `GET /api/published/stream`: the same as server-sent events, each a CloudEvent with its position
/// as the id. It is taken up by `Last-Event-ID`, which goes before `after`; an id without data
/// comes first and every `heartbeat` seconds in which nothing is sent.
pub(super) async fn stream(
    State(shared): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    words: Words,
) -> Result<Response, Problem> {
    words.only(&["after", "types", "history", "heartbeat"])?;
    may_read(&caller)?;
    let heartbeat = within(&words, "heartbeat", 15, 1..=300)?;
    let resumed = headers.get("last-event-id").filter(|v| !v.is_empty());
    let after = match resumed {
        Some(id) => {
            let shown = String::from_utf8_lossy(id.as_bytes());
            let wrong = |_| Problem::malformed(format!("Last-Event-ID `{shown}` is no position"));
            shown.parse().map_err(wrong)?
        }
        None => words.parse("after", NUMBER)?.unwrap_or(0),
    };
    of_this_history(&shared, &words, after).await?;
    let history = shared.app.store_id().to_string();
    let types = words.list("types");
    let mut sent = HeaderMap::new();
    ends(&shared, &types, &mut sent);
    if let Ok(value) = HeaderValue::from_str(&history) {
        sent.insert(HISTORY, value);
    }
    let following = Following {
        shared,
        types,
        heartbeat: Duration::from_secs(heartbeat),
        silent: Instant::now(),
        at: after,
        read: VecDeque::new(),
        state: Stage::First,
    };
    Ok((sent, Sse::new(stream::unfold(following, next))).into_response())
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    First,
    Going,
    Over,
}

/// Where a stream stands.
struct Following {
    shared: Shared,
    types: Vec<String>,
    heartbeat: Duration,
    /// Since when nothing was sent, whatever came that was not asked for.
    silent: Instant,
    at: Position,
    read: VecDeque<Message>,
    state: Stage,
}

/// What is sent next, waiting for it; none when the stream is over.
async fn next(mut f: Following) -> Option<(Result<Sent, Infallible>, Following)> {
    match f.state {
        Stage::Over => return None,
        Stage::First => {
            f.state = Stage::Going;
            let first = so_far(f.at).retry(RETRY);
            return Some((Ok(first), f));
        }
        Stage::Going => f.silent = Instant::now(),
    }
    loop {
        if let Some(message) = f.read.pop_front() {
            let data = String::from_utf8_lossy(&message.event.to_bytes()).into_owned();
            let sent = Sent::default().id(message.position.to_string()).data(data);
            return Some((Ok(sent), f));
        }
        let (app, closed) = (f.shared.app.clone(), f.shared.closed());
        let more = async {
            let found = app.published(f.at, AHEAD, &f.types).await?;
            let left = f.heartbeat.saturating_sub(f.silent.elapsed());
            let nothing = found.messages.is_empty();
            let due = nothing && (left.is_zero() || !app.wait_published(found.upto, left).await?);
            Ok::<_, Problem>((found, due))
        };
        let more = tokio::select! {
            () = closed => return None,
            more = more => more,
        };
        match more {
            Ok((found, due)) => {
                f.at = found.upto;
                f.read = found.messages.into();
                if due {
                    return Some((Ok(so_far(f.at)), f));
                }
            }
            Err(problem) => {
                f.state = Stage::Over;
                let told = Sent::default().event("problem").retry(RETRY_LATER);
                return Some((Ok(told.data(problem.body().to_string())), f));
            }
        }
    }
}

/// By the standard an `id` without data counts, and is no event.
fn so_far(at: Position) -> Sent {
    let at = at.to_string();
    Sent::default().comment(format!("at {at}")).id(at)
}
