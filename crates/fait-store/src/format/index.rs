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
//! other and each beginning with a page, is: the directory, the offsets, the wide offsets, the
//! filter, the starts of the buckets, the buckets, the lists. The directory:
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 4 | number of 64-byte blocks of the filter |
//! | 4 | 4 | number of buckets, as a power of two |
//! | 8 | 4 | wide groups of offsets |
//! | 12 | 4 | bytes of the buckets |
//! | 16 | 4 | bytes of the lists |
//! | 20 | 4 | zero |
//! | 24 | 8 | latest time at which an event was recorded |
//! | 32 | 16 | least event id |
//! | 48 | 16 | greatest event id |
//! | 64 | 16 | least command id |
//! | 80 | 16 | greatest command id |
//!
//! Offsets stand in groups of 32 events, 60 groups in a page: the offset of the first record (4),
//! then how far each is behind it (2 each). Where that is too far, the highest bit is set and the
//! rest is the number of a wide group, which has 32 offsets of 4 bytes.
//!
//! A key is a 64-bit hash (XXH3) of a type, tag, event id or command id, seeded with 1, 2, 3 or 4.
//! Its highest bits name its bucket, its lowest 24 it in there. The place of a key is both
//! together, the bucket's number above the 24 bits.
//!
//! The filter has 63 blocks of 64 bytes in a page. A place sets six bits of one block: with
//! `m = place * 0x9e3779b97f4a7c15`, folded by `m ^= m >> 32`, the block is the low half of `m`
//! times the number of blocks, shifted right by 32; the bits are the highest nine bits of
//! `m * 0xd6e8feb86659fd93`, then the next nine, and so on.
//!
//! The starts are one number of 4 bytes for each bucket, and one for the end. In a bucket stand
//! its keys in order: the 24 bits (3), then a number: odd, it is twice the only event's ordinal and
//! one; even, it is twice the number of events. Up to 128, the ordinals follow as differences;
//! beyond, the place of their list. A list has blocks of 128 ordinals: first a table with the
//! first ordinal (4) of each block and the place of the others behind the table (4), then, block by
//! block, the differences. Numbers whose length is not given take seven bits a byte, the lowest
//! first, and the highest bit says that more follows.

use super::{HeaderError, Taker, VERSION, close_header, file_header};
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

/// The least and the greatest of some ids. Ids that carry the time at their front come in
/// order, so that most stretches need not be asked for a new one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) least: Uuid,
    pub(crate) greatest: Uuid,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            least: Uuid::max(),
            greatest: Uuid::nil(),
        }
    }
}

impl Bounds {
    pub(crate) fn add(&mut self, id: Uuid) {
        self.least = self.least.min(id);
        self.greatest = self.greatest.max(id);
    }

    pub(crate) fn may_have(&self, id: Uuid) -> bool {
        self.least <= id && id <= self.greatest
    }
}

/// What stands where behind the header.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Directory {
    pub(crate) filter_blocks: u32,
    pub(crate) bucket_bits: u32,
    pub(crate) wide_groups: u32,
    pub(crate) bucket_bytes: u32,
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
            self.wide_groups,
            self.bucket_bytes,
            self.list_bytes,
            0,
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
            wide_groups: taker.u32()?,
            bucket_bytes: taker.u32()?,
            list_bytes: taker.u32()?,
            last_time: {
                taker.u32()?;
                Time(taker.u64()?)
            },
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
