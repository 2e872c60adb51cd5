//! An index file, compared with the one that the log gives.

use crate::file::Folder;
use crate::folder::{index_name, read_whole};
use crate::format::{
    HeaderError, INDEX_HEADER, IndexHeader, PAGE_BYTES, SegmentHeader, check_page,
};
use crate::index::Builder;
use crate::keeper::{add, finish};
use crate::tools::reading::SegmentFile;
use crate::walk::{Found, Walk};

/// What came of it.
pub(super) enum Outcome {
    Fine,
    /// Where the damage starts, and what it is.
    Damaged(u64, String),
    Note(String),
    /// The log ends before what the index knows of.
    Lost(u64, String),
}

/// The index file of a segment.
pub(super) struct Compared {
    bytes: Vec<u8>,
    /// What it says of itself, with the index that is being made, until it is compared.
    open: Option<(IndexHeader, Builder)>,
    pub(super) outcome: Outcome,
}

impl Compared {
    /// Reads the index file of a segment, if there is one. To be read before the segment, which
    /// may be growing: so it cannot know more.
    pub(super) fn read(folder: &dyn Folder, number: u32) -> Compared {
        match read(folder, number) {
            Ok(Some((bytes, header))) => Compared {
                bytes,
                open: Some((header, Builder::default())),
                outcome: Outcome::Fine,
            },
            Ok(None) => Compared::with(Outcome::Fine),
            Err(outcome) => Compared::with(outcome),
        }
    }

    /// Whether it is the index of this segment.
    pub(super) fn fit(&mut self, segment: &SegmentHeader) {
        let Some((header, _)) = &self.open else {
            return;
        };
        let damaged = |what: &str| Outcome::Damaged(0, what.into());
        let outcome = if header.number != segment.number {
            damaged("it is of another segment than its name says")
        } else if header.store != segment.store {
            damaged("it belongs to another store")
        } else if header.generation != segment.generation() {
            let note = "was made before its segment was written anew; it is not used";
            Outcome::Note(note.into())
        } else {
            return;
        };
        *self = Compared::with(outcome);
    }

    /// Its segment cannot be read: it is checked by itself.
    pub(super) fn alone(&mut self) {
        if self.open.take().is_some() {
            self.outcome = pages(&self.bytes);
        }
    }

    fn with(outcome: Outcome) -> Compared {
        Compared {
            bytes: vec![],
            open: None,
            outcome,
        }
    }

    /// Takes in the next event of the log.
    pub(super) fn add(&mut self, found: &Found<'_>) {
        if let Some((_, builder)) = &mut self.open {
            add(builder, found);
        }
    }

    /// The log is read up to here: if the index ends here, it is compared.
    pub(super) fn at(&mut self, walk: &Walk<'_>, segment: &SegmentHeader) {
        let ends = |(header, _): &mut (IndexHeader, Builder)| u64::from(header.end) == walk.at;
        let Some((header, builder)) = self.open.take_if(ends) else {
            return;
        };
        let built = finish(builder, walk, segment);
        if built.header != header {
            let note = "was made for another end of its segment; it is not used";
            self.outcome = Outcome::Note(note.into());
            return;
        }
        let same = self.bytes.iter().zip(&built.image);
        let same = same.take_while(|(a, b)| a == b).count();
        if same < self.bytes.len().max(built.image.len()) {
            let what = "it is not the index of its segment";
            self.outcome = Outcome::Damaged(same as u64, what.into());
        }
        self.bytes = vec![];
    }

    /// The log of the segment was read to its end, or to where it is damaged.
    pub(super) fn end(&mut self, walk: &Walk<'_>, segment: &SegmentFile, sound: bool) {
        let Some((header, _)) = self.open.take() else {
            return;
        };
        self.outcome = match pages(&self.bytes) {
            Outcome::Fine if !sound => Outcome::Fine,
            Outcome::Fine if u64::from(header.end) > walk.at => {
                let known = walk.next - segment.header.first;
                let what = format!(
                    "the log ends here with event {known} of this segment, and its index knows of \
                     {}: events were lost",
                    header.events
                );
                Outcome::Lost(walk.at, what)
            }
            Outcome::Fine => {
                let note = "was made for another end of its segment; it is not used";
                Outcome::Note(note.into())
            }
            damaged => damaged,
        };
    }
}

fn read(folder: &dyn Folder, number: u32) -> Result<Option<(Vec<u8>, IndexHeader)>, Outcome> {
    let damaged = |what: String| Err(Outcome::Damaged(0, what));
    let bytes = match read_whole(folder, &index_name(number)) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(None),
        Err(e) => return damaged(format!("it cannot be read: {e}")),
    };
    match IndexHeader::decode(&bytes) {
        Ok(header) => Ok(Some((bytes, header))),
        Err(HeaderError::Damaged(what)) => damaged(what.into()),
        Err(HeaderError::Foreign) => damaged("it does not begin as it should".into()),
        Err(HeaderError::Newer(version)) => damaged(format!(
            "it says format version {version}, its segment does not"
        )),
    }
}

/// Checks the checksum of each page.
fn pages(bytes: &[u8]) -> Outcome {
    let pages = bytes.get(INDEX_HEADER..).unwrap_or(&[]).chunks(PAGE_BYTES);
    let mut numbered = pages.zip(0_u64..);
    match numbered.find(|(page, _)| check_page(page).is_none()) {
        None => Outcome::Fine,
        Some((_, number)) => {
            let at = INDEX_HEADER as u64 + number * PAGE_BYTES as u64;
            Outcome::Damaged(at, "the checksum of a page does not fit".into())
        }
    }
}
