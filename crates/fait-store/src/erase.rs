//! Erasing: a tombstone is appended, then the segments that hold what is to go are written anew
//! without it. What is to be done is noted in a file first, so that a crash in between is made
//! good when the store is opened again.

use crate::error::remedy;
use crate::folder::{ERASING, read_whole, segment_name, write_whole};
use crate::format::{
    FRAME_HEADER, FrameHeader, Pending, Rewritten, SEGMENT_HEADER, SegmentHeader, VERSION,
    put_erased, put_event,
};
use crate::keeper::index_segment;
use crate::log::WriteError;
use crate::read::{self, none_pending, with_event};
use crate::shared::{Shared, lock};
use crate::stretch::{Segment, Stretch, selects};
use crate::walk::{Failed, Found, Walk};
use crate::writer::Writer;
use fait_core::event::Position;
use fait_core::query::Query;
use fait_core::store::{AppendError, Erase, Erased, Keep, StoreError, validate_erasure};
use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

/// Erases a stream. Takes as long as writing every segment that holds something of it.
pub(crate) fn erase(
    shared: &Shared,
    writer: &Mutex<Writer>,
    erase: &Erase,
) -> Result<Erased, AppendError> {
    validate_erasure(erase)?;
    shared.refuse_form(&erase.tombstone)?;
    let keeping = lock(&shared.keeping);
    if let Some(trouble) = shared.trouble.get() {
        return Err(trouble.clone().into());
    }
    finish(shared, writer, &keeping)?;
    let Some(first) = erase.tombstone.events.first() else {
        return Err(AppendError::Invalid(
            "an append needs at least one event".into(),
        ));
    };
    let pending = Pending {
        tombstone: first.id,
        tag: erase.tag.clone(),
        keep: erase.keep,
    };
    let noted = write_whole(&*shared.folder, ERASING, &pending.encode());
    noted.map_err(|e| cannot(shared, "write", ERASING, &e))?;
    let answer = lock(writer).commit([&erase.tombstone].into_iter()).pop();
    let answer = answer.unwrap_or_else(|| Err(shared.stopped().into()));
    let tombstone = match answer {
        Ok(tombstone) => tombstone,
        Err(e) => {
            // Nothing came of it; if the note stays, the next opening finds no tombstone. After a
            // failed write nobody knows: the note must stay, and the next opening finds out.
            if shared.trouble.get().is_none() {
                let _ = forget(shared);
            }
            return Err(e);
        }
    };
    let events = carry_out(shared, writer, &pending, tombstone.first, &keeping)?;
    forget(shared)?;
    Ok(Erased { tombstone, events })
}

/// Finishes what a crash or a full disk has interrupted.
pub(crate) fn finish(
    shared: &Shared,
    writer: &Mutex<Writer>,
    keeping: &MutexGuard<'_, ()>,
) -> Result<(), StoreError> {
    let noted = read_whole(&*shared.folder, ERASING);
    let Some(bytes) = noted.map_err(|e| cannot(shared, "read", ERASING, &e))? else {
        return Ok(());
    };
    let Some(pending) = Pending::decode(&bytes) else {
        return Err(StoreError::new(format_args!(
            "{} is damaged: something is half erased, and what it was is not known; keep a copy \
             of the folder and restore a backup",
            shared.path().join(ERASING).display()
        )));
    };
    let tombstone = read::event_by_id(shared, pending.tombstone, shared.head(), &none_pending)?;
    if let Some(position) = tombstone {
        carry_out(shared, writer, &pending, position, keeping)?;
    }
    forget(shared)
}

fn forget(shared: &Shared) -> Result<(), StoreError> {
    let removed = shared
        .folder
        .remove(ERASING)
        .and_then(|()| shared.folder.sync());
    removed.map_err(|e| cannot(shared, "remove", ERASING, &e))
}

fn cannot(shared: &Shared, what: &str, name: &str, error: &io::Error) -> StoreError {
    let path = shared.path().join(name);
    StoreError::new(format_args!(
        "cannot {what} {}: {error}; {}, then erase once more",
        path.display(),
        remedy(error)
    ))
}

/// Writes every segment anew that holds something under the tag before a position. Gives how
/// many events went.
fn carry_out(
    shared: &Shared,
    writer: &Mutex<Writer>,
    pending: &Pending,
    before: Position,
    keeping: &MutexGuard<'_, ()>,
) -> Result<u64, StoreError> {
    let query = Query::tags(vec![pending.tag.clone()]);
    let newest = shared.stretches().last().map(|s| s.segment.number);
    let mut segments: Vec<(Arc<Segment>, BTreeSet<u32>)> = vec![];
    for stretch in shared.stretches().iter() {
        let gone = matching(shared, stretch, &query, before)?;
        if gone.is_empty() {
            continue;
        }
        match segments.last_mut() {
            Some((segment, all)) if segment.number == stretch.segment.number => all.extend(gone),
            _ => segments.push((stretch.segment.clone(), gone)),
        }
    }
    if segments
        .iter()
        .any(|(segment, _)| Some(segment.number) == newest)
    {
        lock(writer).roll().map_err(|e| match e {
            WriteError::Full(e) => e,
            WriteError::Failed(e) => shared.poison(e),
        })?;
    }
    let mut count = 0;
    for (segment, gone) in segments {
        rewrite(shared, &segment, &gone, pending.keep, keeping)?;
        count += gone.len() as u64;
    }
    // What was read of the old files must not stay in memory.
    shared.pages.clear();
    Ok(count)
}

fn matching(
    shared: &Shared,
    stretch: &Stretch,
    query: &Query,
    before: Position,
) -> Result<BTreeSet<u32>, StoreError> {
    let mut found = BTreeSet::new();
    let Some(window) = stretch.window(1, before - 1, false) else {
        return Ok(found);
    };
    let mut search = stretch.search(query, window)?;
    while let Some(ordinal) = stretch.next_of(&mut search)? {
        if with_event(shared, stretch, ordinal, &none_pending, |view, _| {
            selects(query, view)
        })? {
            found.insert(ordinal);
        }
    }
    Ok(found)
}

/// Writes a full segment anew, without some of its events.
fn rewrite(
    shared: &Shared,
    segment: &Arc<Segment>,
    gone: &BTreeSet<u32>,
    keep: Keep,
    keeping: &MutexGuard<'_, ()>,
) -> Result<(), StoreError> {
    let name = segment_name(segment.number);
    let end = shared
        .stretches()
        .iter()
        .rfind(|s| s.segment.number == segment.number)
        .map_or(0, |s| s.end());
    let rewriting = Rewriting {
        shared,
        segment,
        gone,
        keep,
    };
    let written = rewriting.write(end);
    let end = written.map_err(|failed| {
        // On a full disk a part of it would take the last room.
        let _ = shared.folder.remove(&format!("{name}.new"));
        match failed {
            Failed::Io(e) => cannot(shared, "write anew", &name, &e),
            Failed::End => segment.damaged(0),
            Failed::Torn(_) | Failed::Wrong(_) => segment.damaged(0),
        }
    })?;
    let file = shared
        .folder
        .open(&name)
        .map_err(|e| cannot(shared, "open", &name, &e))?;
    let anew = Arc::new(Segment {
        number: segment.number,
        first: segment.first,
        path: segment.path.clone(),
        file: shared.pages.number(file),
    });
    index_segment(shared, &anew, end, keeping)
}

struct Rewriting<'a> {
    shared: &'a Shared,
    segment: &'a Segment,
    gone: &'a BTreeSet<u32>,
    keep: Keep,
}

impl Rewriting<'_> {
    /// Writes the new file and puts it in the place of the old one. Gives its length.
    fn write(&self, end: u64) -> Result<u64, Failed> {
        let mut bytes = vec![0; SEGMENT_HEADER];
        self.segment.disk().read_at(&mut bytes, 0)?;
        let damaged = Failed::Wrong("its header is damaged");
        let old = SegmentHeader::decode(&bytes).map_err(|_| damaged)?;
        let (number, folder) = (old.number, &*self.shared.folder);
        let new = format!("{}.new", segment_name(number));
        let file = folder.create(&new)?;
        let mut walk = Walk::begin(self.segment.disk(), end, number, old.chain, old.first);
        let (mut at, mut chain) = (SEGMENT_HEADER as u64, old.chain);
        while walk.at < end {
            let mut frame = vec![0; FRAME_HEADER];
            let mut unreadable = false;
            let header =
                walk.frame(|found| unreadable |= self.put(&mut frame, &found).is_none())?;
            if unreadable {
                return Err(Failed::Wrong("a record cannot be read"));
            }
            chain = close(&mut frame, header, at, chain);
            file.write_at(&frame, at)?;
            at += frame.len() as u64;
        }
        let chain_out = old.rewritten.map_or(walk.chain, |r| r.chain_out);
        let header = SegmentHeader {
            version: VERSION,
            rewritten: Some(Rewritten {
                generation: old.generation() + 1,
                chain_out,
            }),
            ..old
        };
        file.write_at(&header.encode(), 0)?;
        file.sync()?;
        folder.rename(&new, &segment_name(number))?;
        folder.sync()?;
        Ok(at)
    }

    /// Puts one event, or what is left of it, behind the others.
    fn put(&self, frame: &mut Vec<u8>, found: &Found<'_>) -> Option<()> {
        let (event, key) = (&found.event, found.command.map(|c| c.stored_key()));
        let ordinal = (event.position - self.segment.first) as u32;
        if self.gone.contains(&ordinal) {
            put_erased(frame, event, self.keep, key);
        } else if event.erased {
            let keep = Keep {
                types: true,
                times: true,
            };
            put_erased(frame, event, keep, key);
        } else {
            let key = key.map(|key| (key.key, key.events));
            put_event(
                frame,
                &event.to_new()?,
                event.position,
                event.recorded_at,
                key,
            );
        }
        Some(())
    }
}

/// Gives a frame its header: like the old one, for what stands in it now. Gives its checksum.
fn close(frame: &mut Vec<u8>, old: FrameHeader, at: u64, chain: u32) -> u32 {
    frame.resize(frame.len().next_multiple_of(8), 0);
    let mut header = FrameHeader {
        body: (frame.len() - FRAME_HEADER) as u32,
        chain,
        offset: at as u32,
        body_crc: crc32fast::hash(&frame[FRAME_HEADER..]),
        packed: true,
        ..old
    };
    frame[..FRAME_HEADER].copy_from_slice(&header.encode());
    header.crc
}
