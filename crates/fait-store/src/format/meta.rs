//! The file `meta`: whose store this is.
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 8 | magic `faitmeta` |
//! | 8 | 4 | format version |
//! | 12 | 4 | zero |
//! | 16 | 16 | store id |
//! | 32 | 8 | created, milliseconds since 1970 |
//! | 40 | 16 | history: the id that the world knows; zero: the store id |
//! | 56 | 4 | zero |
//! | 60 | 4 | checksum of bytes 0..60 |

use super::{HeaderError, close_header, file_header};
use uuid::Uuid;

const MAGIC: &[u8; 8] = b"faitmeta";

/// Length of the file.
pub(crate) const META_BYTES: usize = 64;

/// Who the store is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Meta {
    /// The version of the format that wrote it.
    pub(crate) version: u32,
    /// What every file of the store carries.
    pub(crate) store: Uuid,
    pub(crate) created: u64,
    /// What the world knows the store by.
    pub(crate) history: Uuid,
}

impl Meta {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(META_BYTES);
        out.extend(MAGIC);
        out.extend(self.version.to_le_bytes());
        out.extend([0; 4]);
        out.extend(self.store.as_bytes());
        out.extend(self.created.to_le_bytes());
        let own = self.history != self.store;
        out.extend(if own { self.history } else { Uuid::nil() }.as_bytes());
        close_header(out)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Meta, HeaderError> {
        let (version, mut taker) = file_header(bytes, MAGIC)?;
        let fields = (|| {
            taker.u32()?;
            let (store, created, history) = (taker.uuid()?, taker.u64()?, taker.uuid()?);
            Some(Meta {
                version,
                store,
                created,
                history: if history.is_nil() { store } else { history },
            })
        })();
        fields.ok_or(HeaderError::Damaged("its header is cut short"))
    }
}
