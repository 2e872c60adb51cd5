//! A query selects events by type and tag, in the words of the DCB specification (dcb.events).

use crate::event::{StoredEvent, Tag};
use serde::{Deserialize, Serialize};

/// Items combined by OR. No item: nothing matches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// The alternatives.
    pub items: Vec<QueryItem>,
}

/// Matches when the type is any of `types` (none: any type) AND all of `tags` are there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryItem {
    /// Stored names, combined by OR.
    #[serde(default)]
    pub types: Vec<String>,
    /// Tags, combined by AND.
    #[serde(default)]
    pub tags: Vec<Tag>,
}

impl Query {
    /// Every event.
    pub fn all() -> Query {
        Query {
            items: vec![QueryItem::default()],
        }
    }

    /// Every event of some types.
    pub fn types<S: AsRef<str>>(types: &[S]) -> Query {
        if types.is_empty() {
            return Query::default();
        }
        Query {
            items: vec![QueryItem::of(types, vec![])],
        }
    }

    /// Every event that carries all of these tags.
    pub fn tags(tags: Vec<Tag>) -> Query {
        Query {
            items: vec![QueryItem {
                types: vec![],
                tags,
            }],
        }
    }

    /// This query or another alternative.
    #[must_use]
    pub fn or(mut self, item: QueryItem) -> Query {
        self.items.push(item);
        self
    }

    /// Whether an event with this type and these tags is selected.
    pub fn matches(&self, ty: &str, tags: &[Tag]) -> bool {
        self.items.iter().any(|i| i.matches(ty, tags))
    }

    /// Whether a stored event is selected.
    pub fn selects(&self, event: &StoredEvent) -> bool {
        self.matches(&event.ty, &event.tags)
    }
}

impl QueryItem {
    /// Some types with some tags.
    pub fn of<S: AsRef<str>>(types: &[S], tags: Vec<Tag>) -> QueryItem {
        QueryItem {
            types: types.iter().map(|t| t.as_ref().to_string()).collect(),
            tags,
        }
    }

    /// Whether an event with this type and these tags is selected.
    pub fn matches(&self, ty: &str, tags: &[Tag]) -> bool {
        (self.types.is_empty() || self.types.iter().any(|t| t == ty))
            && self.tags.iter().all(|t| tags.contains(t))
    }
}
