//! Backups while the store is written, and what is made of them.

use super::{erase, fill, opened, small, verified};
use crate::{all, append, event, image};
use fait_core::event::Tag;
use fait_core::query::Query;
use fait_core::store::contract::block_on;
use fait_core::store::{Keep, Range, Store};
use fait_store::tools::{BackedUp, ToolError, backup, export, info, restore, verify};
use fait_store::{Disk, MIN_SEGMENT_BYTES};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use tempfile::TempDir;

fn backed_up(from: &Path, to: &Path) -> BackedUp {
    backup(from, to, &mut |_| {}).unwrap()
}

/// Restores a backup, and gives the folder.
fn restored(backup: &Path) -> TempDir {
    let temp = tempfile::tempdir().unwrap();
    restore(backup, temp.path(), &mut |_| {}).unwrap();
    verified(temp.path());
    temp
}

#[test]
fn a_backup_under_load_is_a_prefix_and_restores() {
    let (temp, kept) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let options = Disk::options().segment_bytes(16 * MIN_SEGMENT_BYTES);
    let disk = options.open(temp.path()).unwrap();
    let stop = AtomicBool::new(false);
    let mut heads = vec![];
    thread::scope(|scope| {
        for writer in 1..5_u128 {
            let (disk, stop) = (&disk, &stop);
            scope.spawn(move || {
                for n in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let number = writer << 64 | n << 2;
                    let batch = (0..3).map(|k| event(number + k, "Seated", &["table:1"]));
                    block_on(disk.append(append(batch.collect()))).unwrap();
                }
            });
        }
        for _ in 0..6 {
            let known = block_on(disk.head()).unwrap();
            let done = backed_up(temp.path(), kept.path());
            assert!(done.head >= known, "what was acknowledged is in it");
            assert_eq!(done.head % 3, 0, "appends are whole");
            assert_eq!(done.head_before, heads.last().copied());
            assert_eq!(verified(kept.path()).events, done.head);
            let copy = restored(kept.path());
            assert_eq!(
                block_on(Disk::open(copy.path()).unwrap().head()),
                Ok(done.head)
            );
            heads.push(done.head);
        }
        stop.store(true, Ordering::Relaxed);
    });
    let events = all(&disk);
    let head = *heads.last().unwrap();
    assert!(head > 60 && heads[0] < head);
    let copy = restored(kept.path());
    let again = Disk::open(copy.path()).unwrap();
    assert_eq!(all(&again), events[..head as usize]);
    assert_ne!(again.id(), disk.id(), "its history may go on otherwise");
    let tagged = Query::tags(vec![Tag::raw("table:1")]);
    let found = block_on(again.read(&tagged, Range::after(0, usize::MAX))).unwrap();
    assert_eq!(found.events.len() as u64, head);
    let known = info(copy.path()).unwrap();
    assert_eq!(known.store, disk.id());
    assert_eq!((known.history, known.in_use), (again.id(), true));
}

#[test]
fn a_second_backup_copies_only_what_is_new() {
    let (temp, _) = small(100);
    let kept = tempfile::tempdir().unwrap();
    let first = backed_up(temp.path(), kept.path());
    assert_eq!(first.copied_segments, first.segments);
    assert_eq!(first.copied_bytes + 84, first.bytes + 84);
    let again = backed_up(temp.path(), kept.path());
    assert_eq!((again.head, again.copied_segments), (first.head, 1));
    let disk = opened(temp.path());
    fill(&disk, 100, 130);
    drop(disk);
    let third = backed_up(temp.path(), kept.path());
    assert_eq!(third.head, 260);
    assert!(third.copied_segments < third.segments / 2, "{third:?}");
    let copy = restored(kept.path());
    assert_eq!(
        all(&Disk::open(copy.path()).unwrap()),
        all(&Disk::open(temp.path()).unwrap())
    );
}

#[test]
fn what_was_erased_goes_from_the_next_backup() {
    let (temp, _) = small(100);
    let kept = tempfile::tempdir().unwrap();
    backed_up(temp.path(), kept.path());
    let disk = opened(temp.path());
    assert_eq!(erase(&disk, 2, Keep::default(), 90_000), 20);
    drop(disk);
    backed_up(temp.path(), kept.path());
    assert_eq!(verified(kept.path()).erased, 20);
    for (name, bytes) in image(kept.path()) {
        let there = bytes.windows(7).filter(|b| b == b"guest:2").count();
        // The tombstone has it.
        assert!(
            there <= usize::from(name == "00000010.log") || there <= 1,
            "{name}"
        );
    }
    let copy = restored(kept.path());
    assert_eq!(
        all(&Disk::open(copy.path()).unwrap()),
        all(&Disk::open(temp.path()).unwrap())
    );
}

#[test]
fn a_backup_is_no_store() {
    let (temp, _) = small(10);
    let kept = tempfile::tempdir().unwrap();
    backed_up(temp.path(), kept.path());
    let before = image(kept.path());
    for error in [Disk::open(kept.path()), Disk::open_read_only(kept.path())] {
        let text = error.unwrap_err().to_string();
        assert!(text.contains("fait store restore"), "{text}");
    }
    assert_eq!(image(kept.path()), before);
    let known = info(kept.path()).unwrap();
    assert!(known.backup_of.is_some() && known.sealed);
    assert_eq!(known.events, 20);
    // And yet it can be exported, and backed up.
    let (mut lines, other) = (vec![], tempfile::tempdir().unwrap());
    assert_eq!(
        export(kept.path(), &mut lines, &mut |_| {}).unwrap().events,
        20
    );
    assert_eq!(backed_up(kept.path(), other.path()).head, 20);
    assert_eq!(image(other.path()).len(), before.len());
}

#[test]
fn nothing_is_put_among_other_files() {
    let (temp, _) = small(10);
    let kept = tempfile::tempdir().unwrap();
    backed_up(temp.path(), kept.path());
    let taken = tempfile::tempdir().unwrap();
    fs::write(taken.path().join("diary"), "dear").unwrap();
    let not_empty =
        |e: ToolError| matches!(e, ToolError::NotEmpty { found, .. } if found == "diary");
    assert!(not_empty(
        restore(kept.path(), taken.path(), &mut |_| {}).unwrap_err()
    ));
    assert!(not_empty(
        backup(temp.path(), taken.path(), &mut |_| {}).unwrap_err()
    ));
    assert_eq!(fs::read_dir(taken.path()).unwrap().count(), 1);
    // Nor over a store.
    let (other, _) = small(5);
    let before = image(other.path());
    let refused = backup(temp.path(), other.path(), &mut |_| {}).unwrap_err();
    assert!(
        refused.to_string().contains("it holds a store"),
        "{refused}"
    );
    let refused = restore(kept.path(), other.path(), &mut |_| {}).unwrap_err();
    assert!(matches!(refused, ToolError::NotEmpty { .. }));
    assert_eq!(image(other.path()), before);
    // Nor over a backup of something else.
    let kept_image = image(kept.path());
    let refused = backup(other.path(), kept.path(), &mut |_| {}).unwrap_err();
    assert!(refused.to_string().contains("another store"), "{refused}");
    let copy = restored(kept.path());
    let refused = backup(copy.path(), kept.path(), &mut |_| {}).unwrap_err();
    assert!(refused.to_string().contains("restored from"), "{refused}");
    assert_eq!(image(kept.path()), kept_image);
    // A store is no backup.
    let refused = restore(temp.path(), &taken.path().join("new"), &mut |_| {}).unwrap_err();
    assert!(
        refused.to_string().contains("fait store backup"),
        "{refused}"
    );
    assert!(!taken.path().join("new").exists());
}

/// One bit of each byte in turn: what is restored is right, or nothing is.
#[test]
fn a_damaged_backup_is_refused() {
    let (temp, events) = small(30);
    let kept = tempfile::tempdir().unwrap();
    backed_up(temp.path(), kept.path());
    let target = tempfile::tempdir().unwrap();
    let (mut refused, mut restored) = (0, 0);
    let whole = image(kept.path());
    for (name, bytes) in &whole {
        for at in (0..bytes.len()).step_by(if bytes.len() > 100 { 11 } else { 1 }) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            fs::write(kept.path().join(name), flipped).unwrap();
            let to = target.path().join("made");
            let found = verify(kept.path(), &mut |_| {});
            assert!(found.is_err() || !found.unwrap().problems.is_empty() || name.ends_with("g"));
            match restore(kept.path(), &to, &mut |_| {}) {
                Err(e) => {
                    assert!(e.to_string().contains(name), "byte {at} of {name}: {e}");
                    assert!(!to.exists());
                    refused += 1;
                }
                Ok(_) => {
                    let is_seal = name.ends_with(".log") && at >= bytes.len() - 64;
                    assert!(name.ends_with(".idx") || is_seal, "byte {at} of {name}");
                    assert_eq!(all(&Disk::open_read_only(&to).unwrap()), events);
                    fs::remove_dir_all(&to).unwrap();
                    restored += 1;
                }
            }
        }
        fs::write(kept.path().join(name), bytes).unwrap();
    }
    assert!(refused > 500 && restored > 500, "{refused} {restored}");
    fs::remove_file(kept.path().join("00000002.log")).unwrap();
    let error = restore(kept.path(), &target.path().join("made"), &mut |_| {}).unwrap_err();
    assert!(
        error.is_damage() && error.to_string().contains("missing"),
        "{error}"
    );
}

#[test]
fn a_damaged_store_is_not_backed_up_and_the_backup_before_stays() {
    let (temp, events) = small(60);
    let kept = tempfile::tempdir().unwrap();
    let first = backed_up(temp.path(), kept.path());
    let disk = opened(temp.path());
    fill(&disk, 60, 120);
    drop(disk);
    let path = temp.path().join(format!("{:08}.log", first.segments + 2));
    let mut bytes = fs::read(&path).unwrap();
    bytes[300] ^= 1;
    fs::write(path, bytes).unwrap();
    let error = backup(temp.path(), kept.path(), &mut |_| {}).unwrap_err();
    assert!(error.is_damage(), "{error}");
    // What comes before the damage was copied; the head of the backup before still counts.
    let found = verified(kept.path());
    assert!(found.notes[0].contains("cut short"), "{:?}", found.notes);
    let copy = restored(kept.path());
    assert_eq!(all(&Disk::open(copy.path()).unwrap()), events);
}

#[test]
fn a_first_backup_that_was_cut_short_is_not_restored_but_gone_on_with() {
    let (temp, events) = small(60);
    let path = temp.path().join("00000003.log");
    let whole = fs::read(&path).unwrap();
    let mut bytes = whole.clone();
    bytes[300] ^= 1;
    fs::write(&path, bytes).unwrap();
    let kept = tempfile::tempdir().unwrap();
    backup(temp.path(), kept.path(), &mut |_| {}).unwrap_err();
    let target = tempfile::tempdir().unwrap();
    let error = restore(kept.path(), target.path(), &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("not finished"), "{error}");
    let found = verify(kept.path(), &mut |_| {}).unwrap().problems;
    assert!(found[0].what.contains("not finished"), "{found:?}");
    fs::write(&path, whole).unwrap();
    backed_up(temp.path(), kept.path());
    assert_eq!(
        all(&Disk::open(restored(kept.path()).path()).unwrap()),
        events
    );
}

#[test]
fn an_empty_store_is_backed_up_too() {
    let (temp, kept) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop(Disk::open(temp.path()).unwrap());
    assert_eq!(backed_up(temp.path(), kept.path()).head, 0);
    let copy = restored(kept.path());
    assert_eq!(all(&Disk::open(copy.path()).unwrap()), []);
}

/// What was cut off from a copy is copied again.
#[test]
fn a_copy_that_is_too_short_is_made_again() {
    let (temp, events) = small(100);
    let kept = tempfile::tempdir().unwrap();
    let first = backed_up(temp.path(), kept.path());
    let path = kept.path().join("00000002.log");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 600]).unwrap();
    let again = backed_up(temp.path(), kept.path());
    assert_eq!((again.head, again.copied_segments), (first.head, 2));
    assert_eq!(fs::read(&path).unwrap(), whole);
    assert_eq!(
        all(&Disk::open(restored(kept.path()).path()).unwrap()),
        events
    );
}
