//! An index file: where the events of a segment stand, and which have which type, tag and id. It
//! is made from the segment and can be made again at any time.
//!
//! The header:
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 8 | magic `faitsidx` |
//! | 8 | 4 | format version |
//! | 12 | 4 | segment number |
//! | 16 | 16 | store id |
//! | 32 | 4 | generation of the segment that it was made from |
//! | 36 | 4 | events |
//! | 40 | 4 | end: offset behind the last frame that is covered |
//! | 44 | 4 | offset of that frame |
//! | 48 | 4 | header checksum of that frame |
//! | 52 | 8 | zero |
//! | 60 | 4 | checksum of bytes 0..60 |
//!
//! Pages of 4,096 bytes follow: 4,092 bytes and their checksum. What they hold, one behind the
//! other, is: the directory, the offset of each record (4 bytes each), the filter, the buckets,
//! the keys, the lists. The directory:
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 4 | number of 64-byte blocks of the filter |
//! | 4 | 4 | number of buckets, as a power of two |
//! | 8 | 4 | keys |
//! | 12 | 4 | bytes of the lists |
//! | 16 | 8 | latest time at which an event was recorded |
//! | 24 | 16 | least event id |
//! | 40 | 16 | greatest event id |
//! | 56 | 16 | least command id |
//! | 72 | 16 | greatest command id |
//!
//! Every other part begins at a multiple of 4,092, so that nothing of one block of the filter
//! lies in another page than the rest.

use super::{HeaderError, Taker, VERSION, close_header, file_header};
use crate::index::Bounds;
use fait_core::event::Time;
use uuid::Uuid;

const MAGIC: &[u8; 8] = b"faitsidx";

/// Length of the header; the pages follow.
pub(crate) const INDEX_HEADER: usize = 64;
/// Length of a page with its checksum.
pub(crate) const PAGE_BYTES: usize = 4096;
/// What a page holds.
pub(crate) const PAGE_DATA: usize = PAGE_BYTES - 4;

/// What an index file says about itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct IndexHeader {
    pub(crate) number: u32,
    pub(crate) store: Uuid,
    pub(crate) generation: u32,
    pub(crate) events: u32,
    pub(crate) end: u32,
    pub(crate) last_frame: u32,
    pub(crate) last_crc: u32,
}

impl IndexHeader {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(INDEX_HEADER);
        out.extend(MAGIC);
        out.extend(VERSION.to_le_bytes());
        out.extend(self.number.to_le_bytes());
        out.extend(self.store.as_bytes());
        for field in [
            self.generation,
            self.events,
            self.end,
            self.last_frame,
            self.last_crc,
        ] {
            out.extend(field.to_le_bytes());
        }
        close_header(out)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<IndexHeader, HeaderError> {
        let (_, mut taker) = file_header(bytes, MAGIC)?;
        let fields = (|| {
            Some(IndexHeader {
                number: taker.u32()?,
                store: taker.uuid()?,
                generation: taker.u32()?,
                events: taker.u32()?,
                end: taker.u32()?,
                last_frame: taker.u32()?,
                last_crc: taker.u32()?,
            })
        })();
        fields.ok_or(HeaderError::Damaged("its header is cut short"))
    }
}

/// What stands where behind the header.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Directory {
    pub(crate) filter_blocks: u32,
    pub(crate) bucket_bits: u32,
    pub(crate) keys: u32,
    pub(crate) list_bytes: u32,
    pub(crate) last_time: Time,
    pub(crate) ids: Bounds,
    pub(crate) commands: Bounds,
}

impl Directory {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![];
        for field in [
            self.filter_blocks,
            self.bucket_bits,
            self.keys,
            self.list_bytes,
        ] {
            out.extend(field.to_le_bytes());
        }
        out.extend(self.last_time.0.to_le_bytes());
        for bounds in [self.ids, self.commands] {
            out.extend(bounds.least.as_bytes());
            out.extend(bounds.greatest.as_bytes());
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Directory> {
        let mut taker = Taker(bytes);
        let mut directory = Directory {
            filter_blocks: taker.u32()?,
            bucket_bits: taker.u32()?,
            keys: taker.u32()?,
            list_bytes: taker.u32()?,
            last_time: Time(taker.u64()?),
            ..Directory::default()
        };
        for bounds in [&mut directory.ids, &mut directory.commands] {
            (bounds.least, bounds.greatest) = (taker.uuid()?, taker.uuid()?);
        }
        (directory.bucket_bits < 32).then_some(directory)
    }
}

/// The data of a page, if its checksum fits.
pub(crate) fn check_page(page: &[u8]) -> Option<&[u8]> {
    let (data, crc) = page.split_last_chunk::<4>()?;
    let fits = data.len() == PAGE_DATA && crc32fast::hash(data) == u32::from_le_bytes(*crc);
    fits.then_some(data)
}
