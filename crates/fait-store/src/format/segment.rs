//! The header of a segment file.
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 8 | magic `faitslog` |
//! | 8 | 4 | format version |
//! | 12 | 4 | segment number, as in the file's name |
//! | 16 | 16 | store id |
//! | 32 | 8 | position of the first event that will stand in it |
//! | 40 | 4 | checksum of the last frame of the segment before; 0 in the first |
//! | 44 | 16 | zero |
//! | 60 | 4 | checksum of bytes 0..60 |

use super::{HeaderError, VERSION, close_header, file_header};
use fait_core::event::Position;
use uuid::Uuid;

const MAGIC: &[u8; 8] = b"faitslog";

/// Length of the header; the first frame follows.
pub(crate) const SEGMENT_HEADER: usize = 64;

/// What a segment says about itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SegmentHeader {
    pub(crate) store: Uuid,
    pub(crate) number: u32,
    pub(crate) first: Position,
    pub(crate) chain: u32,
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(SEGMENT_HEADER);
        out.extend(MAGIC);
        out.extend(VERSION.to_le_bytes());
        out.extend(self.number.to_le_bytes());
        out.extend(self.store.as_bytes());
        out.extend(self.first.to_le_bytes());
        out.extend(self.chain.to_le_bytes());
        close_header(out)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<SegmentHeader, HeaderError> {
        let mut taker = file_header(bytes, MAGIC)?;
        let fields = (|| {
            let number = taker.u32()?;
            let store = taker.uuid()?;
            Some(SegmentHeader {
                store,
                number,
                first: taker.u64()?,
                chain: taker.u32()?,
            })
        })();
        fields.ok_or(HeaderError::Damaged("its header is cut short"))
    }

    /// Whether these bytes are what a crash leaves of a segment that was being made: any part of
    /// its header, and nothing behind. A segment is not used before its header is durable.
    pub(crate) fn is_unfinished(bytes: &[u8]) -> bool {
        let broken = |e| matches!(e, HeaderError::Foreign | HeaderError::Damaged(_));
        bytes.len() <= SEGMENT_HEADER && SegmentHeader::decode(bytes).is_err_and(broken)
    }
}
