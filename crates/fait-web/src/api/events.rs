//! Reading events: a page of them, one, all that come, and what led to what.

use crate::answer::Problem;
use crate::request::{At, Params};
use crate::shared::Shared;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use fait::event::{Position, StoredEvent, Tag};
use fait::query::{Query, QueryItem};
use fait::store::Range;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use std::convert::Infallible;

/// Events read at once for a stream.
const BATCH: usize = 200;

/// `GET /api/events`
pub(super) async fn list(
    State(shared): State<Shared>,
    mut params: Params,
) -> Result<Json<Value>, Problem> {
    let range = Range {
        after: params.number("after")?.unwrap_or(0),
        before: params.number("before")?,
        limit: params.limit(100)?,
        backwards: params.flag("backwards")?,
    };
    let query = selection(&mut params)?;
    params.end("after, before, limit, backwards, types, tags, tag")?;
    let slice = shared.app.events(&query, range).await?;
    let full = slice.events.len() == range.limit;
    let last = slice.events.last().map(|e| e.meta.position);
    let next = match (range.backwards, full) {
        (_, true) => last,
        (true, false) => None,
        (false, false) => Some(range.before.unwrap_or(slice.head + 1).saturating_sub(1)),
    };
    let events: Vec<Value> = slice.events.iter().map(StoredEvent::to_json).collect();
    Ok(Json(
        json!({ "events": events, "head": slice.head, "next": next, "more": full }),
    ))
}

/// Which events are wanted: `types=a,b` are alternatives, `tags=x:y,z:w` must all be there.
/// A tag with a comma in it is given by itself as `tag=`.
pub(crate) fn selection(params: &mut Params) -> Result<Query, Problem> {
    let list = |text: Option<String>| -> Vec<String> {
        let text = text.unwrap_or_default();
        let words = text.split(',').map(str::trim).filter(|w| !w.is_empty());
        words.map(String::from).collect()
    };
    let types = list(params.take("types")?);
    let mut tags = list(params.take("tags")?);
    tags.extend(params.all("tag").into_iter().filter(|t| !t.is_empty()));
    if let Some(bad) = tags.iter().find(|t| !t.contains(':') || t.starts_with(':')) {
        let detail = format!("`{bad}` is not a tag; a tag is `kind:value`");
        return Err(Problem::malformed(detail).with("parameter", "tags"));
    }
    let tags = tags.into_iter().map(Tag::raw).collect();
    Ok(Query::default().or(QueryItem::of(&types, tags)))
}

/// `GET /api/events/{id or position}`
pub(super) async fn one(
    State(shared): State<Shared>,
    At(which): At<String>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(find(&shared, &which).await?.to_json()))
}

/// An event by position or id.
pub(crate) async fn find(shared: &Shared, which: &str) -> Result<StoredEvent, Problem> {
    let found = if let Ok(position) = which.parse::<Position>() {
        shared.app.event_at(position).await?
    } else if let Ok(id) = which.parse() {
        shared.app.event(id).await?
    } else {
        let detail = format!("`{which}` is neither a position (a whole number) nor an id (a UUID)");
        return Err(Problem::malformed(detail));
    };
    let head = shared.app.head().await?;
    found.ok_or_else(|| {
        Problem::not_found(format!(
            "there is no event `{which}`; the head is at {head}"
        ))
    })
}

/// `GET /api/trace/{id or position of an event, id of a command or flow}`
pub(super) async fn trace(
    State(shared): State<Shared>,
    At(which): At<String>,
) -> Result<Json<Value>, Problem> {
    let event = match which.parse() {
        Ok(id) => shared.app.event_of(id).await?,
        Err(_) => None,
    };
    let event = match event {
        Some(event) => event,
        None => find(&shared, &which).await?,
    };
    let causes = shared.app.trace(&event).await?;
    let flow = event.meta.origin.correlation;
    let events: Vec<Value> = causes
        .iter()
        .map(|c| json!({ "depth": c.depth, "event": c.event.to_json() }))
        .collect();
    Ok(Json(json!({ "correlation": flow, "events": events })))
}

/// `GET /api/events/stream`: server-sent events whose ids are positions. Who comes again with
/// `Last-Event-ID` misses nothing.
pub(super) async fn stream(
    State(shared): State<Shared>,
    mut params: Params,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let after = params.number("after")?.unwrap_or(0);
    let query = selection(&mut params)?;
    params.end("after, types, tags, tag")?;
    let after = match headers
        .get("last-event-id")
        .map(|v| v.to_str().unwrap_or("?"))
    {
        None | Some("") => after,
        Some(text) => text.parse().map_err(|_| {
            let detail = format!("`Last-Event-ID` must be a position, not `{text}`");
            Problem::malformed(detail).with("header", "Last-Event-ID")
        })?,
    };
    let closed = shared.closed();
    let batches = stream::unfold(
        (shared, query, after),
        |(shared, query, after)| async move {
            let (events, after) = following(&shared, &query, after).await?;
            Some((stream::iter(events), (shared, query, after)))
        },
    );
    let events = batches
        .flatten()
        .map(Ok::<_, Infallible>)
        .take_until(Box::pin(closed));
    Ok(Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response())
}

/// The next events, waited for; none when the store cannot be read any more.
async fn following(
    shared: &Shared,
    query: &Query,
    mut after: Position,
) -> Option<(Vec<Event>, Position)> {
    loop {
        shared.app.wait(after).await.ok()?;
        let slice = shared
            .app
            .events(query, Range::after(after, BATCH))
            .await
            .ok()?;
        after = match slice.events.last() {
            Some(last) if slice.events.len() == BATCH => last.meta.position,
            _ => slice.head,
        };
        if !slice.events.is_empty() {
            return Some((slice.events.iter().map(sent).collect(), after));
        }
    }
}

fn sent(event: &StoredEvent) -> Event {
    let position = event.meta.position.to_string();
    Event::default()
        .id(position)
        .data(event.to_json().to_string())
}
