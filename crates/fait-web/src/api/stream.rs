//! Events by HTTP as they happen: server-sent events, as the HTML standard has them.

use super::Words;
use super::event::{selected, versions};
use crate::answer::Problem;
use crate::shared::Shared;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event as Sent, Sse};
use fait::app::{Feed, FeedError, Start, Unreadable};
use fait::event::{Position, StoredEvent};
use futures_util::{Stream, stream};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

/// Events that are read for one reader before the connection has taken them.
const AHEAD: usize = 64;
/// The same in bytes; one event may be larger.
const AHEAD_BYTES: usize = 256 << 10;
/// When a browser that lost the connection comes again.
const RETRY: Duration = Duration::from_secs(1);
/// The same when it would find the same problem.
const RETRY_LATER: Duration = Duration::from_secs(30);

/// `GET /api/events/stream`: what a query selects behind `after`, then what comes, until the system
/// stops. It is taken up by `Last-Event-ID`, which goes before `after`.
///
/// First and then every `heartbeat` seconds in which nothing is sent comes an `id` without data: so
/// far has the stream come, and there it is taken up, however little is selected. The stream reads
/// no further than the connection takes.
pub(super) async fn stream(
    State(shared): State<Shared>,
    headers: HeaderMap,
    words: Words,
) -> Result<Sse<impl Stream<Item = Result<Sent, Infallible>>>, Problem> {
    words.only(&["after", "types", "tags", "facts", "as", "heartbeat"])?;
    let mut feed = shared.app.feed(selected(&words)?);
    for (name, version) in versions(&words)? {
        feed = feed.in_version(&name, version);
    }
    if words.parse("facts", "true or false")?.unwrap_or(false) {
        feed = feed.with_facts();
    }
    let seconds: u64 = words
        .parse("heartbeat", "a number of seconds from 1 to 300")?
        .unwrap_or(15);
    if !(1..=300).contains(&seconds) {
        let detail =
            format!("`heartbeat={seconds}`: heartbeat is a number of seconds from 1 to 300");
        return Err(Problem::malformed(detail).with("field", "heartbeat"));
    }
    let begin = begin(&shared, &headers, &words).await?;
    let feed = feed.begin(begin).at_most(AHEAD).at_most_bytes(AHEAD_BYTES);
    let following = Following {
        feed: feed.open().await?,
        shared,
        heartbeat: Duration::from_secs(seconds),
        read: VecDeque::new(),
        state: Stage::First,
    };
    Ok(Sse::new(stream::unfold(following, next)))
}

/// Where to begin; never beyond the log.
async fn begin(shared: &Shared, headers: &HeaderMap, words: &Words) -> Result<Start, Problem> {
    // A browser that has seen no id yet sends none, or an empty one.
    let resumed = headers.get("last-event-id").filter(|v| !v.is_empty());
    let after: Position = match (resumed, words.get("after")) {
        (Some(id), _) => {
            let shown = String::from_utf8_lossy(id.as_bytes());
            let id = shown.parse();
            id.map_err(|_| Problem::malformed(format!("Last-Event-ID `{shown}` is no position")))?
        }
        (None, Some("now")) => return Ok(Start::Now),
        (None, _) => words
            .parse("after", "a position (a whole number), or `now`")?
            .unwrap_or(0),
    };
    let head = shared.app.head().await?;
    if after <= head {
        return Ok(Start::After(after));
    }
    let detail = format!(
        "the reader has come to {after}, and the log ends at {head}: what was read before belongs \
         to another history, for example before a backup was restored. Make anew what was made of \
         it, and begin with `after=0`; or with `after={head}`, if that stays as it is"
    );
    Err(beyond(detail).with("head", head))
}

fn beyond(detail: String) -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "other-history",
        "It was read from another history",
        detail,
    )
}

/// Where a stream stands.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    First,
    Going,
    Over,
}

struct Following {
    feed: Feed<StoredEvent>,
    shared: Shared,
    heartbeat: Duration,
    read: VecDeque<StoredEvent>,
    state: Stage,
}

/// What was read for a stream.
enum More {
    Events(Vec<StoredEvent>),
    Unreadable(Box<Unreadable>),
    Nothing,
}

/// What is sent next, waiting for it; none when the stream is over.
async fn next(mut f: Following) -> Option<(Result<Sent, Infallible>, Following)> {
    match f.state {
        Stage::Over => return None,
        Stage::First => {
            f.state = Stage::Going;
            let first = at(&f.feed).retry(RETRY);
            return Some((Ok(first), f));
        }
        Stage::Going => {}
    }
    loop {
        if let Some(event) = f.read.pop_front() {
            let id = event.meta.position.to_string();
            let data = event.to_json().to_string();
            let sent = Sent::default().id(id).event("event").data(data);
            return Some((Ok(sent), f));
        }
        let closed = f.shared.closed();
        let more = tokio::select! {
            () = closed => return None,
            more = tokio::time::timeout(f.heartbeat, more(&mut f.feed)) => more,
        };
        let problem = match more {
            Err(_) => return Some((Ok(at(&f.feed)), f)),
            Ok(Ok(More::Nothing)) => return None,
            Ok(Ok(More::Events(events))) => {
                f.read = events.into();
                continue;
            }
            Ok(Ok(More::Unreadable(unreadable))) => cannot_be_read(&unreadable),
            Ok(Err(e)) => e.into(),
        };
        f.state = Stage::Over;
        return Some((Ok(told(&problem)), f));
    }
}

async fn more(feed: &mut Feed<StoredEvent>) -> Result<More, FeedError> {
    let Some(mut batch) = feed.next().await? else {
        return Ok(More::Nothing);
    };
    if let Some(unreadable) = batch.unreadable() {
        return Ok(More::Unreadable(Box::new(unreadable.clone())));
    }
    let events = batch.take_events();
    batch.done().await?;
    Ok(More::Events(events))
}

/// How far the stream has come. By the standard an `id` without data counts, and is no event.
fn at(feed: &Feed<StoredEvent>) -> Sent {
    let at = feed.position().to_string();
    Sent::default().comment(format!("at {at}")).id(at)
}

/// Why the stream ends here; its type is not `error`, which browsers use for lost connections.
fn told(problem: &Problem) -> Sent {
    Sent::default()
        .event("problem")
        .retry(RETRY_LATER)
        .data(problem.body().to_string())
}

fn cannot_be_read(unreadable: &Unreadable) -> Problem {
    let position = unreadable.event.meta.position;
    let detail = format!(
        "{}; the stream waits there. To pass it over, begin with `after={position}`",
        unreadable.error
    );
    Problem::new(
        StatusCode::CONFLICT,
        "unreadable",
        "An event cannot be given",
        detail,
    )
    .with("event", unreadable.event.to_json())
}
