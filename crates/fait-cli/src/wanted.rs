//! Which events are wanted.

use fait::event::{Position, Tag};
use fait::query::{Query, QueryItem};
use fait::store::Range;
use std::str::FromStr;
use uuid::Uuid;

/// One event, by its position or its id.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which {
    /// By its place in the log.
    Position(Position),
    /// By its id.
    Id(Uuid),
}

impl FromStr for Which {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(position) = text.parse() {
            return Ok(Which::Position(position));
        }
        let wrong = |_| "give a position like 42, or an event's id".to_string();
        text.parse().map(Which::Id).map_err(wrong)
    }
}

impl std::fmt::Display for Which {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Which::Position(position) => write!(f, "{position}"),
            Which::Id(id) => write!(f, "{id}"),
        }
    }
}

/// Some events.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Of these types; none: of all.
    pub(crate) types: Vec<String>,
    /// With all of these tags.
    pub(crate) tags: Vec<Tag>,
    /// Which part, and how many.
    pub(crate) range: Range,
}

impl Wanted {
    /// As the store asks.
    pub(crate) fn query(&self) -> Query {
        if self.types.is_empty() && self.tags.is_empty() {
            return Query::all();
        }
        Query::default().or(QueryItem::of(&self.types, self.tags.clone()))
    }
}

/// Reads a tag like `order:7`.
pub(crate) fn tag(text: &str) -> Result<Tag, String> {
    match text.split_once(':') {
        Some((kind, value)) if !kind.is_empty() && !value.is_empty() => Ok(Tag::raw(text)),
        _ => Err("a tag has a kind and a value, like `order:7`".into()),
    }
}
