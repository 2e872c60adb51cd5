//! The file `meta`: whose store this is.
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 8 | magic `faitmeta` |
//! | 8 | 4 | format version |
//! | 12 | 4 | zero |
//! | 16 | 16 | store id |
//! | 32 | 8 | created, milliseconds since 1970 |
//! | 40 | 20 | zero |
//! | 60 | 4 | checksum of bytes 0..60 |

use super::{HeaderError, VERSION, close_header, file_header};
use uuid::Uuid;

const MAGIC: &[u8; 8] = b"faitmeta";

/// Length of the file.
pub(crate) const META_BYTES: usize = 64;

/// Who the store is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Meta {
    pub(crate) store: Uuid,
    pub(crate) created: u64,
}

impl Meta {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(META_BYTES);
        out.extend(MAGIC);
        out.extend(VERSION.to_le_bytes());
        out.extend([0; 4]);
        out.extend(self.store.as_bytes());
        out.extend(self.created.to_le_bytes());
        close_header(out)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Meta, HeaderError> {
        let mut taker = file_header(bytes, MAGIC)?;
        let fields = (|| {
            taker.u32()?;
            Some(Meta {
                store: taker.uuid()?,
                created: taker.u64()?,
            })
        })();
        fields.ok_or(HeaderError::Damaged("its header is cut short"))
    }
}
