//! Verifying: every byte that a store has written is read and checked.

mod identity;
mod index;

use super::error::ToolError;
use super::progress::{Progress, Steps};
use super::reading::{SegmentFile, Unread, newest_of, sizes};
use crate::file::{Folder, RealFolder};
use crate::folder::{BACKUP, ERASING, index_name, read_whole, segment_name};
use crate::format::{BackupHeader, Pending, SegmentHeader};
use crate::walk::{Failed, Walk};
use fait_core::event::Position;
use identity::identity;
use index::{Compared, Outcome};
use std::io;
use std::path::Path;
use uuid::Uuid;

/// What verifying a store has found. Nothing was changed.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Verified {
    /// What every file of the store carries.
    pub store: Uuid,
    /// What the world knows it by; nil when that cannot be read.
    pub history: Uuid,
    /// Whether it is a backup.
    pub is_backup: bool,
    /// Events that are whole, erased ones included.
    pub events: u64,
    /// Events of which only the place is left.
    pub erased: u64,
    /// Segments of the log.
    pub segments: u32,
    /// Groups of appends in them, each with its checksum.
    pub frames: u64,
    /// Bytes of the log that were checked.
    pub bytes: u64,
    /// Bytes of the index files.
    pub index_bytes: u64,
    /// Bytes behind the last whole frame: a write that is under way, or was cut short. It was
    /// never acknowledged, and is no damage.
    pub unfinished_bytes: u64,
    /// What is damaged.
    pub problems: Vec<Problem>,
    /// What is worth knowing, and no damage.
    pub notes: Vec<String>,
}

/// Something that is damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The name of the file in the folder.
    pub file: String,
    /// Where the damage starts.
    pub offset: u64,
    /// What is wrong there.
    pub what: String,
    /// Whether the file is an index, which is made again when it is deleted.
    pub is_index: bool,
}

/// Checks every checksum of a store or a backup, the order of all frames and files, and each
/// index against the log. A program may write to the store meanwhile.
///
/// # Errors
/// There is no store, or a newer program wrote it, or the folder cannot be read. What is damaged
/// is no error: it is in the answer.
pub fn verify(folder: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Verified, ToolError> {
    verify_in(&RealFolder::new(folder, false), progress)
}

pub(crate) fn verify_in(
    folder: &dyn Folder,
    progress: &mut dyn FnMut(Progress),
) -> Result<Verified, ToolError> {
    let mut verified = Verified::default();
    let place = identity(folder, &mut verified)?;
    let backup = place.and_then(|place| place.backup);
    let there = newest_of(folder)?;
    let newest = backup.map_or(there, |backup| backup.segments);
    let (log, index) = sizes(folder, newest);
    verified.index_bytes = index;
    let mut verifying = Verifying {
        folder,
        store: place.map(|place| place.store),
        next: Some((0, 1)),
        steps: Steps::new(log, progress),
        before: 0,
        verified,
    };
    for number in 1..=newest {
        verifying.segment(number, number == newest);
    }
    verifying.erasing();
    if let Some(backup) = backup {
        verifying.backup(&backup, there);
    }
    verifying.steps.end();
    Ok(verifying.verified)
}

struct Verifying<'a> {
    folder: &'a dyn Folder,
    store: Option<Uuid>,
    /// Chain and position that the next segment goes on from; none when that is not known,
    /// because something before it is damaged.
    next: Option<(u32, Position)>,
    steps: Steps<'a>,
    /// Bytes of the segments before.
    before: u64,
    verified: Verified,
}

impl Verified {
    fn problem(&mut self, file: &str, offset: u64, what: impl Into<String>) {
        self.problems.push(Problem {
            file: file.into(),
            offset,
            what: what.into(),
            is_index: file.ends_with(".idx"),
        });
    }
}

impl Verifying<'_> {
    fn segment(&mut self, number: u32, newest: bool) {
        let name = segment_name(number);
        let mut index = Compared::read(self.folder, number);
        let opened = SegmentFile::open(self.folder, number, self.store, newest);
        let segment = match opened {
            Ok(segment) => segment,
            Err(unread) => {
                self.unread(&name, unread);
                index.alone();
                return self.index(number, index);
            }
        };
        self.store.get_or_insert(segment.header.store);
        self.verified.store = segment.header.store;
        self.verified.segments += 1;
        self.continues(&name, &segment.header);
        index.fit(&segment.header);
        let mut walk = segment.walk();
        let walked = self.frames(&segment, &mut walk, &mut index);
        self.verified.bytes += walk.at;
        self.before += segment.size;
        self.steps.to(self.before);
        let sound = walked.is_ok();
        self.next = match walked {
            Ok(()) => Some((segment.chain_out(&walk), walk.next)),
            Err(failed) => {
                let first = walk.next;
                self.verified
                    .problem(&name, walk.at, in_words(failed, first));
                None
            }
        };
        if newest && sound {
            self.unfinished(&name, &mut walk);
        }
        index.end(&walk, &segment, sound);
        self.index(number, index);
    }

    fn frames(
        &mut self,
        segment: &SegmentFile,
        walk: &mut Walk<'_>,
        index: &mut Compared,
    ) -> Result<(), Failed> {
        loop {
            index.at(walk, &segment.header);
            let (mut events, mut erased) = (0, 0);
            let taken = segment.next(walk, |found| {
                events += 1;
                erased += u64::from(found.event.erased);
                index.add(&found);
            });
            if taken?.is_none() {
                return Ok(());
            }
            self.verified.frames += 1;
            self.verified.events += events;
            self.verified.erased += erased;
            self.steps.to(self.before + walk.at);
        }
    }

    fn unread(&mut self, name: &str, unread: Unread) {
        self.next = None;
        match unread {
            // The header is durable before anything is written behind it.
            Unread::Unfinished(bytes) => self.verified.unfinished_bytes += bytes,
            Unread::Damaged(what) => self.verified.problem(name, 0, what),
            Unread::Newer(version) => {
                let what = format!(
                    "it says format version {version}, which this program is too \
                                    old for"
                );
                self.verified.problem(name, 0, what);
            }
            Unread::Io(e) if e.kind() == io::ErrorKind::NotFound => {
                self.verified.problem(name, 0, "the file is missing");
            }
            Unread::Io(e) => self.verified.problem(name, 0, cannot_read(&e)),
        }
    }

    /// Whether a segment goes on where the one before it ended.
    fn continues(&mut self, name: &str, header: &SegmentHeader) {
        let Some((chain, first)) = self.next else {
            return;
        };
        if header.first != first {
            let what = format!(
                "it begins with position {}, and position {first} is next",
                header.first
            );
            self.verified.problem(name, 32, what);
        } else if header.chain != chain {
            let what = "it does not continue the segment before it";
            self.verified.problem(name, 40, what);
        }
    }

    fn unfinished(&mut self, name: &str, walk: &mut Walk<'_>) {
        match walk.last_written() {
            Ok(end) => self.verified.unfinished_bytes += end.saturating_sub(walk.at),
            Err(e) => self.verified.problem(name, walk.at, cannot_read(&e)),
        }
    }

    fn index(&mut self, number: u32, index: Compared) {
        let name = index_name(number);
        match index.outcome {
            Outcome::Fine => {}
            Outcome::Note(note) => self.verified.notes.push(format!("{name} {note}")),
            Outcome::Damaged(offset, what) => self.verified.problem(&name, offset, what),
            Outcome::Lost(offset, what) => {
                self.verified.problem(&segment_name(number), offset, what);
            }
        }
    }

    /// What is being erased.
    fn erasing(&mut self) {
        let pending = match read_whole(self.folder, ERASING) {
            Ok(None) => return,
            Ok(Some(bytes)) => Pending::decode(&bytes),
            Err(e) => return self.verified.problem(ERASING, 0, cannot_read(&e)),
        };
        match pending {
            Some(pending) => self.verified.notes.push(format!(
                "everything under the tag `{}` is being erased; if no program is at it, opening \
                 the store finishes it",
                pending.tag
            )),
            None => {
                let what = "its checksum does not fit: something is half erased, and what it was \
                            is not known";
                self.verified.problem(ERASING, 0, what);
            }
        }
    }

    /// Whether a backup has all that it names. What it has beyond that is not looked at.
    fn backup(&mut self, backup: &BackupHeader, there: u32) {
        let Some((_, next)) = self.next else {
            return;
        };
        if next <= backup.head {
            let what = format!(
                "it names position {}, and the log ends at {}",
                backup.head,
                next - 1
            );
            self.verified.problem(BACKUP, 64, what);
        } else if next > backup.head + 1 || there > backup.segments {
            self.verified.notes.push(format!(
                "a later backup was cut short: the events behind position {} do not count; make it \
                 again",
                backup.head
            ));
        }
    }
}

fn cannot_read(e: &io::Error) -> String {
    format!("it cannot be read: {e}")
}

fn in_words(failed: Failed, first: Position) -> String {
    match failed {
        Failed::Io(e) => cannot_read(&e),
        Failed::End => "it ends too early".into(),
        Failed::Torn(what) | Failed::Wrong(what) => {
            format!("{what}; from position {first} on, this file is not to be trusted")
        }
    }
}
