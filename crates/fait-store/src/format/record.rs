//! Records: the events of a frame.
//!
//! Every record starts with
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 4 | length of the payload |
//! | 4 | 4 | checksum of the payload, exclusive-or the low 32 bits of the position |
//!
//! The payload of an event:
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 1 | kind 3 |
//! | 1 | 2 | flags: 1 occurred at, 2 command, 4 causation, 8 actor, 16 traceparent, 32 pairs, |
//! | | | 64 correlation, 128 first of an append with a command key, 256 that key is not the |
//! | | | command, 512 long version, 1024 long time |
//! | 3 | 1 | number of tags |
//! | 4 | 1 | length of the type |
//! | 5 | 1 | version of the data; 0 when it is long |
//! | 6 | 6 | recorded at, milliseconds since 1970; 0 when it is long |
//! | 12 | 16 | event id |
//! | 28 | … | type; each tag (length 1, text); then what the flags name, in their order: |
//! | | | time 8, command id 16, causation id 16, actor (length 2, text), traceparent |
//! | | | (length 2, text), pairs (number 2, each: lengths 2 and 2, texts), correlation id 16, |
//! | | | events of the append 4 and fingerprint 16, key 16, version 4, time 8; data to the end |
//!
//! The payload of what is left of an erased event is laid out alike: kind 4, no tags, the type if
//! it was kept, no data. When it was the first of an append with a command key, both its key and
//! the time of its receipt are there: flag 256 is set, and its long time is that of the receipt,
//! flag 2048 saying whether it may be shown.
//!
//! Format version 1 had other records, see `v1.rs`; they are still read.

use super::v1;
use super::{Taker, aligned};
use bytes::Bytes;
use fait_core::event::{Meta, NewEvent, Origin, Position, StoredEvent, Tag, Time};
use fait_core::store::{Appended, CommandKey, Durability, ERASED, Keep};
use std::collections::BTreeMap;
use uuid::Uuid;

pub(crate) use v1::command_before as v1_command_before;

/// Length of what stands before every payload.
pub(crate) const RECORD_HEAD: usize = 8;

const EVENT: u8 = 3;
const TOMB: u8 = 4;

pub(super) const OCCURRED_AT: u16 = 1;
pub(super) const BY_COMMAND: u16 = 2;
pub(super) const CAUSATION: u16 = 4;
pub(super) const ACTOR: u16 = 8;
pub(super) const TRACEPARENT: u16 = 16;
pub(super) const PAIRS: u16 = 32;
const CORRELATION: u16 = 64;
const KEYED: u16 = 128;
const KEY_DIFFERS: u16 = 256;
const LONG_VERSION: u16 = 512;
const LONG_TIME: u16 = 1024;
const TIME_SHOWN: u16 = 2048;

/// The first time that does not fit into six bytes.
const FIRST_LONG_TIME: u64 = 1 << 48;

/// A command's receipt as it is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct CommandRecord {
    pub(crate) key: CommandKey,
    pub(crate) receipt: Appended,
}

/// The key of an append, as its first event carries it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Key {
    pub(crate) key: CommandKey,
    /// Events of the append.
    pub(crate) events: u32,
    pub(crate) recorded_at: Time,
}

impl CommandRecord {
    /// The key as the first event of the append carries it.
    pub(crate) fn stored_key(&self) -> Key {
        Key {
            key: self.key,
            events: (self.receipt.last - self.receipt.first + 1) as u32,
            recorded_at: self.receipt.recorded_at,
        }
    }
}

impl Key {
    /// The receipt of the append whose first event stands at a position.
    pub(crate) fn receipt(&self, first: Position) -> CommandRecord {
        CommandRecord {
            key: self.key,
            receipt: Appended {
                first,
                last: first.saturating_add(Position::from(self.events.max(1)) - 1),
                recorded_at: self.recorded_at,
                repeated: false,
                durability: Durability::Sync,
            },
        }
    }
}

/// An event as it lies in a buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventView<'a> {
    pub(crate) position: Position,
    pub(crate) recorded_at: Time,
    pub(crate) id: Uuid,
    pub(super) name: &'a [u8],
    pub(crate) erased: bool,
    pub(super) version: u32,
    pub(super) tags: &'a [u8],
    pub(super) tag_count: u8,
    pub(super) flags: u16,
    /// What stands behind the tags.
    pub(super) rest: &'a [u8],
    /// Version 1 has the correlation before, and the length of the data.
    pub(super) v1: Option<(Uuid, usize)>,
}

/// One record of a frame.
#[derive(Debug)]
pub(crate) enum Record<'a> {
    Event(EventView<'a>),
    /// Only in version 1: the key of the append whose events follow.
    Command(CommandRecord),
}

/// Whether a payload is the one of a position, as its head says.
pub(crate) fn check(payload: &[u8], crc: u32, position: Position) -> bool {
    match payload.first() {
        Some(&kind) if v1::is(kind) => crc32fast::hash(payload) == crc,
        Some(_) => crc32fast::hash(payload) ^ position as u32 == crc,
        None => false,
    }
}

/// Goes through the body of a frame that is whole: offset in the body, length of the payload,
/// record.
pub(crate) struct Records<'a> {
    body: &'a [u8],
    at: usize,
    packed: bool,
    next: Position,
}

impl<'a> Records<'a> {
    pub(crate) fn of(body: &'a [u8], packed: bool, first: Position) -> Records<'a> {
        Records {
            body,
            at: 0,
            packed,
            next: first,
        }
    }

    fn take(&mut self) -> Option<(usize, u32, Record<'a>)> {
        let at = self.at;
        let rest = self.body.get(at..)?;
        let length = Taker(rest).u32()?;
        let end = RECORD_HEAD.checked_add(length as usize)?;
        let payload = rest.get(RECORD_HEAD..end)?;
        let record = match v1::command(payload) {
            Some(command) => Record::Command(command),
            None => {
                let event = EventView::decode(payload, self.next)?;
                self.next += 1;
                Record::Event(event)
            }
        };
        self.at += if self.packed { end } else { aligned(end) };
        Some((at, length, record))
    }
}

impl<'a> Iterator for Records<'a> {
    /// Nothing where the record cannot be read.
    type Item = Option<(usize, u32, Record<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        // What is shorter than a head fills the frame up.
        if self.at + RECORD_HEAD > self.body.len() {
            return None;
        }
        let taken = self.take();
        if taken.is_none() {
            self.at = self.body.len();
        }
        Some(taken)
    }
}

impl<'a> EventView<'a> {
    /// The event in a payload whose checksum was verified.
    pub(crate) fn decode(payload: &'a [u8], position: Position) -> Option<EventView<'a>> {
        let head = payload.first_chunk::<28>()?;
        let (kind, tag_count, type_length) = (head[0], head[3], usize::from(head[4]));
        if v1::is(kind) {
            return v1::event(payload).filter(|event| event.position == position);
        }
        if kind != EVENT && kind != TOMB {
            return None;
        }
        let [_, flag_low, flag_high, _, _, version, time @ ..] = *head;
        let (time, id) = time.split_first_chunk::<6>()?;
        let [a, b, c, d, e, f] = *time;
        let mut taker = Taker(&payload[28..]);
        let name = taker.bytes(type_length)?;
        let from_tags = taker.0;
        for _ in 0..tag_count {
            let length = taker.u8()?;
            taker.bytes(length.into())?;
        }
        let mut view = EventView {
            position,
            recorded_at: Time(u64::from_le_bytes([a, b, c, d, e, f, 0, 0])),
            id: Uuid::from_bytes(*id.first_chunk()?),
            name,
            erased: kind == TOMB,
            version: version.into(),
            tags: &from_tags[..from_tags.len() - taker.0.len()],
            tag_count,
            flags: u16::from_le_bytes([flag_low, flag_high]),
            rest: taker.0,
            v1: None,
        };
        if view.flags & (LONG_TIME | LONG_VERSION) != 0 {
            view.lengthen()?;
        }
        Some(view)
    }

    /// Takes a version and a time that did not fit from behind the rest.
    fn lengthen(&mut self) -> Option<()> {
        let (_, _, tail) = self.origin()?;
        if let Some(version) = tail.version {
            self.version = version;
        }
        if let Some(time) = tail.time
            && (!self.erased || self.flags & TIME_SHOWN != 0)
        {
            self.recorded_at = time;
        }
        Some(())
    }

    /// Whether it was written by format version 1.
    pub(crate) fn is_v1(&self) -> bool {
        self.v1.is_some()
    }

    /// The name of its type; of what is left of an event, the name that was kept, or nothing.
    pub(crate) fn ty(&self) -> &'a str {
        // Nobody appends another name: what is not text is not there.
        std::str::from_utf8(self.name).unwrap_or_default()
    }

    /// The tags, as they were given.
    pub(crate) fn tags(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let mut taker = Taker(self.tags);
        std::iter::from_fn(move || {
            let length = taker.u8()?;
            taker.text(length.into())
        })
    }

    /// The data, as it was given.
    pub(crate) fn data(&self) -> Option<&'a [u8]> {
        const PLAIN: u16 = KEYED | KEY_DIFFERS | LONG_VERSION | LONG_TIME | CORRELATION;
        match self.flags {
            0 if self.v1.is_none() => Some(self.rest),
            flags if self.v1.is_none() && flags & !(PLAIN | BY_COMMAND | CAUSATION) == 0 => {
                self.rest.get(fixed_length(flags)..)
            }
            _ => Some(self.origin()?.1),
        }
    }

    /// The version of the data.
    pub(crate) fn version(&self) -> u32 {
        self.version
    }

    /// Where it comes from, and its data.
    pub(crate) fn origin_and_data(&self) -> Option<(Origin, &'a [u8])> {
        let (origin, data, _) = self.origin()?;
        Some((origin, data))
    }

    /// The command key, when this is the first event of an append with one.
    pub(crate) fn key(&self) -> Option<Key> {
        if self.flags & KEYED == 0 || self.v1.is_some() {
            return None;
        }
        let (origin, _, tail) = self.origin()?;
        let (events, fingerprint) = tail.keyed?;
        let id = tail.key.or(origin.command)?;
        Some(Key {
            key: CommandKey { id, fingerprint },
            events,
            recorded_at: tail.time.unwrap_or(self.recorded_at),
        })
    }

    /// The whole event; its data shares the buffer that this is a view of.
    pub(crate) fn stored(&self, buffer: &Bytes) -> Option<StoredEvent> {
        if self.erased {
            return Some(self.what_is_left());
        }
        let (origin, data, _) = self.origin()?;
        let mut tags = Vec::with_capacity(self.tag_count.into());
        tags.extend(self.tags().map(Tag::raw));
        if tags.len() != usize::from(self.tag_count) {
            return None;
        }
        Some(StoredEvent {
            ty: self.ty().to_string(),
            version: self.version,
            tags,
            data: buffer.slice_ref(data),
            meta: Meta {
                position: self.position,
                id: self.id,
                recorded_at: self.recorded_at,
                origin,
            },
        })
    }

    /// The event as it was appended; its data is copied.
    pub(crate) fn to_new(self) -> Option<NewEvent> {
        let (origin, data, _) = self.origin()?;
        let tags: Vec<Tag> = self.tags().map(Tag::raw).collect();
        if tags.len() != usize::from(self.tag_count) {
            return None;
        }
        Some(NewEvent {
            id: self.id,
            ty: self.ty().to_string(),
            version: self.version,
            tags,
            data: Bytes::copy_from_slice(data),
            origin,
        })
    }

    /// The origin, the data, and what else the flags name.
    fn origin(&self) -> Option<(Origin, &'a [u8], Tail)> {
        if let Some((correlation, length)) = self.v1 {
            let mut taker = Taker(self.rest);
            let mut origin = common(&mut taker, self.flags)?;
            origin.correlation = correlation;
            let data = taker.bytes(length)?;
            return taker
                .0
                .is_empty()
                .then_some((origin, data, Tail::default()));
        }
        let mut taker = Taker(self.rest);
        let mut origin = common(&mut taker, self.flags)?;
        let has = |flag| self.flags & flag != 0;
        let mut tail = Tail::default();
        if has(CORRELATION) {
            origin.correlation = taker.uuid()?;
        }
        if has(KEYED) {
            tail.keyed = Some((taker.u32()?, taker.uuid()?));
        }
        if has(KEY_DIFFERS) {
            tail.key = Some(taker.uuid()?);
        }
        if has(LONG_VERSION) {
            tail.version = Some(taker.u32()?);
        }
        if has(LONG_TIME) {
            tail.time = Some(Time(taker.u64()?));
        }
        Some((origin, taker.0, tail))
    }

    fn what_is_left(&self) -> StoredEvent {
        let left = match self.ty() {
            "" => serde_json::json!({}),
            ty => serde_json::json!({ "type": ty }),
        };
        StoredEvent {
            ty: ERASED.into(),
            version: 1,
            tags: vec![],
            data: left.to_string().into(),
            meta: Meta {
                position: self.position,
                id: self.id,
                recorded_at: self.recorded_at,
                origin: Origin::default(),
            },
        }
    }
}

/// What few events have.
#[derive(Debug, Default)]
struct Tail {
    keyed: Option<(u32, Uuid)>,
    key: Option<Uuid>,
    version: Option<u32>,
    time: Option<Time>,
}

/// Length of what the flags name, when none of it is text.
fn fixed_length(flags: u16) -> usize {
    let lengths = [
        (BY_COMMAND, 16),
        (CAUSATION, 16),
        (CORRELATION, 16),
        (KEYED, 20),
        (KEY_DIFFERS, 16),
        (LONG_VERSION, 4),
        (LONG_TIME, 8),
    ];
    let named = lengths.iter().filter(|(flag, _)| flags & flag != 0);
    named.map(|(_, length)| length).sum()
}

/// What the flags of both versions name.
fn common(taker: &mut Taker<'_>, flags: u16) -> Option<Origin> {
    let has = |flag| flags & flag != 0;
    let mut origin = Origin::default();
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

/// At most so many bytes does the record of an event have.
pub(crate) fn packed_bound(event: &NewEvent) -> usize {
    let origin = &event.origin;
    let text = |t: &Option<String>| t.as_ref().map_or(0, |t| t.len() + 2);
    let pairs = origin.pairs.iter().map(|(k, v)| k.len() + v.len() + 4);
    let tags = event.tags.iter().map(|t| t.as_str().len() + 1);
    RECORD_HEAD
        + 28
        + event.ty.len()
        + tags.sum::<usize>()
        + text(&origin.actor)
        + text(&origin.traceparent)
        + pairs.sum::<usize>()
        + 2
        + fixed_length(u16::MAX)
        + 8
        + event.data.len()
}

/// Puts an event behind a frame's records. The limits of an append keep every length in its
/// field. Gives the offset of the record.
pub(crate) fn put_event(
    out: &mut Vec<u8>,
    event: &NewEvent,
    position: Position,
    recorded_at: Time,
    key: Option<(CommandKey, u32)>,
) -> usize {
    let origin = &event.origin;
    let flags = flags(event, recorded_at, key);
    record(out, position, |out| {
        let head = Head {
            kind: EVENT,
            flags,
            tags: event.tags.len() as u8,
            ty: &event.ty,
            version: if flags & LONG_VERSION != 0 {
                0
            } else {
                event.version as u8
            },
            recorded_at: if flags & LONG_TIME != 0 {
                Time(0)
            } else {
                recorded_at
            },
            id: event.id,
        };
        head.put(out);
        for tag in &event.tags {
            out.push(tag.as_str().len() as u8);
            out.extend_from_slice(tag.as_str().as_bytes());
        }
        put_origin(out, origin);
        if flags & CORRELATION != 0 {
            out.extend_from_slice(origin.correlation.as_bytes());
        }
        if let Some((key, events)) = key {
            out.extend_from_slice(&events.to_le_bytes());
            out.extend_from_slice(key.fingerprint.as_bytes());
            if flags & KEY_DIFFERS != 0 {
                out.extend_from_slice(key.id.as_bytes());
            }
        }
        if flags & LONG_VERSION != 0 {
            out.extend_from_slice(&event.version.to_le_bytes());
        }
        if flags & LONG_TIME != 0 {
            out.extend_from_slice(&recorded_at.0.to_le_bytes());
        }
        out.extend_from_slice(&event.data);
    })
}

/// Puts what is left of an event behind a frame's records. Gives the offset of the record.
pub(crate) fn put_erased(
    out: &mut Vec<u8>,
    event: &EventView<'_>,
    keep: Keep,
    key: Option<Key>,
) -> usize {
    let left = Left {
        position: event.position,
        id: event.id,
        ty: if keep.types { event.ty() } else { "" },
        recorded_at: if keep.times {
            event.recorded_at
        } else {
            Time(0)
        },
        key,
    };
    put_left(out, &left)
}

/// What is left of an erased event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Left<'a> {
    pub(crate) position: Position,
    pub(crate) id: Uuid,
    /// Empty when it was not kept.
    pub(crate) ty: &'a str,
    /// 0 when it was not kept.
    pub(crate) recorded_at: Time,
    pub(crate) key: Option<Key>,
}

/// The same, put together by the caller.
pub(crate) fn put_left(out: &mut Vec<u8>, left: &Left<'_>) -> usize {
    let mut flags = 0;
    if left.recorded_at.0 > 0 {
        flags |= LONG_TIME | TIME_SHOWN;
    }
    if left.key.is_some() {
        flags |= KEYED | KEY_DIFFERS | LONG_TIME;
    }
    record(out, left.position, |out| {
        let head = Head {
            kind: TOMB,
            flags,
            tags: 0,
            ty: left.ty,
            version: 0,
            recorded_at: Time(0),
            id: left.id,
        };
        head.put(out);
        if let Some(key) = left.key {
            out.extend_from_slice(&key.events.to_le_bytes());
            out.extend_from_slice(key.key.fingerprint.as_bytes());
            out.extend_from_slice(key.key.id.as_bytes());
        }
        if flags & LONG_TIME != 0 {
            let time = left.key.map_or(left.recorded_at, |key| key.recorded_at);
            out.extend_from_slice(&time.0.to_le_bytes());
        }
    })
}

/// What stands at the front of a payload.
struct Head<'a> {
    kind: u8,
    flags: u16,
    tags: u8,
    ty: &'a str,
    version: u8,
    recorded_at: Time,
    id: Uuid,
}

impl Head<'_> {
    fn put(&self, out: &mut Vec<u8>) {
        let [low, high] = self.flags.to_le_bytes();
        out.extend_from_slice(&[
            self.kind,
            low,
            high,
            self.tags,
            self.ty.len() as u8,
            self.version,
        ]);
        out.extend_from_slice(&self.recorded_at.0.to_le_bytes()[..6]);
        out.extend_from_slice(self.id.as_bytes());
        out.extend_from_slice(self.ty.as_bytes());
    }
}

fn record(out: &mut Vec<u8>, position: Position, payload: impl FnOnce(&mut Vec<u8>)) -> usize {
    let at = out.len();
    out.extend_from_slice(&[0; RECORD_HEAD]);
    payload(out);
    let from = at + RECORD_HEAD;
    let length = (out.len() - from) as u32;
    let crc = crc32fast::hash(&out[from..]) ^ position as u32;
    out[at..at + 4].copy_from_slice(&length.to_le_bytes());
    out[at + 4..from].copy_from_slice(&crc.to_le_bytes());
    at
}

fn flags(event: &NewEvent, recorded_at: Time, key: Option<(CommandKey, u32)>) -> u16 {
    let origin = &event.origin;
    let flag = |there: bool, flag: u16| if there { flag } else { 0 };
    flag(origin.occurred_at.is_some(), OCCURRED_AT)
        | flag(origin.command.is_some(), BY_COMMAND)
        | flag(origin.causation.is_some(), CAUSATION)
        | flag(origin.actor.is_some(), ACTOR)
        | flag(origin.traceparent.is_some(), TRACEPARENT)
        | flag(!origin.pairs.is_empty(), PAIRS)
        | flag(!origin.correlation.is_nil(), CORRELATION)
        | flag(key.is_some(), KEYED)
        | flag(
            key.is_some_and(|(key, _)| Some(key.id) != origin.command),
            KEY_DIFFERS,
        )
        | flag(event.version > 255, LONG_VERSION)
        | flag(recorded_at.0 >= FIRST_LONG_TIME, LONG_TIME)
}

fn put_origin(out: &mut Vec<u8>, origin: &Origin) {
    if let Some(time) = origin.occurred_at {
        out.extend_from_slice(&time.0.to_le_bytes());
    }
    for id in origin.command.iter().chain(&origin.causation) {
        out.extend_from_slice(id.as_bytes());
    }
    for text in origin.actor.iter().chain(&origin.traceparent) {
        out.extend_from_slice(&(text.len() as u16).to_le_bytes());
        out.extend_from_slice(text.as_bytes());
    }
    if origin.pairs.is_empty() {
        return;
    }
    out.extend_from_slice(&(origin.pairs.len() as u16).to_le_bytes());
    for (key, value) in &origin.pairs {
        out.extend_from_slice(&(key.len() as u16).to_le_bytes());
        out.extend_from_slice(&(value.len() as u16).to_le_bytes());
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(value.as_bytes());
    }
}
