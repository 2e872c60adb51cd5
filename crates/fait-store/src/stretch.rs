//! A stretch of the log with its index. The newest one grows; older ones have a finished index.

use crate::file::LogFile;
use crate::format::EventView;
use crate::index::{List, Part, Search, Tail, Window};
use crate::key::Key;
use crate::pages::Numbered;
use bytes::Bytes;
use fait_core::event::Position;
use fait_core::query::{Query, QueryItem};
use fait_core::store::{ERASED, StoreError};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use uuid::Uuid;

/// One file of the log.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) number: u32,
    /// Position of its first event.
    pub(crate) first: Position,
    pub(crate) path: PathBuf,
    pub(crate) file: Numbered,
}

/// Some of the events of a segment, one after the other.
#[derive(Debug)]
pub(crate) struct Stretch {
    pub(crate) segment: Arc<Segment>,
    /// The ordinal of the first.
    pub(crate) from: u32,
    pub(crate) index: Index,
    /// Where the frames end that are durable.
    end: AtomicU64,
}

/// The index of a stretch.
#[derive(Debug)]
pub(crate) enum Index {
    Growing(RwLock<Tail>),
    Part {
        part: Part,
        /// Whether it lies in a file.
        kept: bool,
    },
}

/// Where the record of an event stands. Something that is no record may follow it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) ordinal: u32,
    pub(crate) from: u32,
    pub(crate) to: u32,
}

impl Segment {
    pub(crate) fn disk(&self) -> &dyn LogFile {
        &*self.file.file
    }

    /// An error that names the file.
    pub(crate) fn unreadable(&self, error: &io::Error) -> StoreError {
        StoreError::new(format_args!("cannot read {}: {error}", self.path.display()))
    }

    /// The event at an offset is not what it should be.
    pub(crate) fn damaged(&self, offset: u32) -> StoreError {
        StoreError::new(format_args!(
            "{} is damaged at byte {offset}: the event there cannot be read; keep a copy of the \
             folder and restore a backup",
            self.path.display()
        ))
    }

    fn bad_index(&self, error: &io::Error) -> StoreError {
        StoreError::new(format_args!(
            "{} cannot be read: {error}; close the store and delete that file, it is made again \
             from the log",
            self.path.with_extension("idx").display()
        ))
    }
}

impl Stretch {
    pub(crate) fn new(segment: Arc<Segment>, from: u32, index: Index, end: u64) -> Stretch {
        Stretch {
            segment,
            from,
            index,
            end: end.into(),
        }
    }

    /// A stretch that will grow.
    pub(crate) fn growing(segment: Arc<Segment>, tail: Tail, end: u64) -> Stretch {
        let from = tail.next();
        Stretch::grown(segment, from, tail, end)
    }

    /// A stretch whose index grows with events that it has already.
    pub(crate) fn grown(segment: Arc<Segment>, from: u32, tail: Tail, end: u64) -> Stretch {
        let index = Index::Growing(RwLock::new(tail));
        Stretch::new(segment, from, index, end)
    }

    /// The position of an ordinal.
    pub(crate) fn position(&self, ordinal: u32) -> Position {
        self.segment.first + Position::from(ordinal)
    }

    /// The position of its first event.
    pub(crate) fn first(&self) -> Position {
        self.position(self.from)
    }

    pub(crate) fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    /// Its frames are durable up to here.
    pub(crate) fn grow(&self, end: u64) {
        self.end.store(end, Ordering::Release);
    }

    /// The next ordinal.
    pub(crate) fn next(&self) -> u32 {
        match &self.index {
            Index::Growing(tail) => read(tail).next(),
            Index::Part { part, .. } => part.header.events,
        }
    }

    /// Whether its index is a file.
    pub(crate) fn is_kept(&self) -> bool {
        matches!(self.index, Index::Part { kept: true, .. })
    }

    /// The ordinals of what it has between two positions, both included.
    pub(crate) fn window(&self, low: Position, high: Position, backwards: bool) -> Option<Window> {
        let next = self.next();
        let last = next.checked_sub(1)?;
        let base = self.segment.first;
        let low = low.max(self.first()).checked_sub(base)?;
        let high = high.min(self.position(last)).checked_sub(base)?;
        (low <= high && next > self.from).then_some(Window {
            low: low as u32,
            high: high as u32,
            backwards,
        })
    }

    /// Searches it for what a query may select.
    pub(crate) fn search(&self, query: &Query, window: Window) -> Result<Search, StoreError> {
        let begun = Search::begin(query, window, |key| self.list(key, window.low, window.high));
        begun.map_err(|e| self.segment.bad_index(&e))
    }

    /// The next ordinal of a search of it.
    pub(crate) fn next_of(&self, search: &mut Search) -> Result<Option<u32>, StoreError> {
        search.next().map_err(|e| self.segment.bad_index(&e))
    }

    fn list(&self, key: Key, low: u32, high: u32) -> io::Result<Option<List>> {
        match &self.index {
            Index::Growing(tail) => Ok(read(tail).list(key, low, high)),
            Index::Part { part, .. } => part.list(key, low, high),
        }
    }

    /// The ordinals up to a head that may be of one id.
    pub(crate) fn of_key(&self, key: Key, head: Position) -> Result<Vec<u32>, StoreError> {
        let mut found = vec![];
        let Some(window) = self.window(1, head, false) else {
            return Ok(found);
        };
        let list = self.list(key, window.low, window.high);
        if let Some(mut list) = list.map_err(|e| self.segment.bad_index(&e))? {
            let mut at = 0;
            loop {
                let next = list
                    .seek(at, false)
                    .map_err(|e| self.segment.bad_index(&e))?;
                let Some(ordinal) = next else { break };
                found.push(ordinal);
                at = ordinal + 1;
            }
        }
        Ok(found)
    }

    pub(crate) fn may_have_event(&self, id: Uuid) -> bool {
        match &self.index {
            Index::Growing(tail) => read(tail).ids.may_have(id),
            Index::Part { part, .. } => part.directory.ids.may_have(id),
        }
    }

    pub(crate) fn may_have_command(&self, id: Uuid) -> bool {
        match &self.index {
            Index::Growing(tail) => read(tail).commands.may_have(id),
            Index::Part { part, .. } => part.directory.commands.may_have(id),
        }
    }

    /// Where the records of ascending ordinals stand.
    pub(crate) fn spans(&self, ordinals: &[u32]) -> Result<Vec<Span>, StoreError> {
        let mut spans = Vec::with_capacity(ordinals.len());
        let mut offsets = vec![];
        let mut page = None;
        for run in ordinals.chunk_by(|a, b| *b == a + 1) {
            let (first, last) = (run[0], run[run.len() - 1]);
            offsets.clear();
            self.offsets(first, last, &mut page, &mut offsets)?;
            let bounds = offsets.windows(2).zip(run);
            spans.extend(bounds.map(|(pair, ordinal)| Span {
                ordinal: *ordinal,
                from: pair[0],
                to: pair[1],
            }));
        }
        // Whoever reads relies on it: a record begins where the one before it ends, or later.
        let ends = |span: &Span| span.from <= span.to;
        let ascend = |pair: &[Span]| pair[0].to <= pair[1].from;
        if !spans.iter().all(ends) || !spans.windows(2).all(ascend) {
            let why = "its offsets do not ascend";
            let error = io::Error::new(io::ErrorKind::InvalidData, why);
            return Err(self.segment.bad_index(&error));
        }
        Ok(spans)
    }

    /// The offsets of some records that follow one another, and where the last one's end is at
    /// the latest.
    fn offsets(
        &self,
        first: u32,
        last: u32,
        page: &mut Option<(u32, Bytes)>,
        out: &mut Vec<u32>,
    ) -> Result<(), StoreError> {
        let missing = || StoreError::new("an event is not in the index of its segment");
        match &self.index {
            Index::Growing(tail) => {
                let tail = read(tail);
                for ordinal in first..=last {
                    out.push(tail.offset(ordinal).ok_or_else(missing)?);
                }
                out.push(tail.offset(last + 1).unwrap_or(u32::MAX));
            }
            Index::Part { part, .. } => {
                let to = (last + 2).min(part.header.events);
                let read = part.offsets(first, to, page, out);
                read.map_err(|e| self.segment.bad_index(&e))?;
                if to == last + 1 {
                    out.push(part.header.end);
                }
            }
        }
        // What follows may be a record that is not written yet.
        let end = self.end().min(u64::from(u32::MAX)) as u32;
        if let Some(last) = out.last_mut() {
            *last = (*last).min(end);
        }
        Ok(())
    }
}

/// A panic while a tail grows leaves entries behind the head, which nobody looks at.
pub(crate) fn read(tail: &RwLock<Tail>) -> std::sync::RwLockReadGuard<'_, Tail> {
    tail.read().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a query selects what stands in a record.
pub(crate) fn selects(query: &Query, event: &EventView<'_>) -> bool {
    query.items.iter().any(|item| item_selects(item, event))
}

fn item_selects(item: &QueryItem, event: &EventView<'_>) -> bool {
    let name = index_name(event);
    let ty = item.types.is_empty() || item.types.iter().any(|ty| ty == name);
    ty && item
        .tags
        .iter()
        .all(|tag| event.tags().any(|t| t == tag.as_str()))
}

/// The type under which an event is found.
pub(crate) fn index_name<'a>(event: &EventView<'a>) -> &'a str {
    if event.erased { ERASED } else { event.ty() }
}
