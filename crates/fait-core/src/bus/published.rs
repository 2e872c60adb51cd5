//! What a system promises to tell others, and how it is made of what happened.

use crate::event::{EntityId, schema_of};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::fmt::Debug;
use uuid::Uuid;

/// One type of message for other systems, a promise to them. Derived by `#[published]`.
///
/// It is no [`Event`](crate::event::Event): an event of the domain may change with it, this may
/// not. Nothing else is ever handed to a bus.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not published",
    label = "put `#[published(name = \"…\")]` on a struct made for other systems; \
             a domain event stays inside"
)]
pub trait Published:
    Serialize + DeserializeOwned + JsonSchema + Clone + Debug + PartialEq + Send + Sync + 'static
{
    /// Its name, in the order of a reversed domain name: `com.example.tickets.tickets-issued`.
    const NAME: &'static str;
    /// The version, from 1. Another version is another type, and both are published for a while.
    const VERSION: u32 = 1;
    /// The documentation comment.
    const DOC: &'static str = "";
    /// Since when it is not to be used any more, and until when it is published.
    const DEPRECATED: Option<Deprecated> = None;
    /// What it is about, for whoever reads: the field with `#[subject]`. Messages with the same
    /// subject stay in order everywhere.
    fn subject(&self) -> Option<String> {
        None
    }
}

/// A field that `#[subject]` may stand on: an id, a text, a UUID, a number, or an `Option` of
/// these.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what a message is about",
    label = "`#[subject]` stands on an id, a text, a UUID, a number, or an `Option` of these"
)]
pub trait Subject {
    /// The text; none where it is empty.
    fn subject(&self) -> Option<String>;
}

impl<I: EntityId> Subject for I {
    fn subject(&self) -> Option<String> {
        Some(self.to_string()).filter(|text| !text.is_empty())
    }
}

impl<S: Subject> Subject for Option<S> {
    fn subject(&self) -> Option<String> {
        self.as_ref().and_then(S::subject)
    }
}

macro_rules! subjects {
    ($($ty:ty),*) => {$(
        impl Subject for $ty {
            fn subject(&self) -> Option<String> {
                Some(self.to_string()).filter(|text| !text.is_empty())
            }
        }
    )*};
}

subjects!(String, Uuid, u32, u64, i32, i64);

/// That something published will cease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deprecated {
    /// Since when nobody should begin to use it: a date, `2026-12-31`.
    pub since: &'static str,
    /// The last day on which it is published, where that is known: a date.
    pub sunset: Option<&'static str>,
    /// What to use instead, as a sentence or an address.
    pub instead: Option<&'static str>,
}

/// The `type` on the bus: the name with the version at its end.
pub fn cloud_type(name: &str, version: u32) -> String {
    format!("{name}.v{version}")
}

/// Some published types: one, or an enum with `#[derive(PublishedSet)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a set of published types",
    label = "use a struct with `#[published]`, or `#[derive(PublishedSet)]` on an enum of them"
)]
pub trait PublishedSet: Sized + Send + Sync + 'static {
    /// Writes it.
    ///
    /// # Errors
    /// Its own `Serialize` refuses.
    fn encode(&self) -> Result<Outgoing, serde_json::Error>;
    /// The definitions of what is in the set.
    fn defs() -> Vec<PublishedDef>;
}

impl<P: Published> PublishedSet for P {
    fn encode(&self) -> Result<Outgoing, serde_json::Error> {
        Ok(Outgoing {
            ty: cloud_type(P::NAME, P::VERSION),
            subject: self.subject(),
            data: serde_json::to_value(self)?,
        })
    }
    fn defs() -> Vec<PublishedDef> {
        vec![PublishedDef::of::<P>()]
    }
}

/// A message for other systems, before it has an id and a place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outgoing {
    /// The `type` on the bus, with the version.
    #[serde(rename = "type")]
    pub ty: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What it says.
    pub data: Value,
}

/// A published type as data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PublishedDef {
    /// The `type` on the bus, with the version.
    #[serde(rename = "type")]
    pub ty: String,
    /// The name without the version.
    pub name: String,
    /// The version.
    pub version: u32,
    /// The documentation.
    pub doc: String,
    /// The JSON Schema of the data.
    pub schema: Value,
    /// That it will cease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<DeprecatedDef>,
}

/// That something published will cease, as data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeprecatedDef {
    /// Since when nobody should begin to use it.
    pub since: String,
    /// The last day on which it is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sunset: Option<String>,
    /// What to use instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
}

impl PublishedDef {
    /// The definition of one Rust type.
    pub fn of<P: Published>() -> Self {
        PublishedDef {
            ty: cloud_type(P::NAME, P::VERSION),
            name: P::NAME.into(),
            version: P::VERSION,
            doc: P::DOC.into(),
            schema: schema_of::<P>(),
            deprecated: P::DEPRECATED.map(|d| DeprecatedDef {
                since: d.since.into(),
                sunset: d.sunset.map(Into::into),
                instead: d.instead.map(Into::into),
            }),
        }
    }
}
