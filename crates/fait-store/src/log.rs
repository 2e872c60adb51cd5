//! The end of the log: where frames are written and made durable.

use crate::error::{OpenError, TOO_MANY_OPEN, no_room, too_many_open};
use crate::file::{Folder, LogFile};
use crate::flaw::{Flaw, flaw};
use crate::folder::{BEGUN, SPARE, segment_name};
use crate::format::{FRAME_HEADER, FrameHeader, SEGMENT_HEADER, SegmentHeader, VERSION};
use crate::options::Options;
use crate::shared::{Shared, Spare, lock};
use fait_core::event::Position;
use fait_core::store::StoreError;
use std::io;
use std::sync::Arc;
use uuid::Uuid;

/// Zeros are written so far ahead of the end: as much as is there already, within these. A write
/// over zeros changes nothing but bytes, and is durable sooner than one that makes a file longer.
const LEAST_AHEAD: u64 = 64 << 10;
const MOST_AHEAD: u64 = 4 << 20;

/// Where the log ends, as it was found when the store was opened.
pub(crate) struct Tail {
    pub(crate) file: Arc<dyn LogFile>,
    pub(crate) header: SegmentHeader,
    /// Where the next frame goes.
    pub(crate) end: u64,
    /// Length of the file.
    pub(crate) size: u64,
    /// Whether there is more than zeros behind the end.
    pub(crate) torn: bool,
    /// The last frame of the segment.
    pub(crate) last: Option<(u64, FrameHeader)>,
    /// What the next frame continues.
    pub(crate) chain: u32,
}

/// The log, open for writing.
pub(crate) struct Log {
    folder: Arc<dyn Folder>,
    options: Options,
    salt: u64,
    file: Arc<dyn LogFile>,
    header: SegmentHeader,
    end: u64,
    size: u64,
    chain: u32,
    last: Option<(u64, FrameHeader)>,
}

/// A frame could not be written.
pub(crate) enum WriteError {
    /// There is no room. Nothing was changed: the same may be tried again.
    Full(StoreError),
    /// Nobody knows what the disk holds now.
    Failed(StoreError),
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
        let path = folder.path().join(segment_name(tail.header.number));
        let file = &tail.file;
        let mut size = tail.size;
        let mut clean = || {
            if tail.torn && !flaw(Flaw::TornTailKept) {
                file.cut(tail.end.min(file.size()?))?;
                size = tail.end;
            }
            file.write_at(&tail.header.encode(), 0)?;
            if let Some((start, _)) = tail.last.filter(|_| !flaw(Flaw::LastFrameKept)) {
                let mut frame = vec![0; (tail.end - start) as usize];
                file.read_at(&mut frame, start)?;
                file.write_at(&frame, start)?;
            }
            file.sync()?;
            folder.sync()
        };
        clean().map_err(OpenError::io("write", &path))?;
        Ok(Log {
            options,
            salt: Uuid::new_v4().as_u64_pair().1,
            header: tail.header,
            end: tail.end,
            size,
            chain: tail.chain,
            last: tail.last,
            file: tail.file,
            folder,
        })
    }

    /// The header of the segment that is written.
    pub(crate) fn header(&self) -> &SegmentHeader {
        &self.header
    }

    pub(crate) fn file(&self) -> &Arc<dyn LogFile> {
        &self.file
    }

    /// Where the next frame goes in it.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// The last frame of the segment.
    pub(crate) fn last(&self) -> Option<&(u64, FrameHeader)> {
        self.last.as_ref()
    }

    /// Whether nothing is left to be proven durable.
    pub(crate) fn is_sealed(&self) -> bool {
        self.last.is_none_or(|(_, header)| header.events == 0)
    }

    /// Whether a frame of so many bytes has no place in this segment any more.
    pub(crate) fn is_full_for(&self, bytes: u64) -> bool {
        let empty = self.end <= SEGMENT_HEADER as u64;
        !empty && self.end + bytes > self.options.segment_bytes
    }

    /// Makes room for a frame of so many bytes.
    pub(crate) fn reserve(&mut self, bytes: u64) -> Result<(), WriteError> {
        let needed = self.end + bytes;
        if needed <= self.size || !self.options.durability.is_durable() {
            return Ok(());
        }
        let ahead = self.end.clamp(LEAST_AHEAD, MOST_AHEAD);
        let written = self.zeros_to((needed + ahead).min(self.options.segment_bytes.max(needed)));
        // What finds no room ahead may find it without.
        let written = match written {
            Err(e) if no_room(&e) => self.zeros_to(needed),
            written => written,
        };
        written.map_err(|e| self.refused(self.header.number, bytes, e))
    }

    fn zeros_to(&mut self, target: u64) -> io::Result<()> {
        let from = self.size.max(self.end);
        let zeros = vec![0; (target - from) as usize];
        self.file.write_at(&zeros, from)?;
        self.size = target;
        Ok(())
    }

    /// Writes a frame whose records stand in `frame` behind room for the header, and makes it
    /// durable. After an error the log must not be written again.
    pub(crate) fn write(
        &mut self,
        frame: &mut Vec<u8>,
        first: Position,
        events: u32,
    ) -> Result<(), StoreError> {
        frame.resize(frame.len().next_multiple_of(8), 0);
        let mut header = FrameHeader {
            body: (frame.len() - FRAME_HEADER) as u32,
            first,
            durable: first - 1,
            events,
            chain: self.chain,
            salt: self.salt,
            segment: self.header.number,
            offset: self.end as u32,
            body_crc: crc32fast::hash(&frame[FRAME_HEADER..]),
            packed: true,
            crc: 0,
        };
        frame[..FRAME_HEADER].copy_from_slice(&header.encode());
        let unsynced = flaw(Flaw::IndexBeforeLog) && events == 0;
        let durable = self.options.durability.is_durable() && !unsynced;
        self.file
            .write_at(frame, self.end)
            .and_then(|()| if durable { sync(&*self.file) } else { Ok(()) })
            .map_err(|e| self.failed(self.header.number, &e))?;
        self.last = Some((self.end, header));
        self.end += frame.len() as u64;
        self.size = self.size.max(self.end);
        self.chain = header.crc;
        Ok(())
    }

    /// Writes an empty frame, which proves that everything before it was durable.
    pub(crate) fn seal(&mut self, head: Position) -> Result<(), StoreError> {
        self.write(&mut vec![0; FRAME_HEADER], head + 1, 0)
    }

    /// Goes on in a new segment, whose header and name are durable before it is used.
    pub(crate) fn roll(&mut self, first: Position, shared: &Shared) -> Result<(), WriteError> {
        let number = self.header.number + 1;
        if !self.options.durability.is_durable() {
            self.file.sync().map_err(|e| {
                let failed = self.failed(self.header.number, &e);
                WriteError::Failed(failed)
            })?;
        }
        let header = SegmentHeader {
            version: VERSION,
            store: self.header.store,
            number,
            first,
            chain: self.chain,
            rewritten: None,
        };
        // Held until the file has its new name: the keeper gives another file the old one then.
        let mut spare = lock(&shared.spare);
        let made = begin(&*self.folder, std::mem::take(&mut *spare), &header);
        drop(spare);
        let (file, size) = made.map_err(|e| self.refused(number, SEGMENT_HEADER as u64, e))?;
        (self.file, self.size) = (file, size);
        self.header = header;
        self.end = SEGMENT_HEADER as u64;
        self.last = None;
        Ok(())
    }

    /// Gives back the room that was made ahead.
    pub(crate) fn trim(&mut self) -> io::Result<()> {
        if self.size > self.end {
            self.file.cut(self.end)?;
            self.size = self.end;
        }
        Ok(())
    }

    fn refused(&self, segment: u32, bytes: u64, error: io::Error) -> WriteError {
        let path = self.folder.path().join(segment_name(segment));
        if no_room(&error) {
            return WriteError::Full(StoreError::new(format_args!(
                "there is no room for {bytes} bytes in {}: {error}; nothing was changed: free \
                 space and send it again",
                path.display()
            )));
        }
        if too_many_open(&error) {
            return WriteError::Full(StoreError::new(format_args!(
                "cannot make {}: {error}; nothing was changed: {TOO_MANY_OPEN}, and send it again",
                path.display()
            )));
        }
        WriteError::Failed(self.failed(segment, &error))
    }

    fn failed(&self, segment: u32, error: &io::Error) -> StoreError {
        StoreError::new(format_args!(
            "cannot write {}: {error}; the store refuses appends until it is opened again: free \
             space or mend the disk, then restart. What was acknowledged is safe and can be read",
            self.folder.path().join(segment_name(segment)).display()
        ))
    }
}

/// Makes what was written durable. When that fails nobody knows what the disk holds, so it is not
/// tried again.
fn sync(file: &dyn LogFile) -> io::Result<()> {
    file.sync().or_else(|e| match flaw(Flaw::SyncRetried) {
        true => file.sync(),
        false => Err(e),
    })
}

/// Makes a segment: from a file made ahead, or a new one. It has its name only once its header is
/// durable. Gives the file and its length.
pub(crate) fn begin(
    folder: &dyn Folder,
    spare: Spare,
    header: &SegmentHeader,
) -> io::Result<(Arc<dyn LogFile>, u64)> {
    let (name, file, size) = match spare {
        Spare::Ready(file, size) => (SPARE, file, size),
        Spare::None | Spare::Failed => (BEGUN, folder.create(BEGUN)?, SEGMENT_HEADER as u64),
    };
    file.write_at(&header.encode(), 0)?;
    if !flaw(Flaw::HeaderSync) {
        file.sync()?;
    }
    folder.rename(name, &segment_name(header.number))?;
    // It has its name, durably or not: also without room nothing may go on in the one before.
    folder.sync().map_err(io::Error::other)?;
    Ok((file, size))
}
