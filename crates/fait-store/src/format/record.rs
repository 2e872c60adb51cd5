//! Records: the events of a frame, and the commands that some of them answer.
//!
//! Every record starts at a multiple of 8 with
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 4 | length of the payload |
//! | 4 | 4 | checksum of the payload |
//!
//! and is padded with zeros. The payload of an event:
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 1 | kind 1 |
//! | 1 | 1 | flags: 1 occurred at, 2 command, 4 causation, 8 actor, 16 traceparent, 32 pairs |
//! | 2 | 1 | number of tags |
//! | 3 | 1 | length of the type |
//! | 4 | 4 | version of the data |
//! | 8 | 8 | position |
//! | 16 | 8 | recorded at, milliseconds since 1970 |
//! | 24 | 16 | event id |
//! | 40 | 16 | correlation id |
//! | 56 | 4 | length of the data |
//! | 60 | … | type; each tag (length 1, text); then what the flags name, in their order: |
//! | | | time 8, command id 16, causation id 16, actor (length 2, text), |
//! | | | traceparent (length 2, text), pairs (number 2, each: lengths 2 and 2, texts); data |
//!
//! The payload of a command, which stands before the events of its append:
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 1 | kind 2 |
//! | 1 | 3 | zero |
//! | 4 | 4 | number of events of the append |
//! | 8 | 8 | position of the first |
//! | 16 | 8 | recorded at, milliseconds since 1970 |
//! | 24 | 16 | command id |
//! | 40 | 16 | fingerprint |

use super::{Taker, aligned};
use bytes::Bytes;
use fait_core::event::{Meta, NewEvent, Origin, Position, StoredEvent, Tag, Time};
use fait_core::store::{Appended, CommandKey, Durability};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Length of what stands before every payload.
pub(crate) const RECORD_HEAD: usize = 8;

const EVENT: u8 = 1;
const COMMAND: u8 = 2;

const OCCURRED_AT: u8 = 1;
const BY_COMMAND: u8 = 2;
const CAUSATION: u8 = 4;
const ACTOR: u8 = 8;
const TRACEPARENT: u8 = 16;
const PAIRS: u8 = 32;

/// What stands before a payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordHead {
    pub(crate) length: u32,
    pub(crate) crc: u32,
}

impl RecordHead {
    pub(crate) fn decode(bytes: &[u8]) -> Option<RecordHead> {
        let mut taker = Taker(bytes);
        Some(RecordHead {
            length: taker.u32()?,
            crc: taker.u32()?,
        })
    }
}

/// A command's receipt as it is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct CommandRecord {
    pub(crate) key: CommandKey,
    pub(crate) receipt: Appended,
}

/// An event as it lies in a buffer, with the part that the index needs taken apart.
#[derive(Debug)]
pub(crate) struct EventView<'a> {
    pub(crate) position: Position,
    pub(crate) recorded_at: Time,
    pub(crate) id: Uuid,
    pub(crate) ty: &'a str,
    tags: &'a [u8],
    tag_count: u8,
    version: u32,
    correlation: Uuid,
    flags: u8,
    data_length: usize,
    rest: &'a [u8],
}

/// One record of a frame.
#[derive(Debug)]
pub(crate) enum Record<'a> {
    Event(EventView<'a>),
    Command(CommandRecord),
}

/// Goes through the body of a frame: offset in the body, length of the payload, record.
pub(crate) struct Records<'a> {
    body: &'a [u8],
    at: usize,
}

impl<'a> Records<'a> {
    pub(crate) fn of(body: &'a [u8]) -> Records<'a> {
        Records { body, at: 0 }
    }

    fn take(&mut self) -> Option<(usize, u32, Record<'a>)> {
        let at = self.at;
        let rest = self.body.get(at..)?;
        let head = RecordHead::decode(rest)?;
        let end = RECORD_HEAD.checked_add(head.length as usize)?;
        let payload = rest.get(RECORD_HEAD..end)?;
        let record = match *payload.first()? {
            EVENT => Record::Event(EventView::decode(payload)?),
            COMMAND => Record::Command(CommandRecord::decode(payload)?),
            _ => return None,
        };
        self.at += aligned(end);
        Some((at, head.length, record))
    }
}

impl<'a> Iterator for Records<'a> {
    /// Nothing where the record cannot be read.
    type Item = Option<(usize, u32, Record<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.body.len() {
            return None;
        }
        let taken = self.take();
        if taken.is_none() {
            self.at = self.body.len();
        }
        Some(taken)
    }
}

impl CommandRecord {
    fn decode(payload: &[u8]) -> Option<CommandRecord> {
        let mut taker = Taker(payload);
        taker.u32()?;
        let count = u64::from(taker.u32()?);
        let first = taker.u64()?;
        let recorded_at = Time(taker.u64()?);
        let key = CommandKey {
            id: taker.uuid()?,
            fingerprint: taker.uuid()?,
        };
        let last = first.checked_add(count.checked_sub(1)?)?;
        Some(CommandRecord {
            key,
            receipt: Appended {
                first,
                last,
                recorded_at,
                repeated: false,
                durability: Durability::Sync,
            },
        })
    }
}

impl<'a> EventView<'a> {
    /// The event in a payload whose checksum was verified.
    pub(crate) fn decode(payload: &'a [u8]) -> Option<EventView<'a>> {
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
        let ty = taker.text(type_length)?;
        let from_tags = taker.0;
        for _ in 0..tag_count {
            let length = taker.u8()?;
            taker.text(length.into())?;
        }
        let tags = &from_tags[..from_tags.len() - taker.0.len()];
        let rest = taker.0;
        Some(EventView {
            position,
            recorded_at,
            id,
            ty,
            tags,
            tag_count,
            version,
            correlation,
            flags,
            data_length,
            rest,
        })
    }

    /// The tags, as they were given.
    pub(crate) fn tags(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let mut taker = Taker(self.tags);
        std::iter::from_fn(move || {
            let length = taker.u8()?;
            taker.text(length.into())
        })
    }

    /// The whole event; its data shares the buffer that this is a view of.
    pub(crate) fn stored(&self, buffer: &Bytes) -> Option<StoredEvent> {
        let mut taker = Taker(self.rest);
        let origin = self.origin(&mut taker)?;
        let data = buffer.slice_ref(taker.bytes(self.data_length)?);
        if !taker.0.is_empty() {
            return None;
        }
        let mut tags = Vec::with_capacity(self.tag_count.into());
        tags.extend(self.tags().map(Tag::raw));
        Some(StoredEvent {
            ty: self.ty.to_string(),
            version: self.version,
            tags,
            data,
            meta: Meta {
                position: self.position,
                id: self.id,
                recorded_at: self.recorded_at,
                origin,
            },
        })
    }

    fn origin(&self, taker: &mut Taker<'_>) -> Option<Origin> {
        let has = |flag| self.flags & flag != 0;
        let mut origin = Origin {
            correlation: self.correlation,
            ..Origin::default()
        };
        if has(OCCURRED_AT) {
            origin.occurred_at = Some(Time(taker.u64()?));
        }
        if has(BY_COMMAND) {
            origin.command = Some(taker.uuid()?);
        }
        if has(CAUSATION) {
            origin.causation = Some(taker.uuid()?);
        }
        if has(ACTOR) {
            origin.actor = Some(long_text(taker)?);
        }
        if has(TRACEPARENT) {
            origin.traceparent = Some(long_text(taker)?);
        }
        if has(PAIRS) {
            origin.pairs = pairs(taker)?;
        }
        Some(origin)
    }
}

fn long_text(taker: &mut Taker<'_>) -> Option<String> {
    let length = taker.u16()?;
    Some(taker.text(length.into())?.to_string())
}

fn pairs(taker: &mut Taker<'_>) -> Option<BTreeMap<String, String>> {
    let count = taker.u16()?;
    (0..count)
        .map(|_| {
            let (key, value) = (taker.u16()?, taker.u16()?);
            let key = taker.text(key.into())?.to_string();
            Some((key, taker.text(value.into())?.to_string()))
        })
        .collect()
}

/// Puts an event behind a frame's records. The limits of an append keep every length in its
/// field. Gives the offset of the record and the length of its payload.
pub(crate) fn put_event(
    out: &mut Vec<u8>,
    event: &NewEvent,
    position: Position,
    recorded_at: Time,
) -> (usize, u32) {
    record(out, |out| {
        let origin = &event.origin;
        let tag_count = event.tags.len() as u8;
        out.extend([EVENT, flags(origin), tag_count, event.ty.len() as u8]);
        out.extend(event.version.to_le_bytes());
        out.extend(position.to_le_bytes());
        out.extend(recorded_at.0.to_le_bytes());
        out.extend(event.id.as_bytes());
        out.extend(origin.correlation.as_bytes());
        out.extend((event.data.len() as u32).to_le_bytes());
        out.extend(event.ty.as_bytes());
        for tag in &event.tags {
            out.push(tag.as_str().len() as u8);
            out.extend(tag.as_str().as_bytes());
        }
        put_origin(out, origin);
        out.extend(&event.data);
    })
}

/// Puts a command's receipt behind a frame's records.
pub(crate) fn put_command(out: &mut Vec<u8>, command: &CommandRecord) {
    let CommandRecord { key, receipt } = command;
    record(out, |out| {
        out.extend([COMMAND, 0, 0, 0]);
        out.extend(((receipt.last - receipt.first + 1) as u32).to_le_bytes());
        out.extend(receipt.first.to_le_bytes());
        out.extend(receipt.recorded_at.0.to_le_bytes());
        out.extend(key.id.as_bytes());
        out.extend(key.fingerprint.as_bytes());
    });
}

fn record(out: &mut Vec<u8>, payload: impl FnOnce(&mut Vec<u8>)) -> (usize, u32) {
    let at = out.len();
    out.extend([0; RECORD_HEAD]);
    payload(out);
    let from = at + RECORD_HEAD;
    let length = (out.len() - from) as u32;
    let crc = crc32fast::hash(&out[from..]);
    out[at..at + 4].copy_from_slice(&length.to_le_bytes());
    out[at + 4..from].copy_from_slice(&crc.to_le_bytes());
    out.resize(aligned(out.len()), 0);
    (at, length)
}

fn flags(origin: &Origin) -> u8 {
    let flag = |there: bool, flag: u8| if there { flag } else { 0 };
    flag(origin.occurred_at.is_some(), OCCURRED_AT)
        | flag(origin.command.is_some(), BY_COMMAND)
        | flag(origin.causation.is_some(), CAUSATION)
        | flag(origin.actor.is_some(), ACTOR)
        | flag(origin.traceparent.is_some(), TRACEPARENT)
        | flag(!origin.pairs.is_empty(), PAIRS)
}

fn put_origin(out: &mut Vec<u8>, origin: &Origin) {
    if let Some(time) = origin.occurred_at {
        out.extend(time.0.to_le_bytes());
    }
    for id in origin.command.iter().chain(&origin.causation) {
        out.extend(id.as_bytes());
    }
    for text in origin.actor.iter().chain(&origin.traceparent) {
        out.extend((text.len() as u16).to_le_bytes());
        out.extend(text.as_bytes());
    }
    if origin.pairs.is_empty() {
        return;
    }
    out.extend((origin.pairs.len() as u16).to_le_bytes());
    for (key, value) in &origin.pairs {
        out.extend((key.len() as u16).to_le_bytes());
        out.extend((value.len() as u16).to_le_bytes());
        out.extend(key.as_bytes());
        out.extend(value.as_bytes());
    }
}
