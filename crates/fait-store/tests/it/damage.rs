//! Torn tails are cut, damage is found, and no wrong event is ever given.

use crate::{all, append, by_command, event, image, restore};
use fait_core::event::{StoredEvent, Tag};
use fait_core::query::Query;
use fait_core::store::contract::block_on;
use fait_core::store::{Range, Store};
use fait_store::{Disk, MIN_SEGMENT_BYTES, OpenError};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A closed store of a few frames in one or several segments.
fn small(appends: u128) -> (TempDir, Vec<StoredEvent>) {
    let temp = tempfile::tempdir().unwrap();
    let disk = Disk::options()
        .segment_bytes(MIN_SEGMENT_BYTES)
        .open(temp.path())
        .unwrap();
    for n in 0..appends {
        let batch = vec![
            event(n * 10, "Opened", &["table:1", "order:7"]),
            event(n * 10 + 1, "Seated", &["table:1"]),
        ];
        block_on(disk.append(by_command(append(batch), n))).unwrap();
    }
    let events = all(&disk);
    drop(disk);
    (temp, events)
}

/// Where the frames of a segment start.
fn frames(bytes: &[u8]) -> Vec<usize> {
    (64..bytes.len())
        .step_by(8)
        .filter(|at| bytes[*at..].starts_with(b"fram"))
        .collect()
}

fn with(
    image: &BTreeMap<String, Vec<u8>>,
    name: &str,
    bytes: Vec<u8>,
) -> BTreeMap<String, Vec<u8>> {
    let mut image = image.clone();
    image.insert(name.into(), bytes);
    image
}

/// The store opens with exactly these events, reports what it cut, and goes on well.
fn opens_with(folder: &Path, events: &[StoredEvent], torn: &[u8]) {
    // Zeros at the end are as good as nothing.
    let cut_bytes = torn
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    let disk = Disk::open(folder).unwrap();
    assert_eq!(all(&disk), events);
    assert_eq!(disk.recovery().cut_bytes, cut_bytes as u64);
    let next = block_on(disk.append(append(vec![event(99_999, "Counted", &[])]))).unwrap();
    assert_eq!(next.first as usize, events.len() + 1);
    drop(disk);
    let disk = Disk::open(folder).unwrap();
    assert_eq!(disk.recovery().cut_bytes, 0);
    assert_eq!(all(&disk)[..events.len()], *events);
    assert_eq!(all(&disk).len(), events.len() + 1);
}

#[test]
fn a_tail_torn_at_any_byte_is_cut() {
    let (temp, events) = small(3);
    let whole = image(temp.path());
    let bytes = &whole["00000001.log"];
    let starts = frames(bytes);
    let (last, seal) = (starts[starts.len() - 2], starts[starts.len() - 1]);
    for end in last..seal {
        restore(
            temp.path(),
            &with(&whole, "00000001.log", bytes[..end].to_vec()),
        );
        opens_with(temp.path(), &events[..4], &bytes[last..end]);
    }
    for end in [seal, seal + 1, seal + 63] {
        restore(
            temp.path(),
            &with(&whole, "00000001.log", bytes[..end].to_vec()),
        );
        opens_with(temp.path(), &events, &bytes[seal..end]);
    }
}

#[test]
fn a_tail_of_which_any_part_is_missing_is_cut() {
    let (temp, events) = small(3);
    let whole = image(temp.path());
    let bytes = &whole["00000001.log"];
    let starts = frames(bytes);
    let (last, seal) = (starts[starts.len() - 2], starts[starts.len() - 1]);
    for from in (last..seal).step_by(16) {
        for to in [seal.min(from + 16), seal] {
            let mut torn = bytes[..seal].to_vec();
            torn[from..to].fill(0);
            if torn[..] == bytes[..seal] {
                continue;
            }
            restore(temp.path(), &with(&whole, "00000001.log", torn.clone()));
            opens_with(temp.path(), &events[..4], &torn[last..]);
        }
    }
}

/// Every byte of a closed store's log, and some of its indexes, with one bit flipped in turn:
/// what is read is right, or the error says in which file it is not.
#[test]
fn every_flipped_bit_is_found_or_harmless() {
    let (temp, events) = small(20);
    let whole = image(temp.path());
    assert!(whole.len() > 3, "several segments, and indexes");
    let id = Disk::open_read_only(temp.path()).unwrap().id();
    let (mut found, mut harmless) = (0, 0);
    for (name, bytes) in &whole {
        let step = if name.ends_with(".idx") { 61 } else { 1 };
        for bit in (0..bytes.len()).step_by(step).map(|at| at * 8 + at % 8) {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            fs::write(temp.path().join(name), flipped).unwrap();
            match looked_at(temp.path()) {
                Err(text) => {
                    assert!(text.contains(name), "bit {bit} of {name}: {text}");
                    found += 1;
                }
                Ok((read, by_tag, by_type)) => {
                    assert_eq!(read, (id, events.clone()), "bit {bit} of {name}");
                    assert_eq!(by_tag, events, "bit {bit} of {name}");
                    assert_eq!(by_type.len() * 2, events.len(), "bit {bit} of {name}");
                    harmless += 1;
                }
            }
        }
        fs::write(temp.path().join(name), bytes).unwrap();
    }
    assert!(found > 3_000, "{found} found, {harmless} harmless");
}

type Looked = (
    (uuid::Uuid, Vec<StoredEvent>),
    Vec<StoredEvent>,
    Vec<StoredEvent>,
);

/// All that a store gives: everything, what has one tag, what is of one type.
fn looked_at(folder: &Path) -> Result<Looked, String> {
    let disk = Disk::open_read_only(folder).map_err(|e| {
        let known = matches!(
            e,
            OpenError::Corrupt { .. } | OpenError::NewerFormat { .. } | OpenError::NotAStore { .. }
        );
        assert!(known, "{e}");
        // What is no store is named as a folder, with the file that says so.
        e.to_string()
    })?;
    let read = |query| {
        let slice = block_on(disk.read(&query, Range::after(0, usize::MAX)));
        slice.map(|slice| slice.events).map_err(|e| e.to_string())
    };
    let all = read(Query::all())?;
    let by_tag = read(Query::tags(vec![Tag::raw("table:1")]))?;
    let by_type = read(Query::types(&["Seated"]))?;
    Ok(((disk.id(), all), by_tag, by_type))
}

/// A store that was not closed: only its very last write can be taken for torn.
#[test]
fn a_flipped_bit_after_a_crash_costs_at_most_the_last_write() {
    let (temp, events) = small(4);
    let mut whole = image(temp.path());
    let bytes = whole.get_mut("00000001.log").unwrap();
    let starts = frames(bytes);
    bytes.truncate(starts[starts.len() - 1]);
    let (bytes, last) = (bytes.clone(), starts[starts.len() - 2]);
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x10;
        restore(temp.path(), &with(&whole, "00000001.log", flipped));
        match Disk::open_read_only(temp.path()) {
            Err(_) => assert!(at < bytes.len()),
            Ok(disk) => {
                assert!(at >= last, "byte {at}");
                assert_eq!(all(&disk), events[..events.len() - 2]);
                let cut = disk.recovery().cut_bytes as usize;
                assert!(cut > bytes.len() - last - 8 && cut <= bytes.len() - last);
            }
        }
    }
}

/// Bits that flip while the store is open: the right event, or an error that names the place.
#[test]
fn no_wrong_event_is_read_from_a_file_that_changes() {
    let (temp, events) = small(3);
    let path = temp.path().join("00000001.log");
    let disk = Disk::open(temp.path()).unwrap();
    let bytes = fs::read(&path).unwrap();
    let mut errors = 0;
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x04;
        fs::write(&path, flipped).unwrap();
        for (range, expected) in [(0..2, 0), (2..4, 2), (4..6, 4)] {
            let query = fait_core::query::Query::all();
            let read = fait_core::store::Range::after(range.start, 2);
            match block_on(disk.read(&query, read)) {
                Ok(slice) => assert_eq!(slice.events, events[expected..expected + 2]),
                Err(e) => {
                    assert!(e.message.contains("00000001.log"), "{e}");
                    errors += 1;
                }
            }
        }
    }
    assert!(errors > bytes.len() / 2);
}

/// A write that was lost and a later one that was not: only the chain of frames can tell.
#[test]
fn a_frame_of_another_life_is_found() {
    let (temp, _) = small(1);
    let fork = image(temp.path());
    let live = |first: u128| {
        restore(temp.path(), &fork);
        let disk = Disk::open(temp.path()).unwrap();
        for n in [first, first + 1] {
            block_on(disk.append(append(vec![event(n, "Counted", &[])]))).unwrap();
        }
        drop(disk);
        image(temp.path())
    };
    // A machine that is very busy may seal a frame in between; then that life is lived again.
    let alike = |first| {
        let mut lives = (0..100).map(|_| live(first));
        let frames_of = |life: &BTreeMap<_, Vec<u8>>| frames(&life["00000001.log"]).len();
        lives
            .find(|life| frames_of(life) == frames_of(&fork) + 3)
            .unwrap()
    };
    let (one, other) = (alike(100), alike(200));
    let (bytes, strange) = (&one["00000001.log"], &other["00000001.log"]);
    let starts = frames(bytes);
    assert_eq!(starts, frames(strange), "both lives look alike");
    for pair in starts[2..].windows(2) {
        let mut mixed = bytes.clone();
        mixed[pair[0]..pair[1]].copy_from_slice(&strange[pair[0]..pair[1]]);
        restore(temp.path(), &with(&one, "00000001.log", mixed));
        let error = Disk::open_read_only(temp.path()).unwrap_err();
        assert!(matches!(error, OpenError::Corrupt { .. }), "{error}");
    }
}
