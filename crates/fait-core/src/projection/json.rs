//! Views that are made at run time: rows of JSON under texts.

use super::fold::{Code, Fold, Folding};
use crate::event::{DecodeError, StoredEvent};
use serde_json::Value;
use std::sync::Arc;

/// The keys of the rows that an event touches.
pub type JsonKeys = Box<dyn Fn(&StoredEvent) -> Vec<String> + Send + Sync>;

/// Takes an event into a row that is JSON; none before the first, and to remove the row.
pub type JsonFold = Box<dyn Fn(&mut Option<Value>, &StoredEvent) + Send + Sync>;

/// Rows of JSON under texts.
struct Json {
    types: Vec<String>,
    keys: JsonKeys,
    fold: JsonFold,
}

impl Fold for Json {
    type Key = String;
    type Event = ();
    type Row = Value;

    fn key(&self, text: &str) -> Result<String, String> {
        Ok(text.into())
    }
    fn read(&self, event: &StoredEvent) -> Result<Option<()>, DecodeError> {
        Ok(self.types.contains(&event.ty).then_some(()))
    }
    fn keys(&self, stored: &StoredEvent, (): &()) -> Result<Vec<String>, DecodeError> {
        Ok((self.keys)(stored))
    }
    fn tagged(&self, stored: &StoredEvent) -> Option<Vec<String>> {
        Some((self.keys)(stored))
    }
    fn fold(&self, row: &mut Option<Value>, _: &String, (): (), stored: &StoredEvent) {
        (self.fold)(row, stored);
    }
}

/// The code of a view that is made at run time: which event types it hears, which rows an event
/// touches, and what it does to one. Both must be pure, as for a [`Projection`](super::Projection).
pub fn json_rows(types: Vec<String>, keys: JsonKeys, fold: JsonFold) -> Arc<dyn Code> {
    Arc::new(Folding(Arc::new(Json { types, keys, fold })))
}
