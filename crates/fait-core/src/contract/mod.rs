//! What systems promise to each other: the JSON Schemas of what one publishes, as they were
//! committed, held against the program and against what others read of them.
//!
//! A promise holds in both directions of time. What is sent from now on must be readable by
//! whoever reads by the committed schema; and what was sent before, which the log gives out again
//! at any time, must be valid by the new one. So an optional field may be added, and almost
//! nothing else may change; what has to, gets a new version, which is a type of its own.
//!
//! Pure: folders are read and written by the crate `fait`.

mod schema;
mod accept;
mod fit;
mod example;
mod report;
mod compare;
mod asyncapi;
#[cfg(test)]
mod tests;

pub use asyncapi::{AsyncApi, asyncapi};
pub use compare::compare;
pub use example::{example, unlike};
pub use fit::{Misfit, Wrong};
pub use report::{Finding, Kind, Note, Report};

use crate::bus::{DeprecatedDef, Expects, PublishedDef};
use crate::manifest::Manifest;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What stands in a folder `contract/`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contract {
    /// The committed JSON Schema of each type, by the type on the bus.
    pub published: BTreeMap<String, Value>,
    /// A message of each type as it is sent: a CloudEvent in JSON.
    pub examples: BTreeMap<String, Value>,
    /// What each known system reads.
    pub readers: BTreeMap<String, Reader>,
}

/// What a system that is known reads of the messages of another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reader {
    /// Its name.
    pub system: String,
    /// What it reads, by type.
    pub expects: Vec<Expects>,
}

/// Everything that a system publishes, by the type on the bus.
pub fn published(manifest: &Manifest) -> BTreeMap<String, &PublishedDef> {
    let entries = manifest.publishes.values();
    let all = entries.flat_map(|entry| entry.publishes.iter());
    all.map(|(ty, def)| (ty.clone(), def)).collect()
}

/// The name of a type's schema: a URI. The schema itself is at `/api/schemas/<type>`.
fn schema_id(ty: &str) -> String {
    format!("urn:fait:schema:{ty}")
}

/// The schema of a type as it is committed and served: a whole JSON Schema document.
pub fn document(def: &PublishedDef) -> Value {
    let mut schema = def.schema.clone();
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["$id"] = json!(def.schema_id());
    if let Some(deprecated) = &def.deprecated {
        schema["deprecated"] = json!(true);
        schema[DEPRECATION] = json!(deprecated);
    }
    schema
}

/// Where a document has since when and until when its type is published.
const DEPRECATION: &str = "x-deprecation";

fn deprecation(document: &Value) -> Option<DeprecatedDef> {
    let said = document.get(DEPRECATION)?;
    serde_json::from_value(said.clone()).ok()
}

/// How what a system reads fits what another has committed; one line for what does not, none when
/// all does.
pub fn unmet(contract: &Contract, reader: &Reader) -> Vec<Finding> {
    let each = reader.expects.iter();
    each.flat_map(|expects| compare::unmet(contract, &reader.system, expects))
        .collect()
}
