//! Real faults of the operating system: a full disk, a folder that may not be written, a second
//! process, too many open files, a clock that jumps.
//!
//! Most of them need another process: the test starts this program again, by a shell that gives
//! it a small disk or a low limit. A part that this machine cannot do fails and says what it
//! would need.

mod world;

use crate::{all, append, by_command, event, image};
use fait_core::event::Time;
use fait_core::store::contract::block_on;
use fait_core::store::{Append, AppendError, Store};
use fait_store::{Disk, MIN_SEGMENT_BYTES, OpenError};
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};
use world::{Outcome, again, on_small_disk, on_still_disk, part, without_rights};

/// An append of so many bytes.
fn large(n: u128, bytes: usize) -> Append {
    let mut event = event(n, "Filled", &["disk:1"]);
    event.data = vec![b'x'; bytes].into();
    by_command(append(vec![event]), n)
}

/// Appends until the disk is full; gives how many were acknowledged, and what was said then.
fn fill(disk: &Disk, from: u128) -> (u128, String) {
    let mut bytes = 100_000;
    for n in from.. {
        match block_on(disk.append(large(n, bytes))) {
            Ok(_) => {}
            // Until not even a small one finds room.
            Err(_) if bytes > 100 => bytes /= 10,
            Err(AppendError::Store(e)) => return (n, e.to_string()),
            Err(e) => panic!("{e}"),
        }
    }
    unreachable!("the disk has no end");
}

#[test]
fn a_full_disk_refuses_appends_until_there_is_room() {
    if let Some(folder) = part("full") {
        return full_disk(&folder);
    }
    on_small_disk(
        "faults::a_full_disk_refuses_appends_until_there_is_room",
        "full",
        8,
    );
}

/// Runs where there is room for 8 MiB, or no file may be larger than that.
fn full_disk(folder: &Path) {
    let ballast = folder.join("ballast");
    fs::write(&ballast, vec![1; 2 << 20]).unwrap();
    let store = folder.join("store");
    let disk = Disk::open(&store).unwrap();
    let (_, error) = fill(&disk, 0);
    assert!(error.contains("there is no room for"), "{error}");
    assert!(error.contains("free space and send it again"), "{error}");
    assert!(error.contains("00000001.log"), "{error}");
    assert_eq!(disk.trouble(), None, "it is not poisoned");
    let events = all(&disk);
    assert_eq!(events.len() as u64, block_on(disk.head()).unwrap());
    drop(disk);
    reads_on(&store, events.len());
    let disk = Disk::open(&store).unwrap();
    assert_eq!(all(&disk), events);
    let (_, error) = fill(&disk, 50_000);
    assert!(error.contains("there is no room for"), "{error}");
    let before = all(&disk).len();
    world::more_room(&ballast);
    // The same append as the one that was refused.
    let receipt = block_on(disk.append(large(99_999, 100_000))).unwrap();
    assert_eq!(receipt.first as usize, before + 1);
    drop(disk);
    assert_eq!(all(&Disk::open(&store).unwrap()).len(), before + 1);
}

fn reads_on(store: &Path, events: usize) {
    let reader = Disk::open_read_only(store).unwrap();
    assert_eq!(all(&reader).len(), events);
}

/// Small segments: the next one's file, and the indexes, find no room either.
#[test]
fn what_is_done_beside_the_writing_waits_for_room() {
    if let Some(folder) = part("beside") {
        return beside(&folder);
    }
    on_small_disk(
        "faults::what_is_done_beside_the_writing_waits_for_room",
        "beside",
        8,
    );
}

fn beside(folder: &Path) {
    let ballast = folder.join("ballast");
    // Where only a file's own length is limited, the next segment's file must be longer.
    let (segment, bytes) = match world::limited() {
        true => (7 << 20, 20_000),
        false => (64 << 10, 500),
    };
    let options = Disk::options().segment_bytes(segment);
    let disk = options.open(folder.join("store")).unwrap();
    block_on(disk.append(large(1, 1_000))).unwrap();
    // So little is left that the log goes on for a while, and nothing else.
    fs::write(&ballast, vec![]).unwrap();
    world::leave(&ballast, 150 << 10);
    let mut acknowledged = 1;
    let noticed = (2..10_000).find_map(|n| {
        acknowledged += u64::from(block_on(disk.append(large(n, bytes))).is_ok());
        thread::yield_now();
        disk.notice()
    });
    let notice = noticed.unwrap().to_string();
    assert!(
        notice.contains("made ahead") || notice.contains(".idx"),
        "{notice}"
    );
    assert_eq!(disk.trouble(), None);
    assert_eq!(all(&disk).len() as u64, acknowledged);
    world::more_room(&ballast);
    let begun = Instant::now();
    for n in 20_000.. {
        block_on(disk.append(large(n, bytes))).unwrap();
        acknowledged += 1;
        if disk.notice().is_none() {
            break;
        }
        let waited = begun.elapsed();
        assert!(waited < Duration::from_secs(30), "{:?}", disk.notice());
    }
    assert_eq!(all(&disk).len() as u64, acknowledged);
}

fn small_store(folder: &Path) -> usize {
    let disk = Disk::options()
        .segment_bytes(MIN_SEGMENT_BYTES)
        .open(folder)
        .unwrap();
    for n in 0..60 {
        block_on(disk.append(by_command(append(vec![event(n, "A", &["b:1"])]), n))).unwrap();
    }
    60
}

/// Opening to write is refused, opening to read gives everything, and nothing is changed.
fn still(folder: &Path) {
    let before = image(folder);
    let error = Disk::open(folder).unwrap_err();
    assert!(matches!(error, OpenError::Io { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("may not be written can be opened to be read"),
        "{text}"
    );
    assert!(text.contains(folder.to_str().unwrap()), "{text}");
    reads_on(folder, 60);
    assert_eq!(image(folder), before);
}

#[test]
fn a_folder_without_the_right_to_write_is_read_only() {
    if let Some(folder) = part("rights") {
        return still(&folder);
    }
    let temp = tempfile::tempdir().unwrap();
    small_store(temp.path());
    // The files may be written and the folder may not; then nothing may.
    for (folder, files) in [(0o555, 0o666), (0o555, 0o444)] {
        world::rights(temp.path(), folder, files);
        let test = "faults::a_folder_without_the_right_to_write_is_read_only";
        without_rights(test, "rights", temp.path());
    }
    world::rights(temp.path(), 0o755, 0o644);
    assert_eq!(all(&Disk::open(temp.path()).unwrap()).len(), 60);
}

#[test]
fn a_folder_without_the_right_to_read_is_an_error() {
    if let Some(folder) = part("blind") {
        for error in [Disk::open(&folder), Disk::open_read_only(&folder)] {
            let text = error.unwrap_err().to_string();
            assert!(text.contains("ermission denied"), "{text}");
            assert!(text.contains("check who may"), "{text}");
        }
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    small_store(temp.path());
    world::rights(temp.path(), 0o755, 0o000);
    let test = "faults::a_folder_without_the_right_to_read_is_an_error";
    without_rights(test, "blind", temp.path());
}

#[test]
fn a_read_only_file_system_is_read() {
    if let Some(folder) = part("still") {
        return still(&folder);
    }
    let temp = tempfile::tempdir().unwrap();
    small_store(temp.path());
    on_still_disk(
        "faults::a_read_only_file_system_is_read",
        "still",
        temp.path(),
    );
}

#[test]
fn a_second_process_is_refused_and_a_killed_one_leaves_no_lock() {
    let test = "faults::a_second_process_is_refused_and_a_killed_one_leaves_no_lock";
    if let Some(folder) = part("second") {
        let held = Disk::open(&folder);
        println!("opened: {}", held.is_ok());
        thread::sleep(Duration::from_secs(60));
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let mut child = again(test, "second", temp.path());
    assert_eq!(world::said(&mut child, "opened: "), "true");
    for refused in [Disk::open(temp.path()), Disk::open_read_only(temp.path())] {
        let error = refused.unwrap_err();
        assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(temp.path().join("lock").exists());
    let disk = Disk::open(temp.path()).unwrap();
    let mut child = again(test, "second", temp.path());
    assert_eq!(world::said(&mut child, "opened: "), "false");
    child.kill().unwrap();
    child.wait().unwrap();
    block_on(disk.append(append(vec![event(1, "A", &[])]))).unwrap();
}

/// Whatever the clock says, recorded times never go back, not even over a restart.
#[test]
fn a_clock_that_jumps_by_years_leaves_times_in_order() {
    const YEAR: u64 = 365 * 24 * 3_600 * 1_000;
    let temp = tempfile::tempdir().unwrap();
    let mut highest = 0;
    for (n, years) in (0..).zip([55, 45, 75, 0, 54, 1_000_000, 56, 10_000_000]) {
        let options = Disk::options().segment_bytes(MIN_SEGMENT_BYTES);
        let disk = options.open(temp.path()).unwrap();
        for k in 0..40_u64 {
            let number = u128::from(n * 100 + k);
            let given = years * YEAR + k % 7;
            let append = Append {
                recorded_at: Time(given),
                ..by_command(append(vec![event(number, "A", &[])]), number)
            };
            let receipt = block_on(disk.append(append.clone())).unwrap();
            highest = highest.max(given);
            assert_eq!(receipt.recorded_at, Time(highest));
            let repeated = block_on(disk.append(append)).unwrap();
            assert_eq!(repeated.recorded_at, Time(highest));
        }
    }
    let disk = Disk::open_read_only(temp.path()).unwrap();
    let events = all(&disk);
    assert_eq!(events.len(), 320);
    assert!(events.is_sorted_by_key(|e| (e.meta.recorded_at, e.meta.position)));
}

/// A store keeps two files open for each segment; the error says which limit to raise.
#[test]
fn too_many_open_files_are_an_error_that_says_what_to_do() {
    if let Some(folder) = part("open") {
        return few_files(&folder);
    }
    let temp = tempfile::tempdir().unwrap();
    let disk = Disk::options()
        .segment_bytes(MIN_SEGMENT_BYTES)
        .open(temp.path().join("many"))
        .unwrap();
    for n in 0..900 {
        block_on(disk.append(append(vec![event(n, "A", &[])]))).unwrap();
    }
    assert!(disk.stats().segments > 20);
    drop(disk);
    let test = "faults::too_many_open_files_are_an_error_that_says_what_to_do";
    // Each limit runs out at another step of beginning a segment.
    for limit in 38..46 {
        let outcome = world::shell(&format!("ulimit -n {limit}"), test, "open", temp.path());
        assert_eq!(outcome, Outcome::Well, "with {limit} files");
        fs::remove_dir_all(temp.path().join("new")).unwrap();
    }
}

/// Runs where some 40 files may be open.
fn few_files(folder: &Path) {
    for refused in [
        Disk::open(folder.join("many")),
        Disk::open_read_only(folder.join("many")),
    ] {
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("raise the limit of open files"), "{error}");
    }
    // And one that runs into the limit while it is written: refused, not poisoned, not damaged.
    let options = Disk::options().segment_bytes(MIN_SEGMENT_BYTES);
    let disk = options.open(folder.join("new")).unwrap();
    let refused = (0..3_000).find_map(|n| {
        let appended = block_on(disk.append(append(vec![event(n, "A", &[])])));
        appended.err().map(|e| (n as usize, e.to_string()))
    });
    let (n, error) = refused.unwrap();
    assert!(error.contains("raise the limit of open files"), "{error}");
    assert_eq!(disk.trouble(), None);
    drop(disk);
    // What is open is fewer now: nothing was made beside the log.
    let disk = Disk::options().open(folder.join("new"));
    match disk {
        Ok(disk) => assert_eq!(all(&disk).len(), n),
        Err(e) => assert!(e.to_string().contains("raise the limit"), "{e}"),
    }
}
