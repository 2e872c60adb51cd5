//! What is damaged is found, and what is not is not called so.

use super::{erase, fill, odd, opened, small, verified};
use crate::{append, event, image};
use fait_core::store::contract::block_on;
use fait_core::store::{Keep, Store};
use fait_store::tools::{ToolError, info, verify};
use fait_store::{Disk, Durability, OpenError};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

#[test]
fn a_sound_store_is_counted() {
    let (temp, events) = small(40);
    let disk = opened(temp.path());
    let gone = erase(&disk, 3, Keep::default(), 70_000);
    let id = disk.id();
    drop(disk);
    let verified = verified(temp.path());
    assert_eq!(verified.events, events.len() as u64 + 1);
    assert_eq!((verified.erased, gone), (8, 8));
    assert_eq!((verified.store, verified.history), (id, id));
    assert!(verified.segments > 2 && verified.frames > 40);
    assert!(verified.bytes > 8_000 && verified.index_bytes > 8_000);
    assert_eq!((verified.unfinished_bytes, verified.is_backup), (0, false));
    assert_eq!(verified.notes, [""; 0]);
    let info = info(temp.path()).unwrap();
    assert_eq!(
        (info.store, info.history, info.events),
        (id, id, verified.events)
    );
    assert_eq!(info.segments, verified.segments);
    assert_eq!(
        (info.log_bytes, info.index_bytes),
        (verified.bytes, verified.index_bytes)
    );
    assert_eq!(
        info.first.zip(info.last).map(|(a, b)| (a.0, b.0)),
        Some((1_000, 1_000))
    );
    assert!(info.sealed && !info.in_use && info.erasing.is_none() && info.backup_of.is_none());
}

#[test]
fn progress_goes_up_to_the_whole() {
    let (temp, _) = small(40);
    let mut told = vec![];
    verify(temp.path(), &mut |progress| told.push(progress)).unwrap();
    assert!(
        told.iter()
            .all(|p| p.done <= p.total && p.total == told[0].total)
    );
    assert_eq!(told.last().map(|p| p.done), Some(told[0].total));
}

/// One bit of each byte of each file in turn. Only the seal at the very end may be a write that
/// was cut short.
#[test]
fn every_flipped_byte_is_found_in_its_file() {
    let (temp, _) = small(20);
    let whole = image(temp.path());
    assert!(whole.len() >= 4, "{:?}", whole.keys());
    let newest = whole.keys().rfind(|name| name.ends_with(".log")).unwrap();
    let (indexes, others): (Vec<_>, Vec<_>) = whole.iter().partition(|(n, _)| n.ends_with(".idx"));
    for (name, bytes) in indexes.into_iter().chain(others) {
        let seal = bytes.len() - 64;
        let step = if name.ends_with(".idx") { 23 } else { 1 };
        for at in (0..bytes.len()).step_by(step) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            fs::write(temp.path().join(name), flipped).unwrap();
            if name == newest && at >= seal {
                assert_eq!(verified(temp.path()).unfinished_bytes, 64);
                continue;
            }
            let found = verify(temp.path(), &mut |_| {}).unwrap().problems;
            let place = found
                .iter()
                .any(|p| p.file == *name && p.offset <= at as u64);
            assert!(place, "byte {at} of {name}: {found:?}");
            assert!(found.iter().all(|p| p.is_index == p.file.ends_with(".idx")));
        }
        fs::write(temp.path().join(name), bytes).unwrap();
        // It is sound again; without it the rest goes faster.
        if name.ends_with(".idx") {
            fs::remove_file(temp.path().join(name)).unwrap();
        }
    }
    verified(temp.path());
}

/// All that is damaged is named at once, each in its place.
#[test]
fn every_problem_is_named() {
    let (temp, _) = small(60);
    let flip = |name: &str, at: usize| {
        let path = temp.path().join(name);
        let mut bytes = fs::read(&path).unwrap();
        bytes[at] ^= 4;
        fs::write(path, bytes).unwrap();
    };
    flip("meta", 20);
    flip("00000001.log", 200);
    flip("00000002.idx", 5_000);
    fs::remove_file(temp.path().join("00000003.log")).unwrap();
    let verified = verify(temp.path(), &mut |_| {}).unwrap();
    let found: Vec<_> = verified
        .problems
        .iter()
        .map(|p| (&*p.file, p.offset))
        .collect();
    let expected = [
        ("meta", 0),
        ("00000001.log", 64),
        ("00000002.idx", 4_160),
        ("00000003.log", 0),
    ];
    assert_eq!(found.len(), expected.len(), "{:#?}", verified.problems);
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.0, expected.0, "{:#?}", verified.problems);
        assert!(found.1 >= expected.1 && found.1 < expected.1 + 1_000);
    }
}

#[test]
fn files_that_do_not_belong_together_are_found() {
    let (temp, _) = small(60);
    let (other, _) = small(60);
    let whole = image(temp.path());
    let swapped = |name: &str, with: &Path| {
        fs::copy(with, temp.path().join(name)).unwrap();
        let verified = verify(temp.path(), &mut |_| {}).unwrap();
        fs::write(temp.path().join(name), &whole[name]).unwrap();
        let found = verified.problems.first().cloned().unwrap();
        assert_eq!(found.file, name);
        found.what
    };
    for name in ["00000002.log", "00000002.idx"] {
        assert!(swapped(name, &other.path().join(name)).contains("another store"));
    }
    assert!(swapped("00000002.log", &temp.path().join("00000001.log")).contains("its name"));
    assert!(swapped("00000002.idx", &temp.path().join("00000001.idx")).contains("its name"));
    // A whole segment, but shorter: the next one does not go on where it ends.
    let path = temp.path().join("00000001.log");
    let bytes = &whole["00000001.log"];
    let last = bytes
        .windows(4)
        .rposition(|bytes| bytes == b"fram")
        .unwrap();
    fs::write(&path, &bytes[..last]).unwrap();
    let found = verify(temp.path(), &mut |_| {}).unwrap().problems;
    assert!(
        found.iter().any(|p| p.what.contains("events were lost")),
        "{found:?}"
    );
    assert!(
        found.iter().any(|p| p.what.contains("is next")),
        "{found:?}"
    );
}

#[test]
fn a_write_that_was_cut_short_is_no_damage() {
    let (temp, events) = small(3);
    let path = temp.path().join("00000001.log");
    let bytes = fs::read(&path).unwrap();
    let frames: Vec<_> = (64..bytes.len())
        .filter(|at| bytes[*at..].starts_with(b"fram"))
        .collect();
    let (last, seal) = (frames[frames.len() - 2], frames[frames.len() - 1]);
    for end in (last..seal).step_by(5) {
        fs::write(&path, &bytes[..end]).unwrap();
        let verified = verified(temp.path());
        assert_eq!(verified.events, events.len() as u64 - 2);
        assert!(verified.unfinished_bytes <= (end - last) as u64);
    }
    // Zeros were made ahead.
    fs::write(&path, [&bytes[..], &[0; 5_000]].concat()).unwrap();
    assert_eq!(verified(temp.path()).unfinished_bytes, 0);
}

#[test]
fn a_store_is_verified_while_it_is_written() {
    let temp = tempfile::tempdir().unwrap();
    let disk = opened(temp.path());
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for writer in 1..5_u128 {
            let (disk, stop) = (&disk, &stop);
            scope.spawn(move || {
                for n in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let number = writer << 64 | n;
                    let tags = ["table:1", &*format!("guest:{}", n % 5)];
                    block_on(disk.append(append(vec![event(number, "Seated", &tags)]))).unwrap();
                }
            });
        }
        let mut seen = 0;
        for round in 0..40 {
            let known = block_on(disk.head()).unwrap();
            let verified = verified(temp.path());
            assert!(verified.events >= known && verified.events >= seen);
            seen = verified.events;
            assert!(info(temp.path()).unwrap().in_use);
            if round % 10 == 5 {
                erase(&disk, round / 10, Keep::default(), 500 + round);
            }
        }
        stop.store(true, Ordering::Relaxed);
        assert!(seen > 100);
    });
}

/// Without syncs the end of the log may be lost when the machine loses power: the index of it
/// may be there nevertheless, and tells.
#[test]
fn an_index_that_knows_more_than_the_log_tells_of_a_loss() {
    let temp = tempfile::tempdir().unwrap();
    let disk = Disk::options()
        .durability(Durability::Os)
        .open(temp.path())
        .unwrap();
    fill(&disk, 0, 600);
    drop(disk);
    assert!(temp.path().join("00000001.idx").exists());
    let path = temp.path().join("00000001.log");
    let bytes = fs::read(&path).unwrap();
    let frames = bytes.windows(4).enumerate().filter(|(_, b)| b == b"fram");
    let cut = frames.map(|(at, _)| at).nth(300).unwrap();
    fs::write(&path, &bytes[..cut]).unwrap();
    let found = verify(temp.path(), &mut |_| {}).unwrap().problems;
    assert_eq!(found.len(), 1);
    assert_eq!(
        (&*found[0].file, found[0].offset),
        ("00000001.log", cut as u64)
    );
    assert!(!found[0].is_index);
}

#[test]
fn an_old_index_is_no_damage() {
    let (temp, _) = small(60);
    let old = fs::read(temp.path().join("00000001.idx")).unwrap();
    let disk = opened(temp.path());
    erase(&disk, 1, Keep::default(), 90_000);
    drop(disk);
    verified(temp.path());
    fs::write(temp.path().join("00000001.idx"), old).unwrap();
    let verified = verified(temp.path());
    assert!(
        verified.notes[0].contains("00000001.idx was made before"),
        "{:?}",
        verified.notes
    );
    drop(opened(temp.path()));
    assert_eq!(super::verified(temp.path()).notes, [""; 0]);
}

#[test]
fn odd_events_and_old_formats_are_sound() {
    let temp = tempfile::tempdir().unwrap();
    let disk = opened(temp.path());
    for append in odd() {
        block_on(disk.append(append)).unwrap();
    }
    drop(disk);
    assert_eq!(verified(temp.path()).events, 14);
    let v1 = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1");
    assert_eq!(verified(&v1).events, 79);
    assert_eq!(info(&v1).unwrap().version, 1);
}

#[test]
fn what_is_no_store_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let refused = || match verify(temp.path(), &mut |_| {}).unwrap_err() {
        ToolError::Folder(OpenError::NotAStore { found, .. }) => found,
        e => panic!("{e}"),
    };
    assert_eq!(refused(), "it is empty");
    fs::write(temp.path().join("diary"), "dear").unwrap();
    assert!(refused().contains("diary"));
    fs::write(temp.path().join("meta"), "dear").unwrap();
    assert!(refused().contains("another kind"));
    let missing = verify(&temp.path().join("nowhere"), &mut |_| {}).unwrap_err();
    assert!(missing.to_string().contains("nowhere"), "{missing}");
    assert!(!missing.is_damage());
}

/// The index of a segment that has grown since and is full now: a crash may leave that, before
/// the whole index is written.
#[test]
fn an_index_of_the_beginning_of_a_full_segment_is_no_damage() {
    let temp = tempfile::tempdir().unwrap();
    let open = || {
        let options = Disk::options().segment_bytes(512 << 10);
        options.open(temp.path()).unwrap()
    };
    let disk = open();
    fill(&disk, 0, 600);
    drop(disk);
    let path = temp.path().join("00000001.idx");
    let old = fs::read(&path).unwrap();
    let disk = open();
    let mut n = 600;
    while disk.stats().segments == 1 {
        fill(&disk, n, n + 1);
        n += 1;
    }
    drop(disk);
    fs::write(&path, old).unwrap();
    assert_eq!(verified(temp.path()).events, n as u64 * 2);
    let disk = open();
    assert_eq!(disk.stats().events, n as u64 * 2);
}
