//! The structures on disk, byte by byte; `docs/format.md` draws them. All integers are
//! little-endian, every structure carries a checksum (CRC-32, IEEE).

mod frame;
mod meta;
mod record;
mod v1;
mod segment;
mod index;
mod erasing;
mod backup;

pub(crate) use backup::{BACKUP_BYTES, BackupHeader};
pub(crate) use erasing::Pending;
pub(crate) use frame::{FRAME_HEADER, FRAME_MAGIC, FrameHeader, check_body};
pub(crate) use index::{
    Bounds, Directory, INDEX_HEADER, IndexHeader, PAGE_BYTES, PAGE_DATA, check_page,
};
pub(crate) use meta::{META_BYTES, Meta};
pub(crate) use record::{
    CommandRecord, EventView, Key, Left, RECORD_HEAD, Record, Records, check, packed_bound,
    put_erased, put_event, put_left, v1_command_before,
};
pub(crate) use segment::{Rewritten, SEGMENT_HEADER, SegmentHeader};

use uuid::Uuid;

/// The version of the format that this program writes.
pub(crate) const VERSION: u32 = 2;

/// The oldest version that it reads.
const OLDEST: u32 = 1;

/// Why a file's first bytes are not a header of this program.
#[derive(Debug, PartialEq)]
pub(crate) enum HeaderError {
    /// Another kind of file.
    Foreign,
    /// A newer format.
    Newer(u32),
    /// Ours, but damaged.
    Damaged(&'static str),
}

/// Rounds up to the alignment of records.
pub(crate) fn aligned(bytes: usize) -> usize {
    bytes.next_multiple_of(8)
}

/// Takes values from the front of a slice; nothing when it is too short.
struct Taker<'a>(&'a [u8]);

impl<'a> Taker<'a> {
    fn bytes(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[b]| b)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn uuid(&mut self) -> Option<Uuid> {
        self.array().map(Uuid::from_bytes)
    }

    fn text(&mut self, n: usize) -> Option<&'a str> {
        std::str::from_utf8(self.bytes(n)?).ok()
    }
}

/// Opens a file header of 64 bytes: magic, version, …, checksum of what stands before it.
fn file_header<'a>(bytes: &'a [u8], magic: &[u8; 8]) -> Result<(u32, Taker<'a>), HeaderError> {
    let Some(header) = bytes.first_chunk::<64>() else {
        return Err(if bytes.starts_with(magic) {
            HeaderError::Damaged("its header is cut short")
        } else {
            HeaderError::Foreign
        });
    };
    let mut taker = Taker(&header[..60]);
    if taker.array::<8>().as_ref() != Some(magic) {
        return Err(HeaderError::Foreign);
    }
    let version = taker.u32().unwrap_or(0);
    if version > VERSION {
        return Err(HeaderError::Newer(version));
    }
    let [.., a, b, c, d] = *header;
    if version < OLDEST || crc32fast::hash(&header[..60]) != u32::from_le_bytes([a, b, c, d]) {
        return Err(HeaderError::Damaged("its header's checksum does not fit"));
    }
    Ok((version, taker))
}

/// Closes a file header: pads to 60 bytes and puts the checksum behind.
fn close_header(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.resize(60, 0);
    let crc = crc32fast::hash(&bytes);
    bytes.extend(crc.to_le_bytes());
    bytes
}
