//! Segments that end in the middle of what an index knows, stores that end in trouble.

use super::{all, files, one, opened, opened_with, started};
use crate::disk::Disk;
use crate::file::{Folder, LogFile};
use crate::options::{MIN_SEGMENT_BYTES, Options};
use crate::sim::disk::{Fault, SimDisk};
use crate::writer::MAX_WAITING;
use fait_core::event::{NewEvent, Tag};
use fait_core::store::contract::block_on;
use fait_core::store::{Append, AppendError, ERASED, Erase, Keep, Store};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Without threads: nothing is done beside what is asked for.
fn alone(sim: &SimDisk, segment_bytes: u64) -> Disk {
    let options = Options {
        segment_bytes,
        inline: true,
        ..Options::default()
    };
    Disk::start(Arc::new(sim.clone()), options, None).unwrap()
}

fn many(from: u128, count: u128) -> Append {
    let events: Vec<NewEvent> = (from..from + count).flat_map(|n| one(n).events).collect();
    Append {
        events,
        ..one(from)
    }
}

fn erasing(number: u128, tombstone: u128) -> Erase {
    let tag = Tag::new("n", number);
    let mut append = one(tombstone);
    append.events[0].tags.push(tag.clone());
    Erase {
        tag,
        keep: Keep::default(),
        tombstone: append,
    }
}

fn segments(disk: &Disk) -> usize {
    disk.stats().segments
}

/// The index that was written when the store was closed covers only a part of a segment that was
/// gone on with, and filled.
#[test]
fn an_index_of_a_part_of_a_full_segment_is_made_again() {
    let sim = SimDisk::default();
    let disk = alone(&sim, 1 << 20);
    block_on(disk.append(many(1, 2000))).unwrap();
    drop(disk);
    assert!(sim.durable("00000001.idx").is_some());
    let disk = alone(&sim, 1 << 20);
    let mut next = 10_001;
    while segments(&disk) == 1 {
        block_on(disk.append(many(next, 500))).unwrap();
        next += 500;
    }
    let events = all(&disk);
    drop(disk);
    let disk = alone(&sim, 1 << 20);
    assert_eq!(all(&disk), events);
}

/// Nobody knows whether the tombstone is on the disk: the note must stay, until opening finds out.
#[test]
fn an_erasure_whose_tombstone_is_in_doubt_is_finished_when_the_store_is_opened() {
    let sim = SimDisk::default();
    let disk = opened(&sim);
    block_on(disk.append(one(1))).unwrap();
    sim.fail_after(1 + 1, Fault::Sync);
    let erase = erasing(1, 2);
    let failed = block_on(disk.erase(erase.clone())).unwrap_err();
    assert!(matches!(failed, AppendError::Store(_)));
    assert!(disk.trouble().is_some(), "the tombstone's own sync failed");
    block_on(disk.erase(erase)).unwrap_err();
    drop(disk);
    let disk = opened(&sim);
    let events = all(&disk);
    assert_eq!(
        events.len(),
        2,
        "the tombstone is readable, so it is taken in"
    );
    assert!(events[0].ty == ERASED);
}

/// What stands behind the end of a log that is in trouble must not come to lie in a full segment.
#[test]
fn a_store_in_trouble_begins_no_segment_to_erase() {
    let sim = SimDisk::default();
    let disk = opened(&sim);
    block_on(disk.append(one(1))).unwrap();
    // The tombstone is durable, and the new segment cannot be begun: there is no room.
    sim.fail_after(2, Fault::Short(0));
    block_on(disk.erase(erasing(1, 2))).unwrap_err();
    assert_eq!((block_on(disk.head()), disk.trouble()), (Ok(2), None));
    sim.fail_after(0, Fault::Sync);
    block_on(disk.append(one(3))).unwrap_err();
    // The segment would be begun now, and what is in doubt would stay behind in the old one.
    sim.fail_after(2, Fault::Sync);
    block_on(disk.erase(erasing(1, 4))).unwrap_err();
    sim.mend();
    drop(disk);
    let disk = opened(&sim);
    assert!(all(&disk)[0].ty == ERASED);
}

/// The answers are there; nobody has asked for them yet.
#[test]
fn a_store_is_closed_while_the_same_thread_has_appends_in_hand() {
    let (done, closed) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let sim = SimDisk::default();
        let disk = opened(&sim);
        sim.hold(true);
        let total = MAX_WAITING * 2 + 1;
        let numbers = 1..=total as u128;
        let waiting: Vec<_> = numbers.map(|n| started(&disk, one(n))).collect();
        sim.hold(false);
        block_on(disk.close());
        let answers: Vec<_> = waiting.into_iter().map(block_on).collect();
        assert!(answers[..MAX_WAITING].iter().all(Result::is_ok));
        assert!(answers[total - 1].is_err(), "it waited for room");
        let _ = done.send(());
    });
    let ended = closed.recv_timeout(Duration::from_secs(20));
    assert_eq!(ended, Ok(()), "closing waits for those who wait for it");
}

/// After a crash the last frame is not sealed, and no append says that one was before it.
#[test]
fn a_store_that_was_not_closed_is_sealed_when_it_is_idle() {
    let sim = SimDisk::default();
    let options = Options {
        idle: Duration::from_millis(1),
        ..Options::default()
    };
    let start = |idle| Disk::start(Arc::new(sim.clone()), Options { idle, ..options }, None);
    let disk = start(Duration::MAX).unwrap();
    block_on(disk.append(one(1))).unwrap();
    sim.lose_power();
    drop(disk);
    let disk = start(options.idle).unwrap();
    let syncs = sim.seen().syncs;
    block_on(disk.append(one(2))).unwrap();
    let (done, sealed) = std::sync::mpsc::channel();
    let watched = sim.clone();
    std::thread::spawn(move || {
        watched.until(|seen| seen.syncs >= syncs + 2);
        let _ = done.send(());
    });
    assert_eq!(sealed.recv_timeout(Duration::from_secs(10)), Ok(()));
    drop(disk);
}

/// What is refused for its form makes no room for itself first.
#[test]
fn an_append_that_is_too_large_changes_no_file() {
    let sim = SimDisk::default();
    let disk = opened(&sim);
    block_on(disk.append(one(1))).unwrap();
    let before = (files(&sim), sim.durable("00000001.log").map(|f| f.len()));
    let mut large = one(2);
    large.events[0].data = vec![0; 40 << 20].into();
    let refused = block_on(disk.append(large.clone()));
    assert!(matches!(refused, Err(AppendError::Invalid(_))));
    let erase = Erase {
        tombstone: large,
        ..erasing(2, 2)
    };
    let refused = block_on(disk.erase(erase));
    assert!(matches!(refused, Err(AppendError::Invalid(_))));
    block_on(disk.append(one(3))).unwrap();
    let after = (files(&sim), sim.durable("00000001.log").map(|f| f.len()));
    assert_eq!(after, before);
}

/// Whoever opens the folder next must have it alone.
#[test]
fn nothing_is_erased_any_more_when_a_store_is_closed() {
    for n in 0..500_u64 {
        let sim = SimDisk::default();
        let disk = opened(&sim);
        block_on(disk.append(one(1))).unwrap();
        std::thread::scope(|scope| {
            let erasing = scope.spawn(|| block_on(disk.erase(erasing(1, 2))));
            std::thread::sleep(Duration::from_micros(n % 100));
            block_on(disk.close());
            let syncs = sim.seen().syncs;
            let _ = erasing.join().unwrap();
            assert_eq!(sim.seen().syncs, syncs, "it was still at work");
        });
    }
}

/// The tombstone is the last frame; nobody else has told the writer's thread of it.
#[test]
fn a_store_that_is_idle_after_an_erasure_is_sealed() {
    let sim = SimDisk::default();
    let disk = opened_with(&sim, Duration::from_millis(1));
    block_on(disk.append(one(1))).unwrap();
    let log = || sim.durable("00000001.log").unwrap();
    let seals = || log().windows(4).filter(|bytes| bytes == b"fram").count();
    let soon = |frames| {
        let waited = (0..500).find(|_| {
            std::thread::sleep(Duration::from_millis(2));
            seals() == frames
        });
        assert!(waited.is_some(), "{} frames, not {frames}", seals());
    };
    soon(2);
    block_on(disk.erase(erasing(7, 2))).unwrap();
    soon(4);
}

/// A folder in whose table there is no room, when it is told so.
struct FullFolder(SimDisk, AtomicBool);

impl Folder for FullFolder {
    fn path(&self) -> &Path {
        self.0.path()
    }
    fn names(&self) -> io::Result<Vec<String>> {
        self.0.names()
    }
    fn open(&self, name: &str) -> io::Result<Arc<dyn LogFile>> {
        self.0.open(name)
    }
    fn create(&self, name: &str) -> io::Result<Arc<dyn LogFile>> {
        self.0.create(name)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to)
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.remove(name)
    }
    fn sync(&self) -> io::Result<()> {
        match self.1.load(Ordering::Relaxed) {
            true => Err(io::ErrorKind::StorageFull.into()),
            false => self.0.sync(),
        }
    }
}

/// The new segment has its name: nothing may be written to the old one any more.
#[test]
fn a_segment_whose_name_finds_no_room_stops_the_store() {
    let sim = SimDisk::default();
    let options = Options {
        segment_bytes: MIN_SEGMENT_BYTES,
        inline: true,
        ..Options::default()
    };
    let folder = Arc::new(FullFolder(sim.clone(), false.into()));
    let disk = Disk::start(folder.clone(), options, None).unwrap();
    block_on(disk.append(one(1))).unwrap();
    folder.1.store(true, Ordering::Relaxed);
    block_on(disk.append(many(100, 30))).unwrap_err();
    let acknowledged = block_on(disk.append(one(2)));
    folder.1.store(false, Ordering::Relaxed);
    drop(disk);
    let disk = alone(&sim, MIN_SEGMENT_BYTES);
    assert_eq!(all(&disk).len(), 1 + usize::from(acknowledged.is_ok()));
}

/// A seal that stands alone behind what an index covers belongs to its segment.
#[test]
fn a_seal_behind_an_index_is_not_forgotten_when_the_segment_is_full() {
    let sim = SimDisk::default();
    let segment = 400 << 10;
    let disk = alone(&sim, segment);
    block_on(disk.append(many(1, 1200))).unwrap();
    sim.lose_power();
    drop(disk);
    // Something unfinished is cut, so that there are no zeros ahead.
    let log = sim.open("00000001.log").unwrap();
    let end = sim.durable("00000001.log").unwrap();
    let end = end.iter().rposition(|byte| *byte != 0).unwrap() as u64 + 1;
    log.write_at(b"x", end.next_multiple_of(8)).unwrap();
    log.sync().unwrap();
    let disk = alone(&sim, segment);
    assert!(disk.recovery().cut_bytes > 0);
    sim.fail_after(0, Fault::Short(0));
    drop(disk);
    assert!(sim.durable("00000001.idx").is_some());
    drop(alone(&sim, segment));
    let disk = alone(&sim, segment);
    block_on(disk.append(many(10_000, 2000))).unwrap();
    assert_eq!(segments(&disk), 2);
    block_on(disk.erase(erasing(5, 50_000))).unwrap();
    let events = all(&disk);
    drop(disk);
    assert_eq!(all(&alone(&sim, segment)), events);
}
