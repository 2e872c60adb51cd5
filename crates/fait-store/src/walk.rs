//! Walks the frames of one segment in order and checks everything about them. Opening, making an
//! index, verifying, copying and erasing all walk; nobody else takes frames apart.

use crate::file::LogFile;
use crate::format::{
    CommandRecord, EventView, FRAME_HEADER, FRAME_MAGIC, FrameHeader, RECORD_HEAD, Record, Records,
    SEGMENT_HEADER, check, check_body,
};
use fait_core::event::Position;
use std::io;

/// So much is read at once, unless a frame is larger.
const CHUNK_BYTES: usize = 1 << 20;

/// Where frames stand on a multiple of this.
const ALIGNMENT: usize = 8;

/// Why there is no frame at an offset.
#[derive(Debug)]
pub(crate) enum Failed {
    /// Nothing but zeros, or nothing at all, is left: the log ends here.
    End,
    /// It was not written to its end; or it was, and is damaged.
    Torn(&'static str),
    /// Its checksums fit, but it does not belong there.
    Wrong(&'static str),
    Io(io::Error),
}

impl From<io::Error> for Failed {
    fn from(e: io::Error) -> Failed {
        Failed::Io(e)
    }
}

/// A walk through the frames of a segment.
pub(crate) struct Walk<'a> {
    file: &'a dyn LogFile,
    size: u64,
    number: u32,
    /// Where the next frame must stand.
    pub(crate) at: u64,
    /// The checksum that it must continue.
    pub(crate) chain: u32,
    /// The position of its first event.
    pub(crate) next: Position,
    /// The last frame that was taken, and whether it was a seal.
    pub(crate) last: Option<(u64, FrameHeader)>,
    /// Some bytes of the file, and where they start.
    buffer: Vec<u8>,
    start: u64,
    /// Whether the checksum of each record is looked at, too.
    thorough: bool,
}

const UNSOUND: &str = "the checksum of a record does not fit";

/// Whether the record at an offset of a body has its own checksum.
fn is_sound(body: &[u8], offset: usize, length: u32, position: Position) -> bool {
    let payload = offset + RECORD_HEAD;
    let crc = body[..payload].last_chunk::<4>();
    let crc = crc.map_or(0, |crc| u32::from_le_bytes(*crc));
    check(&body[payload..payload + length as usize], crc, position)
}

/// One event of a frame.
pub(crate) struct Found<'a> {
    /// Offset of the record in the segment.
    pub(crate) offset: u32,
    pub(crate) event: EventView<'a>,
    /// The command whose first event this is.
    pub(crate) command: Option<CommandRecord>,
}

impl<'a> Walk<'a> {
    /// Begins at the start of a segment of this size.
    pub(crate) fn begin(
        file: &'a dyn LogFile,
        size: u64,
        number: u32,
        chain: u32,
        next: Position,
    ) -> Walk<'a> {
        Walk {
            file,
            size,
            number,
            at: SEGMENT_HEADER as u64,
            chain,
            next,
            last: None,
            buffer: vec![],
            start: 0,
            thorough: false,
        }
    }

    /// Looks at the checksum of each record, too. The one of its frame covers it, but readers of
    /// single events look at nothing else.
    pub(crate) fn thorough(mut self) -> Walk<'a> {
        self.thorough = true;
        self
    }

    /// Reads anew what may have been written meanwhile.
    pub(crate) fn look_again(&mut self) -> io::Result<()> {
        self.size = self.file.size()?;
        self.buffer.clear();
        Ok(())
    }

    /// Goes on behind a frame that was checked before.
    pub(crate) fn resume(&mut self, last: u64, header: FrameHeader, next: Position) {
        self.at = last + FRAME_HEADER as u64 + u64::from(header.body);
        self.chain = header.crc;
        self.next = next;
        self.last = Some((last, header));
    }

    /// Takes the next frame and shows its events. Nothing of a frame that fails is shown.
    pub(crate) fn frame(&mut self, mut each: impl FnMut(Found<'_>)) -> Result<FrameHeader, Failed> {
        let (header, range) = self.check()?;
        let at = self.at;
        let body = &self.buffer[range];
        let mut events = 0;
        let mut command = None;
        for record in Records::of(body, header.packed, header.first) {
            let (offset, length, record) =
                record.ok_or(Failed::Wrong("a record cannot be read"))?;
            let sound = |position| !self.thorough || is_sound(body, offset, length, position);
            match record {
                Record::Command(_) if !sound(0) => return Err(Failed::Wrong(UNSOUND)),
                Record::Event(event) if !sound(event.position) => {
                    return Err(Failed::Wrong(UNSOUND));
                }
                Record::Command(of_next) => command = Some(of_next),
                Record::Event(event) => {
                    let key = event.key().map(|key| key.receipt(event.position));
                    each(Found {
                        offset: at as u32 + FRAME_HEADER as u32 + offset as u32,
                        command: command.take().or(key),
                        event,
                    });
                    events += 1;
                }
            }
        }
        if events != header.events {
            let why = "a frame has another number of events than it says";
            return Err(Failed::Wrong(why));
        }
        self.at += FRAME_HEADER as u64 + u64::from(header.body);
        self.chain = header.crc;
        self.next += Position::from(header.events);
        self.last = Some((at, header));
        Ok(header)
    }

    /// The header of the frame that must stand here, and where its body is in the buffer.
    fn check(&mut self) -> Result<(FrameHeader, std::ops::Range<usize>), Failed> {
        let at = self.at;
        if at >= self.size {
            return Err(Failed::End);
        }
        let header = match FrameHeader::decode(self.bytes(at, FRAME_HEADER)?) {
            Some(header) => header,
            None if self.only_zeros()? => return Err(Failed::End),
            None => return Err(Failed::Torn("a frame's header is damaged")),
        };
        self.belongs(&header)?;
        let length = FRAME_HEADER + header.body as usize;
        let bytes = self.bytes(at, length)?;
        if check_body(&header, &bytes[FRAME_HEADER.min(bytes.len())..]).is_none() {
            return Err(Failed::Torn("a frame's events are damaged"));
        }
        let from = (at - self.start) as usize;
        Ok((header, from + FRAME_HEADER..from + length))
    }

    fn belongs(&self, header: &FrameHeader) -> Result<(), Failed> {
        if (header.segment, u64::from(header.offset)) != (self.number, self.at) {
            return Err(Failed::Wrong("a frame stands in the wrong place"));
        }
        if header.chain != self.chain {
            return Err(Failed::Wrong("a frame does not continue the one before it"));
        }
        if header.first != self.next || header.durable >= self.next {
            return Err(Failed::Wrong("a frame has the wrong positions"));
        }
        if !(header.body as usize).is_multiple_of(ALIGNMENT) {
            return Err(Failed::Wrong("a frame has an impossible length"));
        }
        Ok(())
    }

    /// Some bytes of the file; fewer, when it ends before.
    fn bytes(&mut self, from: u64, length: usize) -> io::Result<&[u8]> {
        let length = length.min((self.size - from) as usize);
        let inside =
            from >= self.start && from + length as u64 <= self.start + self.buffer.len() as u64;
        if !inside {
            let wanted = length.max(CHUNK_BYTES).min((self.size - from) as usize);
            self.buffer.resize(wanted, 0);
            self.start = from;
            if let Err(e) = self.file.read_at(&mut self.buffer, from) {
                self.buffer.clear();
                return Err(e);
            }
        }
        let at = (from - self.start) as usize;
        Ok(&self.buffer[at..at + length])
    }

    /// Whether nothing was ever written from here on.
    fn only_zeros(&mut self) -> io::Result<bool> {
        Ok(self.last_written()? <= self.at)
    }

    /// Where the last byte that is not zero ends.
    pub(crate) fn last_written(&mut self) -> io::Result<u64> {
        let (mut from, mut end) = (self.at, self.at);
        while from < self.size {
            let bytes = self.bytes(from, CHUNK_BYTES)?;
            let read = bytes.len() as u64;
            if let Some(last) = bytes.iter().rposition(|byte| *byte != 0) {
                end = from + last as u64 + 1;
            }
            from += read;
        }
        Ok(end)
    }

    /// Whether a frame of this segment starts anywhere behind here. Its body need not be whole.
    /// A frame is only written when the one before it is durable: what is damaged here was.
    pub(crate) fn frame_follows(&mut self) -> io::Result<bool> {
        let mut at = self.at + ALIGNMENT as u64;
        while at < self.size {
            let number = self.number;
            let bytes = self.bytes(at, CHUNK_BYTES)?;
            let (length, whole) = (bytes.len(), bytes.len() - bytes.len() % ALIGNMENT);
            let mut starts = (0..length).step_by(ALIGNMENT);
            let candidate = starts.find(|n| bytes[*n..].starts_with(FRAME_MAGIC));
            match candidate {
                None => at += (whole as u64).max(ALIGNMENT as u64),
                Some(n) => {
                    let start = at + n as u64;
                    let found = FrameHeader::decode(self.bytes(start, FRAME_HEADER)?);
                    let place = |h: FrameHeader| (h.segment, u64::from(h.offset));
                    if found.is_some_and(|h| place(h) == (number, start)) {
                        return Ok(true);
                    }
                    at = start + ALIGNMENT as u64;
                }
            }
        }
        Ok(false)
    }
}
