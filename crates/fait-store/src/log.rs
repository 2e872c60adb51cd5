//! The end of the log: where frames are written and made durable.

use crate::error::OpenError;
use crate::file::{Folder, LogFile};
use crate::flaw::{Flaw, flaw};
use crate::folder::segment_name;
use crate::format::{FRAME_HEADER, FrameHeader, SEGMENT_HEADER, SegmentHeader};
use crate::options::Options;
use fait_core::event::Position;
use fait_core::store::{Durability, StoreError};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// One file of the log.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) number: u32,
    pub(crate) file: Arc<dyn LogFile>,
}

/// Where the log ends, as it was found when the store was opened.
#[derive(Debug)]
pub(crate) struct Tail {
    pub(crate) segment: Segment,
    pub(crate) header: SegmentHeader,
    /// Where the next frame goes.
    pub(crate) end: u64,
    /// Whether the file has more than that.
    pub(crate) torn: bool,
    /// Where the last frame of the segment starts.
    pub(crate) last_frame: Option<u64>,
    /// Header checksum of the last frame of the store.
    pub(crate) chain: u32,
    /// Whether that frame is a seal, or there is none to be sealed.
    pub(crate) sealed: bool,
}

/// The log, open for writing.
pub(crate) struct Log {
    folder: Arc<dyn Folder>,
    store: Uuid,
    options: Options,
    salt: u64,
    segment: Segment,
    end: u64,
    chain: u32,
    sealed: bool,
}

/// A frame that stands in the log.
pub(crate) struct Written {
    pub(crate) segment: Segment,
    pub(crate) offset: u32,
    /// What the log has grown by.
    pub(crate) bytes: u64,
}

impl Log {
    /// Makes a clean end and goes on from there. A torn tail is cut; the last frame and the
    /// header are written once more, because a sync that failed in an earlier life may have left
    /// them readable but not durable, and a sync alone would not notice.
    pub(crate) fn resume(
        folder: Arc<dyn Folder>,
        tail: Tail,
        options: Options,
    ) -> Result<Log, OpenError> {
        let path = folder.path().join(segment_name(tail.segment.number));
        let file = &tail.segment.file;
        let clean = || {
            if tail.torn && !flaw(Flaw::TornTailKept) {
                file.cut(tail.end.min(file.size()?))?;
            }
            file.write_at(&tail.header.encode(), 0)?;
            if let Some(start) = tail.last_frame.filter(|_| !flaw(Flaw::LastFrameKept)) {
                let mut frame = vec![0; (tail.end - start) as usize];
                file.read_at(&mut frame, start)?;
                file.write_at(&frame, start)?;
            }
            file.sync()?;
            folder.sync()
        };
        clean().map_err(OpenError::io("write", &path))?;
        Ok(Log {
            store: tail.header.store,
            options,
            salt: Uuid::new_v4().as_u64_pair().1,
            segment: tail.segment,
            end: tail.end,
            chain: tail.chain,
            sealed: tail.sealed,
            folder,
        })
    }

    /// Makes the first segment of a store.
    pub(crate) fn begin(
        folder: Arc<dyn Folder>,
        store: Uuid,
        options: Options,
    ) -> Result<Log, OpenError> {
        let header = SegmentHeader {
            store,
            number: 1,
            first: 1,
            chain: 0,
        };
        let path = folder.path().join(segment_name(1));
        // Whoever made the store may have failed to make its name durable; no segment may be there
        // without it.
        let segment = folder.sync().and_then(|()| create(&*folder, &header));
        let segment = segment.map_err(OpenError::io("make", &path))?;
        let tail = Tail {
            segment,
            header,
            end: SEGMENT_HEADER as u64,
            torn: false,
            last_frame: None,
            chain: 0,
            sealed: true,
        };
        Log::resume(folder, tail, options)
    }

    /// What an acknowledgement is worth.
    pub(crate) fn durability(&self) -> Durability {
        self.options.durability
    }

    /// The segment that is written.
    pub(crate) fn segment(&self) -> &Segment {
        &self.segment
    }

    /// Where the next frame goes in it.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// How long nothing must come until the last frame is sealed.
    pub(crate) fn idle(&self) -> Duration {
        self.options.idle
    }

    /// Whether nothing is left to be proven durable.
    pub(crate) fn is_sealed(&self) -> bool {
        self.sealed
    }

    /// Writes a frame whose records stand in `frame` behind room for the header, and makes it
    /// durable. After an error the log must not be written again.
    pub(crate) fn write(
        &mut self,
        frame: &mut [u8],
        first: Position,
        events: u32,
    ) -> Result<Written, StoreError> {
        let mut bytes = frame.len() as u64;
        let full = self.end + bytes > self.options.segment_bytes;
        if full && self.end > SEGMENT_HEADER as u64 && events > 0 {
            self.roll(first)
                .map_err(|e| self.failed(self.segment.number + 1, &e))?;
            bytes += SEGMENT_HEADER as u64;
        }
        let offset = self.end as u32;
        let mut header = FrameHeader {
            body: (frame.len() - FRAME_HEADER) as u32,
            first,
            durable: first - 1,
            events,
            chain: self.chain,
            salt: self.salt,
            segment: self.segment.number,
            offset,
            body_crc: crc32fast::hash(&frame[FRAME_HEADER..]),
            crc: 0,
        };
        frame[..FRAME_HEADER].copy_from_slice(&header.encode());
        let file = &self.segment.file;
        file.write_at(frame, self.end)
            .and_then(|()| match self.options.durability {
                Durability::Sync | Durability::Group(_) => {
                    file.sync().or_else(|e| match flaw(Flaw::SyncRetried) {
                        true => file.sync(),
                        false => Err(e),
                    })
                }
                _ => Ok(()),
            })
            .map_err(|e| self.failed(self.segment.number, &e))?;
        self.end += frame.len() as u64;
        self.chain = header.crc;
        self.sealed = events == 0;
        Ok(Written {
            segment: self.segment.clone(),
            offset,
            bytes,
        })
    }

    /// Writes an empty frame, which proves that everything before it was durable.
    pub(crate) fn seal(&mut self, head: Position) -> Result<Written, StoreError> {
        self.write(&mut [0; FRAME_HEADER], head + 1, 0)
    }

    /// Goes on in a new segment, whose name and header are durable before it is used.
    fn roll(&mut self, first: Position) -> io::Result<()> {
        if self.options.durability == Durability::Os {
            self.segment.file.sync()?;
        }
        let header = SegmentHeader {
            store: self.store,
            number: self.segment.number + 1,
            first,
            chain: self.chain,
        };
        self.segment = create(&*self.folder, &header)?;
        self.end = SEGMENT_HEADER as u64;
        Ok(())
    }

    fn failed(&self, segment: u32, error: &io::Error) -> StoreError {
        StoreError::new(format_args!(
            "cannot write {}: {error}; the store refuses appends until it is opened again: free \
             space or mend the disk, then restart. What was acknowledged is safe and can be read",
            self.folder.path().join(segment_name(segment)).display()
        ))
    }
}

fn create(folder: &dyn Folder, header: &SegmentHeader) -> io::Result<Segment> {
    let file = folder.create(&segment_name(header.number))?;
    file.write_at(&header.encode(), 0)?;
    if !flaw(Flaw::HeaderSync) {
        file.sync()?;
    }
    folder.sync()?;
    Ok(Segment {
        number: header.number,
        file,
    })
}
