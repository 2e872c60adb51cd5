//! Exporting: every event as a line of JSON.

use super::error::ToolError;
use super::line;
use super::progress::{Progress, Steps};
use super::reading::{End, Place, SegmentFile, bad, damaged, end_of, place, sizes, unreadable};
use crate::file::{Folder, RealFolder};
use crate::folder::segment_name;
use fait_core::event::Position;
use std::io::Write;
use std::path::Path;
use uuid::Uuid;

/// Lines are written when there are so many bytes of them.
const WRITE_BYTES: usize = 256 << 10;

/// What was exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exported {
    /// What the world knows the store by: the source of every event.
    pub history: Uuid,
    /// Events, one on each line: the position of the last.
    pub events: Position,
    /// Bytes that were written.
    pub bytes: u64,
}

/// Writes every event of a store, or of a backup, as one line of JSON: a CloudEvents 1.0 object
/// with the position, the times, the tags and where it comes from as extensions. The data stands
/// in it as it was stored. [`import`](super::import()) makes a store of it that has the same
/// events, at the same positions. A program may write to the store meanwhile; what it had when
/// the export began is exported.
///
/// # Errors
/// There is no store, it is damaged, or `out` fails. What was written until then is no export.
pub fn export(
    folder: &Path,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(Progress),
) -> Result<Exported, ToolError> {
    export_from(&RealFolder::new(folder, false), out, progress)
}

pub(crate) fn export_from(
    folder: &dyn Folder,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(Progress),
) -> Result<Exported, ToolError> {
    let place = place(folder)?;
    let end = end_of(folder, &place)?;
    let mut exporting = Exporting {
        folder,
        place,
        end,
        next: (0, 1),
        before: 0,
        steps: Steps::new(sizes(folder, end.newest).0, progress),
        lines: Vec::with_capacity(2 * WRITE_BYTES),
        written: 0,
        out,
    };
    for number in 1..=end.newest {
        exporting.segment(number)?;
    }
    if exporting.next.1 != end.head + 1 {
        let file = folder.path().join(segment_name(end.newest));
        return Err(damaged(&file, 0, "the log ends elsewhere than before"));
    }
    exporting.write()?;
    exporting.out.flush().map_err(ToolError::Output)?;
    exporting.steps.end();
    Ok(Exported {
        history: place.history,
        events: end.head,
        bytes: exporting.written,
    })
}

struct Exporting<'a> {
    folder: &'a dyn Folder,
    place: Place,
    end: End,
    /// Chain and position that the next segment goes on from.
    next: (u32, Position),
    /// Bytes of the segments before.
    before: u64,
    steps: Steps<'a>,
    lines: Vec<u8>,
    written: u64,
    out: &'a mut dyn Write,
}

impl Exporting<'_> {
    fn segment(&mut self, number: u32) -> Result<(), ToolError> {
        let newest = number == self.end.newest;
        let segment = SegmentFile::open(self.folder, number, Some(self.place.store), newest);
        let segment = segment.map_err(|unread| unreadable(self.folder, number, unread))?;
        if (segment.header.chain, segment.header.first) != self.next {
            let what = "it does not continue the segment before it";
            return Err(damaged(&segment.path, 0, what));
        }
        let mut walk = segment.walk();
        while !newest || walk.next <= self.end.head {
            let (lines, history) = (&mut self.lines, self.place.history);
            let mut readable = true;
            let at = walk.at;
            let taken = segment.next(&mut walk, |found| {
                readable &= line::put(lines, history, &found).is_some();
            });
            let taken = taken.map_err(|failed| bad(&segment.path, at, failed))?;
            if !readable {
                return Err(damaged(&segment.path, at, "a record cannot be read"));
            }
            if taken.is_none() {
                break;
            }
            self.steps.to(self.before + walk.at);
            if self.lines.len() >= WRITE_BYTES {
                self.write()?;
            }
        }
        self.next = (segment.chain_out(&walk), walk.next);
        self.before += segment.size;
        Ok(())
    }

    fn write(&mut self) -> Result<(), ToolError> {
        self.out.write_all(&self.lines).map_err(ToolError::Output)?;
        self.written += self.lines.len() as u64;
        self.lines.clear();
        Ok(())
    }
}
