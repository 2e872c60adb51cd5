//! Events by HTTP: pages, one, and what led to what.

use super::Words;
use crate::answer::Problem;
use crate::request::At;
use crate::shared::Shared;
use axum::Json;
use axum::extract::State;
use fait::App;
use fait::event::{Position, StoredEvent, Tag};
use fait::query::{Query, QueryItem};
use fait::store::Range;
use serde_json::{Value, json};
use uuid::Uuid;

/// Most events of one answer.
const MAX_LIMIT: usize = 1000;

/// The events that the words select.
pub(super) fn selected(words: &Words) -> Result<Query, Problem> {
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

/// The versions that the reader knows: `as=OrderPlaced:1`, several times or with commas.
pub(super) fn versions(words: &Words) -> Result<Vec<(String, u32)>, Problem> {
    let one = |word: String| {
        let parts = word.rsplit_once(':');
        let read = parts.and_then(|(name, n)| Some((name.to_string(), n.parse().ok()?)));
        read.ok_or_else(|| {
            let detail = format!("`as={word}`: as is the name of an event and a version, `Name:1`");
            Problem::malformed(detail).with("field", "as")
        })
    };
    words.list("as").into_iter().map(one).collect()
}

/// `GET /api/events`
pub(super) async fn list(
    State(shared): State<Shared>,
    words: Words,
) -> Result<Json<Value>, Problem> {
    const POSITION: &str = "a position: a whole number";
    words.only(&[
        "after",
        "before",
        "limit",
        "types",
        "tags",
        "as",
        "backwards",
    ])?;
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
    let versions = shared.app.versions(&versions(&words)?)?;
    let query = versions.widen(selected(&words)?);
    let slice = shared.app.events(&query, range).await?;
    let next = slice.events.last().filter(|_| slice.events.len() == limit);
    let next = next.map(|e| e.meta.position);
    let given = slice.events.into_iter().map(|e| match versions.cast(e) {
        Ok(event) => event.to_json(),
        // As it is stored, and marked, so that it is neither left out nor taken for another.
        Err(unreadable) => {
            let mut event = unreadable.event.to_json();
            event["unreadable"] = unreadable.error.to_string().into();
            event
        }
    });
    Ok(Json(json!({
        "events": given.collect::<Vec<_>>(),
        "head": slice.head,
        "next": next,
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
