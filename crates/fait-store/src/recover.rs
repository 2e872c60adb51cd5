//! Opening a log: every frame is checked, the index is built, and the end is found.
//!
//! The first frame of the newest segment that fails ends the log if no frame follows it: it was
//! never acknowledged. A frame is only written when the one before it is durable, so any frame
//! behind a damaged one proves that what is damaged was acknowledged, and the store is not opened.

use crate::error::OpenError;
use crate::file::Folder;
use crate::flaw::{Flaw, flaw};
use crate::folder::{newer, segment_name, segment_number};
use crate::format::{
    FRAME_HEADER, FRAME_MAGIC, FrameHeader, HeaderError, RECORD_HEAD, Record, Records,
    SEGMENT_HEADER, SegmentHeader, check_body,
};
use crate::index::Place;
use crate::log::{Segment, Tail};
use crate::shared::Published;
use std::io;
use std::path::PathBuf;
use uuid::Uuid;

/// What opening a store found at the end of its log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Bytes of an unfinished write that lie behind the last whole one, and that opening for
    /// writing has cut off. They were never acknowledged. 0: the end was clean.
    pub cut_bytes: u64,
    /// Number of the newest segment; 0 in a store that never had one.
    pub segment: u32,
}

/// What the log holds.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) published: Published,
    pub(crate) recovery: Recovery,
    /// The end; none when there is no segment yet.
    pub(crate) tail: Option<Tail>,
}

/// Reads the whole log of a store. Changes nothing.
pub(crate) fn recover(folder: &dyn Folder, store: Uuid) -> Result<Recovered, OpenError> {
    let newest = newest_segment(folder)?;
    let mut walk = Walk {
        published: Published::default(),
        store,
        chain: 0,
        sealed: true,
    };
    let mut recovered = None;
    for number in 1..=newest {
        recovered = Some(walk.segment(folder, number, number == newest)?);
    }
    let (tail, cut_bytes) = match recovered {
        Some((tail, cut_bytes)) => (Some(tail), cut_bytes),
        None => (None, 0),
    };
    let recovery = Recovery {
        cut_bytes,
        segment: newest,
    };
    Ok(Recovered {
        published: walk.published,
        recovery,
        tail,
    })
}

/// The number of the newest segment, when all before it are there.
fn newest_segment(folder: &dyn Folder) -> Result<u32, OpenError> {
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

struct Walk {
    published: Published,
    store: Uuid,
    chain: u32,
    sealed: bool,
}

/// A segment's file in memory.
struct Loaded {
    path: PathBuf,
    bytes: Vec<u8>,
    number: u32,
}

/// Why there is no frame at an offset.
enum Failed {
    /// It was not written to its end; or it was, and is damaged.
    Torn(&'static str),
    /// Its checksums fit, but it does not belong there.
    Wrong(&'static str),
}

impl Walk {
    /// Goes through one segment. Gives its end, and how many bytes lie behind it.
    fn segment(
        &mut self,
        folder: &dyn Folder,
        number: u32,
        newest: bool,
    ) -> Result<(Tail, u64), OpenError> {
        let path = folder.path().join(segment_name(number));
        let load = || -> io::Result<_> {
            let file = folder.open(&segment_name(number))?;
            let mut bytes = vec![0; file.size()? as usize];
            file.read_at(&mut bytes, 0)?;
            Ok((file, bytes))
        };
        let (file, bytes) = load().map_err(OpenError::io("read", &path))?;
        let loaded = Loaded {
            path,
            bytes,
            number,
        };
        let header = SegmentHeader {
            store: self.store,
            number,
            first: self.published.index.head() + 1,
            chain: self.chain,
        };
        let unfinished = newest && SegmentHeader::is_unfinished(&loaded.bytes);
        let size = loaded.bytes.len() as u64;
        let (end, last_frame) = if unfinished {
            (SEGMENT_HEADER as u64, None)
        } else {
            self.check_header(&loaded, &header)?;
            self.frames(&loaded, newest)?
        };
        let cut_bytes = if unfinished { size } else { size - end };
        let segment = Segment { number, file };
        self.published.segments.push(segment.clone());
        self.published.bytes += end;
        let (chain, sealed) = (self.chain, self.sealed);
        let torn = cut_bytes > 0;
        Ok((
            Tail {
                segment,
                header,
                end,
                torn,
                last_frame,
                chain,
                sealed,
            },
            cut_bytes,
        ))
    }

    fn check_header(&self, loaded: &Loaded, expected: &SegmentHeader) -> Result<(), OpenError> {
        let path = &loaded.path;
        match SegmentHeader::decode(&loaded.bytes) {
            Ok(header) if header == *expected => Ok(()),
            Ok(_) => {
                let what = "it does not continue the segment before it in this store";
                Err(OpenError::corrupt(path, 0, what))
            }
            Err(HeaderError::Newer(found)) => Err(newer(path, found)),
            Err(HeaderError::Foreign) => Err(OpenError::corrupt(
                path,
                0,
                "it does not start like a segment",
            )),
            Err(HeaderError::Damaged(what)) => Err(OpenError::corrupt(path, 0, what)),
        }
    }

    /// Takes in the frames of a segment. Gives the end of the last one, and its start.
    fn frames(&mut self, loaded: &Loaded, newest: bool) -> Result<(u64, Option<u64>), OpenError> {
        let (mut at, mut last) = (SEGMENT_HEADER, None);
        while at < loaded.bytes.len() {
            match self.frame(loaded, at) {
                Ok(length) => {
                    last = Some(at as u64);
                    at += length;
                }
                Err(Failed::Torn(_)) if newest && !frame_follows(loaded, at) => break,
                Err(Failed::Torn(what) | Failed::Wrong(what)) => {
                    return Err(OpenError::corrupt(&loaded.path, at as u64, what));
                }
            }
        }
        Ok((at as u64, last))
    }

    /// Takes in one frame. Gives its length.
    fn frame(&mut self, loaded: &Loaded, at: usize) -> Result<usize, Failed> {
        let bytes = &loaded.bytes[at..];
        let header =
            FrameHeader::decode(bytes).ok_or(Failed::Torn("a frame's header is damaged"))?;
        self.check(&header, loaded.number, at)?;
        let body = check_body(&header, &bytes[FRAME_HEADER..])
            .ok_or(Failed::Torn("a frame's events are damaged"))?;
        let head = self.published.index.head();
        let start = at + FRAME_HEADER;
        for record in Records::of(body) {
            let unreadable = Failed::Wrong("a record cannot be read");
            let (offset, length, record) = record.ok_or(unreadable)?;
            match record {
                Record::Command(command) => self.published.index.add_command(command),
                Record::Event(event) => {
                    if event.position != self.published.index.head() + 1 {
                        return Err(Failed::Wrong("an event stands in the wrong position"));
                    }
                    let offset = (start + offset) as u32;
                    let place = Place {
                        segment: loaded.number,
                        offset,
                        length,
                    };
                    self.published.index.add_view(place, &event);
                }
            }
        }
        if self.published.index.head() - head != u64::from(header.events) {
            return Err(Failed::Wrong(
                "a frame has another number of events than it says",
            ));
        }
        self.chain = header.crc;
        self.sealed = header.events == 0;
        Ok(FRAME_HEADER + body.len())
    }

    fn check(&self, header: &FrameHeader, number: u32, at: usize) -> Result<(), Failed> {
        let head = self.published.index.head();
        if (header.segment, header.offset as usize) != (number, at) {
            return Err(Failed::Wrong("a frame stands in the wrong place"));
        }
        if header.chain != self.chain && !flaw(Flaw::Chain) {
            return Err(Failed::Wrong("a frame does not continue the one before it"));
        }
        if header.first != head + 1 || header.durable > head {
            return Err(Failed::Wrong("a frame has the wrong positions"));
        }
        if !(header.body as usize).is_multiple_of(RECORD_HEAD) {
            return Err(Failed::Wrong("a frame has an impossible length"));
        }
        Ok(())
    }
}

/// Whether a frame of this segment starts anywhere behind an offset. Its body need not be whole.
fn frame_follows(loaded: &Loaded, offset: usize) -> bool {
    let starts = (offset + RECORD_HEAD..loaded.bytes.len()).step_by(RECORD_HEAD);
    starts
        .filter(|at| loaded.bytes[*at..].starts_with(FRAME_MAGIC))
        .any(|at| {
            FrameHeader::decode(&loaded.bytes[at..])
                .is_some_and(|h| (h.segment, h.offset as usize) == (loaded.number, at))
        })
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
