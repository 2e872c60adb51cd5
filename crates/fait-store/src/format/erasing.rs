//! The file `erasing`: what is being erased, until it is.
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 8 | magic `faiteras` |
//! | 8 | 4 | format version |
//! | 12 | 4 | what is kept: 1 types, 2 times |
//! | 16 | 16 | id of the tombstone |
//! | 32 | 1 | length of the tag |
//! | 33 | … | tag |
//! | | 4 | checksum of all before |

use super::{Taker, VERSION};
use fait_core::event::Tag;
use fait_core::store::Keep;
use uuid::Uuid;

const MAGIC: &[u8; 8] = b"faiteras";

/// An erasure that is under way.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pending {
    pub(crate) tombstone: Uuid,
    pub(crate) tag: Tag,
    pub(crate) keep: Keep,
}

impl Pending {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let keep = u32::from(self.keep.types) | (u32::from(self.keep.times) << 1);
        let mut out = MAGIC.to_vec();
        out.extend(VERSION.to_le_bytes());
        out.extend(keep.to_le_bytes());
        out.extend(self.tombstone.as_bytes());
        out.push(self.tag.as_str().len() as u8);
        out.extend(self.tag.as_str().as_bytes());
        let crc = crc32fast::hash(&out);
        out.extend(crc.to_le_bytes());
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Pending> {
        let (rest, crc) = bytes.split_last_chunk::<4>()?;
        if crc32fast::hash(rest) != u32::from_le_bytes(*crc) {
            return None;
        }
        let mut taker = Taker(rest);
        if taker.array::<8>()? != *MAGIC || taker.u32()? != VERSION {
            return None;
        }
        let keep = taker.u32()?;
        let tombstone = taker.uuid()?;
        let length = taker.u8()?;
        let tag = Tag::raw(taker.text(length.into())?);
        Some(Pending {
            tombstone,
            tag,
            keep: Keep {
                types: keep & 1 != 0,
                times: keep & 2 != 0,
            },
        })
    }
}
