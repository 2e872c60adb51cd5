//! The decoders of single structures, with what must hold of whatever they accept.

use crate::file::LogFile;
use crate::format::{
    EventView, FrameHeader, IndexHeader, Meta, Pending, Record, Records, SEGMENT_HEADER,
    SegmentHeader, check, put_event, v1_command_before,
};
use crate::index::{List, Part, Search, Window};
use crate::key;
use crate::pages::Source;
use crate::walk::{Failed, Walk};
use bytes::Bytes;
use fait_core::query::Query;
use std::io;
use uuid::Uuid;

/// Bytes as a file that cannot be changed.
struct Still<'a>(&'a [u8]);

impl LogFile for Still<'_> {
    fn size(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let found = self.0.get(from..).and_then(|b| b.get(..buffer.len()));
        buffer.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn cut(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A header that is read says the same when it is written again.
pub(super) fn headers(bytes: &[u8]) {
    if let Ok(header) = SegmentHeader::decode(bytes) {
        assert_eq!(SegmentHeader::decode(&header.encode()), Ok(header));
    }
    if let Ok(header) = IndexHeader::decode(bytes) {
        assert_eq!(IndexHeader::decode(&header.encode()), Ok(header));
    }
    if let Ok(meta) = Meta::decode(bytes) {
        assert_eq!(Meta::decode(&meta.encode()), Ok(meta));
    }
    if let Some(mut header) = FrameHeader::decode(bytes) {
        let again = header.encode();
        assert_eq!(FrameHeader::decode(&again), Some(header));
    }
    SegmentHeader::is_unfinished(bytes);
}

/// A walk comes to an end, counts what it shows, and shows what can be read.
pub(super) fn frames(bytes: &[u8]) {
    let file = Still(bytes);
    let (chain, next) = match SegmentHeader::decode(bytes) {
        Ok(header) => (header.chain, header.first.min(1 << 40)),
        Err(_) => (0, 1),
    };
    let size = bytes.len() as u64;
    if size < SEGMENT_HEADER as u64 {
        return;
    }
    let mut walk = Walk::begin(&file, size, 1, chain, next);
    let mut shown = 0;
    let failed = loop {
        let frame = walk.frame(|found| {
            assert_eq!(found.event.position, next + shown);
            shown += 1;
            look_at(&found.event);
            if let Some(command) = found.command {
                command.stored_key();
            }
        });
        match frame {
            Ok(_) => assert_eq!(walk.next, next + shown),
            Err(failed) => break failed,
        }
        assert!(walk.at <= size);
    };
    assert!(!matches!(failed, Failed::Io(_)), "{failed:?}");
    assert!(walk.last_written().is_ok_and(|end| end <= size));
    assert!(walk.frame_follows().is_ok());
}

/// A record that can be read can be written again, and then says the same.
pub(super) fn record(bytes: &[u8]) {
    let Some((position, payload)) = bytes.split_first_chunk::<8>() else {
        return;
    };
    // More events than this have no room on any disk.
    let position = u64::from_le_bytes(*position) & ((1 << 48) - 1);
    check(payload, 7, position);
    v1_command_before(payload);
    if let Some(event) = EventView::decode(payload, position) {
        look_at(&event);
        again(&event, payload);
    }
    for packed in [true, false] {
        let mut end = 0;
        for (offset, length, record) in Records::of(payload, packed, position).flatten() {
            assert!(offset >= end && offset + length as usize <= payload.len());
            end = offset + length as usize;
            match record {
                Record::Event(event) => look_at(&event),
                Record::Command(command) => drop(command.stored_key()),
            }
        }
    }
}

fn look_at(event: &EventView<'_>) {
    event.tags().for_each(drop);
    event.is_v1();
    event.data();
    if let Some(key) = event.key() {
        assert!(key.receipt(event.position).receipt.first == event.position);
    }
    event.to_new();
}

/// Writes an event again and compares.
fn again(event: &EventView<'_>, payload: &[u8]) {
    let buffer = Bytes::copy_from_slice(payload);
    let Some(own) = EventView::decode(&buffer, event.position) else {
        panic!("it can be read once, and not twice");
    };
    let Some(stored) = own.stored(&buffer).filter(|_| !event.erased) else {
        return;
    };
    let Some(new) = event.to_new() else {
        panic!("it can be read, and not written again");
    };
    assert_eq!(event.data(), Some(&stored.data[..]));
    let key = event.key().map(|key| (key.key, key.events));
    let mut written = vec![];
    put_event(&mut written, &new, event.position, event.recorded_at, key);
    let written = Bytes::from(written);
    let mut records = Records::of(&written, true, event.position);
    let Some(Some((0, _, Record::Event(second)))) = records.next() else {
        panic!("what was written cannot be read");
    };
    assert_eq!(second.stored(&written), Some(stored));
    assert_eq!(second.key().map(|key| (key.key, key.events)), key);
}

/// Whatever an index says, its lists ascend, and stay within what was asked for.
pub(super) fn index(bytes: &[u8]) {
    let Ok(header) = IndexHeader::decode(bytes) else {
        return;
    };
    let source = Source::Memory(Bytes::copy_from_slice(bytes));
    let Ok(part) = Part::open(source, header) else {
        return;
    };
    // As opening a store does: an index of another length is none.
    if part.page_bytes() + 64 != bytes.len() as u64 {
        return;
    }
    for page in 0..part.page_count() {
        let whole = part.page(page);
        assert!(whole.is_ok(), "{whole:?}");
    }
    let events = part.header.events;
    let mut offsets = vec![];
    assert!(part.offsets(0, events, &mut None, &mut offsets).is_ok());
    assert_eq!(offsets.len(), events as usize);
    let Some(high) = events.checked_sub(1) else {
        return;
    };
    for key in keys() {
        for (low, high) in [(0, high), (high / 3, high / 2)] {
            // A damaged list is an error.
            if let Ok(Some(list)) = part.list(key, low, high) {
                forwards(list, low, high);
            }
            if let Ok(Some(list)) = part.list(key, low, high) {
                backwards(list, low, high);
            }
        }
    }
    search(&part, high);
}

/// Names that the seeds have, and some that they have not.
fn keys() -> impl Iterator<Item = key::Key> {
    let types = ["Opened", "Seated", "$Erased", "None"].map(key::of_type);
    let tags = ["table:1", "order:7", "order:8", "none:1"].map(key::of_tag);
    let ids = (0..40).map(Uuid::from_u128);
    let ids = ids.flat_map(|id| [key::of_event(id), key::of_command(id)]);
    types.into_iter().chain(tags).chain(ids)
}

fn forwards(mut list: List, low: u32, high: u32) {
    list.length();
    let mut at = low;
    while let Ok(Some(found)) = list.seek(at, false) {
        assert!(at <= found && found <= high);
        match found.checked_add(1) {
            Some(next) => at = next,
            None => return,
        }
    }
}

fn backwards(mut list: List, low: u32, high: u32) {
    let mut at = high;
    while let Ok(Some(found)) = list.seek(at, true) {
        assert!(low <= found && found <= at);
        match found.checked_sub(1) {
            Some(next) => at = next,
            None => return,
        }
    }
}

/// Searches for several lists at once come to an end.
fn search(part: &Part, high: u32) {
    let tags = ["table:1", "order:7"].map(fait_core::event::Tag::raw);
    let both = Query::tags(tags.to_vec());
    for query in [both, Query::types(&["Opened", "Seated"]), Query::all()] {
        for backwards in [false, true] {
            let window = Window {
                low: 0,
                high,
                backwards,
            };
            let begun = Search::begin(&query, window, |key| part.list(key, 0, high));
            let Ok(mut search) = begun else { continue };
            let mut last = None;
            while let Ok(Some(found)) = search.next() {
                assert!(found <= high);
                assert!(last.is_none_or(|last| (last < found) != backwards && last != found));
                last = Some(found);
            }
        }
    }
}

/// What is being erased is written as it was read.
pub(super) fn erasing(bytes: &[u8]) {
    if let Some(pending) = Pending::decode(bytes) {
        assert_eq!(Pending::decode(&pending.encode()), Some(pending));
    }
}

/// A query from JSON is the same when it has been through JSON again.
pub(super) fn query(bytes: &[u8]) {
    let Ok(query) = serde_json::from_slice::<Query>(bytes) else {
        return;
    };
    query.items.iter().for_each(|item| drop(key::clauses(item)));
    let text = serde_json::to_vec(&query).unwrap_or_default();
    assert_eq!(serde_json::from_slice::<Query>(&text).ok(), Some(query));
}
