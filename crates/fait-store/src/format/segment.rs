//! The header of a segment file.
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 8 | magic `faitslog` |
//! | 8 | 4 | format version |
//! | 12 | 4 | segment number, as in the file's name |
//! | 16 | 16 | store id |
//! | 32 | 8 | position of the first event that will stand in it |
//! | 40 | 4 | checksum that the segment before ends with; 0 in the first |
//! | 44 | 4 | generation: how often the segment was rewritten, to erase events |
//! | 48 | 4 | in a rewritten segment: the checksum that its last frame had at first |
//! | 52 | 8 | zero |
//! | 60 | 4 | checksum of bytes 0..60 |

use super::{HeaderError, close_header, file_header};
use fait_core::event::Position;
use uuid::Uuid;

const MAGIC: &[u8; 8] = b"faitslog";

/// Length of the header; the first frame follows.
pub(crate) const SEGMENT_HEADER: usize = 64;

/// What a segment says about itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SegmentHeader {
    /// The version of the format that began it.
    pub(crate) version: u32,
    pub(crate) store: Uuid,
    pub(crate) number: u32,
    pub(crate) first: Position,
    pub(crate) chain: u32,
    pub(crate) rewritten: Option<Rewritten>,
}

/// What a rewritten segment remembers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rewritten {
    /// How often.
    pub(crate) generation: u32,
    /// What the next segment goes on from: the checksum that the last frame had at first.
    pub(crate) chain_out: u32,
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(SEGMENT_HEADER);
        out.extend(MAGIC);
        out.extend(self.version.to_le_bytes());
        out.extend(self.number.to_le_bytes());
        out.extend(self.store.as_bytes());
        out.extend(self.first.to_le_bytes());
        out.extend(self.chain.to_le_bytes());
        if let Some(rewritten) = self.rewritten {
            out.extend(rewritten.generation.to_le_bytes());
            out.extend(rewritten.chain_out.to_le_bytes());
        }
        close_header(out)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<SegmentHeader, HeaderError> {
        let (version, mut taker) = file_header(bytes, MAGIC)?;
        let fields = (|| {
            let (number, store) = (taker.u32()?, taker.uuid()?);
            let (first, chain) = (taker.u64()?, taker.u32()?);
            let (generation, chain_out) = (taker.u32()?, taker.u32()?);
            Some(SegmentHeader {
                version,
                store,
                number,
                first,
                chain,
                rewritten: (generation > 0).then_some(Rewritten {
                    generation,
                    chain_out,
                }),
            })
        })();
        fields.ok_or(HeaderError::Damaged("its header is cut short"))
    }

    /// How often it was rewritten.
    pub(crate) fn generation(&self) -> u32 {
        self.rewritten.map_or(0, |r| r.generation)
    }

    /// Whether these bytes are what a crash leaves of a segment that was being made: a beginning
    /// of its header, or zeros, and nothing behind.
    pub(crate) fn is_unfinished(bytes: &[u8]) -> bool {
        let broken = |e| matches!(e, HeaderError::Foreign | HeaderError::Damaged(_));
        bytes.len() <= SEGMENT_HEADER && SegmentHeader::decode(bytes).is_err_and(broken)
    }
}
