//! Reads events from the log, a piece at a time, and never gives one whose checksum is wrong.

use crate::flaw::{Flaw, flaw};
use crate::format::{EventView, RECORD_HEAD, check};
use crate::index::is_every;
use crate::key;
use crate::shared::Shared;
use crate::stretch::{Span, Stretch, selects};
use bytes::Bytes;
use fait_core::event::{Position, Time};
use fait_core::query::Query;
use fait_core::store::{Range, Slice, StoreError};
use std::io;
use std::ops::ControlFlow;
use uuid::Uuid;

/// So much is read at once, unless one event is larger.
const PIECE_BYTES: u32 = 128 << 10;
/// A gap up to this size is read along rather than jumped over.
const GAP_BYTES: u32 = 4 << 10;
/// A piece up to this size comes from the pages in memory.
const SMALL_BYTES: u32 = 4 << 10;
/// So many candidates are looked for before their records are read.
const CANDIDATES: usize = 4096;

/// An event as it lies in the log, for those who go through many of them. Its data is not copied.
#[derive(Clone, Copy, Debug)]
pub struct EventRef<'a> {
    pub(crate) view: &'a EventView<'a>,
    pub(crate) data: &'a [u8],
}

impl<'a> EventRef<'a> {
    /// Its place in the order.
    pub fn position(&self) -> Position {
        self.view.position
    }

    /// Its id.
    pub fn id(&self) -> Uuid {
        self.view.id
    }

    /// The stored name of its type; of an erased event, what was kept of it.
    pub fn ty(&self) -> &'a str {
        self.view.ty()
    }

    /// Whether it was erased.
    pub fn is_erased(&self) -> bool {
        self.view.erased
    }

    /// When it was recorded.
    pub fn recorded_at(&self) -> Time {
        self.view.recorded_at
    }

    /// Its tags, as written.
    pub fn tags(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.view.tags()
    }

    /// Its data.
    pub fn data(&self) -> &'a [u8] {
        self.data
    }
}

/// What is left of a range while it is read.
pub(crate) struct Wanted<'a> {
    query: &'a Query,
    pub(crate) low: Position,
    pub(crate) high: Position,
    pub(crate) every: bool,
    pub(crate) backwards: bool,
    pub(crate) left: usize,
}

impl Wanted<'_> {
    pub(crate) fn of(query: &Query, range: Range, head: Position) -> Wanted<'_> {
        Wanted {
            query,
            every: is_every(query),
            low: range.after.saturating_add(1),
            high: range
                .before
                .map_or(head, |before| head.min(before.saturating_sub(1))),
            backwards: range.backwards,
            left: range.limit.max(1),
        }
    }
}

/// Reads what a query selects of what was durable when the reading began.
pub(crate) fn slice(shared: &Shared, query: &Query, range: Range) -> Result<Slice, StoreError> {
    let head = shared.head();
    let mut wanted = Wanted::of(query, range, head);
    let mut events = vec![];
    each_stretch(shared, &mut wanted, |stretch, wanted, ordinals| {
        let from = events.len();
        each_piece(stretch, ordinals, |piece| {
            let bytes = piece_bytes(shared, stretch, piece)?;
            each_view(stretch, piece, &bytes, |view| {
                if wanted.every || selects(wanted.query, view) {
                    let event = view.stored(&bytes);
                    let damaged = || stretch.segment.damaged(piece[0].from);
                    events.push(event.ok_or_else(damaged)?);
                }
                Ok(ControlFlow::Continue(()))
            })
        })?;
        if wanted.backwards {
            events[from..].reverse();
        }
        wanted.left -= events.len() - from;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(Slice { events, head })
}

/// Shows what a query selects, one event after the other, without making anything of them.
pub(crate) fn scan(
    shared: &Shared,
    query: &Query,
    range: Range,
    mut each: impl FnMut(&EventRef<'_>) -> ControlFlow<()>,
) -> Result<Position, StoreError> {
    let head = shared.head();
    let mut wanted = Wanted::of(query, range, head);
    let mut buffer = vec![];
    each_stretch(shared, &mut wanted, |stretch, wanted, ordinals| {
        // Backwards, one event at a time is shown after the other: the pieces are read forwards.
        if wanted.backwards {
            for ordinal in ordinals.iter().rev() {
                let flow = show(shared, stretch, &[*ordinal], wanted, &mut buffer, &mut each)?;
                if flow.is_break() {
                    return Ok(flow);
                }
            }
            return Ok(ControlFlow::Continue(()));
        }
        show(shared, stretch, ordinals, wanted, &mut buffer, &mut each)
    })?;
    Ok(head)
}

fn show(
    shared: &Shared,
    stretch: &Stretch,
    ordinals: &[u32],
    wanted: &mut Wanted<'_>,
    buffer: &mut Vec<u8>,
    each: &mut impl FnMut(&EventRef<'_>) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, StoreError> {
    let mut flow = ControlFlow::Continue(());
    each_piece(stretch, ordinals, |piece| {
        let small;
        let bytes: &[u8] = if is_small(piece) {
            small = piece_bytes(shared, stretch, piece)?;
            &small
        } else {
            read_into(stretch, piece, buffer)?
        };
        flow = each_view(stretch, piece, bytes, |view| {
            if !wanted.every && !selects(wanted.query, view) {
                return Ok(ControlFlow::Continue(()));
            }
            wanted.left = wanted.left.saturating_sub(1);
            let data = view
                .data()
                .ok_or_else(|| stretch.segment.damaged(piece[0].from))?;
            Ok(each(&EventRef { view, data }))
        })?;
        Ok(flow)
    })?;
    Ok(flow)
}

/// Goes through the stretches of a range and gives the ordinals, ascending, that a query may
/// select, some at a time, until no more are wanted.
fn each_stretch<'q>(
    shared: &Shared,
    wanted: &mut Wanted<'q>,
    mut each: impl FnMut(&Stretch, &mut Wanted<'q>, &[u32]) -> Result<ControlFlow<()>, StoreError>,
) -> Result<(), StoreError> {
    let stretches = shared.stretches();
    let from = stretches
        .partition_point(|s| s.first() <= wanted.low)
        .saturating_sub(1);
    let to = stretches.partition_point(|s| s.first() <= wanted.high);
    let count = to.saturating_sub(from);
    for n in 0..count {
        let at = if wanted.backwards {
            to - 1 - n
        } else {
            from + n
        };
        let stretch = &*stretches[at];
        let window = stretch.window(wanted.low, wanted.high, wanted.backwards);
        let Some(window) = window else { continue };
        let mut search = stretch.search(wanted.query, window)?;
        let mut ordinals = vec![];
        loop {
            ordinals.clear();
            while ordinals.len() < wanted.left.min(CANDIDATES) {
                match stretch.next_of(&mut search)? {
                    Some(ordinal) => ordinals.push(ordinal),
                    None => break,
                }
            }
            if ordinals.is_empty() {
                break;
            }
            if wanted.backwards {
                ordinals.reverse();
            }
            if each(stretch, wanted, &ordinals)?.is_break() || wanted.left == 0 {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The first event from a position on that a query selects, among what the writer knows: also
/// what is not durable yet, whose records `pending` finds.
pub(crate) fn first(
    shared: &Shared,
    query: &Query,
    after: Position,
    pending: &dyn Fn(&Stretch, u32) -> Option<Bytes>,
) -> Result<Option<Position>, StoreError> {
    if query.items.is_empty() {
        return Ok(None);
    }
    let low = after.saturating_add(1);
    let stretches = shared.stretches();
    let from = stretches
        .partition_point(|s| s.first() <= low)
        .saturating_sub(1);
    for stretch in &stretches[from..] {
        let Some(window) = stretch.window(low, Position::MAX, false) else {
            continue;
        };
        let mut search = stretch.search(query, window)?;
        while let Some(ordinal) = stretch.next_of(&mut search)? {
            if with_event(shared, stretch, ordinal, pending, |view, _| {
                selects(query, view)
            })? {
                return Ok(Some(stretch.position(ordinal)));
            }
        }
    }
    Ok(None)
}

/// The position of an event by its id, up to a head.
pub(crate) fn event_by_id(
    shared: &Shared,
    id: Uuid,
    head: Position,
    pending: &dyn Fn(&Stretch, u32) -> Option<Bytes>,
) -> Result<Option<Position>, StoreError> {
    let key = key::of_event(id);
    for stretch in shared.stretches().iter().rev() {
        if !stretch.may_have_event(id) {
            continue;
        }
        for ordinal in stretch.of_key(key, head)? {
            if with_event(shared, stretch, ordinal, pending, |view, _| view.id == id)? {
                return Ok(Some(stretch.position(ordinal)));
            }
        }
    }
    Ok(None)
}

/// Looks at the record of one event, with its bytes.
pub(crate) fn with_event<T>(
    shared: &Shared,
    stretch: &Stretch,
    ordinal: u32,
    pending: &dyn Fn(&Stretch, u32) -> Option<Bytes>,
    look: impl FnOnce(&EventView<'_>, &Bytes) -> T,
) -> Result<T, StoreError> {
    let span;
    let bytes = match pending(stretch, ordinal) {
        Some(bytes) => {
            span = Span {
                ordinal,
                from: 0,
                to: bytes.len() as u32,
            };
            bytes
        }
        None => {
            span = one_span(stretch, ordinal)?;
            piece_bytes(shared, stretch, &[span])?
        }
    };
    match view_at(&bytes, 0, stretch.position(ordinal)) {
        Some(view) => Ok(look(&view, &bytes)),
        None => Err(stretch.segment.damaged(span.from)),
    }
}

/// Nothing is pending for those who read what is durable.
pub(crate) fn none_pending(_: &Stretch, _: u32) -> Option<Bytes> {
    None
}

pub(crate) fn one_span(stretch: &Stretch, ordinal: u32) -> Result<Span, StoreError> {
    let span = stretch.spans(&[ordinal])?.pop();
    span.ok_or_else(|| StoreError::new("an event is not in the index of its segment"))
}

/// Shows the records of ordinals in pieces that are read at once.
fn each_piece(
    stretch: &Stretch,
    ordinals: &[u32],
    mut each: impl FnMut(&[Span]) -> Result<ControlFlow<()>, StoreError>,
) -> Result<(), StoreError> {
    let spans = stretch.spans(ordinals)?;
    let mut rest = &spans[..];
    while !rest.is_empty() {
        let (piece, others) = rest.split_at(piece_length(rest, PIECE_BYTES));
        if each(piece)?.is_break() {
            return Ok(());
        }
        rest = others;
    }
    Ok(())
}

/// The records of ordinals in pieces of about so many bytes.
pub(crate) fn pieces(
    stretch: &Stretch,
    ordinals: &[u32],
    bytes: u32,
) -> Result<Vec<Vec<Span>>, StoreError> {
    let spans = stretch.spans(ordinals)?;
    let mut pieces = vec![];
    let mut rest = &spans[..];
    while !rest.is_empty() {
        let (piece, others) = rest.split_at(piece_length(rest, bytes));
        pieces.push(piece.to_vec());
        rest = others;
    }
    Ok(pieces)
}

/// How many of some records, which are not none, are read at once: those that stand together.
fn piece_length(spans: &[Span], bytes: u32) -> usize {
    let close = spans.windows(2).take_while(|pair| {
        pair[1].from <= pair[0].to.saturating_add(GAP_BYTES) && pair[1].to - spans[0].from <= bytes
    });
    1 + close.count()
}

fn bounds(piece: &[Span]) -> (u64, u64) {
    let (first, last) = (piece[0], piece[piece.len() - 1]);
    (first.from.into(), last.to.into())
}

fn is_small(piece: &[Span]) -> bool {
    let (from, to) = bounds(piece);
    to - from <= u64::from(SMALL_BYTES)
}

fn piece_bytes(shared: &Shared, stretch: &Stretch, piece: &[Span]) -> Result<Bytes, StoreError> {
    let (from, to) = bounds(piece);
    let file = &stretch.segment.file;
    // What is longer than a page is read past the pages.
    let end = if is_small(piece) { stretch.end() } else { 0 };
    let read = shared.pages.bytes(file, from, to.max(from), end);
    read.map_err(|e| stretch.segment.unreadable(&e))
}

pub(crate) fn read_into<'b>(
    stretch: &Stretch,
    piece: &[Span],
    buffer: &'b mut Vec<u8>,
) -> Result<&'b [u8], StoreError> {
    let (from, to) = bounds(piece);
    let length = (to - from) as usize;
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
    let read = stretch.segment.disk().read_at(&mut buffer[..length], from);
    read.map_err(|e: io::Error| stretch.segment.unreadable(&e))?;
    Ok(&buffer[..length])
}

/// Shows the events of a piece whose bytes were read.
pub(crate) fn each_view(
    stretch: &Stretch,
    piece: &[Span],
    bytes: &[u8],
    mut each: impl FnMut(&EventView<'_>) -> Result<ControlFlow<()>, StoreError>,
) -> Result<ControlFlow<()>, StoreError> {
    let start = piece[0].from;
    for span in piece {
        let view = view_at(
            bytes,
            (span.from - start) as usize,
            stretch.position(span.ordinal),
        );
        let view = view.ok_or_else(|| stretch.segment.damaged(span.from))?;
        if each(&view)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// The event whose record stands at an offset, if its checksum and position are right.
fn view_at(bytes: &[u8], at: usize, position: Position) -> Option<EventView<'_>> {
    let head = bytes.get(at..)?.first_chunk::<RECORD_HEAD>()?;
    let [a, b, c, d, e, f, g, h] = *head;
    let from = at + RECORD_HEAD;
    let payload = bytes.get(from..from.checked_add(u32::from_le_bytes([a, b, c, d]) as usize)?)?;
    let sound = check(payload, u32::from_le_bytes([e, f, g, h]), position);
    if !sound && !flaw(Flaw::RecordChecksum) {
        return None;
    }
    EventView::decode(payload, position)
}
