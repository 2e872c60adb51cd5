//! Opening a log. Full segments are known by their indexes and not read; the newest is walked
//! from where its index ends, and the end of the log is found.
//!
//! The first frame of the newest segment that fails ends the log if no frame follows it: it was
//! never acknowledged. A frame is only written when the one before it is durable, so any frame
//! behind a damaged one proves that what is damaged was acknowledged, and the store is not opened.

use crate::error::OpenError;
use crate::file::{Folder, LogFile};
use crate::flaw::{Flaw, flaw};
use crate::folder::{index_name, newer, segment_name, segment_number};
use crate::format::{
    FRAME_HEADER, FrameHeader, HeaderError, INDEX_HEADER, IndexHeader, SEGMENT_HEADER,
    SegmentHeader, VERSION,
};
use crate::index::{Builder, Part, Tail as TailIndex};
use crate::keeper::{finish, take};
use crate::log::Tail;
use crate::pages::{Pages, Source};
use crate::stretch::{Index, Segment, Stretch, index_name as name_of};
use crate::walk::{Failed, Walk};
use fait_core::event::{Position, Time};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use uuid::Uuid;

/// What opening a store found at the end of its log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Bytes of an unfinished write that lie behind the last whole one, and that opening for
    /// writing has cut off. They were never acknowledged. 0: the end was clean.
    pub cut_bytes: u64,
    /// Number of the newest segment; 0 in a store that never had one.
    pub segment: u32,
    /// Full segments whose index was missing or damaged, and was made again from the log.
    pub indexed: u32,
}

/// What the log holds.
pub(crate) struct Recovered {
    pub(crate) stretches: Vec<Arc<Stretch>>,
    pub(crate) head: Position,
    pub(crate) last_time: Time,
    pub(crate) recovery: Recovery,
    /// The end; none when there is no segment yet.
    pub(crate) tail: Option<Tail>,
}

/// Reads what must be read of the log of a store. Changes nothing.
pub(crate) fn recover(
    folder: &dyn Folder,
    pages: &Arc<Pages>,
    store: Uuid,
) -> Result<Recovered, OpenError> {
    let newest = newest_segment(folder)?;
    let mut opening = Opening {
        folder,
        pages,
        store,
        chain: 0,
        next: 1,
        recovered: Recovered {
            stretches: vec![],
            head: 0,
            last_time: Time(0),
            recovery: Recovery {
                segment: newest,
                ..Recovery::default()
            },
            tail: None,
        },
    };
    for number in 1..newest {
        opening.full(number)?;
    }
    if newest > 0 {
        opening.newest(newest)?;
    }
    let mut recovered = opening.recovered;
    recovered.head = opening.next - 1;
    Ok(recovered)
}

/// The number of the newest segment, when all before it are there.
pub(crate) fn newest_segment(folder: &dyn Folder) -> Result<u32, OpenError> {
    let names = folder
        .names()
        .map_err(OpenError::io("list", folder.path()))?;
    let mut numbers: Vec<_> = names
        .iter()
        .filter_map(|name| segment_number(name))
        .collect();
    numbers.sort_unstable();
    for (number, expected) in numbers.iter().zip(1..) {
        if *number != expected {
            let file = folder.path().join(segment_name(expected));
            return Err(OpenError::corrupt(&file, 0, "the file is missing"));
        }
    }
    Ok(numbers.last().copied().unwrap_or(0))
}

struct Opening<'a> {
    folder: &'a dyn Folder,
    pages: &'a Arc<Pages>,
    store: Uuid,
    /// What the next segment continues.
    chain: u32,
    next: Position,
    recovered: Recovered,
}

/// A segment's file.
struct Opened {
    path: PathBuf,
    file: Arc<dyn LogFile>,
    size: u64,
    header: SegmentHeader,
    /// It was being made when the program ended: only a part of its header is there.
    unfinished: bool,
}

impl Opening<'_> {
    fn open(&self, number: u32, newest: bool) -> Result<Opened, OpenError> {
        let path = self.folder.path().join(segment_name(number));
        let load = || -> io::Result<_> {
            let file = self.folder.open(&segment_name(number))?;
            let size = file.size()?;
            let mut bytes = vec![0; size.min(SEGMENT_HEADER as u64 + 1) as usize];
            file.read_at(&mut bytes, 0)?;
            Ok((file, size, bytes))
        };
        let (file, size, bytes) = load().map_err(OpenError::io("read", &path))?;
        let expected = SegmentHeader {
            version: VERSION,
            store: self.store,
            number,
            first: self.next,
            chain: self.chain,
            rewritten: None,
        };
        let unfinished = newest && SegmentHeader::is_unfinished(&bytes);
        let header = match unfinished {
            true => expected,
            false => check_header(&path, &bytes, &expected)?,
        };
        Ok(Opened {
            path,
            file,
            size,
            header,
            unfinished,
        })
    }

    /// Takes in a segment that is not the newest.
    fn full(&mut self, number: u32) -> Result<(), OpenError> {
        let opened = self.open(number, false)?;
        let index = self.index_of(&opened);
        let (part, last_crc, kept) = match index.filter(|(part, last)| is_all(&opened, part, last))
        {
            Some((part, last)) => (part, last.crc, true),
            None => {
                self.recovered.recovery.indexed += 1;
                let (part, last_crc) = self.reindex(&opened)?;
                (part, last_crc, false)
            }
        };
        self.last_time(part.directory.last_time);
        let (end, events) = (part.header.end, part.header.events);
        let segment = self.segment(&opened);
        let index = Index::Part { part, kept };
        let stretch = Stretch::new(segment, 0, index, end.into());
        self.recovered.stretches.push(Arc::new(stretch));
        self.chain = opened.header.rewritten.map_or(last_crc, |r| r.chain_out);
        self.next += Position::from(events);
        Ok(())
    }

    fn last_time(&mut self, time: Time) {
        self.recovered.last_time = self.recovered.last_time.max(time);
    }

    fn segment(&self, opened: &Opened) -> Arc<Segment> {
        Arc::new(Segment {
            number: opened.header.number,
            first: opened.header.first,
            path: opened.path.clone(),
            file: self.pages.number(opened.file.clone()),
        })
    }

    /// The index file of a segment, with the last frame that it covers; none when it is not
    /// there, damaged, of another generation, or says more than the log.
    fn index_of(&self, opened: &Opened) -> Option<(Part, FrameHeader)> {
        let number = opened.header.number;
        let file = self.folder.open(&index_name(number)).ok()?;
        let mut bytes = vec![0; INDEX_HEADER];
        file.read_at(&mut bytes, 0).ok()?;
        let header = IndexHeader::decode(&bytes).ok()?;
        let fits = header.number == number
            && header.store == self.store
            && header.generation == opened.header.generation()
            && u64::from(header.end) <= opened.size;
        if !fits {
            return None;
        }
        let size = file.size().ok()?;
        let source = Source::File(self.pages.clone(), self.pages.number(file));
        let part = Part::open(source, header).ok()?;
        let frame = last_frame(&*opened.file, &header)?;
        (size == INDEX_HEADER as u64 + part.page_bytes()).then_some((part, frame))
    }

    /// Makes the index of a full segment in memory; the keeper will write it.
    fn reindex(&self, opened: &Opened) -> Result<(Part, u32), OpenError> {
        let header = &opened.header;
        let (file, size) = (&*opened.file, opened.size);
        let mut walk = Walk::begin(file, size, header.number, header.chain, header.first);
        let mut builder = Builder::default();
        loop {
            match take(&mut walk, &mut builder) {
                Ok(()) => {}
                Err(Failed::End) => break,
                Err(failed) => return Err(refused(&opened.path, walk.at, failed)),
            }
        }
        let built = finish(builder, &walk, header);
        let source = Source::Memory(built.image.into());
        let part = Part::open(source, built.header);
        let part = part.map_err(OpenError::io("index", &opened.path))?;
        Ok((part, walk.chain))
    }

    /// Takes in the newest segment and finds the end of the log.
    fn newest(&mut self, number: u32) -> Result<(), OpenError> {
        let opened = self.open(number, true)?;
        let segment = self.segment(&opened);
        let header = &opened.header;
        let size = if opened.unfinished { 0 } else { opened.size };
        let mut walk = Walk::begin(&*opened.file, size, number, header.chain, header.first);
        let mut from = 0;
        if let Some((part, frame)) = self.index_of(&opened) {
            let next = header.first + Position::from(part.header.events);
            walk.resume(part.header.last_frame.into(), frame, next);
            self.last_time(part.directory.last_time);
            from = part.header.events;
            let index = Index::Part { part, kept: true };
            let stretch = Stretch::new(segment.clone(), 0, index, walk.at);
            self.recovered.stretches.push(Arc::new(stretch));
        }
        let mut tail = TailIndex::new(from);
        let written = self.frames(&opened, &mut walk, &mut tail)?;
        let end = walk.at;
        let stretch = Stretch::grown(segment, from, tail, end);
        if from > 0 || !self.recovered.stretches.is_empty() || stretch.next() > 0 {
            self.recovered.stretches.push(Arc::new(stretch));
        } else {
            self.recovered.stretches = vec![Arc::new(stretch)];
        }
        self.next = walk.next;
        let cut_bytes = if opened.unfinished {
            opened.size
        } else {
            written - end
        };
        self.recovered.recovery.cut_bytes = cut_bytes;
        self.recovered.tail = Some(Tail {
            header: opened.header,
            end,
            size: opened.size,
            torn: cut_bytes > 0,
            last: walk.last,
            chain: walk.chain,
            file: opened.file.clone(),
        });
        Ok(())
    }

    /// Takes in the frames of the newest segment. Gives where the last byte of it ends.
    fn frames(
        &mut self,
        opened: &Opened,
        walk: &mut Walk<'_>,
        tail: &mut TailIndex,
    ) -> Result<u64, OpenError> {
        let read = |e| OpenError::io("read", &opened.path)(e);
        loop {
            let taken = walk.frame(|found| {
                let event = &found.event;
                let command = found.command.map(|command| command.key.id);
                tail.add(
                    found.offset,
                    event.id,
                    name_of(event),
                    event.tags(),
                    command,
                );
                self.recovered.last_time = self.recovered.last_time.max(event.recorded_at);
            });
            match taken {
                Ok(_) => {}
                Err(Failed::End) => return Ok(walk.at),
                Err(Failed::Torn(_)) if !walk.frame_follows().map_err(read)? => {
                    return walk.last_written().map_err(read);
                }
                Err(failed) => return Err(refused(&opened.path, walk.at, failed)),
            }
        }
    }
}

/// Whether an index covers all frames of a full segment. It may have been made when the segment
/// was the newest and the store was closed; then it has only the beginning.
fn is_all(opened: &Opened, part: &Part, last: &FrameHeader) -> bool {
    let header = &opened.header;
    let (file, size) = (&*opened.file, opened.size);
    let mut walk = Walk::begin(file, size, header.number, header.chain, header.first);
    let next = header.first + Position::from(part.header.events);
    walk.resume(part.header.last_frame.into(), *last, next);
    matches!(walk.frame(|_| {}), Err(Failed::End))
}

/// The last frame that an index covers, as it stands in the log.
fn last_frame(file: &dyn LogFile, index: &IndexHeader) -> Option<FrameHeader> {
    let mut bytes = vec![0; FRAME_HEADER];
    file.read_at(&mut bytes, index.last_frame.into()).ok()?;
    let frame = match FrameHeader::decode(&bytes) {
        None if flaw(Flaw::IndexBeforeLog) => Some(believed(index)),
        frame => frame,
    }?;
    let end = u64::from(index.last_frame) + FRAME_HEADER as u64 + u64::from(frame.body);
    let fits = frame.crc == index.last_crc
        && end == u64::from(index.end)
        && (frame.segment, frame.offset) == (index.number, index.last_frame);
    fits.then_some(frame)
}

/// The frame that an index speaks of, where the log has none: only ever with a planted bug.
fn believed(index: &IndexHeader) -> FrameHeader {
    FrameHeader {
        body: index.end - index.last_frame - FRAME_HEADER as u32,
        first: 0,
        durable: 0,
        events: 0,
        chain: 0,
        salt: 0,
        segment: index.number,
        offset: index.last_frame,
        body_crc: 0,
        packed: true,
        crc: index.last_crc,
    }
}

fn check_header(
    path: &Path,
    bytes: &[u8],
    expected: &SegmentHeader,
) -> Result<SegmentHeader, OpenError> {
    match SegmentHeader::decode(bytes) {
        Ok(header) => {
            let same = SegmentHeader {
                version: header.version,
                rewritten: header.rewritten,
                ..*expected
            };
            let what = "it does not continue the segment before it in this store";
            let fits = header == same;
            fits.then_some(header)
                .ok_or_else(|| OpenError::corrupt(path, 0, what))
        }
        Err(HeaderError::Newer(found)) => Err(newer(path, found)),
        Err(HeaderError::Foreign) => {
            let what = "it does not start like a segment";
            Err(OpenError::corrupt(path, 0, what))
        }
        Err(HeaderError::Damaged(what)) => Err(OpenError::corrupt(path, 0, what)),
    }
}

fn refused(path: &Path, at: u64, failed: Failed) -> OpenError {
    match failed {
        Failed::Io(e) => OpenError::io("read", path)(e),
        Failed::End => OpenError::corrupt(path, at, "it ends too early"),
        Failed::Torn(what) | Failed::Wrong(what) => OpenError::corrupt(path, at, what),
    }
}

/// Says what a recovery found, for messages.
impl std::fmt::Display for Recovery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.cut_bytes {
            0 => write!(f, "the log ended cleanly in segment {}", self.segment),
            n => write!(
                f,
                "an unfinished write of {n} bytes in segment {} was cut",
                self.segment
            ),
        }
    }
}
