//! What an index is asked for: hashes of types, tags and ids. Equal hashes are not proof of
//! equal names; who finds something looks at the record.

use fait_core::query::QueryItem;
use std::hash::{BuildHasherDefault, Hasher};
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A hash of a name and its kind (XXH3, 64 bits, seeded by the kind). It is part of the format.
pub(crate) type Key = u64;

pub(crate) fn of_type(ty: &str) -> Key {
    xxh3_64_with_seed(ty.as_bytes(), 1)
}

pub(crate) fn of_tag(tag: &str) -> Key {
    xxh3_64_with_seed(tag.as_bytes(), 2)
}

pub(crate) fn of_event(id: Uuid) -> Key {
    xxh3_64_with_seed(id.as_bytes(), 3)
}

pub(crate) fn of_command(id: Uuid) -> Key {
    xxh3_64_with_seed(id.as_bytes(), 4)
}

/// The keys of one query item: all clauses must hold, each by any of its keys.
pub(crate) fn clauses(item: &QueryItem) -> Vec<Vec<Key>> {
    let tags = item.tags.iter().map(|tag| vec![of_tag(tag.as_str())]);
    let types = item.types.iter().map(|ty| of_type(ty)).collect();
    let types = (!item.types.is_empty()).then_some(types);
    tags.chain(types).collect()
}

/// Keys are hashes already.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }
    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

pub(crate) type BuildAsIs = BuildHasherDefault<AsIs>;
