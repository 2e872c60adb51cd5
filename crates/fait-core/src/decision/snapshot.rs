//! How a model is kept on disk between decisions. A snapshot is never the truth: what it cannot
//! give is folded from the events.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;

/// How a model is kept on disk: as JSON, under a version.
///
/// ```
/// # use fait_core::decision::Snapshots;
/// # #[derive(Default, serde::Serialize, serde::Deserialize)] struct Account;
/// fn snapshots() -> Option<Snapshots<Account>> {
///     Some(Snapshots::version(1))
/// }
/// ```
///
/// What is written must read back as the same model. Count the version up whenever `evolve`, the
/// model's fields, or how an old event is read has changed: an old snapshot would go on with what
/// the old code had made of the old events. When the event types change, it is not used anyway.
pub struct Snapshots<M> {
    version: u32,
    every: u32,
    write: fn(&M) -> Result<Value, serde_json::Error>,
    read: fn(Value) -> Result<M, serde_json::Error>,
}

impl<M: Serialize + DeserializeOwned> Snapshots<M> {
    /// Kept in this version, after every thousand events that it has taken in.
    pub fn version(version: u32) -> Self {
        Snapshots {
            version,
            every: 1000,
            write: |model| serde_json::to_value(model),
            read: |kept| serde_json::from_value(kept),
        }
    }
}

impl<M> Snapshots<M> {
    /// Kept after so many events, at least one.
    #[must_use]
    pub fn every(mut self, events: u32) -> Self {
        self.every = events.max(1);
        self
    }

    pub(super) fn form(&self) -> Form {
        Form {
            models: String::new(),
            version: self.version.to_string(),
            every: self.every,
        }
    }

    pub(super) fn write(&self, model: &M) -> Result<Value, serde_json::Error> {
        (self.write)(model)
    }

    pub(super) fn read(&self, kept: Value) -> Result<M, serde_json::Error> {
        (self.read)(kept)
    }
}

impl<M> fmt::Debug for Snapshots<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshots")
            .field("version", &self.version)
            .field("every", &self.every)
            .finish_non_exhaustive()
    }
}

/// How the models of one boundary are kept on disk, with types erased.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    /// The type of the models, as the compiler names it.
    pub models: String,
    /// The versions of all of them, and the event types that they read. What was written under
    /// another text is not read.
    pub version: String,
    /// After how many events it is written again.
    pub every: u32,
}

impl Form {
    /// Of several models together: written as often as the one that is written most often.
    pub(super) fn all(forms: &[Form]) -> Option<Form> {
        let versions: Vec<&str> = forms.iter().map(|f| f.version.as_str()).collect();
        Some(Form {
            models: String::new(),
            version: format!("({})", versions.join(",")),
            every: forms.iter().map(|f| f.every).min()?,
        })
    }

    pub(super) fn about(mut self, models: &str, reads: &[&str]) -> Form {
        self.models = models.into();
        self.version = format!("{} {}", self.version, reads.join(","));
        self
    }
}
