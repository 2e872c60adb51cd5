//! Events by HTTP: pages, one, a stream, and what led to what.

use super::Words;
use crate::answer::Problem;
use crate::request::At;
use crate::shared::Shared;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use fait::App;
use fait::event::{Position, StoredEvent, Tag};
use fait::query::{Query, QueryItem};
use fait::store::Range;
use futures_util::Stream;
use futures_util::stream;
use serde_json::{Value, json};
use std::convert::Infallible;
use uuid::Uuid;

/// Most events of one answer.
const MAX_LIMIT: usize = 1000;

/// The events that the words select.
fn selected(words: &Words) -> Result<Query, Problem> {
    let tags = words.list("tags");
    if let Some(wrong) = tags.iter().find(|t| Tag::raw(t.as_str()).kind().is_empty()) {
        let detail = format!("`{wrong}` is not a tag of the form `kind:value`");
        return Err(Problem::malformed(detail).with("field", "tags"));
    }
    let types = words.list("types");
    let tags = tags.into_iter().map(Tag::raw).collect();
    Ok(Query {
        items: vec![QueryItem { types, tags }],
    })
}

/// `GET /api/events`
pub(super) async fn list(
    State(shared): State<Shared>,
    words: Words,
) -> Result<Json<Value>, Problem> {
    const POSITION: &str = "a position: a whole number";
    words.only(&["after", "before", "limit", "types", "tags", "backwards"])?;
    let limit: usize = words
        .parse("limit", "a whole number from 1 to 1000")?
        .unwrap_or(100);
    if !(1..=MAX_LIMIT).contains(&limit) {
        let detail = format!("`limit={limit}`: limit is a whole number from 1 to {MAX_LIMIT}");
        return Err(Problem::malformed(detail).with("field", "limit"));
    }
    let range = Range {
        after: words.parse("after", POSITION)?.unwrap_or(0),
        before: words.parse("before", POSITION)?,
        backwards: words.parse("backwards", "true or false")?.unwrap_or(false),
        limit,
    };
    let slice = shared.app.events(&selected(&words)?, range).await?;
    let next = slice.events.last().filter(|_| slice.events.len() == limit);
    Ok(Json(json!({
        "events": slice.events.iter().map(StoredEvent::to_json).collect::<Vec<_>>(),
        "head": slice.head,
        "next": next.map(|e| e.meta.position),
    })))
}

async fn find(app: &App, which: &str) -> Result<StoredEvent, Problem> {
    let found = if let Ok(position) = which.parse::<Position>() {
        app.event_at(position).await?
    } else if let Ok(id) = which.parse::<Uuid>() {
        app.event(id).await?
    } else {
        let detail = format!("`{which}` is neither a position (a whole number) nor an id (a UUID)");
        return Err(Problem::malformed(detail));
    };
    found.ok_or_else(|| Problem::not_found(format!("there is no event `{which}`")))
}

/// `GET /api/events/{which}`
pub(super) async fn one(
    State(shared): State<Shared>,
    At(which): At<String>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(find(&shared.app, &which).await?.to_json()))
}

/// `GET /api/trace/{which}`: an event, or the command that began it.
pub(super) async fn trace(
    State(shared): State<Shared>,
    At(which): At<String>,
) -> Result<Json<Value>, Problem> {
    let begun = match which.parse::<Uuid>() {
        Ok(command) => shared.app.event_of(command).await?,
        Err(_) => None,
    };
    let event = match begun {
        Some(event) => event,
        None => find(&shared.app, &which).await?,
    };
    let causes = shared.app.trace(&event).await?;
    let causes = causes
        .iter()
        .map(|c| json!({"depth": c.depth, "event": c.event.to_json()}));
    Ok(Json(json!({ "events": causes.collect::<Vec<_>>() })))
}

/// `GET /api/events/stream`: server-sent events, resumed by `Last-Event-ID`.
pub(super) async fn stream(
    State(shared): State<Shared>,
    headers: HeaderMap,
    words: Words,
) -> Result<Sse<impl Stream<Item = Result<Sent, Infallible>>>, Problem> {
    words.only(&["after", "types", "tags"])?;
    let query = selected(&words)?;
    let resumed = headers.get("last-event-id").and_then(|v| v.to_str().ok());
    let after = match resumed {
        Some(text) => text
            .parse()
            .map_err(|_| Problem::malformed(format!("Last-Event-ID `{text}` is not a position")))?,
        None => words
            .parse("after", "a position: a whole number")?
            .unwrap_or(0),
    };
    let begin = Following {
        shared,
        query,
        after,
        read: vec![].into_iter(),
    };
    Ok(Sse::new(stream::unfold(begin, next)).keep_alive(KeepAlive::default()))
}

struct Following {
    shared: Shared,
    query: Query,
    after: Position,
    read: std::vec::IntoIter<StoredEvent>,
}

/// The next event, waiting for it; ends when the system stops or its store cannot be read.
async fn next(mut f: Following) -> Option<(Result<Sent, Infallible>, Following)> {
    loop {
        if let Some(event) = f.read.next() {
            let id = event.meta.position.to_string();
            let sent = Sent::default()
                .id(id)
                .event("event")
                .data(event.to_json().to_string());
            return Some((Ok(sent), f));
        }
        let more = async {
            f.shared.app.wait(f.after).await?;
            f.shared
                .app
                .events(&f.query, Range::after(f.after, 200))
                .await
        };
        let slice = tokio::select! {
            () = f.shared.closed() => return None,
            slice = more => slice.ok()?,
        };
        let full = slice.events.len() == 200;
        let last = slice.events.last().map(|e| e.meta.position);
        f.after = last.filter(|_| full).unwrap_or(slice.head);
        f.read = slice.events.into_iter();
    }
}
