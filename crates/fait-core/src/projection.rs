//! A projection turns events into the rows of a read model, a view.

mod fold;
mod json;

pub use fold::{Code, Hurt, Part, Rows, Sorted, Tell, Unread};
pub use json::{JsonFold, JsonKeys, json_rows};

use crate::event::{
    DecodeError, EntityId, EventDef, EventSet, Meta, StoredEvent, ids_in, schema_of,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::fmt::{self, Debug};
use std::sync::Arc;

/// Rows by key, folded from events. Pure: testable without a store, batched, split by key over all
/// cores, rebuilt side by side.
///
/// A row must be written the same each time: a field that is a `HashMap` is not, a `BTreeMap` is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a projection",
    label = "implement `Projection` for it: a key, some events, a row"
)]
pub trait Projection: Send + Sync + 'static {
    /// The view's name, in kebab case.
    const NAME: &'static str;
    /// Raise it when `project` changes: the view is then rebuilt beside the one that serves. When
    /// the fields of the row, the key or the events change, it is rebuilt without that.
    const VERSION: u32 = 1;
    /// Indexes of the table, each some columns with commas: `&["waiter", "table, placed_at"]`.
    const INDEXES: &'static [&'static str] = &[];
    /// When it is brought up to date.
    const MODE: Mode = Mode::Behind;
    /// Which rows an event touches, if not those of every id of the key's kind in its tags.
    ///
    /// It is a constant, so that it is known without an event whether rows can be found by tags:
    /// for those, the past of one row is read without the rest of the history.
    const KEYS: Option<KeysOf<Self>> = None;
    /// What a row is about.
    type Key: EntityId;
    /// What it listens to.
    type Events: EventSet;
    /// One row.
    type Row: Serialize + DeserializeOwned + JsonSchema + Clone + Debug + Send + Sync + 'static;
    /// Takes one event into one row. `None` before the first and to remove the row. It has the
    /// recorded time in `meta` and no other clock.
    fn project(row: &mut Option<Self::Row>, key: &Self::Key, event: Self::Events, meta: &Meta);
}

/// Which rows an event of a projection touches.
pub type KeysOf<P> = fn(&<P as Projection>::Events) -> Vec<<P as Projection>::Key>;

/// When a view is brought up to date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Behind the commands, by milliseconds as a rule.
    #[default]
    Behind,
    /// The same, and the answer of a command waits until the view shows it.
    Inline,
    /// When somebody reads it. It is kept in memory, or in a file without a name, between two
    /// reads; the first one after a start folds the whole history.
    Live,
}

/// A projection as data: what the registry holds.
#[derive(Clone)]
pub struct ProjectionDef {
    /// The view's name.
    pub name: String,
    /// The version of its code.
    pub version: u32,
    /// When it is brought up to date.
    pub mode: Mode,
    /// The kind of thing that a row is about.
    pub key_kind: String,
    /// Whether its rows are those of the ids in an event's tags.
    pub by_tags: bool,
    /// The event types it listens to.
    pub types: Vec<String>,
    /// Their definitions.
    pub event_defs: Vec<EventDef>,
    /// JSON Schema of a row.
    pub row: Value,
    /// Columns of the indexes.
    pub indexes: Vec<Vec<String>>,
    /// Takes events into rows.
    pub code: Arc<dyn Code>,
}

impl fmt::Debug for ProjectionDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProjectionDef")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl ProjectionDef {
    /// The definition of a Rust projection.
    pub fn of<P: Projection>() -> Self {
        let columns = |index: &&str| index.split(',').map(|c| c.trim().to_string()).collect();
        ProjectionDef {
            name: P::NAME.into(),
            version: P::VERSION,
            mode: P::MODE,
            key_kind: P::Key::KIND.into(),
            by_tags: P::KEYS.is_none(),
            types: P::Events::TYPES.iter().map(|t| t.to_string()).collect(),
            event_defs: P::Events::defs(),
            row: schema_of::<P::Row>(),
            indexes: P::INDEXES.iter().map(columns).collect(),
            code: Arc::new(fold::Folding(Arc::new(fold::Typed::<P>::default()))),
        }
    }
}

/// The single id of a kind that an event is tagged with.
///
/// # Errors
/// The event has two different ids of the kind, so that the program must say which one it means.
pub fn only_id<K: EntityId>(event: &StoredEvent) -> Result<Option<K>, DecodeError> {
    let mut ids: Vec<K> = ids_in(&event.tags);
    ids.dedup();
    match ids.len() {
        0 | 1 => Ok(ids.pop()),
        n => Err(event.unreadable(format_args!(
            "it is tagged with {n} ids of kind `{}`; say in `correlate` which one is meant",
            K::KIND
        ))),
    }
}
