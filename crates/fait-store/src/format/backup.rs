//! The file `backup`: what a folder is a backup of. It is written last, when all that it speaks
//! of is there.
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 8 | magic `faitback` |
//! | 8 | 4 | format version |
//! | 12 | 4 | segments |
//! | 16 | 16 | store id |
//! | 32 | 8 | when the store was created, milliseconds since 1970 |
//! | 40 | 16 | history |
//! | 56 | 4 | 1: it is whole; 0: the first backup in the folder is being made |
//! | 60 | 4 | checksum of bytes 0..60 |
//! | 64 | 8 | head: position of the last event |
//! | 72 | 8 | when the backup was made, milliseconds since 1970 |
//! | 80 | 4 | checksum of bytes 64..80 |
//!
//! What stands in the segments behind the head belongs to a later backup that was cut short.

use super::{HeaderError, Taker, VERSION, close_header, file_header};
use fait_core::event::Position;
use uuid::Uuid;

const MAGIC: &[u8; 8] = b"faitback";

/// Length of the file.
pub(crate) const BACKUP_BYTES: usize = 84;

/// Length of what both checksums cover, with the first of them.
const HEADER: usize = 64;

/// What a folder is a backup of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct BackupHeader {
    pub(crate) version: u32,
    pub(crate) store: Uuid,
    pub(crate) history: Uuid,
    /// When the store was created.
    pub(crate) created: u64,
    pub(crate) segments: u32,
    pub(crate) whole: bool,
    pub(crate) head: Position,
    /// When the backup was made.
    pub(crate) taken: u64,
}

impl BackupHeader {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(BACKUP_BYTES);
        out.extend(MAGIC);
        out.extend(VERSION.to_le_bytes());
        out.extend(self.segments.to_le_bytes());
        out.extend(self.store.as_bytes());
        out.extend(self.created.to_le_bytes());
        out.extend(self.history.as_bytes());
        out.extend(u32::from(self.whole).to_le_bytes());
        let mut out = close_header(out);
        out.extend(self.head.to_le_bytes());
        out.extend(self.taken.to_le_bytes());
        let crc = crc32fast::hash(&out[HEADER..]);
        out.extend(crc.to_le_bytes());
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<BackupHeader, HeaderError> {
        let (version, mut taker) = file_header(bytes, MAGIC)?;
        let damaged = HeaderError::Damaged("its second checksum does not fit");
        let (rest, crc) = bytes[HEADER..]
            .split_last_chunk::<4>()
            .ok_or(HeaderError::Damaged("it is cut short"))?;
        if crc32fast::hash(rest) != u32::from_le_bytes(*crc) {
            return Err(damaged);
        }
        let mut behind = Taker(rest);
        let fields = (|| {
            Some(BackupHeader {
                version,
                segments: taker.u32()?,
                store: taker.uuid()?,
                created: taker.u64()?,
                history: taker.uuid()?,
                whole: taker.u32()? == 1,
                head: behind.u64()?,
                taken: behind.u64()?,
            })
        })();
        fields.ok_or(HeaderError::Damaged("it is cut short"))
    }
}
