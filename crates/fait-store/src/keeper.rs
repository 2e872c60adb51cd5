//! The keeper: what is done beside the writing. It makes the next segment's file ahead, and the
//! index files of segments that are full.

use crate::error::OpenError;
use crate::folder::{NEW_SPARE, SPARE, index_name, write_whole};
use crate::format::{IndexHeader, PAGE_BYTES, SEGMENT_HEADER, SegmentHeader};
use crate::index::{Builder, Part};
use crate::pages::Source;
use crate::shared::{Chore, Shared, Spare, lock};
use crate::stretch::{Index, Segment, Stretch, index_name as name_of};
use crate::walk::{Failed, Found, Walk};
use crate::writer::Writer;
use fait_core::store::StoreError;
use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};

/// The next segment's file is made ahead when the newest is this full.
const AHEAD_FROM: u64 = 2;
/// So many zeros are made durable at once, so that no commit waits long behind them.
const ZEROS: usize = 1 << 20;

/// Does one piece of work; says whether there was any.
pub(crate) fn tend(shared: &Shared) -> Result<bool, StoreError> {
    let keeping = lock(&shared.keeping);
    if shared.trouble.get().is_some() {
        return Ok(false);
    }
    if prepare(shared) {
        return Ok(true);
    }
    index_one(shared, &keeping)
}

/// Reads the newest indexes into memory ahead, as far as half of the room for pages goes, so that
/// the first questions are answered as fast as later ones.
pub(crate) fn warm(shared: &Shared) {
    let mut left = shared.options.cache_bytes / PAGE_BYTES / 2;
    for stretch in shared.stretches().iter().rev() {
        let Index::Part { part, .. } = &stretch.index else {
            continue;
        };
        for number in 0..part.page_count() {
            // A page that cannot be read is found by those who need it.
            if left == 0 || shared.closing.load(Ordering::Relaxed) || part.page(number).is_err() {
                return;
            }
            left -= 1;
        }
    }
}

/// Whether there may be something to do.
pub(crate) fn has_work(shared: &Shared) -> bool {
    let stretches = shared.stretches();
    let Some(newest) = stretches.last() else {
        return false;
    };
    let half = newest.end() > shared.options.segment_bytes / AHEAD_FROM;
    let bare = matches!(*lock(&shared.spare), Spare::None);
    let number = newest.segment.number;
    half && bare
        || stretches
            .iter()
            .rev()
            .take(3)
            .any(|s| s.segment.number < number && !s.is_kept())
}

/// Ends the work on a store: the log is sealed, its newest segment gets an index file, so that
/// opening need not walk it, and the room that was made ahead is given back. What of this fails
/// is done, or done without, when the store is opened again.
pub(crate) fn close(shared: &Shared, writer: &mut Writer) {
    let keeping = lock(&shared.keeping);
    writer.seal();
    // No index may be durable before its log is, and a store that was closed is.
    if shared.trouble.get().is_some() || writer.log.settle().is_err() {
        return;
    }
    for name in [SPARE, NEW_SPARE] {
        let _ = shared.folder.remove(name);
    }
    let segment = writer.active.segment.clone();
    let end = writer.log.end();
    let known = shared.stretches().iter().any(|s| {
        s.segment.number == segment.number && s.is_kept() && s.next() == writer.active.next()
    });
    let few = writer.active.next() - writer.active.from < shared.options.index_from;
    if !known && !few && writer.log.last().is_some() {
        let built = build(&segment, end);
        let kept = built
            .ok()
            .and_then(|built| keep(shared, &segment, &built).ok());
        drop(kept);
    }
    let _ = writer.log.trim();
    drop(keeping);
}

/// Makes the next segment's file.
fn prepare(shared: &Shared) -> bool {
    let options = &shared.options;
    let filling = shared.stretches().last().map_or(0, |s| s.end());
    let wanted = options.durability.is_durable() && filling > options.segment_bytes / AHEAD_FROM;
    if !wanted || !matches!(*lock(&shared.spare), Spare::None) {
        return false;
    }
    let made = make_spare(shared);
    let mut spare = lock(&shared.spare);
    let named = made.and_then(|made| {
        shared.folder.rename(NEW_SPARE, SPARE)?;
        Ok(made)
    });
    *spare = match named {
        Ok(made) => {
            shared.note(Chore::Spare, None);
            made
        }
        Err(e) => {
            let notice = StoreError::new(format_args!(
                "the next segment in {} could not be made ahead: {e}; appends are slower until \
                 there is room",
                shared.path().display()
            ));
            shared.note(Chore::Spare, Some(notice));
            let _ = shared.folder.remove(NEW_SPARE);
            Spare::Failed
        }
    };
    true
}

fn make_spare(shared: &Shared) -> io::Result<Spare> {
    let file = shared.folder.create(NEW_SPARE)?;
    let size = shared.options.segment_bytes;
    let zeros = vec![0; ZEROS.min(size as usize)];
    let mut at = 0;
    while at < size {
        let n = zeros.len().min((size - at) as usize);
        file.write_at(&zeros[..n], at)?;
        file.sync()?;
        at += n as u64;
    }
    Ok(Spare::Ready(file, size))
}

/// Makes the index file of the oldest full segment that has none.
fn index_one(shared: &Shared, keeping: &MutexGuard<'_, ()>) -> Result<bool, StoreError> {
    let stretches = shared.stretches();
    let Some(newest) = stretches.last().map(|s| s.segment.number) else {
        return Ok(false);
    };
    let mut full = stretches.iter().filter(|s| s.segment.number < newest);
    let Some(segment) = full.find(|s| !s.is_kept()).map(|s| s.segment.clone()) else {
        shared.note(Chore::Index, None);
        return Ok(false);
    };
    let last = stretches
        .iter()
        .rfind(|s| s.segment.number == segment.number);
    let end = last.map_or(SEGMENT_HEADER as u64, |s| s.end());
    let made = index_segment(shared, &segment, end, keeping);
    match made {
        Ok(()) => Ok(true),
        Err(e) => {
            shared.note(Chore::Index, Some(e.clone()));
            Err(e)
        }
    }
}

/// Makes the index file of a full segment and puts it in the place of what was in memory.
pub(crate) fn index_segment(
    shared: &Shared,
    segment: &Arc<Segment>,
    end: u64,
    _keeping: &MutexGuard<'_, ()>,
) -> Result<(), StoreError> {
    let built = build(segment, end).map_err(|e| bad_log(segment, e))?;
    let kept = keep(shared, segment, &built);
    let part = kept.map_err(|e| {
        let path = shared.path().join(index_name(segment.number));
        StoreError::new(format_args!(
            "cannot write {}: {e}; it is tried again",
            path.display()
        ))
    })?;
    // What is behind the end was made ahead and never used.
    let trimmed = segment.disk().size().and_then(|size| match size > end {
        true => segment.disk().cut(end),
        false => Ok(()),
    });
    trimmed.map_err(|e| segment.unreadable(&e))?;
    let index = Index::Part { part, kept: true };
    let stretch = Arc::new(Stretch::new(segment.clone(), 0, index, end));
    shared.replace(|list| put(list, stretch));
    Ok(())
}

/// Puts one stretch in the place of all of its segment.
pub(crate) fn put(list: &mut Vec<Arc<Stretch>>, stretch: Arc<Stretch>) {
    let number = stretch.segment.number;
    let from = list.partition_point(|s| s.segment.number < number);
    let to = list.partition_point(|s| s.segment.number <= number);
    list.splice(from..to, [stretch]);
}

/// An index that was made from a segment, as it would stand in a file.
pub(crate) struct Built {
    pub(crate) header: IndexHeader,
    pub(crate) image: Vec<u8>,
}

/// Makes the index of the frames of a segment up to an offset.
pub(crate) fn build(segment: &Segment, end: u64) -> Result<Built, Failed> {
    let mut bytes = vec![0; SEGMENT_HEADER];
    segment.disk().read_at(&mut bytes, 0)?;
    let wrong = Failed::Wrong("its header is damaged");
    let header = SegmentHeader::decode(&bytes).map_err(|_| wrong)?;
    let mut walk = Walk::begin(
        segment.disk(),
        end,
        header.number,
        header.chain,
        header.first,
    );
    let mut builder = Builder::default();
    while walk.at < end {
        take(&mut walk, &mut builder)?;
    }
    Ok(finish(builder, &walk, &header))
}

/// Takes one frame into an index.
pub(crate) fn take(walk: &mut Walk<'_>, builder: &mut Builder) -> Result<(), Failed> {
    walk.frame(|found| add(builder, &found))?;
    Ok(())
}

/// Takes one event into an index.
pub(crate) fn add(builder: &mut Builder, found: &Found<'_>) {
    let event = &found.event;
    let command = found.command.map(|command| command.key.id);
    builder.add(
        found.offset,
        event.id,
        name_of(event),
        event.tags(),
        command,
    );
    // The time of a receipt is never shown for an erased event, and yet it has passed.
    let receipt = found
        .command
        .map_or(event.recorded_at, |c| c.receipt.recorded_at);
    builder.time(event.recorded_at.max(receipt));
}

pub(crate) fn finish(builder: Builder, walk: &Walk<'_>, header: &SegmentHeader) -> Built {
    let (last_frame, last_crc) = match &walk.last {
        Some((at, frame)) => (*at as u32, frame.crc),
        None => (0, 0),
    };
    let header = IndexHeader {
        number: header.number,
        store: header.store,
        generation: header.generation(),
        events: builder.events(),
        end: walk.at as u32,
        last_frame,
        last_crc,
    };
    let image = builder.finish(&header);
    Built { header, image }
}

/// Writes an index to its file and opens that.
pub(crate) fn keep(shared: &Shared, segment: &Segment, built: &Built) -> io::Result<Part> {
    let name = index_name(segment.number);
    write_whole(&*shared.folder, &name, &built.image)?;
    let file = shared.pages.number(shared.folder.open(&name)?);
    Part::open(Source::File(shared.pages.clone(), file), built.header)
}

fn bad_log(segment: &Segment, failed: Failed) -> StoreError {
    match failed {
        Failed::Io(e) => segment.unreadable(&e),
        Failed::End => segment.damaged(0),
        Failed::Torn(what) | Failed::Wrong(what) => {
            let error = OpenError::corrupt(Path::new(&segment.path), 0, what);
            StoreError::new(error)
        }
    }
}
