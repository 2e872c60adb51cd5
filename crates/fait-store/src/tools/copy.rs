//! Copying a segment: what was copied is read again and checked before it gets its name.

use super::error::ToolError;
use super::progress::Steps;
use super::reading::{SegmentFile, bad, damaged, padded, unreadable};
use crate::file::{Folder, LogFile};
use crate::folder::{ERASING, index_name, read_whole, segment_name, write_whole};
use crate::format::{INDEX_HEADER, IndexHeader, PAGE_BYTES, check_page};
use crate::walk::{Failed, Walk};
use fait_core::event::Position;
use std::io;
use uuid::Uuid;

/// So much is copied at once.
const CHUNK_BYTES: usize = 1 << 20;

/// Copies the segments of a log, one after the other.
pub(super) struct Copying<'a, 'b> {
    pub(super) from: &'a dyn Folder,
    pub(super) to: &'a dyn Folder,
    pub(super) store: Uuid,
    /// What is behind this position is left out.
    pub(super) head: Position,
    /// The segment that the head is in.
    pub(super) newest: u32,
    /// Chain and position that the next segment must go on from, when they are known.
    pub(super) next: Option<(u32, Position)>,
    pub(super) steps: &'a mut Steps<'b>,
}

/// Where a copy ends, and what comes behind.
#[derive(Clone, Copy)]
struct Whole {
    end: u64,
    chain: u32,
    next: Position,
}

impl Whole {
    fn of(walk: &Walk<'_>) -> Whole {
        Whole {
            end: walk.at,
            chain: walk.chain,
            next: walk.next,
        }
    }
}

impl Copying<'_, '_> {
    /// Copies one segment, and its index if that fits. Gives how many bytes they have.
    pub(super) fn segment(&mut self, number: u32) -> Result<u64, ToolError> {
        let newest = number == self.newest;
        // Before the segment, which may be growing: so it cannot know more.
        let index = self.index(number);
        let segment = SegmentFile::open(self.from, number, Some(self.store), newest);
        let segment = segment.map_err(|unread| unreadable(self.from, number, unread))?;
        let header = segment.header;
        let expected = self.next.unwrap_or((header.chain, header.first));
        if expected != (header.chain, header.first) {
            let what = "it does not continue the segment before it";
            return Err(damaged(&segment.path, 0, what));
        }
        let name = segment_name(number);
        let new = format!("{name}.new");
        let path = self.to.path().join(&new);
        let copy = self.to.create(&new).map_err(ToolError::io("make", &path))?;
        let copied = self.bytes(&segment, &*copy);
        copied.map_err(ToolError::io("copy to", &path))?;
        let copied = SegmentFile {
            file: padded(copy.clone()),
            path: segment.path.clone(),
            ..segment
        };
        let fit = index.filter(|(index, _)| index.generation == header.generation());
        let (whole, fits) = self.check(&copied, fit.as_ref().map(|(index, _)| index))?;
        let named = copy
            .cut(whole.end)
            .and_then(|()| copy.sync())
            .and_then(|()| self.to.rename(&new, &name));
        named.map_err(ToolError::io("write", &path))?;
        let all = |index: &IndexHeader| newest || u64::from(index.end) == whole.end;
        let fit = fit.filter(|(index, _)| fits && all(index));
        let index_bytes = self.keep_index(number, fit.map(|(_, bytes)| bytes))?;
        let chain = header.rewritten.map_or(whole.chain, |r| r.chain_out);
        self.next = Some((chain, whole.next));
        Ok(whole.end + index_bytes)
    }

    /// Copies the bytes. Zeros at the end are not written.
    fn bytes(&mut self, segment: &SegmentFile, copy: &dyn LogFile) -> io::Result<()> {
        let mut buffer = vec![0; CHUNK_BYTES.min(segment.size as usize)];
        let mut at = 0;
        while at < segment.size {
            let length = buffer.len().min((segment.size - at) as usize);
            let chunk = &mut buffer[..length];
            segment.file.read_at(chunk, at)?;
            if let Some(last) = chunk.iter().rposition(|byte| *byte != 0) {
                copy.write_at(&chunk[..=last], at)?;
            }
            at += length as u64;
            self.steps.more(length as u64);
        }
        Ok(())
    }

    /// Walks through a copy, of the newest segment up to the head and the seals behind it. Says
    /// whether an index ends with one of its frames.
    fn check(
        &self,
        copied: &SegmentFile,
        index: Option<&IndexHeader>,
    ) -> Result<(Whole, bool), ToolError> {
        let mut walk = copied.walk();
        let mut fits = false;
        let mut look = |walk: &Walk<'_>| {
            let last = index.zip(walk.last.as_ref());
            fits |= last.is_some_and(|(index, (at, frame))| {
                (u64::from(index.end), u64::from(index.last_frame)) == (walk.at, *at)
                    && index.last_crc == frame.crc
            });
            Whole::of(walk)
        };
        let mut whole = Whole::of(&walk);
        while !copied.newest || walk.next <= self.head {
            match walk.frame(|_| {}) {
                Ok(_) => whole = look(&walk),
                Err(Failed::End) if !copied.newest => return Ok((whole, fits)),
                Err(failed) => return Err(bad(&copied.path, walk.at, failed)),
            }
        }
        // What follows may be half written.
        while let Ok(frame) = walk.frame(|_| {})
            && frame.events == 0
        {
            whole = look(&walk);
        }
        Ok((whole, fits))
    }

    /// The index file of a segment, if it is sound.
    fn index(&self, number: u32) -> Option<(IndexHeader, Vec<u8>)> {
        let bytes = read_whole(self.from, &index_name(number)).ok()??;
        let header = IndexHeader::decode(&bytes).ok()?;
        let pages = bytes[INDEX_HEADER..].chunks(PAGE_BYTES);
        let sound = pages.into_iter().all(|page| check_page(page).is_some())
            && (header.number, header.store) == (number, self.store);
        sound.then_some((header, bytes))
    }

    /// Writes an index file, or removes one that does not fit any more.
    fn keep_index(&self, number: u32, bytes: Option<Vec<u8>>) -> Result<u64, ToolError> {
        let name = index_name(number);
        let path = self.to.path().join(&name);
        let Some(bytes) = bytes else {
            remove(self.to, &name).map_err(ToolError::io("remove", &path))?;
            return Ok(0);
        };
        let written = write_whole(self.to, &name, &bytes);
        written.map_err(ToolError::io("write", &path))?;
        Ok(bytes.len() as u64)
    }

    /// Copies the note of what is being erased, so that a restored store goes on with it. What
    /// it was before an erasure must not come back.
    pub(super) fn erasing(&self, note: Option<&[u8]>) -> Result<(), ToolError> {
        let path = self.to.path().join(ERASING);
        match note {
            Some(bytes) => write_whole(self.to, ERASING, bytes),
            None => remove(self.to, ERASING),
        }
        .map_err(ToolError::io("write", &path))
    }
}

/// Removes a file that may not be there.
pub(super) fn remove(folder: &dyn Folder, name: &str) -> io::Result<()> {
    match folder.remove(name) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}
