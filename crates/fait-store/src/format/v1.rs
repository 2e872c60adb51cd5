//! The records of format version 1, which are read and no longer written. Each starts at a
//! multiple of 8, with length and checksum of the payload, and is padded with zeros.
//!
//! The payload of an event:
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 1 | kind 1 |
//! | 1 | 1 | flags, as today's lowest eight |
//! | 2 | 1 | number of tags |
//! | 3 | 1 | length of the type |
//! | 4 | 4 | version of the data |
//! | 8 | 8 | position |
//! | 16 | 8 | recorded at |
//! | 24 | 16 | event id |
//! | 40 | 16 | correlation id |
//! | 56 | 4 | length of the data |
//! | 60 | … | type; tags; what the flags name; data |
//!
//! The payload of a command, which stands right before the events of its append:
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 1 | kind 2 |
//! | 1 | 3 | zero |
//! | 4 | 4 | number of events of the append |
//! | 8 | 8 | position of the first |
//! | 16 | 8 | recorded at |
//! | 24 | 16 | command id |
//! | 40 | 16 | fingerprint |

use super::Taker;
use super::record::{CommandRecord, EventView, Key, RECORD_HEAD};
use fait_core::event::Time;
use fait_core::store::CommandKey;

const EVENT: u8 = 1;
const COMMAND: u8 = 2;
/// Length of a command's payload.
const COMMAND_BYTES: usize = 56;

/// Whether a payload of this kind is of version 1.
pub(super) fn is(kind: u8) -> bool {
    kind == EVENT || kind == COMMAND
}

pub(super) fn command(payload: &[u8]) -> Option<CommandRecord> {
    let mut taker = Taker(payload);
    if taker.u8()? != COMMAND {
        return None;
    }
    taker.bytes(3)?;
    let events = taker.u32()?;
    let first = taker.u64()?;
    let recorded_at = Time(taker.u64()?);
    let key = CommandKey {
        id: taker.uuid()?,
        fingerprint: taker.uuid()?,
    };
    let key = Key {
        key,
        events,
        recorded_at,
    };
    (events > 0).then(|| key.receipt(first))
}

/// The command whose record ends where an event's record starts, in a buffer that ends there.
pub(crate) fn command_before(buffer: &[u8]) -> Option<CommandRecord> {
    let record = buffer.last_chunk::<{ RECORD_HEAD + COMMAND_BYTES }>()?;
    let mut head = Taker(record);
    let (length, crc) = (head.u32()?, head.u32()?);
    let payload = &record[RECORD_HEAD..];
    let whole = length as usize == COMMAND_BYTES && crc32fast::hash(payload) == crc;
    whole.then(|| command(payload))?
}

pub(super) fn event(payload: &[u8]) -> Option<EventView<'_>> {
    let mut taker = Taker(payload);
    if taker.u8()? != EVENT {
        return None;
    }
    let (flags, tag_count) = (taker.u8()?, taker.u8()?);
    let type_length = usize::from(taker.u8()?);
    let version = taker.u32()?;
    let (position, recorded_at) = (taker.u64()?, Time(taker.u64()?));
    let (id, correlation) = (taker.uuid()?, taker.uuid()?);
    let data_length = taker.u32()? as usize;
    let name = taker.bytes(type_length)?;
    let from_tags = taker.0;
    for _ in 0..tag_count {
        let length = taker.u8()?;
        taker.bytes(length.into())?;
    }
    Some(EventView {
        position,
        recorded_at,
        id,
        name,
        erased: false,
        version,
        tags: &from_tags[..from_tags.len() - taker.0.len()],
        tag_count,
        flags: flags.into(),
        rest: taker.0,
        v1: Some((correlation, data_length)),
    })
}
