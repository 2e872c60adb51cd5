//! Tags say what an event happened to; entity ids are the typed side of them.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::Hash;

/// `kind:value`, for example `order:7`. The kind has no colon; the value may have some.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tag(String);

impl Tag {
    /// The tag of one thing of a kind.
    pub fn new(kind: &str, value: impl fmt::Display) -> Tag {
        Tag(format!("{kind}:{value}"))
    }

    /// A tag from its written form; the store checks the form when it is appended.
    pub fn raw(text: impl Into<String>) -> Tag {
        Tag(text.into())
    }

    /// The part before the first colon.
    pub fn kind(&self) -> &str {
        self.0.split_once(':').map_or("", |(kind, _)| kind)
    }

    /// The part behind the first colon.
    pub fn value(&self) -> &str {
        self.0
            .split_once(':')
            .map_or(self.0.as_str(), |(_, value)| value)
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text is not an id of this kind.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct IdError {
    /// What was given.
    pub text: String,
    /// What an id of this kind looks like.
    pub expected: &'static str,
}

/// The id of a thing that events happen to. Made by `entity_ids!`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an entity id",
    label = "declare it with `entity_ids! {{ {Self} => \"kind\" }}`"
)]
pub trait EntityId:
    Clone
    + fmt::Debug
    + fmt::Display
    + Eq
    + Ord
    + Hash
    + Serialize
    + DeserializeOwned
    + schemars::JsonSchema
    + Send
    + Sync
    + 'static
{
    /// The kind in the tag, for example `order`.
    const KIND: &'static str;
    /// Reads the value part of a tag.
    ///
    /// # Errors
    /// The text is not an id of this kind.
    fn parse(text: &str) -> Result<Self, IdError>;
    /// The tag of this thing.
    fn tag(&self) -> Tag {
        Tag::new(Self::KIND, self)
    }
}

/// What an id holds; an empty text is no id.
pub trait IdValue {
    /// Whether the value can be an id.
    ///
    /// # Errors
    /// A sentence that says why not.
    fn check(&self) -> Result<(), &'static str> {
        Ok(())
    }
}

impl IdValue for uuid::Uuid {}
impl IdValue for u64 {}
impl IdValue for String {
    fn check(&self) -> Result<(), &'static str> {
        if self.trim().is_empty() {
            Err("an id cannot be empty")
        } else {
            Ok(())
        }
    }
}

/// A field that `#[tag]` may stand on: an id, or some ids.
pub trait Tagged {
    /// The ids' tags.
    fn tags_into(&self, out: &mut Vec<Tag>);
}

impl<I: EntityId> Tagged for I {
    fn tags_into(&self, out: &mut Vec<Tag>) {
        out.push(self.tag());
    }
}

impl<I: EntityId> Tagged for Option<I> {
    fn tags_into(&self, out: &mut Vec<Tag>) {
        out.extend(self.iter().map(I::tag));
    }
}

impl<I: EntityId> Tagged for Vec<I> {
    fn tags_into(&self, out: &mut Vec<Tag>) {
        out.extend(self.iter().map(I::tag));
    }
}

impl<I: EntityId> Tagged for BTreeSet<I> {
    fn tags_into(&self, out: &mut Vec<Tag>) {
        out.extend(self.iter().map(I::tag));
    }
}

impl<I: EntityId, V> Tagged for BTreeMap<I, V> {
    fn tags_into(&self, out: &mut Vec<Tag>) {
        out.extend(self.keys().map(I::tag));
    }
}

/// Declares ids: `entity_ids! { OrderId => "order", TableId(number) => "table" }`.
///
/// Three forms: a UUID (the default, `Copy`), `(number)` for a business's own numbers (`Copy`),
/// `(text)` for its own codes.
#[macro_export]
macro_rules! entity_ids {
    () => {};
    ($name:ident => $kind:literal $(, $($rest:tt)*)?) => {
        $crate::entity_ids!(@type $name, $kind, $crate::reexport::uuid::Uuid, "a UUID",
            {"type": "string", "format": "uuid"}, Copy);
        impl $name {
            /// The id that a plain name stands for: always the same for the same name.
            pub fn named(name: &str) -> Self {
                use $crate::reexport::uuid::Uuid;
                Self(Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{}:{name}", $kind).as_bytes()))
            }
        }
        $($crate::entity_ids! { $($rest)* })?
    };
    ($name:ident (number) => $kind:literal $(, $($rest:tt)*)?) => {
        $crate::entity_ids!(@type $name, $kind, u64, "a whole number",
            {"type": "integer", "minimum": 0}, Copy);
        $($crate::entity_ids! { $($rest)* })?
    };
    ($name:ident (text) => $kind:literal $(, $($rest:tt)*)?) => {
        $crate::entity_ids!(@type $name, $kind, String, "a text",
            {"type": "string", "minLength": 1},);
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_string())
            }
        }
        $($crate::entity_ids! { $($rest)* })?
    };
    (@type $name:ident, $kind:literal, $inner:ty, $expected:literal,
        {$($key:literal: $value:tt),+}, $($copy:ident)?) => {
        #[doc = concat!("The id of a thing of kind `", $kind, "`.")]
        #[derive(Clone, $($copy,)? Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);
        impl $crate::reexport::serde::Serialize for $name {
            fn serialize<S: $crate::reexport::serde::Serializer>(
                &self,
                s: S,
            ) -> Result<S::Ok, S::Error> {
                $crate::reexport::serde::Serialize::serialize(&self.0, s)
            }
        }
        impl<'de> $crate::reexport::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::reexport::serde::Deserializer<'de>>(
                d: D,
            ) -> Result<Self, D::Error> {
                let id = <$inner as $crate::reexport::serde::Deserialize>::deserialize(d)?;
                $crate::event::IdValue::check(&id)
                    .map_err($crate::reexport::serde::de::Error::custom)?;
                Ok(Self(id))
            }
        }
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(&self.0, f)
            }
        }
        impl From<$inner> for $name {
            fn from(id: $inner) -> Self {
                Self(id)
            }
        }
        impl $crate::event::EntityId for $name {
            const KIND: &'static str = $kind;
            fn parse(text: &str) -> Result<Self, $crate::event::IdError> {
                let error = || $crate::event::IdError {
                    text: text.to_string(),
                    expected: $expected,
                };
                let id: $inner = text.parse().map_err(|_| error())?;
                $crate::event::IdValue::check(&id).map_err(|_| error())?;
                Ok(Self(id))
            }
        }
        impl $crate::reexport::schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(
                _: &mut $crate::reexport::schemars::SchemaGenerator,
            ) -> $crate::reexport::schemars::Schema {
                $crate::reexport::schemars::json_schema!({
                    $($key: $value,)+ "x-kind": $kind
                })
            }
        }
    };
}
