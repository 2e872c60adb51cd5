//! Reads events from the log, a piece at a time, and never gives one whose checksum is wrong.

use crate::flaw::{Flaw, flaw};
use crate::folder::segment_name;
use crate::format::{EventView, RECORD_HEAD, RecordHead, aligned};
use crate::index::{Place, Window};
use crate::log::Segment;
use crate::shared::{Shared, file_of};
use bytes::Bytes;
use fait_core::event::{Position, StoredEvent};
use fait_core::query::Query;
use fait_core::store::{Range, Slice, StoreError};
use std::path::Path;

/// So much is read at once, unless one event is larger.
const PIECE_BYTES: u64 = 256 << 10;
/// A gap up to this size is read along rather than jumped over.
const GAP_BYTES: u64 = 4 << 10;
/// So many steps of a search are made before the writer may go on.
const STEPS: usize = 4096;

/// An event that is to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) position: Position,
    pub(crate) place: Place,
}

/// Reads what a query selects of what was durable when the reading began.
pub(crate) fn slice(shared: &Shared, query: &Query, range: Range) -> Result<Slice, StoreError> {
    let head = shared.head()?;
    let mut window = Window {
        low: range.after.saturating_add(1),
        high: range
            .before
            .map_or(head, |before| head.min(before.saturating_sub(1))),
        backwards: range.backwards,
    };
    let mut found = vec![];
    // The index only grows, so the snapshot stays the same while the lock is given back.
    while !shared
        .read()?
        .index
        .select(query, &mut window, range.limit, STEPS, &mut found)
    {}
    if range.backwards {
        found.reverse();
    }
    let mut events = read(shared, &found)?;
    if range.backwards {
        events.reverse();
    }
    Ok(Slice { events, head })
}

/// Reads events by their ascending positions.
pub(crate) fn read(shared: &Shared, found: &[Position]) -> Result<Vec<StoredEvent>, StoreError> {
    if found.is_empty() {
        return Ok(vec![]);
    }
    let (wanted, segments) = {
        let published = shared.read()?;
        let wanted: Option<Vec<_>> = found
            .iter()
            .map(|&position| {
                published
                    .index
                    .place(position)
                    .map(|place| Wanted { position, place })
            })
            .collect();
        (wanted, published.segments.clone())
    };
    read_wanted(
        &shared.path,
        &segments,
        &wanted.ok_or_else(|| shared.stopped())?,
    )
}

/// Reads events by their ascending places.
pub(crate) fn read_wanted(
    path: &Path,
    segments: &[Segment],
    mut wanted: &[Wanted],
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut events = Vec::with_capacity(wanted.len());
    while !wanted.is_empty() {
        let (piece, rest) = wanted.split_at(piece(wanted));
        read_piece(path, segments, piece, &mut events)?;
        wanted = rest;
    }
    Ok(events)
}

fn end(place: &Place) -> u64 {
    u64::from(place.offset) + aligned(RECORD_HEAD + place.length as usize) as u64
}

/// How many of the wanted events are read at once: those that stand close together.
fn piece(wanted: &[Wanted]) -> usize {
    let start = wanted[0].place;
    let close = wanted.windows(2).take_while(|pair| {
        let (last, next) = (&pair[0].place, &pair[1].place);
        next.segment == start.segment
            && u64::from(next.offset) <= end(last) + GAP_BYTES
            && end(next) <= u64::from(start.offset) + PIECE_BYTES
    });
    1 + close.count()
}

fn read_piece(
    path: &Path,
    segments: &[Segment],
    piece: &[Wanted],
    events: &mut Vec<StoredEvent>,
) -> Result<(), StoreError> {
    let (Some(first), Some(last)) = (piece.first(), piece.last()) else {
        return Ok(());
    };
    let segment = first.place.segment;
    let start = u64::from(first.place.offset);
    let name = path.join(segment_name(segment));
    let mut buffer = vec![0; (end(&last.place) - start) as usize];
    let file = file_of(segments, segment).ok_or_else(|| damaged(&name, start))?;
    file.read_at(&mut buffer, start).map_err(|e| {
        StoreError::new(format_args!(
            "cannot read {} at byte {start}: {e}",
            name.display()
        ))
    })?;
    let buffer = Bytes::from(buffer);
    for Wanted { position, place } in piece {
        let at = (u64::from(place.offset) - start) as usize;
        let event = event_at(&buffer, at, *place, *position);
        events.push(event.ok_or_else(|| damaged(&name, place.offset.into()))?);
    }
    Ok(())
}

/// The event in a buffer, if its checksum and position are right.
pub(crate) fn event_at(
    buffer: &Bytes,
    at: usize,
    place: Place,
    position: Position,
) -> Option<StoredEvent> {
    let head = RecordHead::decode(buffer.get(at..)?)?;
    let from = at + RECORD_HEAD;
    let payload = buffer.get(from..from + place.length as usize)?;
    let sound = crc32fast::hash(payload) == head.crc || flaw(Flaw::RecordChecksum);
    if head.length != place.length || !sound {
        return None;
    }
    let view = EventView::decode(payload)?;
    if view.position != position {
        return None;
    }
    view.stored(buffer)
}

fn damaged(file: &Path, offset: u64) -> StoreError {
    StoreError::new(format_args!(
        "{} is damaged at byte {offset}: the event there cannot be read; keep a copy of the folder \
         and restore a backup",
        file.display()
    ))
}
