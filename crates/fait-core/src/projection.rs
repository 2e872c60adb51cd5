//! A projection turns events into the rows of a read model, a view.

use crate::event::{DecodeError, EntityId, EventSet, Meta, StoredEvent, ids_in, schema_of};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::fmt::{self, Debug};
use std::sync::Arc;

/// Rows by key, folded from events. Pure: testable without a store, batched, rebuilt side by side.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a projection",
    label = "implement `Projection` for it: a key, some events, a row"
)]
pub trait Projection: Send + Sync + 'static {
    /// The view's name, in kebab case.
    const NAME: &'static str;
    /// Raise it when `project` changes: the view is then rebuilt.
    const VERSION: u32 = 1;
    /// Whether a command's answer waits until this view shows it.
    const INLINE: bool = false;
    /// What a row is about.
    type Key: EntityId;
    /// What it listens to.
    type Events: EventSet;
    /// One row.
    type Row: Serialize + DeserializeOwned + JsonSchema + Clone + Debug + Send + Sync + 'static;
    /// Which rows an event touches; by default those of every id of the key's kind in its tags.
    fn keys(event: &Self::Events) -> Vec<Self::Key> {
        event.ids()
    }
    /// Takes one event into one row. `None` before the first and to remove the row. It has the
    /// recorded time in `meta` and no other clock.
    fn project(row: &mut Option<Self::Row>, key: &Self::Key, event: Self::Events, meta: &Meta);
}

/// Which rows an event touches.
pub type Keys = Arc<dyn Fn(&StoredEvent) -> Result<Vec<String>, DecodeError> + Send + Sync>;

/// Takes one event into one row.
pub type Project = Arc<
    dyn Fn(Option<Value>, &str, &StoredEvent) -> Result<Option<Value>, DecodeError> + Send + Sync,
>;

/// A projection as data: what the registry holds.
#[derive(Clone)]
pub struct ProjectionDef {
    /// The view's name.
    pub name: String,
    /// The version of its code.
    pub version: u32,
    /// Whether a command's answer waits until this view shows it.
    pub inline: bool,
    /// The kind of thing that a row is about.
    pub key_kind: String,
    /// The event types it listens to.
    pub types: Vec<String>,
    /// JSON Schema of a row.
    pub row: Value,
    /// Which rows an event touches.
    pub keys: Keys,
    /// Takes one event into one row.
    pub project: Project,
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
        ProjectionDef {
            name: P::NAME.into(),
            version: P::VERSION,
            inline: P::INLINE,
            key_kind: P::Key::KIND.into(),
            types: P::Events::TYPES.iter().map(|t| t.to_string()).collect(),
            row: schema_of::<P::Row>(),
            keys: Arc::new(|event| {
                let Some(e) = P::Events::decode(event)? else {
                    return Ok(vec![]);
                };
                Ok(P::keys(&e).iter().map(ToString::to_string).collect())
            }),
            project: Arc::new(project_one::<P>),
        }
    }

    /// The keys that an event's tags name: what is parked when the event cannot be read.
    pub fn tagged_keys(&self, event: &StoredEvent) -> Vec<String> {
        let mine = event.tags.iter().filter(|t| t.kind() == self.key_kind);
        mine.map(|t| t.value().to_string()).collect()
    }
}

fn project_one<P: Projection>(
    row: Option<Value>,
    key: &str,
    event: &StoredEvent,
) -> Result<Option<Value>, DecodeError> {
    let Some(e) = P::Events::decode(event)? else {
        return Ok(row);
    };
    let key = P::Key::parse(key).map_err(|x| event.unreadable(x))?;
    let mut typed: Option<P::Row> = match row {
        Some(value) => Some(serde_json::from_value(value).map_err(|x| event.unreadable(x))?),
        None => None,
    };
    P::project(&mut typed, &key, e, &event.meta);
    typed
        .map(|r| serde_json::to_value(r).map_err(|x| event.unreadable(x)))
        .transpose()
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
