//! A frame: one group of appends that became durable together.
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 4 | magic `fram` |
//! | 4 | 4 | length of the body in bytes, a multiple of 8 |
//! | 8 | 8 | position of the first event in it (of the next event, when there is none) |
//! | 16 | 8 | last position that was durable when this was written |
//! | 24 | 4 | number of events |
//! | 28 | 4 | header checksum of the frame before; 0 for the first of the store |
//! | 32 | 8 | salt: a random number of this opening |
//! | 40 | 4 | segment number |
//! | 44 | 4 | offset of this frame in the segment |
//! | 48 | 4 | checksum of the body |
//! | 52 | 4 | flags: 1 records stand side by side; without it, each at a multiple of 8 |
//! | 56 | 4 | zero |
//! | 60 | 4 | header checksum, of bytes 0..60 |
//! | 64 | … | body: records, and zeros up to a multiple of 8 |
//!
//! A frame without events is a *seal*: it proves that everything before it was durable.

use super::Taker;
use crate::flaw::{Flaw, flaw};
use fait_core::event::Position;

/// The first bytes of a frame.
pub(crate) const FRAME_MAGIC: &[u8; 4] = b"fram";

/// Length of the header; the body follows.
pub(crate) const FRAME_HEADER: usize = 64;

/// What a frame says about itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FrameHeader {
    pub(crate) body: u32,
    pub(crate) first: Position,
    pub(crate) durable: Position,
    pub(crate) events: u32,
    pub(crate) chain: u32,
    pub(crate) salt: u64,
    pub(crate) segment: u32,
    pub(crate) offset: u32,
    pub(crate) body_crc: u32,
    /// Whether its records stand side by side.
    pub(crate) packed: bool,
    /// The header checksum; the next frame's chain.
    pub(crate) crc: u32,
}

impl FrameHeader {
    /// The header's bytes; its checksum is computed and set.
    pub(crate) fn encode(&mut self) -> [u8; FRAME_HEADER] {
        let mut out = [0; FRAME_HEADER];
        let mut at = 0;
        let mut put = |bytes: &[u8]| {
            out[at..at + bytes.len()].copy_from_slice(bytes);
            at += bytes.len();
        };
        put(FRAME_MAGIC);
        put(&self.body.to_le_bytes());
        put(&self.first.to_le_bytes());
        put(&self.durable.to_le_bytes());
        put(&self.events.to_le_bytes());
        put(&self.chain.to_le_bytes());
        put(&self.salt.to_le_bytes());
        put(&self.segment.to_le_bytes());
        put(&self.offset.to_le_bytes());
        put(&self.body_crc.to_le_bytes());
        put(&u32::from(self.packed).to_le_bytes());
        self.crc = crc32fast::hash(&out[..60]);
        out[60..].copy_from_slice(&self.crc.to_le_bytes());
        out
    }

    /// The header at the front of some bytes; nothing when magic or checksum do not fit.
    pub(crate) fn decode(bytes: &[u8]) -> Option<FrameHeader> {
        let bytes = bytes.first_chunk::<FRAME_HEADER>()?;
        let mut taker = Taker(bytes);
        if taker.array::<4>()? != *FRAME_MAGIC {
            return None;
        }
        let header = FrameHeader {
            body: taker.u32()?,
            first: taker.u64()?,
            durable: taker.u64()?,
            events: taker.u32()?,
            chain: taker.u32()?,
            salt: taker.u64()?,
            segment: taker.u32()?,
            offset: taker.u32()?,
            body_crc: taker.u32()?,
            packed: taker.u32()? & 1 == 1,
            crc: {
                taker.u32()?;
                taker.u32()?
            },
        };
        (crc32fast::hash(&bytes[..60]) == header.crc).then_some(header)
    }
}

/// The body behind a header, when it is whole.
pub(crate) fn check_body<'a>(header: &FrameHeader, behind: &'a [u8]) -> Option<&'a [u8]> {
    let body = behind.get(..header.body as usize)?;
    let sound = crc32fast::hash(body) == header.body_crc || flaw(Flaw::Checksum);
    sound.then_some(body)
}
